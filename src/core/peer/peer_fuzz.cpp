// A connected peer, given any RTP and RTCP under the right keys, as a hostile participant sends it; time passes and
// media goes out in between. Input: steps, each a byte of what and a byte of length with that many bytes of plaintext.
// Afterwards the tables are bounded and media still goes out.
#include "base/assert.h"
#include "core/peer/known_keys_test.h"

namespace {

using namespace atm;
using namespace atm::peer;
using negotiation::Direction;

constexpr uint32_t kSsrc = 1'000;

enum Step : uint8_t { kRtp, kRtpOfTheStream, kRtcp, kRtcpAboutOurs, kWait, kSend, kStepCount };

void take(Call& call, KnownKeys& client, uint8_t what, ByteView bytes, int64_t& sequence) {
  Bytes plain(bytes.begin(), bytes.end());
  switch (what % kStepCount) {
    case kRtp:
      return client.send_rtp(plain);
    case kRtpOfTheStream:
      if (plain.size() < 12) return;
      plain[0] = static_cast<uint8_t>(0x80 | (plain[0] & 0x3f));
      store_u32(&plain[8], kSsrc + plain[8] % 3);  // media, RTX, neither
      return client.send_rtp(plain);
    case kRtcp:
      return client.send_rtcp(plain);
    case kRtcpAboutOurs:  // feedback: the second SSRC is whose media it is about
      if (plain.size() >= 12) store_u32(&plain[8], call.server.peer->media(2).ssrc());
      return client.send_rtcp(plain);
    case kWait:
      return call.run(plain.empty() ? 1ms : plain[0] * 10ms);
    case kSend:
      call.send(call.server, 2, sequence++, std::string(as_text(bytes)));
      return;
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  CallWorld world(1);
  Call call(world);
  ASSERT(call.connect({Call::line(MediaKind::kVideo, Direction::kSendOnly, "up", kSsrc),
                       Call::line(MediaKind::kVideo, Direction::kRecvOnly, "down")}));
  KnownKeys client(call);
  call.drop = [](bool to_server, const Bytes&) { return to_server; };  // the real client stays silent
  int64_t sequence = 100;
  ByteView left(data, size);
  for (int steps = 0; steps < 64 && left.size() >= 2; ++steps) {
    const uint8_t what = left[0];
    const size_t length = std::min<size_t>(left[1], left.size() - 2);
    take(call, client, what, left.subspan(2, length), sequence);
    left = left.subspan(2 + length);
  }
  ASSERT(PeerTestAccess::ssrcs_received(*call.server.peer) <= 2 * kMaxReceiveStreams);
  if (!call.server.peer->is_connected()) return 0;  // it waited until consent was over
  size_t sent = 0;
  call.watch = [&](bool to_server, const Bytes&) { sent += !to_server; };
  ASSERT(call.send(call.server, 2, sequence, "still here"));
  ASSERT(sent == 1);
  return 0;
}

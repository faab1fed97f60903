// An established association with its data channels, given arbitrary chunks under a good checksum and the right tag,
// as a hostile peer behind DTLS has them; time passes and messages are sent in between. Input: packets, each a byte
// of length and that many bytes of chunk list (a length of 255 lets time pass, 254 sends a message).
#include "core/sctp/data_channels.h"

#include "base/assert.h"

namespace {

using namespace atm;
using namespace atm::sctp;

constexpr uint32_t kPeerTag = 1234;

template <typename Write>
void give(DataChannels& end, Now now, uint32_t tag, Output& out, Write write) {
  std::array<uint8_t, 1'500> buffer;
  PacketWriter packet(buffer, {5000, 5000, tag});
  write(packet);
  end.on_packet(now, packet.finish(), out);
}

Chunk first_chunk(ByteView packet) {
  return *ChunkReader(parse_packet(packet)->chunks).next();
}

uint32_t establish(DataChannels& end, Now now) {
  Output out;
  InitChunk init;
  init.initiate_tag = kPeerTag;
  init.receiver_window = 100'000;
  init.outbound_streams = init.inbound_streams = 100;
  init.initial_tsn = 1;
  init.has_forward_tsn = init.has_reconfig = true;
  give(end, now, 0, out, [&](PacketWriter& p) { write_init(p, ChunkType::kInit, init); });
  const InitChunk answer = *parse_init(first_chunk(out.packets.at(0)));
  const Bytes cookie(answer.cookie.begin(), answer.cookie.end());
  give(end, now, answer.initiate_tag, out, [&](PacketWriter& p) { p.chunk(ChunkType::kCookieEcho, 0, cookie); });
  ASSERT(end.is_up());
  return answer.initiate_tag;
}

// TSN 0xffffffff and tag for our side, so that inputs can name the numbers in use.
class FixedRng final : public Rng {
 public:
  void fill(MutByteView out) override {
    for (uint8_t& b : out) b = 0xff;
  }
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  FixedRng rng;
  DataChannels end({}, DtlsRole::kServer, rng);
  Now now{Instant(1s), WallTime(1s)};
  const uint32_t tag = establish(end, now);
  Reader input(ByteView{data, size});
  Output out;
  const auto channel = end.open(now, "ours", {}, out);
  while (input.left() > 0) {
    out.packets.clear();
    out.events.clear();
    const uint8_t length = input.u8();
    if (length == 255) {
      now.mono += 100ms;
      if (end.next_timeout() <= now.mono) end.on_timeout(now, out);
    } else if (length == 254) {
      if (channel) end.send(now, *channel, Bytes(3'000), false, out);
    } else {
      const ByteView chunks = input.take(std::min<size_t>(length, input.left()));
      give(end, now, tag, out, [&](PacketWriter& p) { p.value().bytes(chunks); });
      ASSERT(out.packets.size() <= 16);
    }
  }
  return 0;
}

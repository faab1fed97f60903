// Any offer: it is refused, or it gets an answer that can be read and that its client agrees to.
#include "base/assert.h"
#include "core/negotiation/answer.h"
#include "core/negotiation/offer.h"
#include "wire/sdp/sdp.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace atm;
  using namespace atm::negotiation;
  const auto offer = sdp::parse({reinterpret_cast<const char*>(data), size});
  if (!offer) return 0;
  LocalTransport transport;
  transport.ufrag = "srvU";
  transport.pwd = "serverpasswordserverpass";
  transport.fingerprint =
      "00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF:00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF";
  transport.ice_lite = true;
  transport.setup = "passive";
  transport.candidates = {"candidate:1 1 udp 2130706431 192.0.2.1 20000 typ host"};
  transport.cname = "server";
  const std::vector<LocalMedia> decisions(offer->media.size(),
                                          LocalMedia{Direction::kSendRecv, "video_0", "video_0", 1, 2});
  const auto answer = make_answer(*offer, decisions, transport, {});
  if (!answer) return 0;
  const auto read = sdp::parse(answer->sdp);
  ASSERT(read);
  const auto agreed = read_answer(*offer, *read);
  ASSERT(agreed);
  ASSERT(agreed->media.size() == answer->media.size());
  return 0;
}

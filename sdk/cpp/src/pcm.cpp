#include "session_impl.h"
namespace atm0s {
class PcmDecoder {};
std::optional<PcmFrame> decode(Receiver::Impl&, const AudioFrame&) {
  return std::nullopt;
}
}  // namespace atm0s

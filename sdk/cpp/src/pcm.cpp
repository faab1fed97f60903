#include "session_impl.h"
namespace atm0s {
class PcmDecoder {};
std::optional<PcmFrame> decode(Receiver::Impl&, const AudioFrame&) {
  return std::nullopt;
}

PcmSource::PcmSource(const PcmOptions&) : MediaSource(std::make_shared<Impl>(MediaKind::kAudio, Codec::kOpus)) {}
PcmSource::~PcmSource() = default;
Result<void> PcmSource::push(std::span<const int16_t>) {
  return Error{ErrorCode::kNotSupported, "this build encodes no audio"};
}

}  // namespace atm0s

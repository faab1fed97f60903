#include "io/opus/opus_decoder.h"

#include <opus.h>

#include <optional>
#include <string>

namespace atm::io {
namespace {

constexpr uint32_t kSampleRate = 48'000;

constexpr size_t samples_in(Duration duration) {
  return static_cast<size_t>(to_us(duration)) * kSampleRate / 1'000'000;
}

// RFC 6716 2.1.4: 2.5 ms is the shortest frame there is, and libopus fills gaps of nothing else.
std::optional<size_t> gap_samples(Duration lost) {
  constexpr Duration kStep = 2'500us;
  if (lost < kStep || lost > kMaxOpusDuration || lost % kStep != 0us) return {};
  return samples_in(lost);
}

}  // namespace

void OpusDecoder::Destroy::operator()(::OpusDecoder* decoder) const {
  opus_decoder_destroy(decoder);
}

OpusDecoder::OpusDecoder(::OpusDecoder* decoder, uint8_t channels)
    : decoder_(decoder), channels_(channels), pcm_(samples_in(kMaxOpusDuration) * channels) {}

Result<OpusDecoder> OpusDecoder::make(uint8_t channels) {
  if (channels != 1 && channels != 2) return fail(ErrorCode::kInvalidConfig, "Opus: channels are 1 or 2");
  int error = OPUS_OK;
  ::OpusDecoder* decoder = opus_decoder_create(kSampleRate, channels, &error);
  if (decoder == nullptr) return fail(ErrorCode::kServerError, std::string("Opus: ") + opus_strerror(error));
  return OpusDecoder(decoder, channels);
}

Result<OpusDecoder::Pcm> OpusDecoder::decode(ByteView packet) {
  // For libopus an empty packet is a lost one.
  if (packet.empty()) return fail(ErrorCode::kInvalidRequest, "Opus: the packet is empty");
  return run(packet, samples_in(kMaxOpusDuration), false);
}

Result<OpusDecoder::Pcm> OpusDecoder::decode_fec(ByteView packet, Duration lost) {
  const auto samples = gap_samples(lost);
  if (!samples || packet.empty()) return fail(ErrorCode::kInvalidRequest, "Opus: no packet, or no duration of a gap");
  return run(packet, *samples, true);
}

Result<OpusDecoder::Pcm> OpusDecoder::conceal(Duration lost) {
  const auto samples = gap_samples(lost);
  if (!samples) return fail(ErrorCode::kInvalidRequest, "Opus: no duration of a gap");
  return run({}, *samples, false);
}

Result<OpusDecoder::Pcm> OpusDecoder::run(ByteView packet, size_t samples, bool is_fec) {
  const int decoded =
      opus_decode(decoder_.get(), packet.empty() ? nullptr : packet.data(), static_cast<opus_int32>(packet.size()),
                  pcm_.data(), static_cast<int>(samples), is_fec ? 1 : 0);
  if (decoded < 0) return fail(ErrorCode::kInvalidRequest, std::string("Opus: ") + opus_strerror(decoded));
  return Pcm(pcm_.data(), static_cast<size_t>(decoded) * channels_);
}

}  // namespace atm::io

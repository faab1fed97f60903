#include "io/opus/opus_encoder.h"

#include <opus.h>

#include <string>

namespace atm::io {
namespace {

// libopus takes more and less, but clamps it silently; RFC 6716 2.1.1: 6 to 510 kbit/s.
constexpr uint32_t kLeastBitrateBps = 6'000;
constexpr uint32_t kMostBitrateBps = 510'000;
// RFC 6716 3.2.1: a packet of one byte is a frame of no bytes. libopus says of up to two that they need not be sent.
constexpr int kDtxBytes = 2;

Result<void> check(bool is_valid, const char* what) {
  if (is_valid) return {};
  return fail(ErrorCode::kInvalidConfig, std::string("Opus: ") + what);
}

Result<void> check(const OpusEncoderConfig& config) {
  const Duration frame = config.frame;
  if (auto ok = check(config.channels == 1 || config.channels == 2, "channels are 1 or 2"); !ok) return ok;
  if (auto ok =
          check(frame == 10ms || frame == 20ms || frame == 40ms || frame == 60ms, "a frame has 10, 20, 40 or 60 ms");
      !ok) {
    return ok;
  }
  return check(config.complexity >= 0 && config.complexity <= 10, "the complexity is 0 to 10");
}

}  // namespace

void OpusEncoder::Destroy::operator()(::OpusEncoder* encoder) const {
  opus_encoder_destroy(encoder);
}

OpusEncoder::OpusEncoder(::OpusEncoder* encoder, const OpusEncoderConfig& config)
    : encoder_(encoder),
      channels_(config.channels),
      frame_samples_(static_cast<size_t>(to_us(config.frame)) * kOpusSampleRate / 1'000'000),
      packet_(kMaxOpusPacketBytes) {}

Result<OpusEncoder> OpusEncoder::make(const OpusEncoderConfig& config) {
  if (auto ok = check(config); !ok) return tl::unexpected(std::move(ok).error());
  const int application = config.use == OpusUse::kVoip ? OPUS_APPLICATION_VOIP : OPUS_APPLICATION_AUDIO;
  int error = OPUS_OK;
  ::OpusEncoder* encoder = opus_encoder_create(kOpusSampleRate, config.channels, application, &error);
  if (encoder == nullptr) return fail(ErrorCode::kServerError, std::string("Opus: ") + opus_strerror(error));
  OpusEncoder out(encoder, config);
  if (auto ok = out.set_bitrate(config.bitrate_bps); !ok) return tl::unexpected(std::move(ok).error());
  if (auto ok = out.set_expected_loss(config.expected_loss_percent); !ok) return tl::unexpected(std::move(ok).error());
  opus_encoder_ctl(encoder, OPUS_SET_COMPLEXITY(config.complexity));
  opus_encoder_ctl(encoder, OPUS_SET_INBAND_FEC(config.fec ? 1 : 0));
  opus_encoder_ctl(encoder, OPUS_SET_DTX(config.dtx ? 1 : 0));
  return out;
}

Result<OpusEncoder::Packet> OpusEncoder::encode(std::span<const int16_t> pcm) {
  if (pcm.size() != frame_samples_ * channels_) {
    return fail(ErrorCode::kInvalidRequest, "Opus: a frame has " + std::to_string(frame_samples_ * channels_) +
                                                " samples, not " + std::to_string(pcm.size()));
  }
  const int size = opus_encode(encoder_.get(), pcm.data(), static_cast<int>(frame_samples_), packet_.data(),
                               static_cast<opus_int32>(packet_.size()));
  if (size < 0) return fail(ErrorCode::kServerError, std::string("Opus: ") + opus_strerror(size));
  return Packet{ByteView(packet_.data(), static_cast<size_t>(size)), size <= kDtxBytes};
}

Result<void> OpusEncoder::set_bitrate(uint32_t bps) {
  if (auto ok = check(bps >= kLeastBitrateBps && bps <= kMostBitrateBps, "the bitrate is 6,000 to 510,000 bit/s");
      !ok) {
    return ok;
  }
  opus_encoder_ctl(encoder_.get(), OPUS_SET_BITRATE(static_cast<opus_int32>(bps)));
  return {};
}

Result<void> OpusEncoder::set_expected_loss(int percent) {
  if (auto ok = check(percent >= 0 && percent <= 100, "the expected loss is 0 to 100 percent"); !ok) return ok;
  opus_encoder_ctl(encoder_.get(), OPUS_SET_PACKET_LOSS_PERC(percent));
  return {};
}

uint32_t OpusEncoder::delay_samples() const {
  opus_int32 samples = 0;
  opus_encoder_ctl(encoder_.get(), OPUS_GET_LOOKAHEAD(&samples));
  return static_cast<uint32_t>(samples);
}

}  // namespace atm::io

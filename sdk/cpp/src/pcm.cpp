// PCM in and out: Opus between the samples of the application and the frames of the network. Encoding runs on the
// thread that pushes, decoding on the one that reads or handles.
#include <algorithm>
#include <cstring>

#include "convert.h"
#include "io/opus/audio_level.h"
#include "io/opus/opus_decoder.h"
#include "io/opus/opus_encoder.h"
#include "session_impl.h"

namespace atm0s {

namespace {

constexpr auto kFrame = std::chrono::milliseconds(20);
// Samples that come late by more than this were captured later: the clock begins anew.
constexpr auto kMaxDrift = std::chrono::milliseconds(100);
constexpr int kExpectedLossPercent = 5;  // copies for it cost a tenth of the bits
constexpr uint8_t kPlayedChannels = 2;

class PcmImpl final : public MediaSource::Impl {
 public:
  explicit PcmImpl(const PcmOptions& options) : Impl(MediaKind::kAudio, Codec::kOpus) {
    atm::io::OpusEncoderConfig config;
    config.channels = static_cast<uint8_t>(std::clamp(options.channels, 0, 255));
    config.bitrate_bps = static_cast<uint32_t>(std::min<uint64_t>(options.bitrate, UINT32_MAX));
    config.use = options.music ? atm::io::OpusUse::kAudio : atm::io::OpusUse::kVoip;
    config.fec = options.fec;
    config.expected_loss_percent = options.fec ? kExpectedLossPercent : 0;
    config.dtx = options.dtx;
    auto encoder = atm::io::OpusEncoder::make(config);
    if (encoder) {
      encoder_.emplace(std::move(*encoder));
    } else {
      error_ = to_public(encoder.error());
    }
  }

  Result<void> push_samples(std::span<const int16_t> samples) {
    const std::lock_guard lock(mutex_);
    if (error_) return *error_;
    waiting_.insert(waiting_.end(), samples.begin(), samples.end());
    const size_t size = encoder_->frame_samples() * encoder_->channels();
    size_t at = 0;
    Result<void> result;
    for (; waiting_.size() - at >= size; at += size) {
      if (auto pushed = push_frame(std::span(waiting_).subspan(at, size)); !pushed) result = pushed;
    }
    waiting_.erase(waiting_.begin(), waiting_.begin() + static_cast<std::ptrdiff_t>(at));
    return result;
  }

 private:
  Result<void> push_frame(std::span<const int16_t> samples) {
    const auto packet = encoder_->encode(samples);
    if (!packet) return to_public(packet.error());
    const auto now = Clock::now();
    const auto late = now - next_at_;
    if (next_at_ == Clock::time_point{} || late > kMaxDrift || late < -kMaxDrift) next_at_ = now;
    PushedFrame out;
    out.frame.codec = atm::Codec::kOpus;
    out.frame.captured_at = to_engine(next_at_);
    out.frame.audio_level = static_cast<uint8_t>(-atm::io::audio_level(samples));
    out.frame.starts_talk = !std::exchange(was_talking_, !packet->is_dtx) && !packet->is_dtx;
    next_at_ += kFrame;
    if (packet->is_dtx && packet->bytes.size() <= 2) return {};  // RFC 6716 2.1.9: need not be sent
    return Impl::push(std::move(out), packet->bytes);
  }

  std::mutex mutex_;
  std::optional<atm::io::OpusEncoder> encoder_;
  std::optional<Error> error_;
  std::vector<int16_t> waiting_;
  Clock::time_point next_at_{};
  bool was_talking_ = false;
};

}  // namespace

PcmSource::PcmSource(const PcmOptions& options) : MediaSource(std::make_shared<PcmImpl>(options)) {}
PcmSource::~PcmSource() = default;
Result<void> PcmSource::push(std::span<const int16_t> samples) {
  return static_cast<PcmImpl*>(impl_.get())->push_samples(samples);
}

// --- out --------------------------------------------------------------------------------------------------------

class PcmDecoder {
 public:
  PcmDecoder() {
    if (auto decoder = atm::io::OpusDecoder::make(kPlayedChannels)) decoder_.emplace(std::move(*decoder));
  }

  std::optional<PcmFrame> decode(const AudioFrame& frame) {
    if (!decoder_) return std::nullopt;
    PcmFrame out;
    out.play_at = frame.play_at;
    const auto silent = static_cast<size_t>(frame.length.count() * 48 / 1000) * kPlayedChannels;
    atm::Result<atm::io::OpusDecoder::Pcm> pcm = atm::io::OpusDecoder::Pcm{};
    switch (frame.action) {
      case AudioFrame::Action::kDecode:
        pcm = decoder_->decode(frame.bytes);
        break;
      case AudioFrame::Action::kDecodeCopy:
        pcm = decoder_->decode_fec(frame.bytes, frame.length);
        break;
      case AudioFrame::Action::kConceal:
        pcm = decoder_->conceal(frame.length);
        break;
      case AudioFrame::Action::kSilence:
        out.samples.assign(silent, 0);
        return out;
    }
    if (pcm) {
      out.samples.assign(pcm->begin(), pcm->end());
    } else {
      out.samples.assign(silent, 0);  // a packet that is no Opus sounds like nothing
    }
    return out;
  }

 private:
  std::optional<atm::io::OpusDecoder> decoder_;
};

std::optional<PcmFrame> decode(Receiver::Impl& receiver, const AudioFrame& frame) {
  const std::lock_guard lock(receiver.decoder_mutex);
  if (!receiver.decoder) receiver.decoder = std::make_shared<PcmDecoder>();
  return receiver.decoder->decode(frame);
}

}  // namespace atm0s

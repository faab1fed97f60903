#include "media/receiver/quality_meter.h"

#include <algorithm>
#include <cmath>

#include "media/quality/audio_mos.h"
#include "media/quality/video_mos.h"

namespace atm::receiver {
namespace {

// A loss is believed at once when it is of so many frames: two seconds of them.
constexpr double kFramesToBelieve = 100;
// Fewer frames than this in a second tell nothing of the codec's bitrate: DTX, or an outage.
constexpr uint64_t kFramesForBitrate = 20;
// DTX sends a sign of life every 400 ms. Who is silent for longer is not heard any more.
constexpr Duration kSilence = 1s;
constexpr Duration kPacketTime = 20ms;

double seconds(Duration d) {
  return static_cast<double>(to_us(d)) / 1e6;
}

void approach(double& value, double found, uint64_t frames) {
  value += (found - value) * std::min(1.0, static_cast<double>(frames) / kFramesToBelieve);
}

Duration round_trip_of(const sender::Source& source, const peer::Peer& viewer) {
  return viewer.round_trips().as_sender.value_or(0ms) + source.round_trip().value_or(0ms);
}

}  // namespace

std::optional<uint32_t> QualityMeter::judge(Instant now, const sender::Source& source, const Hop& hop) {
  const auto mos = kind_ == MediaKind::kAudio ? judge_audio(now, source, hop) : judge_video(now, source, hop);
  return mos && gate_.on_mos(now, *mos) ? mos : std::nullopt;
}

void QualityMeter::learn_losses(Instant now, const sender::Source& source, const Hop& hop) {
  const quality::Heard::Totals totals = source.heard.totals();
  const quality::Heard::Totals second = totals - heard_;
  const bool is_silent = now - source.heard.newest() >= kSilence;
  approach(publisher_loss_, is_silent ? 1.0 : second.loss(),
           is_silent ? static_cast<uint64_t>(kFramesToBelieve) : second.expected);
  if (second.gaps > 0 && second.expected > second.received) {
    approach(mean_burst_, static_cast<double>(second.expected - second.received) / static_cast<double>(second.gaps),
             second.expected);
  } else {
    approach(mean_burst_, 1, second.expected);
  }
  const auto& report = hop.peer.media(hop.media).send_stream()->remote_report();
  if (!report || !reported_.on_report(report->highest_sequence, report->cumulative_lost, report->fraction_lost)) return;
  const quality::Heard::Totals since = totals - heard_at_report_;
  heard_at_report_ = totals;
  const double before = since.loss();
  const double own = before < 1 ? (*reported_.loss() - before) / (1 - before) : 0;
  approach(viewer_loss_, std::clamp(own, 0.0, 1.0), since.expected);
}

std::optional<uint32_t> QualityMeter::judge_audio(Instant now, const sender::Source& source, const Hop& hop) {
  const auto* stream = hop.peer.media(hop.media).send_stream();
  if (stream == nullptr) return std::nullopt;
  const Duration length = now - std::exchange(judged_at_, now);
  const quality::Heard::Totals before = heard_;
  const auto& report = stream->remote_report();
  if (!has_begun_) {
    has_begun_ = true;
    heard_ = heard_at_report_ = source.heard.totals();
    if (report) reported_.on_report(report->highest_sequence, report->cumulative_lost, report->fraction_lost);
    return std::nullopt;
  }
  learn_losses(now, source, hop);
  heard_ = source.heard.totals();
  const quality::Heard::Totals second = heard_ - before;
  if (second.expected >= kFramesForBitrate && length > 0ms) {
    const auto found = static_cast<uint32_t>(static_cast<double>(second.bytes) * 8 / seconds(length));
    bitrate_bps_ = std::max(found, bitrate_bps_ - bitrate_bps_ / 8);
  }
  if (second.received > 0) has_fec_ = second.with_fec * 2 >= second.received;
  quality::AudioInput input;
  const double unrepaired = std::pow(viewer_loss_, static_cast<double>(copies_ + 1));
  input.loss = publisher_loss_ + (1 - publisher_loss_) * unrepaired;
  input.mean_burst = std::max(mean_burst_, 1 / std::max(1 - input.loss, 0.001));
  input.round_trip = round_trip_of(source, hop.peer);
  input.jitter_buffer = kPacketTime;
  if (report) input.jitter_buffer += Duration(int64_t{report->jitter} * 2 * 1'000 / 48);
  input.bitrate_bps = bitrate_bps_;
  input.has_fec = has_fec_;
  return quality::audio_mos(input);
}

std::optional<uint32_t> QualityMeter::judge_video(Instant now, const sender::Source& source, const Hop& hop) {
  if (!watch_.has_begun()) return std::nullopt;
  const quality::FrameWatch::Window window = watch_.take(now);
  const uint64_t bytes = std::exchange(bytes_, 0);
  if (!std::exchange(has_begun_, true) || window.length <= 0ms) return std::nullopt;
  const double frame_rate = window.frames / seconds(window.length);
  const auto bitrate = static_cast<uint32_t>(static_cast<double>(bytes) * 8 / seconds(window.length));
  // Half of the way: a key frame, or frames that fell into the next second, are no change.
  frame_rate_ = frame_rate_ > 0 ? (frame_rate_ + frame_rate) / 2 : frame_rate;
  bitrate_bps_ = bitrate_bps_ > 0 ? bitrate_bps_ / 2 + bitrate / 2 : bitrate;
  quality::VideoInput input;
  input.codec = hop.codec;
  input.bitrate_bps = bitrate_bps_;
  input.frame_rate = frame_rate_;
  input.is_screen = source.screen;
  const payload::PictureSize& size = source.sizes[std::min<size_t>(hop.layer, source.sizes.size() - 1)];
  input.width = size.width;
  input.height = size.height;
  uint64_t best = 0;
  for (const payload::PictureSize& one : source.sizes) best = std::max(best, one.pixels());
  input.shown_pixels = static_cast<uint32_t>(std::min<uint64_t>(best, UINT32_MAX));
  input.window = window.length;
  if (!source.screen) {
    input.frozen = window.frozen;
    input.freezes = window.freezes;
  }
  return quality::video_mos(input);
}

}  // namespace atm::receiver

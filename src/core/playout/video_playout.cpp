#include "core/playout/video_playout.h"

#include <algorithm>
#include <utility>

namespace atm::playout {
namespace {

constexpr int64_t kClockRate = 90'000;  // RFC 7741 4.1, RFC 6184 8.1 and those of VP9 and AV1
constexpr int64_t kPace = 10;           // the offset moves by a tenth of the time (libwebrtc: 100 ms a second)
constexpr Duration kSettling = 1s;
constexpr Duration kTooFar = 1s;         // so far from where it should be it goes at once
constexpr Duration kBackwards = 500ms;   // more than pictures out of order (B frames) go back
constexpr Duration kBeforeBase = 500ms;  // nothing is so much faster than the fastest
constexpr Duration kBehindBase = 10s;    // no way through the network takes so much longer

Duration media_time(int64_t unwrapped) {
  return Duration(unwrapped * 1'000'000 / kClockRate);
}

}  // namespace

VideoPlayout::VideoPlayout(const VideoPlayoutConfig& config)
    : delays_(config.delays), lead_(std::clamp(config.lead, Duration{}, kMaxDelay)), ring_(kMaxFrames) {}

bool VideoPlayout::has_jumped(Duration media, Instant arrival) const {
  if (profile_.is_empty()) return false;
  const Duration behind = arrival.time_since_epoch() - media - profile_.base();
  return media < last_media_ - kBackwards || behind < -kBeforeBase || behind > kBehindBase;
}

void VideoPlayout::begin_anew(Instant now) {
  for (size_t i = 0; i < count_; ++i) {
    if (entry(i).fixed == kNever) entry(i).fixed = due(entry(i));
  }
  profile_.reset();
  unwrapper_ = TimestampUnwrapper();
  settled_at_ = now + kSettling;
}

void VideoPlayout::push(VideoFrame frame) {
  const Instant now = frame.arrival;
  if (waits_for_key_ && !frame.is_key) {
    ++stats_.frames_dropped;
    return;
  }
  waits_for_key_ = false;
  if (!unwrapper_.started()) settled_at_ = now + kSettling;
  Duration media = media_time(unwrapper_.peek(frame.rtp_timestamp));
  if (has_jumped(media, now)) {
    ++stats_.jumps;
    begin_anew(now);
  }
  media = media_time(unwrapper_.unwrap(frame.rtp_timestamp));
  last_media_ = media;
  last_timestamp_ = frame.rtp_timestamp;
  profile_.add(now, now.time_since_epoch() - media);
  move_offset(now);
  if (!make_room(frame)) return;
  Entry& added = entry(count_++);
  bytes_ += frame.payload.size();
  added.frame = std::move(frame);
  added.media = media;
  added.fixed = kNever;
  added.is_late = !is_at_once() && Instant{} + media + offset_ < now;
}

// A full queue: its caller does not take. The oldest go, up to a frame from which decoding can begin.
bool VideoPlayout::make_room(const VideoFrame& frame) {
  if (count_ < kMaxFrames && bytes_ + frame.payload.size() <= kMaxFrameBytes) return true;
  size_t kept = count_;
  if (!frame.is_key) {
    while (kept > 0 && !entry(kept - 1).frame.is_key) --kept;
    kept = kept > 0 ? kept - 1 : 0;
    if (kept == 0) {
      waits_for_key_ = true;
      kept = count_;
    }
  }
  for (; kept > 0; --kept) drop_front();
  if (!waits_for_key_ && bytes_ + frame.payload.size() <= kMaxFrameBytes) return true;
  while (count_ > 0) drop_front();
  waits_for_key_ = true;
  ++stats_.frames_dropped;
  return false;
}

void VideoPlayout::drop_front() {
  bytes_ -= entry(0).frame.payload.size();
  entry(0).frame.payload = Bytes();
  head_ = (head_ + 1) % kMaxFrames;
  --count_;
  ++stats_.frames_dropped;
}

Duration VideoPlayout::own_delay() const {
  return bounded(profile_.spread() + lead_);
}

Duration VideoPlayout::bounded(Duration delay) const {
  if (delays_.min) delay = std::max(delay, *delays_.min);
  if (delays_.max) delay = std::min(delay, *delays_.max);
  return std::clamp(delay, Duration{}, kMaxDelay);
}

void VideoPlayout::move_offset(Instant now) {
  const Duration wanted = profile_.base() + target_delay();
  const Duration most = std::max(now - moved_, Duration{}) / kPace;
  moved_ = std::max(moved_, now);
  const Duration way = wanted - offset_;
  if (now < settled_at_ || way > kTooFar || way < -kTooFar) {
    offset_ = wanted;
  } else {
    offset_ += std::clamp(way, -most, most);
  }
}

Instant VideoPlayout::due(const Entry& entry) const {
  if (entry.fixed != kNever) return std::max(entry.fixed, last_render_);
  if (is_at_once()) return std::max(entry.frame.arrival, last_render_);
  return std::max({Instant{} + entry.media + offset_, entry.frame.arrival, last_render_});
}

Instant VideoPlayout::next_timeout() const {
  return count_ == 0 ? kNever : due(entry(0)) - lead_;
}

void VideoPlayout::take_due(Instant now, std::vector<DueFrame>& out) {
  if (!profile_.is_empty()) move_offset(now);
  while (next_timeout() <= now) {
    hand_out(now, entry(0), out.emplace_back());
    head_ = (head_ + 1) % kMaxFrames;
    --count_;
  }
}

void VideoPlayout::hand_out(Instant now, Entry& entry, DueFrame& out) {
  out.render_at = std::max(due(entry), now);
  out.is_late = entry.is_late;
  last_render_ = out.render_at;
  bytes_ -= entry.frame.payload.size();
  out.frame = std::move(entry.frame);
  stats_.jitter_buffer_delay += std::max(now - out.frame.first_packet, Duration{});
  stats_.jitter_buffer_target_delay += target_delay();
  stats_.jitter_buffer_minimum_delay += profile_.spread() + lead_;
  ++stats_.jitter_buffer_emitted_count;
  stats_.key_frames += out.frame.is_key ? 1 : 0;
  stats_.late_frames += out.is_late ? 1 : 0;
  rendered_.on_rendered(out.render_at);
}

void VideoPlayout::set_delays(const Delays& delays, Instant now) {
  delays_ = delays;
  settled_at_ = std::max(settled_at_, now + kSettling);
}

std::optional<PlayPoint> VideoPlayout::play_point() const {
  if (profile_.is_empty()) return std::nullopt;
  return PlayPoint{last_timestamp_, Instant{} + last_media_ + profile_.base() + own_delay(), own_delay()};
}

VideoPlayoutStats VideoPlayout::stats() const {
  VideoPlayoutStats stats = stats_;
  stats.render = rendered_.stats();
  return stats;
}

}  // namespace atm::playout

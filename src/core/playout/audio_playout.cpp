#include "core/playout/audio_playout.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace atm::playout {
namespace {

constexpr int64_t kClockRate = 48'000;     // RFC 7587 4.1
constexpr uint32_t kMinSamples = 120;      // RFC 6716 2.1.4: 2.5 ms
constexpr uint32_t kMaxSamples = 5'760;    // RFC 6716 3.2.5: 120 ms
constexpr uint32_t kSilenceSamples = 480;  // of a step of silence
constexpr uint32_t kConcealSamples = 960;  // most of a step of concealment
constexpr int64_t kFadeOut = 120 * 48;     // a concealment is silence after 120 ms
constexpr Duration kPullMargin = 10ms;     // a device asks every 10 ms: a packet may just miss its turn
constexpr Duration kInHand = 80ms;         // of what waits, this does not count against max_packets
constexpr Duration kPacket = 20ms;         // of max_packets
constexpr Duration kBand = 10ms;           // the delay may be so far off the target
constexpr Duration kEnough = 2ms;          // a stretch ends here
constexpr Duration kForced = 20ms;         // beyond half its length, a frame goes or comes even while somebody speaks
constexpr Duration kForcedInSync = 5ms;    // where the picture waits for it
constexpr Duration kTooLate = 200ms;       // beyond the target: packets are thrown away
constexpr double kFast = 1.1;              // 5 % are not heard, 10 % hardly, with the pitch kept
constexpr double kSlow = 0.9;
constexpr Duration kBeforeBase = 500ms;  // nothing is so much faster than the fastest
constexpr Duration kBehindBase = 10s;    // no way through the network takes so much longer
constexpr unsigned kLateInARow = 50;

Duration to_duration(int64_t samples) {
  return Duration(samples * 1'000'000 / kClockRate);
}

int64_t to_samples(Duration d) {
  return d.count() * kClockRate / 1'000'000;
}

}  // namespace

bool AudioPlayout::has_jumped(const AudioQueue::Entry& entry) const {
  if (profile_.is_empty() || entry.sequence <= sequences_.newest()) return false;
  const Duration behind = entry.packet.arrival.time_since_epoch() - to_duration(entry.timestamp) - profile_.base();
  return entry.timestamp < timestamps_.newest() || behind < -kBeforeBase || behind > kBehindBase;
}

void AudioPlayout::begin_anew() {
  ++stats_.jumps;
  stats_.packets_discarded += queue_.size();
  queue_.clear();
  profile_.reset();
  sequences_ = SequenceUnwrapper();
  timestamps_ = TimestampUnwrapper();
  late_in_a_row_ = 0;
  is_playing_ = false;
  is_silent_ = true;
  filled_ = 0;
  stretching_ = 0;
}

void AudioPlayout::push(AudioPacket packet) {
  if (packet.samples < kMinSamples || packet.samples > kMaxSamples) {
    ++stats_.packets_discarded;
    return;
  }
  AudioQueue::Entry entry{timestamps_.peek(packet.rtp_timestamp), sequences_.peek(packet.sequence), std::move(packet)};
  if (has_jumped(entry)) begin_anew();
  unwrap(entry);
  const Instant arrival = entry.packet.arrival;
  const Duration delay = arrival.time_since_epoch() - to_duration(entry.timestamp);
  // An old packet that comes again by RED or RTX, long after: nothing to learn from, and nothing to play.
  if (!profile_.is_empty() && (delay - profile_.base() > kBehindBase || delay - profile_.base() < -kBeforeBase)) {
    on_late();
    return;
  }
  profile_.add(arrival, delay);
  if (is_playing_ && entry.timestamp < next_) {
    on_late();
    return;
  }
  late_in_a_row_ = 0;
  if (queue_.is_full()) {
    queue_.drop_front();
    ++stats_.packets_discarded;
  }
  if (!queue_.insert(std::move(entry))) ++stats_.duplicates;
  trim();
}

void AudioPlayout::unwrap(AudioQueue::Entry& entry) {
  const bool is_newest = !timestamps_.started() || entry.sequence > sequences_.newest() || !sequences_.started();
  if (is_newest || entry.timestamp > timestamps_.newest()) newest_timestamp_ = entry.packet.rtp_timestamp;
  entry.timestamp = timestamps_.unwrap(entry.packet.rtp_timestamp);
  entry.sequence = sequences_.unwrap(entry.packet.sequence);
}

void AudioPlayout::on_late() {
  ++stats_.packets_discarded;
  if (++late_in_a_row_ >= kLateInARow) begin_anew();
}

void AudioPlayout::trim() {
  const Duration most = config_.max_packets == 0 ? kMaxDelay : static_cast<int64_t>(config_.max_packets) * kPacket;
  while (queue_.size() > 1 && to_duration(queue_.span()) > most + kInHand) {
    queue_.drop_front();
    ++stats_.packets_discarded;
    // What was thrown away is not missing: the next one goes on.
    if (is_playing_) next_ = std::max(next_, queue_.front().timestamp);
    last_sequence_ = queue_.front().sequence - 1;
  }
}

Duration AudioPlayout::own_delay() const {
  return bounded(profile_.spread() + kPullMargin);
}

Duration AudioPlayout::target_delay() const {
  return bounded(std::max(own_delay(), sync_delay_));
}

Duration AudioPlayout::bounded(Duration delay) const {
  if (config_.delays.min) delay = std::max(delay, *config_.delays.min);
  if (config_.delays.max) delay = std::min(delay, *config_.delays.max);
  if (config_.max_packets > 0) delay = std::min(delay, static_cast<int64_t>(config_.max_packets) * kPacket);
  return std::clamp(delay, Duration{}, kMaxDelay);
}

Duration AudioPlayout::delay_of(int64_t timestamp, Instant now) const {
  return now.time_since_epoch() - to_duration(timestamp) - profile_.base();
}

void AudioPlayout::pull(Instant now, AudioStep& out) {
  out = AudioStep{};
  throw_away_late(now);
  if (stand_in(now, out)) return;
  if (stretch(now, out)) return;
  play(now, out);
}

// After an outage: what is left is heard with the delay of before. The last one stays, whatever it is.
void AudioPlayout::throw_away_late(Instant now) {
  if (queue_.is_empty() || delay_of(queue_.front().timestamp, now) <= target_delay() + kTooLate) return;
  while (queue_.size() > 1 && delay_of(queue_.front().timestamp, now) > target_delay() + kBand) {
    last_sequence_ = queue_.front().sequence;
    next_ = queue_.front().end();
    is_playing_ = true;
    filled_ = 0;
    queue_.drop_front();
    ++stats_.packets_discarded;
  }
}

// What is heard while the next packet is not there, or while it waits for its time. False: it is to be played.
bool AudioPlayout::stand_in(Instant now, AudioStep& out) {
  const uint32_t piece = std::min(last_samples_, kConcealSamples);
  if (queue_.is_empty()) {
    if (is_silent_) {
      give_silence(out, kSilenceSamples, concealed_run_ > 0);
    } else {
      conceal(out, piece);
    }
    filled_ += out.samples;
    return true;
  }
  const AudioQueue::Entry& front = queue_.front();
  const Duration early = target_delay() - delay_of(front.timestamp, now);
  const int64_t hole = front.timestamp - next_ - filled_;
  const bool is_pause = is_playing_ && hole > 0 && front.sequence == last_sequence_ + 1;
  if (is_silent_ || is_pause) {
    const int64_t wait = to_samples(early);
    if (wait < kMinSamples) return false;
    give_silence(out, static_cast<uint32_t>(std::min<int64_t>(wait, kSilenceSamples)), concealed_run_ > 0);
    filled_ += out.samples;
    return true;
  }
  // A hole that need not be filled, since there is more delay than is wanted, is left out.
  if (hole <= 0 || early < -kBand) return false;
  const auto samples = static_cast<uint32_t>(std::min<int64_t>(hole, piece));
  if (front.packet.has_fec && hole <= front.packet.samples && samples == hole) {
    out = {AudioAction::kFec, samples, 1, {}, front.packet.payload};
    stats_.fec_samples += samples;
    stats_.total_samples_received += samples;
    concealed_run_ = 0;
  } else {
    conceal(out, samples);
  }
  next_ += samples;
  return true;
}

// A frame more or less, where the delay is not the target and nobody speaks.
bool AudioPlayout::stretch(Instant now, AudioStep& out) {
  const AudioQueue::Entry& front = queue_.front();
  const Duration off = delay_of(front.timestamp, now) - target_delay();
  const Duration length = to_duration(front.packet.samples);
  if (off > kBand) stretching_ = 1;
  if (off < -kBand) stretching_ = -1;
  if ((stretching_ > 0 && off < kEnough) || (stretching_ < 0 && off > -kEnough)) stretching_ = 0;
  if (stretching_ == 0) return false;
  const bool is_unheard = front.packet.is_quiet || front.packet.is_dtx;
  const Duration size = stretching_ > 0 ? off : -off;
  const Duration forced = length / 2 + (sync_delay_ > own_delay() ? kForcedInSync : kForced);
  const bool is_forced = !config_.can_stretch && size > forced;
  if (size < length / 2 + kEnough || !(is_unheard || is_forced)) return false;
  if (stretching_ < 0) {
    out.action = AudioAction::kInsert;
    out.samples = std::min(front.packet.samples, kConcealSamples);
    stats_.inserted_samples_for_deceleration += out.samples;
    stats_.total_samples_received += out.samples;
    return true;
  }
  if (queue_.size() < 2) return false;
  play(now, out);
  stats_.removed_samples_for_acceleration += out.samples;
  stats_.total_samples_received -= out.samples;
  out.action = AudioAction::kSkip;
  out.samples = 0;
  out.speed = 1;
  return true;
}

void AudioPlayout::play(Instant now, AudioStep& out) {
  AudioQueue::Entry entry = queue_.take_front();
  out.action = AudioAction::kPlay;
  out.samples = entry.packet.samples;
  if (config_.can_stretch && stretching_ != 0) out.speed = stretching_ > 0 ? kFast : kSlow;
  const auto heard = static_cast<uint32_t>(std::lround(out.samples / out.speed));
  if (heard > out.samples) stats_.inserted_samples_for_deceleration += heard - out.samples;
  if (heard < out.samples) stats_.removed_samples_for_acceleration += out.samples - heard;
  stats_.total_samples_received += out.samples;
  const int64_t samples = out.samples;
  stats_.jitter_buffer_delay += samples * std::max(now - entry.packet.arrival, Duration{});
  stats_.jitter_buffer_target_delay += samples * target_delay();
  stats_.jitter_buffer_minimum_delay += samples * (profile_.spread() + kPullMargin);
  stats_.jitter_buffer_emitted_count += out.samples;
  next_ = entry.end();
  last_sequence_ = entry.sequence;
  last_samples_ = out.samples;
  is_playing_ = true;
  is_silent_ = entry.packet.is_dtx;
  filled_ = 0;
  concealed_run_ = 0;
  out.packet = std::move(entry.packet);
}

void AudioPlayout::give_silence(AudioStep& out, uint32_t samples, bool is_concealed) {
  out.action = AudioAction::kSilence;
  out.samples = samples;
  if (!is_playing_) return;
  stats_.total_samples_received += samples;
  if (is_concealed) count_concealed(samples, true);
}

void AudioPlayout::conceal(AudioStep& out, uint32_t samples) {
  out.action = AudioAction::kConceal;
  out.samples = samples;
  stats_.total_samples_received += samples;
  count_concealed(samples, false);
  if (concealed_run_ >= kFadeOut) is_silent_ = true;
}

void AudioPlayout::count_concealed(uint32_t samples, bool is_silent) {
  if (concealed_run_ == 0) ++stats_.concealment_events;
  concealed_run_ += samples;
  stats_.concealed_samples += samples;
  if (is_silent) stats_.silent_concealed_samples += samples;
}

std::optional<PlayPoint> AudioPlayout::play_point() const {
  if (profile_.is_empty()) return std::nullopt;
  const Duration media = to_duration(timestamps_.newest());
  return PlayPoint{newest_timestamp_, Instant{} + media + profile_.base() + own_delay(), own_delay()};
}

}  // namespace atm::playout

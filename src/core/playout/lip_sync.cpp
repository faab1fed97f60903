#include "core/playout/lip_sync.h"

#include <algorithm>
#include <utility>

namespace atm::playout {
namespace {

constexpr Duration kStepEvery = 100ms;
constexpr Duration kStep = 10ms;
constexpr Duration kNewClock = 200ms;
constexpr Duration kMaxSkew = 2s;  // the largest delay of a latency mode

// RFC 5905 6: seconds in the upper 32 bits.
Duration from_ntp(uint64_t ntp) {
  const auto fraction = static_cast<int64_t>(((ntp & 0xFFFFFFFF) * 1'000'000) >> 32);
  return Duration(static_cast<int64_t>(ntp >> 32) * 1'000'000 + fraction);
}

}  // namespace

LipSync::Stream* LipSync::find(StreamId id) {
  return const_cast<Stream*>(std::as_const(*this).find(id));
}

const LipSync::Stream* LipSync::find(StreamId id) const {
  for (size_t i = 0; i < count_; ++i) {
    if (streams_[i].id == id) return &streams_[i];
  }
  return nullptr;
}

bool LipSync::set_stream(StreamId id, uint32_t clock_rate, std::string_view owner) {
  if (clock_rate == 0) return false;
  Stream* stream = find(id);
  if (!stream) {
    if (count_ == kMaxSyncedStreams) return false;
    stream = &streams_[count_++];
    *stream = Stream{};
    stream->id = id;
  }
  stream->clock_rate = clock_rate;
  stream->owner = owner;
  stream->report_count = 0;
  return true;
}

void LipSync::remove_stream(StreamId id) {
  Stream* stream = find(id);
  if (!stream) return;
  Stream& last = streams_[--count_];
  if (stream != &last) *stream = std::move(last);
  last = Stream{};
}

void LipSync::on_sender_report(StreamId id, const SenderClock& clock) {
  Stream* stream = find(id);
  if (!stream || clock.ntp == 0) return;  // RFC 3550 6.4.1: a sender without a clock says 0
  if (stream->report_count > 0) {
    const Duration off = from_ntp(clock.ntp) - captured(*stream, clock.rtp_timestamp);
    if (off > kNewClock || off < -kNewClock) stream->report_count = 0;
  }
  stream->reports[stream->next_report] = clock;
  stream->next_report = (stream->next_report + 1) % kReports;
  stream->report_count = std::min(stream->report_count + 1, kReports);
}

void LipSync::set_play_point(StreamId id, const std::optional<PlayPoint>& point) {
  if (Stream* stream = find(id)) stream->point = point;
}

Duration LipSync::captured(const Stream& stream, const SenderClock& clock, uint32_t rtp_timestamp) {
  const auto ticks = static_cast<int32_t>(rtp_timestamp - clock.rtp_timestamp);
  return from_ntp(clock.ntp) + Duration(int64_t{ticks} * 1'000'000 / stream.clock_rate);
}

// By the median of the reports; there has to be one.
Duration LipSync::captured(const Stream& stream, uint32_t rtp_timestamp) {
  std::array<Duration, kReports> times{};
  for (size_t i = 0; i < stream.report_count; ++i) {
    const size_t at = (stream.next_report + kReports - 1 - i) % kReports;
    times[i] = captured(stream, stream.reports[at], rtp_timestamp);
  }
  std::sort(times.begin(), times.begin() + static_cast<std::ptrdiff_t>(stream.report_count));
  return times[stream.report_count / 2];
}

std::optional<Duration> LipSync::latency(const Stream& stream) {
  if (stream.report_count == 0 || !stream.point) return std::nullopt;
  return stream.point->play_at.time_since_epoch() - captured(stream, stream.point->rtp_timestamp);
}

LipSync::Group LipSync::group_of(std::string_view owner) const {
  Group group;
  for (size_t i = 0; i < count_; ++i) {
    if (streams_[i].owner != owner) continue;
    ++group.streams;
    const auto took = latency(streams_[i]);
    if (!took) continue;
    ++group.known;
    group.fastest = std::min(group.fastest, *took);
    group.slowest = std::max(group.slowest, *took);
  }
  return group;
}

void LipSync::on_timeout(Instant now) {
  if (now < next_step_) return;
  next_step_ = now + kStepEvery;
  for (size_t i = 0; i < count_; ++i) step(streams_[i], group_of(streams_[i].owner));
}

void LipSync::step(Stream& stream, const Group& group) {
  Duration wanted{};
  if (!stream.owner.empty() && group.streams > 1) {
    if (group.known < 2 || !latency(stream)) return;  // after a switch: until the reports have come
    const Duration behind = group.slowest - *latency(stream);
    if (group.slowest - group.fastest <= kMaxSkew && behind > Duration{}) wanted = stream.point->delay + behind;
  }
  // Below the stream's own delay it changes nothing: there the way begins and ends.
  const Duration own = stream.point ? stream.point->delay : Duration{};
  if (wanted > Duration{}) stream.delay = std::max(stream.delay, std::min(wanted, own));
  stream.delay += std::clamp(wanted - stream.delay, -kStep, kStep);
  if (wanted == Duration{} && stream.delay <= own) stream.delay = {};
}

Duration LipSync::delay(StreamId id) const {
  const Stream* stream = find(id);
  return stream ? stream->delay : Duration{};
}

std::optional<Duration> LipSync::skew(std::string_view owner) const {
  const Group group = group_of(owner);
  if (group.known < 2) return std::nullopt;
  return group.slowest - group.fastest;
}

}  // namespace atm::playout

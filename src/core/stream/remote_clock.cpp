#include "core/stream/remote_clock.h"

namespace atm::stream {
namespace {

constexpr int64_t kElapsedPerMove = 1'000;  // 1 ms a second

// RFC 5905 6: seconds in the upper 32 bits.
Duration since_1900(uint64_t ntp) {
  const auto fraction = static_cast<int64_t>(((ntp & 0xFFFFFFFF) * 1'000'000) >> 32);
  return Duration(static_cast<int64_t>(ntp >> 32) * 1'000'000 + fraction);
}

}  // namespace

void RemoteClock::begin(Instant arrived, Duration sample) {
  begun_at_ = moved_at_ = window_begun_ = arrived;
  offset_ = least_ = least_before_ = sample;
}

void RemoteClock::on_report(Instant arrived, uint64_t ntp) {
  if (ntp == 0) return;
  const Duration sample = arrived.time_since_epoch() - since_1900(ntp);
  if (!begun_at_ || sample < offset_at(arrived) - kNewClock) return begin(arrived, sample);
  offset_ = offset_at(arrived);
  moved_at_ = arrived;
  if (arrived - window_begun_ >= kWindow) {
    window_begun_ = arrived;
    least_before_ = least_;
    least_ = sample;
  } else {
    least_ = std::min(least_, sample);
  }
  if (target() > offset_ + kNewClock) return begin(arrived, target());
  if (arrived - *begun_at_ < kSettling) offset_ = std::min(offset_, target());
}

void RemoteClock::on_arrival(Instant now, Instant captured_at) {
  const Duration early = captured_at - now;
  if (early <= Duration{} || early > kNewClock || !begun_at_ || now - *begun_at_ >= kSettling) return;
  offset_ = offset_at(now) - early;
  moved_at_ = now;
}

Duration RemoteClock::offset_at(Instant now) const {
  const Duration most = std::max<Duration>((now - moved_at_) / kElapsedPerMove, Duration{});
  return offset_ + std::clamp(target() - offset_, -most, most);
}

std::optional<Instant> RemoteClock::to_local(Instant now, uint64_t ntp, Duration after) const {
  if (!begun_at_ || ntp == 0) return std::nullopt;
  const Instant local{since_1900(ntp) + after + offset_at(now)};
  if (std::chrono::abs(local - now) > kBelievedAge) return std::nullopt;
  return local;
}

}  // namespace atm::stream

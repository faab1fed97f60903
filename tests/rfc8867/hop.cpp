#include "hop.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace atm::rfc8867 {
namespace {

Duration seconds(double s) {
  return Duration(static_cast<int64_t>(s * 1e6));
}

}  // namespace

double uniform(SeededRng& rng) {
  return (static_cast<double>(rng.next() >> 11) + 0.5) / static_cast<double>(uint64_t{1} << 53);
}

double gaussian(SeededRng& rng) {
  return std::sqrt(-2 * std::log(uniform(rng))) * std::cos(2 * std::numbers::pi * uniform(rng));
}

size_t Capacity::index(Duration at) const {
  const auto after =
      std::upper_bound(steps_.begin(), steps_.end(), at, [](Duration t, const Step& step) { return t < step.at; });
  return after == steps_.begin() ? 0 : static_cast<size_t>(after - steps_.begin()) - 1;
}

Duration Capacity::finish(Duration begin, double bits) const {
  size_t i = index(begin);
  for (; i + 1 < steps_.size(); ++i) {
    const Duration end = steps_[i + 1].at;
    const double fit = static_cast<double>(steps_[i].bps) * static_cast<double>((end - begin).count()) / 1e6;
    if (fit >= bits) break;
    bits -= fit;
    begin = end;
  }
  return begin + seconds(bits / static_cast<double>(std::max<uint64_t>(steps_[i].bps, 1)));
}

uint64_t Wifi::saturated_bps() const {
  const double turn = static_cast<double>(longest_turn.count());
  return static_cast<uint64_t>(static_cast<double>(phy_bps) * turn /
                               (turn + static_cast<double>((least_wait + mean_more).count())));
}

Duration Hop::jitter() {
  if (config_.jitter_sd == Duration(0)) return {};
  const double deviations = std::min(std::fabs(gaussian(rng_)), kMostDeviations);
  return Duration(static_cast<int64_t>(deviations * static_cast<double>(config_.jitter_sd.count())));
}

void Hop::leave(Instant at, Packet&& packet) {
  if (last_.size() <= packet.flow) last_.resize(packet.flow + 1);
  const Instant out = std::max(at + packet.delay + jitter(), last_[packet.flow]);
  last_[packet.flow] = out;
  packet.delay = {};  // the first hop has spent it
  leaving_.emplace(std::pair(out, order_++), std::move(packet));
}

// Of the Wi-Fi station.
Duration Hop::backlog(Instant now) const {
  return seconds(static_cast<double>(waiting_bytes_) * 8 / static_cast<double>(config_.wifi.saturated_bps())) +
         std::max(free_at_ - now, Duration(0));
}

bool Hop::put(Instant now, Packet&& packet) {
  if (config_.wifi.phy_bps > 0) {
    if (backlog(now) > config_.queue) return false;
    waiting_bytes_ += packet.size;
    waiting_.push_back(std::move(packet));
    came_.push_back(now);
    if (turn_at_ == kNever) {
      const double more = -std::log(uniform(rng_)) * static_cast<double>(config_.wifi.mean_more.count()) / 1e6;
      turn_at_ = std::max(now, free_at_) + config_.wifi.least_wait + seconds(more);
    }
    return true;
  }
  const Instant begins = std::max(now, free_at_);
  if (begins - now > config_.queue) return false;
  free_at_ = origin_ + config_.capacity.finish(begins - origin_, static_cast<double>(packet.size) * 8);
  packet.waited += begins - now;
  leave(free_at_, std::move(packet));
  return true;
}

void Hop::end_turn() {
  const Wifi& wifi = config_.wifi;
  const double most = static_cast<double>(wifi.phy_bps) * static_cast<double>(wifi.longest_turn.count()) / 8e6;
  size_t count = 0;
  size_t bytes = 0;
  while (count < waiting_.size() && (count == 0 || static_cast<double>(bytes + waiting_[count].size) <= most)) {
    bytes += waiting_[count++].size;
  }
  free_at_ = turn_at_ + seconds(static_cast<double>(bytes) * 8 / static_cast<double>(wifi.phy_bps));
  for (size_t i = 0; i < count; ++i) {
    waiting_[i].waited += turn_at_ - came_[i];
    leave(free_at_, std::move(waiting_[i]));
  }
  waiting_.erase(waiting_.begin(), waiting_.begin() + static_cast<std::ptrdiff_t>(count));
  came_.erase(came_.begin(), came_.begin() + static_cast<std::ptrdiff_t>(count));
  waiting_bytes_ -= bytes;
  turn_at_ = kNever;
  if (waiting_.empty()) return;
  const double more = -std::log(uniform(rng_)) * static_cast<double>(wifi.mean_more.count()) / 1e6;
  turn_at_ = free_at_ + wifi.least_wait + seconds(more);
}

Instant Hop::next_event() const {
  return std::min(turn_at_, leaving_.empty() ? kNever : leaving_.begin()->first.first);
}

void Hop::take(Instant now, std::vector<Packet>& out) {
  while (turn_at_ <= now) end_turn();
  while (!leaving_.empty() && leaving_.begin()->first.first <= now) {
    out.push_back(std::move(leaving_.begin()->second));
    leaving_.erase(leaving_.begin());
  }
}

}  // namespace atm::rfc8867

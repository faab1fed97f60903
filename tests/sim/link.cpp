#include "link.h"

#include <algorithm>

namespace atm::sim {

std::optional<Instant> Link::carry(Instant now, size_t bytes) {
  ++sent_;
  if (is_lost()) {
    ++lost_;
    return std::nullopt;
  }
  Instant leaves = now;
  if (config_.rate_bps > 0) {
    if (waiting(now) > config_.queue) {
      ++lost_;
      ++overflow_;
      return std::nullopt;
    }
    // A full bucket is a bottleneck that has been free for as long as its burst takes.
    free_at_ = std::max(now - takes(config_.burst), free_at_) + takes(bytes + kHeaderBytes);
    leaves = std::max(now, free_at_);
  }
  leaves += jitter();
  if (chance(config_.reordering)) leaves += config_.held_back;
  return leaves + config_.delay;
}

Duration Link::takes(size_t bytes) const {
  const double bits = static_cast<double>(bytes * 8);
  return Duration{
      static_cast<int64_t>(bits * static_cast<double>(Duration(1s).count()) / static_cast<double>(config_.rate_bps))};
}

bool Link::is_lost() {
  if (config_.burst_begin > 0) {
    is_in_burst_ = is_in_burst_ ? !chance(config_.burst_end) : chance(config_.burst_begin);
    if (is_in_burst_) return chance(config_.burst_loss);
  }
  return chance(config_.loss);
}

Duration Link::jitter() {
  return Duration{config_.jitter.count() == 0 ? 0 : rng_.below(static_cast<uint32_t>(config_.jitter.count()))};
}

}  // namespace atm::sim

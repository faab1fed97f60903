// One direction of a network path in virtual time: delay, jitter, random loss, duplication. Seeded, so the same seed
// gives the same fate to the same datagrams. For tests/sim World.
#pragma once

#include <optional>

#include "base/rng.h"
#include "base/time.h"

namespace atm0s::sim {

struct LinkConfig {
  Duration delay = 30ms;  // one way
  Duration jitter = 5ms;  // uniform on top; reorders
  double loss = 0.0;      // 0 to 1
  double duplication = 0.0;
};

class Link {
 public:
  Link(LinkConfig config, uint64_t seed) : config_(config), rng_(seed) {}

  // When a datagram that is sent now arrives; nothing: it is lost.
  std::optional<Instant> carry(Instant now) {
    ++sent_;
    if (chance(config_.loss)) {
      ++lost_;
      return std::nullopt;
    }
    const Duration jitter{config_.jitter.count() == 0 ? 0 : rng_.below(static_cast<uint32_t>(config_.jitter.count()))};
    return now + config_.delay + jitter;
  }
  bool duplicates() { return chance(config_.duplication); }
  void set_config(LinkConfig config) { config_ = config; }
  uint64_t sent() const { return sent_; }
  uint64_t lost() const { return lost_; }

 private:
  bool chance(double p) { return p > 0 && rng_.below(1'000'000) < p * 1'000'000; }

  LinkConfig config_;
  SeededRng rng_;
  uint64_t sent_ = 0;
  uint64_t lost_ = 0;
};

}  // namespace atm0s::sim

// One direction of a network path in virtual time: delay, jitter, loss (random and in bursts), reordering, duplication,
// and a bottleneck with a bounded queue. Seeded, so the same seed gives the same fate to the same datagrams; what is
// not configured draws nothing, so one feature more changes no fate of a link that does not use it. For tests/sim
// World.
#pragma once

#include <optional>

#include "base/rng.h"
#include "base/time.h"

namespace atm::sim {

struct LinkConfig {
  Duration delay = 30ms;  // one way
  Duration jitter = 5ms;  // uniform on top; reorders what is closer together
  double loss = 0.0;      // 0 to 1; between bursts
  double duplication = 0.0;
  // Bursts of loss, as the two states of Gilbert and Elliott: each datagram may begin a burst and each may end it.
  // Burst lengths are geometric, 1 / burst_end datagrams on average.
  double burst_begin = 0.0;
  double burst_end = 0.25;
  double burst_loss = 1.0;  // within one
  // So many are held back, whatever the jitter.
  double reordering = 0.0;
  Duration held_back = 20ms;
  // What goes through in a second; 0: all. Datagrams that would wait for longer than the queue is are dropped
  // (drop-tail).
  uint64_t rate_bps = 0;
  Duration queue = 100ms;
  // What the bottleneck lets pass at once after a rest: the burst of a token bucket, in bytes.
  size_t burst = 0;
};

class Link {
 public:
  // Of IPv4 and UDP; they take their share of the rate.
  static constexpr size_t kHeaderBytes = 28;

  Link(LinkConfig config, uint64_t seed) : config_(config), rng_(seed) {}

  // When a datagram of `bytes` that is sent now arrives; nothing: it is lost.
  std::optional<Instant> carry(Instant now, size_t bytes);
  bool duplicates() { return chance(config_.duplication); }
  // From the next datagram on; what waits in the queue keeps its time.
  void set_config(LinkConfig config) { config_ = config; }
  const LinkConfig& config() const { return config_; }
  uint64_t sent() const { return sent_; }
  uint64_t lost() const { return lost_; }               // all
  uint64_t lost_in_queue() const { return overflow_; }  // of these, dropped by a full queue
  // How long a datagram that is sent now would wait.
  Duration waiting(Instant now) const { return free_at_ > now ? free_at_ - now : 0ms; }

 private:
  bool chance(double p) { return p > 0 && rng_.below(1'000'000) < p * 1'000'000; }
  bool is_lost();
  Duration takes(size_t bytes) const;  // at the rate
  Duration jitter();

  LinkConfig config_;
  SeededRng rng_;
  Instant free_at_{};  // when the bottleneck has sent what it has
  bool is_in_burst_ = false;
  uint64_t sent_ = 0;
  uint64_t lost_ = 0;
  uint64_t overflow_ = 0;
};

}  // namespace atm::sim

// For tests only: two ends and the packets between them in virtual time, with seeded loss, duplication and jitter
// (which reorders). An end is anything with on_packet, on_timeout, next_timeout and an output with `packets`.
// Ends' events stay in their outputs for the test to read. Does not pace: packets take delay plus jitter, no more.
#pragma once

#include <array>
#include <functional>
#include <map>

#include "base/bytes.h"
#include "base/rng.h"
#include "base/time.h"
#include "wire/sctp/crc32c.h"

namespace atm::sctp {

struct LinkConfig {
  double loss = 0;
  double duplication = 0;
  Duration delay = 20ms;
  Duration jitter = Duration::zero();
};

template <typename A, typename B, typename OutputA, typename OutputB>
class LossyLink {
 public:
  LossyLink(A& a, B& b, const LinkConfig& config, uint64_t seed) : a_(a), b_(b), config_(config), rng_(seed) {}

  Now now() const { return now_; }
  OutputA& out_a() { return out_a_; }
  OutputB& out_b() { return out_b_; }
  uint32_t trace_hash() const { return trace_; }
  size_t delivered() const { return delivered_; }
  void set(const LinkConfig& config) { config_ = config; }
  // Sees each packet before the link does; false drops it.
  std::function<bool(bool from_a, Bytes& packet)> filter;

  // Takes what the ends have put into their outputs. Called by run(); by tests after calls of their own.
  void collect() {
    for (Bytes& packet : out_a_.packets) transmit(true, std::move(packet));
    for (Bytes& packet : out_b_.packets) transmit(false, std::move(packet));
    out_a_.packets.clear();
    out_b_.packets.clear();
  }

  // Until `done` says so (true), or nothing is left to happen before `limit` from now (false).
  template <typename Done>
  bool run(Duration limit, Done done) {
    const Instant end = now_.mono + limit;
    collect();
    while (!done()) {
      const Instant packet_at = flying_.empty() ? kNever : flying_.begin()->first;
      const Instant next = std::min({packet_at, a_.next_timeout(), b_.next_timeout()});
      if (next > end) {
        advance_to(end);
        return false;
      }
      advance_to(next);
      if (packet_at <= now_.mono) {
        const Flying packet = std::move(flying_.begin()->second);
        flying_.erase(flying_.begin());
        ++delivered_;
        if (packet.to_a) {
          a_.on_packet(now_, packet.bytes, out_a_);
        } else {
          b_.on_packet(now_, packet.bytes, out_b_);
        }
      }
      if (a_.next_timeout() <= now_.mono) a_.on_timeout(now_, out_a_);
      if (b_.next_timeout() <= now_.mono) b_.on_timeout(now_, out_b_);
      collect();
    }
    return true;
  }
  void run_for(Duration time) {
    run(time, [] { return false; });
  }

 private:
  struct Flying {
    bool to_a;
    Bytes bytes;
  };

  void advance_to(Instant instant) {
    if (instant <= now_.mono) return;
    now_.wall += instant - now_.mono;
    now_.mono = instant;
  }
  bool chance(double probability) { return rng_.below(1'000'000) < probability * 1'000'000; }
  void transmit(bool from_a, Bytes packet) {
    trace_ = crc32c(packet, trace_ ^ static_cast<uint32_t>(now_.mono.time_since_epoch().count()));
    if (filter && !filter(from_a, packet)) return;
    if (chance(config_.loss)) return;
    const int copies = chance(config_.duplication) ? 2 : 1;
    for (int i = 0; i < copies; ++i) {
      const int64_t jitter = to_us(config_.jitter);
      const Duration extra{jitter > 0 ? rng_.below(static_cast<uint32_t>(jitter)) : 0};
      flying_.emplace(now_.mono + config_.delay + extra, Flying{!from_a, packet});
    }
  }

  A& a_;
  B& b_;
  LinkConfig config_;
  SeededRng rng_;
  OutputA out_a_;
  OutputB out_b_;
  Now now_{Instant(1s), WallTime(1'700'000'000s)};
  std::multimap<Instant, Flying> flying_;
  uint32_t trace_ = 0;
  size_t delivered_ = 0;
};

}  // namespace atm::sctp

// One hop of a network path, the same in virtual and in real time: a rate that changes by a schedule or the turns of a
// Wi-Fi medium, a drop-tail queue bounded in time, a delay and its variation. For Path.
// Nothing is lost but by the queue. What a hop has taken it gives back at the time it would have arrived.
#pragma once

#include <cstdint>
#include <map>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "base/rng.h"
#include "base/time.h"

namespace atm::rfc8867 {

// bit/s over time, from the beginning of the case on; the last step lasts for ever.
class Capacity {
 public:
  struct Step {
    Duration at;
    uint64_t bps;
  };
  Capacity(uint64_t bps) : steps_{{Duration{}, bps}} {}            // NOLINT: a constant is a schedule
  Capacity(std::vector<Step> steps) : steps_(std::move(steps)) {}  // NOLINT
  uint64_t bps(Duration at) const { return steps_[index(at)].bps; }
  // When so many bits, begun at `begin`, have gone through.
  Duration finish(Duration begin, double bits) const;
  const std::vector<Step>& steps() const { return steps_; }

 private:
  size_t index(Duration at) const;
  std::vector<Step> steps_;
};

// The turns that a station gets in a busy cell: it waits for one, and then sends what has gathered in one go (A-MPDU).
struct Wifi {
  uint64_t phy_bps = 0;         // 0: no Wi-Fi
  Duration least_wait = 300us;  // interframe space, backoff of an idle medium, preamble, block ack
  Duration mean_more = 2ms;     // while others send; exponential
  Duration longest_turn = 5ms;

  // Of a station that always has something to send.
  uint64_t saturated_bps() const;
};

struct HopConfig {
  Capacity capacity = 1'000'000'000;
  Duration queue = 300ms;    // what would wait longer is dropped
  Duration jitter_sd = 0ms;  // RFC 8868 4.5: one-sided Gaussian, cut off at kMostDeviations, without reordering
  Wifi wifi;
};

enum class Kind : uint8_t { kMedia, kTcp, kTcpAck, kFill };

struct Packet {
  size_t flow = 0;
  Kind kind = Kind::kMedia;
  bool is_forward = true;
  size_t size = 0;   // with IP and UDP or TCP headers
  Duration delay{};  // of the path, one way
  Instant sent{};
  Duration waited{};       // in queues, so far
  int64_t number = 0;      // kTcp, kTcpAck: the segment
  int64_t cumulative = 0;  // kTcpAck
  Bytes bytes;
};

class Hop {
 public:
  static constexpr double kMostDeviations = 3;

  Hop(const HopConfig& config, Instant origin, uint64_t seed) : config_(config), origin_(origin), rng_(seed) {}

  // False: the queue was full.
  bool put(Instant now, Packet&& packet);
  Instant next_event() const;
  // All that has come out by now, in order.
  void take(Instant now, std::vector<Packet>& out);
  const HopConfig& config() const { return config_; }

 private:
  void leave(Instant at, Packet&& packet);
  void end_turn();
  Duration jitter();
  Duration backlog(Instant now) const;

  HopConfig config_;
  Instant origin_;
  SeededRng rng_;
  Instant free_at_{};
  std::map<std::pair<Instant, uint64_t>, Packet> leaving_;
  uint64_t order_ = 0;
  std::vector<Instant> last_;  // out, of each flow
  // Wi-Fi: what waits for the turn that begins at turn_at_.
  std::vector<Packet> waiting_;
  std::vector<Instant> came_;
  size_t waiting_bytes_ = 0;
  Instant turn_at_ = kNever;
};

// Uniform in (0, 1).
double uniform(SeededRng& rng);
double gaussian(SeededRng& rng);

}  // namespace atm::rfc8867

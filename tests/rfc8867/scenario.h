// The cases of RFC 8867, and those of RFC 8869 that a simulated link can stand for. For tests/rfc8867.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/time.h"
#include "hop.h"
#include "tcp.h"

namespace atm::rfc8867 {

struct MediaConfig {
  Duration start{};
  bool is_forward = true;
  Duration delay = 50ms;  // of the path, one way
  // Nothing is sent in between.
  Duration pause = Duration::max();
  Duration resume = Duration::max();

  bool is_active(Duration at) const { return at >= start && !(at >= pause && at < resume); }
};

// A sender that does not adapt: UDP at a constant rate.
struct FillConfig {
  Duration start{};
  Duration stop{};
  bool is_forward = true;
  uint64_t bps = 0;
};

struct Scenario {
  std::string id;  // RFC, section
  std::string title;
  Duration length{};
  std::vector<HopConfig> forward, backward;
  std::vector<MediaConfig> media;
  std::vector<TcpConfig> tcp;
  std::vector<FillConfig> fill;
  // From here on the flows are the same and have had time: what Jain's index is of. None: one flow each way.
  std::optional<Duration> fair_from;
  bool is_alone = false;          // one flow: 85 % use is aimed at
  bool changes_in_steps = false;  // the time to follow each drop is taken

  // What the narrowest hop of that direction carries.
  double capacity(bool is_forward, Duration at) const;
  // Of one media flow: an equal share of what is left by what does not adapt, or what a camera makes at most.
  double fair_share(bool is_forward, Duration at, size_t active_tcp) const;
};

std::vector<Scenario> scenarios();

}  // namespace atm::rfc8867

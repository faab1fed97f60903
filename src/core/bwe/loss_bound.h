// The rate that loss allows when the delay says nothing (policers, short queues), without taking for congestion what a
// way always loses. For core/bwe/controller.
// draft-ietf-rmcat-gcc-02 6 cuts by half the loss above 10 %. Here the loss that remains whatever is sent (the least of
// the last seconds, in the spirit of libwebrtc's LossBasedBweV2 and its inherent loss) is taken off first: 5 % of
// random loss bounds nothing.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "base/time.h"

namespace atm::bwe {

class LossBound {
 public:
  // Packets that feedback told of. `bps`: the target as it is; `rtt` is waited for between two cuts. A packet told lost
  // that came after all is taken back with `lost` -1 and `total` 0. `carried`: a queue of ours stands, and that comes
  // out of it; a full one loses, but its delay no longer grows, and the trend line cannot see it.
  void add(Instant now, int64_t lost, int64_t total, uint64_t bps, Duration rtt, std::optional<uint64_t> carried);
  // A probe got through at that rate: what was lost beside it is not for want of room.
  void on_probe(uint64_t bps) {
    if (bound_) bound_ = std::max(*bound_, bps);
  }
  // None: loss bounds nothing.
  std::optional<uint64_t> bps() const { return bound_; }
  double loss() const { return loss_; }

 private:
  void judge(Instant now, uint64_t bps, Duration rtt, std::optional<uint64_t> carried);
  double inherent() const;

  static constexpr size_t kWindows = 10;
  std::array<double, kWindows> recent_{};
  size_t windows_ = 0;
  int64_t lost_ = 0;
  int64_t total_ = 0;
  double loss_ = 0;
  Instant window_began_{};
  bool started_ = false;
  std::optional<uint64_t> bound_;
  Instant cut_at_{};
  bool is_of_queue_ = false;  // the last cut was
};

}  // namespace atm::bwe

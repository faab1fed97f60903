// How one stream's packets or frames come in: the fastest way of the last ten seconds and how much later than that 95 %
// of them are. For VideoPlayout and AudioPlayout. Told of each arrival minus its media time; no clock of its own, no
// allocation.
//
// The fastest way is a windowed minimum: the media clock of the sender may drift (+-200 ppm is 2 ms in the window), so
// the drift needs no estimate of its own, other than in libwebrtc's TimestampExtrapolator, which draws a line through
// all delays. What is above is a histogram that forgets, as the DelayManager of libwebrtc's NetEq, in steps of 5 ms
// instead of 20 ms; it is moved along when the fastest way changes, so that a change of route is not counted twice.
//
// It does not learn from an outage: after more than half a second without anything, what was queued on the way comes in
// a burst and says nothing about tomorrow. Nor from what is more than a second late: nobody waits that long for a rare
// one.
#pragma once

#include <array>
#include <cstddef>

#include "base/time.h"

namespace atm::playout {

class DelayProfile {
 public:
  // `delay`: arrival minus media time; their zeros do not matter.
  void add(Instant arrival, Duration delay);

  bool is_empty() const { return !started_; }
  Duration base() const { return base_; }      // of the fastest
  Duration spread() const { return spread_; }  // 95 % come within this after the fastest would have
  void reset() { *this = DelayProfile(); }

 private:
  static constexpr size_t kBuckets = 10;
  static constexpr size_t kBins = 200;

  void add_to_window(Instant arrival, Duration delay);
  bool is_catching_up(Instant arrival, Duration delay);
  void follow_base();
  void shift_up(size_t bins);
  void shift_down(size_t bins);
  void measure();

  std::array<Duration, kBuckets> least_{};  // of a second each; the current one at at_
  size_t at_ = 0;
  size_t buckets_ = 0;
  Instant bucket_began_{};
  Duration base_{};

  std::array<double, kBins> bins_{};
  Duration origin_{};  // delay at the lower edge of the first bin
  Duration spread_{};

  Instant last_arrival_{};
  Instant catching_up_until_{};
  bool started_ = false;
};

}  // namespace atm::playout

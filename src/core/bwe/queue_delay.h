// How long packets wait on the way beyond what they must: the one-way delay over its least of the last minute. And
// whether others keep that queue full: a queue that stays although we send less than arrives is not ours.
// For core/bwe/controller. Clocks of sender and receiver differ by a constant here; their drift in kLife is below 2 ms.
// The least delay in two halves of time, as RFC 6817 4.2 (LEDBAT) keeps its base.
#pragma once

#include <algorithm>
#include <utility>

#include "base/time.h"

namespace atm::bwe {

class QueueDelay {
 public:
  // The least of the packets of one feedback: receiver's time less sender's.
  void add(Instant now, Duration one_way) {
    if (now - began_ > kLife && !competes_) {
      previous_least_ = least_;
      least_ = Duration::max();
      began_ = now;
    }
    const bool is_lower = one_way + kJitter < std::min(least_, previous_least_);
    least_ = std::min(least_, one_way);
    delay_ = one_way - std::min(least_, previous_least_);
    if (is_lower || delay_ >= kEmpty) empty_since_ = now;
    watch(now);
  }
  Duration delay() const { return delay_; }
  // Somebody who does not mind delay (TCP) fills the queue.
  bool competes() const { return competes_; }

 private:
  static constexpr Duration kLife = 20s;
  // A queue of ours is gone in the time of two windows, as the controller lets it drain.
  static constexpr Duration kWindow = 3s;
  static constexpr Duration kStands = 40ms;  // at least, all the time
  // TCP's queue may be empty for a moment only, and where it was never shorter nobody knows what empty is.
  static constexpr Duration kEmpty = 15ms;
  static constexpr Duration kStaysEmpty = 500ms;
  static constexpr Duration kJitter = 3ms;
  // TCP's queue moves; a longer way that the packets have got meanwhile does not.
  static constexpr Duration kMoves = 20ms;
  static constexpr Duration kStill = 10ms;

  void watch(Instant now) {
    if (now - window_began_ >= kWindow) {
      previous_ = std::exchange(current_, {});
      window_began_ = now;
      windows_ = std::min(windows_ + 1, 2);
    }
    current_.low = std::min(current_.low, delay_);
    current_.high = std::max(current_.high, delay_);
    const Duration moves = std::max(current_.high, previous_.high) - std::min(current_.low, previous_.low);
    if (!competes_) {
      competes_ = windows_ == 2 && std::min(current_.low, previous_.low) >= kStands && moves >= kMoves;
    } else if (now - empty_since_ >= kStaysEmpty || moves < kStill) {
      competes_ = false;
      windows_ = 0;
    }
  }

  struct Window {
    Duration low = Duration::max();
    Duration high{};
  };
  Duration least_ = Duration::max();
  Duration previous_least_ = Duration::max();
  Instant began_{};
  Duration delay_{};
  Window current_, previous_;
  Instant window_began_{};
  Instant empty_since_{};
  int windows_ = 0;  // that are over
  bool competes_ = false;
};

}  // namespace atm::bwe

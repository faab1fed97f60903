// When to ask a publisher for a key frame: at once for the first viewer that wants one, again until one comes, and not
// more often than the throttle, so that a hundred viewers cost one request. One per published video stream.
#pragma once

#include "base/time.h"

namespace atm::sender {

class KeyFrameAsk {
 public:
  // A key frame costs a publisher several times an ordinary frame: at most two requests a second.
  static constexpr Duration kThrottle = 500ms;
  // A request or the key frame itself can be lost; the publisher gets this long before it is asked again.
  static constexpr Duration kRetry = 500ms;

  // Somebody cannot show a picture before the next key frame.
  void want(Instant now);
  void on_key_frame() { wanted_ = false; }
  // Nobody waits any more.
  void cancel() { wanted_ = false; }
  bool is_wanted() const { return wanted_; }

  Instant next_timeout() const { return wanted_ ? due_ : kNever; }
  // True when the request must be sent now.
  bool take_due(Instant now);

 private:
  bool wanted_ = false;
  bool asked_before_ = false;
  Instant last_asked_{};
  Instant due_{};
};

}  // namespace atm::sender

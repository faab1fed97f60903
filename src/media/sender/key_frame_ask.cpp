#include "media/sender/key_frame_ask.h"

#include <algorithm>

namespace atm::sender {

void KeyFrameAsk::want(Instant now) {
  if (wanted_) return;
  wanted_ = true;
  due_ = asked_before_ ? std::max(now, last_asked_ + kThrottle) : now;
}

bool KeyFrameAsk::take_due(Instant now) {
  if (!wanted_ || now < due_) return false;
  asked_before_ = true;
  last_asked_ = now;
  due_ = now + kRetry;
  return true;
}

}  // namespace atm::sender

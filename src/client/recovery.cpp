#include "client/recovery.h"

#include <algorithm>

namespace atm::client {

bool is_final(ErrorCode code) {
  switch (code) {
    case ErrorCode::kInvalidToken:
    case ErrorCode::kForbidden:
    case ErrorCode::kInvalidRequest:
    case ErrorCode::kInvalidSdp:
    case ErrorCode::kUnsupportedSdp:
    case ErrorCode::kNotSupported:
    case ErrorCode::kDuplicatePeer:
    case ErrorCode::kTooLarge:
      return true;
    default:
      return false;
  }
}

void Recovery::start(Now now, Way way, Duration wait) {
  if (is_running_) {
    if (way == Way::kConnect && way_ == Way::kRestart) {
      way_ = way;
      is_trying_ = false;  // the restart under way is of a connection that is gone
      due_ = now.mono;
    }
    return;
  }
  is_running_ = true;
  is_trying_ = false;
  way_ = way;
  started_at_ = now.mono;
  wait_ = options_.first_wait;
  due_ = now.mono + wait;
}

void Recovery::nudge(Now now) {
  if (is_running_ && !is_trying_) due_ = now.mono;
}

bool Recovery::take_due(Now now) {
  if (!is_running_ || now.mono < due_) return false;
  due_ = kNever;
  is_trying_ = true;
  return true;
}

Recovery::Verdict Recovery::failed(Now now, bool is_unreached, bool is_refused_for_good) {
  is_trying_ = false;
  const Duration took = now.mono - started_at_;
  if ((way_ == Way::kConnect && is_refused_for_good) || took >= options_.give_up_after) {
    stop();
    return Verdict::kGiveUp;
  }
  if (way_ == Way::kRestart && !(is_unreached && took < kRestartFor)) {
    way_ = Way::kConnect;  // without a wait
    due_ = now.mono;
    return Verdict::kTryAgain;
  }
  // A part of each wait is left to chance, so that not all of a room come at once.
  constexpr int64_t kSpreadPercent = 30;
  const auto cut = static_cast<int64_t>(rng_.below(static_cast<uint32_t>(kSpreadPercent + 1)));
  due_ = now.mono + wait_ * (100 - cut) / 100;
  wait_ = std::min(wait_ * 2, options_.longest_wait);
  return Verdict::kTryAgain;
}

}  // namespace atm::client

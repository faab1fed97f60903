// Which session is due next. A heap of (instant, session) with lazy removal: arming a later deadline costs nothing (the
// old entry comes up, finds nothing due and is armed anew), so that forwarding a packet never touches it. Arming an
// earlier one leaves the old entry behind: whoever pops compares it with what it armed last, and drops a stale one.
#pragma once

#include <functional>
#include <queue>
#include <utility>
#include <vector>

#include "base/time.h"
#include "media/sender/source.h"

namespace atm::node {

using sender::SessionId;

class Deadlines {
 public:
  void arm(Instant due, SessionId id) { heap_.emplace(due, id); }
  Instant next() const { return heap_.empty() ? kNever : heap_.top().first; }
  using Entry = std::pair<Instant, SessionId>;
  // The earliest entry; only when next() is not kNever.
  Entry pop() {
    const Entry entry = heap_.top();
    heap_.pop();
    return entry;
  }
  size_t size() const { return heap_.size(); }

 private:
  std::priority_queue<Entry, std::vector<Entry>, std::greater<>> heap_;
};

}  // namespace atm::node

#include "control/http/pending_calls.h"

#include "base/assert.h"

namespace atm::control {

std::optional<uint64_t> PendingCalls::open(Now now, Pending pending, uint64_t caller, size_t replies_awaited) {
  ASSERT(replies_awaited > 0);
  if (calls_.size() >= kCallsMax) return std::nullopt;
  const uint64_t ticket = next_ticket_++;
  calls_.emplace(ticket, Call{{caller, pending, {}}, replies_awaited, now.mono + kTimeout});
  return ticket;
}

std::optional<PendingCalls::Finished> PendingCalls::on_reply(contract::Reply reply) {
  const auto it = calls_.find(reply.ticket);
  if (it == calls_.end()) {
    ++late_replies_;
    return std::nullopt;
  }
  it->second.so_far.replies.push_back(std::move(reply));
  if (it->second.so_far.replies.size() < it->second.awaited) return std::nullopt;
  return cancel(it->first);
}

std::optional<PendingCalls::Finished> PendingCalls::cancel(uint64_t ticket) {
  const auto it = calls_.find(ticket);
  if (it == calls_.end()) return std::nullopt;
  std::optional<Finished> out = std::move(it->second.so_far);
  calls_.erase(it);
  return out;
}

Instant PendingCalls::next_timeout() const {
  return calls_.empty() ? kNever : calls_.begin()->second.deadline;
}

void PendingCalls::on_timeout(Now now, std::vector<Finished>& out) {
  while (next_timeout() <= now.mono) out.push_back(*cancel(calls_.begin()->first));
}

}  // namespace atm::control

#include "client/rpc.h"

#include <algorithm>

#include "contract/json/rpc.h"

namespace atm::client {

std::string Rpc::ask(Now now, contract::RpcBody body, Use use, uint64_t request, Duration timeout) {
  const uint64_t req_id = next_req_id_++;
  pending_[req_id] = {use, request, now.mono, now.mono + timeout};
  return json::to_json(contract::RpcRequest{req_id, std::move(body)});
}

std::optional<Rpc::Done> Rpc::on_answer(contract::RpcAnswer answer) {
  const auto it = pending_.find(answer.req_id);
  if (it == pending_.end()) return std::nullopt;
  Done done{it->second, std::move(answer)};
  pending_.erase(it);
  return done;
}

void Rpc::on_timeout(Now now, std::vector<Done>& out) {
  for (auto it = pending_.begin(); it != pending_.end();) {
    if (now.mono < it->second.due) {
      ++it;
      continue;
    }
    out.push_back({it->second, {it->first, Error{ErrorCode::kTimeout, "the server did not answer"}}});
    it = pending_.erase(it);
  }
}

void Rpc::close(std::vector<Done>& out) {
  for (const auto& [req_id, pending] : pending_) {
    out.push_back({pending, {req_id, Error{ErrorCode::kClosed, "the connection has ended"}}});
  }
  pending_.clear();
}

Instant Rpc::next_timeout() const {
  Instant due = kNever;
  for (const auto& [req_id, pending] : pending_) due = std::min(due, pending.due);
  return due;
}

}  // namespace atm::client

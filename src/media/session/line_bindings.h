// What each m-line of a session is for: a sender of the client, a receiver, or nothing. Pure logic: an offer with the
// client's lists of senders and receivers goes in, one decision per m-line and the changes come out.
// Rules: docs/session-protocol.md 3 (order of senders per kind, uuid as msid, ids bound to new recvonly m-lines only).
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "contract/session.h"
#include "core/negotiation/answer.h"

namespace atm::session {

class LineBindings {
 public:
  enum class Use : uint8_t { kNone, kSender, kReceiver, kApplication };
  struct Line {
    std::string mid;
    Use use = Use::kNone;
    MediaKind kind = MediaKind::kAudio;
    std::string name;  // the sender's name, or the receiver's id
  };
  struct AddedSender {
    size_t media = 0;
    contract::SenderInfo info;
    bool has_track = true;
  };
  struct AddedReceiver {
    size_t media = 0;
    MediaKind kind = MediaKind::kAudio;
    std::string id;
  };
  struct Plan {
    std::vector<negotiation::LocalMedia> decisions;  // one per m-line
    std::vector<Line> lines;                         // the bindings once the plan is carried out
    std::vector<std::string> removed_senders;
    std::vector<std::string> removed_receivers;  // before added_receivers, which may have the same ids
    std::vector<AddedSender> added_senders;
    std::vector<AddedReceiver> added_receivers;
  };

  // Refuses an offer with fewer m-lines than the one before, and two senders of one name.
  Result<Plan> plan(const negotiation::Offer& offer, const std::vector<contract::SenderInfo>& senders,
                    const contract::ReceiverCounts& receivers) const;
  void commit(const Plan& plan) { lines_ = plan.lines; }

 private:
  std::vector<Line> lines_;
};

}  // namespace atm::session

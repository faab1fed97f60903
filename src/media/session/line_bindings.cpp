#include "media/session/line_bindings.h"

#include <algorithm>
#include <set>

namespace atm::session {
namespace {

using contract::SenderInfo;
using negotiation::Direction;
using negotiation::OfferedMedia;
using Use = LineBindings::Use;

bool remote_sends(const OfferedMedia& media) {
  return media.direction == Direction::kSendOnly || media.direction == Direction::kSendRecv;
}
bool remote_receives(const OfferedMedia& media) {
  return media.direction == Direction::kRecvOnly || media.direction == Direction::kSendRecv;
}

// Carries one call of plan(): which of the declared senders and of the receivers' ids are taken.
class Planner {
 public:
  Planner(const std::vector<LineBindings::Line>& before, const negotiation::Offer& offer,
          const std::vector<SenderInfo>& senders, const contract::ReceiverCounts& receivers)
      : before_(before), offer_(offer), senders_(senders), is_taken_(senders.size(), false), receivers_(receivers) {}

  LineBindings::Plan run() {
    plan_.lines.resize(offer_.media.size());
    plan_.decisions.resize(offer_.media.size());
    keep_or_release_known_lines();
    for (size_t i = 0; i < offer_.media.size(); ++i) bind_new_line(i);
    return std::move(plan_);
  }

 private:
  // Null: the m-line is new, or recycled for another use (RFC 9429 5.2.2: under another mid; a hostile client also
  // changes what is under the same one).
  const LineBindings::Line* line_before(const OfferedMedia& media) const {
    if (media.index >= before_.size()) return nullptr;
    const LineBindings::Line& line = before_[media.index];
    if (line.mid != media.mid || media.is_application != (line.use == Use::kApplication)) return nullptr;
    const bool has_kind = line.use == Use::kSender || line.use == Use::kReceiver;
    return has_kind && line.kind != media.kind ? nullptr : &line;
  }

  std::optional<size_t> find_sender(MediaKind kind, auto matches) const {
    for (size_t i = 0; i < senders_.size(); ++i) {
      if (!is_taken_[i] && senders_[i].kind == kind && matches(senders_[i])) return i;
    }
    return std::nullopt;
  }

  // Known senders first, so that a new m-line never takes the name of one that lives on.
  void keep_or_release_known_lines() {
    for (const OfferedMedia& media : offer_.media) {
      auto& line = plan_.lines[media.index];
      line.mid = media.mid;
      line.kind = media.kind;
      const auto* old = line_before(media);
      if (old == nullptr) continue;
      line = *old;
      if (old->use == Use::kReceiver && media.is_rejected) {
        // RFC 9429 5.2.2: port 0 is a transceiver that was stopped for good; its place will be recycled.
        release(line, plan_.removed_receivers);
      } else if (old->use == Use::kReceiver) {
        receiver_ids_.insert(old->name);
        if (remote_receives(media)) send_on(media.index, old->name);
      } else if (old->use == Use::kSender) {
        const auto sender = find_sender(old->kind, [&](const SenderInfo& s) { return s.name == old->name; });
        if (sender && !media.is_rejected && remote_sends(media)) {
          is_taken_[*sender] = true;
          plan_.decisions[media.index].direction = Direction::kRecvOnly;
        } else {
          release(line, plan_.removed_senders);
        }
      }
    }
    // A recycled m-line ends what it was for before.
    for (size_t i = 0; i < before_.size(); ++i) {
      if (line_before(offer_.media[i]) != nullptr) continue;
      if (before_[i].use == Use::kSender) plan_.removed_senders.push_back(before_[i].name);
      if (before_[i].use == Use::kReceiver) plan_.removed_receivers.push_back(before_[i].name);
    }
  }

  static void release(LineBindings::Line& line, std::vector<std::string>& removed) {
    removed.push_back(std::move(line.name));
    line.name.clear();
    line.use = Use::kNone;
  }

  void bind_new_line(size_t index) {
    const OfferedMedia& media = offer_.media[index];
    auto& line = plan_.lines[index];
    if (media.is_application) {
      line.use = Use::kApplication;
      return;
    }
    if (media.is_rejected || line.use != Use::kNone) return;
    if (remote_sends(media)) {
      bind_sender(media, line);
    } else if (remote_receives(media) && line_before(media) == nullptr) {
      bind_receiver(media, line);
    }
  }

  void bind_sender(const OfferedMedia& media, LineBindings::Line& line) {
    // The uuid is the msid's track id, or its stream id where there is no track; a client that gives neither has listed
    // its senders in the order of the m-lines of their kind.
    bool has_track = true;
    auto sender =
        find_sender(media.kind, [&](const SenderInfo& s) { return !s.uuid.empty() && s.uuid == media.track_id; });
    if (!sender) {
      sender =
          find_sender(media.kind, [&](const SenderInfo& s) { return !s.uuid.empty() && s.uuid == media.stream_id; });
      has_track = !sender.has_value();
    }
    if (!sender && line_before(media) == nullptr)
      sender = find_sender(media.kind, [](const SenderInfo&) { return true; });
    if (!sender) return;
    is_taken_[*sender] = true;
    line.use = Use::kSender;
    line.kind = media.kind;
    line.name = senders_[*sender].name;
    plan_.decisions[media.index].direction = Direction::kRecvOnly;
    plan_.added_senders.push_back({media.index, senders_[*sender], has_track});
  }

  void bind_receiver(const OfferedMedia& media, LineBindings::Line& line) {
    const uint32_t wanted = media.kind == MediaKind::kAudio ? receivers_.audio : receivers_.video;
    const std::string prefix = std::string(to_text(media.kind)) + '_';
    uint32_t number = 0;
    while (number < wanted && receiver_ids_.contains(prefix + std::to_string(number))) ++number;
    if (number == wanted) return;
    line.use = Use::kReceiver;
    line.kind = media.kind;
    line.name = prefix + std::to_string(number);
    receiver_ids_.insert(line.name);
    send_on(media.index, line.name);
    plan_.added_receivers.push_back({media.index, media.kind, line.name});
  }

  void send_on(size_t index, const std::string& id) {
    auto& decision = plan_.decisions[index];
    decision.direction = Direction::kSendOnly;
    // The SDK drops a track whose msid stream id is not the receiver's id.
    decision.stream_id = id;
    decision.track_id = id;
  }

  const std::vector<LineBindings::Line>& before_;
  const negotiation::Offer& offer_;
  const std::vector<SenderInfo>& senders_;
  std::vector<bool> is_taken_;
  contract::ReceiverCounts receivers_;
  std::set<std::string> receiver_ids_;
  LineBindings::Plan plan_;
};

}  // namespace

Result<LineBindings::Plan> LineBindings::plan(const negotiation::Offer& offer, const std::vector<SenderInfo>& senders,
                                              const contract::ReceiverCounts& receivers) const {
  // RFC 3264 8: an m-line never goes, so that the ones behind it keep their places.
  if (offer.media.size() < lines_.size())
    return fail(ErrorCode::kInvalidSdp, "an m-line of an earlier offer is missing");
  for (size_t i = 0; i < senders.size(); ++i) {
    for (size_t k = 0; k < i; ++k) {
      if (senders[i].name == senders[k].name) {
        return fail(ErrorCode::kInvalidRequest, "two senders are named \"" + senders[i].name + '"');
      }
    }
  }
  return Planner(lines_, offer, senders, receivers).run();
}

}  // namespace atm::session

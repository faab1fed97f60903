// Session: what is particular to WHIP (RFC 9725) and WHEP (draft-ietf-wish-whep-03), whose clients have no data
// channel: what their offers must be, ICE by PATCH, and what a player is shown.
#include <algorithm>

#include "media/session/session.h"
#include "wire/sdp/fragment.h"

namespace atm::session {
namespace {
// RFC 9725 4.4.2: all m-lines are of one MediaStream, and players take them for one picture with its sound.
constexpr const char* kPlayedStream = "whep";
}  // namespace

Result<void> Session::check_http_offer(const negotiation::Offer& offer) const {
  if (has_channel()) return {};
  const bool is_publisher = request_.protocol == contract::Protocol::kWhip;
  size_t lines[] = {0, 0};
  for (const negotiation::OfferedMedia& media : offer.media) {
    if (media.is_application) continue;
    // RFC 9725 4.4.3: no answer that takes a part of what was offered.
    if (media.is_rejected) return fail(ErrorCode::kNotAcceptable, "an m-line is stopped, or of an unknown kind");
    const bool fits =
        is_publisher ? negotiation::is_sending(media.direction) : negotiation::is_receiving(media.direction);
    // RFC 9725 4.2
    if (!fits)
      return fail(ErrorCode::kUnsupportedSdp, is_publisher ? "every m-line must send" : "every m-line must receive");
    // RFC 9725 4.4.2: at most one track of each kind.
    if (++lines[static_cast<size_t>(media.kind)] > 1) {
      return fail(ErrorCode::kNotAcceptable, "more than one m-line of audio, or of video");
    }
  }
  if (lines[0] + lines[1] == 0) return fail(ErrorCode::kNotAcceptable, "neither audio nor video");
  return {};
}

// RFC 9725 4.4.3: sooner no session than one without its sound.
Result<void> Session::check_http_answer(const LineBindings::Plan& plan) const {
  if (has_channel()) return {};
  for (size_t i = 0; i < plan.decisions.size(); ++i) {
    const negotiation::Direction wanted = plan.decisions[i].direction;
    if (wanted == negotiation::Direction::kInactive) continue;
    if (peer_.media(i).negotiated().direction != wanted) {
      return fail(ErrorCode::kNotAcceptable, "an m-line has no codec that this server knows");
    }
  }
  return {};
}

void Session::make_one_stream(LineBindings::Plan& plan) const {
  if (request_.protocol != contract::Protocol::kWhep) return;
  for (negotiation::LocalMedia& decision : plan.decisions) {
    if (negotiation::is_sending(decision.direction)) decision.stream_id = kPlayedStream;
  }
}

void Session::follow(Now now, MediaKind kind, Output& out) {
  if (request_.protocol != contract::Protocol::kWhep) return;
  for (auto& [id, entry] : receivers_) {
    if (entry.receiver->kind() != kind) continue;
    const auto picked = room_.pick(kind, entry.receiver->remote());
    if (picked && entry.receiver->remote() != picked) view(now, entry, *picked, out);
  }
}

Result<std::optional<contract::IceRestarted>> Session::patch_ice(Now now, const contract::PatchIce& patch,
                                                                 Output& out) {
  const std::string& tag = peer_.local_ufrag();
  if (!patch.matches_any && std::find(patch.tags.begin(), patch.tags.end(), tag) == patch.tags.end()) {
    return fail(ErrorCode::kPreconditionFailed, "ICE has been restarted since");
  }
  TRY(fragment, sdp::parse_fragment(patch.fragment));
  const auto credentials = fragment.credentials();
  if (!credentials) return fail(ErrorCode::kInvalidSdp, "no ice-ufrag and ice-pwd");
  if (!patch.matches_any) {
    // RFC 9725 4.3.3: a restart comes with "*"; under the tag of an ICE session its own credentials are meant.
    if (credentials->ufrag != peer_.remote_ufrag()) {
      return fail(ErrorCode::kConflict, "the ice-ufrag is of another ICE session than If-Match");
    }
    for (const sdp::FragmentMedia& media : fragment.media) {
      for (const std::string& candidate : media.candidates) peer_.add_remote_candidate(candidate);
    }
    return std::optional<contract::IceRestarted>();
  }
  const negotiation::LocalTransport local = peer_.restart_ice_of(now, {credentials->ufrag, credentials->pwd});
  out.touched.push_back(id_);
  sdp::Fragment answer;
  answer.is_ice_lite = local.ice_lite;
  answer.ufrag = local.ufrag;
  answer.pwd = local.pwd;
  if (!fragment.media.empty()) {
    // RFC 8840 9.2: candidates stand under the m-line whose transport all use.
    sdp::FragmentMedia& media = answer.media.emplace_back();
    media.kind = fragment.media.front().kind;
    media.mid = fragment.media.front().mid;
    media.candidates = local.candidates;
    media.is_end_of_candidates = true;
  }
  return std::optional(contract::IceRestarted{sdp::to_text(answer), local.ufrag});
}

}  // namespace atm::session

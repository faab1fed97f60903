// Peer: offer and answer, both roles. What the m-lines are for was decided by the caller.
#include <algorithm>

#include "base/assert.h"
#include "core/peer/peer.h"
#include "wire/sdp/sdp.h"

namespace atm::peer {

using negotiation::LocalMedia;
using negotiation::NegotiatedMedia;

namespace {

// Transport-wide, of what we send on it (draft-holmer-rmcat-transport-wide-cc-extensions-01).
bool gives_feedback(const MediaLine& line) {
  if (!line.is_sending() || line.extensions().id_of(rtp::Extension::kTransportCc) == 0) return false;
  const auto& codecs = line.negotiated().codecs;
  return std::any_of(codecs.begin(), codecs.end(), [](const auto& codec) { return codec.transport_cc; });
}

}  // namespace

Result<PendingOffer> Peer::read_offer(std::string_view sdp) const {
  TRY(description, sdp::parse(sdp));
  TRY(offer, negotiation::read_offer(description));
  return PendingOffer{std::move(description), std::move(offer)};
}

Result<std::string> Peer::answer_offer(Now now, const PendingOffer& pending, std::vector<LocalMedia> decisions,
                                       const negotiation::Policy& policy) {
  ASSERT(decisions.size() == pending.offer.media.size());
  if (!remote_fingerprint_.empty() && fingerprint_of(pending.offer.transport) != remote_fingerprint_) {
    // A new DTLS association inside a session is a new session: the SDK never does it.
    return fail(ErrorCode::kUnsupportedSdp, "the fingerprint may not change within a session");
  }
  for (size_t i = 0; i < decisions.size(); ++i) fill_ssrcs(pending.offer.media[i], decisions[i]);
  // RFC 8445 9: an offer with another ufrag restarts ICE; the same offer again gets the same answer. Only an answer
  // that is given takes the old credentials away: the client goes on with them after a refusal.
  const bool is_restart = !remote_ufrag_.empty() && pending.offer.transport.ufrag != remote_ufrag_;
  const ice::Credentials credentials = is_restart ? ice::make_credentials(rng_) : ice_.local();
  auto answer = negotiation::make_answer(pending.description, decisions, local_transport(credentials), policy);
  if (!answer) return tl::unexpected(std::move(answer.error()));
  if (!apply_remote_transport(now, pending.offer.transport)) {
    return fail(ErrorCode::kInvalidSdp, "the fingerprint is not one of a known hash function");
  }
  if (is_restart) ice_.restart(now, credentials);
  ++session_version_;
  has_data_channel_ = answer->has_data_channel;
  apply(answer->media, decisions.size());
  return std::move(answer->sdp);
}

negotiation::LocalTransport Peer::restart_ice_of(Now now, const ice::Credentials& remote) {
  if (remote.ufrag != remote_ufrag_) {
    ice_.restart(now, ice::make_credentials(rng_));
    ice_.set_remote(now, remote);
    remote_ufrag_ = remote.ufrag;
  }
  return local_transport(ice_.local());
}

void Peer::fill_ssrcs(const negotiation::OfferedMedia& offered, LocalMedia& decision) {
  if (!negotiation::is_sending(decision.direction)) return;
  // An m-line keeps its SSRCs for as long as it lives: the client knows its stream by them. A recycled one gets others:
  // its numbers begin anew, and no SRTP index may be used twice.
  const MediaLine* line = offered.index < media_.size() ? media_[offered.index].get() : nullptr;
  const bool is_same = line != nullptr && line->negotiated().mid == offered.mid && line->kind() == offered.kind;
  decision.ssrc = is_same && line->ssrc() != 0 ? line->ssrc() : make_ssrc();
  decision.rtx_ssrc = is_same && line->rtx_ssrc() != 0 ? line->rtx_ssrc() : make_ssrc();
}

uint32_t Peer::make_ssrc() {
  // RFC 3550 8.1: random, unique in the session; 0 means "none" here.
  for (;;) {
    const uint32_t ssrc = rng_.u32();
    if (ssrc != 0 && sent_.find(ssrc) == nullptr && received_.find(ssrc) == nullptr) return ssrc;
  }
}

std::string Peer::make_offer(const std::vector<negotiation::OfferMedia>& media, const negotiation::Policy& policy) {
  ASSERT(config_.role == Role::kClient);
  ++session_version_;
  last_offer_ = negotiation::make_offer(media, config_.offers_data_channel, local_transport(ice_.local()), policy);
  return last_offer_;
}

Result<bool> Peer::accept_answer(Now now, std::string_view sdp, Output& out) {
  TRY(answer_description, sdp::parse(sdp));
  TRY(offer_description, sdp::parse(last_offer_));
  TRY(agreed, negotiation::read_answer(offer_description, answer_description));
  if (!apply_remote_transport(now, agreed.transport)) return fail(ErrorCode::kInvalidSdp, "unusable fingerprint");
  for (const std::string& candidate : agreed.transport.candidates) add_remote_candidate(candidate);
  has_data_channel_ = agreed.has_data_channel;
  apply(agreed.media, offer_description.media.size());
  ice_.start(now, out.datagrams);
  dtls_.start(now, dtls_out_);
  flush_dtls(now, out);
  return true;
}

void Peer::add_remote_candidate(std::string_view text) {
  if (const auto candidate = ice::parse_candidate(text)) ice_.add_remote_candidate(*candidate);
}

void Peer::apply(const std::vector<NegotiatedMedia>& media, size_t line_count) {
  while (media_.size() < line_count) media_.push_back(std::make_unique<MediaLine>(media_.size()));
  std::vector<bool> is_accepted(media_.size(), false);
  for (const NegotiatedMedia& line : media) {
    is_accepted[line.index] = true;
    media_[line.index]->negotiate(line, static_cast<uint16_t>(rng_.below(0x8000)));
  }
  for (size_t i = 0; i < media_.size(); ++i) {
    if (!is_accepted[i]) media_[i]->deactivate();
  }
  index_ssrcs();
  gets_feedback_ = std::any_of(media_.begin(), media_.end(), [](const auto& line) { return gives_feedback(*line); });
}

negotiation::LocalTransport Peer::local_transport(const ice::Credentials& credentials) const {
  negotiation::LocalTransport transport;
  transport.ufrag = credentials.ufrag;
  transport.pwd = credentials.pwd;
  transport.fingerprint = config_.dtls->certificate().fingerprint();
  transport.ice_lite = config_.role == Role::kServer;
  transport.setup = config_.role == Role::kServer ? "passive" : "actpass";
  for (size_t i = 0; i < config_.addresses.size(); ++i) {
    const auto preference = static_cast<uint16_t>(65'535 - i);
    transport.candidates.push_back(ice::to_text(ice::make_host_candidate(config_.addresses[i], preference)));
  }
  for (size_t i = 0; i < config_.tcp_addresses.size(); ++i) {
    const auto preference = static_cast<uint16_t>(8'191 - i);
    transport.candidates.push_back(ice::to_text(ice::make_tcp_candidate(config_.tcp_addresses[i], preference)));
  }
  transport.cname = cname_;
  transport.session_id = session_id_;
  transport.session_version = session_version_;
  return transport;
}

std::string Peer::fingerprint_of(const negotiation::RemoteTransport& transport) {
  return transport.fingerprint_algorithm + ' ' + transport.fingerprint;
}

bool Peer::apply_remote_transport(Now now, const negotiation::RemoteTransport& transport) {
  // DTLS takes it once, before the handshake; answer_offer() has refused another one.
  if (remote_fingerprint_.empty() && !dtls_.set_remote_fingerprint(fingerprint_of(transport))) return false;
  remote_fingerprint_ = fingerprint_of(transport);
  remote_ufrag_ = transport.ufrag;
  ice_.set_remote(now, {transport.ufrag, transport.pwd});
  return true;
}

}  // namespace atm::peer

#include "core/negotiation/answer.h"

#include <algorithm>
#include <array>
#include <optional>
#include <set>
#include <utility>

#include "base/assert.h"
#include "core/negotiation/codec.h"
#include "core/negotiation/remote.h"
#include "core/negotiation/section.h"
#include "wire/sdp/sdp.h"

namespace atm::negotiation {
namespace {

// RFC 9143 9.1, 9.2 and RFC 8859: in one BUNDLE group a payload type, an extension id and an SSRC have one meaning. We
// find the m-line of a packet by them, so two meanings would let one m-line take another's packets.
class Meanings {
 public:
  Result<void> add(const sdp::MediaDescription& media, MediaKind kind) {
    for (const NegotiatedCodec& codec : read_codecs(media, kind, {})) {
      std::optional<NegotiatedCodec>& known = codecs_[codec.payload_type];
      if ((known && !is_same_format(*known, codec)) || helpers_[codec.payload_type]) return refuse("payload type");
      known = codec;
      for (const auto& helper : {codec.rtx_payload_type, codec.red_payload_type}) {
        if (!helper) continue;
        std::optional<uint8_t>& helped = helpers_[*helper];
        if ((helped && *helped != codec.payload_type) || codecs_[*helper]) return refuse("payload type");
        helped = codec.payload_type;
      }
    }
    const rtp::ExtensionMap extensions = read_extensions(media);
    for (size_t id = 1; id < 256; ++id) {
      const auto extension = extensions.at(static_cast<uint8_t>(id));
      if (extension && !extensions_.set(static_cast<uint8_t>(id), *extension)) return refuse("extension id");
    }
    if (!is_sending(media.direction)) return {};
    for (const RemoteSsrc& ssrc : read_ssrcs(media)) {
      if (!ssrcs_.insert(ssrc.ssrc).second) return refuse("SSRC");
      if (ssrc.rtx_ssrc && !ssrcs_.insert(*ssrc.rtx_ssrc).second) return refuse("SSRC");
    }
    return {};
  }

 private:
  static tl::unexpected<Error> refuse(const char* what) {
    return fail(ErrorCode::kInvalidSdp, std::string("one ") + what + " has two meanings in the BUNDLE group");
  }

  std::array<std::optional<NegotiatedCodec>, 128> codecs_;
  std::array<std::optional<uint8_t>, 128> helpers_;  // RTX and RED: the payload type that they repair
  rtp::ExtensionMap extensions_;
  std::set<uint32_t> ssrcs_;
};

// RFC 8842 5.3, RFC 8445 6.1.1: one side opens DTLS, and at least one side is a full agent.
Result<void> check_roles(const RemoteTransport& remote, const LocalTransport& local) {
  ASSERT(local.setup == "passive" || local.setup == "active");
  // RFC 4145 4.1: an offer that does not say is active.
  const std::string& setup = remote.setup.empty() ? std::string("active") : remote.setup;
  if (setup != "actpass" && (setup == local.setup || setup == "holdconn")) {
    return fail(ErrorCode::kUnsupportedSdp, "setup:" + setup + " cannot meet setup:" + local.setup);
  }
  if (remote.ice_lite && local.ice_lite) return fail(ErrorCode::kUnsupportedSdp, "both sides are ICE lite");
  return {};
}

// RFC 3264 6: port 0, and the m-line stays in its place.
sdp::MediaDescription make_rejected(const sdp::MediaDescription& offered) {
  sdp::MediaDescription out;
  out.kind = offered.kind;
  out.port = 0;
  out.protocol = offered.protocol;
  out.formats = offered.formats;  // at least one is needed; what they are says nothing here
  out.mid = offered.mid;
  out.direction = Direction::kInactive;
  return out;
}

// RFC 8285 6: the ids of the offer; each direction turned round.
void answer_extensions(const sdp::MediaDescription& offered, const NegotiatedMedia& agreed,
                       sdp::MediaDescription& out) {
  for (const sdp::Extmap& extmap : offered.extmaps) {
    if (extmap.id > 255) continue;
    const auto extension = agreed.extensions.at(static_cast<uint8_t>(extmap.id));
    if (!extension || rtp::uri_of(*extension) != extmap.uri) continue;
    std::optional<Direction> direction;
    if (extmap.direction) direction = reversed(*extmap.direction);
    out.extmaps.push_back({extmap.id, direction, extmap.uri});
  }
}

// RFC 8851 6.3: `pt=` of a layer, cut to what the answer accepts; nothing when no format is left.
std::optional<std::string> answer_restrictions(const std::string& offered, const sdp::MediaDescription& answer) {
  const auto list = find_parameter(offered, "pt");
  if (!list) return offered;
  std::string kept;
  for (std::string_view rest = *list; !rest.empty();) {
    const size_t comma = std::min(rest.find(','), rest.size());
    const std::string_view format = rest.substr(0, comma);
    rest.remove_prefix(std::min(comma + 1, rest.size()));
    if (std::find(answer.formats.begin(), answer.formats.end(), format) == answer.formats.end()) continue;
    kept += (kept.empty() ? "" : ",") + std::string(format);
  }
  if (kept.empty()) return std::nullopt;
  std::string out = "pt=" + kept;
  for (std::string_view rest = offered; !rest.empty();) {
    const size_t end = std::min(rest.find(';'), rest.size());
    const std::string_view pair = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    if (!find_parameter(pair, "pt") && !pair.empty()) out += ";" + std::string(pair);
  }
  return out;
}

// RFC 8853 5.3.2: of the layers that the remote offers to send, those that have a usable a=rid (RFC 8851 6.3).
void answer_simulcast(const sdp::MediaDescription& offered, NegotiatedMedia& agreed, sdp::MediaDescription& out) {
  if (!offered.simulcast || !is_receiving(agreed.direction)) return;
  sdp::SimulcastStreams streams;
  std::set<std::string_view> done;
  for (const std::vector<sdp::SimulcastId>& offered_stream : offered.simulcast->send) {
    std::vector<sdp::SimulcastId> stream;
    for (const sdp::SimulcastId& id : offered_stream) {
      const auto rid = std::find_if(offered.rids.begin(), offered.rids.end(),
                                    [&](const sdp::Rid& r) { return r.is_send && r.id == id.rid; });
      if (rid == offered.rids.end() || done.contains(id.rid)) continue;
      const auto restrictions = answer_restrictions(rid->restrictions, out);
      if (!restrictions) continue;
      done.insert(id.rid);
      out.rids.push_back({id.rid, false, *restrictions});
      agreed.rids.push_back(id.rid);
      stream.push_back({id.rid, false});  // RFC 8853 5.3.2: "~" in an answer would ask the sender to pause it
    }
    if (!stream.empty()) streams.push_back(std::move(stream));
  }
  if (!streams.empty()) out.simulcast = sdp::Simulcast{{}, std::move(streams)};
}

// One answer under construction.
class AnswerWriter {
 public:
  AnswerWriter(const sdp::Description& offer, const LocalTransport& transport, const Policy& policy)
      : offer_(offer), transport_(transport), policy_(policy) {
    session_ = make_session(transport);
    session_.allows_mixed_extmap = offer.allows_mixed_extmap;
  }

  void reject(const sdp::MediaDescription& offered) { session_.media.push_back(make_rejected(offered)); }

  void add_data_channel(const sdp::MediaDescription& offered) {
    sdp::MediaDescription out = make_data_channel(offered.mid, transport_);
    out.protocol = offered.protocol;
    session_.media.push_back(std::move(out));
    answer_.has_data_channel = true;
    answer_.remote_sctp_port = offered.sctp_port.value_or(kSctpPort);
    answer_.remote_max_message_size = message_size_of(offered);
  }

  void add_media(size_t index, const LocalMedia& decision) {
    const sdp::MediaDescription& offered = offer_.media[index];
    NegotiatedMedia agreed;
    agreed.index = index;
    agreed.mid = offered.mid;
    agreed.kind = *parse_media_kind(offered.kind);
    agreed.codecs = read_codecs(offered, agreed.kind, policy_);
    const bool is_allowed = !agreed.codecs.empty();
    // An m-line whose codecs this session may not use stays, inactive, with codecs that never flow. Rejecting it would
    // be as right, but Chromium (156, max-bundle) takes no answer that rejects the first m-line of the BUNDLE group.
    if (!is_allowed) agreed.codecs = read_codecs(offered, agreed.kind, {});
    // RFC 3264 6: without a common format an m-line has to be rejected.
    if (agreed.codecs.empty()) return reject(offered);
    // RFC 3264 6.1: never more than was offered.
    const Direction wanted = is_allowed ? decision.direction : Direction::kInactive;
    agreed.direction = make_direction(is_sending(wanted) && is_receiving(offered.direction),
                                      is_receiving(wanted) && is_sending(offered.direction));
    read_remote_streams(offered, agreed);

    sdp::MediaDescription out = make_media(offered.mid, agreed.kind, agreed.direction, transport_);
    out.protocol = offered.protocol;
    out.has_rtcp_rsize = offered.has_rtcp_rsize;  // RFC 5506 5.2: only if offered
    out.allows_mixed_extmap = offered.allows_mixed_extmap && !session_.allows_mixed_extmap;
    agreed.rcvr_rtt = has_rcvr_rtt(offered);
    if (agreed.rcvr_rtt) out.rtcp_xr = kRcvrRtt;
    write_codecs(out, agreed.codecs);
    answer_extensions(offered, agreed, out);
    answer_simulcast(offered, agreed, out);
    // RFC 3890 6.2.2: what the remote may send at most, without what IP and UDP add.
    if (is_receiving(agreed.direction) && decision.max_receive_bps != 0) {
      out.bandwidth_tias_bps = decision.max_receive_bps;
    }
    if (is_sending(agreed.direction)) {
      agreed.local_ssrc = decision.ssrc;
      agreed.local_rtx_ssrc = has_rtx(agreed.codecs) ? decision.rtx_ssrc : 0;
      write_stream(out, {decision.stream_id, decision.track_id}, transport_.cname, agreed.local_ssrc,
                   agreed.local_rtx_ssrc);
    }
    session_.media.push_back(std::move(out));
    answer_.media.push_back(std::move(agreed));
  }

  Result<Answer> finish(const std::vector<const sdp::MediaDescription*>& bundle) {
    // RFC 9143 7.3.1: the offer's order without what was rejected; the first is the one whose transport counts.
    std::vector<std::string> mids;
    for (const sdp::MediaDescription* offered : bundle) {
      sdp::MediaDescription& answered = session_.media[static_cast<size_t>(offered - offer_.media.data())];
      if (answered.port == 0) continue;
      if (mids.empty()) write_candidates(answered, transport_);
      const bool can_trickle = std::find(offered->transport.ice_options.begin(), offered->transport.ice_options.end(),
                                         "trickle") != offered->transport.ice_options.end();
      if (can_trickle)
        answered.transport.ice_options = {"trickle"};  // RFC 8840 4.1.1: we take candidates that come later
      mids.push_back(offered->mid);
    }
    if (mids.empty()) return fail(ErrorCode::kUnsupportedSdp, "no m-line has a codec that this server knows");
    session_.bundle_groups = {std::move(mids)};
    answer_.sdp = sdp::to_text(session_);
    return std::move(answer_);
  }

 private:
  const sdp::Description& offer_;
  const LocalTransport& transport_;
  const Policy& policy_;
  sdp::Description session_;
  Answer answer_;
};

}  // namespace

Result<Offer> read_offer(const sdp::Description& offer) {
  const std::vector<bool> rejected = find_rejected(offer);
  TRY(bundle, read_bundle(offer, rejected));
  TRY(transport, read_transport(offer, bundle));
  Offer out;
  out.transport = std::move(transport);
  Meanings meanings;
  for (size_t i = 0; i < offer.media.size(); ++i) {
    const sdp::MediaDescription& media = offer.media[i];
    OfferedMedia& offered = out.media.emplace_back();
    offered.index = i;
    offered.mid = media.mid;
    offered.is_application = media.kind == "application";
    offered.is_rejected = rejected[i];
    offered.kind = parse_media_kind(media.kind).value_or(MediaKind::kAudio);
    offered.direction = media.direction;
    if (rejected[i] || offered.is_application) continue;
    if (auto added = meanings.add(media, offered.kind); !added) return tl::unexpected(std::move(added).error());
    if (!is_sending(media.direction)) continue;
    sdp::Msid msid = find_msid(media);
    offered.stream_id = std::move(msid.stream_id);
    offered.track_id = std::move(msid.track_id);
  }
  return out;
}

Result<Answer> make_answer(const sdp::Description& offer, std::span<const LocalMedia> decisions,
                           const LocalTransport& transport, const Policy& policy) {
  TRY(read, read_offer(offer));
  ASSERT(decisions.size() == offer.media.size());
  if (auto checked = check_roles(read.transport, transport); !checked)
    return tl::unexpected(std::move(checked).error());
  AnswerWriter writer(offer, transport, policy);
  for (const OfferedMedia& offered : read.media) {
    if (offered.is_rejected) {
      writer.reject(offer.media[offered.index]);
    } else if (offered.is_application) {
      writer.add_data_channel(offer.media[offered.index]);
    } else {
      writer.add_media(offered.index, decisions[offered.index]);
    }
  }
  TRY(bundle, read_bundle(offer, find_rejected(offer)));
  return writer.finish(bundle);
}

}  // namespace atm::negotiation

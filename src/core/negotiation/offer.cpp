#include "core/negotiation/offer.h"

#include <algorithm>
#include <utility>

#include "core/negotiation/codec.h"
#include "core/negotiation/extension_policy.h"
#include "core/negotiation/remote.h"
#include "core/negotiation/section.h"
#include "wire/sdp/sdp.h"

namespace atm::negotiation {
namespace {

// What a client offers: payload types from the dynamic range (RFC 3551 3), as browsers number them.
struct OfferedFormat {
  Codec codec;
  uint8_t payload_type;
  uint8_t rtx_payload_type;  // 0: none
  uint8_t red_payload_type;  // 0: none
  const char* fmtp;
  bool is_received_only = false;
};
constexpr OfferedFormat kOfferedFormats[] = {
    {Codec::kOpus, 111, 0, 63, "minptime=10;useinbandfec=1"},
    {Codec::kVp8, 96, 97, 0, ""},
    {Codec::kVp9, 98, 99, 0, "profile-id=0"},
    {Codec::kVp9, 100, 101, 0, "profile-id=2"},
    {Codec::kH264, 102, 103, 0, "level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f"},
    // What others send: Chromium the baseline profile, encoders of files and cameras high. These two take the others
    // in.
    {Codec::kH264, 104, 105, 0, "level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42001f", true},
    {Codec::kH264, 106, 107, 0, "level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=64001f", true},
    {Codec::kAv1, 45, 46, 0, "level-idx=5;profile=0;tier=0"},
};

// The m-section of all formats, which read_codecs() then orders and cuts as it does for any description.
sdp::MediaDescription make_full_section(MediaKind kind, bool is_sent) {
  sdp::MediaDescription out;
  const bool is_video = kind == MediaKind::kVideo;
  std::vector<NegotiatedCodec> codecs;
  for (const OfferedFormat& format : kOfferedFormats) {
    if (kind_of(format.codec) != kind || (is_sent && format.is_received_only)) continue;
    NegotiatedCodec codec;
    codec.codec = format.codec;
    codec.payload_type = format.payload_type;
    if (format.rtx_payload_type != 0) codec.rtx_payload_type = format.rtx_payload_type;
    if (format.red_payload_type != 0) codec.red_payload_type = format.red_payload_type;
    codec.clock_rate = is_video ? 90'000 : 48'000;
    codec.channels = is_video ? 1 : 2;
    codec.fmtp = format.fmtp;
    codec.nack = codec.pli = codec.fir = codec.remb = is_video;
    codec.transport_cc = true;
    codecs.push_back(std::move(codec));
  }
  write_codecs(out, codecs);
  return out;
}

bool is_of_kind(rtp::Extension extension, MediaKind kind) {
  if (extension == rtp::Extension::kMid) return true;
  return (extension == rtp::Extension::kAudioLevel) == (kind == MediaKind::kAudio);
}

// Ids by place in the policy table, so that one id means one extension in every m-line (RFC 9143 9.1).
void offer_extensions(sdp::MediaDescription& out, MediaKind kind) {
  uint16_t id = 0;
  for (const ExtensionPolicy& policy : kExtensionPolicies) {
    if (policy.treatment == Treatment::kDecline) continue;
    ++id;
    if (is_of_kind(policy.extension, kind)) out.extmaps.push_back({id, {}, std::string(rtp::uri_of(policy.extension))});
  }
}

// What both sides named: a codec of the answer counts when the offer has it under that payload type (RFC 3264 6.1).
std::vector<NegotiatedCodec> agree_codecs(const sdp::MediaDescription& offered, const sdp::MediaDescription& answered,
                                          MediaKind kind) {
  const std::vector<NegotiatedCodec> ours = read_codecs(offered, kind, {});
  std::vector<NegotiatedCodec> out = read_codecs(answered, kind, {});
  std::erase_if(out, [&](NegotiatedCodec& codec) {
    const auto found = std::find_if(ours.begin(), ours.end(),
                                    [&](const NegotiatedCodec& c) { return c.payload_type == codec.payload_type; });
    if (found == ours.end() || !is_same_format(*found, codec)) return true;
    if (codec.rtx_payload_type != found->rtx_payload_type) codec.rtx_payload_type.reset();
    if (codec.red_payload_type != found->red_payload_type) codec.red_payload_type.reset();
    codec.nack &= found->nack;
    codec.pli &= found->pli;
    codec.fir &= found->fir;
    codec.remb &= found->remb;
    codec.transport_cc &= found->transport_cc;
    return false;
  });
  return out;
}

rtp::ExtensionMap agree_extensions(const sdp::MediaDescription& offered, const rtp::ExtensionMap& answered) {
  const rtp::ExtensionMap ours = read_extensions(offered);
  rtp::ExtensionMap out;
  for (size_t i = 0; i < rtp::kExtensionCount; ++i) {
    const auto extension = static_cast<rtp::Extension>(i);
    const uint8_t id = answered.id_of(extension);
    if (id != 0 && id == ours.id_of(extension)) out.set(id, extension);
  }
  return out;
}

// RFC 8853 5.3.3: simulcast is sent when the answer takes all of its layers; else there is one stream, the lowest.
std::vector<LocalLayer> agree_layers(const sdp::MediaDescription& offered, const sdp::MediaDescription& answered,
                                     const std::vector<RemoteSsrc>& ours, bool with_rtx) {
  if (!offered.simulcast || !answered.simulcast || offered.simulcast->send.size() != ours.size()) return {};
  std::vector<LocalLayer> out;
  for (size_t i = 0; i < ours.size(); ++i) {
    const std::string& rid = offered.simulcast->send[i].front().rid;
    const auto takes = [&rid](const std::vector<sdp::SimulcastId>& stream) {
      return std::any_of(stream.begin(), stream.end(), [&rid](const sdp::SimulcastId& id) { return id.rid == rid; });
    };
    const auto& taken = answered.simulcast->recv;
    if (std::none_of(taken.begin(), taken.end(), takes)) return {};
    out.push_back({rid, ours[i].ssrc, with_rtx ? ours[i].rtx_ssrc.value_or(0) : 0});
  }
  return out;
}

Result<NegotiatedMedia> agree_media(size_t index, const sdp::MediaDescription& offered,
                                    const sdp::MediaDescription& answered) {
  NegotiatedMedia out;
  out.index = index;
  out.mid = offered.mid;
  out.kind = *parse_media_kind(offered.kind);
  out.codecs = agree_codecs(offered, answered, out.kind);
  if (out.codecs.empty()) return fail(ErrorCode::kInvalidSdp, "the answer accepts an m-line without an offered codec");
  const Direction remote = reversed(answered.direction);
  if ((is_sending(remote) && !is_sending(offered.direction)) ||
      (is_receiving(remote) && !is_receiving(offered.direction))) {
    return fail(ErrorCode::kInvalidSdp, "the answer goes in a direction that was not offered");
  }
  out.direction = remote;
  read_remote_streams(answered, out);
  out.extensions = agree_extensions(offered, out.extensions);
  out.rcvr_rtt = has_rcvr_rtt(offered) && has_rcvr_rtt(answered);
  const std::vector<RemoteSsrc> ours = read_ssrcs(offered);
  if (is_sending(out.direction) && !ours.empty()) {
    out.local_ssrc = ours.front().ssrc;
    out.local_rtx_ssrc = has_rtx(out.codecs) ? ours.front().rtx_ssrc.value_or(0) : 0;
    out.local_layers = agree_layers(offered, answered, ours, has_rtx(out.codecs));
  }
  return out;
}

// RFC 3264 6: as many m-lines as offered, each in its place.
Result<void> check_places(const sdp::Description& offer, const sdp::Description& answer) {
  if (offer.media.size() != answer.media.size()) return fail(ErrorCode::kInvalidSdp, "not as many m-lines as offered");
  for (size_t i = 0; i < offer.media.size(); ++i) {
    const sdp::MediaDescription& answered = answer.media[i];
    const bool is_same = offer.media[i].kind == answered.kind && offer.media[i].mid == answered.mid;
    if (answered.port != 0 && !is_same) return fail(ErrorCode::kInvalidSdp, "an m-line is not in its place");
    if (answered.port != 0 && offer.media[i].port == 0 && !offer.media[i].is_bundle_only) {
      return fail(ErrorCode::kInvalidSdp, "an m-line that was withdrawn is accepted");
    }
  }
  return {};
}

}  // namespace

std::string make_offer(std::span<const OfferMedia> media, bool data_channel, const LocalTransport& transport,
                       const Policy& policy) {
  sdp::Description session = make_session(transport);
  session.allows_mixed_extmap = true;
  if (data_channel) session.media.push_back(make_data_channel(kDataMid, transport));
  for (const OfferMedia& wanted : media) {
    sdp::MediaDescription& out =
        session.media.emplace_back(make_media(wanted.mid, wanted.kind, wanted.direction, transport));
    const Policy own = wanted.codecs.empty() ? policy : Policy{wanted.codecs};
    const sdp::MediaDescription all = make_full_section(wanted.kind, is_sending(wanted.direction));
    const std::vector<NegotiatedCodec> codecs = read_codecs(all, wanted.kind, own);
    write_codecs(out, codecs);
    // A policy without a codec of this kind: the m-line keeps its place (RFC 3264 8.2) and is not used.
    if (codecs.empty()) {
      out.port = 0;
      out.formats = {"0"};
      continue;
    }
    out.rtcp_xr = kRcvrRtt;
    offer_extensions(out, wanted.kind);
    if (!is_sending(wanted.direction)) continue;
    const sdp::Msid msid{wanted.stream_id, wanted.track_id};
    if (wanted.layers.empty()) {
      write_stream(out, msid, transport.cname, wanted.ssrc, has_rtx(codecs) ? wanted.rtx_ssrc : 0);
    } else {
      write_layers(out, msid, transport.cname, wanted.layers, has_rtx(codecs));
    }
  }
  std::vector<std::string> mids;
  for (sdp::MediaDescription& section : session.media) {
    if (section.port == 0) continue;
    if (mids.empty()) write_candidates(section, transport);
    section.transport.ice_options = {"trickle"};
    mids.push_back(section.mid);
  }
  session.bundle_groups = {std::move(mids)};
  return sdp::to_text(session);
}

Result<AgreedAnswer> read_answer(const sdp::Description& offer, const sdp::Description& answer) {
  if (auto checked = check_places(offer, answer); !checked) return tl::unexpected(std::move(checked).error());
  const std::vector<bool> rejected = find_rejected(answer);
  TRY(bundle, read_bundle(answer, rejected));
  AgreedAnswer out;
  TRY(transport, read_transport(answer, bundle));
  // RFC 8842 5.3: the answer decides who opens DTLS.
  if (transport.setup != "active" && transport.setup != "passive") {
    return fail(ErrorCode::kInvalidSdp, "an answer must be setup:active or setup:passive");
  }
  out.transport = std::move(transport);
  for (size_t i = 0; i < answer.media.size(); ++i) {
    if (rejected[i]) continue;
    if (answer.media[i].kind == "application") {
      out.has_data_channel = true;
      out.remote_sctp_port = answer.media[i].sctp_port.value_or(kSctpPort);
      out.remote_max_message_size = message_size_of(answer.media[i]);
      continue;
    }
    TRY(media, agree_media(i, offer.media[i], answer.media[i]));
    out.media.push_back(std::move(media));
  }
  return out;
}

}  // namespace atm::negotiation

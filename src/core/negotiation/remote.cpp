#include "core/negotiation/remote.h"

#include <algorithm>
#include <map>
#include <set>

#include "core/negotiation/extension_policy.h"

namespace atm::negotiation {
namespace {

// RFC 9429 5.1.2: all of these mean the same, and an answer repeats what it was offered.
constexpr std::string_view kRtpProtocols[] = {"UDP/TLS/RTP/SAVPF",  "UDP/TLS/RTP/SAVP",  "RTP/SAVPF", "RTP/SAVP",
                                              "TCP/DTLS/RTP/SAVPF", "TCP/DTLS/RTP/SAVP", "RTP/AVPF",  "RTP/AVP"};
constexpr std::string_view kSctpProtocols[] = {"UDP/DTLS/SCTP", "TCP/DTLS/SCTP"};

template <size_t N>
bool is_one_of(const std::string& text, const std::string_view (&list)[N]) {
  return std::find(std::begin(list), std::end(list), text) != std::end(list);
}

bool is_answerable(const sdp::MediaDescription& media) {
  if (parse_media_kind(media.kind)) return is_one_of(media.protocol, kRtpProtocols);
  return media.kind == "application" && is_one_of(media.protocol, kSctpProtocols) &&
         media.formats == std::vector<std::string>{"webrtc-datachannel"};  // RFC 8841 4.3
}

// Digits of the hashes that core/dtls can compute. RFC 8122 5: sha-256 is what everyone must have; sha-1 and md5 prove
// nothing.
struct Hash {
  std::string_view name;
  size_t bytes;
};
constexpr Hash kHashes[] = {{"sha-256", 32}, {"sha-384", 48}, {"sha-512", 64}};

const sdp::Fingerprint* find_fingerprint(const sdp::Transport& transport) {
  for (const Hash& hash : kHashes) {
    for (const sdp::Fingerprint& fingerprint : transport.fingerprints) {
      if (fingerprint.algorithm == hash.name && fingerprint.value.size() == hash.bytes * 3 - 1) return &fingerprint;
    }
  }
  return nullptr;
}

}  // namespace

std::vector<bool> find_rejected(const sdp::Description& description) {
  std::vector<bool> out;
  bool has_data_channel = false;
  for (const sdp::MediaDescription& media : description.media) {
    bool is_rejected = (media.port == 0 && !media.is_bundle_only) || !is_answerable(media);
    if (!is_rejected && media.kind == "application") {
      is_rejected = has_data_channel;  // RFC 8841 11: one SCTP association on one DTLS connection
      has_data_channel = true;
    }
    out.push_back(is_rejected);
  }
  return out;
}

Result<std::vector<const sdp::MediaDescription*>> read_bundle(const sdp::Description& description,
                                                              const std::vector<bool>& rejected) {
  std::map<std::string_view, size_t> by_mid;
  size_t used = 0;
  for (size_t i = 0; i < description.media.size(); ++i) {
    const std::string& mid = description.media[i].mid;
    if (!rejected[i]) ++used;
    if (mid.empty() && !rejected[i]) return fail(ErrorCode::kInvalidSdp, "an m-line has no mid");
    if (!mid.empty() && !by_mid.emplace(mid, i).second) return fail(ErrorCode::kInvalidSdp, "two m-lines with one mid");
  }
  if (used == 0) return fail(ErrorCode::kInvalidSdp, "no m-line in use");
  if (description.bundle_groups.size() != 1) {
    return fail(ErrorCode::kUnsupportedSdp, "everything must be in one BUNDLE group");
  }
  std::vector<const sdp::MediaDescription*> out;
  std::set<size_t> seen;
  for (const std::string& mid : description.bundle_groups.front()) {
    const auto found = by_mid.find(mid);
    if (found == by_mid.end()) return fail(ErrorCode::kInvalidSdp, "the BUNDLE group names a mid that no m-line has");
    if (!rejected[found->second] && seen.insert(found->second).second) out.push_back(&description.media[found->second]);
  }
  if (out.size() != used) return fail(ErrorCode::kUnsupportedSdp, "everything must be in one BUNDLE group");
  return out;
}

Result<RemoteTransport> read_transport(const sdp::Description& description,
                                       const std::vector<const sdp::MediaDescription*>& bundle) {
  // RFC 9143 7.2: only the tagged m-section needs them; whoever rejects it moves the tag to the next.
  const sdp::MediaDescription* tagged = nullptr;
  const sdp::MediaDescription* first_rtp = nullptr;
  for (const sdp::MediaDescription* media : bundle) {
    if (tagged == nullptr && !media->transport.ice_ufrag.empty()) tagged = media;
    if (first_rtp == nullptr && media->kind != "application") first_rtp = media;
  }
  if (tagged == nullptr) return fail(ErrorCode::kInvalidSdp, "no ice-ufrag");
  if (tagged->transport.ice_pwd.empty()) return fail(ErrorCode::kInvalidSdp, "no ice-pwd");
  // RFC 9143 9.3: rtcp-mux is a must; later m-sections may leave it out (RFC 9429 5.2.1).
  if (first_rtp != nullptr && !first_rtp->has_rtcp_mux) return fail(ErrorCode::kUnsupportedSdp, "no rtcp-mux");
  if (tagged->transport.fingerprints.empty()) return fail(ErrorCode::kInvalidSdp, "no fingerprint");
  const sdp::Fingerprint* fingerprint = find_fingerprint(tagged->transport);
  if (fingerprint == nullptr) return fail(ErrorCode::kUnsupportedSdp, "no fingerprint of sha-256, sha-384 or sha-512");
  RemoteTransport out;
  out.ufrag = tagged->transport.ice_ufrag;
  out.pwd = tagged->transport.ice_pwd;
  out.fingerprint_algorithm = fingerprint->algorithm;
  out.fingerprint = fingerprint->value;
  out.setup = tagged->transport.setup;
  out.ice_lite = description.is_ice_lite;
  out.candidates = tagged->candidates;
  return out;
}

rtp::ExtensionMap read_extensions(const sdp::MediaDescription& media) {
  rtp::ExtensionMap out;
  for (const sdp::Extmap& extmap : media.extmaps) {
    const auto extension = rtp::parse_extension_uri(extmap.uri);
    if (!extension || !is_accepted(*extension) || out.has(*extension)) continue;
    // RFC 8285 4.1.2: with a key frame it is longer than the one-byte form can tell, with others it is not.
    if (extension == rtp::Extension::kDependencyDescriptor && !media.allows_mixed_extmap) continue;
    if (extmap.direction == Direction::kInactive || extmap.id > 255) continue;  // RFC 8285 6: 4096 up are no ids yet
    out.set(static_cast<uint8_t>(extmap.id), *extension);
  }
  return out;
}

std::vector<RemoteSsrc> read_ssrcs(const sdp::MediaDescription& media) {
  std::map<uint32_t, uint32_t> rtx;
  std::set<uint32_t> done = {0};  // 0 means "none" all over this project
  std::vector<uint32_t> order;
  for (const sdp::SsrcGroup& group : media.ssrc_groups) {
    if (group.semantics == "SIM") order.insert(order.end(), group.ssrcs.begin(), group.ssrcs.end());
    if (group.semantics != "FID" && group.semantics != "FEC-FR") continue;
    // RFC 5576 4.2: the first is what the others repair.
    if (group.semantics == "FID" && group.ssrcs.size() == 2) rtx.emplace(group.ssrcs[0], group.ssrcs[1]);
    for (size_t i = 1; i < group.ssrcs.size(); ++i) done.insert(group.ssrcs[i]);
  }
  for (const sdp::Ssrc& ssrc : media.ssrcs) order.push_back(ssrc.ssrc);
  std::vector<RemoteSsrc> out;
  for (const uint32_t ssrc : order) {
    if (!done.insert(ssrc).second) continue;
    const auto found = rtx.find(ssrc);
    out.push_back({ssrc, found != rtx.end() && found->second != 0 ? std::optional(found->second) : std::nullopt});
  }
  return out;
}

sdp::Msid find_msid(const sdp::MediaDescription& media) {
  sdp::Msid out;
  if (!media.msids.empty()) {
    out = media.msids.front();
  } else {
    for (const sdp::Ssrc& ssrc : media.ssrcs) {
      if (ssrc.msid) {
        out = *ssrc.msid;
        break;
      }
    }
  }
  if (out.stream_id == "-") out.stream_id.clear();
  return out;
}

void read_remote_streams(const sdp::MediaDescription& media, NegotiatedMedia& out) {
  out.extensions = read_extensions(media);
  if (!is_receiving(out.direction)) return;
  const sdp::Msid msid = find_msid(media);
  out.remote_stream_id = msid.stream_id;
  out.remote_track_id = msid.track_id;
  out.remote_ssrcs = read_ssrcs(media);
}

}  // namespace atm::negotiation

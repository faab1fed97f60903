// What a remote's description says that both roles read the same way: the BUNDLE group and its transport, extension
// ids, SSRCs, layers. Called by answer.cpp and offer.cpp. Descriptions come from strangers: refusals are Results.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "core/negotiation/media.h"
#include "wire/sdp/description.h"

namespace atm::negotiation {

// Per m-line: port 0 without bundle-only (RFC 9143 6), or nothing that we could answer but "no": another kind, another
// protocol, a second data channel.
std::vector<bool> find_rejected(const sdp::Description& description);

// The m-lines in use, in the order of the one BUNDLE group that holds them all; the first carries the transport
// (RFC 9143 7.2.1: the tagged m-section).
Result<std::vector<const sdp::MediaDescription*>> read_bundle(const sdp::Description& description,
                                                              const std::vector<bool>& rejected);

// What the tagged m-section says; refuses one without ufrag, password or a fingerprint that we can check.
Result<RemoteTransport> read_transport(const sdp::Description& description,
                                       const std::vector<const sdp::MediaDescription*>& bundle);

// Accepted extensions (extension_policy.h) that are used in at least one direction.
rtp::ExtensionMap read_extensions(const sdp::MediaDescription& media);

// Primary SSRCs with their RTX, simulcast layers in order, repair streams left out.
std::vector<RemoteSsrc> read_ssrcs(const sdp::MediaDescription& media);

// msid of what is sent: a=msid, else that of a=ssrc; "-" (no stream, RFC 8830 2) becomes "".
sdp::Msid find_msid(const sdp::MediaDescription& media);

// The m-line's direction, msid, SSRCs and extensions into `out`, whose direction must be set.
void read_remote_streams(const sdp::MediaDescription& media, NegotiatedMedia& out);

}  // namespace atm::negotiation

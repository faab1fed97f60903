// Any body of the HTTP calls: what is accepted holds no more than contract/json/limits.h says, whatever was sent.
#include "base/assert.h"
#include "contract/json/http_body.h"
#include "contract/json/limits.h"

namespace {

using namespace atm;

bool is_name(const std::string& text) {
  if (text.empty() || text.size() > json::kMaxNameBytes) return false;
  for (const char c : text) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) return false;
  }
  return true;
}

void check(const contract::ConnectRequest& request, const std::string& token) {
  ASSERT(is_name(request.room) && is_name(request.peer));
  ASSERT(!request.sdp.empty() && request.sdp.size() <= json::kMaxDocumentBytes);
  ASSERT(token.size() <= json::kMaxTokenBytes && request.metadata.size() <= json::kMaxMetadataBytes);
  ASSERT(request.client_version.size() <= json::kMaxNameBytes && request.playout_delay.value_or(0ms) <= 2s);
  ASSERT(request.codecs.size() <= json::kMaxCodecs && request.senders.size() <= json::kMaxSenders);
  ASSERT(request.receivers.audio <= json::kMaxReceiversPerKind);
  ASSERT(request.receivers.video <= json::kMaxReceiversPerKind);
  for (const contract::SenderInfo& sender : request.senders) {
    ASSERT(is_name(sender.name) && is_name(sender.uuid) && sender.label.size() <= json::kMaxNameBytes);
    ASSERT(sender.max_bitrate_bps <= json::kMaxBitrateBps);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view body(reinterpret_cast<const char*>(data), size);
  std::string token;
  const auto request = json::parse_connect(body, &token);
  if (request) {
    check(*request, token);
    const std::string text = json::to_json(*request, token);
    if (const auto again = json::parse_connect(text, &token)) ASSERT(json::to_json(*again, token) == text);
  } else {
    ASSERT(!request.error().why.empty());
  }
  if (const auto remote = json::parse_ice_remote(body)) {
    ASSERT(is_name(remote->conn_id) && remote->candidate.size() <= json::kMaxCandidateBytes);
    ASSERT(remote->username_fragment.size() <= json::kMaxNameBytes);
  }
  if (const auto restart = json::parse_ice_restart(body)) ASSERT(is_name(restart->conn_id) && !restart->sdp.empty());
  using contract::TokenKind;
  for (const TokenKind kind : {TokenKind::kWebrtc, TokenKind::kWhip, TokenKind::kWhep}) {
    const auto wanted = json::parse_token_request(kind, body);
    if (!wanted) continue;
    ASSERT(is_name(wanted->room) && (!wanted->peer || is_name(*wanted->peer)));
    ASSERT(kind != TokenKind::kWhip || (wanted->peer && !wanted->subscribe));
    ASSERT(kind != TokenKind::kWhep || !wanted->publish);
    ASSERT(!wanted->expires_in || (wanted->expires_in->count() > 0 &&
                                   static_cast<uint64_t>(wanted->expires_in->count()) <= json::kMaxExpiresInSeconds));
  }
  return 0;
}

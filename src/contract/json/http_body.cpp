#include "contract/json/http_body.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "contract/json/choice.h"
#include "contract/json/limits.h"
#include "contract/json/offer.h"
#include "contract/json/write.h"

namespace atm::json {
namespace {

using contract::BitrateControlMode;
using contract::MixMinusMode;
using contract::PublishScope;
using contract::SubscribeScope;

constexpr Choice<MixMinusMode> kMixMinusModes[] = {
    {"Disabled", MixMinusMode::kDisabled},
    {"AllAudioStreams", MixMinusMode::kAll},
    {"ManualAudioStreams", MixMinusMode::kManual},
};
constexpr Choice<SubscribeScope> kSubscribeScopes[] = {
    {"full", SubscribeScope::kFull},
    {"stream_only", SubscribeScope::kStreamOnly},
    {"manual", SubscribeScope::kManual},
};
constexpr Choice<PublishScope> kPublishScopes[] = {
    {"full", PublishScope::kFull},
    {"stream_only", PublishScope::kStreamOnly},
};
// The session configuration's three names, then the two of a first-generation server.
constexpr Choice<BitrateControlMode> kBitrateControlModes[] = {
    {"SumBitrateWithClientSide", BitrateControlMode::kSumBitrateWithClientSide},
    {"SumBitrateOnly", BitrateControlMode::kSumBitrateOnly},
    {"PerStream", BitrateControlMode::kPerStream},
    {"DynamicWithConsumers", BitrateControlMode::kSumBitrateWithClientSide},
    {"MaxBitrateOnly", BitrateControlMode::kSumBitrateOnly},
};
constexpr Choice<std::optional<Duration>> kLatencyModes[] = {
    {"default", std::nullopt}, {"ultra-low", 0ms},  {"smooth-200", 200ms}, {"smooth-500", 500ms},
    {"smooth-800", 800ms},     {"smooth-1000", 1s}, {"smooth-2000", 2s},
};

std::vector<Codec> read_codecs(const Fields& fields) {
  std::vector<Codec> out;
  for (const std::string& name : fields.texts("codecs", kMaxCodecs, kMaxNameBytes)) {
    const std::optional<Codec> codec = parse_codec(name);
    if (!codec) {
      fields.problem("codecs", "must be of OPUS VP8 VP9 H264 AV1");
    } else if (std::find(out.begin(), out.end(), *codec) == out.end()) {
      out.push_back(*codec);
    }
  }
  return out;
}

// For the bodies that are one object: `read` fills `out`, the first problem refuses it.
template <typename T, typename Read>
Result<T> parse_body(std::string_view body, Read read) {
  Problem problem;
  nlohmann::json document;
  T out;
  if (parse_document(body, document, problem)) read(Fields(document, "", problem), out);
  if (problem.found()) return tl::unexpected(problem.take());
  return out;
}

std::string read_conn_id(const Fields& fields) {
  return fields.text("conn_id", kMaxNameBytes, Text::kName);
}

}  // namespace

Result<contract::ConnectRequest> parse_connect(std::string_view body, std::string* token) {
  return parse_body<contract::ConnectRequest>(body, [token](const Fields& fields, contract::ConnectRequest& out) {
    out.room = fields.text("room", kMaxNameBytes, Text::kName);
    out.peer = fields.text("peer", kMaxNameBytes, Text::kName);
    *token = fields.optional_text("token", kMaxTokenBytes, Text::kFree).value_or("");
    out.sdp = read_sdp(fields);
    out.client_version = fields.optional_text("version", kMaxNameBytes, Text::kFree).value_or("");
    out.mix_minus = read_choice(fields, "mix_minus_audio", kMixMinusModes, MixMinusMode::kDisabled);
    out.subscribe_scope = read_choice(fields, "sub_scope", kSubscribeScopes, SubscribeScope::kFull);
    out.publish_scope = read_choice(fields, "pub_scope", kPublishScopes, PublishScope::kFull);
    out.bitrate_control_mode = read_choice(fields, "remote_bitrate_control_mode", kBitrateControlModes,
                                           BitrateControlMode::kSumBitrateWithClientSide);
    out.applies_stream_limits = fields.flag("applies_stream_limits", false);
    out.codecs = read_codecs(fields);
    out.senders = read_senders(fields);
    out.receivers = read_receivers(fields);
    out.playout_delay = read_choice(fields, "latency_mode", kLatencyModes, std::optional<Duration>());
    out.metadata = fields.optional_text("metadata", kMaxMetadataBytes, Text::kFree).value_or("");
    fields.flag("join_now", true);  // a first-generation server knows the field and does nothing with it
  });
}

std::string to_json(const contract::ConnectRequest& request, std::string_view token) {
  nlohmann::ordered_json out;
  if (!request.client_version.empty()) out["version"] = request.client_version;
  out["room"] = request.room;
  out["peer"] = request.peer;
  out["token"] = token;
  out["sdp"] = request.sdp;
  if (request.mix_minus != MixMinusMode::kDisabled) {
    out["mix_minus_audio"] = choice_text(kMixMinusModes, request.mix_minus);
  }
  out["sub_scope"] = choice_text(kSubscribeScopes, request.subscribe_scope);
  out["pub_scope"] = choice_text(kPublishScopes, request.publish_scope);
  out["remote_bitrate_control_mode"] = choice_text(kBitrateControlModes, request.bitrate_control_mode);
  if (request.applies_stream_limits) out["applies_stream_limits"] = true;
  for (const Codec codec : request.codecs) out["codecs"].push_back(atm::to_text(codec));
  write_senders(request.senders, out["senders"]);
  write_receivers(request.receivers, out["receivers"]);
  if (request.playout_delay) out["latency_mode"] = choice_text(kLatencyModes, request.playout_delay);
  if (!request.metadata.empty()) out["metadata"] = request.metadata;
  return write_text(out);
}

Result<contract::IceRemote> parse_ice_remote(std::string_view body) {
  return parse_body<contract::IceRemote>(body, [](const Fields& fields, contract::IceRemote& out) {
    out.conn_id = read_conn_id(fields);
    // W3C webrtc-pc 4.8.2.1: "" or null is the end of candidates.
    if (!fields.is_null("candidate")) out.candidate = fields.text("candidate", kMaxCandidateBytes, Text::kFree);
    out.username_fragment = fields.optional_text("username_fragment", kMaxNameBytes, Text::kFree).value_or("");
  });
}

Result<contract::IceRestart> parse_ice_restart(std::string_view body) {
  return parse_body<contract::IceRestart>(body, [](const Fields& fields, contract::IceRestart& out) {
    out.conn_id = read_conn_id(fields);
    out.sdp = read_sdp(fields);
  });
}

Result<contract::TokenRequest> parse_token_request(contract::TokenKind kind, std::string_view body) {
  return parse_body<contract::TokenRequest>(body, [kind](const Fields& fields, contract::TokenRequest& out) {
    out.kind = kind;
    out.room = fields.text("room", kMaxNameBytes, Text::kName);
    out.peer = fields.optional_text("peer", kMaxNameBytes, Text::kName);
    switch (kind) {
      case contract::TokenKind::kWebrtc:
        out.publish = fields.flag("publish", true);
        out.subscribe = fields.flag("subscribe", true);
        break;
      case contract::TokenKind::kWhip:
        if (!out.peer) fields.problem("peer", "is missing");
        out.subscribe = false;
        break;
      case contract::TokenKind::kWhep:
        out.publish = false;
        break;
    }
    if (const std::optional<uint64_t> seconds = fields.optional_number("expires_in", kMaxExpiresInSeconds + 1)) {
      if (*seconds == 0) fields.problem("expires_in", "must be at least 1 second");
      if (*seconds > kMaxExpiresInSeconds) fields.problem("expires_in", "must be at most ten years of seconds");
      out.expires_in = std::chrono::seconds(*seconds);
    }
  });
}

std::string envelope_ok() {
  return R"({"status":true,"data":"OK"})";
}

std::string envelope_ready(bool is_ready) {
  return is_ready ? R"({"status":true,"data":{"ready":true}})" : R"({"status":true,"data":{"ready":false}})";
}

std::string envelope(const contract::ConnectDone& done, uint32_t node_id,
                     std::span<const contract::IceServer> ice_servers) {
  nlohmann::ordered_json out;
  out["status"] = true;
  out["data"]["node_id"] = node_id;
  out["data"]["conn_id"] = done.conn_id;
  out["data"]["sdp"] = done.sdp;
  for (const contract::IceServer& server : ice_servers) {
    nlohmann::ordered_json& entry = out["data"]["ice_servers"].emplace_back();
    entry["urls"] = server.urls;
    if (!server.username.empty()) entry["username"] = server.username;
    if (!server.credential.empty()) entry["credential"] = server.credential;
  }
  return write_text(out);
}

std::string envelope_token(std::string_view token) {
  nlohmann::ordered_json out;
  out["status"] = true;
  out["data"]["token"] = token;
  return write_text(out);
}

std::string envelope_dev_info(uint16_t https_port) {
  nlohmann::ordered_json out;
  out["status"] = true;
  out["data"]["https_port"] = https_port;
  return write_text(out);
}

std::string envelope(const Error& error) {
  nlohmann::ordered_json out;
  out["status"] = false;
  write_error(error, out);
  return write_text(out);
}

std::string token_envelope(std::string_view token) {
  nlohmann::ordered_json out;
  out["success"] = true;
  out["data"]["token"] = token;
  return write_text(out);
}

std::string token_envelope(const Error& error) {
  nlohmann::ordered_json out;
  out["success"] = false;
  write_error(error, out);
  return write_text(out);
}

}  // namespace atm::json

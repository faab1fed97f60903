// Every field of every message that a client can send, deleted in turn, and given each wrong type in turn: whatever is
// missing or of the wrong type is refused with a code and the name of the field, and is never a crash further in.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include <string>
#include <string_view>
#include <vector>

#include "contract/json/admin_body.h"
#include "contract/json/http_body.h"
#include "contract/json/limits.h"
#include "contract/json/rpc.h"

namespace atm::json {
namespace {

using nlohmann::json;

// Which types a field takes, beside null, which counts as absent.
enum Type : unsigned {
  kText = 1,
  kNumber = 2,
  kFlag = 4,
  kList = 8,
  kObject = 16,
};

struct FieldRule {
  std::string_view pointer;  // RFC 6901, into the message's document
  unsigned types;
  bool is_required;
  std::string_view name;  // as the refusal tells it; "": the last part of the pointer
};

struct MessageRule {
  std::string_view name;
  std::string_view document;
  std::vector<FieldRule> fields;
};

struct Verdict {
  bool is_accepted = false;
  ErrorCode code{};
  std::string why;
};

template <typename T>
Verdict verdict_of(const Result<T>& result) {
  return result ? Verdict{true, {}, {}} : Verdict{false, result.error().code, result.error().why};
}

Verdict read_connect(const std::string& text) {
  std::string token;
  return verdict_of(parse_connect(text, &token));
}

Verdict read_rpc(const std::string& text) {
  const auto result = parse_rpc(as_bytes(text), true);
  const auto* reject = std::get_if<contract::RpcReject>(&result);
  return reject == nullptr ? Verdict{true, {}, {}} : Verdict{false, reject->code, reject->why};
}

const MessageRule kConnect{
    "connect",
    R"({"version": "1", "room": "r", "peer": "p", "token": "a.b.c", "sdp": "v=0\r\n", "mix_minus_audio": "Disabled",
        "sub_scope": "full", "pub_scope": "full", "remote_bitrate_control_mode": "PerStream", "codecs": ["OPUS"],
        "applies_stream_limits": true,
        "senders": [{"kind": "video", "name": "v", "uuid": "u", "label": "l", "screen": true, "simulcast": true,
                     "max_bitrate": 1000, "content_hint": "detail"}],
        "receivers": {"audio": 1, "video": 1}, "latency_mode": "default", "metadata": "m", "join_now": true})",
    {
        {"", kObject, true, "document"},
        {"/version", kText, false, ""},
        {"/room", kText, true, ""},
        {"/peer", kText, true, ""},
        {"/token", kText, false, ""},  // control/token refuses what is not there
        {"/sdp", kText, true, ""},
        {"/mix_minus_audio", kText, false, ""},
        {"/sub_scope", kText, false, ""},
        {"/pub_scope", kText, false, ""},
        {"/remote_bitrate_control_mode", kText, false, ""},
        {"/applies_stream_limits", kFlag, false, ""},
        {"/codecs", kList, false, ""},
        {"/codecs/0", kText, false, "codecs"},
        {"/senders", kList, false, ""},
        {"/senders/0", kObject, false, "senders[0]"},
        {"/senders/0/kind", kText, true, ""},
        {"/senders/0/name", kText, true, ""},
        {"/senders/0/uuid", kText, true, ""},
        {"/senders/0/label", kText, false, ""},
        {"/senders/0/screen", kFlag, false, ""},
        {"/senders/0/simulcast", kFlag, false, ""},
        {"/senders/0/max_bitrate", kNumber, false, ""},
        {"/senders/0/content_hint", kText, false, ""},
        {"/receivers", kObject, false, ""},
        {"/receivers/audio", kNumber, false, ""},
        {"/receivers/video", kNumber, false, ""},
        {"/latency_mode", kText, false, ""},
        {"/metadata", kText, false, ""},
        {"/join_now", kFlag, false, ""},
    }};

const MessageRule kIceRemote{
    "ice_remote",
    R"({"conn_id": "0-1-ab", "candidate": "candidate:1 1 udp 1 192.0.2.1 5 typ host", "username_fragment": "u"})",
    {{"", kObject, true, "document"},
     {"/conn_id", kText, true, ""},
     {"/candidate", kText, true, ""},
     {"/username_fragment", kText, false, ""}}};

const MessageRule kIceRestart{
    "ice_restart",
    R"({"conn_id": "0-1-ab", "sdp": "v=0\r\n"})",
    {{"", kObject, true, "document"}, {"/conn_id", kText, true, ""}, {"/sdp", kText, true, ""}}};

constexpr std::string_view kTokenBody =
    R"({"room": "r", "peer": "p", "publish": true, "subscribe": false, "expires_in": 60})";

const MessageRule kWebrtcSession{"webrtc_session",
                                 kTokenBody,
                                 {{"", kObject, true, "document"},
                                  {"/room", kText, true, ""},
                                  {"/peer", kText, false, ""},
                                  {"/publish", kFlag, false, ""},
                                  {"/subscribe", kFlag, false, ""},
                                  {"/expires_in", kNumber, false, ""}}};

const MessageRule kWhipSession{"whip_session",
                               kTokenBody,
                               {{"", kObject, true, "document"},
                                {"/room", kText, true, ""},
                                {"/peer", kText, true, ""},
                                {"/expires_in", kNumber, false, ""}}};

const MessageRule kWhepSession{"whep_session",
                               kTokenBody,
                               {{"", kObject, true, "document"},
                                {"/room", kText, true, ""},
                                {"/peer", kText, false, ""},
                                {"/expires_in", kNumber, false, ""}}};

const MessageRule kRights{
    "rights",
    R"({"publish": true, "subscribe": false})",
    {{"", kObject, true, "document"}, {"/publish", kFlag, false, ""}, {"/subscribe", kFlag, false, ""}}};
const MessageRule kMuted{"muted", R"({"muted": true})", {{"", kObject, true, "document"}, {"/muted", kFlag, true, ""}}};
const MessageRule kRevoke{"revoke",
                          R"({"jti": "a", "exp": 1})",
                          {{"", kObject, true, "document"}, {"/jti", kText, true, ""}, {"/exp", kNumber, false, ""}}};
const MessageRule kDrain{
    "drain", R"({"end_sessions": true})", {{"", kObject, true, "document"}, {"/end_sessions", kFlag, false, ""}}};

// The envelope of every request, and then the data of each.
const std::vector<MessageRule>& rpc_rules() {
  static const auto& rules = *new std::vector<MessageRule>{
      {"peer.ping",
       R"({"type": "request", "req_id": 1, "request": "peer.ping"})",
       {{"", kObject, true, "document"},
        {"/type", kText, true, ""},
        {"/req_id", kNumber, true, ""},
        {"/request", kText, true, ""}}},
      {"peer.close", R"({"type": "request", "req_id": 1, "request": "peer.close"})", {{"/req_id", kNumber, true, ""}}},
      {"peer.updateSdp",
       R"({"type": "request", "req_id": 1, "request": "peer.updateSdp",
           "data": {"sdp": "v=0", "senders": [{"kind": "audio", "name": "a", "uuid": "u", "label": "l",
                    "screen": false, "simulcast": false, "max_bitrate": 1, "content_hint": ""}],
                    "receivers": {"audio": 1, "video": 1}}})",
       {{"/data", kObject, true, ""},
        {"/data/sdp", kText, true, ""},
        {"/data/senders", kList, false, ""},
        {"/data/senders/0", kObject, false, "data.senders[0]"},
        {"/data/senders/0/kind", kText, true, ""},
        {"/data/senders/0/name", kText, true, ""},
        {"/data/senders/0/uuid", kText, true, ""},
        {"/data/senders/0/label", kText, false, ""},
        {"/data/senders/0/screen", kFlag, false, ""},
        {"/data/senders/0/simulcast", kFlag, false, ""},
        {"/data/senders/0/max_bitrate", kNumber, false, ""},
        {"/data/senders/0/content_hint", kText, false, ""},
        {"/data/receivers", kObject, false, ""},
        {"/data/receivers/audio", kNumber, false, ""},
        {"/data/receivers/video", kNumber, false, ""}}},
      {"peer.token",
       R"({"type": "request", "req_id": 1, "request": "peer.token", "data": {"token": "a.b.c"}})",
       {{"/data", kObject, true, ""}, {"/data/token", kText, true, ""}}},
      {"sender.toggle",
       R"({"type": "request", "req_id": 1, "request": "sender.toggle",
           "data": {"name": "a", "kind": "audio", "track": "t", "label": "l"}})",
       {{"/data", kObject, true, ""},
        {"/data/name", kText, true, ""},
        {"/data/kind", kText, true, ""},
        {"/data/track", kText, false, ""},
        {"/data/label", kText, false, ""}}},
      {"receiver.switch",
       R"({"type": "request", "req_id": 1, "request": "receiver.switch",
           "data": {"id": "video_0", "priority": 1, "remote": {"peer": "p", "stream": "s"}}})",
       {{"/data", kObject, true, ""},
        {"/data/id", kText, true, ""},
        {"/data/priority", kNumber, false, ""},
        {"/data/remote", kObject, true, ""},
        {"/data/remote/peer", kText, true, ""},
        {"/data/remote/stream", kText, true, ""}}},
      {"receiver.limit",
       R"({"type": "request", "req_id": 1, "request": "receiver.limit",
           "data": {"id": "video_0", "limit": {"priority": 1, "min_spatial": 0, "max_spatial": 1,
                                               "min_temporal": 0, "max_temporal": 1}}})",
       {{"/data", kObject, true, ""},
        {"/data/id", kText, true, ""},
        {"/data/limit", kObject, true, ""},
        {"/data/limit/priority", kNumber, false, ""},
        {"/data/limit/min_spatial", kNumber, false, ""},
        {"/data/limit/max_spatial", kNumber, false, ""},
        {"/data/limit/min_temporal", kNumber, false, ""},
        {"/data/limit/max_temporal", kNumber, false, ""}}},
      {"receiver.disconnect",
       R"({"type": "request", "req_id": 1, "request": "receiver.disconnect", "data": {"id": "video_0"}})",
       {{"/data", kObject, true, ""}, {"/data/id", kText, true, ""}}},
      {"mix_minus.add",
       R"({"type": "request", "req_id": 1, "request": "mix_minus.add",
           "data": {"id": "default", "remote": {"peer": "p", "stream": "s"}}})",
       {{"/data", kObject, true, ""},
        {"/data/id", kText, true, ""},
        {"/data/remote", kObject, true, ""},
        {"/data/remote/peer", kText, true, ""},
        {"/data/remote/stream", kText, true, ""}}},
      {"mix_minus.remove",
       R"({"type": "request", "req_id": 1, "request": "mix_minus.remove",
           "data": {"id": "default", "remote": {"peer": "p", "stream": "s"}}})",
       {{"/data", kObject, true, ""},
        {"/data/id", kText, true, ""},
        {"/data/remote", kObject, true, ""},
        {"/data/remote/peer", kText, true, ""},
        {"/data/remote/stream", kText, true, ""}}},
      {"mix_minus.toggle",
       R"({"type": "request", "req_id": 1, "request": "mix_minus.toggle", "data": {"id": "default", "enable": true}})",
       {{"/data", kObject, true, ""}, {"/data/id", kText, true, ""}, {"/data/enable", kFlag, true, ""}}},
      {"room.subscribe",
       R"({"type": "request", "req_id": 1, "request": "room.subscribe", "data": {"peer": "p"}})",
       {{"/data", kObject, true, ""}, {"/data/peer", kText, true, ""}}},
      {"room.unsubscribe",
       R"({"type": "request", "req_id": 1, "request": "room.unsubscribe", "data": {"peer": "p"}})",
       {{"/data", kObject, true, ""}, {"/data/peer", kText, true, ""}}},
  };
  return rules;
}

struct WrongValue {
  unsigned type;
  const char* text;
};
constexpr WrongValue kValues[] = {{kText, "\"x\""}, {kText, "\"\""},       {kNumber, "1"}, {kNumber, "1.5"},
                                  {kFlag, "true"},  {kFlag, "false"},      {kList, "[]"},  {kList, "[[{}]]"},
                                  {kObject, "{}"},  {kObject, "{\"x\":1}"}};

void remove(json& document, const std::string& pointer) {
  const json::json_pointer path(pointer);
  json& parent = document[path.parent_pointer()];
  if (parent.is_array()) {
    parent.erase(0);
  } else {
    parent.erase(path.back());
  }
}

// Every change of one message; returns how many were tried.
template <typename Read>
size_t try_all(const MessageRule& rule, Read read) {
  size_t tried = 0;
  const json whole = json::parse(rule.document);
  const Verdict untouched = read(whole.dump());
  EXPECT_TRUE(untouched.is_accepted) << rule.name << ": " << untouched.why;
  for (const FieldRule& field : rule.fields) {
    const std::string pointer(field.pointer);
    const std::string name(field.name.empty() ? field.pointer.substr(field.pointer.rfind('/') + 1) : field.name);
    const auto expect_refused = [&](const json& document, const std::string& what) {
      const Verdict verdict = read(document.dump());
      ++tried;
      EXPECT_FALSE(verdict.is_accepted) << rule.name << pointer << " " << what;
      EXPECT_EQ(verdict.code, ErrorCode::kInvalidRequest) << rule.name << pointer << " " << what;
      EXPECT_NE(verdict.why.find(name), std::string::npos)
          << rule.name << pointer << " " << what << ": " << verdict.why;
    };
    if (!pointer.empty()) {
      for (const bool is_null : {false, true}) {
        json document = whole;
        if (is_null) {
          document[json::json_pointer(pointer)] = nullptr;
        } else {
          remove(document, pointer);
        }
        // An end of candidates is null (webrtc-pc 4.8.2.1); an item of a list is nothing that can be absent.
        const bool is_item = pointer.ends_with("/0");
        if (is_null && (field.pointer == "/candidate")) continue;
        if (is_item ? is_null : field.is_required) {
          expect_refused(document, is_null ? "null" : "deleted");
        } else {
          const Verdict verdict = read(document.dump());
          ++tried;
          EXPECT_TRUE(verdict.is_accepted) << rule.name << pointer << ": " << verdict.why;
        }
      }
    }
    for (const WrongValue& value : kValues) {
      if ((field.types & value.type) != 0) continue;
      json document = whole;
      document[json::json_pointer(pointer)] = json::parse(value.text);
      expect_refused(document, value.text);
    }
  }
  return tried;
}

TEST(MissingField, OfEveryHttpBodyIsRefusedByName) {
  size_t tried = try_all(kConnect, read_connect);
  tried += try_all(kIceRemote, [](const std::string& text) { return verdict_of(parse_ice_remote(text)); });
  tried += try_all(kIceRestart, [](const std::string& text) { return verdict_of(parse_ice_restart(text)); });
  using contract::TokenKind;
  for (const auto& [rule, kind] : {std::pair{&kWebrtcSession, TokenKind::kWebrtc},
                                   {&kWhipSession, TokenKind::kWhip},
                                   {&kWhepSession, TokenKind::kWhep}}) {
    tried +=
        try_all(*rule, [kind = kind](const std::string& text) { return verdict_of(parse_token_request(kind, text)); });
  }
  tried += try_all(kRights, [](const std::string& text) { return verdict_of(parse_rights(text)); });
  tried += try_all(kMuted, [](const std::string& text) { return verdict_of(parse_muted(text)); });
  tried += try_all(kRevoke, [](const std::string& text) { return verdict_of(parse_revoke(text)); });
  tried += try_all(kDrain, [](const std::string& text) { return verdict_of(parse_drain(text)); });
  EXPECT_GT(tried, 450u);
}

TEST(MissingField, OfEveryRequestIsRefusedByName) {
  size_t tried = 0;
  for (const MessageRule& rule : rpc_rules()) tried += try_all(rule, read_rpc);
  EXPECT_GT(tried, 500u);
}

// Longer than any field may be but an SDP, which may be as long as a whole message.
TEST(MissingField, WhateverIsTooLongOrDeepIsRefused) {
  const std::string longer(10'000, 'x');
  size_t tried = 0;
  for (const MessageRule& rule : rpc_rules()) {
    for (const FieldRule& field : rule.fields) {
      const std::string pointer(field.pointer);
      if (pointer.empty() || pointer.ends_with("/sdp")) continue;
      json document = json::parse(rule.document);
      document[json::json_pointer(pointer)] = longer;
      const Verdict verdict = read_rpc(document.dump());
      EXPECT_FALSE(verdict.is_accepted) << rule.name << pointer;
      document[json::json_pointer(pointer)] = json::parse(std::string(100, '[') + std::string(100, ']'));
      EXPECT_FALSE(read_rpc(document.dump()).is_accepted) << rule.name << pointer;
      ++tried;
    }
  }
  EXPECT_GT(tried, 50u);
  json update = json::parse(R"({"type":"request","req_id":1,"request":"peer.updateSdp","data":{"sdp":""}})");
  update["data"]["sdp"] = std::string(kMaxDocumentBytes, 'x');
  EXPECT_EQ(read_rpc(update.dump()).code, ErrorCode::kTooLarge);
}

// The table above is no longer whole when the protocol grows: every field that the parser reads must be in it.
TEST(MissingField, HasEveryRequestOfTheProtocol) {
  size_t requests = 0;
  for (const MessageRule& rule : rpc_rules()) {
    const json document = json::parse(rule.document);
    EXPECT_EQ(document["request"], rule.name);
    ++requests;
    const auto result = parse_rpc(as_bytes(rule.document), true);
    ASSERT_TRUE(std::holds_alternative<contract::RpcRequest>(result)) << rule.name;
    // What the writer writes of it, the table must have: a field that is new shows here.
    const json written = json::parse(to_json(std::get<contract::RpcRequest>(result)));
    if (!written["data"].is_object()) continue;
    const json before = document["data"].flatten(), after = written["data"].flatten();
    for (const auto& [key, value] : after.items()) EXPECT_TRUE(before.contains(key)) << rule.name << key;
  }
  EXPECT_EQ(requests, 13u);
}

}  // namespace
}  // namespace atm::json

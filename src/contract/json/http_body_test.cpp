#include "contract/json/http_body.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "contract/json/limits.h"

namespace atm::json {
namespace {

using nlohmann::json;

// Every field of a connect body, as this project's own clients send it.
const char* const kFullConnect = R"({
  "version": "1.2.3", "room": "room 1/a", "peer": "người dùng", "token": "a.b.c", "sdp": "v=0\r\n",
  "mix_minus_audio": "ManualAudioStreams", "codecs": ["OPUS", "vp8", "H264", "av1", "VP8"],
  "sub_scope": "stream_only", "pub_scope": "full", "join_now": true,
  "remote_bitrate_control_mode": "PerStream", "applies_stream_limits": true, "latency_mode": "smooth-200", "metadata": "{\"a\":1}",
  "senders": [
    {"uuid": "u1", "label": "Mic", "kind": "audio", "name": "audio_main"},
    {"uuid": "u2", "label": "Cam", "kind": "video", "screen": true, "name": "video_main", "simulcast": true,
     "max_bitrate": 450000.00000000006, "content_hint": "detail"}
  ],
  "receivers": {"audio": 4, "video": 2}
})";

Result<contract::ConnectRequest> connect(const json& body) {
  std::string token;
  return parse_connect(body.dump(), &token);
}

Error error_of(const json& body) {
  const auto result = connect(body);
  return result ? Error{ErrorCode::kServerError, "accepted"} : result.error();
}

TEST(ParseConnect, ReadsEveryField) {
  std::string token;
  const auto r = parse_connect(kFullConnect, &token);
  ASSERT_TRUE(r) << r.error().why;
  EXPECT_EQ(token, "a.b.c");
  EXPECT_EQ(r->client_version, "1.2.3");
  EXPECT_EQ(r->room, "room 1/a");
  EXPECT_EQ(r->peer, "người dùng");
  EXPECT_EQ(r->sdp, "v=0\r\n");
  EXPECT_EQ(r->mix_minus, contract::MixMinusMode::kManual);
  EXPECT_EQ(r->codecs, (std::vector{Codec::kOpus, Codec::kVp8, Codec::kH264, Codec::kAv1}));
  EXPECT_EQ(r->subscribe_scope, contract::SubscribeScope::kStreamOnly);
  EXPECT_EQ(r->publish_scope, contract::PublishScope::kFull);
  EXPECT_EQ(r->bitrate_control_mode, contract::BitrateControlMode::kPerStream);
  EXPECT_TRUE(r->applies_stream_limits);
  EXPECT_EQ(r->playout_delay, 200ms);
  EXPECT_EQ(r->metadata, "{\"a\":1}");
  EXPECT_EQ(r->receivers.audio, 4u);
  EXPECT_EQ(r->receivers.video, 2u);
  ASSERT_EQ(r->senders.size(), 2u);
  EXPECT_EQ(r->senders[0].kind, MediaKind::kAudio);
  EXPECT_EQ(r->senders[0].name, "audio_main");
  EXPECT_EQ(r->senders[0].label, "Mic");
  EXPECT_FALSE(r->senders[0].screen);
  EXPECT_EQ(r->senders[1].uuid, "u2");
  EXPECT_TRUE(r->senders[1].screen);
  EXPECT_TRUE(r->senders[1].simulcast);
  EXPECT_EQ(r->senders[1].max_bitrate_bps, 450'000u);
  EXPECT_EQ(r->senders[1].content_hint, contract::ContentHint::kDetail);
}

TEST(ParseConnect, SurvivesARoundTrip) {
  std::string token;
  const auto first = parse_connect(kFullConnect, &token);
  ASSERT_TRUE(first);
  const std::string text = to_json(*first, token);
  const auto second = parse_connect(text, &token);
  ASSERT_TRUE(second) << second.error().why;
  EXPECT_EQ(to_json(*second, token), text);
  EXPECT_EQ(second->senders[1].max_bitrate_bps, 450'000u);
  EXPECT_EQ(second->codecs, first->codecs);
}

// What the browser SDK sent in the recordings `connect-basic`, `-mixminus-all`, `-screen-simulcast` and `-empty`, the
// SDP cut.
TEST(ParseConnect, ReadsWhatTheBrowserSdkSends) {
  std::string token;
  const auto basic = parse_connect(
      R"({"room":"room1","peer":"peer1","token":"token1","sdp":"v=0\r\n","senders":[{"uuid":"16ea8e57-a641-4f82-af17-6531ca7ed083","label":"Fake Default Audio Input","kind":"audio","name":"audio_main"},{"uuid":"b96eccc6-7776-46e6-ad30-8aca6117758c","label":"fake_device_0","kind":"video","name":"video_main"}],"receivers":{"audio":1,"video":1}})",
      &token);
  ASSERT_TRUE(basic) << basic.error().why;
  EXPECT_EQ(token, "token1");
  EXPECT_EQ(basic->mix_minus, contract::MixMinusMode::kDisabled);
  EXPECT_TRUE(basic->codecs.empty());
  EXPECT_EQ(basic->senders[1].label, "fake_device_0");

  const auto mix_minus = parse_connect(
      R"({"room":"room1","peer":"peer1","token":"token1","sdp":"v=0\r\n","mix_minus_audio":"AllAudioStreams","senders":[{"uuid":"175572e0-ee56-4b4a-b5b7-ee2aafc20561","label":"Fake Default Audio Input","kind":"audio","name":"audio_main"}],"receivers":{"audio":3,"video":0}})",
      &token);
  ASSERT_TRUE(mix_minus);
  EXPECT_EQ(mix_minus->mix_minus, contract::MixMinusMode::kAll);

  const auto screen = parse_connect(
      R"({"room":"room1","peer":"peer1","token":"token1","sdp":"v=0\r\n","senders":[{"uuid":"2c130359-87b3-44b5-a596-de6e022d9996","label":"fake_device_0","kind":"video","screen":true,"name":"video_screen"}],"receivers":{"audio":0,"video":0}})",
      &token);
  ASSERT_TRUE(screen);
  EXPECT_TRUE(screen->senders[0].screen);

  const auto codecs = parse_connect(
      R"({"room":"room1","peer":"peer1","token":"token1","sdp":"v=0\r\n","codecs":["OPUS","VP8","H264"],"senders":[],"receivers":{"audio":0,"video":0}})",
      &token);
  ASSERT_TRUE(codecs);
  EXPECT_EQ(codecs->codecs, (std::vector{Codec::kOpus, Codec::kVp8, Codec::kH264}));
}

TEST(ParseConnect, AcceptsBothFamiliesOfNames) {
  json body = json::parse(kFullConnect);
  using contract::BitrateControlMode;
  for (const auto& [text, mode] : {std::pair{"DynamicWithConsumers", BitrateControlMode::kSumBitrateWithClientSide},
                                   {"SumBitrateWithClientSide", BitrateControlMode::kSumBitrateWithClientSide},
                                   {"MaxBitrateOnly", BitrateControlMode::kSumBitrateOnly},
                                   {"SumBitrateOnly", BitrateControlMode::kSumBitrateOnly},
                                   {"PerStream", BitrateControlMode::kPerStream}}) {
    body["remote_bitrate_control_mode"] = text;
    ASSERT_TRUE(connect(body)) << text;
    EXPECT_EQ(connect(body)->bitrate_control_mode, mode) << text;
  }
  for (const char* text : {"stream_only", "StreamOnly", "streamOnly", "STREAM_ONLY", "Stream_Only"}) {
    body["sub_scope"] = text;
    body["pub_scope"] = text;
    ASSERT_TRUE(connect(body)) << text;
    EXPECT_EQ(connect(body)->subscribe_scope, contract::SubscribeScope::kStreamOnly);
    EXPECT_EQ(connect(body)->publish_scope, contract::PublishScope::kStreamOnly);
  }
  body["sub_scope"] = "Manual";
  EXPECT_EQ(connect(body)->subscribe_scope, contract::SubscribeScope::kManual);
  body["pub_scope"] = "Manual";  // a publish scope has no such value
  EXPECT_FALSE(connect(body));
}

// Walks every value of `document` (objects and lists too) and calls `check` with the document changed there.
template <typename Check>
void for_every_field(const json& document, Check check) {
  const json flat = document.flatten();
  for (const auto& [pointer, value] : flat.items()) {
    for (json::json_pointer at(pointer); !at.empty(); at = at.parent_pointer()) check(at);
  }
}

std::string field_of(const json::json_pointer& at) {
  std::string last = at.back();
  if (last.find_first_not_of("0123456789") == std::string::npos) last = at.parent_pointer().back();
  return last;
}

TEST(ParseConnect, NamesEveryFieldOfTheWrongType) {
  const json good = json::parse(kFullConnect);
  for_every_field(good, [&](const json::json_pointer& at) {
    // An empty object is no value of the protocol but for `receivers`, whose members are optional; 3.5 is for the rest.
    for (const json& wrong : {json::object(), json(-3.5), json::array({json::array()})}) {
      json body = good;
      body[at] = wrong;
      if (at.to_string() == "/receivers" && wrong == json::object()) continue;
      const Error error = error_of(body);
      EXPECT_EQ(error.code, ErrorCode::kInvalidRequest) << at << " " << wrong << " " << error.why;
      EXPECT_NE(error.why.find(field_of(at)), std::string::npos) << at << " " << error.why;
    }
  });
}

TEST(ParseConnect, NamesEveryRequiredFieldThatIsMissing) {
  const json good = json::parse(kFullConnect);
  for_every_field(good, [&](const json::json_pointer& at) {
    json body = good;
    json& parent = body[at.parent_pointer()];
    if (!parent.is_object()) return;
    const std::string name = at.back();
    parent.erase(name);
    const bool required = at.parent_pointer().empty() ? name == "room" || name == "peer" || name == "sdp"
                                                      : name == "uuid" || name == "kind" || (name == "name");
    const auto result = connect(body);
    EXPECT_EQ(result.has_value(), !required) << at;
    if (!result) {
      EXPECT_NE(result.error().why.find(name), std::string::npos) << result.error().why;
    }
    parent[name] = nullptr;  // null counts as absent
    EXPECT_EQ(connect(body).has_value(), !required) << at;
  });
}

TEST(ParseConnect, IgnoresUnknownFields) {
  json body = json::parse(kFullConnect);
  body["later"] = {{"deep", {1, 2, {{"x", nullptr}}}}};
  body["senders"][0]["later"] = 1;
  EXPECT_TRUE(connect(body));
}

TEST(ParseConnect, HoldsItsLimits) {
  const json good = json::parse(kFullConnect);
  json body = good;
  for (const char* name : {"room", "peer"}) {
    body = good;
    body[name] = std::string(kMaxNameBytes, 'x');
    EXPECT_TRUE(connect(body)) << name;
    body[name] = std::string(kMaxNameBytes + 1, 'x');
    EXPECT_EQ(error_of(body).code, ErrorCode::kInvalidRequest) << name;
    body[name] = "";
    EXPECT_EQ(error_of(body).code, ErrorCode::kInvalidRequest) << name;
    body[name] = "two\nlines";
    EXPECT_EQ(error_of(body).code, ErrorCode::kInvalidRequest) << name;
  }
  body = good;
  const json sender = good["senders"][0];
  body["senders"] = json::array();
  for (size_t i = 0; i < kMaxSenders; ++i) body["senders"].push_back(sender);
  EXPECT_TRUE(connect(body));
  body["senders"].push_back(sender);
  EXPECT_EQ(error_of(body).code, ErrorCode::kTooMany);

  body = good;
  body["receivers"]["video"] = kMaxReceiversPerKind;
  EXPECT_TRUE(connect(body));
  body["receivers"]["video"] = kMaxReceiversPerKind + 1;
  EXPECT_EQ(error_of(body).code, ErrorCode::kTooMany);

  body = good;
  body["sdp"] = std::string(kMaxDocumentBytes, 'x');
  EXPECT_EQ(error_of(body).code, ErrorCode::kTooLarge);
  body = good;
  body["compressed_sdp"] = "AAAA";
  EXPECT_EQ(error_of(body).code, ErrorCode::kNotSupported);
  body = good;
  body["codecs"] = {"OPUS", "PCMU"};
  EXPECT_EQ(error_of(body).code, ErrorCode::kInvalidRequest);
}

TEST(ParseConnect, RefusesWhatIsNoJson) {
  std::string token;
  for (const std::string& body :
       {std::string(), std::string("{"), std::string("[]"), std::string("null"), std::string("{\"room\":\"\xff\"}"),
        std::string("{\"room\":1e999}"), std::string(100'000, '['),
        "{\"a\":" + std::string(40, '[') + std::string(40, ']') + "}"}) {
    const auto result = parse_connect(body, &token);
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().code, ErrorCode::kInvalidRequest);
  }
  const auto nested = [](size_t depth) {
    return json::parse(std::string(depth - 1, '[') + std::string(depth - 1, ']'));
  };
  EXPECT_EQ(error_of({{"x", nested(kMaxNesting + 1)}}).why, "the document is nested too deeply");
  EXPECT_EQ(error_of({{"x", nested(kMaxNesting)}}).why, "room: is missing");
  // Brackets inside of strings are no nesting.
  EXPECT_NE(error_of(json{{"x", std::string(100, '[') + "\\\""}}).why, "the document is nested too deeply");
}

TEST(ParseIceRemote, ReadsTheRecordedBody) {
  const auto r = parse_ice_remote(
      R"({"node_id":1,"conn_id":"conn-1","candidate":"candidate:3483359246 1 udp 2122260223 127.0.0.1 41626 typ host generation 0 ufrag wN8P network-id 1 network-cost 50","sdp_mid":"0","sdp_mline_index":0,"username_fragment":"wN8P"})");
  ASSERT_TRUE(r) << r.error().why;
  EXPECT_EQ(r->conn_id, "conn-1");
  EXPECT_EQ(r->username_fragment, "wN8P");
  EXPECT_TRUE(r->candidate.starts_with("candidate:3483359246 1 udp"));
}

TEST(ParseIceRemote, TakesNullForTheEndAndNothingElseForMissing) {
  EXPECT_EQ(parse_ice_remote(R"({"conn_id":"c","candidate":null})")->candidate, "");
  EXPECT_EQ(parse_ice_remote(R"({"conn_id":"c","candidate":""})")->candidate, "");
  EXPECT_FALSE(parse_ice_remote(R"({"conn_id":"c"})"));
  EXPECT_FALSE(parse_ice_remote(R"({"candidate":""})"));
  EXPECT_FALSE(parse_ice_remote(R"({"conn_id":1,"candidate":""})"));
  EXPECT_FALSE(parse_ice_remote(R"({"conn_id":"c","candidate":"","username_fragment":5})"));
  EXPECT_FALSE(parse_ice_remote(R"({"conn_id":"c","candidate":")" + std::string(2000, 'x') + "\"}"));
}

TEST(ParseIceRestart, NeedsConnIdAndOffer) {
  EXPECT_EQ(parse_ice_restart(R"({"node_id":1,"conn_id":"c","sdp":"v=0"})")->sdp, "v=0");
  EXPECT_FALSE(parse_ice_restart(R"({"conn_id":"c"})"));
  EXPECT_FALSE(parse_ice_restart(R"({"sdp":"v=0"})"));
  EXPECT_FALSE(parse_ice_restart(R"({"conn_id":"c","sdp":""})"));
}

TEST(ParseTokenRequest, KnowsWhatEachKindNeeds) {
  using contract::TokenKind;
  const auto webrtc = parse_token_request(TokenKind::kWebrtc, R"({"room":"r","publish":false,"expires_in":60})");
  ASSERT_TRUE(webrtc);
  EXPECT_FALSE(webrtc->peer);
  EXPECT_FALSE(webrtc->publish);
  EXPECT_TRUE(webrtc->subscribe);
  EXPECT_EQ(webrtc->expires_in, std::chrono::seconds(60));
  EXPECT_FALSE(parse_token_request(TokenKind::kWebrtc, R"({"peer":"p"})"));
  EXPECT_FALSE(parse_token_request(TokenKind::kWhip, R"({"room":"r"})"));
  EXPECT_TRUE(parse_token_request(TokenKind::kWhip, R"({"room":"r","peer":"p"})")->publish);
  EXPECT_FALSE(parse_token_request(TokenKind::kWhip, R"({"room":"r","peer":"p"})")->subscribe);
  EXPECT_FALSE(parse_token_request(TokenKind::kWhep, R"({"room":"r"})")->publish);
}

TEST(ParseTokenRequest, BoundsTheLifetime) {
  const auto with = [](const char* value) {
    return parse_token_request(contract::TokenKind::kWebrtc, R"({"room":"r","expires_in":)" + std::string(value) + "}");
  };
  EXPECT_FALSE(with("null")->expires_in);
  EXPECT_TRUE(with("1"));
  EXPECT_TRUE(with("315360000"));
  for (const char* wrong : {"0", "0.5", "-1", "315360001", "1e30", "\"60\"", "true", "[]"})
    EXPECT_FALSE(with(wrong)) << wrong;
}

TEST(Envelope, LooksAsTheSdkExpects) {
  EXPECT_EQ(envelope_ready(true), R"({"status":true,"data":{"ready":true}})");
  EXPECT_EQ(envelope_ok(), R"({"status":true,"data":"OK"})");
  EXPECT_EQ(envelope(contract::ConnectDone{"0-ab", "v=0\r\n"}, 7),
            R"({"status":true,"data":{"node_id":7,"conn_id":"0-ab","sdp":"v=0\r\n"}})");
  const contract::IceServer servers[] = {{{"stun:a"}, "", ""}, {{"turn:b", "turns:c"}, "u", "p"}};
  EXPECT_EQ(json::parse(envelope(contract::ConnectDone{"0-ab", "v=0"}, 7, servers))["data"]["ice_servers"],
            json::parse(R"([{"urls":["stun:a"]},{"urls":["turn:b","turns:c"],"username":"u","credential":"p"}])"));
  const json error = json::parse(envelope(Error{ErrorCode::kInvalidToken, "no \"token\""}));
  EXPECT_EQ(error["status"], false);
  EXPECT_EQ(error["error"], "INVALID_TOKEN");
  EXPECT_EQ(error["data"]["code"], "INVALID_TOKEN");
  EXPECT_EQ(error["data"]["message"], "no \"token\"");
  EXPECT_EQ(token_envelope("a.b.c"), R"({"success":true,"data":{"token":"a.b.c"}})");
  EXPECT_EQ(json::parse(token_envelope(Error{ErrorCode::kInvalidToken, ""}))["error"], "INVALID_TOKEN");
}

}  // namespace
}  // namespace atm::json

#include "contract/json/rpc.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "contract/json/compression.h"
#include "contract/json/limits.h"

namespace atm::json {
namespace {

using contract::RpcReject;
using contract::RpcRequest;
using nlohmann::json;

std::variant<RpcRequest, RpcReject> parse(std::string_view text) {
  return parse_rpc(as_bytes(text), true);
}

template <typename Body>
Body body_of(std::string_view text, uint64_t req_id) {
  const auto result = parse(text);
  const auto* request = std::get_if<RpcRequest>(&result);
  EXPECT_TRUE(request) << text << ": " << (request ? "" : std::get<RpcReject>(result).why);
  if (!request) return {};
  EXPECT_EQ(request->req_id, req_id);
  const Body* body = std::get_if<Body>(&request->body);
  EXPECT_TRUE(body) << text;
  return body ? *body : Body{};
}

RpcReject reject_of(std::string_view text) {
  const auto result = parse(text);
  const auto* reject = std::get_if<RpcReject>(&result);
  EXPECT_TRUE(reject) << text;
  return reject ? *reject : RpcReject{};
}

// The client's messages as the browser SDK sent them in the recordings session-*.
TEST(ParseRpc, ReadsTheRecordedRequests) {
  const auto to = body_of<contract::ReceiverSwitch>(
      R"({"req_id":0,"type":"request","request":"receiver.switch","data":{"id":"audio_0","priority":100,"remote":{"peer":"peer2","stream":"audio_main"}}})",
      0);
  EXPECT_EQ(to.id, "audio_0");
  EXPECT_EQ(to.priority, 100u);
  EXPECT_EQ(to.remote, (contract::StreamKey{"peer2", "audio_main"}));
  EXPECT_EQ(
      body_of<contract::ReceiverSwitch>(
          R"({"req_id":0,"type":"request","request":"receiver.switch","data":{"id":"audio_0","priority":50,"remote":{"peer":"","stream":"mix_minus_default_0"}}})",
          0)
          .remote,
      (contract::StreamKey{"", "mix_minus_default_0"}));

  const auto limit = body_of<contract::ReceiverSetLimit>(
      R"({"req_id":4,"type":"request","request":"receiver.limit","data":{"id":"video_0","limit":{"priority":10,"min_spatial":0,"min_temporal":0,"max_spatial":1,"max_temporal":1}}})",
      4);
  EXPECT_EQ(limit.limit.priority, 10u);
  EXPECT_EQ(limit.limit.max_spatial, 1u);
  EXPECT_EQ(limit.limit.max_temporal, 1u);

  body_of<contract::PeerPing>(R"({"req_id":3,"type":"request","request":"peer.ping","data":null})", 3);
  EXPECT_EQ(body_of<contract::ReceiverDisconnect>(
                R"({"req_id":5,"type":"request","request":"receiver.disconnect","data":{"id":"audio_0"}})", 5)
                .id,
            "audio_0");
  const auto add = body_of<contract::MixMinusSource>(
      R"({"req_id":3,"type":"request","request":"mix_minus.add","data":{"id":"default","remote":{"peer":"peer2","stream":"audio_main"}}})",
      3);
  EXPECT_TRUE(add.add);
  EXPECT_EQ(add.id, "default");
  EXPECT_FALSE(
      body_of<contract::MixMinusSource>(
          R"({"req_id":4,"type":"request","request":"mix_minus.remove","data":{"id":"default","remote":{"peer":"peer2","stream":"audio_main"}}})",
          4)
          .add);
}

TEST(ParseRpc, TellsTheThreeTracksOfSenderToggleApart) {
  using Track = contract::SenderToggle::Track;
  const auto none = body_of<contract::SenderToggle>(
      R"({"req_id":7,"type":"request","request":"sender.toggle","data":{"name":"audio_main","kind":"audio"}})", 7);
  EXPECT_EQ(none.track, Track::kNone);
  EXPECT_FALSE(none.label);
  const auto switched = body_of<contract::SenderToggle>(
      R"({"req_id":8,"type":"request","request":"sender.toggle","data":{"name":"audio_main","kind":"audio","track":"d80609f0-9a31-4fe8-9e2d-b2a93a545063","label":"new label"}})",
      8);
  EXPECT_EQ(switched.track, Track::kSwitched);
  EXPECT_EQ(switched.track_id, "d80609f0-9a31-4fe8-9e2d-b2a93a545063");
  EXPECT_EQ(switched.label, "new label");
  const auto stopped = body_of<contract::SenderToggle>(
      R"({"req_id":8,"type":"request","request":"sender.toggle","data":{"name":"video_main","kind":"video","track":null}})",
      8);
  EXPECT_EQ(stopped.track, Track::kStopped);
  EXPECT_EQ(stopped.kind, MediaKind::kVideo);
}

TEST(ParseRpc, FillsInWhatALimitLeavesOut) {
  const auto limit = body_of<contract::ReceiverSetLimit>(
      R"({"req_id":1,"type":"request","request":"receiver.limit","data":{"id":"video_0","limit":{"max_spatial":99}}})",
      1);
  EXPECT_EQ(limit.limit.priority, 50u);
  EXPECT_EQ(limit.limit.min_spatial, 0u);
  EXPECT_EQ(limit.limit.max_spatial, kMaxLayer);
  EXPECT_EQ(limit.limit.max_temporal, 2u);
}

const char* const kUpdateSdp =
    R"({"req_id":9,"type":"request","request":"peer.updateSdp","data":{"sdp":"v=0\r\n","senders":[{"uuid":"d5585180","label":"Fake Default Audio Input","kind":"audio","name":"audio_main"}],"receivers":{"audio":2,"video":2}}})";

TEST(ParseRpc, ReadsAZlibMessageAsItsText) {
  json big = json::parse(kUpdateSdp);
  big["data"]["sdp"] = std::string(20'000, 'v');
  const auto result = parse_rpc(deflate(big.dump()), false);
  ASSERT_TRUE(std::holds_alternative<RpcRequest>(result));
  const auto& update = std::get<contract::PeerUpdateSdp>(std::get<RpcRequest>(result).body);
  EXPECT_EQ(update.sdp.size(), 20'000u);
  EXPECT_EQ(update.senders.at(0).name, "audio_main");
  EXPECT_EQ(update.receivers.video, 2u);
}

// {"req_id":1,"type":"request","request":"peer.ping"} by Python's zlib at its default level.
TEST(ParseRpc, ReadsAStreamMadeElsewhere) {
  const uint8_t stream[] = {0x78, 0x9c, 0xab, 0x56, 0x2a, 0x4a, 0x2d, 0x8c, 0xcf, 0x4c, 0x51, 0xb2, 0x32,
                            0xd4, 0x51, 0x2a, 0xa9, 0x2c, 0x48, 0x55, 0xb2, 0x02, 0x89, 0x94, 0xa6, 0x16,
                            0x97, 0x28, 0xe9, 0xc0, 0x59, 0x56, 0x4a, 0x05, 0xa9, 0xa9, 0x45, 0x7a, 0x05,
                            0x99, 0x79, 0xe9, 0x4a, 0xb5, 0x00, 0xba, 0xa6, 0x11, 0x54};
  const auto result = parse_rpc(stream, false);
  ASSERT_TRUE(std::holds_alternative<RpcRequest>(result)) << std::get<RpcReject>(result).why;
  EXPECT_EQ(std::get<RpcRequest>(result).req_id, 1u);
}

TEST(ParseRpc, RefusesABombBadAndBrokenStreams) {
  const auto code = [](ByteView bytes) { return std::get<RpcReject>(parse_rpc(bytes, false)).code; };
  EXPECT_EQ(code(deflate(std::string(16 << 20, ' '))), ErrorCode::kTooLarge);
  EXPECT_EQ(code(deflate(std::string(kMaxDocumentBytes + 1, ' '))), ErrorCode::kTooLarge);
  EXPECT_EQ(code(deflate(std::string(kMaxDocumentBytes, ' '))), ErrorCode::kInvalidRequest);  // large enough, no JSON
  EXPECT_EQ(code({}), ErrorCode::kInvalidRequest);
  const Bytes good = deflate(kUpdateSdp);
  for (size_t size = 0; size < good.size(); ++size) {
    EXPECT_EQ(code(ByteView(good).first(size)), ErrorCode::kInvalidRequest);
  }
  Bytes longer = good;
  longer.push_back(0);
  EXPECT_EQ(code(longer), ErrorCode::kInvalidRequest);
  Bytes broken = good;
  broken.back() ^= 1;  // the checksum
  EXPECT_EQ(code(broken), ErrorCode::kInvalidRequest);
}

TEST(ParseRpc, AnUnknownRequestCanBeAnswered) {
  const RpcReject reject = reject_of(R"({"req_id":12,"type":"request","request":"peer.dance","data":{}})");
  EXPECT_EQ(reject.code, ErrorCode::kUnknownRequest);
  EXPECT_EQ(reject.req_id, 12u);
  const json answer = json::parse(to_json(answer_to(reject)));
  EXPECT_EQ(answer["req_id"], 12);
  EXPECT_EQ(answer["success"], false);
  EXPECT_EQ(answer["error"], "UNKNOWN_REQUEST");
}

TEST(ParseRpc, NeverAnswersAnAnswerOrAnEvent) {
  for (const char* text : {R"({"type":"answer","req_id":1,"success":true,"data":null})",
                           R"({"type":"event","req_id":1,"event":"x","data":{}})", R"({"req_id":1})", "[]", "", "{"}) {
    EXPECT_EQ(reject_of(text).req_id, std::nullopt) << text;
  }
  for (const char* id : {"-1", "\"1\"", "null", "{}", "true"}) {
    EXPECT_EQ(reject_of(R"({"type":"request","request":"peer.ping","req_id":)" + std::string(id) + "}").req_id,
              std::nullopt);
  }
}

const std::vector<std::string>& every_request() {
  static const std::vector<std::string> all = [] {
    using namespace contract;
    const StreamKey key{"peer 2", "audio_main"};
    const SenderInfo sender{MediaKind::kVideo, "video_main", "u", "l", true, true, 5, ContentHint::kMotion};
    using Track = SenderToggle::Track;
    std::vector<std::string> out;
    for (const RpcBody& body : std::initializer_list<RpcBody>{
             PeerPing{}, PeerClose{}, PeerUpdateSdp{"v=0", {sender}, {1, 2}}, PeerToken{"t"},
             SenderToggle{"n", MediaKind::kAudio, Track::kSwitched, "id", "label"},
             SenderToggle{"n", MediaKind::kAudio, Track::kNone, "", std::nullopt},
             SenderToggle{"n", MediaKind::kVideo, Track::kStopped, "", std::nullopt}, ReceiverSwitch{"video_0", 7, key},
             ReceiverSetLimit{"video_0", {1, 1, 2, 1, 2}}, ReceiverDisconnect{"video_0"},
             MixMinusSource{"default", key, true}, MixMinusSource{"default", key, false},
             MixMinusToggle{"default", false}, RoomSubscription{"p", true}, RoomSubscription{"p", false}}) {
      out.push_back(to_json(RpcRequest{5, body}));
    }
    return out;
  }();
  return all;
}

TEST(Rpc, EveryRequestSurvivesARoundTrip) {
  for (const std::string& text : every_request()) {
    const auto result = parse(text);
    ASSERT_TRUE(std::holds_alternative<RpcRequest>(result)) << text << std::get<RpcReject>(result).why;
    EXPECT_EQ(to_json(std::get<RpcRequest>(result)), text);
  }
}

// Every field of every request, deleted and given a wrong type: answered with its req_id and the field's name, or read.
TEST(Rpc, EveryBrokenFieldIsRefusedAndNamed) {
  const std::vector<std::string> optional = {
      "label", "track", "screen",   "simulcast",   "max_bitrate", "content_hint", "senders",     "receivers",
      "audio", "video", "priority", "min_spatial", "max_spatial", "min_temporal", "max_temporal"};
  for (const std::string& text : every_request()) {
    const json good = json::parse(text);
    const json flat = good.flatten();
    for (const auto& [pointer, unused] : flat.items()) {
      for (json::json_pointer at(pointer); !at.empty(); at = at.parent_pointer()) {
        if (!at.to_string().starts_with("/data")) continue;
        if (good["data"].is_null()) continue;  // peer.ping, peer.close: whatever they carry is ignored
        const bool in_list = good[at.parent_pointer()].is_array();
        const std::string name = in_list ? at.parent_pointer().back() : at.back();
        json wrong = good;
        // No number below 0, and no list of a number, is a value of the protocol.
        for (const json& value : {json(-1), json::array({-1})}) {
          wrong[at] = value;
          const RpcReject reject = reject_of(wrong.dump());
          EXPECT_EQ(reject.code, ErrorCode::kInvalidRequest) << wrong;
          EXPECT_EQ(reject.req_id, 5u) << wrong;
          EXPECT_NE(reject.why.find(name), std::string::npos) << wrong << reject.why;
        }
        if (in_list) continue;
        json missing = good;
        missing[at.parent_pointer()].erase(at.back());
        const bool may_miss = std::find(optional.begin(), optional.end(), name) != optional.end();
        const auto result = parse(missing.dump());
        EXPECT_EQ(std::holds_alternative<RpcRequest>(result), may_miss) << missing;
      }
    }
  }
}

TEST(RpcAnswer, LooksAsTheSdkExpects) {
  using contract::RpcAnswer;
  EXPECT_EQ(to_json(RpcAnswer{3, RpcAnswer::Done{}}), R"({"type":"answer","req_id":3,"success":true,"data":true})");
  EXPECT_EQ(to_json(RpcAnswer{0, RpcAnswer::Sdp{"v=0\r\n"}}),
            R"({"type":"answer","req_id":0,"success":true,"data":{"sdp":"v=0\r\n"}})");
  EXPECT_EQ(
      to_json(RpcAnswer{4, Error{ErrorCode::kTrackNotFound, "no video_7"}}),
      R"({"type":"answer","req_id":4,"success":false,"data":{"code":"TRACK_NOT_FOUND","message":"no video_7"},"error":"TRACK_NOT_FOUND"})");
}

TEST(Event, LooksAsTheSdkExpects) {
  using namespace contract;
  const StreamEvent stream{PresenceChange::kAdded,   "peer1", "video_main", MediaKind::kVideo, StreamScaling::kSingle,
                           StreamStatus::kConnected, true,    "Cam"};
  EXPECT_EQ(
      to_json(Event(stream)),
      R"({"type":"event","event":"stream_added","data":{"peer":"peer1","peer_hash":)" +
          std::to_string(peer_hash("peer1")) +
          R"(,"kind":"video","stream":"video_main","state":{"kind":"video","scaling":"single","layers":[],"status":"connected","active":true,"label":"Cam"}}})");
  StreamEvent removed = stream;
  removed.change = PresenceChange::kRemoved;
  EXPECT_EQ(json::parse(to_json(Event(removed)))["event"], "stream_removed");
  EXPECT_TRUE(json::parse(to_json(Event(removed)))["data"]["state"].is_null());

  const json peer = json::parse(to_json(Event(PeerEvent{PresenceChange::kUpdated, "p", PeerStatus::kReconnecting})));
  EXPECT_EQ(peer["event"], "peer_updated");
  EXPECT_EQ(peer["data"]["state"], (json{{"state", "Reconnecting"}, {"protocol", "Webrtc"}}));
  EXPECT_EQ(peer["data"]["peer_hash"], peer_hash("p"));

  EXPECT_EQ(to_json(Event(RoomStats{2})), R"({"type":"event","event":"room_stats","data":{"peers":2}})");
  EXPECT_EQ(to_json(Event(ReceiverStateEvent{"video_0", ReceiverState::kConnecting, ErrorCode::kUnsupportedCodec})),
            R"({"type":"event","event":"local_stream_video_0_state",)"
            R"("data":{"state":"connecting","reason":"UNSUPPORTED_CODEC"}})");
  EXPECT_EQ(to_json(Event(ReceiverStateEvent{"video_0", ReceiverState::kSourceDeactived})),
            R"({"type":"event","event":"local_stream_video_0_state","data":{"state":"source_deactived"}})");
  EXPECT_EQ(to_json(Event(SenderStateEvent{"audio_main", SenderState::kConnected})),
            R"({"type":"event","event":"remote_stream_audio_main_state","data":{"state":"connected"}})");
  EXPECT_EQ(to_json(Event(StreamLimitEvent{"video_main", 100'000, {0, 2}})),
            R"({"type":"event","event":"remote_stream_video_main_limit",)"
            R"("data":{"max_bitrate":100000,"layers":[0,2]}})");
  EXPECT_EQ(to_json(Event(StreamLimitEvent{"video_main", 0, {}})),
            R"({"type":"event","event":"remote_stream_video_main_limit","data":{"max_bitrate":0,"layers":[]}})");
  EXPECT_EQ(to_json(Event(SessionClosing{"replaced", std::nullopt})),
            R"({"type":"event","event":"session_closing","data":{"reason":"replaced"}})");
}

TEST(Event, ANameThatIsNoUtf8StillMakesAnEvent) {
  const std::string text = to_json(contract::Event(contract::SessionClosing{"a\xff", std::nullopt}));
  EXPECT_EQ(json::parse(text)["data"]["reason"], "a\xEF\xBF\xBD");
}

// FNV-1a test vectors of RFC 9923's reference tables.
TEST(PeerHash, IsFnv1a) {
  EXPECT_EQ(peer_hash(""), 0x811c9dc5u);
  EXPECT_EQ(peer_hash("a"), 0xe40c292cu);
  EXPECT_EQ(peer_hash("foobar"), 0xbf9cf968u);
}

TEST(ServerMessage, EveryAnswerAndEventSurvivesARoundTrip) {
  using namespace contract;
  std::vector<Event> events = {RoomStats{9},
                               SessionClosing{"drain", 1000},
                               SessionClosing{"kick", std::nullopt},
                               StreamLimitEvent{"my_limit_sender", 2'500'000, {0, 1, 2}},
                               StreamLimitEvent{"v", 0, {}},
                               SenderLevelEvent{"my_audio_level_sender", -127},
                               SenderLevelEvent{"a", 0},
                               ReceiverLevelEvent{"audio_0", -31}};
  for (auto change : {PresenceChange::kAdded, PresenceChange::kUpdated, PresenceChange::kRemoved}) {
    events.push_back(
        StreamEvent{change, "p", "s", MediaKind::kVideo, StreamScaling::kSvc, StreamStatus::kReconnecting, false, "l"});
    events.push_back(PeerEvent{change, "p", PeerStatus::kReconnecting});
    events.push_back(PeerEvent{change, "p", PeerStatus::kConnected, R"({"avatar":7})"});
  }
  for (auto state : {ReceiverState::kNoSource, ReceiverState::kConnecting, ReceiverState::kLive, ReceiverState::kPaused,
                     ReceiverState::kKeyOnly, ReceiverState::kSourceDeactived}) {
    events.push_back(ReceiverStateEvent{"video_0", state});
  }
  for (auto state : {SenderState::kCreated, SenderState::kConnecting, SenderState::kConnected, SenderState::kDeactived,
                     SenderState::kClosed}) {
    events.push_back(SenderStateEvent{"my_state_sender", state});
  }
  for (const Event& event : events) {
    const std::string text = to_json(event);
    for (const bool is_text : {true, false}) {
      const Bytes packed = deflate(text);
      const auto back = parse_server_message(is_text ? as_bytes(text) : ByteView(packed), is_text);
      ASSERT_TRUE(back) << text;
      EXPECT_EQ(to_json(std::get<Event>(*back)), text);
    }
  }
  for (const RpcAnswer& answer : {RpcAnswer{1, RpcAnswer::Done{}}, RpcAnswer{2, RpcAnswer::Sdp{"v=0"}},
                                  RpcAnswer{3, Error{ErrorCode::kForbidden, "no"}}}) {
    const std::string text = to_json(answer);
    const auto back = parse_server_message(as_bytes(text), true);
    ASSERT_TRUE(back) << text;
    EXPECT_EQ(to_json(std::get<RpcAnswer>(*back)), text);
  }
}

TEST(ServerMessage, ALevelIsAWholeNumberFromSilenceToZero) {
  EXPECT_EQ(to_json(contract::Event(contract::ReceiverLevelEvent{"audio_0", -31})),
            R"({"type":"event","event":"local_stream_audio_0_audio_level","data":{"level":-31}})");
  for (const char* level : {"1", "-128", "-1.5", "\"-3\"", "null"}) {
    const std::string text =
        R"({"type":"event","event":"local_stream_audio_0_audio_level","data":{"level":)" + std::string(level) + "}}";
    EXPECT_FALSE(parse_server_message(as_bytes(text), true)) << level;
  }
}

TEST(ServerMessage, AMixerTellsItsSlotsAndWhoTalks) {
  using namespace contract;
  const std::string text = to_json(Event(
      MixMinusStateEvent{"my_mix", {MixMinusStateEvent::Heard{"ann-audio_main", -21}, {}, {}}, {{"bob-mic", -40}}}));
  EXPECT_EQ(text, R"({"type":"event","event":"mix_minus_my_mix_state",)"
                  R"("data":{"active":[["ann-audio_main",-21],null,null],"sources":{"bob-mic":-40}}})");
  const auto back = parse_server_message(as_bytes(text), true);
  ASSERT_TRUE(back);
  EXPECT_EQ(to_json(std::get<Event>(*back)), text);
  for (const char* data : {R"({"active":[["a"]],"sources":{}})", R"({"active":[["a",1]],"sources":{}})", R"({})",
                           R"({"active":[1],"sources":{}})", R"({"active":[],"sources":{"a":"b"}})", "[]"}) {
    const std::string bad = R"({"type":"event","event":"mix_minus_a_state","data":)" + std::string(data) + "}";
    EXPECT_FALSE(parse_server_message(as_bytes(bad), true)) << data;
  }
}

TEST(ServerMessage, QualityNamesItsPeerByTheHash) {
  using namespace contract;
  const std::string text = to_json(Event(QualityEvent{"video_0", 3'250, {"foobar", "video_main"}}));
  EXPECT_EQ(text, R"({"type":"event","event":"local_stream_video_0_quality",)"
                  R"("data":{"mos":3250,"peer":3214735720,"name":"video_main"}})");
  const auto back = parse_server_message(as_bytes(text), true);
  ASSERT_TRUE(back);
  const auto& read = std::get<QualityEvent>(std::get<Event>(*back));
  EXPECT_EQ(read.id, "video_0");
  EXPECT_EQ(read.mos, 3'250u);
  EXPECT_EQ(read.remote.stream, "video_main");
  EXPECT_FALSE(parse_server_message(
      as_bytes(R"({"type":"event","event":"local_stream_video_0_quality","data":{"mos":5001,"peer":1,"name":"v"}})"),
      true));
}

TEST(ServerMessage, ReadsAFirstGenerationServer) {
  const auto done = parse_server_message(as_bytes(R"({"type":"answer","req_id":2,"success":true,"data":null})"), true);
  ASSERT_TRUE(done);
  EXPECT_TRUE(std::holds_alternative<contract::RpcAnswer::Done>(std::get<contract::RpcAnswer>(*done).data));
  const auto failed =
      parse_server_message(as_bytes(R"({"type":"answer","req_id":2,"success":false,"data":null})"), true);
  ASSERT_TRUE(failed);
  EXPECT_EQ(std::get<Error>(std::get<contract::RpcAnswer>(*failed).data).code, ErrorCode::kServerError);
  const auto added = parse_server_message(
      as_bytes(
          R"({"type":"event","event":"stream_added","data":{"peer":"peer1","peer_hash":"h1","kind":"audio","stream":"audio_main","state":{"scaling":"Single","layers":[],"status":"connected","active":true,"label":null}}})"),
      true);
  ASSERT_TRUE(added);
  for (const char* text :
       {R"({"type":"event","event":"later","data":{}})", R"({"type":"request"})", "{}", "[", "",
        R"({"type":"event","event":"remote_stream_v_limit","data":{"max_bitrate":0,"layers":[-1]}})",
        R"({"type":"event","event":"remote_stream_v_limit","data":{"max_bitrate":0,"layers":[8]}})",
        R"({"type":"event","event":"remote_stream_v_limit","data":{"max_bitrate":0,"layers":"all"}})",
        R"({"type":"event","event":"remote_stream_v_limit","data":{"max_bitrate":10000000001,"layers":[]}})"}) {
    EXPECT_FALSE(parse_server_message(as_bytes(text), true)) << text;
  }
}

}  // namespace
}  // namespace atm::json

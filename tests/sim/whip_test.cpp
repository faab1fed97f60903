// WHIP publishers and WHEP players in a room, on one worker and on two: they have no data channel, say nothing, and are
// told nothing.
#include <gtest/gtest.h>

#include "wire/sdp/fragment.h"
#include "wire/sdp/sdp.h"
#include "world.h"

namespace atm::sim {
namespace {

using contract::Protocol;

constexpr LinkConfig kLink{20ms, 2ms, 0, 0};

ClientConfig publisher(const std::string& peer) {
  ClientConfig config;
  config.peer = peer;
  config.protocol = Protocol::kWhip;
  config.audio_receivers = config.video_receivers = 0;
  return config;
}
ClientConfig player(const std::string& peer) {
  ClientConfig config;
  config.peer = peer;
  config.protocol = Protocol::kWhep;
  config.sends_audio = config.sends_video = false;
  return config;
}
ClientConfig participant(const std::string& peer) {
  ClientConfig config;
  config.peer = peer;
  return config;
}

// The player shows and plays `from` now.
bool shows(Client& client, const Client& from) {
  return client.video(0).shown_publisher() == from.number();
}

class Whip : public testing::TestWithParam<size_t> {
 protected:
  Client& join(ClientConfig config) {
    Client& client = world_.add_client(std::move(config));
    EXPECT_TRUE(world_.connect(client)) << (world_.error() ? world_.error()->why : "");
    return client;
  }
  // New pictures and new sound, within so much time.
  bool plays(Client& client, const Client& from, Duration within = 5s) {
    const uint64_t frames = client.video(0).decodable_frames(), packets = client.audio_packets(0);
    return world_.run_until(
        [&] {
          return shows(client, from) && client.video(0).decodable_frames() >= frames + 5 &&
                 client.audio_packets(0) >= packets + 5;
        },
        within);
  }
  contract::Reply end(Client& client, Protocol protocol) {
    return world_.command({0, contract::Disconnect{client.conn_id(), protocol}}, world_.worker_of(client));
  }
  Result<std::optional<contract::IceRestarted>> patch(Client& client, const std::string& fragment,
                                                      const std::string& tag) {
    contract::PatchIce patch{client.conn_id(), client.config().protocol, fragment, tag == "*", {tag}};
    contract::Reply reply = world_.command({0, std::move(patch)}, world_.worker_of(client));
    if (auto* error = std::get_if<Error>(&reply.body)) return tl::unexpected(*error);
    if (auto* restarted = std::get_if<contract::IceRestarted>(&reply.body)) return std::optional(*restarted);
    EXPECT_TRUE(std::holds_alternative<contract::Done>(reply.body));
    return std::optional<contract::IceRestarted>();
  }
  static sdp::Transport transport_of(const std::string& description) {
    const auto parsed = sdp::parse(description);
    EXPECT_TRUE(parsed);
    return parsed ? parsed->media.at(0).transport : sdp::Transport{};
  }
  static std::string fragment_of(const sdp::Transport& transport) {
    return "a=ice-ufrag:" + transport.ice_ufrag + "\r\na=ice-pwd:" + transport.ice_pwd +
           "\r\nm=audio 9 RTP/AVP 0\r\na=mid:0\r\n";
  }
  static ErrorCode code_of(const Result<std::optional<contract::IceRestarted>>& patched) {
    return patched ? ErrorCode::kServerError : patched.error().code;
  }

  World world_{11, kLink, GetParam()};
};

TEST_P(Whip, APublisherIsSeenByAParticipant) {
  Client& bob = join(participant("bob"));
  Client& camera = join(publisher("camera"));
  ASSERT_TRUE(world_.run_until([&] { return bob.streams().contains("camera/video_main"); }, 5s));
  ASSERT_TRUE(bob.streams().contains("camera/audio_main"));
  bool is_announced = false;
  for (const contract::Event& event : bob.events()) {
    const auto* peer = std::get_if<contract::PeerEvent>(&event);
    if (peer != nullptr && peer->peer == "camera") is_announced = peer->protocol == Protocol::kWhip;
  }
  EXPECT_TRUE(is_announced);
  world_.view(bob, "audio_0", "camera", "audio_main");
  world_.view(bob, "video_0", "camera", "video_main");
  EXPECT_TRUE(plays(bob, camera));
  // 10 s to the data channel would have passed.
  world_.run_for(25s);
  EXPECT_TRUE(plays(bob, camera));

  end(camera, Protocol::kWhip);
  EXPECT_TRUE(world_.run_until([&] { return !bob.streams().contains("camera/video_main"); }, 200ms));
  EXPECT_EQ(world_.session_count(), 1u);
}

TEST_P(Whip, APlayerShowsAParticipant) {
  Client& anna = join(participant("anna"));
  Client& tv = join(player("tv"));
  EXPECT_TRUE(plays(tv, anna));
  EXPECT_TRUE(tv.events().empty());
  world_.run_for(25s);
  EXPECT_TRUE(plays(tv, anna));
  end(tv, Protocol::kWhep);
  world_.run_for(1s);
  EXPECT_EQ(world_.session_count(), 1u);
  EXPECT_EQ(anna.room_peers(), 1u);
}

TEST_P(Whip, APlayerThatComesFirstShowsWhoComesThen) {
  Client& tv = join(player("tv"));
  world_.run_for(3s);
  Client& camera = join(publisher("camera"));
  EXPECT_TRUE(plays(tv, camera));
}

TEST_P(Whip, APlayerStaysWithTheFirstAndFollowsWhenItGoes) {
  // By name the other way round than by time.
  Client& zoe = join(publisher("zoe"));
  world_.run_for(1s);
  Client& anna = join(participant("anna"));
  world_.run_for(1s);
  Client& tv = join(player("tv"));
  ASSERT_TRUE(plays(tv, zoe));
  Client& bela = join(participant("bela"));
  world_.run_for(2s);
  EXPECT_TRUE(shows(tv, zoe));

  end(zoe, Protocol::kWhip);
  ASSERT_TRUE(plays(tv, anna));
  // Whoever switches its track off is left for one who has some; and not gone back to.
  const contract::SenderToggle off{"video_main", MediaKind::kVideo, contract::SenderToggle::Track::kNone, "", {}};
  const contract::SenderToggle on{"video_main", MediaKind::kVideo, contract::SenderToggle::Track::kSwitched, "t", {}};
  world_.request(anna, off);
  ASSERT_TRUE(world_.run_until([&] { return shows(tv, bela); }, 3s));
  world_.request(anna, on);
  world_.run_for(2s);
  EXPECT_TRUE(shows(tv, bela));
  // Nobody else is left.
  world_.request(anna, contract::PeerClose{});
  world_.run_for(1s);
  world_.request(bela, off);
  world_.run_for(1s);
  world_.request(bela, on);
  EXPECT_TRUE(plays(tv, bela));
}

TEST_P(Whip, APublisherThatComesBackIsShownAgain) {
  Client& first = join(publisher("camera"));
  Client& tv = join(player("tv"));
  ASSERT_TRUE(plays(tv, first));
  first.set_silent(true);  // its program has crashed
  Client& second = join(publisher("camera"));
  EXPECT_TRUE(plays(tv, second));
}

TEST_P(Whip, APlayerGetsLayersByItsLimits) {
  ClientConfig simulcast = publisher("camera");
  simulcast.sends_simulcast = true;
  Client& camera = join(simulcast);
  Client& tv = join(player("tv"));
  const auto layer = [&](uint8_t i) { return Client::layer_publisher(camera.number(), i); };
  ASSERT_TRUE(world_.run_until([&] { return tv.video(0).shown_publisher() == layer(2); }, 10s));
  // The highest layer alone has more than that.
  LinkConfig narrow = kLink;
  narrow.rate_bps = 900'000;
  world_.downlink(tv).set_config(narrow);
  EXPECT_TRUE(world_.run_until([&] { return tv.video(0).shown_publisher() < layer(2); }, 10s));
  EXPECT_EQ(tv.video(0).contradictions(), 0u);
}

TEST_P(Whip, WithoutIceAndDtlsASessionIsDroppedAfterTenSeconds) {
  Client& camera = world_.add_client(publisher("camera"));
  contract::Reply reply = world_.command({0, contract::Connect{camera.connect_request()}}, world_.worker_of(camera));
  ASSERT_TRUE(std::holds_alternative<contract::ConnectDone>(reply.body));
  world_.run_for(9'900ms);
  EXPECT_EQ(world_.session_count(), 1u);
  world_.run_for(200ms);
  EXPECT_EQ(world_.session_count(), 0u);
}

TEST_P(Whip, TricklingNeedsTheTagAndTheCredentialsOfTheIceSession) {
  Client& camera = join(publisher("camera"));
  const std::string tag = transport_of(camera.last_answer()).ice_ufrag;
  const sdp::Transport own = transport_of(camera.make_offer());
  const std::string candidate = "a=candidate:1 1 udp 2122260223 192.0.2.1 61764 typ host\r\na=end-of-candidates\r\n";
  for (int times = 0; times < 2; ++times) {
    const auto trickled = patch(camera, fragment_of(own) + candidate, tag);
    ASSERT_TRUE(trickled) << trickled.error().why;
    EXPECT_FALSE(*trickled);
  }
  EXPECT_EQ(code_of(patch(camera, fragment_of(own), "another")), ErrorCode::kPreconditionFailed);
  sdp::Transport other = own;
  other.ice_ufrag = "other";
  EXPECT_EQ(code_of(patch(camera, fragment_of(other), tag)), ErrorCode::kConflict);
  EXPECT_EQ(code_of(patch(camera, "nonsense", tag)), ErrorCode::kInvalidSdp);
  EXPECT_EQ(code_of(patch(camera, "m=audio 9 RTP/AVP 0\r\n", "*")), ErrorCode::kInvalidSdp);
  Client& tv = join(player("tv"));
  EXPECT_TRUE(plays(tv, camera)) << "none of it hurt";
}

TEST_P(Whip, ARestartGivesNewCredentialsAndTheMediaGoesOn) {
  Client& camera = join(publisher("camera"));
  Client& tv = join(player("tv"));
  for (Client* client : {&camera, &tv}) {
    ASSERT_TRUE(plays(tv, camera));
    const sdp::Transport before = transport_of(client->last_answer());
    client->restart_ice(world_.now());
    const sdp::Transport own = transport_of(client->make_offer());
    const auto restarted = patch(*client, fragment_of(own), "*");
    ASSERT_TRUE(restarted) << restarted.error().why;
    ASSERT_TRUE(*restarted);
    const auto fragment = sdp::parse_fragment((*restarted)->fragment);
    ASSERT_TRUE(fragment && fragment->credentials());
    EXPECT_TRUE(fragment->is_ice_lite);
    EXPECT_NE(fragment->ufrag, before.ice_ufrag);
    EXPECT_EQ((*restarted)->ice_tag, fragment->ufrag);
    ASSERT_EQ(fragment->media.size(), 1u);
    EXPECT_FALSE(fragment->media[0].candidates.empty());
    // The response may be lost: asked again, it is the same.
    const auto again = patch(*client, fragment_of(own), "*");
    ASSERT_TRUE(again && *again);
    EXPECT_EQ((*again)->fragment, (*restarted)->fragment);
    EXPECT_EQ(code_of(patch(*client, fragment_of(own), before.ice_ufrag)), ErrorCode::kPreconditionFailed);

    std::string answer = client->last_answer();
    for (const auto& [old, now] : {std::pair{before.ice_ufrag, fragment->ufrag}, {before.ice_pwd, fragment->pwd}}) {
      for (size_t at; (at = answer.find(old)) != std::string::npos;) answer.replace(at, old.size(), now);
    }
    EXPECT_TRUE(world_.accept(*client, answer));
    world_.run_for(40s);  // longer than the old credentials count
  }
  EXPECT_TRUE(plays(tv, camera));
}

TEST_P(Whip, OffersThatAreNoneOfTheirsAreRefused) {
  const auto refusal = [&](ClientConfig config, const std::string& from = "", const std::string& to = "") {
    Client& client = world_.add_client(std::move(config));
    contract::ConnectRequest request = client.connect_request();
    for (size_t at = 0; !from.empty() && (at = request.sdp.find(from, at)) != std::string::npos; at += to.size()) {
      request.sdp.replace(at, from.size(), to);
    }
    contract::Reply reply = world_.command({0, contract::Connect{std::move(request)}}, world_.worker_of(client));
    const auto* error = std::get_if<Error>(&reply.body);
    return error == nullptr ? ErrorCode::kServerError : error->code;
  };
  EXPECT_EQ(refusal(publisher("a"), "a=sendonly", "a=recvonly"), ErrorCode::kUnsupportedSdp);
  EXPECT_EQ(refusal(publisher("b"), "a=sendonly", "a=inactive"), ErrorCode::kUnsupportedSdp);
  EXPECT_EQ(refusal(player("c"), "a=recvonly", "a=sendonly"), ErrorCode::kUnsupportedSdp);
  EXPECT_EQ(refusal(publisher("d"), "a=setup:actpass", "a=setup:passive"), ErrorCode::kUnsupportedSdp);
  EXPECT_EQ(refusal(publisher("e"), "opus/48000", "G729/8000"), ErrorCode::kNotAcceptable);
  EXPECT_EQ(refusal(publisher("f"), "v=0", "v=1"), ErrorCode::kInvalidSdp);
  ClientConfig two = player("g");
  two.video_receivers = 2;
  EXPECT_EQ(refusal(two), ErrorCode::kNotAcceptable);
  EXPECT_EQ(world_.session_count(), 0u);
  // One kind alone will do.
  ClientConfig silent = publisher("h");
  silent.sends_audio = false;
  join(silent);
  ClientConfig deaf = player("i");
  deaf.audio_receivers = 0;
  join(deaf);
  EXPECT_EQ(world_.session_count(), 2u);
}

// The shape of libdatachannel's offers, which OBS sends: transport at session level, all candidates, H264 and Opus
// alone, no RTX, no header extensions, no transport-wide feedback.
TEST_P(Whip, AnOfferAsOfObsIsTaken) {
  const std::string transport =
      "a=setup:actpass\r\na=ice-ufrag:9ZzX\r\na=ice-pwd:qPvL2f3u8lYbXnQyRk5sTd\r\na=ice-options:ice2,trickle\r\n"
      "a=fingerprint:sha-256 "
      "12:34:56:78:9A:BC:DE:F0:12:34:56:78:9A:BC:DE:F0:12:34:56:78:9A:BC:DE:F0:12:34:56:78:9A:BC:DE:F0\r\n";
  const std::string candidates =
      "a=candidate:1 1 UDP 2122317823 192.0.2.7 51234 typ host\r\n"
      "a=candidate:2 1 TCP 2105524479 192.0.2.7 9 typ host tcptype active\r\na=end-of-candidates\r\n";
  contract::ConnectRequest request;
  request.protocol = Protocol::kWhip;
  request.room = "room";
  request.peer = "obs";
  request.senders = {{.kind = MediaKind::kAudio, .name = "audio_main", .uuid = {}, .label = {}},
                     {.kind = MediaKind::kVideo, .name = "video_main", .uuid = {}, .label = {}}};
  request.sdp =
      "v=0\r\no=rtc 2890844526 0 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=group:BUNDLE 0 1\r\na=group:LS 0 1\r\n"
      "a=msid-semantic:WMS *\r\n" +
      transport +
      "m=audio 51234 UDP/TLS/RTP/SAVPF 111\r\nc=IN IP4 192.0.2.7\r\na=mid:0\r\na=sendonly\r\n"
      "a=ssrc:101 cname:obs\r\na=ssrc:101 msid:obs obs-audio\r\na=msid:obs obs-audio\r\na=rtcp-mux\r\n"
      "a=rtpmap:111 OPUS/48000/2\r\na=fmtp:111 minptime=10;maxaveragebitrate=96000;stereo=1;useinbandfec=1\r\n" +
      candidates +
      "m=video 51234 UDP/TLS/RTP/SAVPF 96\r\nc=IN IP4 192.0.2.7\r\na=mid:1\r\na=sendonly\r\na=ssrc:102 cname:obs\r\n"
      "a=ssrc:102 msid:obs obs-video\r\na=msid:obs obs-video\r\na=rtcp-mux\r\na=rtpmap:96 H264/90000\r\n"
      "a=rtcp-fb:96 nack\r\na=rtcp-fb:96 nack pli\r\na=rtcp-fb:96 goog-remb\r\n"
      "a=fmtp:96 profile-level-id=42e01f;packetization-mode=1;level-asymmetry-allowed=1\r\n" +
      candidates;
  const contract::Reply reply = world_.command({0, contract::Connect{std::move(request)}});
  const auto* done = std::get_if<contract::ConnectDone>(&reply.body);
  ASSERT_NE(done, nullptr) << std::get<Error>(reply.body).why;
  const auto answer = sdp::parse(done->sdp);
  ASSERT_TRUE(answer);
  ASSERT_EQ(answer->media.size(), 2u);
  for (const sdp::MediaDescription& media : answer->media) {
    EXPECT_EQ(media.direction, sdp::Direction::kRecvOnly);
    EXPECT_EQ(media.rtpmaps.size(), 1u);
  }
  EXPECT_FALSE(answer->media[0].candidates.empty()) << "those of the server, all of them";
  EXPECT_TRUE(answer->media[0].is_end_of_candidates);
}

TEST_P(Whip, AnAnswerIsOneStreamOfOneTransport) {
  Client& tv = join(player("tv"));
  const auto answer = sdp::parse(tv.last_answer());
  ASSERT_TRUE(answer);
  ASSERT_EQ(answer->media.size(), 2u);
  for (const sdp::MediaDescription& media : answer->media) {
    EXPECT_EQ(media.direction, sdp::Direction::kSendOnly);
    ASSERT_EQ(media.msids.size(), 1u);
    EXPECT_EQ(media.msids[0].stream_id, answer->media[0].msids[0].stream_id);
  }
  EXPECT_NE(answer->media[0].msids[0].track_id, answer->media[1].msids[0].track_id);
  EXPECT_FALSE(answer->media[0].candidates.empty());
}

TEST_P(Whip, ASessionAnswersToThePathsOfItsProtocolAlone) {
  Client& camera = join(publisher("camera"));
  world_.run_for(1s);
  const auto is_found = [&](Protocol protocol) {
    const contract::FindSession find{camera.conn_id(), protocol};
    return std::holds_alternative<contract::Done>(world_.command({0, find}, world_.worker_of(camera)).body);
  };
  EXPECT_TRUE(is_found(Protocol::kWhip));
  EXPECT_FALSE(is_found(Protocol::kWhep));
  for (const Protocol other : {Protocol::kWebrtc, Protocol::kWhep}) {
    EXPECT_TRUE(std::holds_alternative<Error>(end(camera, other).body));
  }
  EXPECT_EQ(world_.session_count(), 1u);
  EXPECT_TRUE(std::holds_alternative<contract::Done>(end(camera, Protocol::kWhip).body));
  EXPECT_FALSE(is_found(Protocol::kWhip));
}

INSTANTIATE_TEST_SUITE_P(OnWorkers, Whip, testing::Values(1, 2));

}  // namespace
}  // namespace atm::sim

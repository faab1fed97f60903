// What a malicious or broken participant does to its own session, to its room and to the worker: nothing.
#include <gtest/gtest.h>

#include "base/log.h"
#include "contract/json/rpc.h"
#include "world.h"

namespace atm::sim {
namespace {

ClientConfig participant(const std::string& peer, uint32_t receivers = 2) {
  ClientConfig config;
  config.peer = peer;
  config.audio_receivers = config.video_receivers = receivers;
  return config;
}

// Two that talk to each other, and one that does not behave.
struct HostileTest : testing::Test {
  void SetUp() override {
    for (Client* client : {&a, &b, &evil}) {
      ASSERT_TRUE(world.connect(*client));
      ASSERT_TRUE(world.run_until([&] { return client->is_ready(); }, 10s));
    }
    ASSERT_TRUE(world.run_until([&] { return a.streams().size() == 6 && b.streams().size() == 6; }, 5s));
    world.view(a, "video_0", "b", "video_main");
    world.view(b, "video_0", "a", "video_main");
    ASSERT_TRUE(the_call_goes_on());
  }
  bool the_call_goes_on() {
    const uint64_t before_a = a.video(0).decodable_frames(), before_b = b.video(0).decodable_frames();
    world.run_for(1s);
    EXPECT_EQ(a.video(0).contradictions() + b.video(0).contradictions(), 0u);
    return a.video(0).decodable_frames() >= before_a + 25 && b.video(0).decodable_frames() >= before_b + 25;
  }
  // Offers as the client stands now, whatever that is.
  uint64_t update() {
    const uint64_t id = world.request(evil, evil.make_update());
    world.run_until([&] { return evil.answers().contains(id); }, 2s);
    return id;
  }

  World world{31};
  Client& a = world.add_client(participant("a"));
  Client& b = world.add_client(participant("b"));
  Client& evil = world.add_client(participant("evil"));
};

TEST_F(HostileTest, AFloodOfRequestsIsAnsweredWithinItsRate) {
  std::vector<uint64_t> asked;
  for (int i = 0; i < 5'000; ++i) asked.push_back(world.request(evil, contract::PeerPing{}));
  const Instant began = world.now().mono;
  EXPECT_TRUE(the_call_goes_on());
  EXPECT_TRUE(the_call_goes_on());
  const auto seconds = to_us(world.now().mono - began) / 1'000'000 + 1;
  int64_t served = 0, limited = 0;
  for (const uint64_t id : asked) {
    const auto answer = evil.answers().find(id);
    if (answer == evil.answers().end()) continue;
    const auto* error = std::get_if<Error>(&answer->second.data);
    (error == nullptr ? served : limited) += 1;
    EXPECT_TRUE(error == nullptr || error->code == ErrorCode::kRateLimited);
  }
  EXPECT_GE(served, session::kRequestsAtOnce);
  EXPECT_LE(served, session::kRequestsAtOnce + seconds * session::kRequestsPerSecond);
  EXPECT_GT(limited, 0);
  EXPECT_LE(served + limited, (seconds + 1) * session::kMessagesPerSecond);
  // Later it is served like anybody.
  world.run_for(5s);
  const uint64_t later = world.request(evil, contract::PeerPing{});
  EXPECT_TRUE(world.run_until([&] { return evil.succeeded(later); }, 2s));
}

// Of a conn_id the beginning is logged, to find a session by: what is secret of it is the rest.
TEST(Logs, HoldNoSecretOfASession) {
  static std::string logged;
  logged.clear();
  set_log_sink([](LogLevel, std::string_view, std::string_view line) { logged += line; }, LogLevel::kDebug);
  const std::string token = "eyJhbGciOiJIUzI1NiJ9.eyJyb29tIjoiYSJ9.c2lnbmF0dXJlLW9mLWEtdG9rZW4";
  std::vector<std::string> secrets{token};
  {
    World world(37);
    Client& a = world.add_client(participant("a"));
    Client& b = world.add_client(participant("b"));
    for (Client* client : {&a, &b}) {
      ASSERT_TRUE(world.connect(*client));
      ASSERT_TRUE(world.run_until([&] { return client->is_ready(); }, 10s));
      secrets.push_back(client->conn_id().substr(client->conn_id().rfind('-') + 7));
      const std::string offer = client->make_offer();
      const size_t pwd = offer.find("a=ice-pwd:") + 10;
      secrets.push_back(offer.substr(pwd, offer.find('\r', pwd) - pwd));
    }
    world.request(a, contract::PeerToken{token});
    world.send_raw(a, "{\"token\": \"" + token + "\"", true);
    world.send_raw(a, "{\"type\":\"request\",\"req_id\":1,\"request\":\"" + token + "\"}", true);
    world.run_for(1s);
    world.request(b, contract::PeerClose{});
    world.run_for(40s);
  }
  set_log_sink([](LogLevel, std::string_view, std::string_view) {}, LogLevel::kError);
  EXPECT_NE(logged.find("ended"), std::string::npos) << "the sink hears";
  for (const std::string& secret : secrets) {
    EXPECT_GE(secret.size(), 20u);
    EXPECT_EQ(logged.find(secret), std::string::npos) << secret;
  }
}

// The room points to receivers: one that is replaced must have been unbound (AddressSanitizer is the judge).
TEST_F(HostileTest, AnOfferThatShrinksAndGrowsReplacesNoReceiverThatIsBound) {
  world.view(evil, "video_0", "a", "video_main");
  world.view(evil, "audio_0", "a", "audio_main");
  world.run_for(500ms);
  const auto all = evil.media();
  for (int i = 0; i < 3; ++i) {
    evil.media().resize(1);
    const uint64_t shrunk = update();
    EXPECT_TRUE(evil.answers().contains(shrunk));
    EXPECT_FALSE(evil.succeeded(shrunk));
    evil.media() = all;
    EXPECT_TRUE(evil.succeeded(update()));
    EXPECT_TRUE(the_call_goes_on());
  }
}

TEST_F(HostileTest, RecycledMLinesOfEveryKindHarmNobody) {
  world.view(evil, "video_0", "a", "video_main");
  world.view(evil, "video_1", "b", "video_main");
  world.run_for(500ms);
  const auto all = evil.media();
  SeededRng dice(3);
  for (int i = 0; i < 60; ++i) {
    evil.media() = all;
    for (auto& line : evil.media()) {
      switch (dice.below(5)) {
        case 0:
          line.mid += "-" + std::to_string(i);
          break;
        case 1:
          line.kind = line.kind == MediaKind::kAudio ? MediaKind::kVideo : MediaKind::kAudio;
          break;
        case 2:
          line.direction = negotiation::Direction::kInactive;
          break;
        case 3:
          line.direction = dice.below(2) == 0 ? negotiation::Direction::kRecvOnly : negotiation::Direction::kSendOnly;
          break;
        default:
          break;
      }
      if (line.direction == negotiation::Direction::kSendOnly && line.ssrc == 0) line.ssrc = dice.u32() | 1;
    }
    world.request(evil, contract::PeerUpdateSdp{evil.make_offer(), evil.make_update().senders, {4, 4}});
    world.view(evil, "video_" + std::to_string(i % 4), i % 2 == 0 ? "a" : "b", "video_main");
    world.run_for(100ms);
  }
  EXPECT_TRUE(the_call_goes_on());
  EXPECT_EQ(world.session_count(), 3u) << "a refused or odd offer ends nothing";
}

TEST_F(HostileTest, MalformedMessagesAreAnsweredOrIgnoredAndEndNothing) {
  const std::string texts[] = {
      "",
      "x",
      "{}",
      "[]",
      "null",
      "{\"type\":\"request\"}",
      R"({"type":"request","req_id":18446744073709551615,"request":"peer.ping"})",
      R"({"type":"request","req_id":-1,"request":"peer.ping"})",
      R"({"type":"request","req_id":1e300,"request":"peer.ping"})",
      R"({"type":"request","req_id":1,"request":"receiver.switch","data":{"id":"video_99999999999999999999","priority":1e99,"remote":{}}})",
      R"({"type":"request","req_id":2,"request":"peer.updateSdp","data":{"sdp":"","senders":[],"receivers":{"audio":4294967295,"video":4294967295}}})",
      R"({"type":"request","req_id":3,"request":"peer.updateSdp","data":{"sdp":"v=0","senders":[],"receivers":{"audio":1,"video":1}}})",
      std::string(70'000, '['),
      std::string(100'000, 'a')};
  for (const std::string& text : texts) {
    for (const bool is_text : {true, false}) {
      world.send_raw(evil, text, is_text);
      world.run_for(50ms);
    }
  }
  EXPECT_TRUE(the_call_goes_on());
  EXPECT_EQ(world.session_count(), 3u);
  const uint64_t id = world.request(evil, contract::PeerPing{});
  ASSERT_TRUE(world.run_until([&] { return evil.answers().contains(id); }, 2s));
}

TEST_F(HostileTest, RequestsThatWaitAreBoundedAndAllAnswered) {
  std::vector<uint64_t> ids;
  for (int i = 0; i < 200; ++i) ids.push_back(world.view(evil, "video_77", "a", "video_main"));
  ASSERT_TRUE(world.run_until([&] { return evil.answers().contains(ids.back()); }, 3s)) << "refused at once";
  ASSERT_TRUE(world.run_until(
      [&] { return std::all_of(ids.begin(), ids.end(), [&](auto id) { return evil.answers().contains(id); }); }, 15s));
  for (const uint64_t id : ids) EXPECT_FALSE(evil.succeeded(id));
}

// Every datagram of a call, from its own address and from others: as it was, cut, with a byte changed, and noise.
TEST_F(HostileTest, AStormOfMalformedDatagramsHasNoEffectOnALiveCall) {
  std::vector<std::pair<SocketAddress, Bytes>> captured;
  world.watch = [&](const Client& from, ByteView datagram) {
    if (captured.size() < 400) captured.emplace_back(from.address(), Bytes(datagram.begin(), datagram.end()));
  };
  world.run_for(3s);
  world.watch = nullptr;
  ASSERT_GT(captured.size(), 300u);
  SeededRng dice(5);
  const uint64_t before_a = a.video(0).decodable_frames();
  const Instant start = world.now().mono;
  for (int i = 0; i < 100'000; ++i) {
    auto [from, bytes] = captured[dice.below(static_cast<uint32_t>(captured.size()))];
    switch (dice.below(4)) {
      case 0:
        bytes.resize(dice.below(static_cast<uint32_t>(bytes.size()) + 1));
        break;
      case 1:
        bytes[dice.below(static_cast<uint32_t>(bytes.size()))] ^= static_cast<uint8_t>(1 + dice.below(255));
        break;
      case 2:
        dice.fill(MutByteView(bytes).subspan(1));
        break;
      default:
        break;  // a replay
    }
    if (dice.below(3) == 0)
      from = {IpAddress::v4(203, 0, 113, static_cast<uint8_t>(dice.below(256))), static_cast<uint16_t>(dice.u32())};
    world.inject(from, std::move(bytes));
    if (i % 100 == 0) world.run_for(10ms);
  }
  const double seconds = static_cast<double>(to_us(world.now().mono - start)) / 1e6;
  EXPECT_GE(static_cast<double>(a.video(0).decodable_frames() - before_a), seconds * 30 * 0.99);
  EXPECT_EQ(world.session_count(), 3u);
  EXPECT_TRUE(the_call_goes_on());
}

TEST_F(HostileTest, AStrangerThatRepeatsACheckMovesNoCall) {
  std::vector<Bytes> checks;
  world.watch = [&](const Client& from, ByteView datagram) {
    if (&from == &a && datagram[0] <= 3) checks.emplace_back(datagram.begin(), datagram.end());
  };
  world.run_for(20s);
  world.watch = nullptr;
  ASSERT_GT(checks.size(), 2u);
  for (const Bytes& check : checks) world.inject({IpAddress::v4(203, 0, 113, 1), 1}, check);
  EXPECT_TRUE(the_call_goes_on());
}

// At any moment of a call in which somebody asks without end, somebody has just asked to be let in, and somebody has
// vanished: every worker says that nobody is left, and nobody is let in any more.
TEST(Drain, OfAHundredUnderLoadEachEnds) {
  for (uint64_t seed = 1; seed <= 100; ++seed) {
    World world(1'000 + seed);
    std::vector<Client*> people;
    for (const char* name : {"a", "b", "asks", "vanishes"}) {
      people.push_back(&world.add_client(participant(name)));
      ASSERT_TRUE(world.connect(*people.back()));
    }
    const auto see_all = [](const Client* client) { return client->streams().size() == 8; };
    ASSERT_TRUE(world.run_until([&] { return std::all_of(people.begin(), people.end(), see_all); }, 10s));
    world.view(*people[0], "video_0", "b", "video_main");
    world.view(*people[1], "video_0", "vanishes", "video_main");
    people[3]->set_silent(seed % 2 == 0);
    world.run_for(10ms * seed);
    ASSERT_TRUE(world.connect(world.add_client(participant("late"))));
    world.run_for(3ms * (seed % 20));
    for (int i = 0; i < 400; ++i) world.request(*people[2], contract::PeerPing{});
    ASSERT_EQ(world.session_count(), 5u);
    ASSERT_EQ(world.drain(session::kCloseLinger + 500ms), world.worker_count()) << seed;
    ASSERT_EQ(world.session_count(), 0u) << seed;
    ASSERT_EQ(world.room_count(), 0u) << seed;
    ASSERT_FALSE(world.connect(world.add_client(participant("later"))));
    EXPECT_EQ(world.error()->code, ErrorCode::kShuttingDown);
  }
}

}  // namespace
}  // namespace atm::sim

// The server goes and comes again: sessions are back by themselves, with what they sent and viewed, and say what
// happens meanwhile.
#include "own_network.h"
#include "synthetic.h"
#include "world.h"

namespace atm0s::test {
namespace {

struct Call {
  explicit Call(RuntimeOptions options = {}, const std::vector<std::string>& flags = {})
      : server(start_server(flags)),
        source(std::make_shared<EncodedVideoSource>(Codec::kVp8)),
        pump(source),
        ann({server->url()}, ann_config(), options),
        bob({server->url()}, bob_config(), options),
        receiver(bob.take_receiver(MediaKind::kVideo)) {}
  SessionConfig ann_config() const {
    SessionConfig config{.room_id = "room", .peer_id = "ann", .token = token_of(*server, "room", "ann")};
    config.senders = {{.name = "video_main", .kind = MediaKind::kVideo, .source = source}};
    return config;
  }
  SessionConfig bob_config() const {
    return {.room_id = "room", .peer_id = "bob", .token = token_of(*server, "room", "bob"), .receivers = {0, 1}};
  }
  void begin() {
    ASSERT_OK(ann.connect());
    ASSERT_OK(bob.connect());
    ASSERT_OK(receiver.switch_to({"ann", "video_main"}).wait());
    ASSERT_TRUE(receiver.read_video(3s).ok());
  }
  // A frame that was made after this call was begun.
  bool sees(std::chrono::milliseconds patience) {
    const auto began = Clock::now();
    return until(
        [&] {
          const auto frame = receiver.read_video(50ms);
          const auto mark = frame ? read_mark(frame->bytes) : std::nullopt;
          return mark && mark->made_at > began;
        },
        patience);
  }

  std::unique_ptr<atm::soak::ServerProcess> server;
  std::shared_ptr<EncodedVideoSource> source;
  Pump pump;
  Session ann, bob;
  Receiver receiver;
};

bool wait_state(Session& session, SessionState state, std::chrono::milliseconds patience) {
  return wait_for<StateChanged>(session, [&](const auto& e) { return e.state == state; }, patience).has_value();
}

TEST(Restart, AfterAKilledServerTheCallGoesOnByItself) {
  Call call;
  call.begin();
  call.server->kill_hard();
  const auto gone =
      wait_for<StateChanged>(call.bob, [](const auto& e) { return e.state == SessionState::kReconnecting; }, 6s);
  ASSERT_TRUE(gone);
  ASSERT_TRUE(gone->why);
  EXPECT_FALSE(gone->why->message.empty());
  EXPECT_EQ(call.bob.state(), SessionState::kReconnecting);
  EXPECT_FALSE(call.bob.ping(100ms).ok());
  call.server->start_again();
  const auto began = Clock::now();
  EXPECT_TRUE(wait_state(call.bob, SessionState::kConnected, 10s));
  EXPECT_TRUE(wait_state(call.ann, SessionState::kConnected, 10s));
  EXPECT_TRUE(call.sees(5s));
  const auto took = std::chrono::duration<double>(Clock::now() - began).count();
  std::printf("back %.1f s after the server\n", took);
  EXPECT_EQ(call.receiver.state(), ReceiverState::kLive);
  EXPECT_TRUE(call.bob.ping().ok());
}

TEST(Restart, AServerThatEndsInOrderSaysSo) {
  Call call;
  call.begin();
  EXPECT_EQ(call.server->stop(), 0);
  EXPECT_TRUE(wait_for<SessionClosing>(call.bob, [](const auto&) { return true; }, 2s));
  call.server->start_again();
  EXPECT_TRUE(wait_state(call.bob, SessionState::kConnected, 10s));
  EXPECT_TRUE(wait_state(call.ann, SessionState::kConnected, 10s));
  EXPECT_TRUE(call.sees(5s));
}

TEST(Restart, WhoWantsNoReconnectionIsToldOfTheEnd) {
  RuntimeOptions options;
  options.reconnects = false;
  Call call(options);
  call.begin();
  EXPECT_EQ(call.server->stop(), 0);
  const auto ended =
      wait_for<StateChanged>(call.bob, [](const auto& e) { return e.state == SessionState::kDisconnected; }, 5s);
  ASSERT_TRUE(ended);
  EXPECT_TRUE(ended->why);
  EXPECT_FAILS(ErrorCode::kClosed, call.receiver.read_video(5s));
}

TEST(Restart, AnOutageThatLastsIsGivenUp) {
  RuntimeOptions options;
  options.give_up_after = 1s;
  Call call(options);
  call.begin();
  EXPECT_EQ(call.server->stop(), 0);
  EXPECT_TRUE(wait_state(call.bob, SessionState::kReconnecting, 3s));
  const auto ended =
      wait_for<StateChanged>(call.bob, [](const auto& e) { return e.state == SessionState::kDisconnected; }, 8s);
  ASSERT_TRUE(ended);
  ASSERT_TRUE(ended->why);
  EXPECT_EQ(to_text(ended->why->code), "NETWORK_ERROR") << ended->why->message;
}

TEST(Restart, ICEIsRestartedInTheMiddleOfACall) {
  Call call;
  call.begin();
  // Far sooner than another connection comes in its place.
  const Operation restarted = call.bob.restart_ice();
  ASSERT_OK(restarted.wait(2s));
  EXPECT_TRUE(call.sees(3s));
  EXPECT_EQ(call.bob.state(), SessionState::kConnected);
}

// The address that the call uses is taken away, and the host gets another one.
TEST(Restart, AnotherAddressOfThisHostKeepsTheSession) {
  const OwnNetwork network;
  if (!network.is_there()) GTEST_SKIP() << "no rights for a network of its own";
  const auto ip = OwnNetwork::ip;
  ASSERT_TRUE(ip("link set lo up") && ip("link add servers type veth peer name clients"));
  ASSERT_TRUE(ip("link set servers up") && ip("link set clients up"));
  ASSERT_TRUE(ip("addr add 10.9.0.2/24 dev clients") && ip("addr add 10.9.0.1/24 dev servers"));
  Call call({}, {"--media-ip", "10.9.0.1"});
  call.begin();
  while (call.bob.poll_event()) continue;
  const auto began = Clock::now();
  ASSERT_TRUE(ip("addr del 10.9.0.2/24 dev clients") && ip("addr add 10.9.0.3/24 dev clients"));
  const auto lost =
      wait_for<StateChanged>(call.bob, [](const auto& e) { return e.state == SessionState::kReconnecting; }, 4s);
  ASSERT_TRUE(lost && lost->why);
  EXPECT_NE(lost->why->message.find("addresses of this host"), std::string::npos) << lost->why->message;
  EXPECT_TRUE(wait_state(call.bob, SessionState::kConnected, 3s));
  EXPECT_TRUE(call.sees(3s));
  std::printf("another address: media is back after %ld ms\n",
              std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - began).count());
  EXPECT_EQ(call.server->metric("atm0s_sessions_opened_total"), 2) << "ann's and bob's first ones";
}

}  // namespace
}  // namespace atm0s::test

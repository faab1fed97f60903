// What a session of libatm0s says when it cannot be, and what its handles say once it is no more.
#include <sys/socket.h>

#include <netinet/in.h>
#include <unistd.h>

#include "synthetic.h"
#include "world.h"

namespace atm0s::test {
namespace {

// Connects, fails, and says so in all ways in which it can be asked.
Error failure_of(std::vector<std::string> urls, SessionConfig config, std::chrono::milliseconds patience = 5s) {
  Session session(std::move(urls), std::move(config));
  const auto connected = session.connect(patience);
  if (connected) return {ErrorCode::kServerError, "it is connected"};
  return connected.error();
}

// A port of this host where nobody listens.
uint16_t closed_port() {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  EXPECT_EQ(bind(fd, reinterpret_cast<sockaddr*>(&address), size), 0);
  EXPECT_EQ(getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size), 0);
  close(fd);
  return ntohs(address.sin_port);
}

void expect_says(const Error& error, ErrorCode code, const std::string& what) {
  EXPECT_EQ(to_text(error.code), to_text(code)) << error.message;
  EXPECT_NE(error.message.find(what), std::string::npos) << error.message;
}

TEST(ConnectErrors, NoUrl) {
  expect_says(failure_of({}, config_of("room", "ann")), ErrorCode::kInvalidRequest, "url");
}

TEST(ConnectErrors, WhatIsNoUrl) {
  for (const std::string wrong : {"", "media.example.org", "ftp://media.example.org", "http://"}) {
    const Error error = failure_of({wrong}, config_of("room", "ann"));
    EXPECT_EQ(to_text(error.code), "INVALID_REQUEST") << "'" << wrong << "': " << error.message;
  }
}

TEST(ConnectErrors, NobodyListens) {
  const std::string port = std::to_string(closed_port());
  const Error error = failure_of({"http://127.0.0.1:" + port}, config_of("room", "ann"));
  expect_says(error, ErrorCode::kNetworkError, "127.0.0.1:" + port);
}

TEST(ConnectErrors, TheNextUrlIsTaken) {
  const std::string port = std::to_string(closed_port());
  Session session({"http://127.0.0.1:" + port, url()}, config_of(new_room(), "ann"));
  ASSERT_OK(session.connect());
  EXPECT_EQ(session.url(), url());
}

TEST(ConnectErrors, RoomAndPeerAreNeeded) {
  SessionConfig config = config_of("room", "ann");
  config.room_id = "";
  expect_says(failure_of({url()}, config), ErrorCode::kInvalidRequest, "room_id");
  config = config_of("room", "ann");
  config.peer_id = "";
  expect_says(failure_of({url()}, config), ErrorCode::kInvalidRequest, "peer_id");
}

TEST(ConnectErrors, TokensThatAreNoneOrForAnother) {
  const std::string good = token("room", "ann");
  for (const std::string& wrong : {std::string(), std::string("no token"), good.substr(0, good.size() - 4) + "AAAA",
                                   token("another room", "ann"), token("room", "bob")}) {
    SessionConfig config{.room_id = "room", .peer_id = "ann", .token = wrong};
    const Error error = failure_of({url()}, config);
    EXPECT_EQ(to_text(error.code), "INVALID_TOKEN") << error.message;
    EXPECT_TRUE(wrong.empty() || error.message.find(wrong) == std::string::npos) << "the token is in the message";
  }
}

TEST(ConnectErrors, AnErrorEndsTheSessionAndIsItsLastEvent) {
  SessionConfig config{.room_id = "room", .peer_id = "ann", .token = "no token"};
  Session session({url()}, config);
  EXPECT_FAILS(ErrorCode::kInvalidToken, session.connect());
  EXPECT_EQ(session.state(), SessionState::kDisconnected);
  const auto ended =
      wait_for<StateChanged>(session, [](const auto& e) { return e.state == SessionState::kDisconnected; });
  ASSERT_TRUE(ended && ended->why);
  EXPECT_EQ(to_text(ended->why->code), "INVALID_TOKEN");
  EXPECT_FAILS(ErrorCode::kInvalidRequest, session.connect());  // a session connects once
}

TEST(ConnectErrors, WhatIsWrongWithSendersIsSaidBeforeAnythingIsSent) {
  SessionConfig config = config_of("room", "ann");
  config.senders = {{.name = "one"}, {.name = "one"}};
  expect_says(failure_of({"http://127.0.0.1:1"}, config), ErrorCode::kInvalidRequest, "\"one\"");
  config.senders = {{.name = ""}};
  expect_says(failure_of({"http://127.0.0.1:1"}, config), ErrorCode::kInvalidRequest, "empty");
  config.senders = {{.name = "one", .simulcast = true}};
  expect_says(failure_of({"http://127.0.0.1:1"}, config), ErrorCode::kInvalidRequest, "simulcast");
  config.senders = {{.name = "one", .preferred_codecs = {Codec::kVp8}}};
  expect_says(failure_of({"http://127.0.0.1:1"}, config), ErrorCode::kInvalidRequest, "VP8");
  config.senders = {{.name = "one", .kind = MediaKind::kVideo, .source = std::make_shared<EncodedAudioSource>()}};
  expect_says(failure_of({"http://127.0.0.1:1"}, config), ErrorCode::kInvalidRequest, "kind");
}

TEST(ConnectErrors, APublisherWithoutTheRightIsTold) {
  const std::string room = new_room();
  SessionConfig config = config_of(room, "ann");
  config.token = token(room, "ann", R"(,"publish":false)");
  config.senders = {{.name = "one", .kind = MediaKind::kVideo}};
  const Error error = failure_of({url()}, config);
  EXPECT_EQ(to_text(error.code), "FORBIDDEN") << error.message;
}

TEST(ConnectErrors, AServerThatSaysNothingIsNotWaitedForLongerThanAsked) {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  ASSERT_EQ(bind(fd, reinterpret_cast<sockaddr*>(&address), size), 0);
  ASSERT_EQ(listen(fd, 4), 0);
  ASSERT_EQ(getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size), 0);
  const auto began = Clock::now();
  const Error error =
      failure_of({"http://127.0.0.1:" + std::to_string(ntohs(address.sin_port))}, config_of("room", "ann"), 300ms);
  EXPECT_EQ(to_text(error.code), "TIMEOUT") << error.message;
  EXPECT_LT(Clock::now() - began, 2s);
  close(fd);
}

// Everything that a session hands out.
struct Handles {
  explicit Handles(Session& session)
      : sender(*session.sender("video_main")),
        receiver(session.take_receiver(MediaKind::kVideo)),
        listener(session.take_receiver(MediaKind::kAudio)),
        consumer(session.create_consumer({"ann", "video_main"}, MediaKind::kVideo)),
        pair(session.create_consumer_pair("ann")),
        mixer(*session.mix_minus_audio()),
        connecting(session.connect_async()) {}

  void expect_closed() {
    EXPECT_FAILS(ErrorCode::kClosed, sender.switch_to(nullptr).wait());
    EXPECT_FAILS(ErrorCode::kClosed, sender.stop().wait());
    EXPECT_EQ(sender.state(), SenderState::kClosed);
    EXPECT_EQ(sender.name(), "video_main");
    EXPECT_FAILS(ErrorCode::kClosed, receiver.switch_to({"ann", "video_main"}).wait());
    EXPECT_FAILS(ErrorCode::kClosed, receiver.limit({}).wait());
    EXPECT_FAILS(ErrorCode::kClosed, receiver.disconnect().wait());
    receiver.request_key_frame();
    receiver.on_video([](const VideoFrame&) {});
    listener.on_audio([](const AudioFrame&) {});
    EXPECT_EQ(receiver.state(), ReceiverState::kNoSource);
    EXPECT_FAILS(ErrorCode::kClosed, receiver.read_video(10s));
    EXPECT_FAILS(ErrorCode::kClosed, listener.read_audio(10s));
    EXPECT_FAILS(ErrorCode::kClosed, listener.read_pcm(10s));
    EXPECT_FAILS(ErrorCode::kClosed, consumer.view("one").wait());
    EXPECT_FAILS(ErrorCode::kClosed, consumer.unview("one").wait());
    EXPECT_FAILS(ErrorCode::kClosed, pair.view("one").wait());
    EXPECT_FAILS(ErrorCode::kClosed, mixer.add_source({"ann", "audio_main"}).wait());
    EXPECT_FAILS(ErrorCode::kClosed, mixer.remove_source({"ann", "audio_main"}).wait());
    EXPECT_FAILS(ErrorCode::kClosed, mixer.toggle(false).wait());
  }

  Sender sender;
  Receiver receiver, listener;
  Consumer consumer;
  ConsumerPair pair;
  MixMinusAudio mixer;
  Operation connecting;
};

SessionConfig everything() {
  SessionConfig config = config_of(new_room(), "bob");
  config.senders = {{.name = "video_main", .kind = MediaKind::kVideo}};
  config.receivers = {1, 1};
  config.mix_minus_audio = MixMinusMode::kAllAudioStreams;
  return config;
}

TEST(Closed, HandlesThatOutliveTheirSessionSaySo) {
  std::optional<Session> session(std::in_place, std::vector{url()}, everything());
  Handles handles(*session);
  ASSERT_OK(handles.connecting.wait());
  session.reset();
  handles.expect_closed();
}

TEST(Closed, HandlesOfASessionThatNeverConnectedSaySo) {
  std::optional<Session> session(std::in_place, std::vector{url()}, everything());
  Handles handles(*session);
  session.reset();
  handles.expect_closed();
}

TEST(Closed, AfterDisconnectTheSessionAndItsHandlesSaySo) {
  Session session({url()}, everything());
  Handles handles(session);
  ASSERT_OK(handles.connecting.wait());
  const auto audio = session.mix_minus_audio();
  ASSERT_OK(session.disconnect().wait());
  ASSERT_OK(session.disconnect().wait());
  handles.expect_closed();
  EXPECT_FAILS(ErrorCode::kClosed, session.ping());
  EXPECT_FAILS(ErrorCode::kClosed, session.restart_ice().wait());
  EXPECT_FAILS(ErrorCode::kClosed, session.set_token("another").wait());
  EXPECT_FAILS(ErrorCode::kClosed, session.subscribe("ann").wait());
  EXPECT_FAILS(ErrorCode::kClosed, session.create_sender({.name = "another"}));
  EXPECT_TRUE(session.remote_streams().empty());
  EXPECT_FAILS(ErrorCode::kInvalidRequest, session.connect());
}

TEST(Closed, WhoWaitsForAFrameIsWokenByTheEnd) {
  std::optional<Session> session(std::in_place, std::vector{url()}, everything());
  ASSERT_OK(session->connect());
  Receiver receiver = session->take_receiver(MediaKind::kVideo);
  std::thread reader([&] { EXPECT_FAILS(ErrorCode::kClosed, receiver.read_video(20s)); });
  std::this_thread::sleep_for(50ms);
  const auto began = Clock::now();
  session.reset();
  reader.join();
  EXPECT_LT(Clock::now() - began, 1s);
}

TEST(Closed, ConnectingThatIsGivenUpIsClosed) {
  std::optional<Session> session(std::in_place, std::vector{url()}, everything());
  const Operation connecting = session->connect_async();
  session.reset();
  EXPECT_FAILS(ErrorCode::kClosed, connecting.wait(1s));
}

// Its answer comes when nobody waits for it any more.
TEST(Closed, ConnectingThatIsGivenUpLeavesNothingOnTheServer) {
  const std::string room = new_room();
  for (int i = 0; i < 40; ++i) {
    const auto begin = Clock::now();
    {
      Session session({url()}, config_of(room, "ann-" + std::to_string(i)));
      static_cast<void>(session.connect_async());
      std::this_thread::sleep_for(std::chrono::microseconds(500 * (i % 8)));
      if (i % 3 == 0) static_cast<void>(session.disconnect());
    }
    EXPECT_LT(Clock::now() - begin, 1s);
  }
  const auto is_empty = [&] { return admin("/admin/rooms/" + room).find("ann-") == std::string::npos; };
  EXPECT_TRUE(until(is_empty, 1s)) << admin("/admin/rooms/" + room);
}

TEST(Closed, SourcesAndRemoteStreamsOutliveTheirSession) {
  const std::string room = new_room();
  auto video = std::make_shared<EncodedVideoSource>(Codec::kVp8);
  SessionConfig config = config_of(room, "ann");
  config.senders = {{.name = "video_main", .kind = MediaKind::kVideo, .source = video}};
  std::optional<Session> ann(std::in_place, std::vector{url()}, config);
  ASSERT_OK(ann->connect());
  std::optional<Session> bob(std::in_place, std::vector{url()}, config_of(room, "bob"));
  ASSERT_OK(bob->connect());
  ASSERT_TRUE(until([&] { return bob->remote_stream({"ann", "video_main"}).has_value(); }));
  const RemoteStream remote = *bob->remote_stream({"ann", "video_main"});
  EXPECT_FALSE(remote.is_closed());
  bob.reset();
  EXPECT_EQ(remote.key().peer, "ann");
  EXPECT_TRUE(remote.is_closed());
  ann.reset();
  EXPECT_OK(video->push({.bytes = make_video(Codec::kVp8, true, 0, 100)}));
}

}  // namespace
}  // namespace atm0s::test

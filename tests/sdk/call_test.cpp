// Calls between two sessions of libatm0s through the real server: what the ten lines of session.h promise, and what
// each part of a session does.
#include <set>

#include "synthetic.h"
#include "world.h"

namespace atm0s::test {
namespace {

// A session that publishes one video and one audio stream that go on by themselves.
struct Publisher {
  explicit Publisher(const std::string& room, const std::string& peer = "ann")
      : video(std::make_shared<EncodedVideoSource>(Codec::kVp8)),
        audio(std::make_shared<EncodedAudioSource>()),
        session({url()}, with_senders(config_of(room, peer))),
        video_pump(video),
        audio_pump(audio, -20) {}
  SessionConfig with_senders(SessionConfig config) const {
    config.senders = {{.name = "video_main", .kind = MediaKind::kVideo, .source = video},
                      {.name = "audio_main", .kind = MediaKind::kAudio, .source = audio}};
    return config;
  }
  std::shared_ptr<EncodedVideoSource> video;
  std::shared_ptr<EncodedAudioSource> audio;
  Session session;
  Pump video_pump, audio_pump;
};

SessionConfig viewer_config(const std::string& room, const std::string& peer = "bob") {
  SessionConfig config = config_of(room, peer);
  config.receivers = {1, 1};
  return config;
}

// Frames with nothing missing in between.
void expect_frames(Receiver receiver, int count) {
  std::optional<uint64_t> last;
  for (int i = 0; i < count; ++i) {
    const auto frame = receiver.read_video(3s);
    ASSERT_TRUE(frame.ok()) << i << ": " << frame.error().message;
    const auto mark = read_mark(frame->bytes);
    ASSERT_TRUE(mark) << i;
    if (last) {
      EXPECT_EQ(mark->number, *last + 1);
    } else {
      EXPECT_TRUE(frame->is_key);
    }
    last = mark->number;
  }
}

TEST(Call, TenLinesPublishAndTenView) {
  const std::string room = new_room();
  SessionConfig config{.room_id = room, .peer_id = "robot", .token = token(room, "robot")};
  auto camera = std::make_shared<EncodedVideoSource>(Codec::kVp8);
  config.senders = {{.name = "video_main", .kind = MediaKind::kVideo, .source = camera}};
  Session robot({url()}, config);
  ASSERT_OK(robot.connect());
  Pump pump(camera);

  SessionConfig watching{.room_id = room, .peer_id = "ann", .token = token(room, "ann"), .receivers = {0, 1}};
  Session ann({url()}, watching);
  ASSERT_OK(ann.connect());
  Receiver receiver = ann.take_receiver(MediaKind::kVideo);
  ASSERT_OK(receiver.switch_to({"robot", "video_main"}).wait());
  expect_frames(receiver, 50);
  EXPECT_EQ(receiver.id(), "video_0");
}

TEST(Call, EventsTellOfTheStatesThePeersAndTheStreams) {
  const std::string room = new_room();
  Session bob({url()}, viewer_config(room));
  EXPECT_EQ(bob.state(), SessionState::kCreated);
  ASSERT_OK(bob.connect());
  EXPECT_EQ(bob.state(), SessionState::kConnected);
  EXPECT_EQ(bob.url(), url());
  const auto first = wait_for<StateChanged>(bob);
  ASSERT_TRUE(first);
  EXPECT_EQ(first->state, SessionState::kConnecting);
  const auto second = wait_for<StateChanged>(bob);
  ASSERT_TRUE(second);
  EXPECT_EQ(second->state, SessionState::kConnected);
  {
    Publisher ann(room);
    ASSERT_OK(ann.session.connect());
    ASSERT_TRUE(
        wait_for<PeerChanged>(bob, [](const auto& e) { return e.change == Presence::kAdded && e.peer == "ann"; }));
    std::set<std::string> names;
    for (int i = 0; i < 2; ++i) {
      const auto stream = wait_for<StreamChanged>(bob, [](const auto& e) { return e.change == Presence::kAdded; });
      ASSERT_TRUE(stream);
      EXPECT_FALSE(stream->is_own);
      names.insert(stream->stream.key.name);
    }
    EXPECT_EQ(names, (std::set<std::string>{"audio_main", "video_main"}));
    EXPECT_TRUE(wait_for<StreamChanged>(ann.session, [](const auto& e) { return e.is_own; }));
    EXPECT_TRUE(wait_for<SenderStateChanged>(ann.session));
    EXPECT_EQ(bob.remote_streams().size(), 2u);
    const auto remote = bob.remote_stream({"ann", "video_main"});
    ASSERT_TRUE(remote);
    EXPECT_EQ(remote->kind(), MediaKind::kVideo);
    EXPECT_EQ(remote->info().label, "video_main");
    EXPECT_FALSE(remote->is_closed());
  }
  EXPECT_TRUE(wait_for<StreamChanged>(bob, [](const auto& e) { return e.change == Presence::kRemoved; }));
  EXPECT_TRUE(wait_for<PeerChanged>(bob, [](const auto& e) { return e.change == Presence::kRemoved; }));
  EXPECT_TRUE(until([&] { return bob.remote_streams().empty(); }));
  ASSERT_OK(bob.disconnect().wait());
  EXPECT_EQ(bob.state(), SessionState::kDisconnected);
  const auto last = wait_for<StateChanged>(bob);
  ASSERT_TRUE(last);
  EXPECT_EQ(last->state, SessionState::kDisconnected);
  EXPECT_FALSE(last->why);
}

TEST(Call, APingGoesThereAndBack) {
  Session bob({url()}, viewer_config(new_room()));
  ASSERT_OK(bob.connect());
  const auto took = bob.ping();
  ASSERT_TRUE(took.ok()) << took.error().message;
  EXPECT_GT(*took, 0us);
  EXPECT_LT(*took, 500ms);
}

TEST(Call, SendersAreAddedSwitchedAndStopped) {
  const std::string room = new_room();
  Session bob({url()}, viewer_config(room));
  ASSERT_OK(bob.connect());
  Session ann({url()}, config_of(room, "ann"));
  ASSERT_OK(ann.connect());
  auto first = std::make_shared<EncodedVideoSource>(Codec::kVp8);
  auto second = std::make_shared<EncodedVideoSource>(Codec::kVp8);
  Pump pump(first);
  auto sender = ann.create_sender({.name = "late", .kind = MediaKind::kVideo, .source = first});
  ASSERT_TRUE(sender.ok());
  EXPECT_FAILS(ErrorCode::kInvalidRequest, ann.create_sender({.name = "late", .kind = MediaKind::kVideo}));
  ASSERT_TRUE(wait_for<StreamChanged>(bob, [](const auto& e) { return e.stream.key.name == "late"; }));
  Receiver receiver = bob.take_receiver(MediaKind::kVideo);
  ASSERT_OK(receiver.switch_to({"ann", "late"}).wait());
  expect_frames(receiver, 10);

  ASSERT_OK(sender->switch_to(nullptr).wait());
  EXPECT_TRUE(wait_for<StreamChanged>(bob, [](const auto& e) { return !e.stream.active; }));
  EXPECT_TRUE(until([&] { return receiver.state() == ReceiverState::kSourceDeactived; }));
  while (receiver.read_video(300ms)) continue;

  ASSERT_OK(sender->switch_to(second, "another").wait());
  Pump other(second);
  EXPECT_TRUE(
      wait_for<StreamChanged>(bob, [](const auto& e) { return e.stream.active && e.stream.label == "another"; }));
  expect_frames(receiver, 10);

  ASSERT_OK(sender->stop().wait());
  EXPECT_TRUE(wait_for<StreamChanged>(bob, [](const auto& e) { return e.change == Presence::kRemoved; }));
  EXPECT_EQ(sender->state(), SenderState::kClosed);
  EXPECT_FALSE(ann.sender("late"));
  EXPECT_OK(ann.create_sender({.name = "late", .kind = MediaKind::kVideo, .source = first}));
  EXPECT_TRUE(wait_for<StreamChanged>(bob, [](const auto& e) { return e.change == Presence::kAdded; }));
}

TEST(Call, ReceiversAreTakenAndGivenBack) {
  const std::string room = new_room();
  SessionConfig config = viewer_config(room);
  config.receivers = {0, 2};
  Session bob({url()}, config);
  ASSERT_OK(bob.connect());
  const Receiver first = bob.take_receiver(MediaKind::kVideo);
  const Receiver second = bob.take_receiver(MediaKind::kVideo);
  EXPECT_EQ(first.id(), "video_0");
  EXPECT_EQ(second.id(), "video_1");
  EXPECT_EQ(bob.take_receiver(MediaKind::kVideo).id(), "video_2");
  bob.back_receiver(first);
  EXPECT_EQ(bob.take_receiver(MediaKind::kVideo).id(), "video_0");
  EXPECT_EQ(bob.create_receiver(MediaKind::kAudio).id(), "audio_0");

  Publisher ann(room);
  ASSERT_OK(ann.session.connect());
  Receiver late = bob.create_receiver(MediaKind::kVideo);  // of the fourth m-line of video, which is negotiated now
  EXPECT_EQ(late.id(), "video_3");
  ASSERT_OK(late.switch_to({"ann", "video_main"}).wait());
  expect_frames(late, 10);
}

TEST(Call, OfSeveralViewsTheLargestLimitWins) {
  const std::string room = new_room();
  Publisher ann(room);
  ASSERT_OK(ann.session.connect());
  Session bob({url()}, viewer_config(room));
  ASSERT_OK(bob.connect());
  Consumer consumer = bob.create_consumer({"ann", "video_main"}, MediaKind::kVideo);
  EXPECT_FALSE(consumer.receiver());
  EXPECT_FAILS(ErrorCode::kNotFound, consumer.limit("thumbnail", {}).wait());
  ASSERT_OK(consumer.view("thumbnail", {.priority = 10, .max_spatial = 0, .max_temporal = 1}).wait());
  ASSERT_TRUE(consumer.receiver());
  const auto limits = [&] {
    const std::string body = admin("/admin/rooms/" + room);
    const auto at = body.find("\"limit\":", body.find("\"id\":\"video_0\""));
    return at == std::string::npos ? body : body.substr(at, body.find('}', at) - at + 1);
  };
  const auto has = [&](const std::string& what) {
    return until([&] { return limits().find(what) != std::string::npos; });
  };
  EXPECT_TRUE(has("\"max_spatial\":0")) << limits();
  EXPECT_TRUE(has("\"priority\":10")) << limits();
  ASSERT_OK(consumer.view("full", {.priority = 60, .max_spatial = 2, .max_temporal = 0}).wait());
  EXPECT_TRUE(has("\"max_spatial\":2")) << limits();
  EXPECT_TRUE(has("\"max_temporal\":1")) << limits();
  EXPECT_TRUE(has("\"priority\":60")) << limits();
  EXPECT_EQ(consumer.receiver()->id(), "video_0");
  expect_frames(*consumer.receiver(), 10);
  ASSERT_OK(consumer.unview("full").wait());
  EXPECT_TRUE(has("\"max_spatial\":0")) << limits();
  EXPECT_TRUE(consumer.receiver());
  ASSERT_OK(consumer.unview("thumbnail").wait());
  EXPECT_FALSE(consumer.receiver());
  EXPECT_EQ(bob.take_receiver(MediaKind::kVideo).id(), "video_0");  // it is free again
}

TEST(Call, ThePairOfAPeerIsViewedTogether) {
  const std::string room = new_room();
  Publisher ann(room);
  ASSERT_OK(ann.session.connect());
  Session bob({url()}, viewer_config(room));
  ASSERT_OK(bob.connect());
  ConsumerPair pair = bob.create_consumer_pair("ann");
  ASSERT_OK(pair.view("main").wait());
  expect_frames(*pair.video().receiver(), 10);
  int heard = 0;
  for (int i = 0; i < 100 && heard < 20; ++i) {
    const auto frame = pair.audio().receiver()->read_audio(1s);
    ASSERT_TRUE(frame.ok()) << frame.error().message;
    heard += frame->action == AudioFrame::Action::kDecode && read_mark(frame->bytes);
  }
  EXPECT_EQ(heard, 20);
  ASSERT_OK(pair.unview("main").wait());
  EXPECT_FALSE(pair.video().receiver());
}

TEST(Call, AReaderThatGetsNothingIsToldInTime) {
  Session bob({url()}, viewer_config(new_room()));
  Receiver video = bob.take_receiver(MediaKind::kVideo);
  for (int i = 0; i < 2; ++i) {
    const auto began = Clock::now();
    EXPECT_FAILS(ErrorCode::kTimeout, video.read_video(100ms));
    const auto took = Clock::now() - began;
    EXPECT_GE(took, 100ms);
    EXPECT_LT(took, 1s);
    EXPECT_FAILS(ErrorCode::kInvalidRequest, video.read_audio(10s));
    if (i == 0) ASSERT_OK(bob.connect());
  }
  EXPECT_FAILS(ErrorCode::kTimeout, bob.take_receiver(MediaKind::kAudio).read_audio(0ms));
}

TEST(Call, WhoDoesNotReadLosesTheOldestFrames) {
  const std::string room = new_room();
  Publisher ann(room);
  ASSERT_OK(ann.session.connect());
  Session bob({url()}, viewer_config(room));
  ASSERT_OK(bob.connect());
  Receiver receiver = bob.take_receiver(MediaKind::kVideo);
  ASSERT_OK(receiver.switch_to({"ann", "video_main"}).wait());
  ASSERT_TRUE(receiver.read_video(3s).ok());
  std::this_thread::sleep_for(256 * kFrameTime + 500ms);
  const auto frame = receiver.read_video(1s);
  ASSERT_TRUE(frame.ok());
  EXPECT_GT(frame->number, 5u);
}

TEST(Call, AFrameOfACodecThatWasNotAgreedOnIsRefused) {
  const std::string room = new_room();
  SessionConfig config = config_of(room, "ann");
  config.codecs = {Codec::kOpus, Codec::kVp8};
  auto source = std::make_shared<EncodedVideoSource>(Codec::kVp9);
  config.senders = {{.name = "video_main", .kind = MediaKind::kVideo, .source = source}};
  Session ann({url()}, config);
  EXPECT_OK(source->push({.bytes = make_video(Codec::kVp9, true, 0, 100)}));  // nobody to refuse it
  ASSERT_OK(ann.connect());
  std::optional<Error> error;
  EXPECT_TRUE(until([&] {
    const auto pushed = source->push({.bytes = make_video(Codec::kVp9, true, 0, 100)});
    if (!pushed) error = pushed.error();
    return error.has_value();
  }));
  ASSERT_TRUE(error);
  EXPECT_EQ(to_text(error->code), "UNSUPPORTED_CODEC");
  EXPECT_FAILS(ErrorCode::kInvalidRequest, source->push({}));
}

}  // namespace
}  // namespace atm0s::test

// Players: what receivers give, decoded and shown in time.
#include "call.h"

namespace atm0s::test {
namespace {

// A viewer of ann's two streams, into sinks that keep the time and show nothing.
const gst::PlayerOptions kNowhere{.video_sink = "fakesink sync=true", .audio_sink = "fakesink sync=true"};

TEST(Player, PlaysPictureAndSoundAtTheirPace) {
  const std::string room = new_room();
  Publishing ann(
      room, {{"video_main", made(gst::Source::test_video(small()))}, {"audio_main", made(gst::Source::test_audio())}});
  Viewing bob(room);
  auto player = gst::Player::open(bob.view("video_main"), bob.view("audio_main", MediaKind::kAudio), kNowhere);
  ASSERT_TRUE(player.ok()) << player.error().message;
  ASSERT_TRUE(until([&] { return player->video_frames() > 5 && player->audio_frames() > 5; }, 6s));
  const auto pictures = player->video_frames(), sounds = player->audio_frames();
  std::this_thread::sleep_for(2s);
  EXPECT_NEAR(static_cast<double>(player->video_frames() - pictures), 30, 6);
  EXPECT_GT(player->audio_frames() - sounds, 30u);
  EXPECT_FALSE(player->error());
  player->close();
  const auto last = player->video_frames();
  std::this_thread::sleep_for(200ms);
  EXPECT_EQ(player->video_frames(), last);
}

TEST(Player, GoesOnWhenTheCodecChanges) {
  const std::string room = new_room();
  auto first = made(gst::Source::test_video(small(Codec::kVp8)));
  auto second = made(gst::Source::test_video(small(Codec::kH264)));
  Publishing ann(room, {{"one", first}, {"two", second}});
  Viewing bob(room);
  Receiver receiver = bob.view("one");
  auto player = gst::Player::open(receiver, {}, kNowhere);
  ASSERT_TRUE(player.ok()) << player.error().message;
  EXPECT_TRUE(until([&] { return player->video_frames() > 10; }));
  for (const char* next : {"two", "one"}) {
    const auto before = player->video_frames();
    ASSERT_OK(receiver.switch_to({"ann", next}).wait());
    EXPECT_TRUE(until([&] { return player->video_frames() > before + 20; })) << player->video_frames() - before;
  }
  EXPECT_FALSE(player->error());
}

TEST(Player, WithoutADisplayOrSpeakersItSaysSo) {
  ::unsetenv("DISPLAY");
  ::unsetenv("WAYLAND_DISPLAY");
  Viewing bob(new_room());
  const Receiver video = bob.session().take_receiver(MediaKind::kVideo);
  const Receiver audio = bob.session().take_receiver(MediaKind::kAudio);
  const auto window = gst::Player::open(video);
  ASSERT_FALSE(window.ok());
  EXPECT_EQ(to_text(window.error().code), "NOT_FOUND") << window.error().message;
  EXPECT_NE(window.error().message.find("no such display"), std::string::npos) << window.error().message;
  const auto speakers = gst::Player::open({}, audio, {.audio_sink = "alsasink device=hw:97"});
  ASSERT_FALSE(speakers.ok());
  EXPECT_NE(speakers.error().message.find("no such speakers hw:97"), std::string::npos) << speakers.error().message;
  EXPECT_FAILS(ErrorCode::kInvalidRequest, gst::Player::open({}));
  EXPECT_FAILS(ErrorCode::kInvalidRequest, gst::Player::open(audio, video));
  EXPECT_FAILS(ErrorCode::kInvalidRequest, gst::Player::open(video, {}, {.video_sink = "fakesink !"}));
}

}  // namespace
}  // namespace atm0s::test

// Sources of atm0s::gst through the real server: what viewers get of each codec, and what encoders do when viewers ask.
#include "call.h"

namespace atm0s::test {
namespace {

class EachCodec : public testing::TestWithParam<Codec> {};

TEST_P(EachCodec, IsEncodedSentAndDecoded) {
  const std::string room = new_room();
  Publishing ann(room, {{"video_main", made(gst::Source::test_video(small(GetParam())))}});
  Viewing bob(room);
  Receiver receiver = bob.view("video_main");
  auto player = gst::Player::open(receiver, {}, {.video_sink = "fakesink sync=true"});
  ASSERT_TRUE(player.ok()) << player.error().message;
  EXPECT_TRUE(until([&] { return player->video_frames() >= 20; }, 6s)) << player->video_frames();
  EXPECT_FALSE(player->error());
}

INSTANTIATE_TEST_SUITE_P(Source, EachCodec, testing::Values(Codec::kVp8, Codec::kVp9, Codec::kH264, Codec::kAv1),
                         [](const auto& of) { return std::string(to_text(of.param)); });

TEST(Source, SoundIsHeardAndItsLevelTold) {
  const std::string room = new_room();
  Publishing ann(room, {{"audio_main", made(gst::Source::test_audio())}});
  Viewing bob(room);
  Receiver receiver = bob.view("audio_main", MediaKind::kAudio);
  int loud = 0;
  for (int i = 0; i < 100; ++i) {
    const auto frame = receiver.read_pcm(1s);
    ASSERT_TRUE(frame.ok()) << frame.error().message;
    int peak = 0;
    for (const int16_t sample : frame->samples) peak = std::max<int>(peak, std::abs(sample));
    loud += peak > 3'000 && peak < 12'000;  // a fifth of the whole, and what Opus makes of it
  }
  EXPECT_GT(loud, 70);
  // A sine of 0.2: 20 log10(0.2 / sqrt 2) is -17 dBov.
  EXPECT_TRUE(wait_for<ReceiverLevel>(bob.session(), [](const auto& e) { return e.level > -20 && e.level < -14; }));
}

TEST(Source, TheEncoderObeysTheBitrateAlsoWhenItChanges) {
  const std::string room = new_room();
  // Noise: as many bits as it is given, never enough.
  auto source = made(gst::Source::video("videotestsrc is-live=true pattern=snow ! video/x-raw,framerate=15/1",
                                        {.width = 160, .height = 90}));
  Publishing ann(room, {});
  Viewing bob(room);
  ASSERT_OK(source.start());
  for (const uint64_t limit : {600'000u, 200'000u}) {
    SenderConfig config = source.sender("video_" + std::to_string(limit));
    config.max_bitrate = limit;
    auto sender = ann.session().create_sender(config);
    ASSERT_TRUE(sender.ok());
    Receiver receiver = bob.view(config.name);
    measure_bitrate(receiver, 1s);  // until the encoder has settled
    const double rate = measure_bitrate(receiver, 1500ms);
    EXPECT_GT(rate, 0.6 * static_cast<double>(limit));
    EXPECT_LT(rate, 1.15 * static_cast<double>(limit));
    ASSERT_OK(sender->stop().wait());
    bob.session().back_receiver(receiver);
  }
}

TEST_P(EachCodec, HasAKeyFrameWhenOneIsAskedForAndNotElse) {
  const std::string room = new_room();
  Publishing ann(room, {{"video_main", made(gst::Source::test_video(small(GetParam())))}});
  Viewing bob(room);
  Receiver receiver = bob.view("video_main");
  const auto keys_of = [&](int frames) {
    int keys = 0;
    for (int i = 0; i < frames; ++i) {
      const auto frame = receiver.read_video(2s);
      EXPECT_TRUE(frame.ok());
      keys += frame && frame->is_key;
    }
    return keys;
  };
  keys_of(8);
  EXPECT_EQ(keys_of(8), 0);
  receiver.request_key_frame();
  const int keys = keys_of(8);
  EXPECT_GE(keys, 1);
  EXPECT_LE(keys, GetParam() == Codec::kAv1 ? 2 : 1);  // av1enc is a picture late to stop
}

TEST(Source, OfSimulcastViewersGetTheLayerThatTheyWant) {
  const std::string room = new_room();
  auto source = made(gst::Source::test_video({.width = 640, .height = 360, .max_framerate = 15, .simulcast = true}));
  Publishing ann(room, {{"video_main", source}});
  Viewing bob(room);
  Receiver receiver = bob.view("video_main");
  const auto sees = [&](int width) {
    const auto end = Clock::now() + 6s;
    while (Clock::now() < end) {
      const auto frame = receiver.read_video(1s);
      if (frame && width_of(*frame) == width) return true;
    }
    return false;
  };
  EXPECT_TRUE(sees(640));
  ASSERT_OK(receiver.limit({.max_spatial = 0}).wait());
  EXPECT_TRUE(sees(160));
  // Nobody wants the others: they are not even encoded.
  EXPECT_TRUE(until([&] {
    const uint64_t before = source.frames(2), small_before = source.frames(0);
    std::this_thread::sleep_for(500ms);
    return source.frames(2) == before && source.frames(0) > small_before;
  }));
  ASSERT_OK(receiver.limit({}).wait());
  EXPECT_TRUE(sees(640));
}

TEST(Source, AFileIsPlayedAtItsOwnPaceToItsEnd) {
  auto source = made(gst::Source::video("videotestsrc num-buffers=15 ! video/x-raw,framerate=15/1", small()));
  ASSERT_OK(source.start());
  const auto began = Clock::now();
  EXPECT_TRUE(source.wait_end(5s));
  EXPECT_GT(Clock::now() - began, 500ms);
  EXPECT_LT(Clock::now() - began, 2s);
  EXPECT_GE(source.frames(), 12u);  // an encoder that is short of bits leaves some out
  EXPECT_LE(source.frames(), 15u);
}

TEST(Source, PicturesBeyondTheFramerateAreLeftOut) {
  auto source =
      made(gst::Source::video("videotestsrc is-live=true num-buffers=60 ! video/x-raw,framerate=60/1", small()));
  ASSERT_OK(source.start());
  EXPECT_TRUE(source.wait_end(5s));
  EXPECT_GE(source.frames(), 14u);
  EXPECT_LE(source.frames(), 17u);
}

// --- errors ---

std::string message_of(const Result<gst::Source>& source, ErrorCode code) {
  if (source) return "there is no error";
  EXPECT_EQ(to_text(source.error().code), to_text(code)) << source.error().message;
  return source.error().message;
}

TEST(SourceErrors, AMissingDeviceIsNamed) {
  const std::string camera = message_of(gst::Source::camera("/dev/video97"), ErrorCode::kNotFound);
  EXPECT_NE(camera.find("no such camera /dev/video97"), std::string::npos) << camera;
  const std::string screen = message_of(gst::Source::screen(":97"), ErrorCode::kNotFound);
  EXPECT_NE(screen.find("no such display :97"), std::string::npos) << screen;
  const std::string sound = message_of(gst::Source::microphone("hw:97"), ErrorCode::kNotFound);
  EXPECT_NE(sound.find("no such microphone hw:97"), std::string::npos) << sound;
}

TEST(SourceErrors, AMissingPluginIsNamedWithItsPackage) {
  const std::string known = message_of(gst::Source::video("pipewiresrc path=1"), ErrorCode::kNotSupported);
  EXPECT_NE(known.find("pipewiresrc; on Debian, install gstreamer1.0-pipewire"), std::string::npos) << known;
  const std::string other = message_of(gst::Source::audio("nosuchsrc"), ErrorCode::kNotSupported);
  EXPECT_NE(other.find("no GStreamer element nosuchsrc"), std::string::npos) << other;
}

TEST(SourceErrors, WrongArgumentsAreRefused) {
  message_of(gst::Source::video("videotestsrc ! ! x"), ErrorCode::kInvalidRequest);
  message_of(gst::Source::video("videotestsrc nosuchproperty=1"), ErrorCode::kInvalidRequest);
  message_of(gst::Source::test_video({.codec = Codec::kOpus}), ErrorCode::kInvalidRequest);
  message_of(gst::Source::test_video({.width = 640, .height = 0}), ErrorCode::kInvalidRequest);
  message_of(gst::Source::test_video({.width = 0, .height = 0, .simulcast = true}), ErrorCode::kInvalidRequest);
  message_of(gst::Source::test_video({.max_framerate = 0}), ErrorCode::kInvalidRequest);
  message_of(gst::Source::test_audio({.channels = 3}), ErrorCode::kInvalidRequest);
  message_of(gst::Source::test_audio({.bitrate = 1}), ErrorCode::kInvalidRequest);
}

TEST(SourceErrors, OneAtTheStartIsItsAnswerAndALaterOneIsTold) {
  const auto breaks_after = [](int frames) {
    return made(gst::Source::video(
        "videotestsrc is-live=true ! video/x-raw,framerate=15/1 ! identity error-after=" + std::to_string(frames),
        small()));
  };
  auto early = breaks_after(1);
  EXPECT_FAILS(ErrorCode::kMediaError, early.start());

  auto source = breaks_after(8);
  std::atomic<int> calls = 0;
  source.on_error([&](const Error& error) {
    EXPECT_EQ(to_text(error.code), "MEDIA_ERROR") << error.message;
    ++calls;
  });
  ASSERT_OK(source.start());
  EXPECT_TRUE(until([&] { return calls == 1; }));
  EXPECT_TRUE(source.error());
}

}  // namespace
}  // namespace atm0s::test

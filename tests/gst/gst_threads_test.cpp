// Ends of sources and players: in handlers, from several threads, fifty times, in bounded time.
#include <future>

#include "call.h"
#include "counts.h"

namespace atm0s::test {
namespace {

const std::string kBreaks = "videotestsrc is-live=true ! video/x-raw,framerate=30/1 ! identity error-after=5";

TEST(GstThreads, ASourceMayBeDestroyedInItsOwnHandler) {
  std::promise<std::chrono::nanoseconds> took;
  std::optional<gst::Source> source(made(gst::Source::video(kBreaks, small())));
  source->on_error([&](const Error&) {
    const auto began = Clock::now();
    source.reset();
    took.set_value(Clock::now() - began);
  });
  static_cast<void>(gst::Source(*source).start());  // a copy, for the handler takes the other
  auto done = took.get_future();
  ASSERT_EQ(done.wait_for(5s), std::future_status::ready);
  EXPECT_LT(done.get(), 500ms);
}

TEST(GstThreads, APlayerMayBeDestroyedInAHandlerOfItsSession) {
  const std::string room = new_room();
  Publishing ann(room, {{"video_main", made(gst::Source::test_video(small()))}});
  Viewing bob(room);
  auto opened = gst::Player::open(bob.view("video_main"), {}, {.video_sink = "fakesink"});
  ASSERT_TRUE(opened.ok()) << opened.error().message;
  std::optional<gst::Player> player(std::move(*opened));
  ASSERT_TRUE(until([&] { return player->video_frames() > 3; }));
  std::promise<void> gone;
  bob.session().on_event([&](const Event& event) {
    if (!player || !std::holds_alternative<StateChanged>(event)) return;
    player.reset();
    gone.set_value();
  });
  const Operation ending = bob.session().disconnect();
  EXPECT_EQ(gone.get_future().wait_for(5s), std::future_status::ready);
  EXPECT_OK(ending.wait());
}

// More than the threads that GLib keeps for a while are a leak.
TEST(GstThreads, FiftySourcesAndPlayersLeaveNothingBehind) {
  const std::string room = new_room();
  Viewing bob(room);
  const Receiver receiver = bob.session().take_receiver(MediaKind::kVideo);
  const auto once = [&](int i) {
    auto source = made(gst::Source::test_video(small(i % 2 == 0 ? Codec::kVp8 : Codec::kH264)));
    EXPECT_OK(source.start());
    auto player = gst::Player::open(receiver, {}, {.video_sink = "fakesink"});
    EXPECT_TRUE(player.ok());
  };
  for (int i = 0; i < 10; ++i) once(i);
  const size_t threads = count_threads(), descriptors = count_descriptors();
  std::chrono::nanoseconds slowest{};
  for (int i = 0; i < 50; ++i) {
    auto source = std::make_optional(made(gst::Source::test_video(small())));
    EXPECT_OK(source->start());
    const auto began = Clock::now();
    source.reset();
    slowest = std::max<std::chrono::nanoseconds>(slowest, Clock::now() - began);
    if (i % 5 == 0) once(i);
  }
  EXPECT_LE(count_threads(), threads + 4);
  EXPECT_LE(count_descriptors(), descriptors + 2);
  EXPECT_LT(slowest, 1s);
}

TEST(GstThreads, AllMethodsMayBeCalledAtTheSameTime) {
  auto source = made(gst::Source::test_video(small()));
  std::vector<std::thread> threads;
  for (int i = 0; i < 3; ++i) {
    threads.emplace_back([source, i]() mutable {
      for (int round = 0; round < 20; ++round) {
        static_cast<void>(source.frames());
        static_cast<void>(source.error());
        source.on_error([](const Error&) {});
        static_cast<void>(source.wait_end(1ms));
        if (round == 2 * i) static_cast<void>(source.start());
        if (round == 15) source.stop();
      }
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_FALSE(source.start().ok());
}

// A camera that does not let go: the destructor does not wait for it.
TEST(GstThreads, ADeviceThatHangsHoldsUpTheDestructorForABoundedTime) {
  auto source = std::make_optional(made(gst::Source::video(
      "videotestsrc is-live=true ! video/x-raw,framerate=30/1 ! identity sleep-time=2500000", small())));
  static_cast<void>(source->start());
  std::this_thread::sleep_for(200ms);
  const auto began = Clock::now();
  source.reset();
  EXPECT_LT(Clock::now() - began, 1500ms);
}

}  // namespace
}  // namespace atm0s::test

#include "core/playout/lip_sync.h"

#include <gtest/gtest.h>

#include "core/playout/streams_test.h"

namespace atm::playout {
namespace {

constexpr LipSync::StreamId kAudio = 1;
constexpr LipSync::StreamId kVideo = 2;

// The sender's wall clock is somewhere else than our monotonic one.
uint64_t ntp_of(Instant captured) {
  return to_ntp(WallTime{} + captured.time_since_epoch() + 500'000s);
}

uint32_t timestamp_of(Instant captured, Instant begin, const SourceSettings& source) {
  return source.first_timestamp + static_cast<uint32_t>((captured - begin).count() * source.clock_rate / 1'000'000);
}

// One peer's audio and video over ways of different delay, seen and heard by one viewer.
class Viewer {
 public:
  Viewer(Duration audio_way, Duration video_way, bool can_stretch = true)
      : audio_({.delays = {}, .max_packets = 0, .can_stretch = can_stretch}), device_(audio_) {
    audio_source_.clock_rate = 48'000;
    audio_source_.every = 20ms;
    audio_source_.first_timestamp = 777;
    ways(audio_way, video_way);
    sync_.set_stream(kAudio, 48'000, "ann");
    sync_.set_stream(kVideo, 90'000, "ann");
  }

  // Continues both streams from now on.
  void ways(Duration audio_way, Duration video_way) {
    const Duration before = now_ - kBegin;
    SourceSettings audio = audio_source_;
    SourceSettings video = video_source_;
    audio.first_timestamp = timestamp_of(now_, kBegin, audio_source_);
    video.first_timestamp = timestamp_of(now_, kBegin, video_source_);
    audio.first_sequence = static_cast<uint16_t>(before / 20ms);
    std::erase_if(audio_sent_, [&](const Sent& s) { return s.captured >= now_; });
    std::erase_if(video_sent_, [&](const Sent& s) { return s.captured >= now_; });
    for (const Sent& s : send(120s, clean(audio_way), audio, now_)) audio_sent_.push_back(s);
    for (const Sent& s : send(120s, clean(video_way), video, now_)) video_sent_.push_back(s);
  }

  void report(LipSync::StreamId id, Duration wrong = {}) {
    const SourceSettings& source = id == kAudio ? audio_source_ : video_source_;
    sync_.on_sender_report(id, {ntp_of(now_ + wrong), timestamp_of(now_, kBegin, source)});
  }

  void run(Duration length) {
    for (const Instant end = now_ + length; now_ < end; now_ += 10ms) {
      device_.run(audio_sent_, now_ + 10ms);
      for (; next_video_ < video_sent_.size() && video_sent_[next_video_].arrives < now_ + 10ms; ++next_video_) {
        const Sent& s = video_sent_[next_video_];
        take(s.arrives);
        video_.push({s.timestamp, s.arrives, s.arrives, true, next_video_, {}});
      }
      take(now_ + 10ms);
      sync_.set_play_point(kAudio, audio_.play_point());
      sync_.set_play_point(kVideo, video_.play_point());
      const Duration was[] = {sync_.delay(kAudio), sync_.delay(kVideo)};
      if (now_ >= sync_.next_timeout()) sync_.on_timeout(now_);
      audio_.set_sync_delay(sync_.delay(kAudio));
      video_.set_sync_delay(sync_.delay(kVideo));
      // Below its own delay a minimum does nothing.
      const auto step = [](Duration a, Duration b, Duration own) { return std::max(a, own) - std::max(b, own); };
      worst_step_ = std::max({worst_step_, step(was[0], sync_.delay(kAudio), audio_.play_point()->delay),
                              step(sync_.delay(kAudio), was[0], audio_.play_point()->delay),
                              step(was[1], sync_.delay(kVideo), video_.play_point()->delay),
                              step(sync_.delay(kVideo), was[1], video_.play_point()->delay)});
    }
  }

  // How much later than the picture the sound is, in the last second, on average; positive: sound is late.
  double sound_late_ms() const {
    const auto audio = delays_ms(device_.heard, now_ - 1s, now_);
    const auto video = delays_ms(shown_, now_ - 1s, now_);
    return quantile(audio, 0.5) - quantile(video, 0.5);
  }
  double worst_sound_ms() const {
    const auto audio = delays_ms(device_.heard, now_ - 1s, now_);
    const auto video = delays_ms(shown_, now_ - 1s, now_);
    return std::max(std::fabs(quantile(audio, 1) - quantile(video, 0)),
                    std::fabs(quantile(audio, 0) - quantile(video, 1)));
  }
  double video_ms() const { return quantile(delays_ms(shown_, now_ - 1s, now_), 0.5); }
  double audio_ms() const { return quantile(delays_ms(device_.heard, now_ - 1s, now_), 0.5); }

  LipSync& sync() { return sync_; }
  Duration worst_step() const { return worst_step_; }

 private:
  void take(Instant until) {
    std::vector<DueFrame> due;
    while (video_.next_timeout() <= until) video_.take_due(std::max(video_.next_timeout(), kBegin), due);
    for (const DueFrame& d : due) shown_.push_back({video_sent_[d.frame.tag], d.render_at, d.is_late});
  }

  SourceSettings audio_source_;
  SourceSettings video_source_;
  AudioPlayout audio_;
  VideoPlayout video_;
  LipSync sync_;
  Device device_;
  std::vector<Sent> audio_sent_;
  std::vector<Sent> video_sent_;
  size_t next_video_ = 0;
  std::vector<Shown> shown_;
  Instant now_ = kBegin;
  Duration worst_step_{};
};

TEST(LipSync, HoldsBothWithin20MsTwoSecondsAfterTheReports) {
  const std::pair<Duration, Duration> ways[] = {{20ms, 150ms}, {150ms, 20ms}, {20ms, 220ms}, {30ms, 30ms}};
  for (const auto& [audio, video] : ways) {
    for (const bool can_stretch : {true, false}) {
      Viewer viewer(audio, video, can_stretch);
      viewer.run(1s);
      viewer.report(kAudio);
      viewer.report(kVideo);
      viewer.run(3s);
      EXPECT_LT(viewer.worst_sound_ms(), 20) << to_ms(audio) << " " << to_ms(video) << " " << can_stretch;
      viewer.run(20s);
      EXPECT_LT(viewer.worst_sound_ms(), 20);
      EXPECT_LE(viewer.worst_step(), Duration(10ms));
    }
  }
}

TEST(LipSync, ReportsOfAForwardingServerMayBeOffByJitter) {
  Viewer viewer(20ms, 150ms);
  viewer.run(1s);
  SeededRng rng(2);
  for (int i = 0; i < 40; ++i) {
    viewer.report(kAudio, i % 3 == 0 ? 75ms - Duration(rng.below(150'000)) : Duration{});
    viewer.report(kVideo);
    viewer.run(1s);
    if (i < 6) continue;
    ASSERT_LT(viewer.worst_sound_ms(), 20) << i;
  }
}

TEST(LipSync, AClockThatIsSetIsBelievedAtOnce) {
  Viewer viewer(20ms, 100ms);
  viewer.run(1s);
  for (int i = 0; i < 5; ++i) {
    viewer.report(kAudio);
    viewer.report(kVideo);
    viewer.run(1s);
  }
  viewer.report(kAudio, 1s);
  EXPECT_GT(viewer.sync().skew("ann").value_or(0ms), Duration(800ms));
}

TEST(LipSync, OnlyTheEarlierOneWaits) {
  Viewer viewer(20ms, 150ms);
  viewer.run(1s);
  const double video = viewer.video_ms();
  viewer.report(kAudio);
  viewer.report(kVideo);
  viewer.run(5s);
  EXPECT_NEAR(viewer.video_ms(), video, 1);
  EXPECT_EQ(viewer.sync().delay(kVideo), Duration{});
  EXPECT_GT(viewer.sync().delay(kAudio), Duration(120ms));
  EXPECT_NEAR(to_ms(viewer.sync().skew("ann").value_or(0ms)), 120, 15);
}

TEST(LipSync, NothingWaitsWithoutReports) {
  Viewer viewer(20ms, 150ms);
  viewer.report(kVideo);
  viewer.run(5s);
  EXPECT_EQ(viewer.sync().delay(kAudio), Duration{});
  EXPECT_EQ(viewer.sync().delay(kVideo), Duration{});
  EXPECT_FALSE(viewer.sync().skew("ann"));
}

TEST(LipSync, StreamsOfDifferentPeersDoNotWaitForEachOther) {
  Viewer viewer(20ms, 150ms);
  viewer.sync().set_stream(kVideo, 90'000, "bob");
  viewer.run(1s);
  viewer.report(kAudio);
  viewer.report(kVideo);
  viewer.run(3s);
  EXPECT_EQ(viewer.sync().delay(kAudio), Duration{});
}

TEST(LipSync, AnOwnerWithoutANameIsNobody) {
  Viewer viewer(20ms, 150ms);
  viewer.sync().set_stream(kAudio, 48'000, "");
  viewer.sync().set_stream(kVideo, 90'000, "");
  viewer.run(1s);
  viewer.report(kAudio);
  viewer.report(kVideo);
  viewer.run(3s);
  EXPECT_EQ(viewer.sync().delay(kAudio), Duration{});
}

TEST(LipSync, IsRightAgainAfterASwitchOfSource) {
  Viewer viewer(20ms, 150ms);
  viewer.run(1s);
  viewer.report(kAudio);
  viewer.report(kVideo);
  viewer.run(5s);
  // Both receivers show bob now, whose video is the faster one.
  viewer.sync().set_stream(kAudio, 48'000, "bob");
  viewer.sync().set_stream(kVideo, 90'000, "bob");
  EXPECT_FALSE(viewer.sync().skew("bob"));  // nothing is known of bob
  viewer.ways(120ms, 40ms);
  viewer.run(1s);
  const Duration held = viewer.sync().delay(kAudio);
  EXPECT_GT(held, Duration(120ms));  // until the new reports come
  viewer.report(kAudio);
  viewer.report(kVideo);
  viewer.run(20s);
  EXPECT_LT(viewer.worst_sound_ms(), 20);
  EXPECT_LE(viewer.worst_step(), Duration(10ms));
  EXPECT_LT(viewer.audio_ms(), 160);
}

TEST(LipSync, WhenTheOtherOneGoesTheDelayGoesInSteps) {
  Viewer viewer(20ms, 150ms);
  viewer.run(1s);
  viewer.report(kAudio);
  viewer.report(kVideo);
  viewer.run(5s);
  viewer.sync().remove_stream(kVideo);
  viewer.run(100ms);
  EXPECT_GT(viewer.sync().delay(kAudio), Duration(100ms));
  viewer.run(3s);
  EXPECT_EQ(viewer.sync().delay(kAudio), Duration{});
  EXPECT_LE(viewer.worst_step(), Duration(10ms));
}

TEST(LipSync, ReportsThatAreSecondsApartAreNotBelieved) {
  Viewer viewer(20ms, 150ms);
  viewer.run(1s);
  viewer.report(kAudio);
  viewer.report(kVideo, 3s);
  viewer.run(3s);
  EXPECT_EQ(viewer.sync().delay(kAudio), Duration{});
  EXPECT_EQ(viewer.sync().delay(kVideo), Duration{});
}

TEST(LipSync, AReportWithoutAClockSaysNothing) {
  Viewer viewer(20ms, 150ms);
  viewer.run(1s);
  viewer.report(kVideo);
  viewer.sync().on_sender_report(kAudio, {0, 777});
  viewer.run(1s);
  EXPECT_FALSE(viewer.sync().skew("ann"));
}

TEST(LipSync, TheNumberOfStreamsIsBounded) {
  LipSync sync;
  for (LipSync::StreamId id = 0; id < kMaxSyncedStreams; ++id) EXPECT_TRUE(sync.set_stream(id, 48'000, "ann"));
  EXPECT_FALSE(sync.set_stream(1'000, 48'000, "ann"));
  EXPECT_TRUE(sync.set_stream(3, 90'000, "bob"));
  sync.remove_stream(5);
  EXPECT_TRUE(sync.set_stream(1'000, 48'000, "ann"));
  EXPECT_TRUE(sync.set_stream(kMaxSyncedStreams - 1, 48'000, "ann"));  // the last one has only moved
  EXPECT_FALSE(LipSync().set_stream(1, 0, "ann"));
  EXPECT_EQ(LipSync().next_timeout(), kNever);
}

}  // namespace
}  // namespace atm::playout

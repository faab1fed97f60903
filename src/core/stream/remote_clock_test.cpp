#include "core/stream/remote_clock.h"

#include <gtest/gtest.h>

#include "base/rng.h"
#include "core/stream/stream_test_support.h"

namespace atm::stream {
namespace {

// A remote whose clock began at 1000 s after 1900, and gains `ppm`.
struct Remote {
  Duration shown(Duration since_start) const {
    return 1'000s + since_start + since_start * ppm / 1'000'000 + set_ahead;
  }
  uint64_t ntp(Duration since_start) const {
    constexpr Duration kUnixEpoch = 2'208'988'800s;
    return to_ntp(WallTime{shown(since_start) - kUnixEpoch});
  }
  void report(Duration since_start, Duration delay) { clock.on_report(at(since_start + delay).mono, ntp(since_start)); }
  // How much later than it was something seems to have been that the remote captured now.
  Duration error(Duration since_start) const {
    return *clock.to_local(at(since_start).mono, ntp(since_start), 0ms) - at(since_start).mono;
  }

  int64_t ppm = 0;
  Duration set_ahead{};
  RemoteClock clock;
};

TEST(RemoteClock, says_nothing_before_a_report_and_of_a_remote_without_a_clock) {
  RemoteClock clock;
  EXPECT_FALSE(clock.to_local(at(0s).mono, uint64_t{1} << 32, 0ms));
  clock.on_report(at(0s).mono, 0);
  EXPECT_FALSE(clock.to_local(at(0s).mono, uint64_t{1} << 32, 0ms));
  clock.on_report(at(0s).mono, uint64_t{1} << 32);
  EXPECT_EQ(clock.to_local(at(1s).mono, uint64_t{3} << 32, 500ms), at(2'500ms).mono);
  EXPECT_FALSE(clock.to_local(at(1s).mono, 0, 0ms)) << "of this stream it does not know";
  EXPECT_TRUE(clock.to_local(at(1s).mono, uint64_t{2} << 32, kBelievedAge));
  EXPECT_FALSE(clock.to_local(at(1s).mono, uint64_t{2} << 32, kBelievedAge + 1ms));
  EXPECT_FALSE(clock.to_local(at(12s).mono, 1, 0ms)) << "nor does it believe everything";
  EXPECT_FALSE(clock.to_local(at(1s).mono, UINT64_MAX, 0ms));
}

TEST(RemoteClock, takes_the_report_with_the_least_delay) {
  Remote remote;
  remote.report(0s, 150ms);
  EXPECT_NEAR(to_us(remote.error(0s)), 150'000, 2);
  remote.report(1s, 20ms);
  EXPECT_NEAR(to_us(remote.error(1s)), 20'000, 2) << "a new clock's at once";
  remote.report(2s, 400ms);
  remote.report(3s, 60ms);
  EXPECT_NEAR(to_us(remote.error(3s)), 20'000, 2);
}

TEST(RemoteClock, knows_that_nothing_is_captured_after_it_has_arrived) {
  Remote remote;
  remote.report(0s, 150ms);
  const auto arrives = [&](Duration captured, Duration delay) {
    remote.clock.on_arrival(at(captured + delay).mono,
                            *remote.clock.to_local(at(captured + delay).mono, remote.ntp(captured), 0ms));
  };
  arrives(200ms, 300ms);  // a slow encoder says nothing
  EXPECT_NEAR(to_us(remote.error(500ms)), 150'000, 2);
  arrives(500ms, 30ms);
  EXPECT_NEAR(to_us(remote.error(530ms)), 30'000, 2);
  for (int i = 1; i < 15; ++i) remote.report(i * 1s, 40ms);
  arrives(15s, 10ms);
  EXPECT_GE(remote.error(15s), 30ms) << "later it moves slowly";
}

TEST(RemoteClock, moves_by_a_millisecond_a_second_at_most) {
  Remote remote;
  for (int i = 0; i <= 12; ++i) remote.report(i * 1s, 100ms);
  remote.report(13s, 20ms);
  EXPECT_NEAR(to_us(remote.error(13s + 20ms)), 100'000, 2);
  EXPECT_NEAR(to_us(remote.error(23s + 20ms)), 90'000, 2) << "it moves without another report, too";
  Duration before = remote.error(23s + 20ms);
  for (int i = 24; i < 200; ++i) {
    remote.report(i * 1s, 20ms);
    const Duration error = remote.error(i * 1s + 20ms);
    EXPECT_LE(std::chrono::abs(error - before), 1'001us) << i;
    before = error;
  }
  EXPECT_NEAR(to_us(before), 20'000, 2);
  // A longer way from now on, as after a handover.
  for (int i = 200; i < 400; ++i) remote.report(i * 1s, 120ms);
  EXPECT_NEAR(to_us(remote.error(400s)), 120'000, 2);
}

TEST(RemoteClock, follows_a_drift_of_fifty_ppm_either_way_for_an_hour) {
  for (const int64_t ppm : {-50, 50}) {
    Remote remote;
    remote.ppm = ppm;
    SeededRng rng(7);
    Duration before{};
    for (int i = 0; i < 3'600; ++i) {
      const Duration delay = 20ms + Duration(rng.below(30'000));
      remote.report(i * 1s, delay);
      const Duration error = remote.error(i * 1s);
      if (i >= 60) {
        EXPECT_GE(error, 18ms) << ppm << ' ' << i;
        EXPECT_LE(error, 30ms) << ppm << ' ' << i;
        EXPECT_LE(std::chrono::abs(error - before), 1'100us) << ppm << ' ' << i;
      }
      before = error;
    }
  }
}

TEST(RemoteClock, begins_anew_when_the_remotes_clock_was_set) {
  Remote remote;
  for (int i = 0; i < 20; ++i) remote.report(i * 1s, 20ms);
  remote.set_ahead = 1h;
  remote.report(20s, 30ms);
  EXPECT_NEAR(to_us(remote.error(20s)), 30'000, 2) << "ahead: no delay is negative, so at once";
  remote.set_ahead = -1h;
  for (int i = 21; i < 60; ++i) remote.report(i * 1s, 20ms);
  EXPECT_NEAR(to_us(remote.error(60s)), 20'000, 2) << "back: could be a delay, so after two windows";
}

}  // namespace
}  // namespace atm::stream

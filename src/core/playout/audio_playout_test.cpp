#include "core/playout/audio_playout.h"

#include <gtest/gtest.h>

#include "core/playout/streams_test.h"

namespace atm::playout {
namespace {

SourceSettings opus(Duration every = 20ms) {
  SourceSettings source;
  source.clock_rate = 48'000;
  source.every = every;
  source.in_order = false;
  return source;
}

size_t count(const std::vector<Heard>& heard, AudioAction action) {
  return static_cast<size_t>(
      std::count_if(heard.begin(), heard.end(), [&](const Heard& h) { return h.action == action; }));
}

void expect_in_order(const std::vector<Heard>& heard) {
  const Heard* last = nullptr;
  for (const Heard& h : heard) {
    if (h.action != AudioAction::kPlay && h.action != AudioAction::kSkip) continue;
    if (last) {
      ASSERT_GT(h.sent.captured, last->sent.captured);
    }
    last = &h;
  }
}

TEST(AudioPlayout, CleanLinkIsHeardSoonAndWhole) {
  AudioPlayout playout;
  Device device(playout);
  device.run(send(20s, clean(30ms), opus()), kBegin + 20s);
  expect_in_order(device.heard);
  const auto delays = delays_ms(device.heard, kBegin);
  EXPECT_LT(quantile(delays, 1), 60);
  EXPECT_EQ(playout.stats().concealed_samples, 0u);
  EXPECT_EQ(playout.stats().packets_discarded, 0u);
  EXPECT_NEAR(static_cast<double>(playout.stats().total_samples_received), 20 * 48'000, 3'000);
  EXPECT_EQ(playout.stats().jitter_buffer_emitted_count, playout.stats().total_samples_received);
}

TEST(AudioPlayout, UltraLowIsUnder60MsOnACleanLink) {
  AudioPlayout playout({.delays = {}, .max_packets = 10});
  Device device(playout);
  device.run(send(20s, clean(30ms), opus()), kBegin + 20s);
  EXPECT_LT(quantile(delays_ms(device.heard, kBegin), 1), 60);
  EXPECT_EQ(playout.stats().concealed_samples, 0u);
}

TEST(AudioPlayout, UltraLowNeverHoldsMoreThanItsPackets) {
  AudioPlayout playout({.delays = {}, .max_packets = 10});
  Device device(playout);
  const auto sent = send(20s, jittery(30ms, 200ms, 5), opus());
  for (int i = 0; i < 2'000; ++i) {
    device.run(sent, kBegin + i * 10ms);
    ASSERT_LE(playout.waiting(), 14u);
    ASSERT_LE(playout.target_delay(), Duration(200ms));
  }
}

TEST(AudioPlayout, SmoothHoldsItsDelayWithin20Percent) {
  const std::pair<int, size_t> modes[] = {{200, 20}, {500, 25}, {800, 40}, {1'000, 50}, {2'000, 100}};
  for (const auto& [n, packets] : modes) {
    for (const bool can_stretch : {false, true}) {
      const Duration delay(n * 1'000);
      AudioPlayout playout({{delay, delay}, packets, can_stretch});
      Device device(playout);
      device.run(send(60s, jittery(20ms, 15ms, 4), opus()), kBegin + 60s);
      expect_in_order(device.heard);
      const auto delays = delays_ms(device.heard, kBegin + 5s);
      EXPECT_GT(quantile(delays, 0), n * 0.8 + 20);
      EXPECT_LT(quantile(delays, 1), n * 1.2 + 20);
      EXPECT_EQ(playout.stats().concealed_samples, 0u) << n;
      EXPECT_EQ(playout.stats().packets_discarded, 0u) << n;
    }
  }
}

TEST(AudioPlayout, DefaultFollowsTheJitterAndLosesLittle) {
  for (const int mean : {5, 20, 50}) {
    for (const bool can_stretch : {false, true}) {
      AudioPlayout playout({.delays = {}, .max_packets = 0, .can_stretch = can_stretch});
      Device device(playout);
      device.run(send(120s, jittery(20ms, mean * 1ms, 5), opus()), kBegin + 120s,
                 [](AudioPacket& packet) { packet.is_quiet = packet.sequence % 50 < 15; });
      expect_in_order(device.heard);
      const auto delays = delays_ms(device.heard, kBegin + 5s);
      EXPECT_LT(quantile(delays, 0.5), 20 + 4 * mean + 30);
      EXPECT_LT(playout.stats().concealed_samples, playout.stats().total_samples_received / 12);
    }
  }
}

// As Wi-Fi and some modems: nothing for 100 ms, then all of it.
TEST(AudioPlayout, BurstsAreHeardEvenly) {
  AudioPlayout playout;
  Device device(playout);
  device.run(send(60s, [](Duration since) { return 120ms - since % 100ms; }, opus()), kBegin + 60s);
  expect_in_order(device.heard);
  const auto delays = delays_ms(device.heard, kBegin + 5s);
  EXPECT_LT(quantile(delays, 1), 161);
  EXPECT_NEAR(quantile(delays, 0), quantile(delays, 1), 0.1);
  EXPECT_LE(playout.stats().concealed_samples, 5'000u);
}

TEST(AudioPlayout, ALostPacketIsConcealedOnceAndFecIsUsedWhereItIs) {
  for (const bool has_fec : {true, false}) {
    AudioPlayout playout({.delays = {100ms, 100ms}});
    Device device(playout);
    const Network network = [](Duration since) -> std::optional<Duration> {
      if (since % 1s == Duration(500ms)) return std::nullopt;
      return 20ms;
    };
    device.run(send(10s, network, opus()), kBegin + 10s, [&](AudioPacket& packet) { packet.has_fec = has_fec; });
    EXPECT_EQ(count(device.heard, AudioAction::kFec), has_fec ? 10u : 0u);
    EXPECT_EQ(count(device.heard, AudioAction::kConceal), has_fec ? 0u : 10u);
    EXPECT_EQ(playout.stats().concealment_events, has_fec ? 0u : 10u);
    EXPECT_EQ(playout.stats().concealed_samples, has_fec ? 0u : 9'600u);
    EXPECT_EQ(playout.stats().fec_samples, has_fec ? 9'600u : 0u);
    const auto delays = delays_ms(device.heard, kBegin);
    EXPECT_NEAR(quantile(delays, 0), quantile(delays, 1), 0.1);
  }
}

TEST(AudioPlayout, WhatWasConcealedWhileNothingWasThereIsNotConcealedAgain) {
  AudioPlayout playout({.delays = {10ms, 10ms}});
  Device device(playout);
  const Network network = [](Duration since) -> std::optional<Duration> {
    if (since % 1s == Duration(500ms)) return std::nullopt;
    return 20ms;
  };
  device.run(send(10s, network, opus()), kBegin + 10s);
  EXPECT_EQ(playout.stats().concealed_samples, 9'600u);
}

TEST(AudioPlayout, ThePacketsThatWaitAreBoundedWhenNobodyPulls) {
  AudioPlayout playout({.delays = {}, .max_packets = 10});
  for (uint32_t i = 0; i < 100; ++i) {
    playout.push({static_cast<uint16_t>(i), i * 960, kBegin + i * 20ms, 960});
    ASSERT_LE(playout.waiting(), 14u);
  }
  EXPECT_EQ(playout.stats().packets_discarded, 86u);
}

TEST(AudioPlayout, OfTwoLostPacketsTheFirstIsConcealedAndTheSecondComesFromFec) {
  AudioPlayout playout({.delays = {100ms, 100ms}});
  Device device(playout);
  const Network network = [](Duration since) -> std::optional<Duration> {
    if (since == Duration(500ms) || since == Duration(520ms)) return std::nullopt;
    return 20ms;
  };
  device.run(send(2s, network, opus()), kBegin + 2s, [](AudioPacket& packet) { packet.has_fec = true; });
  std::vector<AudioAction> actions;
  for (const Heard& h : device.heard) {
    if (h.action == AudioAction::kConceal || h.action == AudioAction::kFec) actions.push_back(h.action);
  }
  EXPECT_EQ(actions, (std::vector{AudioAction::kConceal, AudioAction::kFec}));
}

TEST(AudioPlayout, LateRetransmissionsAreWaitedForWhenThereAreMany) {
  AudioPlayout playout;
  Device device(playout);
  SeededRng rng(6);
  device.run(send(
                 120s, [&](Duration) { return rng.below(100) < 10 ? 100ms : 20ms; }, opus()),
             kBegin + 120s, [](AudioPacket& packet) { packet.is_quiet = packet.sequence % 50 < 15; });
  expect_in_order(device.heard);
  EXPECT_LT(playout.stats().concealed_samples, playout.stats().total_samples_received / 50);
}

TEST(AudioPlayout, ARetransmissionThatComesTooLateIsDiscarded) {
  AudioPlayout playout({.delays = {60ms, 60ms}});
  Device device(playout);
  device.run(
      send(10s, [&](Duration since) { return since % 1s == Duration(500ms) ? 150ms : 20ms; }, opus()), kBegin + 10s);
  expect_in_order(device.heard);
  EXPECT_EQ(playout.stats().packets_discarded, 10u);
  EXPECT_EQ(playout.stats().concealment_events, 10u);
  EXPECT_EQ(playout.stats().jumps, 0u);
}

TEST(AudioPlayout, CopiesAreTakenOnce) {
  AudioPlayout playout({.delays = {60ms, 60ms}});
  Device device(playout);
  auto sent = send(5s, clean(20ms), opus());
  const auto copies = send(5s, clean(40ms), opus());
  sent.insert(sent.end(), copies.begin(), copies.end());
  std::stable_sort(sent.begin(), sent.end(), [](const Sent& a, const Sent& b) { return a.arrives < b.arrives; });
  device.run(sent, kBegin + 5s);
  expect_in_order(device.heard);
  EXPECT_GT(playout.stats().duplicates, 240u);
  EXPECT_EQ(playout.stats().concealed_samples, 0u);
}

// Speech of a second, then a DTX packet each 400 ms for two seconds.
std::vector<Sent> speech_with_pauses(Duration length, const Network& network, double ppm = 0) {
  SourceSettings source = opus();
  source.ppm = ppm;
  std::vector<Sent> sent;
  uint16_t sequence = 0;
  for (Sent packet : send(length, network, source)) {
    const Duration at = (packet.captured - kBegin) % 3s;
    if (at > Duration(1s) && (at - 1s) % 400ms != Duration{}) continue;
    packet.sequence = sequence++;
    sent.push_back(packet);
  }
  return sent;
}

TEST(AudioPlayout, APauseOfTheSenderIsSilenceAndNotLoss) {
  AudioPlayout playout;
  Device device(playout);
  device.run(speech_with_pauses(30s, clean(20ms)), kBegin + 30s, [](AudioPacket& packet) {
    packet.is_dtx = (packet.rtp_timestamp - opus().first_timestamp) % 144'000 >= 48'000;
  });
  expect_in_order(device.heard);
  EXPECT_EQ(playout.stats().concealed_samples, 0u);
  EXPECT_EQ(playout.stats().inserted_samples_for_deceleration, 0u);
  EXPECT_GT(count(device.heard, AudioAction::kSilence), 1'500u);
  EXPECT_LT(quantile(delays_ms(device.heard, kBegin), 1), 52);
}

TEST(AudioPlayout, APauseWithoutADtxPacketIsKnownByTheSequenceNumbers) {
  AudioPlayout playout({.delays = {500ms, 500ms}});
  Device device(playout);
  device.run(speech_with_pauses(30s, clean(20ms)), kBegin + 30s);
  EXPECT_EQ(playout.stats().concealed_samples, 0u);
  EXPECT_NEAR(quantile(delays_ms(device.heard, kBegin), 0), 520, 12);
  EXPECT_NEAR(quantile(delays_ms(device.heard, kBegin), 1), 520, 12);
}

TEST(AudioPlayout, FollowsADriftOf200PpmForTenMinutes) {
  for (const double ppm : {200.0, -200.0}) {
    for (const bool can_stretch : {false, true}) {
      AudioPlayout playout({{200ms, 200ms}, 20, can_stretch});
      SourceSettings source = opus();
      source.ppm = ppm;
      Device device(playout);
      device.run(send(600s, jittery(20ms, 5ms, 7), source), kBegin + 600s);
      expect_in_order(device.heard);
      const auto delays = delays_ms(device.heard, kBegin + 5s);
      EXPECT_GT(quantile(delays, 0), can_stretch ? 200 : 185);
      EXPECT_LT(quantile(delays, 1), can_stretch ? 240 : 255);
      EXPECT_EQ(playout.stats().concealed_samples, 0u);
      const auto changed = ppm > 0 ? playout.stats().removed_samples_for_acceleration
                                   : playout.stats().inserted_samples_for_deceleration;
      EXPECT_NEAR(static_cast<double>(changed), 0.12 * 48'000, 2'000);
    }
  }
}

TEST(AudioPlayout, AnOutageLeavesNoDelay) {
  for (const bool is_queued : {true, false}) {
    for (const bool can_stretch : {false, true}) {
      AudioPlayout playout({.delays = {}, .max_packets = 0, .can_stretch = can_stretch});
      Device device(playout);
      const Network network = [&](Duration since) -> std::optional<Duration> {
        if (since < 20s || since >= 23s) return 30ms;
        if (!is_queued) return std::nullopt;
        return 23s - since + 30ms;
      };
      device.run(send(40s, network, opus()), kBegin + 40s);
      expect_in_order(device.heard);
      const auto delays = delays_ms(device.heard, kBegin + 24s);
      EXPECT_LT(quantile(delays, 1), 80);
      EXPECT_EQ(playout.stats().concealment_events, 1u);
      EXPECT_NEAR(static_cast<double>(playout.stats().concealed_samples), 3 * 48'000, 5'000);
      EXPECT_NEAR(static_cast<double>(playout.stats().silent_concealed_samples), 3 * 48'000 - 5'760, 5'000);
      EXPECT_EQ(playout.stats().jumps, 0u);
    }
  }
}

TEST(AudioPlayout, ASpikeIsHeardLateAndMadeUpFor) {
  AudioPlayout playout({.delays = {}, .max_packets = 0, .can_stretch = true});
  Device device(playout);
  const Network network = [&](Duration since) { return since < 20s || since >= 20'100ms ? 30ms : 20'130ms - since; };
  device.run(send(30s, network, opus()), kBegin + 30s);
  expect_in_order(device.heard);
  EXPECT_EQ(count(device.heard, AudioAction::kPlay) / 10, 149u);  // none is thrown away
  EXPECT_LT(quantile(delays_ms(device.heard, kBegin + 25s), 1), 62);
  EXPECT_GT(playout.stats().removed_samples_for_acceleration, 2'000u);
}

TEST(AudioPlayout, EveryLengthOfFrameIsPlayed) {
  for (const Duration every :
       {Duration(2'500), Duration(5ms), Duration(10ms), Duration(40ms), Duration(60ms), Duration(120ms)}) {
    AudioPlayout playout;
    Device device(playout);
    const auto samples = static_cast<uint32_t>(every.count() * 48 / 1'000);
    device.run(send(20s, jittery(20ms, 1ms, 8), opus(every)), kBegin + 20s,
               [&](AudioPacket& packet) { packet.samples = samples; });
    expect_in_order(device.heard);
    EXPECT_LT(playout.stats().concealed_samples, 4'800u) << every.count();
    EXPECT_NEAR(static_cast<double>(playout.stats().total_samples_received), 20 * 48'000, 15'000) << every.count();
  }
}

std::vector<Sent> then(std::vector<Sent> sent, Duration length, Network network, Instant begin, uint32_t timestamp) {
  SourceSettings source = opus();
  source.first_timestamp = timestamp;
  source.first_sequence = static_cast<uint16_t>(sent.back().sequence + 1);
  const auto more = send(length, std::move(network), source, begin);
  sent.insert(sent.end(), more.begin(), more.end());
  return sent;
}

TEST(AudioPlayout, AJumpOfTimestampsBeginsAnew) {
  for (const int64_t jump :
       {int64_t{48'000} * 3'600, int64_t{-48'000} * 3, int64_t{48'000} * 2, int64_t{-48'000} * 60}) {
    AudioPlayout playout({.delays = {200ms, 200ms}});
    Device device(playout);
    const auto continued = static_cast<uint32_t>(opus().first_timestamp + 480'000 + jump);
    device.run(then(send(10s, clean(30ms), opus()), 10s, clean(30ms), kBegin + 10s, continued), kBegin + 20s);
    expect_in_order(device.heard);
    EXPECT_EQ(playout.stats().jumps, 1u) << jump;
    EXPECT_EQ(playout.stats().packets_discarded, 10u);  // what waited
    EXPECT_NEAR(quantile(delays_ms(device.heard, kBegin), 0), 230, 11) << jump;
    EXPECT_NEAR(quantile(delays_ms(device.heard, kBegin), 1), 230, 11) << jump;
  }
}

TEST(AudioPlayout, SequenceNumbersThatBeginAnewAreSurvived) {
  AudioPlayout playout({.delays = {200ms, 200ms}});
  Device device(playout);
  auto sent = then(send(10s, clean(30ms), opus()), 10s, clean(30ms), kBegin + 10s, 1'000);
  for (size_t i = 500; i < sent.size(); ++i) sent[i].sequence = static_cast<uint16_t>(sent[i].sequence - 2'000);
  device.run(sent, kBegin + 20s);
  EXPECT_GE(playout.stats().jumps, 1u);
  EXPECT_NEAR(quantile(delays_ms(device.heard, kBegin + 15s), 0.5), 230, 11);
}

TEST(AudioPlayout, ASwitchToASourceOfAnotherDelayNeedsNoReset) {
  for (const Duration other : {Duration(90ms), Duration(10ms)}) {
    AudioPlayout playout({.delays = {}, .max_packets = 0, .can_stretch = true});
    Device device(playout);
    const auto continued = opus().first_timestamp + 480'000;
    device.run(then(send(10s, clean(40ms), opus()), 30s, clean(other), kBegin + 10s, continued), kBegin + 40s);
    expect_in_order(device.heard);
    EXPECT_EQ(playout.stats().jumps, 0u);
    const auto delays = delays_ms(device.heard, kBegin + 30s);
    EXPECT_NEAR(quantile(delays, 0.5), static_cast<double>(to_ms(other)) + 17, 15);
  }
}

TEST(AudioPlayout, WaitsAtLeastAsLongAsLipSyncAsks) {
  for (const bool can_stretch : {false, true}) {
    AudioPlayout playout({.delays = {}, .max_packets = 0, .can_stretch = can_stretch});
    Device device(playout);
    const auto sent = send(30s, clean(30ms), opus());
    device.run(sent, kBegin + 5s);
    playout.set_sync_delay(150ms);
    device.run(sent, kBegin + 30s);
    EXPECT_NEAR(quantile(delays_ms(device.heard, kBegin + 10s), 0.5), 180, can_stretch ? 15 : 31);
    EXPECT_EQ(playout.stats().concealed_samples, 0u);
    EXPECT_GT(playout.stats().inserted_samples_for_deceleration, 4'000u);
  }
}

TEST(AudioPlayout, ANewModeIsReachedWhileSomebodySpeaks) {
  AudioPlayout playout;
  Device device(playout);
  const auto sent = send(30s, clean(30ms), opus());
  device.run(sent, kBegin + 5s);
  playout.set_config({.delays = {500ms, 500ms}, .max_packets = 25});
  device.run(sent, kBegin + 15s);
  EXPECT_NEAR(quantile(delays_ms(device.heard, kBegin + 7s), 0.5), 530, 35);
  playout.set_config({.delays = {}, .max_packets = 10});
  device.run(sent, kBegin + 30s);
  EXPECT_LT(quantile(delays_ms(device.heard, kBegin + 17s), 1), 90);
  EXPECT_EQ(playout.stats().concealed_samples, 0u);
}

TEST(AudioPlayout, PacketsOfNoLengthAreRefused) {
  AudioPlayout playout;
  playout.push({1, 1, kBegin, 0});
  playout.push({2, 2, kBegin, 5'761});
  EXPECT_EQ(playout.waiting(), 0u);
  EXPECT_EQ(playout.stats().packets_discarded, 2u);
}

TEST(AudioPlayout, BeforeTheFirstPacketThereIsSilenceThatIsNotCounted) {
  AudioPlayout playout;
  AudioStep step;
  playout.pull(kBegin, step);
  EXPECT_EQ(step.action, AudioAction::kSilence);
  EXPECT_EQ(step.samples, 480u);
  EXPECT_EQ(playout.stats().total_samples_received, 0u);
  EXPECT_EQ(playout.stats().concealed_samples, 0u);
}

}  // namespace
}  // namespace atm::playout

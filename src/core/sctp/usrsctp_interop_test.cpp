// The association against usrsctp over a lossy link.
#include "core/sctp/usrsctp_test.h"

#include <sys/time.h>

// usrsctp reads the time of day beside its timers (T3 leaves alone what it thinks was sent just now): it shall see the
// link's. The definition in the program goes before the C library's.
extern "C" __attribute__((visibility("default"))) int gettimeofday(timeval* __restrict time,
                                                                   void* __restrict) noexcept {
  const int64_t us = atm::sctp::usrsctp_clock.time_since_epoch().count();
  time->tv_sec = us / 1'000'000;
  time->tv_usec = us % 1'000'000;
  return 0;
}

namespace atm::sctp {
namespace {

class UsrsctpInterop : public testing::TestWithParam<Opener> {};
INSTANTIATE_TEST_SUITE_P(Openers, UsrsctpInterop, kAllOpeners, opener_name);

TEST_P(UsrsctpInterop, ExchangesMessagesOfEverySizeUnderLoss) {
  const LinkConfig links[] = {{}, {.loss = 0.1, .jitter = 10ms}, {.loss = 0.2, .duplication = 0.05, .jitter = 30ms}};
  uint64_t seed = 1;
  for (const LinkConfig& config : links) {
    Interop interop(GetParam(), config, ++seed);
    const size_t sizes[] = {1, 2, 1'119, 1'120, 1'121, 5'000, 65'535, 65'536, 262'144};
    for (const size_t size : sizes) {
      ASSERT_TRUE(interop.we.send(interop.link.now(), 1, 53, make_payload(size, size), {}, interop.link.out_a()));
      interop.they.send(interop.link.now(), 1, make_payload(size, size + 1), {}, interop.link.out_b());
    }
    const size_t total = 1 + std::size(sizes);
    ASSERT_TRUE(interop.link.run(
        1'200s, [&] { return interop.count<Message>() >= total && interop.link.out_b().messages.size() >= total; }))
        << config.loss << ": " << interop.count<Message>() << " and " << interop.link.out_b().messages.size();
    const auto ours = interop.our_messages();
    const auto& theirs = interop.link.out_b().messages;
    for (size_t i = 0; i < std::size(sizes); ++i) {
      EXPECT_TRUE(ours[i + 1].payload == make_payload(sizes[i], sizes[i] + 1)) << sizes[i];
      EXPECT_TRUE(theirs[i + 1].payload == make_payload(sizes[i], sizes[i])) << sizes[i];
      EXPECT_EQ(theirs[i + 1].ppid, 53u);
      EXPECT_EQ(theirs[i + 1].stream, 1);
    }
    interop.link.run_for(10s);
    EXPECT_EQ(interop.count<Message>(), total);
    EXPECT_EQ(interop.link.out_b().messages.size(), total);
    const Counters& counters = interop.we.counters();
    EXPECT_EQ(counters.drop_checksum + counters.drop_malformed + counters.drop_tag + counters.drop_sack_invalid, 0u);
  }
}

TEST_P(UsrsctpInterop, UnorderedMessagesArriveOnceEach) {
  Interop interop(GetParam(), {.loss = 0.15, .jitter = 30ms}, 9);
  std::multiset<Bytes> sent;
  for (uint32_t i = 0; i < 60; ++i) {
    const Bytes payload = make_payload(1 + i * 211 % 6'000, i);
    sent.insert(payload);
    ASSERT_TRUE(interop.we.send(interop.link.now(), 2, 53, payload,
                                {.ordered = false, .max_retransmits = {}, .lifetime = {}}, interop.link.out_a()));
    interop.they.send(interop.link.now(), 2, payload, {.ordered = false, .max_retransmits = {}, .lifetime = {}},
                      interop.link.out_b());
  }
  ASSERT_TRUE(interop.link.run(
      600s, [&] { return interop.count<Message>() >= 61 && interop.link.out_b().messages.size() >= 61; }));
  std::multiset<Bytes> ours, theirs;
  for (const Message& message : interop.our_messages()) ours.insert(message.payload);
  for (const Message& message : interop.link.out_b().messages) theirs.insert(message.payload);
  sent.insert(Bytes{2});
  EXPECT_EQ(ours, sent);
  sent.erase(Bytes{2});
  sent.insert(Bytes{1});
  EXPECT_EQ(theirs, sent);
}

TEST_P(UsrsctpInterop, StreamsAreResetBothWaysAndUsedAgain) {
  Interop interop(GetParam(), {.loss = 0.1, .jitter = 10ms}, 11);
  const Bytes first = make_payload(3'000, 1);
  ASSERT_TRUE(interop.we.send(interop.link.now(), 4, 53, first, {}, interop.link.out_a()));
  interop.they.send(interop.link.now(), 4, first, {}, interop.link.out_b());
  ASSERT_TRUE(interop.link.run(
      60s, [&] { return interop.our_messages().size() == 2 && interop.link.out_b().messages.size() == 2; }));
  interop.they.reset_stream(interop.link.now(), 4, interop.link.out_b());
  ASSERT_TRUE(interop.link.run(60s, [&] { return interop.count<PeerResetStreams>() == 1; }));
  ASSERT_TRUE(interop.link.run(60s, [&] { return interop.they.outgoing_resets().contains(4); }));
  interop.we.reset_stream(interop.link.now(), 4, interop.link.out_a());
  ASSERT_TRUE(interop.link.run(
      60s, [&] { return interop.count<StreamsReset>() == 1 && interop.they.incoming_resets().contains(4); }));
  ASSERT_TRUE(interop.we.send(interop.link.now(), 4, 53, first, {}, interop.link.out_a()));
  interop.they.send(interop.link.now(), 4, first, {}, interop.link.out_b());
  ASSERT_TRUE(interop.link.run(
      60s, [&] { return interop.our_messages().size() == 3 && interop.link.out_b().messages.size() == 3; }));
}

TEST_P(UsrsctpInterop, ResetsThatCrossAreDoneAtBothEnds) {
  for (uint64_t seed = 1; seed <= 10; ++seed) {
    Interop interop(GetParam(), {.loss = 0.2, .jitter = 20ms}, seed);
    const Bytes first = make_payload(20'000, seed);
    for (uint16_t stream = 4; stream < 8; ++stream) {
      ASSERT_TRUE(interop.we.send(interop.link.now(), stream, 53, first, {}, interop.link.out_a()));
      interop.they.send(interop.link.now(), stream, first, {}, interop.link.out_b());
    }
    // In the middle of the data, which is delivered first.
    for (uint16_t stream = 4; stream < 8; ++stream) {
      interop.we.reset_stream(interop.link.now(), stream, interop.link.out_a());
    }
    ASSERT_TRUE(interop.link.run(120s, [&] { return interop.link.out_b().messages.size() == 5; }));
    ASSERT_TRUE(interop.link.run(120s, [&] { return interop.count<Message>() == 5; })) << seed << interop.state();
    interop.they.reset_stream(interop.link.now(), 5, interop.link.out_b());
    ASSERT_TRUE(interop.link.run(120s, [&] {
      return interop.they.incoming_resets() == std::set<uint16_t>{4, 5, 6, 7} &&
             interop.they.outgoing_resets() == std::set<uint16_t>{5} && interop.count<PeerResetStreams>() == 1 &&
             interop.reset_streams() == std::set<uint16_t>{4, 5, 6, 7};
    })) << seed;
    for (const uint16_t stream : {5, 6}) {
      ASSERT_TRUE(interop.we.send(interop.link.now(), stream, 53, first, {}, interop.link.out_a()));
      interop.they.send(interop.link.now(), stream, first, {}, interop.link.out_b());
    }
    ASSERT_TRUE(interop.link.run(120s, [&] {
      return interop.count<Message>() == 7 && interop.link.out_b().messages.size() == 7;
    })) << seed;
  }
}

// The figure of the issue: a fifth of all packets lost each way, largest messages both ways at once.
TEST_P(UsrsctpInterop, LargestMessagesBothWaysAtTwentyPercentLossArriveInOrder) {
  constexpr size_t kCount = 8;
  for (uint64_t seed = 1; seed <= 3; ++seed) {
    Interop interop(GetParam(), {.loss = 0.2}, seed);
    const Instant start = interop.link.now().mono;
    for (size_t i = 0; i < kCount; ++i) {
      ASSERT_TRUE(
          interop.we.send(interop.link.now(), 1, 53, make_payload(kMaxMessageSize, 2 * i), {}, interop.link.out_a()));
      interop.they.send(interop.link.now(), 1, make_payload(kMaxMessageSize, 2 * i + 1), {}, interop.link.out_b());
    }
    Instant ours_done{}, theirs_done{};
    ASSERT_TRUE(interop.link.run(1'200s,
                                 [&] {
                                   const Instant now = interop.link.now().mono;
                                   if (ours_done == Instant{} && interop.link.out_b().messages.size() == kCount + 1)
                                     ours_done = now;
                                   if (theirs_done == Instant{} && interop.count<Message>() == kCount + 1)
                                     theirs_done = now;
                                   return ours_done != Instant{} && theirs_done != Instant{};
                                 }))
        << interop.count<Message>() << " and " << interop.link.out_b().messages.size();
    const auto got = interop.our_messages();
    for (size_t i = 0; i < kCount; ++i) {
      EXPECT_TRUE(interop.link.out_b().messages[i + 1].payload == make_payload(kMaxMessageSize, 2 * i)) << i;
      EXPECT_TRUE(got[i + 1].payload == make_payload(kMaxMessageSize, 2 * i + 1)) << i;
    }
    const auto seconds = [&](Instant end) { return static_cast<double>(to_ms(end - start)) / 1'000; };
    std::printf("8 x 256 kB each way, 20 %% loss, 40 ms RTT: ours took %.1f s of virtual time, usrsctp's %.1f s\n",
                seconds(ours_done), seconds(theirs_done));
  }
}

TEST_P(UsrsctpInterop, EitherSideShutsDown) {
  for (const bool we_close : {true, false}) {
    Interop interop(GetParam(), {.loss = 0.1}, 12);
    ASSERT_TRUE(interop.we.send(interop.link.now(), 1, 53, make_payload(20'000, 1), {}, interop.link.out_a()));
    interop.they.send(interop.link.now(), 1, make_payload(20'000, 1), {}, interop.link.out_b());
    if (we_close) {
      interop.we.close(interop.link.now(), interop.link.out_a());
    } else {
      interop.they.shutdown(interop.link.now(), interop.link.out_b());
    }
    ASSERT_TRUE(interop.link.run(120s, [&] { return interop.we.is_down() && interop.they.has_ended(); })) << we_close;
    EXPECT_EQ(interop.our_messages().size(), 2u);
    EXPECT_EQ(interop.link.out_b().messages.size(), 2u);
    EXPECT_EQ(std::get<AssociationDown>(interop.link.out_a().events.back()).reason, DisconnectReason::kShutdown);
  }
}

TEST(UsrsctpJudge, AgreesOnTheChecksum) {
  Bytes bytes = make_payload(1'000, 1);
  for (size_t size = 0; size < bytes.size(); size += 37) {
    const uint32_t theirs = usrsctp_crc32c(bytes.data(), size);
    EXPECT_EQ(crc32c(ByteView(bytes).first(size)), theirs) << size;
  }
}

}  // namespace
}  // namespace atm::sctp

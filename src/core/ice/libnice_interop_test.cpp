// Our agent against libnice, a stack that we did not write, over real sockets: both roles, conflicts, consent,
// restarts, trickled candidates, several interfaces, IPv6, and a NAT that changes its mind.
#include <sys/syscall.h>
#include <sys/time.h>

#include <ctime>

#include "core/ice/libnice_call_test.h"

// The program's clock as GLib and libnice read it; the system's own while no Call lives.
extern "C" __attribute__((visibility("default"))) int clock_gettime(clockid_t id, timespec* out) noexcept {
  using atm::ice::LibnicesTime;
  if (!LibnicesTime::is_virtual) return static_cast<int>(syscall(SYS_clock_gettime, id, out));
  out->tv_sec = LibnicesTime::us / 1'000'000;
  out->tv_nsec = LibnicesTime::us % 1'000'000 * 1'000;
  return 0;
}
extern "C" __attribute__((visibility("default"))) int gettimeofday(timeval* out, void*) noexcept {
  timespec now{};
  clock_gettime(CLOCK_REALTIME, &now);
  *out = {now.tv_sec, now.tv_nsec / 1'000};
  return 0;
}

namespace atm::ice {
namespace {

void expect_data_both_ways(Call& call) {
  const std::string ping = "ping", pong = "pong";  // no first byte of STUN's
  call.received.clear();
  call.nice->received.clear();
  EXPECT_TRUE(call.nice->send(ping));
  EXPECT_TRUE(call.send(pong));
  EXPECT_TRUE(call.wait_for([&] { return !call.received.empty() && !call.nice->received.empty(); }, 1s));
  EXPECT_EQ(call.received, std::vector<std::string>{ping});
  EXPECT_EQ(call.nice->received, std::vector<std::string>{pong});
  EXPECT_EQ(call.strays, 0u);
}

TEST(Libnice, ControlsOurLiteAgent) {
  for (const bool aggressive : {false, true}) {
    SeededRng rng(1);
    Call call({.role = Role::kLite, .nice = {.aggressive = aggressive}}, rng);
    call.introduce();
    ASSERT_TRUE(call.wait_for([&] { return call.connected(); }, 5s)) << aggressive;
    EXPECT_EQ(call.nice->selected_remote(), call.ours->local_candidates()[0].address);
    expect_data_both_ways(call);
    EXPECT_EQ(call.requests_sent, 0u);
    const Counters& counters = call.ours->counters();
    EXPECT_EQ(counters.malformed + counters.bad_fingerprint + counters.bad_integrity + counters.unknown_attributes, 0u);
  }
}

TEST(Libnice, IsControlledByOurFullAgent) {
  SeededRng rng(2);
  Call call({.role = Role::kControlling, .nice = {.controlling = false}}, rng);
  call.introduce();
  call.start();
  ASSERT_TRUE(call.wait_for([&] { return call.connected(); }, 5s));
  expect_data_both_ways(call);
  EXPECT_TRUE(call.ours->rtt());
  EXPECT_EQ(call.ours->mapped_address(), call.ours->local_candidates()[0].address);
}

TEST(Libnice, ControlsOurFullAgent) {
  for (const bool aggressive : {false, true}) {
    SeededRng rng(12);
    Call call({.role = Role::kControlled, .nice = {.aggressive = aggressive}}, rng);
    call.introduce();
    call.start();
    ASSERT_TRUE(call.wait_for([&] { return call.connected(); }, 5s)) << aggressive;
    EXPECT_EQ(call.ours->role(), Role::kControlled);
    expect_data_both_ways(call);
    call.pass(1min);  // consent goes both ways
    EXPECT_TRUE(call.connected());
    EXPECT_GE(call.ours->counters().responses, 10u);
    EXPECT_EQ(call.ours->counters().role_conflict, 0u);
    expect_data_both_ways(call);
  }
}

// libnice asks us for consent every five seconds, and we it. RFC 7675: a minute on it is still given.
TEST(Libnice, ConsentGoesOnBothWays) {
  for (const Role role : {Role::kLite, Role::kControlling}) {
    SeededRng rng(3);
    Call call({.role = role, .nice = {.controlling = role == Role::kLite}}, rng);
    call.introduce();
    call.start();
    ASSERT_TRUE(call.wait_for([&] { return call.connected(); }, 5s));
    const uint64_t asked_us = call.ours->counters().requests;
    const uint64_t answered_us = call.ours->counters().responses;
    call.pass(1min);
    EXPECT_TRUE(call.connected());
    EXPECT_LE(call.now().mono - *call.ours->last_authenticated(), 6s);
    EXPECT_GE(call.ours->counters().requests - asked_us, 8u);
    EXPECT_LE(call.ours->counters().requests - asked_us, 20u);
    if (role == Role::kControlling) {
      EXPECT_GE(call.ours->counters().responses - answered_us, 9u);
      EXPECT_LE(call.ours->counters().responses - answered_us, 16u);
    }
    expect_data_both_ways(call);
  }
}

TEST(Libnice, ConsentEndsOnBothSidesAfterThirtySecondsOfSilence) {
  for (const Role role : {Role::kLite, Role::kControlling}) {
    SeededRng rng(4);
    Call call({.role = role, .nice = {.controlling = role == Role::kLite}}, rng);
    call.introduce();
    call.start();
    ASSERT_TRUE(call.wait_for([&] { return call.connected(); }, 5s));
    call.pass(10s);
    call.cut = true;
    const Instant last = *call.ours->last_authenticated();
    ASSERT_TRUE(call.wait_for([&] { return call.ours->state() == State::kFailed; }, 1min));
    EXPECT_LE(call.now().mono - last, kConsentTimeout + 10ms);
    EXPECT_FALSE(call.send("not any more"));
    EXPECT_TRUE(call.wait_for([&] { return call.nice->state() == NICE_COMPONENT_STATE_FAILED; }, 10s));
  }
}

// Both sides take new credentials; data flows all the time between.
TEST(Libnice, RestartsFromEitherSide) {
  for (const Role role : {Role::kLite, Role::kControlling}) {
    SeededRng rng(5);
    Call call({.role = role, .nice = {.controlling = role == Role::kLite}}, rng);
    call.introduce();
    call.start();
    ASSERT_TRUE(call.wait_for([&] { return call.connected(); }, 5s));
    for (int round = 0; round < 3; ++round) {
      call.pass(3s);
      const Credentials before = call.nice->local();
      call.nice->restart();
      EXPECT_NE(call.nice->local(), before);
      call.ours->restart(call.now(), make_credentials(rng));
      const uint64_t proofs = call.ours->counters().requests + call.ours->counters().responses;
      call.introduce();
      ASSERT_TRUE(call.wait_for(
          [&] {
            return call.connected() && call.ours->counters().requests + call.ours->counters().responses >= proofs + 2;
          },
          5s));
      expect_data_both_ways(call);
    }
    call.pass(40s);  // the old credentials are gone
    EXPECT_TRUE(call.connected());
    expect_data_both_ways(call);
  }
}

TEST(Libnice, TakesOurCandidateLate) {
  for (const Role role : {Role::kLite, Role::kControlling}) {
    SeededRng rng(6);
    Call call({.role = role, .nice = {.controlling = role == Role::kLite}}, rng);
    call.exchange_credentials();
    call.start();
    call.pass(2s);
    EXPECT_FALSE(call.ours->selected());
    call.give_ours();
    // The controlling agent knows no candidate of libnice's: it learns it from the check (RFC 8445 7.3.1.3).
    ASSERT_TRUE(call.wait_for([&] { return call.connected(); }, 5s));
    expect_data_both_ways(call);
  }
}

TEST(Libnice, GivesItsCandidateLate) {
  SeededRng rng(7);
  Call call({.role = Role::kControlling, .nice = {.controlling = false}}, rng);
  call.exchange_credentials();
  call.start();
  call.pass(2s);
  EXPECT_FALSE(call.ours->selected());
  call.give_theirs();
  ASSERT_TRUE(call.wait_for([&] { return call.connected(); }, 5s));
  expect_data_both_ways(call);
}

TEST(Libnice, ConnectsOverSeveralInterfaces) {
  for (const Role role : {Role::kLite, Role::kControlling}) {
    SeededRng rng(8);
    const std::vector<std::string> addresses = {"127.0.0.1", "127.0.0.2", "127.0.0.3"};
    Call call(
        {.role = role, .nice = {.controlling = role == Role::kLite, .addresses = addresses}, .addresses = addresses},
        rng);
    call.introduce();
    call.start();
    ASSERT_TRUE(call.wait_for([&] { return call.connected(); }, 5s));
    call.pass(5s);
    expect_data_both_ways(call);
  }
}

TEST(Libnice, ConnectsOverIpv6) {
  for (const Role role : {Role::kLite, Role::kControlling}) {
    SeededRng rng(9);
    Call call({.role = role,
               .nice = {.controlling = role == Role::kLite, .addresses = {"::1"}},
               .addresses = {"127.0.0.1", "::1"}},
              rng);
    if (testing::Test::HasFatalFailure()) return;
    call.introduce();
    call.start();
    ASSERT_TRUE(call.wait_for([&] { return call.connected(); }, 5s));
    EXPECT_FALSE(call.ours->selected()->local.is_v4());
    expect_data_both_ways(call);
  }
}

TEST(Libnice, MovesToAnotherNatBinding) {
  for (const Role role : {Role::kLite, Role::kControlling}) {
    SeededRng rng(10);
    Call call({.role = role, .nice = {.controlling = role == Role::kLite}}, rng);
    call.introduce();
    call.start();
    ASSERT_TRUE(call.wait_for([&] { return call.connected(); }, 5s));
    call.pass(10s);
    call.nat_shift = 1;
    const SocketAddress before = call.ours->selected()->remote;
    ASSERT_TRUE(call.wait_for([&] { return call.ours->selected() && call.ours->selected()->remote != before; }, 25s));
    expect_data_both_ways(call);
    call.pass(1min);
    EXPECT_TRUE(call.nice->is_ready());
    expect_data_both_ways(call);
  }
}

// Gives this for the tie-breaker, which is the first thing that an agent draws, and random bytes then.
class TieBreaker final : public Rng {
 public:
  explicit TieBreaker(uint8_t byte) : byte_(byte) {}
  void fill(MutByteView out) override {
    random_.fill(out);
    if (out.size() == 8) std::fill(out.begin(), out.end(), byte_);
  }

 private:
  uint8_t byte_;
  SeededRng random_{11};
};

TEST(Libnice, GivesWayWhenBothControlAndOursIsTheLargerTieBreaker) {
  TieBreaker rng(0xff);
  Call call({.role = Role::kControlling, .nice = {.controlling = true}}, rng);
  call.introduce();
  call.pass(200ms);  // libnice's checks come first
  EXPECT_GE(call.ours->counters().role_conflict, 1u);
  call.start();
  ASSERT_TRUE(call.wait_for([&] { return call.connected(); }, 10s));
  expect_data_both_ways(call);
}

TEST(Libnice, IsGivenWayWhenBothControlAndItsTieBreakerIsLarger) {
  for (const bool ours_first : {false, true}) {
    TieBreaker rng(0);
    Call call({.role = Role::kControlling, .nice = {.controlling = true}}, rng);
    if (!ours_first) {
      call.introduce();
      call.pass(200ms);
      call.start();
    } else {  // and libnice answers our check with 487
      call.exchange_credentials();
      call.start();
      call.give_theirs();
      call.settle();
      call.give_ours();
    }
    ASSERT_TRUE(call.wait_for([&] { return call.connected(); }, 10s)) << ours_first;
    EXPECT_EQ(call.ours->role(), Role::kControlled);
    EXPECT_GE(call.ours->counters().role_conflict, 1u);
    expect_data_both_ways(call);
  }
}

TEST(Libnice, SettlesWhoControlsWhenNobodyDoes) {
  for (const uint8_t tie_breaker : {uint8_t{0}, uint8_t{0xff}}) {
    TieBreaker rng(tie_breaker);
    Call call({.role = Role::kControlled, .nice = {.controlling = false}}, rng);
    call.introduce();
    call.start();
    ASSERT_TRUE(call.wait_for([&] { return call.connected(); }, 10s)) << int{tie_breaker};
    EXPECT_EQ(call.ours->role(), tie_breaker == 0 ? Role::kControlled : Role::kControlling);
    expect_data_both_ways(call);
  }
}

}  // namespace
}  // namespace atm::ice

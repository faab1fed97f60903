#include "io/resolve/resolver.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <future>
#include <optional>
#include <thread>

namespace atm::io {
namespace {

const IpAddress kLoopback = IpAddress::v4(127, 0, 0, 1);

Result<Addresses> resolve(Resolver& resolver, const std::string& host) {
  std::promise<Result<Addresses>> found;
  EXPECT_TRUE(resolver.resolve(host, [&](Result<Addresses> result) { found.set_value(std::move(result)); }));
  return found.get_future().get();
}

// A name server that does not answer until it is let go.
struct Gate {
  std::promise<void> opens;
  std::shared_future<void> open = opens.get_future().share();
  std::atomic<int> waiting = 0;
};
Resolver::Lookup hang_at(const std::shared_ptr<Gate>& gate) {
  return [gate](const std::string&) -> Result<Addresses> {
    ++gate->waiting;
    gate->open.wait();
    --gate->waiting;
    return Addresses{kLoopback};
  };
}
void wait_until(const std::atomic<int>& value, int wanted) {
  while (value != wanted) std::this_thread::yield();
}

TEST(Resolver, FindsTheAddressesOfAName) {
  Resolver resolver;
  const auto local = resolve(resolver, "localhost");
  ASSERT_TRUE(local) << local.error().why;
  for (const IpAddress& ip : *local) EXPECT_TRUE(ip.is_loopback()) << ip.to_string();
  EXPECT_EQ(std::count(local->begin(), local->end(), kLoopback), 1);
}

TEST(Resolver, TakesAnAddressForItself) {
  Resolver resolver(
      [](const std::string& host) -> Result<Addresses> { return fail(ErrorCode::kServerError, "looked up " + host); });
  EXPECT_EQ(resolve(resolver, "10.1.2.3").value(), Addresses{IpAddress::v4(10, 1, 2, 3)});
  EXPECT_EQ(resolve(resolver, "2001:db8::1").value(), Addresses{*IpAddress::parse("2001:db8::1")});
  EXPECT_EQ(resolve(resolver, "10.1.2").error().why, "looked up 10.1.2");
}

TEST(Resolver, SaysWhichNameThereIsNot) {
  const auto result = look_up_by_system("no such host");  // RFC 1123 2.1: a name of no server anywhere
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, ErrorCode::kNetworkError);
  EXPECT_TRUE(result.error().why.starts_with("cannot resolve host no such host: ")) << result.error().why;
}

TEST(Resolver, CallsBackOnAnotherThread) {
  Resolver resolver;
  std::promise<std::thread::id> called;
  ASSERT_TRUE(resolver.resolve("::1", [&](const Result<Addresses>&) { called.set_value(std::this_thread::get_id()); }));
  EXPECT_NE(called.get_future().get(), std::this_thread::get_id());
}

TEST(Resolver, EndsWhileALookupHangs) {
  const auto gate = std::make_shared<Gate>();
  std::atomic<int> calls = 0;
  const auto captured = std::make_shared<int>();
  std::optional<Resolver> resolver(hang_at(gate));
  ASSERT_TRUE(resolver->resolve("some.test", [&calls, captured](const Result<Addresses>&) { ++calls; }));
  wait_until(gate->waiting, 1);
  const auto begin = std::chrono::steady_clock::now();
  resolver.reset();
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::milliseconds(50));
  EXPECT_EQ(captured.use_count(), 1);  // nothing of the caller's is kept
  gate->opens.set_value();
  wait_until(gate->waiting, 0);
  Resolver other;
  resolve(other, "::1");
  EXPECT_EQ(calls, 0);
}

TEST(Resolver, ForgetsWhatIsCancelled) {
  const auto gate = std::make_shared<Gate>();
  std::atomic<int> calls = 0;
  Resolver resolver(hang_at(gate));
  const auto id = resolver.resolve("some.test", [&](const Result<Addresses>&) { calls += 100; });
  std::promise<void> kept;
  ASSERT_TRUE(resolver.resolve("other.test", [&](const Result<Addresses>&) {
    ++calls;
    kept.set_value();
  }));
  wait_until(gate->waiting, 2);
  resolver.cancel(*id);
  resolver.cancel(*id);
  gate->opens.set_value();
  kept.get_future().get();
  wait_until(gate->waiting, 0);
  EXPECT_EQ(calls, 1);
}

TEST(Resolver, MayEndInItsCallback) {
  auto resolver = std::make_unique<Resolver>();
  std::promise<void> gone;
  ASSERT_TRUE(resolver->resolve("::1", [&](const Result<Addresses>&) {
    resolver.reset();
    gone.set_value();
  }));
  gone.get_future().get();
}

TEST(Resolver, WaitsForACallbackThatRuns) {
  std::promise<void> entered;
  std::atomic<bool> is_done = false;
  std::optional<Resolver> resolver(std::in_place);
  ASSERT_TRUE(resolver->resolve("::1", [&](const Result<Addresses>&) {
    entered.set_value();
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    is_done = true;
  }));
  entered.get_future().get();
  resolver.reset();
  EXPECT_TRUE(is_done);
}

TEST(Resolver, HasSoManyThreadsAndSoManyThatWait) {
  const auto gate = std::make_shared<Gate>();
  std::atomic<int> calls = 0;
  Resolver resolver(hang_at(gate));
  const auto ask = [&] { return resolver.resolve("some.test", [&](const Result<Addresses>&) { ++calls; }); };
  for (size_t i = 0; i < kMaxLookupThreads; ++i) ASSERT_TRUE(ask());
  wait_until(gate->waiting, kMaxLookupThreads);
  for (size_t i = 0; i < kMaxLookups; ++i) ASSERT_TRUE(ask());
  const auto refused = ask();
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kBusy);
  EXPECT_EQ(gate->waiting, static_cast<int>(kMaxLookupThreads));
  gate->opens.set_value();
  wait_until(calls, static_cast<int>(kMaxLookupThreads + kMaxLookups));
}

}  // namespace
}  // namespace atm::io

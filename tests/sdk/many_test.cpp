// Sessions by the hundred in one process, opened and closed in every state, from several threads and in handlers:
// nothing of them is left, and no destructor takes long. ATM0S_SESSIONS says how many (100); soak takes 1,000.
#include <algorithm>
#include <cstdlib>
#include <future>
#include <mutex>

#include "counts.h"
#include "world.h"

namespace atm0s::test {
namespace {

constexpr auto kLongestDestructor = 1s;

int session_count() {
  const char* wanted = std::getenv("ATM0S_SESSIONS");
  return wanted != nullptr ? std::atoi(wanted) : 100;
}

class Destructors {
 public:
  void destroy(std::unique_ptr<Session> session) {
    const auto began = Clock::now();
    session.reset();
    note(Clock::now() - began);
  }
  void note(Clock::duration took) {
    const std::lock_guard lock(mutex_);
    ++count_;
    longest_ = std::max(longest_, took);
  }
  int count() {
    const std::lock_guard lock(mutex_);
    return count_;
  }
  Clock::duration longest() {
    const std::lock_guard lock(mutex_);
    return longest_;
  }

 private:
  std::mutex mutex_;
  int count_ = 0;
  Clock::duration longest_{};
};

// The server takes 50 connect calls a second from one address (docs/limits.md).
void wait_for_turn(int number) {
  static const auto began = Clock::now();
  std::this_thread::sleep_until(began + number * 20ms);
}

// One session in the way that its number says.
void live(int number, const std::string& room, const std::string& token, Destructors& destructors) {
  SessionConfig config{.room_id = room, .peer_id = "peer-" + std::to_string(number), .token = token};
  config.senders = {
      {.name = "video_main", .kind = MediaKind::kVideo, .source = std::make_shared<EncodedVideoSource>(Codec::kVp8)}};
  config.receivers = {1, 1};
  auto session = std::make_unique<Session>(std::vector{url()}, config);
  if (number % 5 != 0) wait_for_turn(number);
  switch (number % 5) {
    case 0:  // never connected
      return destructors.destroy(std::move(session));
    case 1:  // somewhere on the way
      static_cast<void>(session->connect_async());
      std::this_thread::sleep_for(std::chrono::milliseconds(number % 40));
      return destructors.destroy(std::move(session));
    case 2:  // connected
      EXPECT_OK(session->connect());
      return destructors.destroy(std::move(session));
    case 3:  // disconnected by itself
      EXPECT_OK(session->connect());
      EXPECT_OK(session->disconnect().wait());
      return destructors.destroy(std::move(session));
    default: {  // in its own handler
      std::promise<void> gone;
      Session& one = *session;
      auto held = std::make_shared<std::unique_ptr<Session>>(std::move(session));
      one.on_event([&, held](const Event& event) {
        const auto* changed = std::get_if<StateChanged>(&event);
        if (changed == nullptr || changed->state != SessionState::kConnected || !*held) return;
        destructors.destroy(std::move(*held));
        gone.set_value();
      });
      static_cast<void>(one.connect_async());
      EXPECT_EQ(gone.get_future().wait_for(20s), std::future_status::ready);
    }
  }
}

TEST(Many, NothingIsLeftOfSessionsThatCameAndWent) {
  const int count = session_count();
  constexpr int kThreads = 4, kRooms = 10;
  std::vector<std::string> rooms, tokens;
  for (int i = 0; i < kRooms; ++i) {
    rooms.push_back(new_room());
    tokens.push_back(token(rooms.back(), ""));
  }
  ASSERT_TRUE(until([] { return count_threads() == 0; }));
  const size_t descriptors_before = count_descriptors();
  Destructors destructors;
  std::atomic<int> next = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back([&] {
      for (int number; (number = next++) < count;) {
        live(number, rooms[static_cast<size_t>(number % kRooms)], tokens[static_cast<size_t>(number % kRooms)],
             destructors);
      }
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(destructors.count(), count);
  EXPECT_TRUE(until([] { return count_threads() == 0; })) << count_threads() << " threads";
  EXPECT_TRUE(until([&] { return count_descriptors() <= descriptors_before; })) << count_descriptors();
  EXPECT_LT(destructors.longest(), kLongestDestructor);
  const double ms = std::chrono::duration<double, std::milli>(destructors.longest()).count();
  std::printf("%d sessions, the slowest destructor %.1f ms\n", count, ms);
  // The server was told, and waits for no time-out of those that were up.
  const auto up = [] { return server().metric("atm0s_sessions_connected"); };
  EXPECT_TRUE(until([&] { return up() == 0; })) << up() << " sessions";
}

}  // namespace
}  // namespace atm0s::test

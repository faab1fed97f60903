// Threads of libatm0s: handlers on its own thread and on an executor, every method in a handler and from several
// threads at a time, sessions that end in their own handlers.
#include <condition_variable>
#include <deque>
#include <future>
#include <mutex>
#include <set>

#include "counts.h"
#include "synthetic.h"
#include "world.h"

namespace atm0s::test {
namespace {

// A thread of the application's.
class OwnThread {
 public:
  OwnThread() : thread_([this] { run(); }) {}
  ~OwnThread() {
    post(nullptr);
    thread_.join();
  }
  void post(std::function<void()> work) {
    const std::lock_guard lock(mutex_);
    work_.push_back(std::move(work));
    changed_.notify_all();
  }
  std::thread::id id() const { return thread_.get_id(); }

 private:
  void run() {
    for (;;) {
      std::unique_lock lock(mutex_);
      changed_.wait(lock, [this] { return !work_.empty(); });
      auto work = std::move(work_.front());
      work_.pop_front();
      lock.unlock();
      if (!work) return;
      work();
    }
  }
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::function<void()>> work_;
  std::thread thread_;
};

SessionConfig everything(const std::string& room, const std::string& peer,
                         const std::shared_ptr<EncodedVideoSource>& source = {}) {
  SessionConfig config = config_of(room, peer);
  config.senders = {{.name = "video_main", .kind = MediaKind::kVideo, .source = source}};
  config.receivers = {1, 1};
  config.mix_minus_audio = MixMinusMode::kManualAudioStreams;
  return config;
}

// Each method once. Whatever it answers, it comes back.
void call_everything(Session& session) {
  constexpr auto kSoon = 200ms;
  const auto wait = [&](const Operation& operation) {
    static_cast<void>(operation.wait(kSoon));
    static_cast<void>(operation.is_done());
    operation.on_done([](const Result<void>&) {});
  };
  static_cast<void>(session.state());
  static_cast<void>(session.url());
  static_cast<void>(session.poll_event());
  static_cast<void>(session.ping(kSoon));
  static_cast<void>(session.stats());
  wait(session.set_token(any_token()));
  wait(session.subscribe("nobody"));
  wait(session.unsubscribe("nobody"));
  static const std::string kName = "added";
  if (auto sender = session.create_sender({.name = kName, .kind = MediaKind::kVideo})) {
    wait(sender->switch_to(std::make_shared<EncodedVideoSource>(Codec::kVp8), "label"));
    static_cast<void>(sender->state());
    wait(sender->stop());
  }
  static_cast<void>(session.sender("video_main"));
  static_cast<void>(session.remote_streams());
  static_cast<void>(session.remote_stream({"ann", "video_main"}));
  Receiver receiver = session.take_receiver(MediaKind::kVideo);
  wait(receiver.switch_to({"ann", "video_main"}));
  wait(receiver.limit({.priority = 40}));
  receiver.request_key_frame();
  receiver.on_video([](const VideoFrame&) {});
  receiver.on_video(nullptr);
  static_cast<void>(receiver.state());
  static_cast<void>(receiver.read_video(1ms));
  wait(receiver.disconnect());
  session.back_receiver(receiver);
  Consumer consumer = session.create_consumer({"ann", "video_main"}, MediaKind::kVideo);
  wait(consumer.view("one"));
  wait(consumer.limit("one", {.priority = 30}));
  static_cast<void>(consumer.receiver());
  wait(consumer.unview("one"));
  ConsumerPair pair = session.create_consumer_pair("ann");
  wait(pair.view("one"));
  wait(pair.unview("one"));
  if (auto mixer = session.mix_minus_audio()) {
    static_cast<void>(mixer->slots());
    wait(mixer->add_source({"ann", "audio_main"}));
    wait(mixer->remove_source({"ann", "audio_main"}));
    wait(mixer->toggle(true));
  }
}

TEST(Threads, HandlersOfOneSessionRunOneAfterTheOtherOnTheThreadOfTheSdk) {
  const std::string room = new_room();
  auto source = std::make_shared<EncodedVideoSource>(Codec::kVp8);
  Pump pump(source);
  Session ann({url()}, everything(room, "ann", source));
  ASSERT_OK(ann.connect());
  std::atomic<int> running = 0, most = 0, frames = 0, events = 0;
  std::mutex mutex;
  std::set<std::thread::id> threads;
  const auto enter = [&] {
    most = std::max<int>(most, ++running);
    const std::lock_guard lock(mutex);
    threads.insert(std::this_thread::get_id());
  };
  Session bob({url()}, everything(room, "bob"));
  bob.on_event([&](const Event&) { enter(), ++events, --running; });
  Receiver receiver = bob.take_receiver(MediaKind::kVideo);
  receiver.on_video([&](const VideoFrame&) { enter(), ++frames, --running; });
  static_cast<void>(receiver.switch_to({"ann", "video_main"}));  // a wish until there is a connection
  ASSERT_OK(bob.connect());
  EXPECT_TRUE(until([&] { return frames > 20 && events > 3; }));
  EXPECT_EQ(most, 1);
  EXPECT_FALSE(bob.poll_event());
  const std::lock_guard lock(mutex);
  EXPECT_EQ(threads.size(), 1u);
  EXPECT_EQ(threads.count(std::this_thread::get_id()), 0u);
}

TEST(Threads, HandlersRunOnTheExecutor) {
  OwnThread own;
  std::atomic<int> calls = 0, elsewhere = 0;
  RuntimeOptions options;
  options.executor = [&](std::function<void()> work) { own.post(std::move(work)); };
  const auto note = [&] { ++calls, elsewhere += std::this_thread::get_id() != own.id(); };
  {
    Session session({url()}, everything(new_room(), "ann"), options);
    session.on_event([&](const Event&) { note(); });
    const Operation connecting = session.connect_async();
    connecting.on_done([&](const Result<void>&) { note(); });
    ASSERT_OK(connecting.wait());
    connecting.on_done([&](const Result<void>&) { note(); });
    EXPECT_TRUE(until([&] { return calls >= 4; }));
  }
  EXPECT_EQ(elsewhere, 0);
}

// The least that an executor can be: it calls at once, wherever that is.
TEST(Threads, AnExecutorMayCallInPlace) {
  std::atomic<int> calls = 0;
  std::optional<Session> session;
  RuntimeOptions options;
  options.executor = [](std::function<void()> work) { work(); };
  session.emplace(std::vector{url()}, everything(new_room(), "ann"), options);
  session->on_event([&](const Event&) {
    static_cast<void>(session->state());
    static_cast<void>(session->poll_event());
    static_cast<void>(session->remote_streams());
    ++calls;
  });
  ASSERT_OK(session->connect());
  EXPECT_TRUE(until([&] { return calls >= 2; }));
  session.reset();
}

TEST(Threads, EveryMethodMayBeCalledInAHandler) {
  const std::string room = new_room();
  for (const bool on_executor : {false, true}) {
    OwnThread own;
    RuntimeOptions options;
    if (on_executor) options.executor = [&](std::function<void()> work) { own.post(std::move(work)); };
    std::atomic<bool> is_done = false;
    Session session({url()}, everything(room, "ann"), options);
    session.on_event([&](const Event& event) {
      const auto* changed = std::get_if<StateChanged>(&event);
      if (changed == nullptr || changed->state != SessionState::kConnected) return;
      EXPECT_TRUE(session.ping().ok());
      call_everything(session);
      EXPECT_OK(session.disconnect().wait());
      is_done = true;
    });
    ASSERT_OK(session.connect());
    EXPECT_TRUE(until([&] { return is_done.load(); }, 10s));
  }
}

TEST(Threads, ASessionMayBeDestroyedInItsOwnHandlers) {
  for (const bool on_executor : {false, true}) {
    OwnThread own;
    RuntimeOptions options;
    if (on_executor) options.executor = [&](std::function<void()> work) { own.post(std::move(work)); };
    // of an event
    {
      std::promise<std::chrono::nanoseconds> took;
      auto session = std::make_shared<Session>(std::vector{url()}, everything(new_room(), "ann"), options);
      session->on_event([&, held = std::make_shared<std::shared_ptr<Session>>(session)](const Event& event) {
        const auto* changed = std::get_if<StateChanged>(&event);
        if (changed == nullptr || changed->state != SessionState::kConnected || !*held) return;
        const auto began = Clock::now();
        held->reset();
        took.set_value(Clock::now() - began);
      });
      const Operation connecting = session->connect_async();
      session.reset();
      auto done = took.get_future();
      ASSERT_EQ(done.wait_for(5s), std::future_status::ready);
      EXPECT_LT(done.get(), 500ms);
    }
    // of an operation
    {
      std::promise<void> gone;
      auto session = std::make_shared<Session>(std::vector{url()}, everything(new_room(), "ann"), options);
      Session* raw = session.get();
      raw->connect_async().on_done(
          [&, held = std::make_shared<std::shared_ptr<Session>>(std::move(session))](const Result<void>& result) {
            EXPECT_OK(result);
            held->reset();
            gone.set_value();
          });
      ASSERT_EQ(gone.get_future().wait_for(5s), std::future_status::ready);
    }
    // of a frame
    {
      const std::string room = new_room();
      auto source = std::make_shared<EncodedVideoSource>(Codec::kVp8);
      Pump pump(source);
      Session ann({url()}, everything(room, "ann", source));
      ASSERT_OK(ann.connect());
      std::promise<void> gone;
      auto bob = std::make_unique<Session>(std::vector{url()}, everything(room, "bob"), options);
      Receiver receiver = bob->take_receiver(MediaKind::kVideo);
      ASSERT_OK(bob->connect());
      receiver.on_video([&](const VideoFrame&) {
        if (!bob) return;
        bob.reset();
        gone.set_value();
      });
      static_cast<void>(receiver.switch_to({"ann", "video_main"}));
      ASSERT_EQ(gone.get_future().wait_for(5s), std::future_status::ready);
    }
  }
}

TEST(Threads, ASessionMayBeDestroyedInTheHandlerOfAnExecutorThatCallsInPlace) {
  RuntimeOptions options;
  options.executor = [](std::function<void()> work) { work(); };
  for (const SessionState at : {SessionState::kConnecting, SessionState::kConnected}) {
    std::promise<void> gone;
    auto session = std::make_unique<Session>(std::vector{url()}, everything(new_room(), "ann"), options);
    session->on_event([&](const Event& event) {
      const auto* changed = std::get_if<StateChanged>(&event);
      if (changed == nullptr || changed->state != at || !session) return;
      session.reset();
      gone.set_value();
    });
    static_cast<void>(session->connect_async());
    ASSERT_EQ(gone.get_future().wait_for(5s), std::future_status::ready);
  }
}

TEST(Threads, EveryMethodMayBeCalledFromSeveralThreadsAtATime) {
  const std::string room = new_room();
  auto source = std::make_shared<EncodedVideoSource>(Codec::kVp8);
  Pump pump(source);
  Session ann({url()}, everything(room, "ann", source));
  ASSERT_OK(ann.connect());
  Session bob({url()}, everything(room, "bob"));
  std::vector<std::thread> threads;
  for (int i = 0; i < 3; ++i) {
    threads.emplace_back([&] {
      for (int round = 0; round < 2; ++round) call_everything(bob);
    });
  }
  ASSERT_OK(bob.connect());
  for (auto& thread : threads) thread.join();
  EXPECT_TRUE(bob.ping(3s).ok());
  EXPECT_EQ(bob.state(), SessionState::kConnected);
}

TEST(Threads, AHandlerThatHangsHoldsUpTheDestructorForABoundedTime) {
  std::promise<void> may_end;
  auto waiting = may_end.get_future().share();
  std::atomic<bool> is_in = false;
  std::optional<Session> session(std::in_place, std::vector{url()}, everything(new_room(), "ann"));
  session->on_event([&, waiting](const Event&) {
    is_in = true;
    waiting.wait();
  });
  const Operation connecting = session->connect_async();
  ASSERT_TRUE(until([&] { return is_in.load(); }));
  const auto began = Clock::now();
  session.reset();
  EXPECT_LT(Clock::now() - began, 4s);
  may_end.set_value();
  EXPECT_TRUE(until([] { return count_threads() == 0; }));
}

}  // namespace
}  // namespace atm0s::test

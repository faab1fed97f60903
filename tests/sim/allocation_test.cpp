// The promise that a forwarded packet allocates nothing once all is warm, counted: operator new of this program counts
// what is allocated while World is inside a worker, by what the worker is at.
#include <gtest/gtest.h>

#include <cstdio>
#include <cstdlib>
#include <new>

#include "world.h"

namespace {
uint64_t allocations[4] = {};

void* count_and_allocate(size_t size) {
  uint64_t& count = allocations[static_cast<size_t>(atm::sim::in_worker)];
  ++count;
  if (void* memory = std::malloc(size)) return memory;
  throw std::bad_alloc();
}
}  // namespace

void* operator new(size_t size) {
  return count_and_allocate(size);
}
void* operator new[](size_t size) {
  return count_and_allocate(size);
}
void operator delete(void* memory) noexcept {
  std::free(memory);
}
void operator delete[](void* memory) noexcept {
  std::free(memory);
}
void operator delete(void* memory, size_t) noexcept {
  std::free(memory);
}
void operator delete[](void* memory, size_t) noexcept {
  std::free(memory);
}

namespace atm::sim {
namespace {

// A string of this length is not kept in place.
constexpr const char* kRoomName = "a-room-whose-name-is-longer-than-most";

struct Counts {
  uint64_t media = allocations[static_cast<size_t>(InWorker::kMedia)];
  uint64_t control = allocations[static_cast<size_t>(InWorker::kControl)];
  uint64_t timer = allocations[static_cast<size_t>(InWorker::kTimer)];
};

// One who publishes and 50 who view, half of them on the other worker, over links that lose 2 %.
struct Room {
  explicit Room(size_t workers) : world(61, lossy(), workers) {
    ClientConfig config;
    config.peer = "publisher";
    config.room = kRoomName;
    config.audio_receivers = config.video_receivers = 0;
    publisher = &world.add_client(config);
    EXPECT_TRUE(world.connect(*publisher));
    for (int i = 0; i < 50; ++i) join();
  }
  static LinkConfig lossy() {
    LinkConfig link;
    link.loss = 0.02;
    return link;
  }
  Client& join() {
    ClientConfig config;
    config.room = kRoomName;
    config.peer = "viewer" + std::to_string(viewers.size());
    config.sends_audio = config.sends_video = false;
    Client& viewer = world.add_client(config);
    viewers.push_back(&viewer);
    EXPECT_TRUE(world.connect(viewer));
    EXPECT_TRUE(world.run_until([&] { return viewer.streams().size() == 2; }, 10s));
    world.view(viewer, "audio_0", "publisher", "audio_main");
    world.view(viewer, "video_0", "publisher", "video_main");
    return viewer;
  }
  uint64_t forwarded() const {
    uint64_t sum = 0;
    for (Client* viewer : viewers) sum += viewer->audio_packets(0) + viewer->video(0).packets();
    return sum;
  }

  World world;
  Client* publisher;
  std::vector<Client*> viewers;
};

TEST(Allocation, AForwardedPacketMakesNoneWithFiftyViewersLossALateJoinerAndTwoWorkers) {
  for (const size_t workers : {1u, 2u}) {
    Room room(workers);
    room.world.run_for(10s);  // warm: histories are full, buffers have grown
    const auto measure = [&](const char* what, Duration length, const auto& begin) {
      const double resent = room.world.metric("atm0s_rtx_packets_sent_total");
      const uint64_t forwarded = room.forwarded();
      const uint64_t relayed = room.world.relayed();
      const Counts before;
      begin();
      room.world.run_for(length);
      const Counts after;
      const uint64_t media = after.media - before.media;
      const uint64_t bursts = room.world.relayed() - relayed;
      std::printf(
          "%zu worker(s), %s, %lld s: %llu packets received by viewers, %.0f resent; allocations: %llu for media, "
          "%llu by timers, %llu for the rest; %llu messages between workers\n",
          workers, what, static_cast<long long>(to_ms(length) / 1'000),
          static_cast<unsigned long long>(room.forwarded() - forwarded),
          room.world.metric("atm0s_rtx_packets_sent_total") - resent, static_cast<unsigned long long>(media),
          static_cast<unsigned long long>(after.timer - before.timer),
          static_cast<unsigned long long>(after.control - before.control), static_cast<unsigned long long>(bursts));
      EXPECT_GT(room.world.metric("atm0s_rtx_packets_sent_total") - resent, 100);
      return media;
    };
    EXPECT_EQ(measure("fifty viewers", 10s, [] {}), 0u);
    const uint64_t with_joiner = measure("a late joiner", 5s, [&] { room.join(); });
    EXPECT_LT(with_joiner, 100u) << "of the joiner's streams, not of packets";
    EXPECT_EQ(measure("after it", 5s, [] {}), 0u);
    EXPECT_GT(room.viewers.back()->video(0).decodable_frames(), 200u);
  }
}

}  // namespace
}  // namespace atm::sim

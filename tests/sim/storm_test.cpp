// 100,000 malformed datagrams at a live room of ten. The same call runs without them in a process of its own, so that
// what the simulation itself keeps (its books) is taken off the growth of memory.
#include <gtest/gtest.h>
#include <malloc.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>

#include "seeds.h"
#include "world.h"

#if defined(__SANITIZE_ADDRESS__)
constexpr bool kMemoryIsItsOwn = false;  // AddressSanitizer keeps what was freed
#else
constexpr bool kMemoryIsItsOwn = true;
#endif

namespace atm::sim {
namespace {

constexpr int kPeople = 10, kDatagrams = 100'000;
constexpr uint64_t kNone = UINT64_MAX;

int64_t resident_bytes() {
  malloc_trim(0);
  long pages = 0, resident = 0;
  if (std::FILE* file = std::fopen("/proc/self/statm", "r")) {
    if (std::fscanf(file, "%ld %ld", &pages, &resident) != 2) resident = 0;
    std::fclose(file);
  }
  return resident * sysconf(_SC_PAGESIZE);
}

struct Outcome {
  uint64_t packets = kNone;  // that viewers were to get; kNone: the call did not begin
  uint64_t lost = 0;
  uint64_t frames = 0;  // of all viewers, during the storm
  uint64_t sessions = 0;
  double received = 0;    // datagrams, by the workers
  double dropped = 0;     // by the workers, of all layers
  uint64_t troubles = 0;  // peers told as reconnecting or gone, sessions told that they close
  int64_t growth = 0;     // bytes
};

class Room {
 public:
  Room(uint64_t seed, size_t workers) : world_(seed, {20ms, 0ms, 0, 0}, workers), dice_(seed) {}

  Outcome run(bool has_storm) {
    Outcome outcome;
    if (!begins()) return outcome;
    capture();
    const uint64_t frames_before = frames();
    const int64_t memory = resident_bytes();
    for (int i = 0; i < kDatagrams; ++i) {
      if (has_storm) throw_one();
      if (i % 100 == 0) world_.run_for(10ms);
    }
    outcome.frames = frames() - frames_before;
    world_.run_for(1s);
    outcome.growth = resident_bytes() - memory;
    const Ledger::Totals totals = world_.close_books();
    outcome.packets = totals.sum();
    outcome.lost = totals.sum() - totals.delivered - totals.recovered - totals.under_way;
    outcome.sessions = world_.session_count();
    outcome.received = world_.metric("atm0s_datagrams_received_total");
    outcome.dropped = world_.metric("atm0s_dropped_total");
    for (Client* client : people_) outcome.troubles += troubles_of(*client);
    return outcome;
  }

 private:
  bool begins() {
    for (int i = 0; i < kPeople; ++i) {
      ClientConfig config;
      config.peer = "p" + std::to_string(i);
      config.audio_receivers = config.video_receivers = 3;
      people_.push_back(&world_.add_client(config));
      if (!world_.connect(*people_.back())) return false;
    }
    const auto all_see_all = [&] {
      for (Client* client : people_) {
        if (client->streams().size() != kPeople * 2) return false;
      }
      return true;
    };
    if (!world_.run_until(all_see_all, 20s)) return false;
    for (size_t i = 0; i < people_.size(); ++i) {
      for (size_t r = 0; r < 3; ++r) {
        const std::string& other = people_[(i + r + 1) % people_.size()]->config().peer;
        world_.view(*people_[i], "audio_" + std::to_string(r), other, "audio_main");
        world_.view(*people_[i], "video_" + std::to_string(r), other, "video_main");
      }
    }
    world_.run_for(5s);
    return true;
  }

  void capture() {
    world_.watch = [this](const Client& from, ByteView datagram) {
      if (captured_.size() >= 2'000) return;
      captured_.push_back({from.address(), world_.worker_of(from), Bytes(datagram.begin(), datagram.end())});
    };
    world_.run_for(7s);  // with a check of each
    world_.watch = nullptr;
  }

  // What somebody has sent: cut, with a byte changed, or as noise; from his address or a stranger's. Each fourth time
  // what he sent comes once more as well.
  void throw_one() {
    const Captured& original = captured_[dice_.below(static_cast<uint32_t>(captured_.size()))];
    Bytes bytes = original.bytes;
    const auto size = static_cast<uint32_t>(bytes.size());
    switch (dice_.below(3)) {
      case 0:
        bytes.resize(dice_.below(size));
        break;
      case 1:
        bytes[dice_.below(size)] ^= static_cast<uint8_t>(1 + dice_.below(255));
        break;
      default:
        dice_.fill(MutByteView(bytes).subspan(1));
    }
    SocketAddress from = original.from;
    if (dice_.below(3) == 0) {
      from = {IpAddress::v4(203, 0, 113, static_cast<uint8_t>(dice_.below(256))), static_cast<uint16_t>(dice_.u32())};
    }
    world_.inject(from, std::move(bytes), original.worker);
    if (dice_.below(4) == 0) world_.inject(from, original.bytes, original.worker);
  }

  uint64_t frames() {
    uint64_t sum = 0;
    for (Client* client : people_) {
      for (size_t r = 0; r < 3; ++r) sum += client->video(r).decodable_frames();
    }
    return sum;
  }

  static uint64_t troubles_of(const Client& client) {
    uint64_t troubles = 0;
    for (const contract::Event& event : client.events()) {
      troubles += std::holds_alternative<contract::SessionClosing>(event);
      const auto* peer = std::get_if<contract::PeerEvent>(&event);
      troubles += peer != nullptr && (peer->change == contract::PresenceChange::kRemoved ||
                                      peer->status == contract::PeerStatus::kReconnecting);
    }
    return troubles;
  }

  struct Captured {
    SocketAddress from;
    size_t worker;
    Bytes bytes;
  };
  World world_;
  SeededRng dice_;
  std::vector<Client*> people_;
  std::vector<Captured> captured_;
};

// In a child: its memory begins as ours, whatever ran before.
Outcome run_in_child(uint64_t seed, size_t workers, bool has_storm) {
  int ends[2];
  Outcome outcome;
  if (pipe(ends) != 0) return outcome;
  std::fflush(stdout);
  const pid_t child = fork();
  if (child == 0) {
    const Outcome found = Room(seed, workers).run(has_storm);
    const bool is_written = write(ends[1], &found, sizeof found) == sizeof found;
    _exit(is_written ? 0 : 1);
  }
  close(ends[1]);
  if (read(ends[0], &outcome, sizeof outcome) != sizeof outcome) outcome.packets = kNone;
  close(ends[0]);
  int status = 0;
  waitpid(child, &status, 0);
  if (status != 0) outcome.packets = kNone;
  return outcome;
}

TEST(Storm, OfAHundredThousandMalformedDatagramsARoomOfTenNoticesNothing) {
  for (const size_t workers : {1u, 2u}) {
    for (const uint64_t seed : seeds(71, 2)) {
      SCOPED_TRACE("seed " + std::to_string(seed));
      const Outcome quiet = run_in_child(seed, workers, false), storm = run_in_child(seed, workers, true);
      ASSERT_NE(quiet.packets, kNone);
      ASSERT_NE(storm.packets, kNone);
      const double added = static_cast<double>(storm.lost) / static_cast<double>(storm.packets) -
                           static_cast<double>(quiet.lost) / static_cast<double>(quiet.packets);
      const double growth = static_cast<double>(storm.growth - quiet.growth) / 1e6;
      std::printf(
          "%d malformed datagrams at a room of ten on %zu worker(s), seed %llu: %.0f received and %.0f dropped, %llu "
          "sessions, %.4f %% of %llu packets lost in addition, %llu frames shown (%llu without), %.1f MB more memory "
          "(%.1f with, %.1f "
          "without)\n",
          kDatagrams, workers, static_cast<unsigned long long>(seed), storm.received - quiet.received,
          storm.dropped - quiet.dropped, static_cast<unsigned long long>(storm.sessions), added * 100,
          static_cast<unsigned long long>(storm.packets), static_cast<unsigned long long>(storm.frames),
          static_cast<unsigned long long>(quiet.frames), growth, static_cast<double>(storm.growth) / 1e6,
          static_cast<double>(quiet.growth) / 1e6);
      EXPECT_EQ(storm.sessions, static_cast<uint64_t>(kPeople));
      EXPECT_EQ(storm.troubles, quiet.troubles);
      EXPECT_EQ(quiet.troubles, 0u);
      EXPECT_GE(storm.received - quiet.received, kDatagrams) << "the storm reaches the workers";
      EXPECT_LT(added, 0.001);
      EXPECT_GE(static_cast<double>(storm.frames), static_cast<double>(quiet.frames) * 0.999);
      EXPECT_TRUE(!kMemoryIsItsOwn || growth < 10) << growth << " MB";
    }
  }
}

}  // namespace
}  // namespace atm::sim

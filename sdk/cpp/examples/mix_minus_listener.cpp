// Hears a whole room through three receivers, which the server fills with the loudest: says who is heard, and writes
// the mix into a WAV file.
//   mix_minus_listener URL ROOM PEER TOKEN FILE SECONDS
//   mix_minus_listener http://localhost:3000 demo ear $(atm0s token --room demo --peer ear) heard.wav 10
#include <atm0s/session.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <mutex>
#include <thread>

using namespace atm0s;

namespace {

constexpr int64_t kRate = 48'000;
constexpr int64_t kMostSeconds = 3600;

// The slots' samples, each at the time when it is due; stereo.
class Mix {
 public:
  void add(const PcmFrame& frame) {
    const std::lock_guard lock(mutex_);
    if (began_ == Clock::time_point{}) began_ = frame.play_at;
    const auto since = std::chrono::duration_cast<std::chrono::microseconds>(frame.play_at - began_).count();
    if (since < 0 || since > kMostSeconds * 1'000'000) return;
    const auto at = static_cast<size_t>(since * kRate / 1'000'000) * 2;
    samples_.resize(std::max(samples_.size(), at + frame.samples.size()));
    for (size_t i = 0; i < frame.samples.size(); ++i) samples_[at + i] += frame.samples[i];
  }
  bool write(const char* path) {
    const std::lock_guard lock(mutex_);
    const auto bytes = static_cast<uint32_t>(samples_.size() * 2);
    std::ofstream file(path, std::ios::binary);
    const auto number = [&file](uint64_t value, int size) {
      for (int i = 0; i < size; ++i) file.put(static_cast<char>(value >> (8 * i) & 0xff));
    };
    file << "RIFF", number(36 + bytes, 4), file << "WAVEfmt ", number(16, 4);
    number(1, 2), number(2, 2), number(kRate, 4), number(kRate * 4, 4), number(4, 2), number(16, 2);
    file << "data", number(bytes, 4);
    for (const int32_t sample : samples_) number(static_cast<uint16_t>(std::clamp(sample, -32768, 32767)), 2);
    return file.good();
  }

 private:
  std::mutex mutex_;
  Clock::time_point began_{};
  std::vector<int32_t> samples_;
};

}  // namespace

int main(int argc, char** argv) {
  if (argc != 7) return std::fputs("usage: mix_minus_listener URL ROOM PEER TOKEN FILE SECONDS\n", stderr), 2;
  std::setvbuf(stdout, nullptr, _IOLBF, 0);
  SessionConfig config{.room_id = argv[2], .peer_id = argv[3], .token = argv[4]};
  config.mix_minus_audio = MixMinusMode::kAllAudioStreams;
  Mix mix;  // outlives the session, whose handlers use it
  Session session({argv[1]}, config);
  if (auto connected = session.connect(); !connected) {
    return std::fprintf(stderr, "mix_minus_listener: %s\n", connected.error().message.c_str()), 1;
  }
  for (Receiver slot : session.mix_minus_audio()->slots()) slot.on_pcm([&mix](const PcmFrame& f) { mix.add(f); });

  std::vector<std::string> heard;  // by slot; "": nobody
  const auto end = Clock::now() + std::chrono::milliseconds(static_cast<int64_t>(std::atof(argv[6]) * 1000));
  while (Clock::now() < end && session.state() != SessionState::kDisconnected) {
    const auto event = session.wait_event(std::chrono::milliseconds(100));
    const auto* changed = event ? std::get_if<MixMinusChanged>(&*event) : nullptr;
    if (changed == nullptr) continue;
    heard.resize(changed->active.size());
    for (size_t slot = 0; slot < heard.size(); ++slot) {
      const std::string now = changed->active[slot] ? changed->active[slot]->source : "";
      if (std::exchange(heard[slot], now) == now) continue;
      std::printf("slot %zu: %s\n", slot, now.empty() ? "nobody" : now.c_str());
    }
  }
  static_cast<void>(session.disconnect().wait());
  if (!mix.write(argv[5])) return std::fprintf(stderr, "mix_minus_listener: cannot write %s\n", argv[5]), 1;
}

// Media that nobody has to decode: frames with a valid head in each codec and, behind it, their number and the time at
// which they were made. What a viewer gets says by itself whether it is complete and how long it was under way.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <thread>
#include <vector>

#include "atm0s/media.h"

namespace atm0s::test {

struct Mark {
  uint64_t number = 0;
  Clock::time_point made_at{};
};

// `size`: bytes of the frame, at least 64.
std::vector<uint8_t> make_video(Codec codec, bool is_key, uint64_t number, size_t size);
// 20 ms of Opus.
std::vector<uint8_t> make_audio(uint64_t number);
// Nothing: these bytes were not made here, or not all of them came.
std::optional<Mark> read_mark(std::span<const uint8_t> frame);

// A thread that pushes frames into a source, as a camera or a microphone does: 50 a second, with a key frame when one
// is asked for, of as many bytes as the target bitrate allows.
class Pump {
 public:
  // `layers`: of simulcast; a frame's mark has the number times kMaxLayers plus the layer then.
  explicit Pump(std::shared_ptr<EncodedVideoSource> video, uint8_t layers = 1);
  explicit Pump(std::shared_ptr<EncodedAudioSource> audio, std::optional<int> level = {});
  // What is to be pushed with each number.
  explicit Pump(std::function<Result<void>(uint64_t number)> push);
  ~Pump();
  uint64_t pushed() const { return pushed_; }
  uint64_t refused() const { return refused_; }

 private:
  void run(const std::function<Result<void>(uint64_t)>& push);

  std::atomic<bool> is_stopping_ = false;
  std::atomic<uint64_t> pushed_ = 0, refused_ = 0;
  std::thread thread_;
};

inline constexpr uint64_t kMaxLayers = 4;
inline constexpr auto kFrameTime = std::chrono::milliseconds(20);

}  // namespace atm0s::test

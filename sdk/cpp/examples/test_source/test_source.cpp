#include "test_source.h"

#include <condition_variable>
#include <mutex>
#include <vector>

#include "test_picture.h"
#include "test_song.h"
#include "vp8_encoder.h"

namespace atm0s::test_source {

namespace {

constexpr size_t kLayers = 3;
constexpr auto kPictureTime = std::chrono::milliseconds(40);
constexpr auto kIdlePictureTime = std::chrono::milliseconds(100);
constexpr auto kMostLate = std::chrono::seconds(1);  // the process has slept: what was not made then is left out
constexpr auto kSoundTime = std::chrono::milliseconds(20);
constexpr size_t kSoundSamples = TestSong::kSampleRate / 50;

}  // namespace

// What viewers want has changed, or it is over. Outlives the source: the session may call then.
struct TestSource::Demand {
  std::mutex mutex;
  std::condition_variable changed;
  bool is_changed = false, is_over = false;

  // False: it is over. `wakes`: earlier when viewers want something else.
  bool wait_until(Clock::time_point at, bool wakes) {
    std::unique_lock lock(mutex);
    changed.wait_until(lock, at, [&] { return is_over || (wakes && is_changed); });
    if (wakes) is_changed = false;
    return !is_over;
  }
  void tell(bool ends) {
    const std::lock_guard lock(mutex);
    is_changed = true;
    is_over |= ends;
    changed.notify_all();
  }
};

TestSource::TestSource()
    : video_(std::make_shared<EncodedVideoSource>(Codec::kVp8)),
      audio_(std::make_shared<PcmSource>(PcmOptions{.channels = 1, .music = true})),
      demand_(std::make_shared<Demand>()) {
  video_->on_demand_changed([demand = demand_] { demand->tell(false); });
}

TestSource::~TestSource() {
  stop();
}

void TestSource::start() {
  video_thread_ = std::thread([this] { run_video(); });
  audio_thread_ = std::thread([this] { run_audio(); });
}

void TestSource::stop() {
  demand_->tell(true);
  if (video_thread_.joinable()) video_thread_.join();
  if (audio_thread_.joinable()) audio_thread_.join();
}

void TestSource::run_video() {
  TestPicture picture;
  std::vector<Picture> smaller;  // of layer 0, of layer 1
  std::vector<Vp8Encoder> encoders;
  for (size_t layer = 0; layer < kLayers; ++layer) {
    const int width = TestPicture::kWidth >> (kLayers - 1 - layer),
              height = TestPicture::kHeight >> (kLayers - 1 - layer);
    encoders.emplace_back(width, height);
    if (layer + 1 < kLayers) smaller.emplace_back(width, height);
  }
  for (auto due = Clock::now(); demand_->wait_until(due, true);) {
    const auto now = Clock::now();
    const Picture& full = picture.draw(pictures_++, std::chrono::system_clock::now());
    halve(full, smaller[1]);
    halve(smaller[1], smaller[0]);
    for (uint8_t layer = 0; layer < kLayers; ++layer) {
      const bool is_key = video_->take_key_frame_request(layer);
      const uint64_t bits_per_second = video_->target_bitrate(layer);
      if (bits_per_second == 0) continue;
      const auto frame =
          encoders[layer].encode(layer < smaller.size() ? smaller[layer] : full, is_key, bits_per_second, now);
      // What the session says of it is its sender's matter.
      if (!frame.empty()) static_cast<void>(video_->push({.bytes = frame, .layer = layer, .captured_at = now}));
    }
    const bool is_idle = video_->target_bitrate(1) == 0;
    due = std::max(std::min(due, now) + (is_idle ? kIdlePictureTime : kPictureTime), now);
  }
}

void TestSource::run_audio() {
  TestSong song;
  std::vector<int16_t> samples(kSoundSamples);
  for (auto due = Clock::now(); demand_->wait_until(due, false); due += kSoundTime) {
    if (Clock::now() - due > kMostLate) due = Clock::now();
    song.sing(samples);
    static_cast<void>(audio_->push(samples));
  }
}

}  // namespace atm0s::test_source

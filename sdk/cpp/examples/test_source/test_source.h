// What `atm0s join --publish test` and the examples publish where there is no camera: the test picture, by libvpx in
// three simulcast layers, and the test song. While nobody wants more than the lowest layer no other is encoded, and
// pictures are few; the first one for a viewer is made when it is asked for, not when it is due. Any thread.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <thread>

#include "atm0s/media.h"

namespace atm0s::test_source {

class TestSource {
 public:
  TestSource();
  ~TestSource();

  // For SenderConfig; the picture's sender wants `simulcast`.
  std::shared_ptr<MediaSource> video() const { return video_; }
  std::shared_ptr<MediaSource> audio() const { return audio_; }

  // Once.
  void start();
  void stop();
  uint64_t pictures() const { return pictures_; }

 private:
  struct Demand;
  void run_video();
  void run_audio();

  const std::shared_ptr<EncodedVideoSource> video_;
  const std::shared_ptr<PcmSource> audio_;
  const std::shared_ptr<Demand> demand_;
  std::atomic<uint64_t> pictures_ = 0;
  std::thread video_thread_, audio_thread_;
};

}  // namespace atm0s::test_source

// A robot's camera with an encoder of its own, for somebody who steers by the picture: each picture goes out at once, a
// key frame is made when a viewer asks for one, and the encoder makes what the network carries, no more. Says once a
// second what it does. Until it is interrupted.
//   robot_camera URL ROOM PEER TOKEN
//   robot_camera http://localhost:3000 demo robot $(atm0s token --room demo --peer robot)
// and a viewer that waits for nothing either: atm0s join --view robot/video_main --latency-mode ultra-low
#include <atm0s/session.h>

#include <atomic>
#include <csignal>
#include <cstdio>
#include <thread>

#include "test_source/vp8_encoder.h"

using namespace atm0s;

namespace {

constexpr auto kPictureTime = std::chrono::microseconds(33'333);

std::atomic<bool> is_over = false;

// Yours: what the robot sees now.
class Eye {
 public:
  const test_source::Picture& look() { return picture_.draw(number_++, std::chrono::system_clock::now()); }

 private:
  test_source::TestPicture picture_;
  uint64_t number_ = 0;
};

struct Second {
  unsigned pictures = 0, keys = 0;
  size_t bytes = 0;
};

}  // namespace

int main(int argc, char** argv) {
  if (argc != 5) return std::fputs("usage: robot_camera URL ROOM PEER TOKEN\n", stderr), 2;
  std::setvbuf(stdout, nullptr, _IOLBF, 0);
  for (const int signal : {SIGINT, SIGTERM}) std::signal(signal, [](int) { is_over = true; });
  auto camera = std::make_shared<EncodedVideoSource>(Codec::kVp8);
  SessionConfig config{.room_id = argv[2], .peer_id = argv[3], .token = argv[4]};
  config.senders = {{.name = "video_main",
                     .kind = MediaKind::kVideo,
                     .source = camera,
                     .preferred_codecs = {Codec::kVp8},
                     .max_bitrate = 1'500'000,
                     .content_hint = ContentHint::kMotion}};
  Session session({argv[1]}, config);
  if (auto connected = session.connect(); !connected) {
    return std::fprintf(stderr, "robot_camera: %s\n", connected.error().message.c_str()), 1;
  }

  Eye eye;
  test_source::Vp8Encoder encoder(test_source::TestPicture::kWidth, test_source::TestPicture::kHeight);
  Second second;
  auto tell_at = Clock::now() + std::chrono::seconds(1);
  for (auto due = Clock::now(); !is_over && session.state() != SessionState::kDisconnected; due += kPictureTime) {
    std::this_thread::sleep_until(due);
    const auto captured_at = Clock::now();
    const auto& picture = eye.look();
    const bool is_key = camera->take_key_frame_request();
    const auto frame = encoder.encode(picture, is_key, camera->target_bitrate(), captured_at);
    if (!frame.empty()) {
      if (auto pushed = camera->push({.bytes = frame, .captured_at = captured_at}); !pushed) {
        std::fprintf(stderr, "robot_camera: %s\n", pushed.error().message.c_str());
      }
      ++second.pictures;
    }
    second.keys += is_key;
    second.bytes += frame.size();
    if (captured_at < tell_at) continue;
    std::printf("%u pictures, %u key frames, %zu of %llu kbit/s\n", second.pictures, second.keys,
                second.bytes * 8 / 1000, static_cast<unsigned long long>(camera->target_bitrate() / 1000));
    second = {};
    tell_at += std::chrono::seconds(1);
  }
  static_cast<void>(session.disconnect().wait());
}

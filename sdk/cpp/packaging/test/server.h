// The server that run.mjs has started, by the environment: ATM0S_URL, and ATM0S_TOKENS, of the peers "a" to "d" of one
// room each test, separated by spaces. And pictures that no encoder made.
#pragma once

#include <atm0s/session.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

namespace uses {

inline std::string url() {
  const char* url = std::getenv("ATM0S_URL");
  return url == nullptr ? "" : url;
}

inline std::string token(size_t peer) {
  const char* tokens = std::getenv("ATM0S_TOKENS");
  std::istringstream in(tokens == nullptr ? "" : tokens);
  std::string token;
  for (size_t i = 0; i <= peer; ++i) in >> token;
  return token;
}

// Peer 0 is "a".
inline atm0s::SessionConfig config(size_t peer) {
  atm0s::SessionConfig out;
  out.room_id = "demo";
  out.peer_id = std::string(1, static_cast<char>('a' + peer));
  out.token = token(peer);
  return out;
}

// Enough of a frame of VP8 (RFC 6386 9.1) to be sent: 16 x 16, and then nothing that decodes.
inline std::vector<uint8_t> picture(bool is_key) {
  std::vector<uint8_t> out(200, 0x55);
  const uint8_t key[] = {0x10, 0x02, 0x00, 0x9d, 0x01, 0x2a, 16, 0, 16, 0};
  if (is_key)
    std::copy(std::begin(key), std::end(key), out.begin());
  else
    out[0] = 0x11, out[1] = 0x02, out[2] = 0x00;
  return out;
}

// Thirty pictures a second into a source, until it ends.
class Camera {
 public:
  explicit Camera(std::shared_ptr<atm0s::EncodedVideoSource> source)
      : thread_([source = std::move(source), this] {
          for (int i = 0; !is_over_; ++i) {
            const auto bytes = picture(source->take_key_frame_request() || i % 30 == 0);
            static_cast<void>(source->push({.bytes = bytes}));
            std::this_thread::sleep_for(std::chrono::milliseconds(33));
          }
        }) {}
  ~Camera() {
    is_over_ = true;
    thread_.join();
  }

 private:
  std::atomic<bool> is_over_{false};
  std::thread thread_;
};

// The next event of that type for which `is_it` is true.
template <typename Wanted, typename IsIt>
bool wait_for(atm0s::Session& session, IsIt is_it, std::chrono::seconds patience = std::chrono::seconds(10)) {
  const auto until = std::chrono::steady_clock::now() + patience;
  while (std::chrono::steady_clock::now() < until) {
    const auto event = session.wait_event(std::chrono::milliseconds(100));
    const auto* wanted = event ? std::get_if<Wanted>(&*event) : nullptr;
    if (wanted != nullptr && is_it(*wanted)) return true;
  }
  return false;
}

}  // namespace uses

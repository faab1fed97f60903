// What the receivers of a session are called: counted per kind in the order of their m-lines, as the server counts them
// (docs/session-protocol.md). The engine and whoever speaks of its receivers from another thread (sdk/cpp) have one
// each, and make receivers in the same order.
#pragma once

#include <string>

#include "client/config.h"

namespace atm::client {

class ReceiverIds {
 public:
  // "audio_0", "video_0", "video_1"
  std::string next(MediaKind kind) {
    const bool is_audio = kind == MediaKind::kAudio;
    return (is_audio ? "audio_" : "video_") + std::to_string(is_audio ? counts_.audio++ : counts_.video++);
  }
  const contract::ReceiverCounts& counts() const { return counts_; }

 private:
  contract::ReceiverCounts counts_;
};

}  // namespace atm::client

// The offers of one recorded conversation (README.md), in the order in which the client made them. For golden_test.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/codec.h"

namespace atm::golden {

struct RecordedOffer {
  std::string request;  // "/webrtc/connect", "/webrtc/ice_restart", "peer.updateSdp"
  std::string sdp;
  bool has_receivers = false;  // ice_restart does not repeat them
  uint32_t audio_receivers = 0, video_receivers = 0;
  struct Sender {
    std::string uuid, kind;
  };
  std::vector<Sender> senders;
};

struct Recording {
  std::string name;
  std::vector<Codec> codecs;  // of the connect request
  std::vector<RecordedOffer> offers;
};

// Every recording of the folder, by name.
std::vector<Recording> read_recordings();

}  // namespace atm::golden

// Two participants of a room of their own: one that publishes sources of atm0s::gst, one that views.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "atm0s/gst.h"
#include "world.h"

namespace atm0s::test {

// A small picture, so that four encoders on two cores keep up.
inline gst::VideoOptions small(Codec codec = Codec::kVp8) {
  return {.codec = codec, .width = 320, .height = 180, .max_framerate = 15};
}

class Publishing {
 public:
  // As "ann"; connected, and started. Holds them.
  Publishing(const std::string& room, const std::vector<std::pair<std::string, gst::Source>>& sources);
  Session& session() { return session_; }

 private:
  const std::vector<std::pair<std::string, gst::Source>> sources_;
  Session session_;
};

class Viewing {
 public:
  explicit Viewing(const std::string& room, const std::string& peer = "bob");
  // A receiver that shows that stream of "ann".
  Receiver view(const std::string& stream, MediaKind kind = MediaKind::kVideo);
  Session& session() { return session_; }

 private:
  Session session_;
};

// Fails the test when there is an error.
gst::Source made(Result<gst::Source> source);

// bit/s of what comes within that time.
double measure_bitrate(Receiver receiver, std::chrono::milliseconds time);

// Width of the picture of a key frame of VP8 (RFC 6386 9.1); 0: it is none.
int width_of(const VideoFrame& frame);

}  // namespace atm0s::test

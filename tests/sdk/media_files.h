// Files of frames for the test peer, read and written with nothing but the standard library, so that what the SDK's own
// readers and writers do wrong is seen: IVF (VP8, VP9, AV1), H264 as a byte stream whose access units begin with
// delimiters, Opus in Ogg (RFC 3533, RFC 7845).
#pragma once

#include <cstdint>
#include <fstream>
#include <optional>
#include <string>
#include <vector>

#include "atm0s/config.h"

namespace atm0s::test {

using Frame = std::vector<uint8_t>;

// Empty when the file cannot be read, or has none.
std::vector<Frame> read_frames(const std::string& path, Codec codec);

class FrameWriter {
 public:
  FrameWriter(const std::string& path, Codec codec);
  ~FrameWriter();
  // `timestamp`: RTP's.
  void write(const Frame& frame, uint32_t timestamp);
  uint64_t written() const { return written_; }

 private:
  void write_page(const Frame& packet, uint8_t flags, uint64_t granule);

  std::ofstream file_;
  Codec codec_;
  uint64_t written_ = 0;
  uint64_t time_ = 0;  // since the first frame, in the codec's clock
  uint32_t last_timestamp_ = 0;
  uint32_t page_ = 0;
};

}  // namespace atm0s::test

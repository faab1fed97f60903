// IVF: the simplest file of video frames, as libvpx, libaom and ffmpeg read and write it. 32 bytes of header, then for
// each frame its size, its timestamp and its bytes. For file sources and sinks of the SDK. No files here: the writer
// appends to the caller's bytes, the reader looks at the whole file's. Nothing is copied by the reader.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "base/bytes.h"
#include "base/codec.h"
#include "base/result.h"

namespace atm::container {

inline constexpr size_t kIvfHeaderSize = 32;

struct IvfHeader {
  Codec codec = Codec::kVp8;  // VP8, VP9, H264 (annex B) or AV1
  uint16_t width = 0, height = 0;
  // A timestamp counts units of `scale` / `rate` seconds.
  uint32_t rate = 90'000, scale = 1;
  uint32_t frames = 0;  // 0 where it was not known when the header was written
};

struct IvfFrame {
  uint64_t timestamp = 0;
  ByteView bytes;
};

class IvfWriter {
 public:
  explicit IvfWriter(const IvfHeader& header) : header_(header) { header_.frames = 0; }

  // First of all. Then frames; that is a whole file at any time.
  void begin(Bytes& out) const;
  void write(uint64_t timestamp, ByteView frame, Bytes& out);
  // Who can goes back and writes it over the first bytes of the file: it then has the count of frames.
  std::array<uint8_t, kIvfHeaderSize> final_header() const;

 private:
  IvfHeader header_;
};

class IvfReader {
 public:
  // An error when it does not begin as an IVF file, or is of another codec.
  static Result<IvfReader> open(ByteView file);

  const IvfHeader& header() const { return header_; }
  // Nothing after the last frame. After an error there is no more.
  Result<std::optional<IvfFrame>> next();

 private:
  IvfReader() = default;
  ByteView file_;
  IvfHeader header_;
  size_t at_ = 0;
};

}  // namespace atm::container

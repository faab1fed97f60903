// WAV with PCM of 16 bits (Microsoft's RIFF WAVE, as everybody reads it). For file sources and sinks of the SDK. No
// files here: the writer appends to the caller's bytes, the reader looks at the whole file's.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "base/bytes.h"
#include "base/result.h"

namespace atm::container {

inline constexpr size_t kWavHeaderSize = 44;  // as we write it
inline constexpr uint16_t kMaxWavChannels = 8;
inline constexpr uint32_t kMaxWavRate = 384'000;

struct WavFormat {
  uint32_t sample_rate = 48'000;
  uint16_t channels = 2;
};

class WavWriter {
 public:
  explicit WavWriter(const WavFormat& format) : format_(format) {}

  // First of all. The sizes are those of a stream that has no end, which readers take for "to the end of the file".
  void begin(Bytes& out) const;
  // The channels of an instant side by side.
  void write(std::span<const int16_t> samples, Bytes& out);
  // Who can goes back and writes it over the first bytes of the file: it then has the sizes.
  std::array<uint8_t, kWavHeaderSize> final_header() const;

 private:
  std::array<uint8_t, kWavHeaderSize> header(uint64_t data_size) const;
  WavFormat format_;
  uint64_t data_size_ = 0;
};

class WavReader {
 public:
  // An error when it is no WAV file, or of other samples. A file that is cut off ends where it ends.
  static Result<WavReader> open(ByteView file);

  const WavFormat& format() const { return format_; }
  // Of each channel.
  size_t samples() const { return data_.size() / 2 / format_.channels; }
  // How many values were written: as many as there are and fit, of whole instants; 0 at the end.
  size_t read(std::span<int16_t> out);

 private:
  WavReader() = default;
  WavFormat format_;
  ByteView data_;
  size_t at_ = 0;
};

}  // namespace atm::container

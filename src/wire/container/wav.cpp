#include "wire/container/wav.h"

#include <algorithm>
#include <optional>

#include "wire/container/little_endian.h"
#include "wire/container/malformed.h"

namespace atm::container {
namespace {

constexpr uint16_t kPcm = 1, kExtensible = 0xFFFE;
constexpr uint64_t kUnknownSize = 0xFFFFFFFF;
constexpr size_t kChunkHeader = 8;

// The format in the content of "fmt ".
Result<WavFormat> read_format(ByteView chunk, size_t at) {
  if (chunk.size() < 16) return malformed(at, "a format that is cut off");
  uint64_t tag = load_little(chunk.subspan(0, 2));
  // WAVEFORMATEXTENSIBLE: the tag is the beginning of the sub-format's GUID.
  if (tag == kExtensible && chunk.size() >= 26) tag = load_little(chunk.subspan(24, 2));
  if (tag != kPcm) return malformed(at, "the samples are not PCM");
  WavFormat out;
  out.channels = static_cast<uint16_t>(load_little(chunk.subspan(2, 2)));
  out.sample_rate = static_cast<uint32_t>(load_little(chunk.subspan(4, 4)));
  if (out.channels == 0 || out.channels > kMaxWavChannels) return malformed(at + 2, "a wrong count of channels");
  if (out.sample_rate == 0 || out.sample_rate > kMaxWavRate) return malformed(at + 4, "a wrong sample rate");
  if (load_little(chunk.subspan(14, 2)) != 16) return malformed(at + 14, "the samples do not have 16 bits");
  return out;
}

}  // namespace

std::array<uint8_t, kWavHeaderSize> WavWriter::header(uint64_t data_size) const {
  std::array<uint8_t, kWavHeaderSize> out{};
  const uint32_t frame = format_.channels * 2u;
  std::ranges::copy(as_bytes("RIFF"), out.begin());
  store_little(&out[4], std::min(data_size + kWavHeaderSize - kChunkHeader, kUnknownSize), 4);
  std::ranges::copy(as_bytes("WAVEfmt "), out.begin() + 8);
  store_little(&out[16], 16, 4);
  store_little(&out[20], kPcm, 2);
  store_little(&out[22], format_.channels, 2);
  store_little(&out[24], format_.sample_rate, 4);
  store_little(&out[28], uint64_t{format_.sample_rate} * frame, 4);
  store_little(&out[32], frame, 2);
  store_little(&out[34], 16, 2);
  std::ranges::copy(as_bytes("data"), out.begin() + 36);
  store_little(&out[40], std::min(data_size, kUnknownSize), 4);
  return out;
}

void WavWriter::begin(Bytes& out) const {
  const auto bytes = header(kUnknownSize);
  out.insert(out.end(), bytes.begin(), bytes.end());
}

void WavWriter::write(std::span<const int16_t> samples, Bytes& out) {
  for (const int16_t sample : samples) put_little(out, static_cast<uint16_t>(sample), 2);
  data_size_ += samples.size() * 2;
}

std::array<uint8_t, kWavHeaderSize> WavWriter::final_header() const {
  return header(data_size_);
}

Result<WavReader> WavReader::open(ByteView file) {
  if (file.size() < 12) return malformed(file.size(), "the header is cut off");
  if (as_text(file.first(4)) != "RIFF" || as_text(file.subspan(8, 4)) != "WAVE") {
    return malformed(0, "this is no WAV file");
  }
  std::optional<WavFormat> format;
  for (size_t at = 12; file.size() - at >= kChunkHeader;) {
    const std::string_view name = as_text(file.subspan(at, 4));
    const uint64_t size = load_little(file.subspan(at + 4, 4));
    const size_t begin = at + kChunkHeader;
    const bool is_whole = size <= file.size() - begin;
    if (name == "data") {
      if (!format) return malformed(at, "samples before their format");
      WavReader out;
      out.format_ = *format;
      out.data_ = file.subspan(begin, is_whole ? size : file.size() - begin);
      const size_t frame = format->channels * 2u;
      out.data_ = out.data_.first(out.data_.size() / frame * frame);
      return out;
    }
    if (!is_whole) return malformed(at, "a chunk is cut off");
    if (name == "fmt ") {
      TRY(read, read_format(file.subspan(begin, size), begin));
      format = read;
    }
    // Chunks begin at even places.
    if (size + size % 2 > file.size() - begin) break;
    at = begin + size + size % 2;
  }
  return malformed(file.size(), "there are no samples");
}

size_t WavReader::read(std::span<int16_t> out) {
  const size_t frame = format_.channels;
  const size_t count = std::min(out.size(), (data_.size() - at_) / 2) / frame * frame;
  for (size_t i = 0; i < count; ++i, at_ += 2) {
    out[i] = static_cast<int16_t>(load_little(data_.subspan(at_, 2)));
  }
  return count;
}

}  // namespace atm::container

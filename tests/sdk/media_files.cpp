#include "media_files.h"

#include <algorithm>
#include <cstring>
#include <iterator>
#include <utility>

namespace atm0s::test {

namespace {

uint32_t little(const uint8_t* at, size_t bytes) {
  uint32_t value = 0;
  for (size_t i = bytes; i-- > 0;) value = value << 8 | at[i];
  return value;
}
void put(Frame& out, uint64_t value, size_t bytes) {
  for (size_t i = 0; i < bytes; ++i) out.push_back(static_cast<uint8_t>(value >> (8 * i)));
}
void put(Frame& out, const std::string& text) {
  out.insert(out.end(), text.begin(), text.end());
}

std::vector<Frame> read_ivf(const Frame& file) {
  constexpr size_t kHeader = 32, kFrameHeader = 12;
  std::vector<Frame> out;
  for (size_t at = kHeader; at + kFrameHeader <= file.size();) {
    const size_t size = little(&file[at], 4);
    at += kFrameHeader;
    if (size > file.size() - at) break;
    out.emplace_back(file.begin() + static_cast<ptrdiff_t>(at), file.begin() + static_cast<ptrdiff_t>(at + size));
    at += size;
  }
  return out;
}

std::vector<Frame> read_h264(const Frame& file) {
  constexpr uint8_t kDelimiter[] = {0, 0, 0, 1, 0x09};
  std::vector<Frame> out;
  auto at = std::search(file.begin(), file.end(), std::begin(kDelimiter), std::end(kDelimiter));
  while (at != file.end()) {
    const auto next = std::search(at + 1, file.end(), std::begin(kDelimiter), std::end(kDelimiter));
    out.emplace_back(at, next);
    at = next;
  }
  return out;
}

std::vector<Frame> read_ogg(const Frame& file) {
  constexpr size_t kHeader = 27;
  std::vector<Frame> out;
  Frame packet;
  for (size_t at = 0; at + kHeader <= file.size() && std::memcmp(&file[at], "OggS", 4) == 0;) {
    const size_t segments = file[at + 26];
    size_t body = at + kHeader + segments;
    for (size_t i = 0; i < segments && body <= file.size(); ++i) {
      const size_t size = std::min<size_t>(file[at + kHeader + i], file.size() - body);
      packet.insert(packet.end(), &file[body], &file[body] + size);
      body += size;
      if (file[at + kHeader + i] < 255) out.push_back(std::exchange(packet, {}));
    }
    at = body;
  }
  constexpr size_t kHeaders = 2;  // OpusHead, OpusTags
  out.erase(out.begin(), out.begin() + static_cast<ptrdiff_t>(std::min(kHeaders, out.size())));
  return out;
}

// RFC 3533 6: CRC-32 with 0x04c11db7, not reflected, begun with 0.
uint32_t ogg_checksum(const Frame& page) {
  uint32_t value = 0;
  for (const uint8_t byte : page) {
    value ^= static_cast<uint32_t>(byte) << 24;
    for (int i = 0; i < 8; ++i) value = value << 1 ^ (value >> 31 ? 0x04c11db7u : 0u);
  }
  return value;
}

}  // namespace

std::vector<Frame> read_frames(const std::string& path, Codec codec) {
  std::ifstream stream(path, std::ios::binary);
  const Frame file{std::istreambuf_iterator<char>(stream), std::istreambuf_iterator<char>()};
  if (codec == Codec::kOpus) return read_ogg(file);
  return codec == Codec::kH264 ? read_h264(file) : read_ivf(file);
}

FrameWriter::FrameWriter(const std::string& path, Codec codec)
    : file_(path, std::ios::binary | std::ios::trunc), codec_(codec) {
  Frame head;
  if (codec == Codec::kOpus) {
    put(head, "OpusHead");  // RFC 7845 5.1: version 1, two channels, no pre-skip, 48 kHz, no gain, mapping 0
    for (const auto& [value, bytes] :
         {std::pair<uint64_t, size_t>{1, 1}, {2, 1}, {0, 2}, {48'000, 4}, {0, 2}, {0, 1}}) {
      put(head, value, bytes);
    }
    write_page(head, 2, 0);
    Frame tags;
    put(tags, "OpusTags");
    put(tags, 4, 4);
    put(tags, "test");
    put(tags, 0, 4);
    write_page(tags, 0, 0);
  } else if (codec != Codec::kH264) {
    put(head, "DKIF");
    put(head, 0, 2);
    put(head, 32, 2);
    put(head, codec == Codec::kVp8 ? "VP80" : codec == Codec::kVp9 ? "VP90" : "AV01");
    put(head, 640, 2);
    put(head, 360, 2);
    put(head, 90'000, 4);
    put(head, 1, 4);
    put(head, 0, 8);
    file_.write(reinterpret_cast<const char*>(head.data()), static_cast<std::streamsize>(head.size()));
  }
}

FrameWriter::~FrameWriter() {
  if (codec_ == Codec::kOpus) write_page({}, 4, time_);
}

void FrameWriter::write(const Frame& frame, uint32_t timestamp) {
  if (written_++ > 0) time_ += timestamp - last_timestamp_;
  last_timestamp_ = timestamp;
  if (codec_ == Codec::kOpus) return write_page(frame, 0, time_ + 960);
  Frame head;
  if (codec_ != Codec::kH264) {
    put(head, frame.size(), 4);
    put(head, time_, 8);
  }
  head.insert(head.end(), frame.begin(), frame.end());
  file_.write(reinterpret_cast<const char*>(head.data()), static_cast<std::streamsize>(head.size()));
}

void FrameWriter::write_page(const Frame& packet, uint8_t flags, uint64_t granule) {
  Frame page;
  put(page, "OggS");
  put(page, 0, 1);
  put(page, flags, 1);
  put(page, granule, 8);
  put(page, 1, 4);
  put(page, page_++, 4);
  const size_t checksum_at = page.size();
  put(page, 0, 4);
  const size_t segments = packet.empty() ? 0 : packet.size() / 255 + 1;
  put(page, segments, 1);
  for (size_t i = 0; i < segments; ++i) put(page, i + 1 < segments ? 255 : packet.size() % 255, 1);
  page.insert(page.end(), packet.begin(), packet.end());
  const uint32_t checksum = ogg_checksum(page);
  for (size_t i = 0; i < 4; ++i) page[checksum_at + i] = static_cast<uint8_t>(checksum >> (8 * i));
  file_.write(reinterpret_cast<const char*>(page.data()), static_cast<std::streamsize>(page.size()));
}

}  // namespace atm0s::test

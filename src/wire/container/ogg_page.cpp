#include "wire/container/ogg_page.h"

#include <array>

#include "wire/container/little_endian.h"
#include "wire/container/malformed.h"

namespace atm::container {
namespace {

constexpr size_t kChecksumAt = 22;

constexpr std::array<uint32_t, 256> make_table() {
  std::array<uint32_t, 256> out{};
  for (uint32_t i = 0; i < 256; ++i) {
    uint32_t value = i << 24;
    for (int bit = 0; bit < 8; ++bit) value = (value & 0x80000000) != 0 ? value << 1 ^ 0x04C11DB7 : value << 1;
    out[i] = value;
  }
  return out;
}
constexpr auto kTable = make_table();

}  // namespace

uint32_t ogg_checksum(ByteView page) {
  uint32_t value = 0;
  for (size_t i = 0; i < page.size(); ++i) {
    const uint8_t byte = i >= kChecksumAt && i < kChecksumAt + 4 ? 0 : page[i];
    value = value << 8 ^ kTable[value >> 24 ^ byte];
  }
  return value;
}

Result<OggPage> parse_ogg_page(ByteView file, size_t at) {
  const ByteView rest = file.subspan(at);
  if (rest.size() < kOggHeaderSize) return malformed(at, "a page is cut off");
  if (as_text(rest.first(4)) != "OggS") return malformed(at, "no page begins here");
  if (rest[4] != 0) return malformed(at + 4, "an unknown version of Ogg");
  OggPage out;
  out.is_continued = (rest[5] & 0x01) != 0;
  out.is_first = (rest[5] & 0x02) != 0;
  out.is_last = (rest[5] & 0x04) != 0;
  out.granule = load_little(rest.subspan(6, 8));
  out.serial = static_cast<uint32_t>(load_little(rest.subspan(14, 4)));
  out.sequence = static_cast<uint32_t>(load_little(rest.subspan(18, 4)));
  const size_t segments = rest[26];
  if (rest.size() < kOggHeaderSize + segments) return malformed(at, "a page is cut off");
  out.lacing = rest.subspan(kOggHeaderSize, segments);
  size_t size = 0;
  for (const uint8_t segment : out.lacing) size += segment;
  if (rest.size() - kOggHeaderSize - segments < size) return malformed(at, "a page is cut off");
  out.body = rest.subspan(kOggHeaderSize + segments, size);
  if (ogg_checksum(rest.first(out.size())) != load_little(rest.subspan(kChecksumAt, 4))) {
    return malformed(at, "a page with a wrong checksum");
  }
  return out;
}

void put_ogg_page(const OggPage& page, Bytes& out) {
  const size_t begin = out.size();
  put_text(out, "OggS");
  out.push_back(0);
  out.push_back(static_cast<uint8_t>((page.is_continued ? 1 : 0) | (page.is_first ? 2 : 0) | (page.is_last ? 4 : 0)));
  put_little(out, page.granule, 8);
  put_little(out, page.serial, 4);
  put_little(out, page.sequence, 4);
  put_little(out, 0, 4);
  out.push_back(static_cast<uint8_t>(page.lacing.size()));
  out.insert(out.end(), page.lacing.begin(), page.lacing.end());
  out.insert(out.end(), page.body.begin(), page.body.end());
  store_little(&out[begin + kChecksumAt], ogg_checksum(ByteView(out).subspan(begin)), 4);
}

}  // namespace atm::container

// Pages of Ogg (RFC 3533 6): header, lacing values, checksum. For OggOpusReader and OggOpusWriter.
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/bytes.h"
#include "base/result.h"

namespace atm::container {

inline constexpr size_t kOggHeaderSize = 27;        // without the segment table
inline constexpr size_t kMaxOggSegments = 255;      // of a page: their count is one byte
inline constexpr uint64_t kNoGranule = UINT64_MAX;  // no packet ends on the page

struct OggPage {
  bool is_continued = false;               // it begins with the rest of a packet
  bool is_first = false, is_last = false;  // of its stream
  uint64_t granule = kNoGranule;
  uint32_t serial = 0, sequence = 0;
  ByteView lacing;  // sizes of the segments; one below 255 ends a packet
  ByteView body;
  size_t size() const { return kOggHeaderSize + lacing.size() + body.size(); }
};

// The page that begins there; an error when none does, it is cut off, or its checksum is wrong.
Result<OggPage> parse_ogg_page(ByteView file, size_t at);
void put_ogg_page(const OggPage& page, Bytes& out);

// RFC 3533 6, field 7, of a page whose own checksum is taken for zeros.
uint32_t ogg_checksum(ByteView page);

}  // namespace atm::container

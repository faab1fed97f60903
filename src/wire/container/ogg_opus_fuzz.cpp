#include <cstdlib>

#include "wire/container/little_endian.h"
#include "wire/container/ogg_opus.h"

// Pages with their checksums mended, for no fuzzer finds those. What is read is written and read again.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace atm;
  using namespace atm::container;
  Bytes file(data, data + size);
  for (size_t at = 0; at + kOggHeaderSize <= size;) {
    size_t length = kOggHeaderSize + file[at + 26];
    if (at + length > size) break;
    for (size_t i = 0; i < file[at + 26]; ++i) length += file[at + kOggHeaderSize + i];
    if (at + length > size) break;
    store_little(&file[at + 22], ogg_checksum(ByteView(file).subspan(at, length)), 4);
    at += length;
  }
  auto reader = OggOpusReader::open(file);
  if (!reader) return 0;
  OggOpusWriter writer({.head = reader->head()}, 1);
  Bytes out;
  writer.begin(out);
  size_t packets = 0;
  while (true) {
    const auto packet = reader->next();
    if (!packet || !*packet) break;
    if ((*packet)->trimmed > (*packet)->duration) std::abort();
    if (writer.write((*packet)->bytes, out)) ++packets;
  }
  writer.finish(out);
  auto again = OggOpusReader::open(out);
  if (!again) std::abort();
  for (; packets > 0; --packets) {
    const auto packet = again->next();
    if (!packet || !*packet) std::abort();
  }
  return 0;
}

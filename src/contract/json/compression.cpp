#include "contract/json/compression.h"

#include <zlib.h>

#include <algorithm>

#include "base/assert.h"

namespace atm::json {

std::optional<std::string> inflate(ByteView stream, size_t bytes_max, bool& too_large) {
  too_large = false;
  z_stream z{};
  if (inflateInit(&z) != Z_OK) return std::nullopt;
  z.next_in = const_cast<Bytef*>(stream.data());
  z.avail_in = static_cast<uInt>(stream.size());

  std::string out;
  int status = Z_OK;
  // Grows with what really comes out: a small message costs little, and a bomb stops at the limit.
  while (status == Z_OK && !too_large) {
    const size_t used = out.size();
    // One byte over the limit, so that "exactly the limit" and "more" can be told apart.
    out.resize(std::min(std::max<size_t>(used * 2, stream.size() * 4 + 256), bytes_max + 1));
    z.next_out = reinterpret_cast<Bytef*>(out.data() + used);
    z.avail_out = static_cast<uInt>(out.size() - used);
    status = ::inflate(&z, Z_NO_FLUSH);
    out.resize(out.size() - z.avail_out);
    too_large = out.size() > bytes_max;
    if (status == Z_OK && z.avail_in == 0 && z.avail_out > 0) break;  // the stream has no end
  }
  const bool whole = status == Z_STREAM_END && z.avail_in == 0 && !too_large;
  inflateEnd(&z);
  if (!whole) return std::nullopt;
  return out;
}

Bytes deflate(std::string_view text) {
  uLongf size = compressBound(static_cast<uLong>(text.size()));
  Bytes out(size);
  const int status = compress2(out.data(), &size, reinterpret_cast<const Bytef*>(text.data()),
                               static_cast<uLong>(text.size()), Z_DEFAULT_COMPRESSION);
  ASSERT(status == Z_OK);  // the buffer is as large as zlib asks for
  out.resize(size);
  return out;
}

}  // namespace atm::json

// Any bytes as a compressed data channel message, and any text compressed as the SDK does it: nothing inflates to more
// than the limit, no stream without an end spins, and what was deflated comes back the same.
#include "base/assert.h"
#include "contract/json/compression.h"
#include "contract/json/limits.h"
#include "contract/json/rpc.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace atm;
  const ByteView bytes(data, size);
  for (const size_t bytes_max : {size_t{64}, json::kMaxDocumentBytes}) {
    bool is_too_large = false;
    const auto text = json::inflate(bytes, bytes_max, is_too_large);
    ASSERT(!text || (text->size() <= bytes_max && !is_too_large));
  }
  (void)json::parse_rpc(bytes, false);
  (void)json::parse_server_message(bytes, false);

  bool is_too_large = false;
  const Bytes deflated = json::deflate(as_text(bytes));
  const auto back = json::inflate(deflated, json::kMaxDocumentBytes, is_too_large);
  ASSERT(size > json::kMaxDocumentBytes ? is_too_large : back && *back == as_text(bytes));
  // A stream that is cut anywhere is no stream.
  if (size > 0)
    ASSERT(!json::inflate(ByteView(deflated).first(deflated.size() - 1 - data[0] % 4), 1 << 20, is_too_large));
  const auto from_text = json::parse_rpc(bytes, true), from_stream = json::parse_rpc(deflated, false);
  ASSERT(from_text.index() == from_stream.index());
  return 0;
}

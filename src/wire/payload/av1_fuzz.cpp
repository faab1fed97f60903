#include <cstdlib>

#include "wire/payload/av1.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace atm;
  payload::parse_av1_sequence_header({data, size});
  const auto packet = payload::parse_av1({data, size});
  if (!packet) return 0;
  if (packet->count == 0 || packet->count > payload::kMaxAv1Elements) std::abort();
  for (size_t i = 0; i < packet->count; ++i) {
    const ByteView content = packet->elements[i].content;
    if (content.empty()) continue;
    if (content.data() < data || content.data() + content.size() > data + size) std::abort();
    payload::parse_av1_sequence_header(content);
  }
  return 0;
}

// Several values of one stream, each with its length in front, so that the structure of one is used by the next.
#include <cstdlib>

#include "wire/payload/dependency_descriptor.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace atm0s;
  std::optional<payload::DependencyStructure> structure;
  Reader reader({data, size});
  while (reader.left() > 0) {
    const size_t length = reader.u8();
    const ByteView value = reader.take(length < reader.left() ? length : reader.left());
    const auto head = payload::parse_dependency_head(value);
    const auto read = payload::parse_dependency_descriptor(value, structure);
    if (read && (!head || head->frame_number != read->frame_number)) std::abort();
    if (read && read->frame.difference_count > payload::kMaxFrameDifferences) std::abort();
    if (structure && (structure->template_count == 0 || structure->decode_targets == 0)) std::abort();
  }
  return 0;
}

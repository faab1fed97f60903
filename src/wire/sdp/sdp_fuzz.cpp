// Any text: parse() must refuse or read it, and what it read must come back the same from to_text().
#include "base/assert.h"
#include "wire/sdp/sdp.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto first = atm::sdp::parse({reinterpret_cast<const char*>(data), size});
  if (!first) return 0;
  const auto second = atm::sdp::parse(atm::sdp::to_text(*first));
  // What is written can be longer than what was read (values given to each m-line), and so may be over the limits.
  if (second) ASSERT(*first == *second);
  return 0;
}

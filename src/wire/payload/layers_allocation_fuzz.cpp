// What is read can be written, and is read again as the same.
#include <cstdlib>

#include "wire/payload/layers_allocation.h"
#include "wire/payload/playout_delay.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace atm;
  if (const auto delay = payload::parse_playout_delay({data, size})) {
    const auto written = payload::write_playout_delay(*delay);
    if (payload::parse_playout_delay(written) != delay) std::abort();
  }
  const auto read = payload::parse_layers_allocation({data, size});
  if (!read) return 0;
  uint8_t bytes[1'024];
  const size_t length = payload::write_layers_allocation(*read, bytes);
  if (length == 0 || payload::parse_layers_allocation({bytes, length}) != read) std::abort();
  return 0;
}

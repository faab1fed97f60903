#include "wire/payload/vp9.h"

#include <cstdlib>

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto descriptor = atm::payload::parse_vp9({data, size});
  if (descriptor && (descriptor->size == 0 || descriptor->size > size)) std::abort();
  return 0;
}

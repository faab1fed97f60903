#include <cstdlib>

#include "wire/payload/opus.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto toc = atm::payload::parse_opus_toc({data, size});
  if (toc && (toc->duration() < 120 || toc->duration() > 5'760)) std::abort();
  return 0;
}

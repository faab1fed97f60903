#include "wire/container/wav.h"

#include <cstdlib>

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace atm;
  auto reader = container::WavReader::open({data, size});
  if (!reader) return 0;
  int16_t samples[64];
  size_t read = 0;
  while (const size_t count = reader->read(samples)) read += count;
  if (read != reader->samples() * reader->format().channels) std::abort();
  return 0;
}

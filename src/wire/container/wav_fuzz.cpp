#include "wire/container/wav.h"

#include <algorithm>
#include <cstdlib>

// What is read and written again has the same samples.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace atm;
  auto reader = container::WavReader::open({data, size});
  if (!reader) return 0;
  container::WavWriter writer(reader->format());
  Bytes file;
  writer.begin(file);
  int16_t samples[64];
  size_t read = 0;
  while (const size_t count = reader->read(samples)) {
    writer.write({samples, count}, file);
    read += count;
  }
  if (read != reader->samples() * reader->format().channels) std::abort();
  const auto header = writer.final_header();
  std::copy(header.begin(), header.end(), file.begin());
  const auto again = container::WavReader::open(file);
  if (!again || again->samples() != reader->samples()) std::abort();
  return 0;
}

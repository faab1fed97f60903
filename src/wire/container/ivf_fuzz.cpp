#include "wire/container/ivf.h"

#include <cstdlib>

// Whatever is read is read again from what is written of it.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace atm;
  using namespace atm::container;
  auto reader = IvfReader::open({data, size});
  if (!reader) return 0;
  IvfWriter writer(reader->header());
  Bytes out;
  writer.begin(out);
  size_t frames = 0;
  for (auto frame = reader->next(); frame && *frame; frame = reader->next()) {
    writer.write((*frame)->timestamp, (*frame)->bytes, out);
    ++frames;
  }
  auto again = IvfReader::open(out);
  if (!again) std::abort();
  for (; frames > 0; --frames) {
    const auto frame = again->next();
    if (!frame || !*frame) std::abort();
  }
  return 0;
}

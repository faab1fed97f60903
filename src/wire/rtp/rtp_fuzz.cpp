#include <cstdlib>
#include <vector>

#include "wire/rtp/packet.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace atm;
  std::vector<uint8_t> packet(data, data + size);
  rtp::classify(packet);
  const auto view = rtp::parse(packet);
  if (!view) return 0;
  if (view->header_size != rtp::header_length(packet)) std::abort();
  if (view->header_size + view->payload.size() + view->padding_size != size) std::abort();
  size_t elements = 0;
  rtp::for_each_extension(*view, [&](uint8_t id, ByteView value) {
    if (id == 0 || value.data() < packet.data() || value.data() + value.size() > packet.data() + size) std::abort();
    elements += value.size();
  });
  if (elements > view->extension.size()) std::abort();
  return 0;
}

#include <cstdlib>

#include "wire/payload/h264.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace atm;
  const auto packet = payload::parse_h264({data, size});
  if (packet && !packet->sps.empty()) {
    if (packet->sps.data() < data || packet->sps.data() + packet->sps.size() > data + size) std::abort();
    payload::parse_h264_sps(packet->sps);
  }
  const auto sps = payload::parse_h264_sps({data, size});
  if (sps && (sps->width > payload::kMaxH264Side || sps->height > payload::kMaxH264Side)) std::abort();
  return 0;
}

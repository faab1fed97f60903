// Packets of one stream: a codec, then for each packet the lengths of its payload and descriptor in front of them.
#include <algorithm>
#include <cstdlib>

#include "wire/payload/frame_info.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace atm;
  Reader reader({data, size});
  const Codec codec = static_cast<Codec>(reader.u8() % 5);
  payload::FrameStructure structure;
  while (reader.ok() && reader.left() > 1) {
    const size_t body = reader.u8(), extension = reader.u8();
    const ByteView payload = reader.take(std::min(body, reader.left()));
    const ByteView descriptor = reader.take(std::min(extension, reader.left()));
    const auto info = payload::read_frame_info(codec, payload, body % 2 == 0, descriptor, structure);
    if (info.spatial_layer >= payload::kSpatialLayers || info.temporal_layer >= payload::kTemporalLayers) std::abort();
    if (info.top_spatial_layer >= payload::kSpatialLayers || info.reference_count > payload::kMaxReferences)
      std::abort();
    const auto patch = payload::patch_picture_ids(info, payload, 0x5A5A, 0xA5);
    if (patch.size > patch.bytes.size() || size_t{patch.at} + patch.size > payload.size()) std::abort();
    if (patch.size == 0) continue;
    // With its new ids it is the same packet.
    Bytes changed(payload.begin(), payload.end());
    std::copy_n(patch.bytes.begin(), patch.size, changed.begin() + patch.at);
    payload::FrameStructure again = structure;
    const auto read = payload::read_frame_info(codec, changed, body % 2 == 0, {}, again);
    if (read.picture_id_at != info.picture_id_at || read.tl0_picture_index_at != info.tl0_picture_index_at)
      std::abort();
    const int mask = info.picture_id_is_long ? 0x7FFF : 0x7F;
    if (info.picture_id_at != 0 && read.picture_id != (0x5A5A & mask)) std::abort();
  }
  return 0;
}

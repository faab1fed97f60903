// The video-layers-allocation header extension (webrtc.org/experiments/rtp-hdrext/video-layers-allocation00): which
// layers a publisher sends now and at which bitrates it aims. Chromium sends it with key frames and when it changes.
// For media/sender, which gives the bitrates to media/share; the writer is for tests. parse gives nothing for what is
// cut off or contradicts itself, and never reads outside the value. What it says is a hint: nothing depends on its
// truth.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "base/bytes.h"

namespace atm::payload {

// The fields for these numbers have two bits each.
inline constexpr size_t kAllocationStreams = 4;
inline constexpr size_t kAllocationSpatial = 4;
inline constexpr size_t kAllocationTemporal = 4;

struct LayersAllocation {
  struct SpatialLayer {
    uint8_t temporal_layers = 0;  // 0: it is not sent
    // By temporal layer, all that is needed to receive it: lower temporal layers, and in SVC lower spatial ones,
    // included.
    std::array<uint32_t, kAllocationTemporal> kbps{};
    // Only with has_resolutions.
    uint32_t width = 0, height = 0;
    uint8_t max_frame_rate = 0;
    bool operator==(const SpatialLayer&) const = default;
  };

  uint8_t stream_index = 0;  // of the RTP stream that this packet is of
  uint8_t streams = 0;       // simulcast: several; 0: nothing is sent at all
  bool has_resolutions = false;
  std::array<std::array<SpatialLayer, kAllocationSpatial>, kAllocationStreams> layers{};
  bool operator==(const LayersAllocation&) const = default;
};

std::optional<LayersAllocation> parse_layers_allocation(ByteView value);

// Bytes written; 0 when `out` is too small or the allocation cannot be said.
size_t write_layers_allocation(const LayersAllocation& allocation, MutByteView out);

}  // namespace atm::payload

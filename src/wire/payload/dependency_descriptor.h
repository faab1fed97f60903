// The dependency descriptor header extension (AV1 RTP specification, appendix A): which frame a packet belongs to, what
// it depends on, and which layers exist, told in the clear for any codec and any encryption. For media/sender and
// media/forward. parse gives nothing for what is cut off, over a limit, or names a template that is not there; it never
// reads outside the value. The structure comes with key frames and has to be kept by the caller. The writer is for
// publishers of our own: simulated clients and tests. What a viewer gets is written by carried_descriptor.h.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "base/bytes.h"

namespace atm::payload {

inline constexpr size_t kMaxDependencyTemplates = 64;   // A.8.3: six bits of template id
inline constexpr size_t kMaxDecodeTargets = 32;         // A.8.3: five bits
inline constexpr size_t kMaxDependencyChains = 32;      // A.8.3: as many as decode targets
inline constexpr size_t kMaxFrameDifferences = 8;       // of one frame: as many as a decoder has reference buffers
inline constexpr size_t kDependencyDescriptorSize = 3;  // without its extended part
// A.8.4: every template, and every frame, says for each decode target whether it is needed.
enum class DecodeTargetIndication : uint8_t { kNotPresent, kDiscardable, kSwitch, kRequired };

struct FrameDependencies {
  uint8_t spatial_layer = 0, temporal_layer = 0;
  std::array<DecodeTargetIndication, kMaxDecodeTargets> indications{};
  uint8_t difference_count = 0;
  std::array<uint16_t, kMaxFrameDifferences> differences{};  // frames back that this one refers to
  std::array<uint8_t, kMaxDependencyChains> chain_differences{};
  bool operator==(const FrameDependencies&) const = default;
};

struct DependencyStructure {
  uint8_t template_id_offset = 0;
  uint8_t decode_targets = 0;
  uint8_t chains = 0;
  uint8_t template_count = 0;
  uint8_t max_spatial_layer = 0, max_temporal_layer = 0;
  std::array<FrameDependencies, kMaxDependencyTemplates> templates;
  std::array<uint8_t, kMaxDecodeTargets> protected_by{};  // the chain of each decode target
  bool has_resolutions = false;
  struct Resolution {
    uint32_t width = 0, height = 0;
  };
  std::array<Resolution, 4> resolutions{};  // by spatial layer
};
inline constexpr size_t kMaxDependencySpatialLayers = 4;  // AV1 has no more

struct DependencyDescriptor {
  bool starts_frame = false, ends_frame = false;
  uint8_t template_id = 0;
  uint16_t frame_number = 0;
  bool has_structure = false;  // only the first packet of a key frame has one (A.8.2)
  bool has_extension = false;  // more than the three mandatory bytes
  std::optional<uint32_t> active_decode_targets;
  bool has_bitmask = false;  // they were said, not only implied by a structure
  uint16_t bitmask_at = 0;   // where in the value, in bits, their bitmask lies or would lie
  FrameDependencies frame;   // of this frame: its template, with what it says of its own
};

// The three mandatory bytes and whether a structure follows: all that a forwarder needs that picks no layers.
struct DependencyHead {
  bool starts_frame = false, ends_frame = false;
  uint8_t template_id = 0;
  uint16_t frame_number = 0;
  bool has_structure = false;
};
std::optional<DependencyHead> parse_dependency_head(ByteView value);

// All of it. `structure`: the last one of this stream; replaced when the value brings one and is sound. Nothing when
// it has none of its own and `structure` is empty.
std::optional<DependencyDescriptor> parse_dependency_descriptor(ByteView value,
                                                                std::optional<DependencyStructure>& structure);

// The template of a frame: one that says all of it, else one of its layer. Nothing when no template is of its layer.
std::optional<uint8_t> find_dependency_template(const DependencyStructure& structure, const FrameDependencies& frame);
// With the structure where has_structure says so, and in the extended part what the frame's template does not say.
// Bytes written; 0 when `out` is too small or it cannot be said: no such template, another layer than the template's,
// templates that do not go up layer by layer, differences that are too large. What the parser found out about the
// extended part is not looked at.
size_t write_dependency_descriptor(const DependencyDescriptor& descriptor, const DependencyStructure& structure,
                                   MutByteView out);

}  // namespace atm::payload

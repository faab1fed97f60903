// A dependency descriptor on its way from a publisher to viewers: the value as it came and what it takes to write it
// for each of them. Made once for each packet, where it comes in (media/sender); written where a packet goes out
// (core/peer), also when it goes out again. It lies behind the payload in the packet's buffer (PacketRef::trailer), so
// that nothing is allocated and nothing is parsed for a viewer.
// A viewer gets other frame numbers, which go on over a switch of source, and the bitmask of those active decode
// targets that it gets all frames of (AV1 RTP specification A.8.2: who leaves layers out says so).
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/bytes.h"
#include "wire/payload/frame_info.h"

namespace atm::payload {

// The two-byte form of header extensions has no longer values (RFC 8285 4.3).
inline constexpr size_t kMaxWrittenDescriptor = 255;
// What writing may add: five flags, and a bit for each decode target.
inline constexpr size_t kDescriptorGrowth = 5;
// Chromium's longest, of L3T3_KEY with its structure, has about 100 bytes.
inline constexpr size_t kMaxCarriedDescriptor = 250;
static_assert(kMaxCarriedDescriptor + kDescriptorGrowth <= kMaxWrittenDescriptor);
// With five bytes in front, four for the active decode targets and as many for each target of a viewer.
inline constexpr size_t kMaxCarriedSize = 387;
static_assert(kMaxCarriedSize == 5 + 4 + 4 * kSpatialLayers * kTemporalLayers + kMaxCarriedDescriptor);

// What is different for a viewer.
struct DescriptorPatch {
  uint16_t frame_number = 0;
  uint8_t target = 0;    // that the viewer has, as the number of its bit (target_bit)
  bool is_set = false;   // else the packet goes without
  bool is_said = false;  // which decode targets the viewer gets, although it is all of them
};

// `structure`: as read_frame_info left it. Bytes written; 0 when `value` is no descriptor, or longer than
// kMaxCarriedDescriptor.
size_t carry_descriptor(ByteView value, const FrameStructure& structure, MutByteView out);

// The value for a viewer, at most kMaxWrittenDescriptor bytes. 0 when `carried` is nothing that carry_descriptor wrote,
// or `out` is too small.
size_t write_carried_descriptor(ByteView carried, const DescriptorPatch& patch, MutByteView out);

}  // namespace atm::payload

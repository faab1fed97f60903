// RTP header extensions (RFC 8285) that this project knows, and the map between them and one m-line's or session's ids.
// Filled by core/negotiation from a=extmap, read by the RTP view and writer. What is done with each extension
// (terminate, restamp, forward) is docs/policies.md.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

namespace atm::rtp {

enum class Extension : uint8_t {
  kAudioLevel,            // RFC 6464
  kMid,                   // RFC 9143 15
  kRid,                   // RFC 8852
  kRepairedRid,           // RFC 8852
  kAbsSendTime,           // webrtc.org abs-send-time
  kTransportCc,           // draft-holmer-rmcat-transport-wide-cc-extensions-01
  kVideoOrientation,      // 3GPP TS 26.114 7.4.5
  kPlayoutDelay,          // webrtc.org playout-delay
  kVideoContentType,      // webrtc.org video-content-type
  kVideoTiming,           // webrtc.org video-timing
  kColorSpace,            // webrtc.org color-space
  kTransmissionOffset,    // RFC 5450
  kDependencyDescriptor,  // AV1 RTP specification, appendix A
  kLayersAllocation,      // webrtc.org video-layers-allocation00
};
inline constexpr size_t kExtensionCount = 14;

// The URI of a=extmap.
std::string_view uri_of(Extension extension);
std::optional<Extension> parse_extension_uri(std::string_view uri);

// id <-> extension. Ids 1 to 14 fit the one-byte form, 15 is reserved, 16 to 255 need the two-byte form (RFC
// 8285 4.2, 4.3).
class ExtensionMap {
 public:
  // False (and no change) for id 0, 15 or an id that is taken by another extension.
  bool set(uint8_t id, Extension extension) {
    if (id == 0 || id == 15 || (by_id_[id] != 0 && by_id_[id] != static_cast<uint8_t>(extension) + 1)) return false;
    if (const uint8_t old = ids_[static_cast<size_t>(extension)]; old != 0) by_id_[old] = 0;
    by_id_[id] = static_cast<uint8_t>(extension) + 1;
    ids_[static_cast<size_t>(extension)] = id;
    return true;
  }
  // 0 when it was not negotiated.
  uint8_t id_of(Extension extension) const { return ids_[static_cast<size_t>(extension)]; }
  bool has(Extension extension) const { return id_of(extension) != 0; }
  std::optional<Extension> at(uint8_t id) const {
    if (by_id_[id] == 0) return std::nullopt;
    return static_cast<Extension>(by_id_[id] - 1);
  }

 private:
  std::array<uint8_t, kExtensionCount> ids_{};
  std::array<uint8_t, 256> by_id_{};
};

}  // namespace atm::rtp

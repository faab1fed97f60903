// How much each layer of a published video stream brings now, measured from its packets, and from that what a viewer of
// a layer would get. One per published video stream, fed where its packets come in (media/sender), read by the sharing
// of a session's bandwidth (share.h). Promises: a key frame is no rate, a layer that stops fades within a second and is
// gone after kSilence, no allocation. Does not parse: spatial and temporal layer are told. Rates are bits per second.
#pragma once

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "base/time.h"

namespace atm::share {

// As many as AV1 and video-layers-allocation have; a packet of a higher layer counts as one of the highest.
inline constexpr size_t kSpatialLayers = 4;
inline constexpr size_t kTemporalLayers = 4;

// Spatial is the simulcast layer, too. In the order of quality: resolution before frame rate.
struct Layer {
  uint8_t spatial = 0, temporal = 0;
  auto operator<=>(const Layer&) const = default;
};

// How the spatial layers of a stream stand on each other.
enum class Scaling : uint8_t {
  kIndependent,  // one layer, or simulcast: a viewer gets one spatial layer
  kFullSvc,      // a viewer gets all spatial layers under its own too
  kKeySvc,       // those under it with key frames only (L3T3_KEY): between them its own alone
};

// What a viewer of a layer gets, by [spatial][temporal]; 0: the layer is not there.
struct RateTable {
  std::array<std::array<uint64_t, kTemporalLayers>, kSpatialLayers> bps{};

  uint64_t at(Layer layer) const { return bps[layer.spatial][layer.temporal]; }
  bool operator==(const RateTable&) const = default;
};

class LayerRates {
 public:
  static constexpr Duration kSlot = 100ms;
  static constexpr size_t kSlots = 10;  // a window of one second: several frames of the slowest temporal layer
  // A slot counts as at most so many times the mean of the others that are not empty: the excess of a key frame is paid
  // back by the encoder within the next seconds.
  static constexpr uint64_t kSpike = 2;
  // The rate moves by this part of the way to the window's with every slot, so over about half a second.
  static constexpr int64_t kSmoothing = 4;
  // A layer without packets for so long is not there. A still screen is sent once a second by libwebrtc.
  static constexpr Duration kSilence = 2s;

  // A media packet of the layer, without padding and repair. Layers over the highest count as the highest.
  void on_packet(Instant now, size_t spatial, size_t temporal, size_t bytes);

  // What the publisher says that it aims at (video-layers-allocation), as a viewer would get it. Counts only for layers
  // that bring packets and have done so for less than a window; never needed.
  void set_targets(const RateTable& targets) { targets_ = targets; }

  // What viewers would get now. A table of a moment ago is not changed by what came in the slot that is still open.
  RateTable table(Instant now, Scaling scaling);

  // When the first packet of a layer came that has not been silent since; nothing: the layer is not there.
  std::optional<Instant> alive_since(Instant now, Layer layer) const;
  // What the layer brings by itself.
  uint64_t own_bps(Instant now, Layer layer);

  void reset() { *this = LayerRates(); }

 private:
  struct Measured {
    std::array<uint32_t, kSlots> slots{};  // bytes
    uint64_t bps = 0;
    bool heard = false;
    Instant first{}, last{};
  };

  void advance(Instant now);
  void close_slot(Measured& layer, Instant end);
  bool is_alive(const Measured& layer, Instant now) const { return layer.heard && now - layer.last < kSilence; }

  std::array<std::array<Measured, kTemporalLayers>, kSpatialLayers> layers_{};
  RateTable targets_;
  bool started_ = false;
  Instant slot_start_{};
  size_t slot_ = 0;
};

}  // namespace atm::share

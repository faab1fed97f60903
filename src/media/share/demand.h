// What the viewers of a stream can use of it. Each is asked for its own part by media/room where it is connected; the
// sum of them goes to the publisher's session (publisher_limit.h), from other slices of the room with their views.
// Promises: never less than what a viewer gets now, the most of all viewers and never the least. Does not hold falls
// back. Rates are bits per second.
#pragma once

#include <cstdint>
#include <optional>

#include "contract/session.h"
#include "media/share/layer_rates.h"

namespace atm::share {

// More than any client has: a viewer that neither its limits nor its way keep from anything wants this.
inline constexpr uint64_t kAnyBps = 10'000'000'000;
// A viewer that does not get the highest simulcast layer leaves room for those under it to grow: what they bring now,
// so many times, so that a stream that has just been idle does not stay as small as it is.
inline constexpr uint64_t kRoomToGrow = 2;
// Changes under so many percent are not told.
inline constexpr uint64_t kWorthTellingPercent = 5;

// The layers of a stream, one bit for each spatial or simulcast layer.
inline constexpr uint8_t kAllLayers = (1 << kSpatialLayers) - 1;
// Every layer up to `highest`.
inline constexpr uint8_t layers_up_to(uint32_t highest) {
  return highest >= kSpatialLayers ? kAllLayers : static_cast<uint8_t>((2u << highest) - 1);
}

bool is_worth_telling(uint64_t before, uint64_t after);

// What viewers want of one stream: begun anew each time that it is asked for, viewer by viewer.
struct Demand {
  uint32_t viewers = 0;
  uint64_t most_bps = 0;  // that the publisher has to send for one of them to get what it can use
  uint8_t layers = 0;     // that one of them gets, or would get with more
  uint64_t way_bps = 0;   // as most_bps, but for `layers`: where the publisher turns the others off by itself

  void add_viewer(uint64_t can_use_bps, uint8_t its_layers) { add({1, can_use_bps, its_layers, can_use_bps}); }
  void add(const Demand& others);
  // More than `known` in a way that cannot wait: the first viewer, another layer, or clearly more.
  bool rises_above(const Demand& known) const;
  bool operator==(const Demand&) const = default;
};

// A video stream as its viewers see it.
struct Offered {
  RateTable rates;              // what viewers of each layer get now
  size_t simulcast_layers = 1;  // SSRCs of one picture
};

// Of one viewer. `room_bps`: what its way has room for beside its other streams; nothing: there is no estimate.
Demand demand_of_viewer(const contract::ReceiverLimit& limit, std::optional<uint64_t> room_bps, const Offered& offered);

}  // namespace atm::share

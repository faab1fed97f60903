#include "media/share/demand.h"

#include <algorithm>

namespace atm::share {
namespace {

// What a simulcast layer brings with all its temporal layers.
uint64_t whole_layer(const RateTable& rates, size_t spatial) {
  return *std::max_element(rates.bps[spatial].begin(), rates.bps[spatial].end());
}

}  // namespace

bool is_worth_telling(uint64_t before, uint64_t after) {
  const uint64_t difference = before < after ? after - before : before - after;
  return difference != 0 && (before == 0 || after == 0 || difference >= before / 100 * kWorthTellingPercent);
}

void Demand::add(const Demand& others) {
  viewers += others.viewers;
  most_bps = std::max(most_bps, others.most_bps);
  layers |= others.layers;
  way_bps = std::max(way_bps, others.way_bps);
}

bool Demand::rises_above(const Demand& known) const {
  const auto rises = [](uint64_t before, uint64_t after) { return after > before && is_worth_telling(before, after); };
  if (viewers > 0 && known.viewers == 0) return true;
  return (layers & ~known.layers) != 0 || rises(known.most_bps, most_bps) || rises(known.way_bps, way_bps);
}

Demand demand_of_viewer(const contract::ReceiverLimit& limit, std::optional<uint64_t> room_bps,
                        const Offered& offered) {
  const size_t count = std::clamp<size_t>(offered.simulcast_layers, 1, kSpatialLayers);
  const bool has_simulcast = count > 1;
  const size_t top = has_simulcast ? std::min<size_t>(limit.max_spatial, count - 1) : 0;
  // Publishers fill lower layers first (as libwebrtc's SimulcastRateAllocator): they have to be paid for, too.
  uint64_t below = 0;
  for (size_t s = 0; has_simulcast && s < top; ++s) below += whole_layer(offered.rates, s);
  const uint64_t by_way = room_bps ? std::min(*room_bps + below, kAnyBps) : kAnyBps;
  uint64_t can_use = by_way;
  // Layers of SVC and temporal ones are left to its publisher: what the highest there is costs is not known while it is
  // not sent.
  if (has_simulcast && top + 1 < count) {
    const uint64_t own = whole_layer(offered.rates, top);
    if (own > 0) can_use = std::min(can_use, (below + own) * kRoomToGrow);
  }
  uint8_t layers = layers_up_to(limit.max_spatial);
  if (has_simulcast) layers &= layers_up_to(static_cast<uint32_t>(count - 1));
  return {1, can_use, layers, by_way};
}

}  // namespace atm::share

#include "media/share/layer_rates.h"

#include <algorithm>

namespace atm::share {

namespace {

// Bytes of the slots, the fullest one cut down to kSpike times the mean of the others.
uint64_t sum_without_spike(const std::array<uint32_t, LayerRates::kSlots>& slots) {
  uint64_t sum = 0, highest = 0, filled = 0;
  for (const uint32_t bytes : slots) {
    sum += bytes;
    highest = std::max<uint64_t>(highest, bytes);
    filled += bytes > 0;
  }
  if (filled < 2) return sum;
  const uint64_t others = sum - highest;
  return others + std::min(highest, LayerRates::kSpike * others / (filled - 1));
}

}  // namespace

void LayerRates::on_packet(Instant now, size_t spatial, size_t temporal, size_t bytes) {
  advance(now);
  Measured& layer = layers_[std::min(spatial, kSpatialLayers - 1)][std::min(temporal, kTemporalLayers - 1)];
  if (!is_alive(layer, now)) layer = {.heard = true, .first = now};
  layer.last = now;
  layer.slots[slot_] += static_cast<uint32_t>(std::min<size_t>(bytes, UINT16_MAX));
}

void LayerRates::close_slot(Measured& layer, Instant end) {
  if (!layer.heard) return;
  const uint64_t bytes = sum_without_spike(layer.slots);
  const Duration window = kSlot * kSlots;
  const Duration age = end - layer.first;
  // A young layer has filled a part of the window only; the key frame that it begins with is not taken for its rate.
  const auto filled_us = static_cast<uint64_t>(to_us(std::clamp(age, window / 2, window)));
  const uint64_t sample = bytes * 8 * 1'000'000 / filled_us;
  if (age <= window) {
    layer.bps = sample;
  } else {
    const int64_t step = (static_cast<int64_t>(sample) - static_cast<int64_t>(layer.bps)) / kSmoothing;
    layer.bps = static_cast<uint64_t>(static_cast<int64_t>(layer.bps) + step);
  }
}

void LayerRates::advance(Instant now) {
  if (!started_) {
    started_ = true;
    slot_start_ = now;
  }
  const Duration behind = now - slot_start_;
  if (behind < kSlot) return;
  if (behind >= kSilence + kSlot * kSlots) {  // nothing of what was there is there still
    for (auto& spatial : layers_) spatial.fill({});
    slot_start_ = now;
    return;
  }
  while (now - slot_start_ >= kSlot) {
    slot_start_ += kSlot;
    const size_t next = (slot_ + 1) % kSlots;
    for (auto& spatial : layers_) {
      for (Measured& layer : spatial) {
        close_slot(layer, slot_start_);
        layer.slots[next] = 0;
      }
    }
    slot_ = next;
  }
}

uint64_t LayerRates::own_bps(Instant now, Layer layer) {
  advance(now);
  const Measured& measured = layers_[layer.spatial][layer.temporal];
  return is_alive(measured, now) ? measured.bps : 0;
}

RateTable LayerRates::table(Instant now, Scaling scaling) {
  advance(now);
  RateTable out;
  for (size_t s = 0; s < kSpatialLayers; ++s) {
    uint64_t own = 0;
    for (size_t t = 0; t < kTemporalLayers; ++t) {
      const Measured& layer = layers_[s][t];
      if (!is_alive(layer, now)) continue;
      own += layer.bps;
      uint64_t bps = own;
      if (scaling == Scaling::kFullSvc) {
        for (size_t below = 0; below < s; ++below) {
          for (size_t u = 0; u <= t; ++u) bps += is_alive(layers_[below][u], now) ? layers_[below][u].bps : 0;
        }
      }
      const bool is_young = now - layer.first < kSlot * kSlots;
      if (is_young) bps = std::max(bps, targets_.bps[s][t]);
      // Its first slot is still open, and nobody has said what it costs: whoever took it would do so blindly.
      if (is_young && layer.bps == 0 && targets_.bps[s][t] == 0) continue;
      out.bps[s][t] = std::max<uint64_t>(bps, 1);  // never free, or it would look as if it were not there
    }
  }
  return out;
}

std::optional<Instant> LayerRates::alive_since(Instant now, Layer layer) const {
  const Measured& measured = layers_[layer.spatial][layer.temporal];
  if (!is_alive(measured, now)) return std::nullopt;
  return measured.first;
}

}  // namespace atm::share

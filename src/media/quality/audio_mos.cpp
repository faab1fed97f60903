#include "media/quality/audio_mos.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "media/quality/curve.h"

namespace atm::quality {

namespace {

constexpr std::array<Point, 7> kOpusIe = {
    {{6'000, 14}, {8'000, 10}, {12'000, 6}, {16'000, 4}, {24'000, 1.5}, {32'000, 0}, {510'000, 0}}};
constexpr double kUnknownIe = 1.5;  // browsers: 24 to 40 kbit/s

}  // namespace

double effective_impairment(double ie, double loss_percent, double burst_ratio, double bpl) {
  if (loss_percent <= 0) return ie;
  return ie + (95 - ie) * loss_percent / (loss_percent / burst_ratio + bpl);
}

double delay_impairment(Duration one_way) {
  const double ms = static_cast<double>(to_us(one_way)) / 1'000;
  if (ms <= 100) return 0;
  const double x = std::log2(ms / 100);
  const auto root = [](double value) { return std::pow(1 + std::pow(value, 6), 1.0 / 6); };
  return 25 * (root(x) - 3 * root(x / 3) + 2);
}

double opus_impairment(uint32_t bitrate_bps) {
  return bitrate_bps == 0 ? kUnknownIe : value_at(kOpusIe, bitrate_bps);
}

double burst_ratio(double mean_burst, double loss) {
  // Random loss of rate p has bursts of 1 / (1 - p) packets in the mean.
  return std::max(1.0, mean_burst * (1 - std::clamp(loss, 0.0, 1.0)));
}

double rate_audio(const AudioInput& input) {
  const double loss = std::clamp(input.loss, 0.0, 1.0);
  const Duration one_way = input.round_trip / 2 + input.jitter_buffer + kCodecDelay;
  const double impairment =
      effective_impairment(opus_impairment(input.bitrate_bps), loss * 100, burst_ratio(input.mean_burst, loss),
                           input.has_fec ? kOpusFecBpl : kOpusBpl);
  return std::clamp(kDefaultR - delay_impairment(one_way) - impairment, 0.0, kDefaultR);
}

uint32_t mos_of_rating(double r) {
  r = std::clamp(r, 0.0, 100.0);
  const double mos = 1 + 0.035 * r + r * (r - 60) * (100 - r) * 7e-6;
  return static_cast<uint32_t>(std::lround(std::clamp(mos, 1.0, 4.5) * 1'000));  // just over 0 the polynomial dips
}

}  // namespace atm::quality

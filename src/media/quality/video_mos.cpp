#include "media/quality/video_mos.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "media/quality/curve.h"

namespace atm::quality {

namespace {

// x: log2 of the bits of H264 for each pixel of a frame. 0.1 bit is what browsers spend on 720p at 2.5 Mbit/s.
constexpr std::array<Point, 8> kCodingLoss = {
    {{-8, 3.4}, {-7, 2.7}, {-6, 1.9}, {-5, 1.2}, {-4, 0.7}, {-3, 0.4}, {-2, 0.2}, {-1, 0.1}}};
// x: log2 of shown pixels for each coded one: 2 is half of the width and half of the height.
constexpr std::array<Point, 4> kUpscalingLoss = {{{0, 0}, {2, 0.7}, {4, 1.6}, {6, 2.4}}};
// x: frames a second.
constexpr std::array<Point, 6> kMotionLoss = {{{1, 2.4}, {4, 1.7}, {7.5, 1}, {15, 0.4}, {24, 0.05}, {30, 0}}};
// A picture that stands still for the whole window leaves little; every interruption annoys by itself.
constexpr double kFrozenWeight = 2.5;
constexpr double kFreezeWeight = 0.15;

double efficiency_of(Codec codec) {
  switch (codec) {
    case Codec::kVp9:
      return 1.4;
    case Codec::kAv1:
      return 1.7;
    case Codec::kVp8:
      return 0.9;
    default:
      return 1;
  }
}

}  // namespace

double coding_loss(const VideoInput& input) {
  const double pixels = static_cast<double>(input.width) * input.height * input.frame_rate;
  if (pixels <= 0) return 0;
  if (input.bitrate_bps == 0) return kCodingLoss.front().y;
  return value_at(kCodingLoss, std::log2(input.bitrate_bps * efficiency_of(input.codec) / pixels));
}

double upscaling_loss(const VideoInput& input) {
  const double pixels = static_cast<double>(input.width) * input.height;
  if (pixels <= 0 || input.shown_pixels == 0) return 0;
  return value_at(kUpscalingLoss, std::log2(input.shown_pixels / pixels));
}

double motion_loss(const VideoInput& input) {
  if (input.is_screen) return 0;
  return value_at(kMotionLoss, input.frame_rate);
}

double freeze_factor(const VideoInput& input) {
  if (input.window <= Duration::zero()) return 1;
  const double frozen =
      std::clamp(static_cast<double>(to_us(input.frozen)) / static_cast<double>(to_us(input.window)), 0.0, 1.0);
  return std::exp(-kFrozenWeight * frozen - kFreezeWeight * input.freezes);
}

uint32_t video_mos(const VideoInput& input) {
  if (input.frame_rate <= 0 && !input.is_screen) return 1'000;
  const double lost = coding_loss(input) + upscaling_loss(input) + motion_loss(input);
  const double mos = 1 + std::clamp(4 - lost, 0.0, 4.0) * freeze_factor(input);
  return static_cast<uint32_t>(std::lround(mos * 1'000));
}

}  // namespace atm::quality

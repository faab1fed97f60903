// A curve given by points, straight between them and level outside. For the tables of this module.
#pragma once

#include <array>
#include <cstddef>

namespace atm::quality {

struct Point {
  double x, y;
};

// `points` by growing x.
template <size_t kCount>
constexpr double value_at(const std::array<Point, kCount>& points, double x) {
  if (x <= points.front().x) return points.front().y;
  for (size_t i = 1; i < kCount; ++i) {
    if (x >= points[i].x) continue;
    const double part = (x - points[i - 1].x) / (points[i].x - points[i - 1].x);
    return points[i - 1].y + part * (points[i].y - points[i - 1].y);
  }
  return points.back().y;
}

}  // namespace atm::quality

// Loss by a viewer's receiver reports (RFC 3550 6.4.1), for as long as one says something: from one report to the next,
// however many of them have come. For media/receiver; one for each receiver.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>

namespace atm::quality {

class ReportedLoss {
 public:
  // The newest report, as often as one likes. True when it is another one than before.
  bool on_report(uint32_t highest_sequence, int32_t cumulative_lost, uint8_t fraction_lost) {
    if (last_ && last_->highest == highest_sequence) return false;
    const uint32_t expected = last_ ? highest_sequence - last_->highest : 0;
    if (last_ && expected < kTooFar) {
      const int64_t lost = int64_t{cumulative_lost} - last_->lost;
      loss_ = std::clamp(static_cast<double>(lost) / expected, 0.0, 1.0);
    } else {
      loss_ = fraction_lost / 256.0;  // the first one, or its counting began anew
    }
    last_ = Report{highest_sequence, cumulative_lost};
    return true;
  }
  // 0 to 1. Nothing before the first report.
  std::optional<double> loss() const { return last_ ? std::optional(loss_) : std::nullopt; }

 private:
  static constexpr uint32_t kTooFar = 0x1'0000;
  struct Report {
    uint32_t highest;
    int32_t lost;
  };
  std::optional<Report> last_;
  double loss_ = 0;
};

}  // namespace atm::quality

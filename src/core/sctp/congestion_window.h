// Congestion control of one path (RFC 9260 7.2): slow start, congestion avoidance, fast recovery, timeout, idleness.
// Used by DataSender, which tells it what was acknowledged and lost. Counts bytes of DATA chunks' payload.
// Does not know TSNs but for the one that ends a fast recovery.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "base/time.h"
#include "core/sctp/limits.h"

namespace atm::sctp {

class CongestionWindow {
 public:
  size_t bytes() const { return window_; }
  bool in_fast_recovery() const { return recovery_exit_.has_value(); }

  // `acked`: bytes that this SACK acknowledged for the first time; `flight_before` it.
  void on_ack(size_t acked, bool cumulative_advanced, size_t flight_before, bool nothing_left) {
    // RFC 9260 7.2.1, 7.2.2: only a window that was used in full grows. A last piece below a packet counts as full.
    const bool was_full = flight_before + kPacketBytes > window_;
    if (window_ <= slow_start_threshold_) {
      if (cumulative_advanced && was_full && !in_fast_recovery()) window_ += std::min(acked, kPacketBytes);
    } else {
      partial_ += acked;
      if (partial_ >= window_ && was_full && !in_fast_recovery()) {
        partial_ -= window_;
        window_ += kPacketBytes;
      }
    }
    if (nothing_left) partial_ = 0;
  }
  // RFC 9260 7.2.4: entered once for all losses up to `highest_outstanding`. True when this one entered it.
  bool on_fast_retransmit(int64_t highest_outstanding) {
    if (in_fast_recovery()) return false;
    slow_start_threshold_ = std::max(window_ / 2, 4 * kPacketBytes);
    window_ = slow_start_threshold_;
    partial_ = 0;
    recovery_exit_ = highest_outstanding;
    return true;
  }
  void on_cumulative_tsn(int64_t tsn) {
    if (recovery_exit_ && tsn >= *recovery_exit_) recovery_exit_.reset();
  }
  // RFC 9260 7.2.3.
  void on_timeout() {
    slow_start_threshold_ = std::max(window_ / 2, 4 * kPacketBytes);
    window_ = kPacketBytes;
    partial_ = 0;
    recovery_exit_.reset();
  }
  // RFC 9260 7.2.1: what was not used for a while is not known to be free any more.
  void on_idle(Duration idle, Duration rto) {
    for (; idle >= rto && window_ > 4 * kPacketBytes; idle -= rto) window_ = std::max(window_ / 2, 4 * kPacketBytes);
  }

 private:
  static constexpr size_t kPacketBytes = kMaxPacketSize - 28;  // payload of one packet with one DATA chunk

  // RFC 9260 7.2.1: min(4 packets, max(2 packets, 4,404 bytes)).
  size_t window_ = std::min(4 * kPacketBytes, std::max<size_t>(2 * kPacketBytes, 4'404));
  size_t slow_start_threshold_ = size_t{1} << 30;  // "arbitrarily high"
  size_t partial_ = 0;
  std::optional<int64_t> recovery_exit_;
};

}  // namespace atm::sctp

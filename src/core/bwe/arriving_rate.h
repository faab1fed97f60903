// What came in the last moments, as it is: while a queue stands, that is what the way carries. For core/bwe/controller,
// beside AcknowledgedRate, which is slow to believe a sudden change.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "base/time.h"

namespace atm::bwe {

class ArrivingRate {
 public:
  // The packets of one feedback: when the first and the last came, all their bytes, and the first's.
  void add(Duration first, Duration last, size_t bytes, size_t first_bytes) {
    if (count_ > 0 && first < spans_[(next_ + kKept - 1) % kKept].last) return clear();  // out of order
    spans_[next_] = {first, last, bytes, first_bytes};
    next_ = (next_ + 1) % kKept;
    if (count_ < kKept) ++count_;
  }
  // Feedback is missing: what came meanwhile is not known.
  void clear() { count_ = 0; }
  // Of the last feedbacks that kEnough takes.
  std::optional<uint64_t> bps() const {
    size_t bytes = 0;
    for (size_t i = 1; i <= count_; ++i) {
      const Span& span = spans_[(next_ + kKept - i) % kKept];
      bytes += span.bytes;
      const Duration took = spans_[(next_ + kKept - 1) % kKept].last - span.first;
      if (took < kEnough) continue;
      return static_cast<uint64_t>(static_cast<double>(bytes - span.first_bytes) * 8e6 /
                                   static_cast<double>(took.count()));
    }
    return std::nullopt;
  }

 private:
  static constexpr Duration kEnough = 150ms;
  static constexpr size_t kKept = 4;
  struct Span {
    Duration first;
    Duration last;
    size_t bytes;
    size_t first_bytes;
  };
  std::array<Span, kKept> spans_{};
  size_t next_ = 0;
  size_t count_ = 0;
};

}  // namespace atm::bwe

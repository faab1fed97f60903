// What the packets of one probe say: the lower of the rates at which they went and came. For core/bwe/controller.
// As libwebrtc's ProbeBitrateEstimator; but of a long probe its second half counts, when that came slower: the first
// may have gone through the burst of a token bucket. The last few clusters are kept; older ones are forgotten.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "base/time.h"

namespace atm::bwe {

// A probe to be played: `min_packets` packets and `min_bytes` bytes at `bps`.
struct ProbeCluster {
  uint32_t id = 0;
  uint64_t bps = 0;
  size_t min_packets = 0;
  size_t min_bytes = 0;
};

class ProbeRate {
 public:
  void begin(const ProbeCluster& cluster);
  // A packet of that cluster arrived. The rate as far as enough packets are known to tell.
  std::optional<uint64_t> add(uint32_t cluster, Instant sent, Duration arrived, size_t bytes);

 private:
  struct Cluster {
    ProbeCluster asked;
    size_t packets = 0;
    size_t bytes = 0;
    Instant first_sent{};
    Instant last_sent{};
    size_t last_sent_bytes = 0;
    Duration first_arrived{};
    Duration last_arrived{};
    size_t first_arrived_bytes = 0;
    // From the packet on that fills the first half.
    Duration half_arrived{};
    size_t half_packets = 0;
    size_t half_bytes = 0;  // behind that packet
  };
  static std::optional<double> half_bps(const Cluster& cluster);
  std::array<Cluster, 8> clusters_{};
};

}  // namespace atm::bwe

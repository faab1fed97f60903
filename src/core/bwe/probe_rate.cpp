#include "core/bwe/probe_rate.h"

#include <algorithm>

namespace atm::bwe {
namespace {

constexpr double kEnough = 0.8;              // of what was asked for must have come
constexpr Duration kLongest = 1s;            // a cluster drawn out over more says nothing
constexpr double kMostFasterThanSent = 2.0;  // arrivals that much faster than sendings were held up and released
constexpr double kSaturated = 0.9;           // came slower than sent: the way's own rate was seen
constexpr double kOfSaturated = 0.95;        // and a little less than that is taken
constexpr size_t kLeastOfHalf = 8;           // packets; fewer say less than the jitter of one
constexpr double kBits = 8e6;                // bytes in a µs to bits in a second

}  // namespace

void ProbeRate::begin(const ProbeCluster& cluster) {
  clusters_[cluster.id % clusters_.size()] = {.asked = cluster};
}

std::optional<uint64_t> ProbeRate::add(uint32_t id, Instant sent, Duration arrived, size_t bytes) {
  Cluster& cluster = clusters_[id % clusters_.size()];
  if (cluster.asked.id != id) return std::nullopt;
  if (cluster.packets == 0 || sent < cluster.first_sent) cluster.first_sent = sent;
  if (cluster.packets == 0 || sent >= cluster.last_sent) {
    cluster.last_sent = sent;
    cluster.last_sent_bytes = bytes;
  }
  if (cluster.packets == 0 || arrived < cluster.first_arrived) {
    cluster.first_arrived = arrived;
    cluster.first_arrived_bytes = bytes;
  }
  if (cluster.packets == 0 || arrived > cluster.last_arrived) cluster.last_arrived = arrived;
  if (cluster.half_packets > 0) {
    ++cluster.half_packets;
    cluster.half_bytes += bytes;
  } else if (2 * (cluster.bytes + bytes) >= cluster.asked.min_bytes) {
    cluster.half_packets = 1;
    cluster.half_arrived = arrived;
  }
  ++cluster.packets;
  cluster.bytes += bytes;
  if (static_cast<double>(cluster.packets) < kEnough * static_cast<double>(cluster.asked.min_packets) ||
      static_cast<double>(cluster.bytes) < kEnough * static_cast<double>(cluster.asked.min_bytes)) {
    return std::nullopt;
  }
  const Duration send_time = cluster.last_sent - cluster.first_sent;
  const Duration receive_time = cluster.last_arrived - cluster.first_arrived;
  if (send_time <= Duration(0) || send_time > kLongest) return std::nullopt;
  if (receive_time <= Duration(0) || receive_time > kLongest) return std::nullopt;
  const double send_bps =
      static_cast<double>(cluster.bytes - cluster.last_sent_bytes) * kBits / static_cast<double>(send_time.count());
  double receive_bps = static_cast<double>(cluster.bytes - cluster.first_arrived_bytes) * kBits /
                       static_cast<double>(receive_time.count());
  if (receive_bps > kMostFasterThanSent * send_bps) return std::nullopt;
  receive_bps = std::min(receive_bps, half_bps(cluster).value_or(receive_bps));
  if (receive_bps < kSaturated * send_bps) return static_cast<uint64_t>(kOfSaturated * receive_bps);
  return static_cast<uint64_t>(std::min(send_bps, receive_bps));
}

std::optional<double> ProbeRate::half_bps(const Cluster& cluster) {
  const Duration took = cluster.last_arrived - cluster.half_arrived;
  if (cluster.half_packets < kLeastOfHalf || took <= Duration(0)) return std::nullopt;
  return static_cast<double>(cluster.half_bytes) * kBits / static_cast<double>(took.count());
}

}  // namespace atm::bwe

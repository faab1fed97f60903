// The two messages that tell a sender when each of its packets arrived: transport-wide congestion control feedback
// (draft-holmer-rmcat-transport-wide-cc-extensions-01 3.1) and the congestion control feedback of RFC 8888. For
// core/bwe. Reading fills a struct that the caller keeps, so nothing is allocated once it has grown; what is malformed
// gives false, and what was read until then is to be thrown away. Writing: CompoundWriter (writer.h).
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "base/bytes.h"
#include "base/time.h"

namespace atm::rtcp {

// Packets that one transport-wide message speaks of and that are read. Sixteen bits could say 65,535 in twenty bytes
// (a run-length chunk each 8,191): more than a second of the fastest stream is not believed, the message is refused.
inline constexpr size_t kMaxFeedbackPackets = 8'192;
// RFC 8888 3.1: packets in the block of one SSRC.
inline constexpr size_t kMaxCongestionReports = 16'384;

// 250 µs: the unit of receive deltas (3.1.5); 256 of them are the 64 ms of the reference time.
inline constexpr Duration kFeedbackTick = 250us;

// When a packet came: ticks of the receiver's clock, or that it has not come yet.
using ArrivalTick = std::optional<int64_t>;

struct PacketArrivals {
  uint16_t base_sequence = 0;        // of packets[0]; the others follow one by one
  uint8_t feedback_count = 0;        // of this message among its sender's
  int32_t reference_time = 0;        // 64 ms each, 24 bits signed: wraps every 12 days
  std::vector<Duration> since_base;  // of packets that came: behind reference_time; else kNotReceived
  static constexpr Duration kNotReceived = Duration::min();
};
// `body`: TransportFeedback::body of packet.h.
bool parse_transport_feedback(ByteView body, PacketArrivals& out);

// One packet in a block of RFC 8888.
struct CongestionReport {
  bool received = false;
  uint8_t ecn = 0;                 // RFC 3168: 0 not ECT, 1 ECT(1), 2 ECT(0), 3 CE
  std::optional<Duration> before;  // how long before the message's time it came; none: over 8 s, or not known
};
struct CongestionBlock {
  uint32_t ssrc = 0;
  uint16_t begin_sequence = 0;  // RTP sequence number of the first report
  ByteView reports;             // two bytes each, read with read_congestion_report()

  size_t size() const { return reports.size() / 2; }
  CongestionReport operator[](size_t i) const;
};
// Takes the next block off `blocks`, CongestionFeedback::blocks of packet.h. None: malformed or nothing left.
std::optional<CongestionBlock> take_congestion_block(ByteView& blocks);

}  // namespace atm::rtcp

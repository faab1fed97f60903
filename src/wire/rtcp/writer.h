// Writers of RTCP packets, appended to a Writer one after another to make a compound (RFC 3550 6.1: an SR or RR in
// front, SDES with the CNAME next; RFC 5506 lets feedback stand alone once it was negotiated). For core/peer.
// Each writes its packet whole or nothing and returns false, so a datagram can be filled until it is full.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "base/bytes.h"
#include "wire/rtcp/packet.h"
#include "wire/rtcp/transport_feedback.h"

namespace atm::rtcp {

inline constexpr size_t kMaxReportBlocks = 31;       // RFC 3550 6.4.1: five bits of count
inline constexpr size_t kMaxCnameSize = 255;         // RFC 3550 6.5: one byte of length
inline constexpr size_t kMaxWrittenPackets = 1'024;  // that one transport-wide feedback of ours speaks of
inline constexpr size_t kMaxDelays = 31;  // sub-blocks of a DLRR block that we write: as many as report blocks

class CompoundWriter {
 public:
  explicit CompoundWriter(MutByteView out) : out_(out) {}

  // At most kMaxReportBlocks blocks each; further ones go into more RRs.
  bool sender_report(const SenderInfo& sender, std::span<const ReportBlock> blocks = {});
  bool receiver_report(uint32_t ssrc, std::span<const ReportBlock> blocks = {});
  // SDES with one chunk; false for a cname over kMaxCnameSize.
  bool source_name(uint32_t ssrc, std::string_view cname);
  bool bye(std::span<const uint32_t> ssrcs);
  bool pli(uint32_t sender_ssrc, uint32_t media_ssrc);
  bool fir(uint32_t sender_ssrc, std::span<const FirEntry> entries);
  // `sequences` ascending (around the wrap). Returns how many of them were written: as many as there is room for;
  // call again with the rest and the next datagram.
  size_t nack(uint32_t sender_ssrc, uint32_t media_ssrc, std::span<const uint16_t> sequences);
  // Rounded down to an 18-bit mantissa. At most 255 SSRCs.
  bool remb(uint32_t sender_ssrc, uint64_t bitrate_bps, std::span<const uint32_t> ssrcs);
  // RFC 3611 4.4, 4.5: an extended report of one block. At least one delay, and at most kMaxDelays.
  bool reference_time(uint32_t sender_ssrc, uint64_t ntp);
  bool delays_since_last_rr(uint32_t sender_ssrc, std::span<const DelaySinceLastRr> delays);
  // Transport-wide feedback (transport_feedback.h): arrivals[i] is that of packet base_sequence + i. Returns how many
  // of them were told: as many as there is room for, at most kMaxWrittenPackets, and up to where two arrivals are over
  // 8 s apart; call again with the rest and another datagram. 0: no room, or none has arrived.
  size_t transport_feedback(uint32_t sender_ssrc, uint32_t media_ssrc, uint16_t base_sequence, uint8_t feedback_count,
                            std::span<const ArrivalTick> arrivals);
  // RFC 8888 3.1 with the block of one SSRC.
  bool congestion_feedback(uint32_t sender_ssrc, uint32_t media_ssrc, uint16_t begin_sequence,
                           std::span<const CongestionReport> reports, uint32_t report_time);

  size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  MutByteView written() const { return out_.first(size_); }
  void clear() { size_ = 0; }

 private:
  // Room for one packet of `body` bytes, its header written; an empty view when it does not fit.
  MutByteView begin(uint8_t type, size_t format, size_t body);

  MutByteView out_;
  size_t size_ = 0;
};

}  // namespace atm::rtcp

// RTCP (RFC 3550 6, RFC 4585, RFC 5104, RFC 5506, draft-alvestrand-rmcat-remb): a walk over a decrypted compound.
// For core/peer and core/stream. for_each_packet() checks the framing of the whole compound first and then visits each
// packet it can read; lists inside a packet are views that are decoded when walked, so nothing is copied or allocated.
// Unknown packets are visited as Other; a known packet with a broken body is left out and makes the result false.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <variant>

#include "base/bytes.h"

namespace atm::rtcp {

// Packet types (RFC 3550 12.1, RFC 4585 6.1, RFC 3611 2) and feedback formats (RFC 4585 6.2, 6.3, RFC 5104 4.3, REMB).
inline constexpr uint8_t kSenderReportType = 200;
inline constexpr uint8_t kReceiverReportType = 201;
inline constexpr uint8_t kSourceDescriptionType = 202;
inline constexpr uint8_t kByeType = 203;
inline constexpr uint8_t kTransportFeedbackType = 205;
inline constexpr uint8_t kPayloadFeedbackType = 206;
inline constexpr uint8_t kExtendedReportType = 207;
inline constexpr uint8_t kNackFormat = 1;
inline constexpr uint8_t kTransportCcFormat = 15;
inline constexpr uint8_t kCongestionFormat = 11;  // RFC 8888 3.1
inline constexpr uint8_t kPliFormat = 1;
inline constexpr uint8_t kFirFormat = 4;
inline constexpr uint8_t kApplicationFormat = 15;     // REMB lives here
inline constexpr uint8_t kReferenceTimeBlock = 4;     // RFC 3611 4.4
inline constexpr uint8_t kDelaySinceLastRrBlock = 5;  // RFC 3611 4.5

// Packets in one compound that are looked at; a datagram of 1,500 bytes holds 375 empty ones. More: refused.
inline constexpr size_t kMaxPackets = 64;

// RFC 3550 6.4.1
struct ReportBlock {
  uint32_t ssrc = 0;
  uint8_t fraction_lost = 0;         // of 256, since the last report
  int32_t cumulative_lost = 0;       // 24 bits signed; negative when there were duplicates
  uint32_t highest_sequence = 0;     // cycles in the upper half
  uint32_t jitter = 0;               // in timestamp units
  uint32_t last_sr = 0;              // middle 32 bits of the NTP time of the last SR; 0: none yet
  uint32_t delay_since_last_sr = 0;  // 1/65,536 s
};

// A list of fixed-size elements, decoded one by one when asked for.
template <typename Element, size_t kElementSize, Element (*decode)(const uint8_t*)>
class List {
 public:
  List() = default;
  explicit List(ByteView bytes) : bytes_(bytes.first(bytes.size() / kElementSize * kElementSize)) {}
  size_t size() const { return bytes_.size() / kElementSize; }
  bool empty() const { return bytes_.empty(); }
  Element operator[](size_t i) const { return decode(bytes_.subspan(i * kElementSize, kElementSize).data()); }

  class Iterator {
   public:
    explicit Iterator(const uint8_t* at) : at_(at) {}
    Element operator*() const { return decode(at_); }
    Iterator& operator++() {
      at_ += kElementSize;
      return *this;
    }
    bool operator==(const Iterator&) const = default;

   private:
    const uint8_t* at_;
  };
  Iterator begin() const { return Iterator(bytes_.data()); }
  Iterator end() const { return Iterator(bytes_.data() + bytes_.size()); }

 private:
  ByteView bytes_;
};

// RFC 5104 4.3.1.1
struct FirEntry {
  uint32_t ssrc = 0;
  uint8_t sequence = 0;  // of the command: a repeat of the last one is not a new request
};
// RFC 4585 6.2.1
struct NackItem {
  uint16_t packet_id = 0;
  uint16_t following_lost = 0;  // bit i: packet_id + i + 1
};

ReportBlock decode_report_block(const uint8_t* bytes);
FirEntry decode_fir_entry(const uint8_t* bytes);
NackItem decode_nack_item(const uint8_t* bytes);
inline uint32_t decode_ssrc(const uint8_t* bytes) {
  return load_u32(bytes);
}

using ReportBlocks = List<ReportBlock, 24, decode_report_block>;
using SsrcList = List<uint32_t, 4, decode_ssrc>;

struct SenderInfo {
  uint32_t ssrc = 0;
  uint64_t ntp = 0;  // base/time.h to_ntp()
  uint32_t rtp_timestamp = 0;
  uint32_t packets = 0;
  uint32_t octets = 0;  // of payload, without headers and padding
};
struct SenderReport {
  SenderInfo sender;
  ReportBlocks blocks;
};
struct ReceiverReport {
  uint32_t ssrc = 0;
  ReportBlocks blocks;
};
// One chunk's CNAME (RFC 3550 6.5.1); a packet with several chunks is visited once for each that has one.
struct SourceName {
  uint32_t ssrc = 0;
  std::string_view cname;
};
struct Bye {
  SsrcList ssrcs;
};
struct Pli {
  uint32_t sender_ssrc = 0;
  uint32_t media_ssrc = 0;
};
struct Fir {
  uint32_t sender_ssrc = 0;
  List<FirEntry, 8, decode_fir_entry> entries;
};
struct Nack {
  uint32_t sender_ssrc = 0;
  uint32_t media_ssrc = 0;
  List<NackItem, 4, decode_nack_item> items;

  // visit(uint16_t sequence) for each packet asked for, in the order given.
  template <typename Visit>
  void for_each_sequence(Visit&& visit) const {
    for (const NackItem item : items) {
      visit(item.packet_id);
      for (unsigned bit = 0; bit < 16; ++bit) {
        if (item.following_lost >> bit & 1) visit(static_cast<uint16_t>(item.packet_id + bit + 1));
      }
    }
  }
};
struct Remb {
  uint32_t sender_ssrc = 0;
  uint64_t bitrate_bps = 0;
  SsrcList ssrcs;
};
// draft-holmer-rmcat-transport-wide-cc-extensions-01 3.1; the body is read with transport_feedback.h.
struct TransportFeedback {
  uint32_t sender_ssrc = 0;
  uint32_t media_ssrc = 0;
  ByteView body;
};
// RFC 8888 3.1: blocks are taken one by one with take_congestion_block() of transport_feedback.h.
struct CongestionFeedback {
  uint32_t sender_ssrc = 0;
  ByteView blocks;
  uint32_t report_time = 0;  // middle 32 bits of the NTP time that the reports count back from
};
// RFC 3611 4.5: what a receiver of media sent as its time, and how long ago that was. A sender tells it back, which
// gives the round trip to one that sends nothing.
struct DelaySinceLastRr {
  uint32_t ssrc = 0;     // of the receiver that this is about
  uint32_t last_rr = 0;  // middle 32 bits of the NTP time in its last receiver reference time block; 0: none yet
  uint32_t delay = 0;    // 1/65,536 s
};
DelaySinceLastRr decode_delay_since_last_rr(const uint8_t* bytes);
using DelaysSinceLastRr = List<DelaySinceLastRr, 12, decode_delay_since_last_rr>;
// One block of an ExtendedReport: the two that are used (RFC 3611 4.4, 4.5), or one that is passed over.
struct ReferenceTime {
  uint64_t ntp = 0;
};
struct OtherBlock {
  uint8_t type = 0;
};
using ExtendedBlock = std::variant<OtherBlock, ReferenceTime, DelaysSinceLastRr>;
// RFC 3611; its blocks are taken one by one with take_extended_block().
struct ExtendedReport {
  uint32_t ssrc = 0;
  ByteView blocks;
};
struct Other {
  uint8_t type = 0;
  uint8_t format = 0;
};

using Packet = std::variant<Other, SenderReport, ReceiverReport, SourceName, Bye, Pli, Fir, Nack, Remb,
                            TransportFeedback, CongestionFeedback, ExtendedReport>;

// One packet of a compound before its body is looked at.
struct RawPacket {
  uint8_t type = 0;
  uint8_t format = 0;  // or count
  ByteView body;       // behind the four header bytes, padding removed
};

// Takes the next block off the front of an ExtendedReport's blocks. None when it is malformed or nothing is left. A
// block of a known type with another length than its own is an OtherBlock.
std::optional<ExtendedBlock> take_extended_block(ByteView& blocks);

// Takes the next packet off the front of `compound`. None when it is malformed or nothing is left.
std::optional<RawPacket> take_packet(ByteView& compound);
// True when the whole compound is well framed (RFC 3550 A.2, without its demand for an SR or RR in front: RFC 5506).
bool is_well_framed(ByteView compound);
// None for a broken body. SDES is not read here, but by take_source_name.
std::optional<Packet> read_packet(const RawPacket& raw);

// Takes the next chunk off the front of an SDES body; its cname is empty when it had none. None: malformed.
std::optional<SourceName> take_source_name(ByteView& body);

// visit(const Packet&) for each packet, so with std::visit or std::get_if. False when something was malformed: nothing
// was visited if it was the framing, the rest was if it was one packet's body.
template <typename Visit>
bool for_each_packet(ByteView compound, Visit&& visit) {
  if (!is_well_framed(compound)) return false;
  bool good = true;
  while (!compound.empty()) {
    const std::optional<RawPacket> raw = take_packet(compound);
    if (!raw) return false;
    if (raw->type == kSourceDescriptionType) {
      ByteView chunks = raw->body;
      for (unsigned i = 0; i < raw->format; ++i) {
        const std::optional<SourceName> name = take_source_name(chunks);
        if (!name) {
          good = false;
          break;
        }
        if (!name->cname.empty()) visit(Packet(*name));
      }
      continue;
    }
    if (const std::optional<Packet> packet = read_packet(*raw)) {
      visit(*packet);
    } else {
      good = false;
    }
  }
  return good;
}

}  // namespace atm::rtcp

// One RTP stream that we send to a remote: its media SSRC and, where negotiated, the RTX SSRC that repairs it
// (RFC 3550, RFC 4585, RFC 4588). For core/peer and media/receiver: numbers and timestamps are chosen by media/forward,
// this engine writes the packet, remembers it, answers NACKs from memory, and keeps the sender's side of RTCP.
// A packet is sent again inside RTX, which has sequence numbers of its own, or, where RTX was not negotiated, as the
// very bytes that went out: protecting one SRTP index twice with different bytes would give the key away (RFC
// 7714 9.1).
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>

#include "base/bytes.h"
#include "base/time.h"
#include "core/stream/remote_clock.h"
#include "core/stream/send_history.h"
#include "core/stream/sent_ciphertexts.h"
#include "core/stream/sent_packet.h"
#include "core/stream/sent_reports.h"
#include "wire/rtcp/packet.h"
#include "wire/rtp/header.h"

namespace atm::stream {

// 1.5 s of a 5 Mbit/s video. The ring of an audio or slow stream stays far smaller.
inline constexpr size_t kHistoryPackets = 1'024;

struct SendConfig {
  uint32_t ssrc = 0;
  std::optional<uint32_t> rtx_ssrc;
  uint32_t clock_rate = 90'000;
  size_t history_packets = kHistoryPackets;  // a power of two; not used without rtx_ssrc
  uint16_t first_rtx_sequence = 0;           // random, from the owner's Rng (RFC 3550 5.1)
};

struct SendCounters {
  uint64_t packets = 0;  // media SSRC only
  uint64_t payload_bytes = 0;
  uint64_t rtx_packets = 0;
  uint64_t rtx_payload_bytes = 0;
  uint64_t padding_packets = 0;   // on the RTX SSRC
  uint64_t again_packets = 0;     // sent again byte for byte, without RTX
  uint64_t nacked = 0;            // sequence numbers that the remote asked for
  uint64_t nacked_unknown = 0;    // of them too old, never sent, or not kept
  uint64_t nacked_throttled = 0;  // of them answered a moment ago, or too often
  // Messages of the remote, as webrtc-stats counts them.
  uint64_t nacks = 0, plis = 0, firs = 0;
};

// What the remote last said about this stream.
struct RemoteReport {
  uint8_t fraction_lost = 0;  // of 256
  int32_t cumulative_lost = 0;
  uint32_t jitter = 0;  // timestamp units
  uint32_t highest_sequence = 0;
};

class SendStream {
 public:
  // Two answers to NACKs for one packet are at least the round trip apart, and this at the least.
  static constexpr Duration kMinResendInterval = 10ms;
  // Answers for one packet: a receiver that lost it this often has another trouble (and a hostile one asks for more).
  static constexpr uint8_t kMaxResends = 10;

  explicit SendStream(const SendConfig& config);

  // --- media ---
  // The packet as it goes out: header, these extensions, payload with its patch. Bytes written; 0 when it does not fit.
  size_t write(MutByteView out, const SentPacket& packet, std::span<const rtp::ExtensionValue> extensions) const;
  // Call once for each packet sent (written): counts it and keeps it for NACKs when it can be sent again. What the
  // sender reports say follows from when it was captured; where that is not known, or not
  // believed (kBelievedAge), from when it was sent.
  void on_sent(Now now, const SentPacket& packet, std::optional<Instant> captured_at = {});

  // --- NACK ---
  // The packet to send again now, or nullptr: unknown, too old, without RTX, or answered a moment ago. It counts as
  // answered. Valid until the next call of a non-const function.
  const SentPacket* find_for_retransmission(Now now, uint16_t sequence);
  // The packet inside RTX (RFC 4588 4), under the next RTX sequence number. Bytes written; 0 when it does not fit.
  size_t write_rtx(MutByteView out, const SentPacket& packet, std::span<const rtp::ExtensionValue> extensions);
  // A packet of `padding` bytes (1 to 255) and nothing else under the next RTX sequence number, as browsers probe too:
  // no receiver takes it for a loss. Bytes written; 0 without RTX, before the first packet, or when it does not fit.
  size_t write_padding(MutByteView out, uint8_t rtx_payload_type, uint8_t padding,
                       std::span<const rtp::ExtensionValue> extensions);
  // Without RTX: call once for each packet sent, with its bytes as they went out, protected. Only these may be sent
  // again under their sequence number.
  void keep_ciphertext(Now now, uint16_t sequence, ByteView bytes);
  bool has_ciphertext(Now now, uint16_t sequence) const {
    return ciphertexts_ != nullptr && ciphertexts_->find(now.mono, sequence) != nullptr;
  }
  // Those bytes, to be sent as they are; empty as find_for_retransmission() gives nullptr. It counts as answered.
  ByteView find_ciphertext(Now now, uint16_t sequence);
  // Gives old payloads back to the pool; call now and then (say with each report) while nothing is sent.
  void drop_old(Now now) { history_.drop_old(now.mono); }

  // --- RTCP ---
  // What the remote asked for by one message about our media SSRC.
  enum class Feedback : uint8_t { kNack, kPli, kFir };
  void count(Feedback message) {
    ++(message == Feedback::kNack ? counters_.nacks : message == Feedback::kPli ? counters_.plis : counters_.firs);
  }
  // None before the first packet (RFC 3550 6.4: an SR is a sender's). The time is ours, of now, and remembered for the
  // round trip; the timestamp is what is captured now, also while the newest packets were captured a while ago.
  std::optional<rtcp::SenderInfo> make_sender_report(Now now);
  // A report block of the remote about our media SSRC; others are ignored. The round trip when it told one.
  std::optional<Duration> on_report_block(Now now, const rtcp::ReportBlock& block);
  // Smoothed; none until measured. A round trip measured elsewhere on this connection may be set.
  std::optional<Duration> rtt() const { return rtt_; }
  void set_rtt(Duration rtt) { rtt_ = rtt; }
  const std::optional<RemoteReport>& remote_report() const { return remote_report_; }

  const SendConfig& config() const { return config_; }
  const SendCounters& counters() const { return counters_; }

 private:
  uint32_t timestamp_at(Instant at) const;

  // At most kMaxResends times, and a round trip apart.
  bool may_send_again(Now now, Instant resent_at, uint8_t resends) const;

  // given
  SendConfig config_;
  // owned
  SendHistory history_;
  std::unique_ptr<SentCiphertexts> ciphertexts_;  // null until a packet without RTX was kept
  // state
  uint16_t next_rtx_sequence_;
  bool started_ = false;
  uint32_t last_timestamp_ = 0;  // of the newest frame, and when that was captured, or its first packet went out
  Instant last_timestamp_at_{};
  SentReports reports_sent_;
  std::optional<Duration> rtt_;
  std::optional<RemoteReport> remote_report_;
  SendCounters counters_;
};

}  // namespace atm::stream

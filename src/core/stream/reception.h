// RFC 3550 reception statistics of one SSRC: expected and lost packets, interarrival jitter, and the report block that
// tells the sender. For ReceiveStream, once for the media SSRC and once for its RTX SSRC.
// It is told unwrapped sequence numbers and judges nothing: which packet belongs to the stream is the caller's matter.
#pragma once

#include <cstdint>
#include <optional>

#include "base/time.h"
#include "wire/rtcp/packet.h"

namespace atm::stream {

class Reception {
 public:
  Reception(uint32_t ssrc, uint32_t clock_rate) : ssrc_(ssrc), clock_rate_(clock_rate) {}

  // Each packet as it came from the network, duplicates and late ones too (RFC 3550 6.4.1 counts them as received).
  void on_packet(Instant arrived, int64_t sequence, uint32_t timestamp);
  // The sender began anew at `sequence`: counting starts over (RFC 3550 A.1 init_seq).
  void restart(int64_t sequence);
  void on_sender_report(Instant arrived, uint64_t ntp);

  // None before the first packet. Starts a new interval for fraction_lost, so once per report.
  std::optional<rtcp::ReportBlock> make_report_block(Instant now);

  bool started() const { return started_; }
  int64_t highest() const { return highest_; }
  uint32_t jitter() const { return static_cast<uint32_t>(jitter_ >> 4); }  // in timestamp units
  int64_t cumulative_lost() const;
  uint64_t packets() const { return received_; }

 private:
  void update_jitter(Instant arrived, uint32_t timestamp);
  int64_t expected() const { return highest_ - base_ + 1; }

  // given
  uint32_t ssrc_;
  uint32_t clock_rate_;
  // state
  bool started_ = false;
  int64_t base_ = 0;  // the first sequence number since the (re)start
  int64_t highest_ = 0;
  uint64_t received_ = 0;
  int64_t expected_prior_ = 0;
  uint64_t received_prior_ = 0;
  bool has_transit_ = false;
  uint32_t transit_ = 0;
  int64_t jitter_ = 0;  // RFC 3550 A.8: scaled by 16
  uint32_t last_sr_ = 0;
  Instant last_sr_arrived_{};
};

}  // namespace atm::stream

// One RTP stream that the remote sends to us: its media SSRC and, where negotiated, the RTX SSRC that repairs it
// (RFC 3550, RFC 4585, RFC 4588). For core/peer, which unprotects and parses packets and gives them here in order of
// arrival, sends the NACKs and report blocks that come out, and turns take_key_frame_wanted() into a PLI where nobody
// else does. Sees every packet once; decides on nothing that is forwarded. No allocation per packet.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/time.h"
#include "core/stream/missing_list.h"
#include "core/stream/reception.h"
#include "core/stream/remote_clock.h"
#include "core/stream/sequence_tracker.h"
#include "wire/rtcp/packet.h"
#include "wire/rtp/packet.h"

namespace atm::stream {

struct ReceiveConfig {
  uint32_t ssrc = 0;
  std::optional<uint32_t> rtx_ssrc;
  uint32_t clock_rate = 90'000;
  bool nack_enabled = false;
  std::string rid = {};  // the simulcast layer (RFC 8852), when the stream was found by it
};

struct ReceiveCounters {
  uint64_t packets = 0;  // accepted, recovered ones included
  uint64_t payload_bytes = 0;
  uint64_t recovered = 0;  // accepted packets that came by RTX
  uint64_t duplicates = 0;
  uint64_t outside = 0;  // too old, or the first after a jump
  uint64_t restarts = 0;
  uint64_t rtx_packets = 0;      // on the RTX SSRC, padding too
  uint64_t rtx_empty = 0;        // of them without an original packet inside
  uint64_t nacks_requested = 0;  // sequence numbers asked for, repeats included
  uint64_t nacks = 0, plis = 0;  // messages that asked for them, and for key frames
};

class ReceiveStream {
 public:
  // How the packet reached us.
  enum class Via : uint8_t { kMedia, kRtx };

  struct Received {
    bool accepted = false;  // new to us: forward it. Else drop it.
    bool is_duplicate = false;
    bool is_recovered = false;  // it came by RTX
    bool is_restart = false;  // the sender began anew: sequence (and perhaps timestamp) jumped, more than a loss would
    int64_t sequence = 0;     // unwrapped: grows with the stream, lower 16 bits as on the wire; when accepted
  };

  explicit ReceiveStream(const ReceiveConfig& config);

  // A packet of the media SSRC, or one that unwrap_rtx() gave back. `arrived` is the kernel's stamp.
  Received on_packet(Now now, Instant arrived, const rtp::View& view, Via via = Via::kMedia);
  // A packet of the RTX SSRC: turned, in place, into the original (SSRC, sequence number and payload type as they were,
  // padding gone); then give it to on_packet with Via::kRtx. False: there is no original in it (empty, padding only).
  bool unwrap_rtx(Instant arrived, rtp::View& view, uint8_t primary_payload_type);

  // The RTX SSRC became known by a packet's repaired RID, or is another one now.
  void set_rtx_ssrc(uint32_t ssrc);
  void set_rid(std::string rid) { config_.rid = std::move(rid); }
  // RFC 3550 6.6: the sender will send no more. Nothing is asked for or reported until it does after all: a browser
  // says BYE for a layer that it turns off and on again.
  void on_bye();
  bool has_ended() const { return ended_; }
  // None before the first packet.
  std::optional<Instant> last_arrival() const { return last_arrival_; }

  // Sequence numbers to ask for now, appended ascending. Nothing unless nack_enabled.
  void collect_nacks(Now now, std::vector<uint16_t>& out);
  Instant next_timeout() const { return missing_.next_timeout(); }
  // Nothing came over the way for a while: what is missing when packets come again is too old to be repaired in time.
  void on_interruption() { was_interrupted_ = true; }
  // True once after a loss that NACK will not repair (gap too large, retries used up, interruption), or a restart.
  bool take_key_frame_wanted();
  // Round trip to the sender, for the time between two requests. From RFC 3611 or from our own sender reports.
  void set_rtt(Duration rtt) { missing_.set_rtt(rtt); }

  // A message went out that asks for packets, or for a key frame.
  void count_nack() { ++counters_.nacks; }
  void count_pli() { ++counters_.plis; }

  // For the SSRC of the media or the RTX stream; others are ignored.
  void on_sender_report(Now now, const rtcp::SenderInfo& report);
  // None before the first packet. Each call starts a new interval of fraction_lost.
  std::optional<rtcp::ReportBlock> make_report_block(Now now) {
    return ended_ ? std::nullopt : media_.make_report_block(now.mono);
  }
  std::optional<rtcp::ReportBlock> make_rtx_report_block(Now now);
  // The sender's own clock: its last report and when that came, for synchronising its streams. None after a restart,
  // which may have come with other timestamps.
  struct SenderClock {
    rtcp::SenderInfo report;
    Instant arrived;
  };
  const std::optional<SenderClock>& sender_clock() const { return sender_clock_; }
  // When what has that timestamp was captured, as the last report tells (RFC 3550 6.4.1), on our clock; `clock` is its
  // sender's. None before the first report.
  std::optional<Instant> captured_at(Now now, const RemoteClock& clock, uint32_t rtp_timestamp) const;

  const ReceiveConfig& config() const { return config_; }
  const ReceiveCounters& counters() const { return counters_; }
  const Reception& reception() const { return media_; }

 private:
  // given
  ReceiveConfig config_;
  // owned
  SequenceTracker tracker_;
  MissingList missing_;
  Reception media_;
  Reception rtx_;
  SequenceTracker rtx_tracker_;
  // state
  bool needs_key_frame_ = false;
  bool was_interrupted_ = false;  // and no packet has come since
  bool ended_ = false;
  std::optional<Instant> last_arrival_;
  std::optional<SenderClock> sender_clock_;
  ReceiveCounters counters_;
};

}  // namespace atm::stream

// The receiving half of an association: which TSNs have come, when a SACK is due and what it says, and the messages
// that are complete. Called by Association with parsed chunks whose tag is verified.
// Promises bounded memory (limits.h): what is over a limit is dropped unacknowledged, so that the peer sends it again,
// or ends the association. Does not send: write_sack() fills a chunk when Association builds a packet.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <vector>

#include "base/time.h"
#include "core/sctp/counters.h"
#include "core/sctp/limits.h"
#include "core/sctp/reassembly.h"
#include "wire/sctp/chunk.h"

namespace atm::sctp {

class DataReceiver {
 public:
  enum class Outcome : uint8_t {
    kOk,
    kInvalidStream,   // acknowledged, not delivered: report it (RFC 9260 6.5)
    kNoUserData,      // abort (RFC 9260 6.2)
    kViolation,       // abort
    kTooLarge,        // abort
    kReassemblyFull,  // abort
  };

  DataReceiver(size_t max_message_size, Counters& counters)
      : counters_(counters), reassembly_(max_message_size, counters) {}

  // When the peer's INIT or INIT-ACK is known; once more if another handshake replaces that one.
  void start(uint32_t peer_initial_tsn, uint16_t inbound_streams);

  Outcome on_data(Now now, const DataChunk& data, std::vector<Message>& out);
  // RFC 3758 3.6.
  void on_forward_tsn(const ForwardTsnChunk& forward, std::vector<Message>& out);

  // Stream resets (RFC 6525 5.2.2): whether all up to `tsn` has come; what is above `tsn` waits outside meanwhile.
  bool has_all_to(uint32_t tsn) const { return unwrap(tsn) <= cumulative_; }
  void defer_above(uint32_t tsn) { deferred_above_ = unwrap(tsn); }
  void stop_deferring() { deferred_above_.reset(); }
  void reset_streams(const std::vector<uint16_t>& streams) { reassembly_.reset_streams(streams); }

  uint32_t cumulative_tsn() const { return static_cast<uint32_t>(cumulative_); }
  // A SACK is due now, or at the given instant; kNever when there is nothing to acknowledge.
  bool wants_sack(Now now) const { return sack_at_ <= now.mono; }
  bool has_sack() const { return sack_at_ != kNever; }
  Instant sack_at() const { return sack_at_; }
  void force_sack(Now now) { sack_at_ = now.mono; }
  bool has_gaps() const { return !runs_.empty(); }
  size_t held_bytes() const { return reassembly_.held_bytes(); }

  // Writes the SACK if it fits and clears what asked for it.
  bool write_sack(PacketWriter& packet);

 private:
  struct Run {  // TSNs received above the cumulative one, both ends included
    int64_t first;
    int64_t last;
  };

  int64_t unwrap(uint32_t tsn) const {
    return cumulative_ + static_cast<int32_t>(tsn - static_cast<uint32_t>(cumulative_));
  }
  bool has(int64_t tsn) const;
  bool has_room(int64_t tsn, const DataChunk& data) const;
  bool track(int64_t tsn);
  void absorb_runs();
  void note_duplicate(Now now, uint32_t tsn);
  void schedule_sack(Now now, bool immediate);

  // given
  Counters& counters_;
  // owned
  Reassembly reassembly_;
  // state
  int64_t cumulative_ = 0;
  std::vector<Run> runs_;  // ascending, never touching each other
  uint16_t inbound_streams_ = 0;
  std::optional<int64_t> deferred_above_;
  std::array<uint32_t, kMaxSackDuplicates> duplicates_{};
  size_t duplicate_count_ = 0;
  Instant sack_at_ = kNever;
  uint32_t unacked_packets_ = 0;
};

}  // namespace atm::sctp

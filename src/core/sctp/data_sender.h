// The sending half of an association: messages waiting, their fragments on the way, what SACKs say about them, T3-rtx,
// and messages that are given up (RFC 3758). Called by Association, which builds the packets that write_data() fills.
// Promises at most kMaxQueuedBytes held, whole messages in the order given (one at a time: RFC 9260 6.9, fragments
// have consecutive TSNs), nothing sent beyond the congestion window or the peer's window. A message is given up whole,
// and only when it would have to be sent again: what is on its way may arrive yet.
// Does not give anything up to a peer that knows no FORWARD-TSN: it could not go on.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <set>

#include "base/bytes.h"
#include "base/time.h"
#include "core/sctp/congestion_window.h"
#include "core/sctp/counters.h"
#include "core/sctp/retransmission_timeout.h"
#include "wire/sctp/chunk.h"

namespace atm::sctp {

// How one message is to be sent; neither limit: until it is acknowledged. The policies of RFC 7496 3.2 and RFC
// 3758 4.1.
struct Reliability {
  bool ordered = true;
  std::optional<uint16_t> max_retransmits;  // of each fragment; 0: sent once
  std::optional<Duration> lifetime;         // counted from send()
};

class DataSender {
 public:
  DataSender(uint32_t initial_tsn, Counters& counters);

  // When the peer's INIT or INIT-ACK is known. Messages for streams that it does not have are dropped.
  void start(uint32_t peer_window, uint16_t outbound_streams, bool peer_takes_forward_tsn);

  // False when the queue is full. Size and stream are the caller's to check.
  bool enqueue(Now now, uint16_t stream, uint32_t ppid, ByteView payload, const Reliability& reliability);

  void on_sack(Now now, const SackChunk& sack);
  // SHUTDOWN acknowledges too (RFC 9260 9.2).
  void on_cumulative_tsn(Now now, uint32_t tsn);
  void on_timeout(Now now);
  // An event begins: allows a burst, and one packet of a fast retransmission regardless of the window.
  bool has_something_to_send() const;
  // Puts what may be sent now into the packet: FORWARD-TSN, retransmissions, then new data. True when it wrote
  // anything.
  bool write_data(Now now, PacketWriter& packet);

  Instant next_timeout() const { return timeout_at_; }
  uint32_t timeouts_in_a_row() const { return timeouts_in_a_row_; }
  Duration rto() const { return rto_.value(); }
  bool is_drained() const { return messages_.empty() && chunks_.empty(); }
  bool has_unacknowledged() const { return !chunks_.empty(); }
  size_t queued_bytes() const { return queued_bytes_; }

  // Stream resets (RFC 6525 5.1.2): whether all data of `stream` has been acknowledged, and its numbers from 0 again.
  bool is_drained(uint16_t stream) const;
  void reset_stream(uint16_t stream) { next_ssn_.erase(stream); }
  uint32_t last_assigned_tsn() const { return static_cast<uint32_t>(next_tsn_ - 1); }

 private:
  struct Waiting {
    uint16_t stream = 0;
    uint16_t ssn = 0;  // given with the first fragment
    uint32_t ppid = 0;
    bool ordered = true;
    std::optional<uint16_t> max_retransmits;
    Instant expires_at = kNever;
    Bytes payload;
    size_t sent = 0;
  };
  enum class Fate : uint8_t { kInFlight, kLost, kAcked, kAbandoned };
  struct Sent {
    DataChunk header;  // its payload view is not used
    Bytes payload;
    Fate fate = Fate::kInFlight;
    uint8_t misses = 0;
    bool fast_retransmitted = false;
    uint32_t transmissions = 0;
    std::optional<uint16_t> max_retransmits;
    Instant expires_at = kNever;
  };
  struct AckWork {  // what one SACK changed
    size_t acked_bytes = 0;
    size_t flight_before = 0;
    int64_t highest_newly_acked = 0;
    bool cumulative_advanced = false;
  };

  int64_t unwrap(uint32_t tsn) const {
    const int64_t acked = first_tsn_ - 1;
    return acked + static_cast<int32_t>(tsn - static_cast<uint32_t>(acked));
  }
  Sent& at(int64_t tsn) { return chunks_[static_cast<size_t>(tsn - first_tsn_)]; }
  void acknowledge_to(Now now, int64_t tsn, AckWork& work);
  void acknowledge(Now now, int64_t tsn, AckWork& work);
  void apply_gaps(Now now, const SackChunk& sack, int64_t cumulative, AckWork& work);
  void count_misses(Now now, const AckWork& work);
  void finish_ack(Now now, const AckWork& work);
  void mark_lost(int64_t tsn);
  bool write_lost(Now now, PacketWriter& packet);
  bool write_new(Now now, PacketWriter& packet);
  size_t fragment_size(const Waiting& message, size_t room) const;
  void send_chunk(Now now, int64_t tsn, PacketWriter& packet);

  // data_sender_abandon.cpp
  bool is_hopeless(Now now, const Sent& chunk) const;
  void give_up(Now now);
  bool drop_expired_front(Now now);
  void drop_expired(Now now);
  void abandon(int64_t tsn);
  void abandon_chunk(int64_t tsn);
  void append_end_of_front();
  bool is_forward_tsn_due() const;
  bool write_forward_tsn(Now now, PacketWriter& packet);

  // given
  Counters& counters_;
  // owned
  RetransmissionTimeout rto_;
  CongestionWindow congestion_;
  // state
  std::deque<Waiting> messages_;
  std::deque<Sent> chunks_;  // by TSN from first_tsn_ on
  std::set<int64_t> lost_;
  std::map<uint16_t, uint16_t> next_ssn_;
  int64_t first_tsn_;
  int64_t next_tsn_;
  size_t flight_bytes_ = 0;
  size_t gap_acked_ = 0;  // chunks acknowledged above the cumulative TSN
  size_t peer_window_ = 0;
  size_t queued_bytes_ = 0;
  bool free_packet_ = false;  // the next packet ignores the congestion window
  bool peer_takes_forward_tsn_ = false;
  int64_t ack_point_ = 0;       // RFC 3758 3.5, Advanced.Peer.Ack.Point: all up to it is acknowledged or abandoned
  int64_t forwarded_to_ = 0;    // the ack point that the last FORWARD-TSN told
  bool forward_again_ = false;  // it may have been lost
  Instant forwarded_at_;
  Instant timeout_at_ = kNever;
  uint32_t timeouts_in_a_row_ = 0;
  std::optional<int64_t> rtt_tsn_;  // one measurement per round trip (RFC 9260 6.3.1 C4)
  Instant rtt_started_;
  Instant last_sent_;
};

}  // namespace atm::sctp

// One SCTP association over a path that keeps packets private and whole (DTLS: RFC 8261), without sockets or clocks:
// RFC 9260 with RFC 3758 and RFC 7496 (messages given up), RFC 6525 (stream resets) and RFC 7053. Called by
// DataChannels, and by tests. Takes either role, and both at once (simultaneous open). Promises each message of a
// stream exactly once, in order where it was sent so; bounded memory (limits.h); and no answer to a packet whose
// checksum or tag is wrong. Does not send heartbeats (ICE watches the path) or restart (a new DTLS connection brings a
// new association).
#pragma once

#include <array>
#include <variant>
#include <vector>

#include "base/bytes.h"
#include "base/rng.h"
#include "base/time.h"
#include "core/sctp/counters.h"
#include "core/sctp/data_receiver.h"
#include "core/sctp/data_sender.h"
#include "core/sctp/limits.h"
#include "core/sctp/reassembly.h"
#include "core/sctp/state_cookie.h"
#include "core/sctp/stream_reset.h"
#include "wire/sctp/chunk.h"
#include "wire/sctp/packet.h"

namespace atm::sctp {

struct Config {
  uint16_t local_port = 5000;  // a=sctp-port of either side (RFC 8841 5)
  uint16_t remote_port = 5000;
  size_t max_message_size = kMaxMessageSize;  // bytes that we take; larger ones abort
  size_t max_send_size = kMaxMessageSize;     // the peer's a=max-message-size
};

enum class DisconnectReason : uint8_t { kShutdown, kAborted, kPeerAborted, kTimeout, kProtocolViolation };

struct AssociationUp {};
struct AssociationDown {
  DisconnectReason reason = DisconnectReason::kShutdown;
};
// The peer will use these streams from number 0 again: their channels are closing. Empty: all.
struct PeerResetStreams {
  std::vector<uint16_t> streams;
};
// Our reset_stream() has been answered.
struct StreamsReset {
  std::vector<uint16_t> streams;
};
using AssociationEvent = std::variant<AssociationUp, Message, PeerResetStreams, StreamsReset, AssociationDown>;

struct AssociationOutput {
  std::vector<Bytes> packets;  // each one DTLS record
  std::vector<AssociationEvent> events;
};

class Association {
 public:
  Association(const Config& config, Rng& rng);
  Association(const Association&) = delete;  // its parts refer to each other
  Association& operator=(const Association&) = delete;

  // Sends INIT. Not needed where the peer does; harmless if both do.
  void connect(Now now, AssociationOutput& out);
  void on_packet(Now now, ByteView bytes, AssociationOutput& out);
  void on_timeout(Now now, AssociationOutput& out);
  Instant next_timeout() const;

  // Queues a message, before the association is up too. False when it is empty or too large, its stream does not exist
  // or is being reset, the queue is full, or the association is ending.
  bool send(Now now, uint16_t stream, uint32_t ppid, ByteView payload, const Reliability& reliability,
            AssociationOutput& out);
  void reset_stream(Now now, uint16_t stream, AssociationOutput& out);
  // Shutdown: everything queued is delivered first. AssociationDown follows.
  void close(Now now, AssociationOutput& out);
  void abort(AssociationOutput& out);

  bool is_up() const { return state_ == State::kEstablished; }
  bool is_down() const { return state_ == State::kClosed; }
  bool can_reset_streams() const { return peer_has_reconfig_; }
  size_t queued_bytes() const { return sender_.queued_bytes(); }  // at most kMaxQueuedBytes
  size_t held_bytes() const { return receiver_.held_bytes(); }    // at most kReassemblyCap
  const Counters& counters() const { return counters_; }
  Counters& counters() { return counters_; }

 private:
  enum class State : uint8_t {
    kIdle,
    kCookieWait,
    kCookieEchoed,
    kEstablished,
    kShutdownPending,
    kShutdownSent,
    kShutdownReceived,
    kShutdownAckSent,
    kClosed,
  };

  // association.cpp
  bool is_addressed_to_us(const Packet& packet);
  bool on_chunk(Now now, const Chunk& chunk, AssociationOutput& out);
  bool on_unknown_chunk(const Chunk& chunk, AssociationOutput& out);
  void on_data(Now now, const Chunk& chunk, AssociationOutput& out);
  void on_sack(Now now, const Chunk& chunk);
  void on_forward_tsn(const Chunk& chunk, AssociationOutput& out);
  void on_reconfig(const Chunk& chunk, AssociationOutput& out);
  void apply_reset(StreamReset::Done done, AssociationOutput& out);
  void hand_over_messages(AssociationOutput& out);
  bool takes_data() const;
  bool sends_data() const;
  void flush(Now now, AssociationOutput& out);
  void emit(PacketWriter& packet, AssociationOutput& out);
  template <typename Write>
  void send_packet(uint32_t tag, AssociationOutput& out, Write write);
  template <typename Write>
  void reply(AssociationOutput& out, Write write);

  // association_handshake.cpp
  void on_init(Now now, const Chunk& chunk, AssociationOutput& out);
  void on_init_ack(Now now, const Chunk& chunk, AssociationOutput& out);
  void on_cookie_echo(Now now, const Chunk& chunk, AssociationOutput& out);
  void on_cookie_ack(AssociationOutput& out);
  void on_error(Now now, const Chunk& chunk, AssociationOutput& out);
  void adopt(const CookieContents& peer);
  void become_established(AssociationOutput& out);
  void send_init(AssociationOutput& out);
  void send_cookie_echo(AssociationOutput& out);
  InitChunk own_init() const;

  // association_shutdown.cpp
  void on_abort(AssociationOutput& out);
  void on_shutdown(Now now, const Chunk& chunk, AssociationOutput& out);
  void on_shutdown_ack(AssociationOutput& out);
  void on_shutdown_complete(AssociationOutput& out);
  void on_packet_when_closed(const Packet& packet, AssociationOutput& out);
  void advance_shutdown(Now now, AssociationOutput& out);
  void send_shutdown(AssociationOutput& out);
  void send_shutdown_ack(AssociationOutput& out);
  void abort_with(ErrorCause cause, DisconnectReason reason, AssociationOutput& out);
  void go_down(DisconnectReason reason, AssociationOutput& out);

  void start_control_timer(Now now);
  void stop_control_timer() { control_at_ = kNever; }
  void on_control_timeout(Now now, AssociationOutput& out);

  // given
  Config config_;
  // owned
  Counters counters_;
  CookieSeal cookies_;
  uint32_t local_tag_;
  uint32_t local_initial_tsn_;
  DataReceiver receiver_;
  DataSender sender_;
  StreamReset resets_;
  // state
  State state_ = State::kIdle;
  uint32_t peer_tag_ = 0;
  uint16_t outbound_streams_ = kMaxStreams;
  bool peer_has_reconfig_ = false;
  Bytes peer_cookie_;            // while it is being echoed
  Instant control_at_ = kNever;  // T1-init, T1-cookie or T2-shutdown, whichever the state has
  Duration control_rto_ = kRtoInitial;
  uint32_t control_tries_ = 0;
  size_t replies_left_ = 0;        // to the packet in hand
  std::vector<Message> messages_;  // completed by the chunk in hand; kept for its capacity
};

// Hands the finished packet to `write` and appends it.
template <typename Write>
void Association::send_packet(uint32_t tag, AssociationOutput& out, Write write) {
  std::array<uint8_t, kMaxPacketSize> buffer;
  PacketWriter packet(buffer, {config_.local_port, config_.remote_port, tag});
  write(packet);
  emit(packet, out);
}

// A control packet that answers one of the packet in hand, as long as that has not asked for too many.
template <typename Write>
void Association::reply(AssociationOutput& out, Write write) {
  if (replies_left_ == 0) return;
  --replies_left_;
  send_packet(peer_tag_, out, write);
}

}  // namespace atm::sctp

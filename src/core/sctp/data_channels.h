// The data channels of one connection, and the SCTP association under them, in one machine (RFC 8831, RFC 8832).
// Called by core/peer: what DTLS decrypted goes to on_packet(), out.packets go to DTLS. Both roles: either side opens.
// Promises messages of a channel whole and once; at most kMaxChannels channels; send() refuses instead of growing
// beyond kMaxQueuedBytes. Each side chooses how it sends: ours goes ordered and reliable unless the caller says
// otherwise, or asks for what the channel was opened with.
// Does not know channels negotiated out of band (RFC 8831 6.4), nor what messages mean.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "core/sctp/association.h"
#include "wire/sctp/dcep.h"

namespace atm::sctp {

// Decides who uses which stream ids (RFC 8832 6): the DTLS client the even ones.
enum class DtlsRole : uint8_t { kClient, kServer };

using ChannelId = uint16_t;  // the stream id, the same in both directions

// What the opener of a channel announces.
struct ChannelConfig {
  Reliability reliability;
  std::string protocol;
};

struct ChannelsUp {};  // the association is established
struct ChannelOpened {
  ChannelId channel = 0;
  std::string label;
  ChannelConfig config;
  bool by_peer = false;
};
struct ChannelMessage {
  ChannelId channel = 0;
  bool is_text = false;
  Bytes bytes;
};
struct ChannelClosed {
  ChannelId channel = 0;
};
// Nothing follows; every open channel has been reported closed before.
struct ChannelsDown {
  DisconnectReason reason = DisconnectReason::kShutdown;
};
using ChannelEvent = std::variant<ChannelsUp, ChannelOpened, ChannelMessage, ChannelClosed, ChannelsDown>;

struct Output {
  std::vector<Bytes> packets;
  std::vector<ChannelEvent> events;
};

class DataChannels {
 public:
  DataChannels(const Config& config, DtlsRole role, Rng& rng);

  // When DTLS is up. Both sides may.
  void connect(Now now, Output& out);
  void on_packet(Now now, ByteView bytes, Output& out);
  void on_timeout(Now now, Output& out);
  Instant next_timeout() const { return association_.next_timeout(); }

  // Works before the association is up; ChannelOpened follows when the peer has confirmed. Nothing when there are too
  // many channels, the label or protocol is too long, or the association has ended.
  std::optional<ChannelId> open(Now now, std::string_view label, const ChannelConfig& config, Output& out);
  // False when there is no such channel, the message is too large, or too much is queued.
  bool send(Now now, ChannelId channel, ByteView bytes, bool is_text, Output& out, const Reliability& reliability = {});
  // As the channel's type says (RFC 8832 5.1), whichever side opened it.
  bool send_as_opened(Now now, ChannelId channel, ByteView bytes, bool is_text, Output& out);
  // Everything sent on it is delivered first; ChannelClosed follows when the peer has closed its direction too.
  void close(Now now, ChannelId channel, Output& out);

  // Ends the association: gracefully, or at once.
  void shutdown(Now now, Output& out);
  void abort(Now now, Output& out);

  bool is_up() const { return association_.is_up(); }
  bool is_down() const { return association_.is_down(); }
  size_t queued_bytes() const { return association_.queued_bytes(); }
  const Counters& counters() const { return association_.counters(); }

 private:
  struct Channel {
    std::string label;
    ChannelConfig config;
    bool is_confirmed = false;  // opened by the peer, or confirmed by it
    bool is_reported_closed = false;
    bool closes_outgoing = false;  // our reset has been asked for
    bool outgoing_is_reset = false;
    bool incoming_is_reset = false;
  };
  using Channels = std::map<ChannelId, Channel>;

  void handle_events(Now now, Output& out);
  void on_event(Now now, AssociationEvent& event, Output& out);
  void on_message(Now now, Message& message, Output& out);
  void on_dcep(Now now, const Message& message, Output& out);
  void on_open(Now now, ChannelId id, const DcepOpen& open, Output& out);
  void confirm(ChannelId id, Channel& channel, bool by_peer, Output& out);
  void on_peer_reset(Now now, const PeerResetStreams& reset, Output& out);
  void on_reset_done(const StreamsReset& reset, Output& out);
  void close_outgoing(Now now, ChannelId id, Channel& channel);
  void report_closed(ChannelId id, Channel& channel, Output& out);
  void forget_if_done(Channels::iterator channel, Output& out);
  bool is_ours(ChannelId id) const { return (id % 2 == 0) == (role_ == DtlsRole::kClient); }

  // given
  DtlsRole role_;
  // owned
  Association association_;
  // state
  Channels channels_;
  AssociationOutput pending_;  // what the association said, on its way to the caller's output
};

}  // namespace atm::sctp

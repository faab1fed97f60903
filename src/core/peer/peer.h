// One WebRTC connection: ICE, DTLS, SRTP, SCTP data channels and the streams of every m-line, for the server and for a
// client. media/session owns one per participant; the simulation and the SDK own one per session.
// Datagrams and the time go in; datagrams, media packets, events and the next deadline come out. It knows no rooms,
// names or rights: what each m-line is for is decided by the caller between read_offer() and answer_offer().
#pragma once

#include <array>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/budget.h"
#include "base/datagram.h"
#include "base/result.h"
#include "base/rng.h"
#include "core/bwe/arrivals.h"
#include "core/bwe/controller.h"
#include "core/dtls/transport.h"
#include "core/ice/agent.h"
#include "core/negotiation/answer.h"
#include "core/negotiation/offer.h"
#include "core/pace/pacer.h"
#include "core/peer/counters.h"
#include "core/peer/media_line.h"
#include "core/peer/media_packet.h"
#include "core/peer/ssrc_table.h"
#include "core/sctp/data_channels.h"
#include "core/srtp/receive_context.h"
#include "core/srtp/send_context.h"
#include "core/stream/remote_clock.h"
#include "core/stream/sent_reports.h"
#include "wire/payload/playout_delay.h"
#include "wire/rtcp/writer.h"

namespace atm::peer {

// Handshake datagrams kept until ICE has a path; two flights of a client.
inline constexpr size_t kMaxParkedDatagrams = 8;
// A compound RTCP packet stays within the 1,200-byte budget, with room for its tag and index.
inline constexpr size_t kMaxRtcpSize = 1'180;
// A media datagram: what IPv6's least MTU of 1,280 leaves to UDP (RFC 8200 5). So 1,200 bytes of RTP from a browser
// have room for the tag, for RTX's two bytes and for what we restamp. Header extensions are left out first where it
// would be more; a payload that is still too large goes out whole up to kMaxDatagramSize, as it came.
inline constexpr size_t kMediaBudget = 1'232;
// Retransmissions to one remote, bytes a second: a fifth of ten videos of 5 Mbit/s. NACKs cost their sender nothing, so
// without a limit a viewer would have us send the same packets over and over.
inline constexpr int64_t kResendBytesPerSecond = 1'250'000;
// Sequence numbers a second that one remote may ask for, and compounds a second that it may send. A browser with a
// hundred receivers sends a few hundred.
inline constexpr int64_t kNacksPerSecond = 20'000;
inline constexpr int64_t kRtcpPerSecond = 2'000;
// Receiver reference times (RFC 3611) that wait for our answer; libwebrtc sends one for each of its modules.
inline constexpr size_t kMaxReferenceTimes = 8;
// Without anything from the remote for so long, what was sent meanwhile, either way, has not arrived. Twice what a
// browser needs for its checks, and what media/session calls "reconnecting".
inline constexpr Duration kAwayAfter = 5s;
// bit/s that are worth probing for until somebody says what could be sent: one camera at its best.
inline constexpr uint64_t kDefaultDemand = 2'500'000;

enum class Role : uint8_t { kServer, kClient };  // ICE lite and passive, or controlling, offering and active

struct Config {
  Role role = Role::kServer;
  const dtls::Context* dtls = nullptr;         // shared by all peers of a worker
  std::vector<SocketAddress> addresses;        // host candidates, most preferred first
  std::vector<SocketAddress> local_addresses;  // what they are on this side of a one-to-one NAT (client role: the same)
  std::vector<SocketAddress> tcp_addresses;    // host candidates over TCP, the same way; none: over UDP alone
  // What all video of the remote together may be, bit/s, told by REMB once a second while it sends some; 0: no maximum.
  uint64_t max_incoming_video_bps = 0;
  // For how long the remote holds back what we send before it plays it, where it negotiated to be told so: no longer
  // and no shorter, whatever a publisher wishes. Nothing: as the publisher wishes, or the remote sees fit.
  std::optional<Duration> playout_delay = {};
  bool offers_data_channel = true;  // client role
  // Sends media no faster than the remote's feedback allows, where it negotiated to give some.
  bool paces_media = true;
};

// A packet that the remote sent, decrypted, deduplicated, RTX undone. The view points into the datagram.
struct ReceivedPacket {
  size_t media = 0;  // index of the m-line
  int64_t sequence = 0;
  uint64_t epoch = 0;  // MediaLine::epoch_of: with another one than before, `sequence` has begun anew
  rtp::View view;
  std::optional<Instant> captured_at = {};  // on our clock, as the remote's sender reports tell; none before they do
};

struct Connected {};  // DTLS is up, keys are there
struct Failed {
  const char* why;
};
struct ChannelOpened {
  uint16_t channel;
  std::string label;
};
struct ChannelMessage {
  uint16_t channel;
  bool is_text;
  Bytes bytes;
};
struct ChannelClosed {
  uint16_t channel;
};
struct RemoteClosed {};  // DTLS close_notify, or the association was aborted
struct KeyFrameWanted {
  size_t media;
  uint32_t ssrc;      // the remote asks for a key frame of what we send with it
  uint8_t layer = 0;  // of simulcast that we send
};
struct PictureLost {
  size_t media;
  uint32_t
      ssrc;  // what the remote sends with it has a loss that retransmission will not repair: only a key frame helps
};
struct WayRenewed {};  // over another path, or after kAwayAfter without the remote: what was under way is lost
using Event = std::variant<Connected, Failed, ChannelOpened, ChannelMessage, ChannelClosed, RemoteClosed,
                           KeyFrameWanted, PictureLost, WayRenewed>;

struct Output {
  SendBatch& datagrams;
  std::vector<ReceivedPacket>& packets;
  std::vector<Event>& events;
};

struct PendingOffer {
  sdp::Description description;
  negotiation::Offer offer;
};

// What to send on an m-line; sequence and timestamp are the subscriber's own, already rewritten.
struct Outgoing {
  int64_t sequence = 0;  // unwrapped: gives the SRTP rollover counter
  uint32_t timestamp = 0;
  uint8_t payload_type = 0;  // of this peer's m-line
  bool marker = false;
  stream::PayloadPatch patch = {};
  payload::DescriptorPatch descriptor = {};
};

class Peer {
 public:
  Peer(const Config& config, Rng& rng);

  // --- negotiation, server role
  Result<PendingOffer> read_offer(std::string_view sdp) const;
  // `decisions`: one per m-line. Their SSRCs are filled in here. Also an ICE restart when the offer's ufrag is new.
  Result<std::string> answer_offer(Now now, const PendingOffer& offer, std::vector<negotiation::LocalMedia> decisions,
                                   const negotiation::Policy& policy);
  // New credentials of the remote, without an offer (RFC 9725 4.3.3): restarts ICE unless they are the ones it has, and
  // says what ours are from now on.
  negotiation::LocalTransport restart_ice_of(Now now, const ice::Credentials& remote);
  // --- negotiation, client role
  std::string make_offer(const std::vector<negotiation::OfferMedia>& media, const negotiation::Policy& policy);
  // The next offer restarts ICE.
  void restart_ice(Now now) { ice_.restart(now, ice::make_credentials(rng_)); }
  Result<bool> accept_answer(Now now, std::string_view sdp, Output& out);
  // Client role: the channel that is opened as soon as the association is up.
  void open_channel_when_connected(std::string label) { channel_label_ = std::move(label); }
  void add_remote_candidate(std::string_view candidate);
  // As they are found, beside the host candidates of the configuration: server-reflexive and relayed ones (core/turn).
  void add_local_candidate(const ice::Candidate& candidate) { ice_.add_local_candidate(candidate); }
  void remove_local_candidate(const ice::Candidate& candidate) { ice_.remove_local_candidate(candidate); }
  // Client role: of this host from now on, most preferred first. Paths from others are lost at once; those from new
  // ones are checked after restart_ice(), whose offer has them.
  void set_addresses(const std::vector<SocketAddress>& addresses);
  // It has to be told of no candidates: it answers the checks that come (RFC 8445 2.5).
  bool is_remote_lite() const { return is_remote_lite_; }

  // --- running
  void on_datagram(Now now, const Datagram& datagram, Output& out);
  // A TCP connection that the remote was validated on has closed.
  void on_path_closed(const Path& path) { ice_.on_path_closed(path); }
  void on_timeout(Now now, Output& out);
  Instant next_timeout() const;
  void close(Now now, Output& out);

  // --- media
  // Sends one packet on an m-line of which we are the sender. False: not ready, or dropped with a counter.
  bool send_media(Now now, size_t media, const MediaPacket& packet, const Outgoing& outgoing, SendBatch& datagrams);
  // What the way to the remote carries, bit/s, of which retransmissions and audio are a part; before the first feedback
  // a careful guess. Nothing where the remote gives no feedback: then packets go out as they come.
  std::optional<uint64_t> estimate_bps() const {
    return is_paced() ? std::optional(estimator_.estimate_bps()) : std::nullopt;
  }
  // For an encoder that follows at once: less while a queue is drained.
  std::optional<uint64_t> target_bps() const {
    return is_paced() ? std::optional(estimator_.target_bps()) : std::nullopt;
  }
  // What all that is sent to the remote could use at its best: nothing faster is probed for.
  void set_send_demand(uint64_t wanted_bps) { estimator_.set_demand(wanted_bps); }
  // Packets that were given to send_media() wait for their turn: next_timeout() may be earlier than before.
  bool has_queued_media() const { return pacer_.queued_packets() > 0; }
  // Of all that the remote sends on the m-line, or of the SSRCs of one simulcast layer.
  void request_key_frame(Now now, size_t media, SendBatch& datagrams, std::optional<uint8_t> simulcast_layer = {});
  // Config::max_incoming_video_bps from now on: told at once when it is another one.
  void limit_incoming_video(uint64_t max_bps, SendBatch& datagrams);
  // The same as the remote told us; nothing when it has not for a while.
  std::optional<uint64_t> remb_bps() const { return estimator_.remb_bps(); }

  // --- data channel
  // Once connected; ChannelOpened follows. False: there are too many.
  bool open_channel(Now now, std::string_view label, Output& out);
  bool send_message(Now now, uint16_t channel, ByteView bytes, bool is_text, Output& out);
  // Of what was sent on any channel the remote has not confirmed all.
  bool has_unconfirmed_messages() const { return channels_.queued_bytes() > 0; }

  const std::string& local_ufrag() const { return ice_.local().ufrag; }
  const std::string& remote_ufrag() const { return remote_ufrag_; }
  bool is_connected() const { return dtls_.state() == dtls::State::kConnected; }
  // When the last packet came that only the remote can have made.
  Instant last_authenticated() const { return last_authenticated_; }
  std::optional<Path> selected_path() const { return ice_.selected(); }
  std::optional<ice::CandidateType> selected_type() const { return ice_.selected_type(); }
  bool is_validated(const Path& path) const { return ice_.is_validated(path); }
  // Index order of the m-lines; application m-lines are there too, with no streams.
  MediaLine& media(size_t index) { return *media_[index]; }
  const MediaLine& media(size_t index) const { return *media_[index]; }
  size_t media_count() const { return media_.size(); }
  const Counters& counters() const { return counters_; }
  const RoundTrips& round_trips() const { return round_trips_; }
  Totals totals() const {
    const auto& srtp = srtp_in_;
    return {counters_, ice_.counters(), dtls_.counters(), srtp ? srtp->counters() : srtp::Counters{},
            channels_.counters()};
  }

 private:
  using Probe = std::optional<uint32_t>;  // the cluster that a packet is a part of
  struct Turn {
    Probe probe = {};
    Duration ahead{};  // of its turn, in one go with others
  };
  using PlayoutDelayValue = std::array<uint8_t, payload::kPlayoutDelaySize>;
  // What waits for its turn. Padding has no payload; its size is what the pacer was told.
  struct Paced {
    size_t media = 0;
    uint32_t ssrc = 0;  // that it was numbered for: the m-line may have another one by then
    MediaPacket packet;
    Outgoing outgoing;
  };
  // transport (peer.cpp)
  void on_authenticated(Now now, Output& out);
  void note_path(Output& out);
  void renew_way(Output& out);
  void on_dtls(Now now, const Datagram& datagram, Output& out);
  void after_dtls(Now now, Output& out);
  void on_connected(Now now, Output& out);
  void flush_dtls(Now now, Output& out);
  void flush_sctp(Now now, Output& out);
  ByteView own_playout_delay() const { return playout_delay_ ? ByteView(*playout_delay_) : ByteView{}; }
  // RTP (peer_media.cpp)
  void on_rtp(Now now, const Datagram& datagram, Output& out);
  const SsrcTable::Entry* find_received(Now now, const rtp::View& view);
  const SsrcTable::Entry* assign_ssrc(Now now, const rtp::View& view);
  const MediaLine* find_line_by_format(uint8_t payload_type) const;
  void count_refused_srtp(uint64_t too_many_before);
  std::optional<Instant> capture_of(Now now, const stream::ReceiveStream& stream, const rtp::View& view);
  void index_ssrcs();
  void resend(Now now, const SsrcTable::Entry& sent, uint16_t sequence, SendBatch& datagrams);
  bool write_media(Now now, size_t media, const MediaPacket& packet, const Outgoing& outgoing, const Turn& turn,
                   SendBatch& datagrams);
  // congestion control (peer_pacing.cpp)
  void note_arrival(const Datagram& datagram, const rtp::View& view, const MediaLine& line);
  void on_transport_feedback(Now now, const rtcp::TransportFeedback& feedback, SendBatch& datagrams);
  bool is_paced() const {
    if (!config_.paces_media) return false;
    return estimator_.is_informed() || (gets_feedback_ && !estimator_.is_unanswered());
  }
  void pace(Now now, SendBatch& datagrams);  // the two that follow
  void prepare_pacer(Now now);               // its rate and its probe are the estimator's
  void release_paced(Now now, SendBatch& datagrams);
  void play_probe(Now now);
  void send_padding(Now now, uint8_t size, Probe probe, SendBatch& datagrams);
  MediaLine* find_padding_line() const;
  Instant next_sign_of_life() const;
  size_t protect_rtx(MediaLine& line, uint8_t layer, MutByteView buffer, size_t plain);
  void note_sent(Now now, std::optional<uint16_t> number, size_t size, const Turn& turn);
  // RTCP (peer_rtcp.cpp)
  void on_rtcp(Now now, const Datagram& datagram, Output& out);
  void on_rtcp_packet(Now now, const rtcp::Packet& packet, Output& out);
  void on_report_blocks(Now now, const rtcp::ReportBlocks& blocks);
  void on_nack(Now now, const rtcp::Nack& nack, SendBatch& datagrams);
  void on_bye(const rtcp::Bye& bye);
  void on_extended_report(Now now, const rtcp::ExtendedReport& report);
  void set_rtt(Duration rtt);
  void send_reports(Now now, SendBatch& datagrams);
  void write_extended_reports(Now now, rtcp::CompoundWriter& writer);
  void send_nacks(Now now, Output& out);
  void send_feedback(Now now, SendBatch& datagrams);
  void write_remb(rtcp::CompoundWriter& writer);
  template <typename Write>
  void send_rtcp(SendBatch& datagrams, Write write);
  uint32_t reporting_ssrc() const;
  // negotiation (peer_negotiation.cpp)
  void apply(const std::vector<negotiation::NegotiatedMedia>& media, size_t line_count);
  void fill_ssrcs(const negotiation::OfferedMedia& offered, negotiation::LocalMedia& decision);
  uint32_t make_ssrc();
  negotiation::LocalTransport local_transport(const ice::Credentials& credentials) const;
  bool apply_remote_transport(Now now, const negotiation::RemoteTransport& transport);
  static std::string fingerprint_of(const negotiation::RemoteTransport& transport);

  // given
  Config config_;
  std::optional<PlayoutDelayValue> playout_delay_;  // of the configuration, as it is written
  Rng& rng_;
  // owned
  bwe::Controller estimator_{bwe::Config{}};
  bwe::TransportFeedbackBuilder arrivals_;
  pace::Pacer<Paced> pacer_{bwe::Config{}.start_bps};
  ice::Agent ice_;
  dtls::Transport dtls_;
  std::unique_ptr<srtp::SendContext> srtp_out_;
  std::unique_ptr<srtp::ReceiveContext> srtp_in_;
  sctp::DataChannels channels_;
  std::vector<std::unique_ptr<MediaLine>> media_;
  // state
  uint32_t feedback_ssrc_ = 0;  // of the remote: the newest that brought a transport-wide number
  std::string remote_ufrag_, remote_fingerprint_;
  std::string cname_;
  std::string channel_label_;
  std::string last_offer_;
  uint64_t session_id_ = 0;
  uint64_t session_version_ = 1;
  bool has_data_channel_ = false;
  bool is_remote_lite_ = false;
  Instant last_numbered_{};     // when something went out that the remote tells of
  bool gets_feedback_ = false;  // transport-wide, of what we send; negotiated
  bool was_connected_ = false;
  bool is_closed_ = false;
  Instant last_authenticated_{};
  std::optional<Path> path_;  // that media goes over since it was looked at last
  Instant next_report_ = kNever;
  Instant next_nack_ = kNever;
  Counters counters_;
  dtls::Output dtls_out_;
  std::vector<Bytes> dtls_parked_;  // made before ICE had a path
  sctp::Output sctp_out_;
  std::vector<uint16_t> nack_list_;
  SsrcTable received_, sent_;
  Budget resend_budget_{kResendBytesPerSecond};
  Budget nack_budget_{kNacksPerSecond};
  Budget rtcp_budget_{kRtcpPerSecond};
  // RFC 3611: reference times of the remote that the next report answers, and ours that it will.
  struct ReferenceTimeReceived {
    uint32_t ssrc = 0;
    uint32_t middle_ntp = 0;
    Instant at{};
  };
  std::vector<ReferenceTimeReceived> reference_times_;
  stream::SentReports reference_times_sent_;
  stream::RemoteClock remote_clock_;
  RoundTrips round_trips_;

  friend struct PeerTestAccess;  // tests and fuzzing: installs keys without a handshake, protects as the remote would
};

}  // namespace atm::peer

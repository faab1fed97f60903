// A simulated participant: the client role of core/peer, the session protocol over its data channel, made-up media out
// and a check of what comes in. World moves it through virtual time.
#pragma once

#include <array>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "contract/json/rpc.h"
#include "contract/session.h"
#include "core/peer/peer.h"
#include "described.h"
#include "ledger.h"
#include "own_video.h"
#include "picture.h"
#include "send_rate.h"
#include "sound.h"

namespace atm::sim {

inline constexpr uint8_t kSimulcastLayers = 3;

struct ClientConfig {
  std::string room = "room";
  std::string peer;
  contract::Protocol protocol = contract::Protocol::kWebrtc;  // WHIP and WHEP: without a data channel
  bool sends_audio = true;
  bool sends_video = true;
  uint32_t audio_receivers = 1;
  uint32_t video_receivers = 1;
  std::vector<Codec> codecs;  // the session's; empty: all
  size_t audio_copies = 0;    // sends RED with so many copies, once it is negotiated
  bool has_inband_fec = false;
  bool sends_simulcast = false;   // video in kSimulcastLayers layers, known by MID and RID alone
  bool describes_video = false;   // AV1 with layers that the dependency descriptor tells of
  bool takes_red = true;          // false: as a client that does not offer RED
  bool gives_feedback = true;     // transport-wide; false: it does not offer any, and the server estimates nothing
  OwnVideo* own_video = nullptr;  // instead of what is made up here
  contract::Grant grant;
  contract::SubscribeScope subscribe_scope = contract::SubscribeScope::kFull;
  contract::PublishScope publish_scope = contract::PublishScope::kFull;
  std::string metadata;
  contract::BitrateControlMode bitrate_control_mode = contract::BitrateControlMode::kSumBitrateWithClientSide;
  uint64_t max_video_bitrate = 0;  // of its video sender, bit/s
  // Its video keeps to what the server allows, as a browser's does (send_rate.h). Else it is always the same: what
  // other simulations show of losses and layers does not hang on it.
  bool obeys_remb = false;
  bool applies_limits = false;            // and to remote_stream_video_main_limit, as the project's own SDKs
  std::optional<Duration> playout_delay;  // its latency mode
  contract::MixMinusMode mix_minus = contract::MixMinusMode::kDisabled;
  bool keeps_messages = false;  // what the server says is kept as it came, too
  // Its wall clock is set so far ahead of the world's, and gains so much: what its sender reports say.
  Duration clock_ahead{};
  int64_t clock_ppm = 0;
  // From the capture of a picture until it goes out, as of a slow encoder. Of simulcast that of the highest layer; a
  // lower one takes less.
  Duration video_latency{};
  Duration audio_latency{};
  bool reports_layers = false;  // sender reports of each SSRC of simulcast
};

// An audio packet that a client got: on which receiver, and whose frame it is.
struct HeardFrame {
  Instant at{};
  size_t receiver = 0;
  uint32_t publisher = 0, counter = 0;
  int64_t number = 0;
  uint32_t ssrc = 0, timestamp = 0;
};

// The newest video packet that a client got on a receiver.
struct SeenPicture {
  uint32_t publisher = 0, frame = 0;  // of PictureTag
  uint32_t ssrc = 0, timestamp = 0;
};

class Client {
 public:
  // `ledger`: told what is sent and received; may be null.
  Client(uint32_t number, ClientConfig config, SocketAddress address, Now now, Rng& rng, Ledger* ledger = nullptr);

  // The connect call's request, and its answer.
  contract::ConnectRequest connect_request();
  bool accept(Now now, const std::string& answer, SendBatch& out);

  void on_datagram(Now now, const Datagram& datagram, SendBatch& out);
  void on_timeout(Now now, SendBatch& out);
  Instant next_timeout() const;

  // --- renegotiation: change the m-lines, then update_sdp() or restart_ice_offer()
  // A publisher from the next negotiation on (again, when it had stopped).
  void publish(MediaKind kind);
  void stop_publishing(MediaKind kind);
  void add_receiver(MediaKind kind);
  // Sends peer.updateSdp; its answer is applied when it comes.
  uint64_t update_sdp(Now now, SendBatch& out);
  contract::PeerUpdateSdp make_update();
  void restart_ice(Now now) { peer_->restart_ice(now); }
  std::string make_offer();
  std::vector<negotiation::OfferMedia>& media() { return media_; }

  void send_raw(Now now, const std::string& bytes, bool is_text, SendBatch& out);
  void open_another_channel(Now now, SendBatch& out);
  // Sends a request; the answer comes into answers() under the id that is returned.
  uint64_t request(Now now, contract::RpcBody body, SendBatch& out);
  uint64_t view(Now now, const std::string& receiver, const std::string& peer, const std::string& stream,
                SendBatch& out);

  bool has_channel() const { return config_.protocol == contract::Protocol::kWebrtc; }
  bool is_ready() const { return has_channel() ? channel_.has_value() : peer_->is_connected(); }
  // How loud the packets of its audio say that they are (RFC 6464), dBov; nothing: they do not.
  void set_audio_level(std::optional<int> dbov) { audio_level_ = dbov; }
  void set_silent(bool is_silent) { is_silent_ = is_silent; }  // killed: nothing in, nothing out
  bool is_silent() const { return is_silent_; }
  // Packets of streams that no m-line of this client takes now.
  uint64_t media_refused() const { return peer_ ? peer_->counters().drop_unknown_ssrc : 0; }
  void set_conn_id(std::string conn_id) { conn_id_ = std::move(conn_id); }
  const std::string& conn_id() const { return conn_id_; }
  const SocketAddress& address() const { return address_; }
  const ClientConfig& config() const { return config_; }
  uint32_t number() const { return number_; }
  peer::Peer& peer() { return *peer_; }
  const std::map<uint64_t, contract::RpcAnswer>& answers() const { return answers_; }
  bool succeeded(uint64_t req_id) const;
  // SDP answers that did not fit: to an offer that a later one has overtaken.
  uint64_t answers_refused() const { return answers_refused_; }
  const std::vector<contract::Event>& events() const { return events_; }
  // What came over the data channel, with `keeps_messages`.
  const std::vector<std::string>& messages() const { return messages_; }
  // Streams that the events so far say exist, by "peer/stream".
  const std::map<std::string, contract::StreamEvent>& streams() const { return streams_; }
  const std::map<std::string, contract::ReceiverState>& receiver_states() const { return receiver_states_; }
  const std::map<std::string, contract::SenderState>& sender_states() const { return sender_states_; }
  uint32_t room_peers() const { return room_peers_; }
  // remote_stream_{name}_limit, the newest of each name.
  const std::map<std::string, contract::StreamLimitEvent>& limits() const { return limits_; }
  const std::string& last_answer() const { return last_answer_; }
  VideoViewer& video(size_t receiver) { return video_[receiver]; }
  DescribedViewer& described(size_t receiver) { return described_[receiver]; }
  const Listener& audio(size_t receiver) { return audio_[receiver]; }
  // Of the frame with that counter.
  int level_sent(uint32_t counter) const { return levels_sent_.at(counter); }
  const std::vector<HeardFrame>& heard() const { return heard_; }
  void forget_heard() { heard_.clear(); }
  const SeenPicture& seen(size_t receiver) { return seen_[receiver]; }
  // When what it sent was captured, on the world's clock. `publisher`: of PictureTag.
  Instant audio_captured(uint32_t counter) const { return audio_captured_.at(counter); }
  Instant video_captured(uint32_t publisher, uint32_t frame) const { return video_captured_.at(publisher).at(frame); }
  // What it was told of video last.
  const std::optional<payload::PlayoutDelay>& playout_delay() const { return playout_delay_; }
  uint64_t audio_packets(size_t receiver) { return audio_[receiver].packets(); }
  // The "publisher" of PictureTag for a layer of simulcast.
  static uint32_t layer_publisher(uint32_t number, uint8_t layer) { return number * 1'000 + layer; }
  uint64_t layer_key_frames_sent(uint8_t layer) const { return layers_[layer].key_frames_sent; }
  uint64_t layer_key_frames_asked(uint8_t layer) const { return layers_[layer].asked; }
  void set_layer_muted(uint8_t layer, bool is_muted) { layers_[layer].is_muted = is_muted; }
  uint64_t video_frames_sent() const { return frame_; }
  uint64_t key_frames_sent() const { return key_frames_sent_; }
  uint64_t key_frames_wanted() const { return key_frames_wanted_; }

 private:
  static constexpr Duration kAudioInterval = 20ms;
  static constexpr Duration kVideoInterval = 33'333us;
  static constexpr Duration kPatience = 400ms;

  // Index in media_.
  size_t add_line(MediaKind kind, negotiation::Direction direction);
  bool is_sending(const std::optional<size_t>& line) const;
  void take_output(Now now, SendBatch& out);
  void on_event(const contract::Event& event);
  // As a decoder does: packets come, but no picture for so long.
  void ask_for_picture(Now now, size_t media, size_t receiver, SendBatch& out);
  void send_audio(Now now, SendBatch& out);
  void send_video(Now now, SendBatch& out);
  void show_rtcp(Now now, ByteView decrypted, SendBatch& out);
  Now own_time(Now now) const;
  Duration layer_latency(uint8_t layer) const { return config_.video_latency * (layer + 1) / kSimulcastLayers; }
  void report_layers(Now now, SendBatch& out);
  void send_simulcast(Now now, uint8_t payload_type, SendBatch& out);
  // What the video may take now; nothing: as much as it likes.
  std::optional<uint64_t> allowed_bps(Now now);
  void allot_layers(std::optional<uint64_t> allowed_bps);
  size_t receiver_index(size_t media) const;
  // The m-line of media_[i]: the data channel's comes before all, where there is one.
  size_t line_of(size_t i) const { return has_channel() ? i + 1 : i; }
  void start_sending(Now now) { next_audio_ = next_video_ = now.mono; }
  static uint64_t packet_id(const PictureTag& tag);

  uint32_t number_;
  ClientConfig config_;
  SocketAddress address_;
  dtls::Context dtls_;
  PacketPool pool_;
  Rng& rng_;
  Ledger* ledger_;
  std::unique_ptr<peer::Peer> peer_;
  std::vector<negotiation::OfferMedia> media_;
  std::optional<size_t> audio_line_, video_line_;  // of media_, where we publish
  std::vector<contract::SenderInfo> senders_;
  std::optional<uint16_t> channel_;
  bool is_silent_ = false;
  std::string conn_id_;
  uint64_t next_req_id_ = 0;
  std::map<uint64_t, contract::RpcAnswer> answers_;
  uint64_t answers_refused_ = 0;
  uint64_t messages_unread_ = 0;  // the parser of the client side has limits of its own
  std::vector<contract::Event> events_;
  std::vector<std::string> messages_;
  std::map<std::string, contract::StreamEvent> streams_;
  std::map<std::string, contract::ReceiverState> receiver_states_;
  std::map<std::string, contract::SenderState> sender_states_;
  uint32_t room_peers_ = 0;
  std::map<std::string, contract::StreamLimitEvent> limits_;
  std::string last_answer_;
  struct Picture {
    uint64_t decodable = 0;
    Instant since{};  // of the last decodable frame, or the last request
  };
  std::map<size_t, VideoViewer> video_;
  std::map<size_t, DescribedViewer> described_;
  std::map<size_t, Picture> pictures_;
  std::map<size_t, Listener> audio_;
  std::vector<HeardFrame> heard_;
  std::map<size_t, SeenPicture> seen_;
  std::vector<Instant> audio_captured_;
  std::map<uint32_t, std::vector<Instant>> video_captured_;
  Instant layers_reported_at_{};
  std::optional<payload::PlayoutDelay> playout_delay_;
  // publishing
  Instant next_audio_ = kNever, next_video_ = kNever;
  SoundSource sound_;
  std::vector<int> levels_sent_;
  bool has_spoken_ = false;
  DescribedSource description_;
  uint32_t frame_ = 0, video_timestamp_ = 0, audio_timestamp_ = 0;
  int64_t audio_sequence_ = 100, video_sequence_ = 200;
  struct SimulcastLayer {
    uint32_t ssrc = 0, timestamp = 0;
    int64_t sequence = 0;
    uint16_t picture_id = 0;
    uint32_t frame = 0;
    bool is_key_frame_due = true, is_muted = false;
    size_t packet_size = 0;  // of its payloads; 0: there is no bitrate for the layer
    uint64_t key_frames_sent = 0, asked = 0;
    uint32_t packets = 0;
  };
  std::array<SimulcastLayer, kSimulcastLayers> layers_;
  SendRate send_rate_;
  bool is_key_frame_due_ = true;
  uint64_t key_frames_sent_ = 0, key_frames_wanted_ = 0;
  std::vector<peer::ReceivedPacket> packets_;
  std::vector<peer::Event> peer_events_;
  std::optional<int> audio_level_;
};

}  // namespace atm::sim

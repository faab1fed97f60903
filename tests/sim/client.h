// A simulated participant: the client role of core/peer, the session protocol over its data channel, made-up media out
// and a check of what comes in. World moves it through virtual time.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "contract/json/rpc.h"
#include "contract/session.h"
#include "core/peer/peer.h"
#include "picture.h"

namespace atm0s::sim {

struct ClientConfig {
  std::string room = "room";
  std::string peer;
  bool sends_audio = true;
  bool sends_video = true;
  uint32_t audio_receivers = 1;
  uint32_t video_receivers = 1;
  contract::Grant grant;
};

class Client {
 public:
  Client(uint32_t number, ClientConfig config, SocketAddress address, Now now, Rng& rng);

  // The connect call's request, and its answer.
  contract::ConnectRequest connect_request();
  bool accept(Now now, const std::string& answer, SendBatch& out);

  void on_datagram(Now now, const Datagram& datagram, SendBatch& out);
  void on_timeout(Now now, SendBatch& out);
  Instant next_timeout() const;

  // Sends a request; the answer comes into answers() under the id that is returned.
  uint64_t request(Now now, contract::RpcBody body, SendBatch& out);
  uint64_t view(Now now, const std::string& receiver, const std::string& peer, const std::string& stream, SendBatch& out);

  bool is_ready() const { return channel_.has_value(); }
  void set_silent(bool is_silent) { is_silent_ = is_silent; }  // killed: nothing in, nothing out
  bool is_silent() const { return is_silent_; }
  const SocketAddress& address() const { return address_; }
  void move_to(const SocketAddress& address) { address_ = address; }
  const ClientConfig& config() const { return config_; }
  uint32_t number() const { return number_; }
  peer::Peer& peer() { return *peer_; }
  const std::map<uint64_t, contract::RpcAnswer>& answers() const { return answers_; }
  bool succeeded(uint64_t req_id) const;
  const std::vector<contract::Event>& events() const { return events_; }
  // Streams that the events so far say exist, by "peer/stream".
  const std::map<std::string, contract::StreamEvent>& streams() const { return streams_; }
  const std::map<std::string, contract::ReceiverState>& receiver_states() const { return receiver_states_; }
  uint32_t room_peers() const { return room_peers_; }
  VideoViewer& video(size_t receiver) { return video_[receiver]; }
  uint64_t audio_packets(size_t receiver) { return audio_packets_[receiver]; }
  uint64_t video_frames_sent() const { return frame_; }
  uint64_t key_frames_sent() const { return key_frames_sent_; }

 private:
  static constexpr Duration kAudioInterval = 20ms;
  static constexpr Duration kVideoInterval = 33'333us;
  static constexpr uint8_t kPacketsPerFrame = 4;
  static constexpr Duration kPatience = 400ms;

  void take_output(Now now, SendBatch& out);
  void on_event(const contract::Event& event);
  // As a decoder does: packets come, but no picture for so long.
  void ask_for_picture(Now now, size_t media, size_t receiver, SendBatch& out);
  void send_audio(Now now, SendBatch& out);
  void send_video(Now now, SendBatch& out);
  size_t receiver_index(size_t media) const;

  uint32_t number_;
  ClientConfig config_;
  SocketAddress address_;
  dtls::Context dtls_;
  PacketPool pool_;
  std::unique_ptr<peer::Peer> peer_;
  std::vector<negotiation::OfferMedia> media_;
  std::optional<uint16_t> channel_;
  bool is_silent_ = false;
  uint64_t next_req_id_ = 0;
  std::map<uint64_t, contract::RpcAnswer> answers_;
  std::vector<contract::Event> events_;
  std::map<std::string, contract::StreamEvent> streams_;
  std::map<std::string, contract::ReceiverState> receiver_states_;
  uint32_t room_peers_ = 0;
  struct Picture {
    uint64_t decodable = 0;
    Instant since{};  // of the last decodable frame, or the last request
  };
  std::map<size_t, VideoViewer> video_;
  std::map<size_t, Picture> pictures_;
  std::map<size_t, uint64_t> audio_packets_;
  // publishing
  Instant next_audio_ = kNever, next_video_ = kNever;
  uint32_t audio_counter_ = 0, frame_ = 0, video_timestamp_ = 0, audio_timestamp_ = 0;
  int64_t audio_sequence_ = 100, video_sequence_ = 200;
  bool is_key_frame_due_ = true;
  uint64_t key_frames_sent_ = 0;
  std::vector<peer::ReceivedPacket> packets_;
  std::vector<peer::Event> peer_events_;
};

}  // namespace atm0s::sim

// A participant of a benchmark: the client role of core/peer and the session protocol over its data channel. A
// publisher sends what it is told to, when it is told to; a subscriber views one publisher, gives transport-wide
// feedback and checks every packet: decrypted, in order, with no gap, and of the frame that its place says. Unlike
// sim::Client it keeps nothing of what it has seen, so that it costs the same in the first second and later.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "contract/session.h"
#include "core/peer/peer.h"
#include "picture.h"

namespace atm::bench {

// What a subscriber was sent of one kind of media.
struct Reception {
  uint64_t packets = 0;
  uint64_t missing = 0;  // sequence numbers that were jumped over
  uint64_t wrong = 0;    // not the packet that its place says
  bool has_begun = false;
  int64_t sequence = 0;  // of the last packet
  uint32_t timestamp = 0;
  sim::PictureTag tag;
};

class Client {
 public:
  static constexpr const char* kAudioStream = "audio_main";
  static constexpr const char* kVideoStream = "video_main";

  // `dtls`: shared by all clients. A publisher has one sender of each kind, a subscriber one receiver of each.
  Client(std::string room, std::string name, bool publishes, SocketAddress address, const dtls::Context& dtls,
         Rng& rng);

  contract::ConnectRequest connect_request();
  bool accept(Now now, const std::string& answer, SendBatch& out);
  void on_datagram(Now now, const Datagram& datagram, SendBatch& out);
  void on_timeout(Now now, SendBatch& out);
  Instant next_timeout() const { return peer_.next_timeout(); }

  // The data channel is open.
  bool is_ready() const { return channel_.has_value(); }
  // Both streams of the publisher, on both receivers.
  void view(Now now, const std::string& publisher, SendBatch& out);
  // As browsers send: with MID, transport-wide number and, on audio, level.
  void publish(Now now, MediaKind kind, uint32_t timestamp, bool marker, ByteView payload, SendBatch& out);
  // Whether somebody wants a key frame since the last call.
  bool take_key_frame_wanted() { return std::exchange(key_frame_wanted_, false); }

  const Reception& reception(MediaKind kind) const { return kind == MediaKind::kVideo ? video_ : audio_; }
  const std::string& name() const { return name_; }

 private:
  struct Sent {
    int64_t sequence = 0;
    uint32_t ssrc = 0;
  };
  void request(Now now, contract::RpcBody body, SendBatch& out);
  void take_output();
  void check(const peer::ReceivedPacket& packet);
  // The data channel's m-line comes first, then audio, then video.
  static size_t line_of(MediaKind kind) { return kind == MediaKind::kAudio ? 1 : 2; }

  std::string room_, name_;
  bool publishes_;
  peer::Peer peer_;
  std::vector<negotiation::OfferMedia> media_;
  std::optional<uint16_t> channel_;
  uint64_t next_request_ = 0;
  uint16_t next_transport_number_ = 0;
  int64_t audio_sequence_ = 100, video_sequence_ = 200;
  bool key_frame_wanted_ = true;
  Reception audio_, video_;
  std::vector<peer::ReceivedPacket> packets_;
  std::vector<peer::Event> events_;
};

}  // namespace atm::bench

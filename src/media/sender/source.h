// A published stream as its room sees it: who publishes it, under which name, in which formats. Its publisher may be
// connected to this worker or to another one. media/room owns one per stream; media/receiver reads it; the publisher's
// media/session, or the slice of the room where that is, feeds it packets.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <vector>

#include "contract/session.h"
#include "core/peer/peer.h"
#include "media/mixminus/ranking.h"
#include "media/quality/heard.h"
#include "media/sender/key_frame_ask.h"
#include "media/sender/recent_packets.h"
#include "media/sender/red_reader.h"
#include "media/sender/red_writer.h"
#include "media/share/layer_rates.h"
#include "wire/payload/picture_size.h"

namespace atm::sender {

enum class SessionId : uint64_t {};

struct Source {
  contract::StreamKey key;
  MediaKind kind = MediaKind::kAudio;
  std::string label;
  bool active = true;   // has a track
  bool screen = false;  // few frames are no fault
  contract::ContentHint content_hint = contract::ContentHint::kNone;
  SessionId owner{};                // of the publisher, when it is connected to this worker
  peer::Peer* publisher = nullptr;  // null: it is connected to another worker
  size_t media = 0;                 // index of the m-line in `publisher`
  // What its packets may be in, by the publisher's payload types.
  std::vector<negotiation::NegotiatedCodec> codecs;
  uint32_t codecs_version = 0;  // another one with every change of `codecs`
  // SSRCs of one picture, lowest first; 1: no simulcast.
  uint8_t simulcast_layers = 1;
  // How the spatial layers inside the one SSRC stand on each other, as its packets tell; kIndependent: there is one.
  share::Scaling scaling = share::Scaling::kIndependent;
  std::array<KeyFrameAsk, peer::kMaxSimulcastLayers> key_frames;  // by simulcast layer
  std::optional<Instant> key_frame_at;                            // when the last one came, of any layer
  share::LayerRates rates;                                        // video only, as its packets come by here
  // Its viewers want more than its publisher was told of, or nobody is left: where the publisher is, its session looks.
  bool has_new_demand = false;
  // Video only: of its simulcast or spatial layers, as key frames tell.
  std::array<payload::PictureSize, payload::kSpatialLayers> sizes;
  quality::Heard heard;  // audio only
  // Audio only: where the publisher is, viewed or not; elsewhere while it is viewed.
  mixminus::Loudness loudness;
  bool tells_level = false;                    // its packets say how loud they are
  std::optional<mixminus::Ranking::Id> rank;   // audio only, of the room's ranking
  std::optional<Duration> relayed_round_trip;  // of its publisher, when that is connected to another worker
  RecentPackets recent;                        // video only
  RedReader red_in;                            // audio only, where the publisher is
  RedWriter red_out;                           // audio only, where the viewers are
  // What the frames of an SSRC have in common, by simulcast layer, where the publisher is. Of the SSRC that came last.
  struct Frames {
    uint32_t ssrc = 0;
    uint64_t epoch = 0;
    payload::FrameStructure structure;
  };
  std::vector<Frames> frames;

  // Takes the codecs and simulcast layers of the publisher's m-line; false when they were these already.
  bool take_formats(const peer::MediaLine& line);
  void set_codecs(const std::vector<negotiation::NegotiatedCodec>& to);
  // Of a media or RED payload type.
  const negotiation::NegotiatedCodec* find_codec(uint8_t payload_type) const;

  // Appends what the room passes on of a packet that came on `line`: its body copied into `pool` once for all
  // subscribers; of RED each frame on its own, those too whose packets were lost. Nothing when the payload type was not
  // negotiated, or the packet is too large to be carried.
  void read(const peer::MediaLine& line, const peer::ReceivedPacket& packet, PacketPool& pool,
            std::vector<peer::MediaPacket>& out);
  // Audio, whether anybody views it or not: how loud it is.
  void listen(Instant now, const peer::MediaLine& line, const peer::ReceivedPacket& packet);
  void listen(Instant now, const peer::MediaPacket& packet);  // of a publisher on another worker
  // The value of video-layers-allocation, where the publisher is: at what it aims counts until it has been measured.
  void take_allocation(ByteView value);
  // Audio that goes to viewers now: counted, and kept for the RED of what follows.
  void add_frame(Instant now, const peer::MediaPacket& packet);
  // Video that goes to viewers now: its rates, and what it tells of its layers. True when `scaling` is another one.
  bool measure(Instant now, const peer::MediaPacket& packet);
  contract::StreamScaling told_scaling() const {
    if (simulcast_layers > 1) return contract::StreamScaling::kSimulcast;
    return scaling == share::Scaling::kIndependent ? contract::StreamScaling::kSingle : contract::StreamScaling::kSvc;
  }
  // Nobody waits for a key frame any more.
  void cancel_key_frames() {
    for (KeyFrameAsk& ask : key_frames) ask.cancel();
  }
  Instant next_key_frame_timeout() const;
  // A layer that is not sent now while others are has no key frames to ask for.
  bool is_sent(Instant now, uint8_t simulcast_layer) const;
  // Gives kept payloads back to the pool: nobody views it any more.
  void forget_packets() {
    recent.clear();
    red_out.clear();
    heard.pause();
  }
  // Between its publisher and the worker that it is connected to; none until measured.
  std::optional<Duration> round_trip() const {
    if (publisher == nullptr) return relayed_round_trip;
    const peer::RoundTrips& trips = publisher->round_trips();
    return trips.as_receiver ? trips.as_receiver : trips.as_sender;
  }

 private:
  void take_level(Instant now, std::optional<ByteView> told, size_t payload_size, uint32_t timestamp);
  void learn_sizes(const peer::MediaPacket& packet);
  payload::FrameStructure& structure_of(const peer::MediaPacket& packet);
};

}  // namespace atm::sender

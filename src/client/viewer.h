// What comes in on one receiver: packets into frames, and frames out when they are due to be shown or heard. Owned by
// client/session.h, one for each receiver, for as long as the session. It asks for key frames by wants_key_frame(); it
// decodes nothing.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "client/event.h"
#include "core/frames/assembler.h"
#include "core/peer/peer.h"
#include "core/playout/audio_playout.h"
#include "core/playout/video_playout.h"

namespace atm::client {

class Viewer {
 public:
  Viewer(size_t receiver, MediaKind kind, std::optional<Duration> playout_delay);

  void on_packet(Now now, const peer::MediaLine& line, const peer::ReceivedPacket& packet);
  // What is due now.
  void on_timeout(Now now, std::vector<Event>& out);
  Instant next_timeout() const;
  // Another connection, or nothing is viewed any more: what waits goes.
  void reset();

  // Nothing can be shown without one.
  bool wants_key_frame() const;

  MediaKind kind() const { return kind_; }
  Codec codec() const { return codec_; }  // of the packets so far
  void set_sync_delay(Duration delay);
  std::optional<playout::PlayPoint> play_point() const;
  std::optional<playout::VideoPlayoutStats> video_stats() const;
  std::optional<playout::AudioPlayoutStats> audio_stats() const;
  uint64_t packets() const { return packets_; }
  uint64_t bytes() const { return bytes_; }

 private:
  void on_video(Now now, const negotiation::NegotiatedCodec& codec, const peer::ReceivedPacket& packet);
  void take_frames(Now now);
  void on_audio(Now now, const peer::MediaLine& line, const negotiation::NegotiatedCodec& codec,
                const peer::ReceivedPacket& packet);
  void push_audio(Now now, ByteView payload, uint16_t sequence, uint32_t timestamp, bool is_quiet);
  void pull_audio(Now now, std::vector<Event>& out);

  size_t receiver_;
  MediaKind kind_;
  Codec codec_ = Codec::kOpus;
  uint64_t number_ = 0;  // of the next frame
  uint64_t packets_ = 0, bytes_ = 0;
  // video
  std::unique_ptr<frames::Assembler> assembler_;
  std::optional<playout::VideoPlayout> video_;
  playout::VideoPlayoutConfig video_config_;
  frames::Frame frame_;
  std::vector<playout::DueFrame> due_;
  // audio
  std::optional<playout::AudioPlayout> audio_;
  playout::AudioPlayoutConfig audio_config_;
  Instant pull_at_ = kNever;
};

}  // namespace atm::client

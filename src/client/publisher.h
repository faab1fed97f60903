// What goes out of one sender: encoded frames into packets of its m-line. Owned by client/session.h, one for each
// sender, for as long as the session; renew() with each connection. Which codecs the m-line takes was negotiated; the
// application's frames say which one they are in.
#pragma once

#include <array>
#include <memory>
#include <optional>

#include "client/config.h"
#include "core/frames/packetizer.h"
#include "core/peer/peer.h"

namespace atm::client {

// A frame of the application's.
struct OutgoingFrame {
  Codec codec = Codec::kOpus;
  ByteView bytes;
  uint8_t layer = 0;                      // of simulcast, 0 the lowest
  std::optional<bool> is_key;             // nothing: as the bitstream says
  std::optional<uint8_t> temporal_layer;  // VP8, VP9
  Instant captured_at{};
  std::optional<uint8_t> audio_level;  // -dBov (RFC 6464)
  bool starts_talk = false;            // audio
};

class Publisher {
 public:
  Publisher(const SenderConfig& config, PacketPool& pool, Rng& rng);

  // Another connection: numbers begin anew.
  void renew();
  // Refuses a frame of a codec that was not negotiated, of no such layer, or that is none. One that cannot go out now
  // (not connected, not negotiated yet) is counted and no error.
  Result<void> send(Now now, peer::Peer& peer, size_t media, const OutgoingFrame& frame, SendBatch& out);

  void set_track(bool has_track, const std::optional<std::string>& label) {
    config_.has_track = has_track;
    if (label) config_.label = *label;
  }

  const SenderConfig& config() const { return config_; }
  uint64_t frames() const { return frames_; }
  uint64_t bytes() const { return bytes_; }
  uint64_t key_frames() const { return key_frames_; }
  // Of the frames so far; nothing: there was none.
  std::optional<Codec> codec() const { return layers_[0].packetizer ? std::optional(layers_[0].codec) : std::nullopt; }

 private:
  struct Layer {
    Codec codec = Codec::kOpus;
    std::unique_ptr<frames::Packetizer> packetizer;
    int64_t sequence = 0;
    uint32_t timestamp_base = 0;
  };
  frames::Packetizer& packetizer_of(Layer& layer, Codec codec);

  SenderConfig config_;
  Rng& rng_;
  PacketPool& pool_;
  std::array<Layer, kMaxSimulcastLayers> layers_;
  std::optional<Instant> first_captured_;
  frames::PacketizedFrame packets_;
  uint64_t frames_ = 0, bytes_ = 0, key_frames_ = 0;
};

}  // namespace atm::client

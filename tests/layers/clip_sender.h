// Publishes clips through a simulated client: one SSRC, or one for each simulcast layer known by its RID. It numbers,
// protects and sends again (RFC 4588) itself, as a browser does for every layer. Asked for a key frame, it goes to the
// clip's next one.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "base/sequence.h"
#include "own_video.h"
#include "packetizer.h"

namespace atm::layers {

class ClipSender : public sim::OwnVideo {
 public:
  // Tracks lowest first. `codec` has to be negotiated.
  ClipSender(const std::vector<const Clip*>& clips, Vp9Mode vp9_mode, Rng& rng);

  Instant send(Now now, peer::Peer& peer, size_t media, SendBatch& out) override;
  void on_key_frame_wanted(uint32_t ssrc) override;
  void on_rtcp(Now now, peer::Peer& peer, size_t media, ByteView compound, SendBatch& out) override;
  bool on_packet(Now, const peer::MediaLine&, const peer::ReceivedPacket&) override { return false; }

  const std::vector<const Clip*>& clips() const { return clips_; }
  // At each tick every track sends one picture of its clip: which, by track.
  struct Tick {
    Instant at{};
    std::vector<size_t> pictures;
  };
  const std::vector<Tick>& sent() const { return sent_; }
  uint64_t sent_again() const { return sent_again_; }
  bool tells_dependencies() const { return tells_dependencies_; }

 private:
  struct Packet {
    Part part;
    uint32_t timestamp = 0;
  };
  struct Track {
    Packetizer packetizer;
    std::string rid;
    uint32_t ssrc = 0, rtx_ssrc = 0, timestamp = 0;
    int64_t sequence = 0, rtx_sequence = 0;
    size_t next = 0;                    // picture of the clip
    std::map<uint16_t, Packet> recent;  // the last kKept
  };
  static constexpr uint16_t kKept = 512;

  bool begin(const peer::Peer& peer, size_t media);
  void send_packet(peer::Peer& peer, size_t media, const Track& track, const Packet& packet, int64_t sequence,
                   std::optional<uint16_t> repaired, SendBatch& out);
  void send_again(peer::Peer& peer, size_t media, uint32_t ssrc, uint16_t sequence, SendBatch& out);

  std::vector<const Clip*> clips_;
  std::vector<Track> tracks_;
  Rng& rng_;
  std::vector<Tick> sent_;
  uint8_t payload_type_ = 0, rtx_payload_type_ = 0;
  uint64_t sent_again_ = 0;
  bool tells_dependencies_ = false;
};

}  // namespace atm::layers

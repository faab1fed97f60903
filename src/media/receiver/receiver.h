// One "video_0" or "audio_1" of a session: a sending m-line to that participant, and the stream that it shows now.
// media/session owns it, media/room connects it to sources. It keeps the outgoing stream continuous over every switch
// and tells its state (session protocol: no_source connecting live source_deactived …).
#pragma once

#include <optional>
#include <string>

#include "contract/session.h"
#include "core/peer/peer.h"
#include "media/forward/layer_selector.h"
#include "media/forward/stream_rewriter.h"
#include "media/receiver/quality_meter.h"
#include "media/sender/source.h"
#include "media/share/demand.h"

namespace atm::receiver {

using sender::SessionId;
using sender::Source;

class Receiver {
 public:
  Receiver(std::string id, MediaKind kind, SessionId owner, peer::Peer& peer, size_t media, Rng& rng);

  // The stream that the client asked for; the source itself may come later, go and come back.
  void bind(contract::StreamKey remote);
  // A slot of a mixer instead (media/mixminus): what it shows is the mixer's choice.
  void bind_slot(contract::StreamKey slot);
  void unbind();
  bool is_slot() const { return is_slot_; }
  const std::optional<contract::StreamKey>& remote() const { return remote_; }

  // By the room: the source of remote() is there (null: it is gone), or its `active` has changed.
  void attach(Source* source);
  void on_active_changed();
  Source* source() const { return source_; }

  // Which layers of a video it gets, or that it gets none for now.
  void set_target(const forward::Target& target);
  const forward::Target& target() const { return selector_.target(); }
  // What it gets now; nothing while it waits for a key frame or is paused.
  std::optional<forward::Layer> current() const { return selector_.current(); }

  // Sends a packet of the source to the participant, when it is of a layer that it gets. True when it started a picture
  // with this packet: what stands behind it in the stream but came before it is wanted as well.
  bool forward(Now now, const peer::MediaPacket& packet, PacketPool& pool, SendBatch& datagrams);
  // The simulcast layer that has to send a key frame before the participant sees what it is to see.
  std::optional<uint8_t> wants_key_frame_of(Now now) const;
  // The one that a participant means that has lost its picture.
  uint8_t shown_simulcast_layer(Now now) const;

  // The participant has asked for a key frame: it lost its picture.
  void on_picture_lost(Now now);
  // Once in quality::kTellInterval: the MOS of what it shows in thousandths, if that has to be told.
  std::optional<uint32_t> take_quality(Now now);

  // The state when it has changed since the last call.
  std::optional<contract::ReceiverState> take_state_change();
  contract::ReceiverState state() const { return state_; }
  // Why it is not live, when it cannot become so; of the state that was told last.
  std::optional<ErrorCode> reason() const { return reason_; }

  // What was forwarded waits in the participant's pacer: the owner's next_timeout() may be earlier than before.
  bool has_queued_media() const { return peer_.has_queued_media(); }

  const std::string& id() const { return id_; }
  MediaKind kind() const { return kind_; }
  SessionId owner() const { return owner_; }
  size_t media() const { return media_; }

  void set_limit(const contract::ReceiverLimit& limit) { limit_ = limit; }
  const contract::ReceiverLimit& limit() const { return limit_; }
  // What the way to the participant has room for beside its other streams, bit/s; nothing: there is no estimate.
  void set_room(std::optional<uint64_t> room_bps) { room_bps_ = room_bps; }
  // What it can use of the source that it shows; no viewer when it shows none.
  share::Demand demand(Now now) const;

 private:
  // Where a packet goes in the participant's stream, and with what.
  struct Place {
    std::optional<forward::Rewritten> rewritten;
    bool is_empty = false;  // the packet is left out, but its number was promised
    bool has_started = false;
    bool marker = false;
    stream::PayloadPatch patch;
    payload::DescriptorPatch descriptor;
  };
  Place place_audio(Now now, const peer::MediaPacket& packet);
  Place place_video(Now now, const peer::MediaPacket& packet);
  bool may_continue_with(Now now, const peer::MediaPacket& packet);
  void begin(const peer::MediaPacket& packet);
  std::optional<int64_t> timestamp_offset_of(const peer::MediaPacket& packet) const;
  // What a payload type of the source is on our m-line, found anew when either is negotiated anew.
  struct Translation {
    const Source* source = nullptr;
    uint32_t source_version = 0, own_version = 0;
    uint8_t from = 0;
    std::optional<uint8_t> to;      // nothing: this participant cannot decode it
    std::optional<uint8_t> red_to;  // where `to` is Opus and RED was negotiated for it
  };
  const Translation& translate(uint8_t source_payload_type);
  // Audio: how many earlier frames go along with each one.
  size_t wanted_copies(const peer::MediaPacket& packet) const;
  void set_state(contract::ReceiverState state, std::optional<ErrorCode> reason = {}) {
    state_ = state;
    reason_ = reason;
  }

  // given
  std::string id_;
  MediaKind kind_;
  SessionId owner_;
  peer::Peer& peer_;
  size_t media_;
  // state
  std::optional<contract::StreamKey> remote_;
  bool is_slot_ = false;
  Source* source_ = nullptr;
  forward::StreamRewriter rewriter_;
  forward::LayerSelector selector_;
  uint8_t simulcast_layers_ = 1;  // that the selector knows of
  contract::ReceiverLimit limit_;
  std::optional<uint64_t> room_bps_;
  QualityMeter quality_;
  bool is_undecodable_ = false;  // the participant has no codec for what came last
  Translation translation_;
  uint32_t source_ssrc_ = 0;  // the SSRC of the source that is forwarded, and how it is numbered
  uint64_t source_epoch_ = 0;
  uint8_t source_payload_type_ = 0;  // and what it is in since which number
  int64_t source_format_since_ = 0;
  Instant source_ssrc_heard_{};
  // Video: of the last packet of this source that was forwarded.
  struct Capture {
    uint32_t timestamp = 0;
    Instant at{};
  };
  std::optional<Capture> captured_;
  contract::ReceiverState state_ = contract::ReceiverState::kNoSource;
  contract::ReceiverState told_state_ = contract::ReceiverState::kNoSource;
  std::optional<ErrorCode> reason_, told_reason_;
};

}  // namespace atm::receiver

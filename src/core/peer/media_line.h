// One m-line of a connection: what was negotiated for it, the streams that the remote sends on it and the one that we
// send. Owned by Peer. Finds codecs by payload type and streams by SSRC; sends nothing itself.
#pragma once

#include <algorithm>
#include <array>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/sequence.h"
#include "core/negotiation/media.h"
#include "core/stream/receive_stream.h"
#include "core/stream/send_stream.h"
#include "wire/payload/frame_info.h"

namespace atm::peer {

// SSRCs that one m-line may bring in: three simulcast layers with their RTX, and as many again for a restart.
inline constexpr size_t kMaxReceiveStreams = 12;
// Simulcast layers that are told apart; browsers send three.
inline constexpr size_t kMaxSimulcastLayers = payload::kSpatialLayers;
// One that has been silent for so long gives its place to a new one.
inline constexpr Duration kSilentStream = 10s;

class MediaLine {
 public:
  explicit MediaLine(size_t index) : index_(index) { by_payload_type_.fill(-1); }

  void negotiate(const negotiation::NegotiatedMedia& media, uint16_t first_rtx_sequence);
  // The m-line was rejected, or is the data channel's.
  void deactivate();

  size_t index() const { return index_; }
  MediaKind kind() const { return negotiated_.kind; }
  const negotiation::NegotiatedMedia& negotiated() const { return negotiated_; }
  const rtp::ExtensionMap& extensions() const { return negotiated_.extensions; }
  // Counts negotiations: whoever caches what it found here compares it.
  uint32_t version() const { return version_; }
  bool is_receiving() const { return is_active_ && negotiation::is_receiving(negotiated_.direction); }
  bool is_sending() const { return is_active_ && negotiation::is_sending(negotiated_.direction); }

  // By a payload type of media, or of RTX; null when there is none.
  const negotiation::NegotiatedCodec* find_codec(uint8_t payload_type) const;
  const negotiation::NegotiatedCodec* find_codec_by_rtx(uint8_t payload_type) const;
  const negotiation::NegotiatedCodec* find_same_format(const negotiation::NegotiatedCodec& codec) const;

  // The stream of a media or RTX SSRC; null when it is not known yet.
  stream::ReceiveStream* find_receive_stream(uint32_t ssrc);
  // For an SSRC that no a=ssrc line named, once its packet was found to belong here. `rid`: the layer that it says it
  // is (RFC 8852 3.1), empty when it says none; a newer stream of a layer takes it over. At the limit the one that has
  // been silent longest goes. Null: a layer that was not negotiated, or all streams are in use.
  stream::ReceiveStream* add_receive_stream(Instant now, uint32_t ssrc, std::string_view rid);
  // The stream that an RTX SSRC repairs: the layer of its repaired RID (RFC 8852 3.2), or the only one without RTX.
  stream::ReceiveStream* attach_rtx(uint32_t rtx_ssrc, std::string_view repaired_rid);
  // How many SSRCs the remote sends of one picture, at most kMaxSimulcastLayers; 1: no simulcast. Layers come lowest
  // first: in the order of the rids that were negotiated (Chromium's q, h, f), else of the SSRCs that the offer names.
  // An SSRC of which neither is known counts as the lowest, higher ones than are told apart as the highest.
  size_t simulcast_layers() const;
  uint8_t simulcast_layer_of(uint32_t ssrc) const;
  bool is_full() const { return receive_streams_.size() >= kMaxReceiveStreams; }
  uint32_t evictions() const { return evictions_; }
  // What numbers a stream's packets: changes whenever a packet of its SSRC may get a sequence number that an earlier
  // one had (the stream was made anew, or its sender began anew). Whoever rewrites numbers has to start over then: an
  // SRTP index that is used twice gives the key away.
  uint64_t epoch_of(const stream::ReceiveStream& stream) const {
    return uint64_t{removals_} << 32 | stream.counters().restarts;
  }
  std::vector<std::unique_ptr<stream::ReceiveStream>>& receive_streams() { return receive_streams_; }
  const std::vector<std::unique_ptr<stream::ReceiveStream>>& receive_streams() const { return receive_streams_; }
  // Null unless we send here.
  stream::SendStream* send_stream() { return send_stream_.get(); }
  const stream::SendStream* send_stream() const { return send_stream_.get(); }
  // RTX numbers its packets itself; their SRTP index is that number unwrapped, from a rollover counter of zero on
  // (RFC 3711 3.3.1; an Unwrapper starts one circle up).
  int64_t rtx_index(uint16_t sequence) { return rtx_unwrapper_.unwrap(sequence) - 0x1'0000; }
  // What we send with, 0: nothing yet. They stay for as long as the m-line has its mid, inactive times included: a
  // receiver goes on counting where it was, and a new SSRC would have to begin at a rollover counter of zero.
  uint32_t ssrc() const { return local_ssrc_; }
  uint32_t rtx_ssrc() const { return local_rtx_ssrc_; }
  // One above the highest number that ssrc() was given to send; 0: none yet. Whoever numbers for it from now on starts
  // here.
  int64_t next_sequence() const { return next_sequence_; }
  int64_t next_unsent() const { return next_unsent_; }  // one above the highest that it has sent
  void on_sent(int64_t sequence) { next_unsent_ = std::max(next_unsent_, sequence + 1); }
  void on_numbered(int64_t sequence) { next_sequence_ = std::max(next_sequence_, sequence + 1); }

 private:
  uint32_t clock_rate() const { return kind() == MediaKind::kAudio ? 48'000 : 90'000; }
  bool has_nack() const;
  void recycle();
  void remove_receive_streams();
  void insert_named_streams();
  void make_send_stream(uint16_t first_rtx_sequence);
  bool is_named(uint32_t ssrc) const;
  bool evict_silent(Instant now);
  stream::ReceiveStream* insert(uint32_t ssrc, std::optional<uint32_t> rtx_ssrc);

  size_t index_;
  bool is_active_ = false;
  uint32_t version_ = 0;
  negotiation::NegotiatedMedia negotiated_;
  std::array<int8_t, 128> by_payload_type_;  // index into codecs, of media payload types
  std::vector<std::unique_ptr<stream::ReceiveStream>> receive_streams_;
  uint32_t removals_ = 0;   // times that receive streams were forgotten
  uint32_t evictions_ = 0;  // of them, those that made room
  uint32_t local_ssrc_ = 0, local_rtx_ssrc_ = 0;
  int64_t next_sequence_ = 0;
  int64_t next_unsent_ = 0;
  std::unique_ptr<stream::SendStream> send_stream_;
  SequenceUnwrapper rtx_unwrapper_;
};

}  // namespace atm::peer

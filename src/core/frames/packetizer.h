// Encoded frames into RTP payloads, for whoever publishes what an encoder or a file gives: one Packetizer for each
// SSRC. VP8 (RFC 7741), VP9 of one spatial layer (RFC 9628), H264 in packetization mode 1 (RFC 6184), AV1 (AV1 RTP
// specification 1.0) and Opus (RFC 7587). It writes payloads and markers; headers, sequence numbers and timestamps are
// core/stream's. Keeps picture ids and, for H264, the parameter sets that were seen last. Makes nothing of a frame that
// it cannot read. No allocation once the buffers have grown.
//
// It does not write the dependency descriptor: of H264 and AV1 no temporal layers are told.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "base/bytes.h"
#include "base/codec.h"
#include "base/rng.h"
#include "core/frames/bitstream.h"
#include "wire/payload/vp9.h"

namespace atm::frames {

// Bytes of a payload that leave a datagram within 1,200: the RTP header takes 12, header extensions up to 70, RTX 2
// (RFC 4588 4), SRTP 16 (RFC 7714 12).
inline constexpr size_t kPayloadBudget = 1'100;
// Below that a VP9 structure, or the head of a fragment, does not leave room for content.
inline constexpr size_t kLeastPayload = 64;
inline constexpr size_t kMaxGroupPictures = 16;        // of VP9's picture group; encoders' patterns have up to 8
inline constexpr size_t kMaxParameterSetBytes = 1024;  // of SPS and PPS that are repeated; libx264's are below 100

// RFC 9628 4.2.1: a picture of the group that non-flexible mode tells with key frames, and then repeats.
struct GroupPicture {
  uint8_t temporal_layer = 0;
  bool is_switching_up_point = false;
  uint8_t reference_count = 0;
  std::array<uint8_t, payload::kMaxVp9References> references{};  // pictures back
};

struct PacketizerConfig {
  Codec codec = Codec::kVp8;
  size_t max_payload = kPayloadBudget;  // less than kLeastPayload counts as that
  H264Format h264_format = H264Format::kAnnexB;
  // VP9: each picture tells what it refers to. Else `vp9_group` does; empty: each refers to the one before.
  bool is_vp9_flexible = true;
  std::vector<GroupPicture> vp9_group = {};  // pictures beyond kMaxGroupPictures are left out
};

struct EncodedFrame {
  // VP8: a frame; VP9: a frame or superframe; H264: an access unit; AV1: a temporal unit, with or without delimiter;
  // Opus: a packet.
  ByteView bytes = {};
  std::optional<bool> is_key = {};             // nothing: as the bitstream says
  std::optional<uint8_t> temporal_layer = {};  // VP8 0 to 3, VP9 0 to 7
  bool is_layer_sync = false;                  // VP8: refers to the base layer alone (Y); VP9: switching up point (U)
  bool is_discardable = false;                 // VP8: nothing refers to it (N)
  std::span<const uint8_t> references = {};    // VP9, flexible: up to three, pictures back; empty: the one before
  bool starts_talk = false;                    // Opus: the first packet after silence that was not sent
};

// The payloads of a frame, in the order in which they are sent. Reused from frame to frame.
class PacketizedFrame {
 public:
  size_t count() const { return parts_.size(); }
  ByteView payload(size_t i) const { return ByteView(bytes_).subspan(parts_[i].at, parts_[i].size); }
  bool marker(size_t i) const { return parts_[i].marker; }
  bool is_key() const { return is_key_; }

 private:
  friend class Packetizer;
  struct Part {
    size_t at, size;
    bool marker;
  };
  Bytes bytes_;
  std::vector<Part> parts_;
  bool is_key_ = false;
};

struct PacketizerCounters {
  uint64_t frames = 0;
  uint64_t payloads = 0;
  uint64_t unreadable = 0;  // frames that are not of this codec, or broken
  uint64_t too_large = 0;   // Opus packets of more than max_payload: RTP cannot split them
};

class Packetizer {
 public:
  Packetizer(const PacketizerConfig& config, Rng& rng);

  // Replaces what is in `out`. False, and `out` empty, when it makes nothing of the frame: counted.
  bool packetize(const EncodedFrame& frame, PacketizedFrame& out);

  // What is told of the frame that was packetized last (VP8, VP9).
  uint16_t picture_id() const { return picture_id_; }
  const PacketizerCounters& counters() const { return counters_; }

 private:
  void put_vp8(const EncodedFrame& frame, PacketizedFrame& out) const;
  void put_vp9(const EncodedFrame& frame, PacketizedFrame& out);
  void write_vp9_descriptor(Writer& writer, const EncodedFrame& frame, bool is_key, bool is_first, bool is_last) const;
  void write_vp9_structure(Writer& writer, payload::PictureSize size) const;
  bool put_h264(const EncodedFrame& frame, PacketizedFrame& out);
  bool note_parameter_sets();
  void put_nal_unit(ByteView unit, PacketizedFrame& out) const;
  size_t put_aggregate(size_t from, PacketizedFrame& out) const;
  bool put_av1(const EncodedFrame& frame, PacketizedFrame& out);
  bool collect_obus(ByteView unit);
  static void put(PacketizedFrame& out, ByteView head, ByteView content);

  // given
  PacketizerConfig config_;
  // state
  uint16_t picture_id_;  // 15 bits
  uint8_t tl0_;
  Bytes parameter_sets_;       // H264: as AVC units
  payload::PictureSize size_;  // VP9: of the last key frame
  PacketizerCounters counters_;
  // of the frame in hand
  std::vector<ByteView> units_;  // H264: NAL units; AV1: OBUs without size, in `obus_`
  Bytes obus_;
};

}  // namespace atm::frames

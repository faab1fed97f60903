// WebM (Matroska, RFC 9559; EBML, RFC 8794): one video track of VP8, VP9 or AV1, one of Opus, or both. For file sinks
// of the SDK. No files here: what is written is appended to the caller's bytes. What has been appended plays at any
// time, cut off or not; a seekable file is finished with patches, which give it its duration, sizes and an index
// (Cues). Clusters begin with a key frame of the video, or after kClusterDuration.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "base/bytes.h"
#include "base/codec.h"
#include "base/time.h"
#include "wire/container/opus_packet.h"

namespace atm::container {

inline constexpr Duration kClusterDuration = 5s;  // the longest; of the WebM guidelines
// Clusters that are remembered, for their sizes and for the index: over five hours where each is kClusterDuration long,
// an hour of one key frame a second. Later ones play, but have no size and are not in the index.
inline constexpr size_t kMaxCues = 4'096;

struct WebmVideo {
  Codec codec = Codec::kVp8;  // VP8, VP9 or AV1
  uint32_t width = 0, height = 0;
  // AV1: the AV1CodecConfigurationRecord (frames::make_av1_configuration); some players need it.
  Bytes codec_private = {};
};

struct WebmConfig {
  std::optional<WebmVideo> video = {};
  std::optional<OpusHead> audio = {};
  // It will never be finished, because who reads it reads along: no room is kept for what finish() patches.
  bool is_live = false;
};

// Bytes to be written over those at `at`, counted from the beginning of the file.
struct FilePatch {
  uint64_t at = 0;
  Bytes bytes;
};

class WebmWriter {
 public:
  explicit WebmWriter(const WebmConfig& config) : config_(config) {}

  // First of all.
  void begin(Bytes& out);
  // Frames of both tracks by their time, which counts from that of the first one, whatever that is. One that comes
  // after a later one is stamped with its time, since players take no others. False, and nothing written: there is no
  // such track, the frame is empty, or it is video before the first key frame.
  bool write_video(Duration at, bool is_key, ByteView frame, Bytes& out);
  bool write_audio(Duration at, ByteView packet, Bytes& out);
  // The index, and what is to be written over earlier bytes; of a live one nothing.
  std::vector<FilePatch> finish(Bytes& out);

  uint64_t late() const { return late_; }  // frames that were stamped with a later time

 private:
  struct Cluster {
    uint64_t at = 0;  // of its ID, from the beginning of the file
    uint64_t time_ms = 0;
    bool is_indexed = false;
  };
  void write_block(Duration at, unsigned track, bool is_key, ByteView frame, Bytes& out);
  void begin_cluster(uint64_t time_ms, Bytes& out);
  void put_tracks(Bytes& out) const;
  Bytes seek_head(std::optional<uint64_t> cues_at) const;

  // given
  WebmConfig config_;
  // state
  uint64_t size_ = 0;  // of the file
  uint64_t info_at_ = 0, tracks_at_ = 0, duration_at_ = 0;
  std::vector<Cluster> clusters_;
  Cluster cluster_;
  bool has_cluster_ = false, has_key_ = false;
  std::optional<Duration> start_;
  uint64_t last_ms_ = 0, end_ms_ = 0;
  std::optional<uint64_t> last_video_ms_;
  uint64_t late_ = 0;
};

}  // namespace atm::container

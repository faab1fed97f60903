#include "wire/container/webm_writer.h"

#include <algorithm>

#include "wire/container/ebml.h"

namespace atm::container {
namespace {

// RFC 9559 5.1
constexpr uint32_t kEbml = 0x1A45DFA3, kSegment = 0x18538067, kSeekHead = 0x114D9B74, kSeek = 0x4DBB;
constexpr uint32_t kSeekId = 0x53AB, kSeekPosition = 0x53AC, kInfo = 0x1549A966, kDuration = 0x4489;
constexpr uint32_t kTracks = 0x1654AE6B, kTrackEntry = 0xAE, kCluster = 0x1F43B675, kTimestamp = 0xE7;
constexpr uint32_t kSimpleBlock = 0xA3, kCues = 0x1C53BB6B, kCuePoint = 0xBB;
constexpr unsigned kVideoTrack = 1, kAudioTrack = 2;
constexpr size_t kIdSize = 4;
constexpr size_t kSegmentAt = 5 + 40;  // of the Segment's ID: the EBML header has 45 bytes
constexpr size_t kSegmentStart = kSegmentAt + kIdSize + 8;
constexpr size_t kSeekHeadSize = 5 + 3 * 21;  // with its three entries
constexpr size_t kDurationSize = 11;
constexpr int64_t kMillisecond = 1'000;
// RFC 9559 11.3.2: the time of a block is a signed number of 16 bits behind that of its cluster.
constexpr uint64_t kClusterMs = static_cast<uint64_t>(to_ms(kClusterDuration));
static_assert(kClusterMs < 0x7FFF);

void put_ebml_header(Bytes& out) {
  Bytes header;
  put_number(header, 0x4286, 1);  // EBMLVersion
  put_number(header, 0x42F7, 1);  // EBMLReadVersion
  put_number(header, 0x42F2, 4);  // EBMLMaxIDLength
  put_number(header, 0x42F3, 8);  // EBMLMaxSizeLength
  put_text_element(header, 0x4282, "webm");
  put_number(header, 0x4287, 4);  // DocTypeVersion
  put_number(header, 0x4285, 2);  // DocTypeReadVersion
  put_void(header, 40 - header.size());
  put_element(out, kEbml, header);
}

std::string_view codec_id(Codec codec) {
  switch (codec) {
    case Codec::kVp9:
      return "V_VP9";
    case Codec::kAv1:
      return "V_AV1";
    default:
      return "V_VP8";
  }
}

void put_seek(Bytes& out, uint32_t id, uint64_t position) {
  Bytes entry, name;
  put_big(name, id, kIdSize);
  put_element(entry, kSeekId, name);
  put_id(entry, kSeekPosition);
  put_size(entry, 8);
  put_big(entry, position, 8);
  put_element(out, kSeek, entry);
}

}  // namespace

void WebmWriter::begin(Bytes& out) {
  const size_t begin = out.size();
  const auto position = [&] { return out.size() - begin; };
  put_ebml_header(out);
  put_id(out, kSegment);
  put_long_size(out, kUnknownEbmlSize);
  if (!config_.is_live) out.resize(out.size() + kSeekHeadSize);  // written when the positions are known
  info_at_ = position();
  Bytes info;
  put_number(info, 0x2AD7B1, 1'000'000);  // TimestampScale: in milliseconds
  put_text_element(info, 0x4D80, "atm0s");
  put_text_element(info, 0x5741, "atm0s");
  if (!config_.is_live) put_void(info, kDurationSize);
  put_element(out, kInfo, info);
  duration_at_ = position() - kDurationSize;
  tracks_at_ = position();
  put_tracks(out);
  if (!config_.is_live) {
    const Bytes head = seek_head(std::nullopt);
    std::ranges::copy(head, out.begin() + static_cast<ptrdiff_t>(begin + kSegmentStart));
  }
  size_ = position();
}

// RFC 9559 5.1.1; always of the same size.
Bytes WebmWriter::seek_head(std::optional<uint64_t> cues_at) const {
  Bytes entries, out;
  put_seek(entries, kInfo, info_at_ - kSegmentStart);
  put_seek(entries, kTracks, tracks_at_ - kSegmentStart);
  if (cues_at) put_seek(entries, kCues, *cues_at - kSegmentStart);
  put_element(out, kSeekHead, entries);
  if (out.size() < kSeekHeadSize) put_void(out, kSeekHeadSize - out.size());
  return out;
}

// RFC 9559 5.1.4
void WebmWriter::put_tracks(Bytes& out) const {
  Bytes tracks;
  const auto begin_entry = [](unsigned number, std::string_view codec) {
    Bytes entry;
    put_number(entry, 0xD7, number);
    put_number(entry, 0x73C5, number);  // TrackUID
    put_number(entry, 0x83, number);    // TrackType: 1 video, 2 audio
    put_number(entry, 0x9C, 0);         // FlagLacing
    put_text_element(entry, 0x86, codec);
    return entry;
  };
  if (config_.video) {
    Bytes entry = begin_entry(kVideoTrack, codec_id(config_.video->codec));
    if (!config_.video->codec_private.empty()) put_element(entry, 0x63A2, config_.video->codec_private);
    Bytes video;
    put_number(video, 0xB0, config_.video->width);
    put_number(video, 0xBA, config_.video->height);
    put_element(entry, 0xE0, video);
    put_element(tracks, kTrackEntry, entry);
  }
  if (config_.audio) {
    Bytes entry = begin_entry(kAudioTrack, "A_OPUS");
    Bytes head;
    put_opus_head(*config_.audio, head);
    put_element(entry, 0x63A2, head);
    put_number(entry, 0x56AA, uint64_t{config_.audio->pre_skip} * 1'000'000'000 / kOpusRate);  // CodecDelay
    put_number(entry, 0x56BB, 80'000'000);  // SeekPreRoll: RFC 7845 4.6, 80 ms
    Bytes audio;
    put_float(audio, 0xB5, kOpusRate);
    put_number(audio, 0x9F, config_.audio->channels);
    put_element(entry, 0xE1, audio);
    put_element(tracks, kTrackEntry, entry);
  }
  put_element(out, kTracks, tracks);
}

bool WebmWriter::write_video(Duration at, bool is_key, ByteView frame, Bytes& out) {
  if (!config_.video || frame.empty() || (!is_key && !has_key_)) return false;
  // AV1 in Matroska: temporal units go without their delimiter.
  if (config_.video->codec == Codec::kAv1 && frame.size() > 2 && frame[0] == 0x12 && frame[1] == 0x00) {
    frame = frame.subspan(2);
  }
  has_key_ = true;
  write_block(at, kVideoTrack, is_key, frame, out);
  return true;
}

bool WebmWriter::write_audio(Duration at, ByteView packet, Bytes& out) {
  const auto samples = opus_duration(packet);
  if (!config_.audio || !samples) return false;
  write_block(at, kAudioTrack, true, packet, out);
  end_ms_ = std::max(end_ms_, last_ms_ + *samples / (kOpusRate / 1'000));
  return true;
}

void WebmWriter::write_block(Duration at, unsigned track, bool is_key, ByteView frame, Bytes& out) {
  const size_t before = out.size();
  if (!start_) start_ = at;
  const int64_t since = std::max<int64_t>(to_us(at - *start_), 0);
  const auto time_ms = static_cast<uint64_t>((since + kMillisecond / 2) / kMillisecond);
  if (time_ms < last_ms_) ++late_;
  last_ms_ = std::max(last_ms_, time_ms);
  const bool begins = track == kVideoTrack ? is_key : !config_.video;
  const bool is_old = has_cluster_ && last_ms_ - cluster_.time_ms >= kClusterMs;
  if (!has_cluster_ || is_old || (track == kVideoTrack && is_key)) {
    begin_cluster(last_ms_, out);
    cluster_.is_indexed = begins;
    if (!config_.is_live && clusters_.size() < kMaxCues) clusters_.push_back(cluster_);
  }
  // RFC 9559 10.1: the track, the time behind the cluster's, and flags.
  uint8_t head[4] = {static_cast<uint8_t>(0x80 | track)};
  store_u16(&head[1], static_cast<uint16_t>(last_ms_ - cluster_.time_ms));
  head[3] = is_key ? 0x80 : 0;
  put_id(out, kSimpleBlock);
  put_size(out, sizeof head + frame.size());
  out.insert(out.end(), std::begin(head), std::end(head));
  out.insert(out.end(), frame.begin(), frame.end());
  if (track == kVideoTrack) {
    // How long the last picture is seen nobody says: as long as the one before.
    end_ms_ = std::max(end_ms_, 2 * last_ms_ - last_video_ms_.value_or(last_ms_));
    last_video_ms_ = last_ms_;
  }
  size_ += out.size() - before;
}

void WebmWriter::begin_cluster(uint64_t time_ms, Bytes& out) {
  cluster_ = {size_, time_ms, false};
  has_cluster_ = true;
  put_id(out, kCluster);
  put_long_size(out, kUnknownEbmlSize);
  put_number(out, kTimestamp, time_ms);
}

std::vector<FilePatch> WebmWriter::finish(Bytes& out) {
  std::vector<FilePatch> patches;
  if (config_.is_live) return patches;
  const auto patch_size = [&](uint64_t at, uint64_t end) {
    Bytes bytes;
    put_long_size(bytes, end - at - kIdSize - 8);
    patches.push_back({at + kIdSize, std::move(bytes)});
  };
  // Beyond kMaxCues the clusters keep their unknown size, and end where the next one begins.
  for (size_t i = 0; i < clusters_.size(); ++i) {
    const bool is_last = i + 1 == clusters_.size();
    if (is_last && clusters_[i].at != cluster_.at) break;
    patch_size(clusters_[i].at, is_last ? size_ : clusters_[i + 1].at);
  }
  const size_t before = out.size();
  const uint64_t cues_at = size_;
  Bytes cues;
  for (const Cluster& cluster : clusters_) {
    if (!cluster.is_indexed) continue;
    Bytes point, positions;
    put_number(point, 0xB3, cluster.time_ms);                                // CueTime
    put_number(positions, 0xF7, config_.video ? kVideoTrack : kAudioTrack);  // CueTrack
    put_number(positions, 0xF1, cluster.at - kSegmentStart);                 // CueClusterPosition
    put_element(point, 0xB7, positions);
    put_element(cues, kCuePoint, point);
  }
  if (!cues.empty()) put_element(out, kCues, cues);
  size_ += out.size() - before;
  patch_size(kSegmentAt, size_);
  patches.push_back({kSegmentStart, seek_head(cues.empty() ? std::nullopt : std::optional(cues_at))});
  Bytes duration;
  put_float(duration, kDuration, static_cast<double>(end_ms_));
  patches.push_back({duration_at_, std::move(duration)});
  return patches;
}

}  // namespace atm::container

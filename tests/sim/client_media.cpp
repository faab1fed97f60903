// Client: what it publishes, made up: audio, video, and video in layers of simulcast.
#include <algorithm>
#include <utility>

#include "client.h"
#include "core/peer/known_keys_test.h"

namespace atm::sim {
namespace {

constexpr uint64_t kFramesPerSecond = 30;

// Of a video whose packets are of that size.
constexpr uint64_t bps_of(size_t size) {
  return size * 8 * kPacketsPerFrame * kFramesPerSecond;
}
size_t packet_size(uint64_t bps, size_t most) {
  return bps >= bps_of(most) ? most : static_cast<size_t>(bps / bps_of(1));
}

}  // namespace

void Client::send_audio(Now now, SendBatch& out) {
  next_audio_ = now.mono + kAudioInterval;
  if (!is_sending(audio_line_)) return;
  peer::MediaPacket packet;
  const size_t media = line_of(*audio_line_);
  const auto& codecs = peer_->media(media).negotiated().codecs;
  if (codecs.empty()) return;
  uint8_t payload_type = codecs[0].payload_type;
  Bytes payload = sound_.next_frame(number_, 80, config_.has_inband_fec);
  if (config_.audio_copies > 0 && codecs[0].red_payload_type) {
    payload = sound_.red(payload_type, config_.audio_copies);
    payload_type = *codecs[0].red_payload_type;
  }
  packet.payload = pool_.copy(payload);
  packet.marker = !std::exchange(has_spoken_, true);
  levels_sent_.push_back(audio_level_.value_or(0));
  if (audio_level_) {
    const Bytes level{rtp::write_audio_level({true, static_cast<uint8_t>(-*audio_level_)})};
    packet.extensions.add(rtp::Extension::kAudioLevel, level);
  }
  audio_timestamp_ += SoundSource::kFrameSamples;
  packet.captured_at = now.mono - config_.audio_latency;
  audio_captured_.push_back(*packet.captured_at);
  if (ledger_ != nullptr) {
    ledger_->on_sent(now.mono, number_, false, sound_.sent() - 1, peer_->media(media).ssrc(),
                     static_cast<uint16_t>(audio_sequence_));
  }
  peer_->send_media(now, media, packet, {audio_sequence_++, audio_timestamp_, payload_type, packet.marker}, out);
}

std::optional<uint64_t> Client::allowed_bps(Now now) {
  if (!config_.obeys_remb) return std::nullopt;
  uint64_t allowed = send_rate_.update(now.mono, peer_->remb_bps());
  const auto limit = limits_.find("video_main");
  if (config_.applies_limits && limit != limits_.end() && limit->second.max_bitrate_bps != 0) {
    allowed = std::min(allowed, limit->second.max_bitrate_bps);
  }
  return allowed;
}

void Client::send_video(Now now, SendBatch& out) {
  next_video_ = now.mono + kVideoInterval;
  if (!is_sending(video_line_)) return;
  const size_t media = line_of(*video_line_);
  if (config_.own_video != nullptr) {
    next_video_ = config_.own_video->send(now, *peer_, media, out);
    return;
  }
  const auto& line = peer_->media(media);
  const Codec wanted = config_.describes_video ? Codec::kAv1 : Codec::kVp8;
  const auto codec = std::find_if(line.negotiated().codecs.begin(), line.negotiated().codecs.end(),
                                  [wanted](const auto& known) { return known.codec == wanted; });
  if (codec == line.negotiated().codecs.end()) return;
  const std::optional<uint64_t> allowed = allowed_bps(now);
  if (config_.sends_simulcast) {
    allot_layers(allowed);
    return send_simulcast(now, codec->payload_type, out);
  }
  const size_t size = packet_size(allowed.value_or(UINT64_MAX), 900);
  PictureTag tag{number_, frame_++, 0, kPacketsPerFrame, is_key_frame_due_};
  key_frames_sent_ += is_key_frame_due_;
  if (config_.describes_video) description_.begin_frame(is_key_frame_due_);
  is_key_frame_due_ = false;
  video_timestamp_ += 3'000;
  video_captured_[number_].push_back(now.mono - config_.video_latency);
  for (tag.packet = 0; tag.packet < tag.packets; ++tag.packet) {
    peer::MediaPacket packet;
    packet.payload =
        pool_.copy(make_video_payload(tag, size), config_.describes_video ? description_.carried(tag) : Bytes{});
    packet.marker = tag.packet + 1 == tag.packets;
    packet.captured_at = now.mono - config_.video_latency;
    peer::Outgoing outgoing{video_sequence_, video_timestamp_, codec->payload_type, packet.marker};
    outgoing.descriptor = {description_.frame_number(), 31, config_.describes_video, false};
    if (ledger_ != nullptr) {
      ledger_->on_sent(now.mono, number_, true, packet_id(tag), line.ssrc(), static_cast<uint16_t>(video_sequence_));
    }
    peer_->send_media(now, media, packet, outgoing, out);
    ++video_sequence_;
  }
}

// As libwebrtc's SimulcastRateAllocator: from the lowest layer up, each to its best; one that would not get its least
// is off, and those above it. A layer that comes on begins with a key frame.
void Client::allot_layers(std::optional<uint64_t> allowed_bps) {
  constexpr size_t kSizes[] = {200, 500, 1'000};
  constexpr uint64_t kLeastPercent = 30;
  const auto limit = limits_.find("video_main");
  const auto is_wanted = [&](uint8_t layer) {
    if (layer == 0 || !config_.applies_limits || limit == limits_.end()) return true;
    const auto& wanted = limit->second.layers;
    return std::find(wanted.begin(), wanted.end(), layer) != wanted.end();
  };
  uint64_t left = allowed_bps.value_or(UINT64_MAX);
  for (uint8_t i = 0; i < layers_.size(); ++i) {
    SimulcastLayer& layer = layers_[i];
    const uint64_t best = bps_of(kSizes[i]);
    const bool is_on = is_wanted(i) && (i == 0 || left >= best * kLeastPercent / 100);
    if (!is_on) {
      if (is_wanted(i)) left = 0;
      layer.packet_size = 0;
      continue;
    }
    if (layer.packet_size == 0) layer.is_key_frame_due = true;
    layer.packet_size = packet_size(left, kSizes[i]);
    left -= std::min(left, best);
  }
}

// The peer's m-line knows one SSRC; these three are written and protected here. Nothing is sent again.
void Client::send_simulcast(Now now, uint8_t payload_type, SendBatch& out) {
  const auto path = peer_->selected_path();
  const auto& line = peer_->media(line_of(*video_line_));
  if (!path) return;
  for (uint8_t i = 0; i < layers_.size(); ++i) {
    SimulcastLayer& layer = layers_[i];
    layer.timestamp += 3'000;
    peer::PeerTestAccess::know_sent_ssrc(*peer_, line_of(*video_line_), layer.ssrc);
    if (layer.is_muted || layer.packet_size == 0) continue;
    PictureTag tag{layer_publisher(number_, i), layer.frame++, 0, kPacketsPerFrame, layer.is_key_frame_due};
    layer.key_frames_sent += tag.is_key;
    layer.is_key_frame_due = false;
    video_captured_[tag.publisher].push_back(now.mono - layer_latency(i));
    for (; tag.packet < tag.packets; ++tag.packet) {
      const auto sequence = static_cast<uint16_t>(layer.sequence);
      const rtp::Header header{tag.packet + 1 == tag.packets, payload_type, sequence, layer.timestamp, layer.ssrc};
      constexpr std::string_view kRids = "qhf";
      const rtp::ExtensionValue ids[] = {
          {line.extensions().id_of(rtp::Extension::kMid), as_bytes(line.negotiated().mid)},
          {line.extensions().id_of(rtp::Extension::kRid), as_bytes(kRids.substr(i, 1))}};
      Bytes bytes(kMaxDatagramSize);
      size_t size = rtp::write_header(bytes, header, ids);
      const Bytes payload = make_video_payload(tag, layer.packet_size, layer.picture_id);
      std::copy(payload.begin(), payload.end(), bytes.begin() + static_cast<ptrdiff_t>(size));
      size = peer::PeerTestAccess::srtp_out(*peer_).protect_rtp(bytes, size + payload.size(),
                                                                static_cast<uint64_t>(layer.sequence));
      if (ledger_ != nullptr) ledger_->on_sent(now.mono, tag.publisher, true, packet_id(tag), layer.ssrc, sequence);
      out.append(*path, ByteView(bytes).first(size));
      ++layer.sequence;
      ++layer.packets;
    }
    layer.picture_id = (layer.picture_id + 1) & 0x7FFF;
  }
  if (config_.reports_layers && now.mono - layers_reported_at_ >= 1s) report_layers(now, out);
}

// Right after a picture of each layer has gone out. RFC 3550 6.4.1: the time is that of the report, the timestamp what
// is captured then.
void Client::report_layers(Now now, SendBatch& out) {
  layers_reported_at_ = now.mono;
  for (uint8_t i = 0; i < layers_.size(); ++i) {
    const SimulcastLayer& layer = layers_[i];
    if (layer.packets == 0) continue;
    Bytes bytes(kMaxDatagramSize);
    rtcp::CompoundWriter writer(MutByteView(bytes).first(peer::kMaxRtcpSize));
    const auto since_capture = static_cast<uint32_t>(to_us(layer_latency(i)) * 90 / 1'000);
    writer.sender_report({layer.ssrc, to_ntp(now.wall), layer.timestamp + since_capture, layer.packets, 0});
    const size_t size = peer::PeerTestAccess::srtp_out(*peer_).protect_rtcp(bytes, writer.size());
    out.append(*peer_->selected_path(), ByteView(bytes).first(size));
  }
}

}  // namespace atm::sim

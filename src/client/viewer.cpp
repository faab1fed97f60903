#include "client/viewer.h"

#include <algorithm>

#include "wire/payload/opus.h"
#include "wire/payload/red.h"
#include "wire/rtp/header.h"

namespace atm::client {

namespace {

// docs/session-protocol.md, latency mode: how many packets of audio wait at most.
size_t max_audio_packets(std::optional<Duration> playout_delay) {
  if (!playout_delay) return 0;
  struct Row {
    Duration delay;
    size_t packets;
  };
  constexpr Row kRows[] = {{0ms, 10}, {200ms, 20}, {500ms, 25}, {800ms, 40}, {1s, 50}, {2s, 100}};
  for (const Row& row : kRows) {
    if (*playout_delay <= row.delay) return row.packets;
  }
  return kRows[5].packets;
}

// Where nobody speaks, -dBov: a frame more or less is not heard there.
constexpr uint8_t kQuiet = 60;

}  // namespace

Viewer::Viewer(size_t receiver, MediaKind kind, std::optional<Duration> playout_delay)
    : receiver_(receiver), kind_(kind) {
  video_config_.delays = {playout_delay, playout_delay};
  // Audio without any buffer would break at each packet that comes late: at "ultra-low" it follows the jitter.
  if (playout_delay && *playout_delay > 0ms) audio_config_.delays = {playout_delay, playout_delay};
  audio_config_.max_packets = max_audio_packets(playout_delay);
  reset();
}

void Viewer::reset() {
  assembler_.reset();
  pull_at_ = kNever;
  if (kind_ == MediaKind::kVideo) {
    video_.emplace(video_config_);
  } else {
    audio_.emplace(audio_config_);
  }
}

void Viewer::set_sync_delay(Duration delay) {
  if (video_) video_->set_sync_delay(delay);
  if (audio_) audio_->set_sync_delay(delay);
}

std::optional<playout::PlayPoint> Viewer::play_point() const {
  return video_ ? video_->play_point() : audio_->play_point();
}

std::optional<playout::VideoPlayoutStats> Viewer::video_stats() const {
  return video_ ? std::optional(video_->stats()) : std::nullopt;
}

std::optional<playout::AudioPlayoutStats> Viewer::audio_stats() const {
  return audio_ ? std::optional(audio_->stats()) : std::nullopt;
}

void Viewer::on_packet(Now now, const peer::MediaLine& line, const peer::ReceivedPacket& packet) {
  ++packets_;
  bytes_ += packet.view.payload.size();
  const uint8_t payload_type = packet.view.payload_type;
  const auto& codecs = line.negotiated().codecs;
  const auto is_its = [payload_type](const auto& codec) {
    return codec.payload_type == payload_type || codec.red_payload_type == payload_type;
  };
  const auto codec = std::find_if(codecs.begin(), codecs.end(), is_its);
  if (codec == codecs.end()) return;
  if (kind_ == MediaKind::kVideo) {
    on_video(now, *codec, packet);
  } else {
    on_audio(now, line, *codec, packet);
  }
}

void Viewer::on_video(Now now, const negotiation::NegotiatedCodec& codec, const peer::ReceivedPacket& packet) {
  if (!assembler_ || codec_ != codec.codec) {
    codec_ = codec.codec;
    assembler_ = std::make_unique<frames::Assembler>(frames::AssemblerConfig{.codec = codec_});
  }
  const rtp::View& header = packet.view;
  assembler_->on_packet({packet.sequence, header.timestamp, header.marker, packet.view.payload, now.mono});
  take_frames(now);
}

void Viewer::take_frames(Now now) {
  while (assembler_->take(frame_)) {
    playout::VideoFrame frame;
    frame.rtp_timestamp = frame_.timestamp;
    frame.first_packet = frame_.first_arrival;
    frame.arrival = now.mono;
    frame.is_key = frame_.is_key;
    frame.tag = static_cast<uint64_t>(codec_);
    frame.payload = std::move(frame_.bytes);
    video_->push(std::move(frame));
  }
}

void Viewer::on_audio(Now now, const peer::MediaLine& line, const negotiation::NegotiatedCodec& codec,
                      const peer::ReceivedPacket& packet) {
  const rtp::View& header = packet.view;
  if (pull_at_ == kNever) pull_at_ = now.mono;
  const auto value = rtp::find_extension(packet.view, line.extensions().id_of(rtp::Extension::kAudioLevel));
  const auto level = value ? rtp::parse_audio_level(*value) : std::nullopt;
  const bool is_quiet = level && level->level >= kQuiet;
  if (codec.red_payload_type != header.payload_type) {
    push_audio(now, packet.view.payload, header.sequence, header.timestamp, is_quiet);
    return;
  }
  const auto red = payload::parse_red(packet.view.payload);
  if (!red) return;
  // Copies first: each is of the packet as many before this one as it stands before the last block.
  for (size_t i = 0; i < red->count; ++i) {
    const payload::RedBlock& block = red->blocks[i];
    const auto back = static_cast<uint16_t>(red->count - 1 - i);
    push_audio(now, block.data, static_cast<uint16_t>(header.sequence - back),
               header.timestamp - block.timestamp_offset, is_quiet && back == 0);
  }
}

void Viewer::push_audio(Now now, ByteView payload, uint16_t sequence, uint32_t timestamp, bool is_quiet) {
  const auto toc = payload::parse_opus_toc(payload);
  if (!toc) return;
  playout::AudioPacket packet;
  packet.sequence = sequence;
  packet.rtp_timestamp = timestamp;
  packet.arrival = now.mono;
  packet.samples = toc->duration();
  packet.is_dtx = toc->is_dtx;
  packet.is_quiet = is_quiet;
  packet.has_fec = toc->has_fec;
  packet.payload.assign(payload.begin(), payload.end());
  audio_->push(std::move(packet));
}

void Viewer::pull_audio(Now now, std::vector<Event>& out) {
  playout::AudioStep step;
  audio_->pull(now.mono, step);
  if (step.action == playout::AudioAction::kSkip) return;  // and again, at once
  FrameReceived frame;
  frame.receiver = receiver_;
  frame.codec = Codec::kOpus;
  frame.number = number_++;
  frame.render_at = pull_at_;
  frame.length = std::chrono::duration_cast<Duration>(std::chrono::microseconds(step.samples * 1'000'000ull / 48'000));
  switch (step.action) {
    case playout::AudioAction::kPlay:
      frame.timestamp = step.packet.rtp_timestamp;
      frame.bytes = std::move(step.packet.payload);
      break;
    case playout::AudioAction::kFec:
      frame.audio = FrameReceived::Audio::kConcealWithNext;
      frame.bytes.assign(step.fec.begin(), step.fec.end());
      break;
    case playout::AudioAction::kConceal:
    case playout::AudioAction::kInsert:
      frame.audio = FrameReceived::Audio::kConceal;
      break;
    default:
      frame.audio = FrameReceived::Audio::kSilence;
  }
  pull_at_ += frame.length;
  out.emplace_back(std::move(frame));
}

void Viewer::on_timeout(Now now, std::vector<Event>& out) {
  if (kind_ == MediaKind::kAudio) {
    // A loop that was held up catches up, but not on what is long past.
    constexpr Duration kLongPast = 1s;
    if (pull_at_ != kNever && now.mono - pull_at_ > kLongPast) pull_at_ = now.mono;
    while (pull_at_ <= now.mono) pull_audio(now, out);
    return;
  }
  if (assembler_) {
    assembler_->on_timeout(now.mono);
    take_frames(now);
  }
  due_.clear();
  video_->take_due(now.mono, due_);
  for (playout::DueFrame& due : due_) {
    FrameReceived frame;
    frame.receiver = receiver_;
    frame.codec = static_cast<Codec>(due.frame.tag);
    frame.is_key = due.frame.is_key;
    frame.timestamp = due.frame.rtp_timestamp;
    frame.render_at = due.render_at;
    frame.number = number_++;
    frame.bytes = std::move(due.frame.payload);
    out.emplace_back(std::move(frame));
  }
}

Instant Viewer::next_timeout() const {
  if (kind_ == MediaKind::kAudio) return pull_at_;
  return std::min(video_->next_timeout(), assembler_ ? assembler_->next_timeout() : kNever);
}

bool Viewer::wants_key_frame() const {
  if (kind_ != MediaKind::kVideo || !assembler_) return false;
  return assembler_->wants_key_frame() || video_->wants_key_frame();
}

}  // namespace atm::client

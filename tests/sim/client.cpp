#include "client.h"

#include <algorithm>

#include "base/assert.h"

namespace atm0s::sim {

using negotiation::Direction;

Client::Client(uint32_t number, ClientConfig config, SocketAddress address, Now now, Rng& rng)
    : number_(number), config_(std::move(config)), address_(address), dtls_(dtls::Certificate::make(now, rng)) {
  peer::Config peer_config;
  peer_config.role = peer::Role::kClient;
  peer_config.dtls = &dtls_;
  peer_config.addresses = {address_};
  peer_config.local_addresses = {address_};
  peer_ = std::make_unique<peer::Peer>(peer_config, rng);
  peer_->open_channel_when_connected("data");
  const auto add = [&](MediaKind kind, Direction direction, const std::string& track) {
    negotiation::OfferMedia media;
    media.kind = kind;
    media.direction = direction;
    media.mid = std::to_string(media_.size());
    if (direction == Direction::kSendOnly) {
      media.stream_id = "stream";
      media.track_id = track;
      media.ssrc = rng.u32();
      if (kind == MediaKind::kVideo) media.rtx_ssrc = rng.u32();
    }
    media_.push_back(media);
  };
  if (config_.sends_audio) add(MediaKind::kAudio, Direction::kSendOnly, "audio-track");
  if (config_.sends_video) add(MediaKind::kVideo, Direction::kSendOnly, "video-track");
  for (uint32_t i = 0; i < config_.video_receivers; ++i) add(MediaKind::kVideo, Direction::kRecvOnly, "");
  for (uint32_t i = 0; i < config_.audio_receivers; ++i) add(MediaKind::kAudio, Direction::kRecvOnly, "");
}

contract::ConnectRequest Client::connect_request() {
  contract::ConnectRequest request;
  request.room = config_.room;
  request.peer = config_.peer;
  request.grant = config_.grant;
  request.sdp = peer_->make_offer(media_, {});
  if (config_.sends_audio) request.senders.push_back({MediaKind::kAudio, "audio_main", "audio-track", "mic"});
  if (config_.sends_video) request.senders.push_back({MediaKind::kVideo, "video_main", "video-track", "cam"});
  request.receivers = {config_.audio_receivers, config_.video_receivers};
  return request;
}

bool Client::accept(Now now, const std::string& answer, SendBatch& out) {
  peer::Output peer_out{out, packets_, peer_events_};
  const auto result = peer_->accept_answer(now, answer, peer_out);
  return result.has_value();
}

void Client::on_datagram(Now now, const Datagram& datagram, SendBatch& out) {
  if (is_silent_) return;
  peer::Output peer_out{out, packets_, peer_events_};
  peer_->on_datagram(now, datagram, peer_out);
  take_output(now, out);
}

void Client::on_timeout(Now now, SendBatch& out) {
  if (is_silent_) return;
  peer::Output peer_out{out, packets_, peer_events_};
  if (peer_->next_timeout() <= now.mono) peer_->on_timeout(now, peer_out);
  take_output(now, out);
  if (next_audio_ <= now.mono) send_audio(now, out);
  if (next_video_ <= now.mono) send_video(now, out);
}

Instant Client::next_timeout() const {
  if (is_silent_) return kNever;
  return std::min({peer_->next_timeout(), next_audio_, next_video_});
}

void Client::take_output(Now now, SendBatch& out) {
  for (const peer::ReceivedPacket& packet : packets_) {
    const size_t receiver = receiver_index(packet.media);
    if (peer_->media(packet.media).kind() == MediaKind::kVideo) {
      video_[receiver].on_packet(packet.view.payload, packet.sequence, packet.view.timestamp);
      ask_for_picture(now, packet.media, receiver, out);
    } else {
      ++audio_packets_[receiver];
    }
  }
  packets_.clear();
  for (const peer::Event& event : peer_events_) {
    if (const auto* opened = std::get_if<peer::ChannelOpened>(&event)) {
      channel_ = opened->channel;
      if (config_.sends_audio) next_audio_ = now.mono;
      if (config_.sends_video) next_video_ = now.mono;
    } else if (const auto* message = std::get_if<peer::ChannelMessage>(&event)) {
      const auto parsed = json::parse_server_message(message->bytes, message->is_text);
      ASSERT(parsed.has_value());
      if (const auto* answer = std::get_if<contract::RpcAnswer>(&*parsed)) {
        answers_[answer->req_id] = *answer;
      } else {
        on_event(std::get<contract::Event>(*parsed));
      }
    } else if (std::holds_alternative<peer::KeyFrameWanted>(event)) {
      is_key_frame_due_ = true;
    }
  }
  peer_events_.clear();
}

void Client::ask_for_picture(Now now, size_t media, size_t receiver, SendBatch& out) {
  Picture& picture = pictures_[receiver];
  const uint64_t decodable = video_[receiver].decodable_frames();
  if (decodable != picture.decodable || picture.since == Instant{}) {
    picture = {decodable, now.mono};
  } else if (now.mono - picture.since >= kPatience) {
    picture.since = now.mono;
    peer_->request_key_frame(now, media, out);
  }
}

void Client::on_event(const contract::Event& event) {
  events_.push_back(event);
  if (const auto* stream = std::get_if<contract::StreamEvent>(&event)) {
    const std::string key = stream->peer + '/' + stream->stream;
    if (stream->change == contract::PresenceChange::kRemoved) {
      streams_.erase(key);
    } else {
      streams_[key] = *stream;
    }
  } else if (const auto* state = std::get_if<contract::ReceiverStateEvent>(&event)) {
    receiver_states_[state->id] = state->state;
  } else if (const auto* stats = std::get_if<contract::RoomStats>(&event)) {
    room_peers_ = stats->peers;
  }
}

size_t Client::receiver_index(size_t media) const {
  // The data channel's m-line comes first, so m-line i + 1 is media_[i].
  const MediaKind kind = peer_->media(media).kind();
  size_t index = 0;
  for (size_t i = 0; i + 1 < media; ++i) index += media_[i].kind == kind && media_[i].direction == Direction::kRecvOnly;
  return index;
}

uint64_t Client::request(Now now, contract::RpcBody body, SendBatch& out) {
  const uint64_t req_id = next_req_id_++;
  const std::string text = json::to_json(contract::RpcRequest{req_id, std::move(body)});
  peer::Output peer_out{out, packets_, peer_events_};
  ASSERT(channel_ && peer_->send_message(now, *channel_, as_bytes(text), true, peer_out));
  return req_id;
}

uint64_t Client::view(Now now, const std::string& receiver, const std::string& peer, const std::string& stream,
                      SendBatch& out) {
  return request(now, contract::ReceiverSwitch{receiver, 50, {peer, stream}}, out);
}

bool Client::succeeded(uint64_t req_id) const {
  const auto it = answers_.find(req_id);
  return it != answers_.end() && !std::holds_alternative<Error>(it->second.data);
}

void Client::send_audio(Now now, SendBatch& out) {
  next_audio_ = now.mono + kAudioInterval;
  peer::MediaPacket packet;
  packet.payload = pool_.copy(make_audio_payload(number_, audio_counter_++, 80));
  packet.marker = audio_counter_ == 1;
  audio_timestamp_ += 960;
  const size_t media = 1;  // behind the data channel
  const auto& codecs = peer_->media(media).negotiated().codecs;
  if (codecs.empty()) return;
  peer_->send_media(now, media, packet, {audio_sequence_++, audio_timestamp_, codecs[0].payload_type}, out);
}

void Client::send_video(Now now, SendBatch& out) {
  next_video_ = now.mono + kVideoInterval;
  const size_t media = config_.sends_audio ? 2 : 1;
  const auto& line = peer_->media(media);
  const auto vp8 = std::find_if(line.negotiated().codecs.begin(), line.negotiated().codecs.end(),
                                [](const auto& codec) { return codec.codec == Codec::kVp8; });
  if (vp8 == line.negotiated().codecs.end()) return;
  PictureTag tag{number_, frame_++, 0, kPacketsPerFrame, is_key_frame_due_};
  key_frames_sent_ += is_key_frame_due_;
  is_key_frame_due_ = false;
  video_timestamp_ += 3'000;
  for (tag.packet = 0; tag.packet < tag.packets; ++tag.packet) {
    peer::MediaPacket packet;
    packet.payload = pool_.copy(make_video_payload(tag, 900));
    packet.marker = tag.packet + 1 == tag.packets;
    peer_->send_media(now, media, packet, {video_sequence_++, video_timestamp_, vp8->payload_type}, out);
  }
}

}  // namespace atm0s::sim

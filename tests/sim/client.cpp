#include "client.h"

#include <algorithm>
#include <utility>

#include "base/assert.h"

namespace atm::sim {

using negotiation::Direction;

Client::Client(uint32_t number, ClientConfig config, SocketAddress address, Now now, Rng& rng, Ledger* ledger)
    : number_(number),
      config_(std::move(config)),
      address_(address),
      dtls_(dtls::Certificate::make(now, rng)),
      rng_(rng),
      ledger_(ledger) {
  peer::Config peer_config;
  peer_config.role = peer::Role::kClient;
  peer_config.dtls = &dtls_;
  peer_config.addresses = {address_};
  peer_config.local_addresses = {address_};
  peer_config.offers_data_channel = has_channel();
  peer_config.paces_media = false;  // its pictures are of the size they are
  peer_ = std::make_unique<peer::Peer>(peer_config, rng);
  if (has_channel()) peer_->open_channel_when_connected("data");
  if (config_.sends_simulcast) {
    for (SimulcastLayer& layer : layers_) {
      layer.ssrc = rng_.u32();
      layer.timestamp = rng_.u32();
      layer.sequence = 100 + rng_.below(20'000);
      layer.picture_id = static_cast<uint16_t>(rng_.below(0x8000));
    }
  }
  if (config_.sends_audio) publish(MediaKind::kAudio);
  if (config_.sends_video) publish(MediaKind::kVideo);
  for (uint32_t i = 0; i < config_.video_receivers; ++i) add_line(MediaKind::kVideo, Direction::kRecvOnly);
  for (uint32_t i = 0; i < config_.audio_receivers; ++i) add_line(MediaKind::kAudio, Direction::kRecvOnly);
}

size_t Client::add_line(MediaKind kind, Direction direction) {
  negotiation::OfferMedia media;
  media.kind = kind;
  media.direction = direction;
  media.mid = std::to_string(media_.size());
  if (direction == Direction::kSendOnly) {
    media.stream_id = "stream";
    media.track_id = kind == MediaKind::kAudio ? "audio-track" : "video-track";
    media.ssrc = rng_.u32();
    if (kind == MediaKind::kVideo) media.rtx_ssrc = rng_.u32();
  }
  media_.push_back(media);
  return media_.size() - 1;
}

void Client::publish(MediaKind kind) {
  auto& line = kind == MediaKind::kAudio ? audio_line_ : video_line_;
  if (line) {
    media_[*line].direction = Direction::kSendOnly;
  } else {
    line = add_line(kind, Direction::kSendOnly);
  }
  if (kind == MediaKind::kAudio) {
    senders_.push_back({kind, "audio_main", "audio-track", "mic"});
  } else {
    senders_.push_back({kind, "video_main", "video-track", "cam"});
    senders_.back().max_bitrate_bps = config_.max_video_bitrate;
    is_key_frame_due_ = true;
  }
}

void Client::stop_publishing(MediaKind kind) {
  const auto& line = kind == MediaKind::kAudio ? audio_line_ : video_line_;
  media_[*line].direction = Direction::kInactive;
  std::erase_if(senders_, [kind](const auto& sender) { return sender.kind == kind; });
}

void Client::add_receiver(MediaKind kind) {
  add_line(kind, Direction::kRecvOnly);
  ++(kind == MediaKind::kAudio ? config_.audio_receivers : config_.video_receivers);
}

std::string Client::make_offer() {
  std::string offer = peer_->make_offer(media_, {});
  if (config_.sends_simulcast && video_line_) {
    // As Chromium: rids (RFC 8851) and simulcast (RFC 8853) instead of SSRCs.
    const auto begin = offer.find("m=video");
    auto end = offer.find("m=", begin + 2);
    if (end == std::string::npos) end = offer.size();
    std::string section = offer.substr(begin, end - begin);
    for (size_t at = 0; (at = section.find("a=ssrc", at)) != std::string::npos;) {
      section.erase(at, section.find('\n', at) + 1 - at);
    }
    section += "a=rid:q send\r\na=rid:h send\r\na=rid:f send\r\na=simulcast:send q;h;f\r\n";
    offer.replace(begin, end - begin, section);
  }
  if (!config_.gives_feedback) {
    for (const std::string_view text : {"transport-cc", "transport-wide-cc"}) {
      for (size_t at; (at = offer.find(text)) != std::string::npos;) {
        const size_t begin = offer.rfind('\n', at) + 1;
        offer.erase(begin, offer.find('\n', at) + 1 - begin);
      }
    }
  }
  if (config_.takes_red) return offer;
  const auto remove = [&offer](std::string_view text, std::string_view instead) {
    for (size_t at = 0; (at = offer.find(text, at)) != std::string::npos;) offer.replace(at, text.size(), instead);
  };
  remove("SAVPF 63 ", "SAVPF ");
  remove("a=rtpmap:63 red/48000/2\r\n", "");
  remove("a=fmtp:63 111/111\r\n", "");
  return offer;
}

contract::ConnectRequest Client::connect_request() {
  contract::ConnectRequest request;
  request.room = config_.room;
  request.peer = config_.peer;
  request.grant = config_.grant;
  request.codecs = config_.codecs;
  request.playout_delay = config_.playout_delay;
  request.sdp = make_offer();
  request.protocol = config_.protocol;
  request.senders = senders_;
  request.receivers = {config_.audio_receivers, config_.video_receivers};
  request.bitrate_control_mode = config_.bitrate_control_mode;
  request.subscribe_scope = config_.subscribe_scope;
  request.publish_scope = config_.publish_scope;
  request.metadata = config_.metadata;
  request.applies_stream_limits = config_.applies_limits;
  request.mix_minus = config_.mix_minus;
  return request;
}

contract::PeerUpdateSdp Client::make_update() {
  return {make_offer(), senders_, {config_.audio_receivers, config_.video_receivers}};
}

uint64_t Client::update_sdp(Now now, SendBatch& out) {
  return request(now, make_update(), out);
}

bool Client::accept(Now now, const std::string& answer, SendBatch& out) {
  peer::Output peer_out{out, packets_, peer_events_};
  const auto result = peer_->accept_answer(now, answer, peer_out);
  last_answer_ = answer;
  return result.has_value();
}

Now Client::own_time(Now now) const {
  return {now.mono, now.wall + config_.clock_ahead + now.mono.time_since_epoch() * config_.clock_ppm / 1'000'000};
}

void Client::on_datagram(Now worlds, const Datagram& datagram, SendBatch& out) {
  if (is_silent_) return;
  const Now now = own_time(worlds);
  peer::Output peer_out{out, packets_, peer_events_};
  peer_->on_datagram(now, datagram, peer_out);
  if (config_.own_video != nullptr) show_rtcp(now, datagram.bytes, out);
  take_output(now, out);
}

// The peer has decrypted it in place.
void Client::show_rtcp(Now now, ByteView decrypted, SendBatch& out) {
  if (rtp::classify(decrypted) != rtp::PacketClass::kRtcp || decrypted.size() <= srtp::kRtcpOverhead) return;
  if (!is_sending(video_line_)) return;
  config_.own_video->on_rtcp(now, *peer_, line_of(*video_line_),
                             decrypted.first(decrypted.size() - srtp::kRtcpOverhead), out);
}

void Client::on_timeout(Now worlds, SendBatch& out) {
  if (is_silent_) return;
  const Now now = own_time(worlds);
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
    // Numbers are one's own only within an epoch.
    const int64_t number = packet.sequence + static_cast<int64_t>(packet.epoch >> 32 << 40);
    if (peer_->media(packet.media).kind() == MediaKind::kVideo && config_.own_video != nullptr) {
      if (config_.own_video->on_packet(now, peer_->media(packet.media), packet)) {
        peer_->request_key_frame(now, packet.media, out);
      }
    } else if (peer_->media(packet.media).kind() == MediaKind::kVideo) {
      const auto tag = read_video_payload(packet.view.payload);
      if (ledger_ != nullptr && tag) {
        ledger_->on_received(number_, true, tag->publisher, packet_id(*tag), packet.view.ssrc, number);
      }
      video_[receiver].on_packet(packet.view.payload, number, packet.view.timestamp);
      if (tag) seen_[receiver] = {tag->publisher, tag->frame, packet.view.ssrc, packet.view.timestamp};
      const uint8_t delay_id = peer_->media(packet.media).extensions().id_of(rtp::Extension::kPlayoutDelay);
      if (const auto delay = rtp::find_extension(packet.view, delay_id)) {
        playout_delay_ = payload::parse_playout_delay(*delay);
      }
      const uint8_t id = peer_->media(packet.media).extensions().id_of(rtp::Extension::kDependencyDescriptor);
      const auto descriptor = rtp::find_extension(packet.view, id);
      if (tag && (descriptor || described_[receiver].has_any())) {
        described_[receiver].on_packet(descriptor.value_or(ByteView{}), number, *tag);
      } else {
        ask_for_picture(now, packet.media, receiver, out);
      }
    } else {
      const auto* codec = peer_->media(packet.media).find_codec(packet.view.payload_type);
      const bool is_red = codec->red_payload_type == packet.view.payload_type;
      const auto tag = read_sound(packet.view.payload, is_red);
      if (ledger_ != nullptr && tag) {
        ledger_->on_received(number_, false, tag->publisher, tag->counter, packet.view.ssrc, number);
      }
      audio_[receiver].on_packet(packet.view.payload, is_red);
      if (tag) {
        heard_.push_back(
            {now.mono, receiver, tag->publisher, tag->counter, number, packet.view.ssrc, packet.view.timestamp});
      }
    }
  }
  packets_.clear();
  for (const peer::Event& event : peer_events_) {
    if (const auto* opened = std::get_if<peer::ChannelOpened>(&event)) {
      if (channel_) continue;
      channel_ = opened->channel;
      start_sending(now);
    } else if (std::holds_alternative<peer::Connected>(event)) {
      if (!has_channel()) start_sending(now);
    } else if (const auto* message = std::get_if<peer::ChannelMessage>(&event)) {
      if (config_.keeps_messages) messages_.emplace_back(as_text(message->bytes));
      const auto parsed = json::parse_server_message(message->bytes, message->is_text);
      if (!parsed) {
        ++messages_unread_;
        continue;
      }
      if (const auto* answer = std::get_if<contract::RpcAnswer>(&*parsed)) {
        answers_[answer->req_id] = *answer;
        if (const auto* sdp = std::get_if<contract::RpcAnswer::Sdp>(&answer->data))
          answers_refused_ += !accept(now, sdp->sdp, out);
      } else {
        on_event(std::get<contract::Event>(*parsed));
      }
    } else if (const auto* wanted = std::get_if<peer::KeyFrameWanted>(&event)) {
      is_key_frame_due_ = true;
      ++key_frames_wanted_;
      if (config_.own_video != nullptr) config_.own_video->on_key_frame_wanted(wanted->ssrc);
      for (SimulcastLayer& layer : layers_) {
        if (layer.ssrc != wanted->ssrc) continue;
        layer.is_key_frame_due = true;
        ++layer.asked;
      }
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

uint64_t Client::packet_id(const PictureTag& tag) {
  return uint64_t{tag.frame} * kPacketsPerFrame + tag.packet;
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
  } else if (const auto* sender = std::get_if<contract::SenderStateEvent>(&event)) {
    sender_states_[sender->name] = sender->state;
  } else if (const auto* limit = std::get_if<contract::StreamLimitEvent>(&event)) {
    limits_[limit->name] = *limit;
  } else if (const auto* stats = std::get_if<contract::RoomStats>(&event)) {
    room_peers_ = stats->peers;
  }
}

size_t Client::receiver_index(size_t media) const {
  const MediaKind kind = peer_->media(media).kind();
  size_t index = 0;
  for (size_t i = 0; line_of(i) < media; ++i)
    index += media_[i].kind == kind && media_[i].direction == Direction::kRecvOnly;
  return index;
}

uint64_t Client::request(Now now, contract::RpcBody body, SendBatch& out) {
  const uint64_t req_id = next_req_id_++;
  const std::string text = json::to_json(contract::RpcRequest{req_id, std::move(body)});
  peer::Output peer_out{out, packets_, peer_events_};
  ASSERT(channel_ && peer_->send_message(now, *channel_, as_bytes(text), true, peer_out));
  return req_id;
}

void Client::send_raw(Now now, const std::string& bytes, bool is_text, SendBatch& out) {
  peer::Output peer_out{out, packets_, peer_events_};
  peer_->send_message(now, *channel_, as_bytes(bytes), is_text, peer_out);
}

void Client::open_another_channel(Now now, SendBatch& out) {
  peer::Output peer_out{out, packets_, peer_events_};
  peer_->open_channel(now, "data", peer_out);
}

uint64_t Client::view(Now now, const std::string& receiver, const std::string& peer, const std::string& stream,
                      SendBatch& out) {
  return request(now, contract::ReceiverSwitch{receiver, 50, {peer, stream}}, out);
}

bool Client::succeeded(uint64_t req_id) const {
  const auto it = answers_.find(req_id);
  return it != answers_.end() && !std::holds_alternative<Error>(it->second.data);
}

bool Client::is_sending(const std::optional<size_t>& line) const {
  return line && line_of(*line) < peer_->media_count() && peer_->media(line_of(*line)).is_sending();
}

}  // namespace atm::sim

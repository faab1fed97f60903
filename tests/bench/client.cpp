#include "client.h"

#include <algorithm>
#include <utility>

#include "contract/json/rpc.h"
#include "core/peer/known_keys_test.h"
#include "wire/rtp/header.h"

namespace atm::bench {
namespace {

peer::Config peer_config(const SocketAddress& address, const dtls::Context& dtls) {
  peer::Config config;
  config.role = peer::Role::kClient;
  config.dtls = &dtls;
  config.addresses = config.local_addresses = {address};
  return config;
}

}  // namespace

Client::Client(std::string room, std::string name, bool publishes, SocketAddress address, const dtls::Context& dtls,
               Rng& rng)
    : room_(std::move(room)), name_(std::move(name)), publishes_(publishes), peer_(peer_config(address, dtls), rng) {
  peer_.open_channel_when_connected("data");
  for (const MediaKind kind : {MediaKind::kAudio, MediaKind::kVideo}) {
    negotiation::OfferMedia media;
    media.kind = kind;
    media.mid = std::to_string(media_.size());
    media.direction = publishes ? negotiation::Direction::kSendOnly : negotiation::Direction::kRecvOnly;
    if (publishes) {
      media.stream_id = "stream";
      media.track_id = kind == MediaKind::kAudio ? "audio-track" : "video-track";
      media.ssrc = rng.u32();
      if (kind == MediaKind::kVideo) media.rtx_ssrc = rng.u32();
    }
    media_.push_back(std::move(media));
  }
}

contract::ConnectRequest Client::connect_request() {
  contract::ConnectRequest request;
  request.room = room_;
  request.peer = name_;
  request.sdp = peer_.make_offer(media_, {});
  if (publishes_) {
    request.senders = {{MediaKind::kAudio, kAudioStream, "audio-track", "mic"},
                       {MediaKind::kVideo, kVideoStream, "video-track", "cam"}};
  } else {
    request.receivers = {1, 1};
  }
  return request;
}

bool Client::accept(Now now, const std::string& answer, SendBatch& out) {
  peer::Output output{out, packets_, events_};
  return peer_.accept_answer(now, answer, output).has_value();
}

void Client::on_datagram(Now now, const Datagram& datagram, SendBatch& out) {
  peer::Output output{out, packets_, events_};
  peer_.on_datagram(now, datagram, output);
  take_output();
}

void Client::on_timeout(Now now, SendBatch& out) {
  peer::Output output{out, packets_, events_};
  peer_.on_timeout(now, output);
  take_output();
}

void Client::take_output() {
  for (const peer::ReceivedPacket& packet : packets_) check(packet);
  packets_.clear();
  for (const peer::Event& event : events_) {
    if (const auto* opened = std::get_if<peer::ChannelOpened>(&event)) {
      if (!channel_) channel_ = opened->channel;
    } else if (std::holds_alternative<peer::KeyFrameWanted>(event)) {
      key_frame_wanted_ = true;
    }
  }
  events_.clear();
}

void Client::check(const peer::ReceivedPacket& packet) {
  const bool is_video = packet.media == line_of(MediaKind::kVideo);
  Reception& reception = is_video ? video_ : audio_;
  ++reception.packets;
  const bool had_begun = std::exchange(reception.has_begun, true);
  const int64_t step = packet.sequence - std::exchange(reception.sequence, packet.sequence);
  const uint32_t timestamp_before = std::exchange(reception.timestamp, packet.view.timestamp);
  const auto tag = sim::read_video_payload(packet.view.payload);
  if (!tag) {
    ++reception.wrong;
    return;
  }
  const sim::PictureTag before = std::exchange(reception.tag, *tag);
  if (!had_begun) return;
  if (step > 1) reception.missing += static_cast<uint64_t>(step - 1);
  if (step < 1) ++reception.wrong;
  if (step != 1) return;
  const bool is_same_frame = tag->frame == before.frame && tag->packet == before.packet + 1;
  const bool is_next_frame = tag->packet == 0 && before.packet + 1 == before.packets;
  reception.wrong += !(is_same_frame ? timestamp_before == packet.view.timestamp : is_next_frame);
}

void Client::request(Now now, contract::RpcBody body, SendBatch& out) {
  const std::string text = json::to_json(contract::RpcRequest{next_request_++, std::move(body)});
  peer::Output output{out, packets_, events_};
  peer_.send_message(now, *channel_, as_bytes(text), true, output);
}

void Client::view(Now now, const std::string& publisher, SendBatch& out) {
  request(now, contract::ReceiverSwitch{"audio_0", 50, {publisher, kAudioStream}}, out);
  request(now, contract::ReceiverSwitch{"video_0", 50, {publisher, kVideoStream}}, out);
}

// Written here and not by the peer, which would number and pace it by its own estimate.
void Client::publish(Now, MediaKind kind, uint32_t timestamp, bool marker, ByteView payload, SendBatch& out) {
  const peer::MediaLine& line = peer_.media(line_of(kind));
  const auto path = peer_.selected_path();
  const auto& codecs = line.negotiated().codecs;
  const auto codec = std::find_if(codecs.begin(), codecs.end(), [kind](const auto& c) {
    return c.codec == (kind == MediaKind::kVideo ? Codec::kVp8 : Codec::kOpus);
  });
  if (!path || codec == codecs.end()) return;
  int64_t& sequence = kind == MediaKind::kVideo ? video_sequence_ : audio_sequence_;
  uint8_t number[2];
  store_u16(number, next_transport_number_++);
  const uint8_t level[1] = {0x80 | 40};
  const rtp::ExtensionMap& ids = line.extensions();
  const rtp::ExtensionValue extensions[] = {
      {ids.id_of(rtp::Extension::kMid), as_bytes(line.negotiated().mid)},
      {ids.id_of(rtp::Extension::kTransportCc), number},
      {kind == MediaKind::kAudio ? ids.id_of(rtp::Extension::kAudioLevel) : uint8_t{0}, level}};
  const rtp::Header header{marker, codec->payload_type, static_cast<uint16_t>(sequence), timestamp, line.ssrc()};
  MutByteView buffer = out.reserve(kMaxDatagramSize);
  const size_t at = rtp::write_header(buffer, header, extensions);
  std::copy(payload.begin(), payload.end(), buffer.begin() + static_cast<ptrdiff_t>(at));
  const size_t size =
      peer::PeerTestAccess::srtp_out(peer_).protect_rtp(buffer, at + payload.size(), static_cast<uint64_t>(sequence));
  ++sequence;
  out.commit(*path, size);
}

}  // namespace atm::bench

#include "clip_sender.h"

#include <algorithm>

#include "base/assert.h"
#include "core/peer/known_keys_test.h"

namespace atm::layers {
namespace {
constexpr uint32_t kClockRate = 90'000;
constexpr std::string_view kRids = "qhf";  // as sim::Client offers them
}  // namespace

ClipSender::ClipSender(const std::vector<const Clip*>& clips, Vp9Mode vp9_mode, Rng& rng) : clips_(clips), rng_(rng) {
  for (const Clip* clip : clips_) {
    Track track{Packetizer(*clip, vp9_mode, rng), {}, rng.u32(), rng.u32(), rng.u32(), 0, 0, 0, {}};
    track.sequence = 100 + rng.below(20'000);
    track.rtx_sequence = 100 + rng.below(20'000);
    if (clips_.size() > 1) track.rid = std::string(1, kRids[tracks_.size()]);
    tracks_.push_back(std::move(track));
  }
}

// False until the codec is there.
bool ClipSender::begin(const peer::Peer& peer, size_t media) {
  if (payload_type_ != 0) return true;
  const peer::MediaLine& line = peer.media(media);
  for (const negotiation::NegotiatedCodec& codec : line.negotiated().codecs) {
    const bool fits = codec.codec == clips_[0]->codec &&
                      (codec.codec != Codec::kH264 || codec.h264_packetization_mode == 1) && codec.vp9_profile == 0;
    if (!fits || payload_type_ != 0 || !codec.rtx_payload_type) continue;
    payload_type_ = codec.payload_type;
    rtx_payload_type_ = *codec.rtx_payload_type;
  }
  if (tracks_.size() == 1) {
    tracks_[0].ssrc = line.ssrc();
    tracks_[0].rtx_ssrc = line.rtx_ssrc();
  }
  tells_dependencies_ = line.extensions().has(rtp::Extension::kDependencyDescriptor);
  return payload_type_ != 0;
}

Instant ClipSender::send(Now now, peer::Peer& peer, size_t media, SendBatch& out) {
  const Instant next = now.mono + std::chrono::microseconds(1'000'000 / clips_[0]->pictures_per_second);
  if (!peer.selected_path() || !begin(peer, media)) return next;
  std::vector<size_t>& pictures = sent_.emplace_back(Tick{now.mono, {}}).pictures;
  for (size_t i = 0; i < tracks_.size(); ++i) {
    Track& track = tracks_[i];
    if (tracks_.size() > 1) peer::PeerTestAccess::know_sent_ssrc(peer, media, track.ssrc);
    track.timestamp += kClockRate / clips_[i]->pictures_per_second;
    for (Part& part : track.packetizer.put(track.next)) {
      Packet& packet = track.recent[static_cast<uint16_t>(track.sequence)] = {std::move(part), track.timestamp};
      send_packet(peer, media, track, packet, track.sequence, {}, out);
      track.recent.erase(static_cast<uint16_t>(track.sequence - kKept));
      ++track.sequence;
    }
    pictures.push_back(track.next);
    track.next = (track.next + 1) % clips_[i]->pictures();
  }
  return next;
}

void ClipSender::send_packet(peer::Peer& peer, size_t media, const Track& track, const Packet& packet, int64_t sequence,
                             std::optional<uint16_t> repaired, SendBatch& out) {
  const peer::MediaLine& line = peer.media(media);
  const auto id = [&line](rtp::Extension extension) { return line.extensions().id_of(extension); };
  const rtp::Header header{packet.part.marker, repaired ? rtx_payload_type_ : payload_type_,
                           static_cast<uint16_t>(sequence), packet.timestamp, repaired ? track.rtx_ssrc : track.ssrc};
  std::vector<rtp::ExtensionValue> values{{id(rtp::Extension::kMid), as_bytes(line.negotiated().mid)}};
  if (!track.rid.empty()) {
    values.push_back({id(repaired ? rtp::Extension::kRepairedRid : rtp::Extension::kRid), as_bytes(track.rid)});
  }
  if (!packet.part.descriptor.empty()) {
    values.push_back({id(rtp::Extension::kDependencyDescriptor), packet.part.descriptor});
  }
  Bytes bytes(kMaxDatagramSize);
  size_t size = rtp::write_header(bytes, header, values);
  if (repaired) {  // RFC 4588 4: the original number
    store_u16(bytes.data() + size, *repaired);
    size += 2;
  }
  std::copy(packet.part.payload.begin(), packet.part.payload.end(), bytes.begin() + static_cast<ptrdiff_t>(size));
  size = peer::PeerTestAccess::srtp_out(peer).protect_rtp(bytes, size + packet.part.payload.size(),
                                                          static_cast<uint64_t>(sequence));
  out.append(*peer.selected_path(), ByteView(bytes).first(size));
}

void ClipSender::on_key_frame_wanted(uint32_t ssrc) {
  for (size_t i = 0; i < tracks_.size(); ++i) {
    if (tracks_[i].ssrc != ssrc) continue;
    while (!clips_[i]->is_key(tracks_[i].next)) tracks_[i].next = (tracks_[i].next + 1) % clips_[i]->pictures();
  }
}

void ClipSender::on_rtcp(Now, peer::Peer& peer, size_t media, ByteView compound, SendBatch& out) {
  rtcp::for_each_packet(compound, [&](const rtcp::Packet& packet) {
    if (const auto* nack = std::get_if<rtcp::Nack>(&packet)) {
      nack->for_each_sequence([&](uint16_t sequence) { send_again(peer, media, nack->media_ssrc, sequence, out); });
    }
  });
}

void ClipSender::send_again(peer::Peer& peer, size_t media, uint32_t ssrc, uint16_t sequence, SendBatch& out) {
  for (Track& track : tracks_) {
    const auto found = track.recent.find(sequence);
    if (track.ssrc != ssrc || found == track.recent.end()) continue;
    send_packet(peer, media, track, found->second, track.rtx_sequence++, sequence, out);
    ++sent_again_;
  }
}

}  // namespace atm::layers

// Peer: RTP, in and out.
#include <algorithm>
#include <array>

#include "core/peer/peer.h"

namespace atm::peer {

// --- in ---------------------------------------------------------------------------------------------------------

void Peer::on_rtp(Now now, const Datagram& datagram, Output& out) {
  const uint64_t too_many_before = srtp_in_->counters().too_many_ssrcs;
  const auto packet = srtp_in_->unprotect_rtp(datagram.bytes);
  if (!packet) return count_refused_srtp(too_many_before);
  on_authenticated(now, out);
  auto view = rtp::parse(*packet);
  if (!view) {
    ++counters_.drop_malformed;
    return;
  }
  const SsrcTable::Entry* entry = find_received(now, *view);
  if (entry == nullptr) return;
  MediaLine& line = *entry->line;
  stream::ReceiveStream& stream = *entry->stream;
  note_arrival(datagram, *view, line);
  auto via = stream::ReceiveStream::Via::kMedia;
  bool is_known = line.find_codec(view->payload_type) != nullptr;
  if (stream.config().rtx_ssrc == view->ssrc) {
    ++counters_.rtx_received;
    const negotiation::NegotiatedCodec* codec = line.find_codec_by_rtx(view->payload_type);
    if (codec == nullptr) {
      ++counters_.drop_unknown_payload_type;
      return;
    }
    // Padding-only RTX is a publisher's bandwidth probe: nothing is lost with it.
    if (!stream.unwrap_rtx(datagram.arrived, *view, codec->payload_type)) return;
    via = stream::ReceiveStream::Via::kRtx;
    is_known = true;
  }
  const auto received = stream.on_packet(now, datagram.arrived, *view, via);
  next_nack_ = std::min(next_nack_, stream.next_timeout());
  if (stream.take_key_frame_wanted()) out.events.push_back(PictureLost{line.index(), stream.config().ssrc});
  if (!received.accepted) {
    ++counters_.drop_duplicate;
    return;
  }
  if (!is_known) {
    // It has arrived, so it is not asked for again; but nobody can tell what it is.
    ++counters_.drop_unknown_payload_type;
    return;
  }
  ++counters_.rtp_received;
  counters_.rtp_bytes_received += view->packet.size();
  out.packets.push_back(
      {line.index(), received.sequence, line.epoch_of(stream), *view, capture_of(now, stream, *view)});
}

std::optional<Instant> Peer::capture_of(Now now, const stream::ReceiveStream& stream, const rtp::View& view) {
  const auto captured_at = stream.captured_at(now, remote_clock_, view.timestamp);
  if (!captured_at || *captured_at <= now.mono) return captured_at;
  remote_clock_.on_arrival(now.mono, *captured_at);
  return stream.captured_at(now, remote_clock_, view.timestamp);
}

void Peer::count_refused_srtp(uint64_t too_many_before) {
  const bool is_too_many = srtp_in_->counters().too_many_ssrcs != too_many_before;
  ++(is_too_many ? counters_.drop_too_many_ssrcs : counters_.drop_bad_srtp);
}

const SsrcTable::Entry* Peer::find_received(Now now, const rtp::View& view) {
  const SsrcTable::Entry* entry = received_.find(view.ssrc);
  return entry != nullptr ? entry : assign_ssrc(now, view);
}

// RFC 9143 9.2: an SSRC that no a=ssrc line names belongs to the m-line of its MID, and there to the layer of its RID
// or repaired RID (RFC 8852). Senders repeat these until a report has come, so a packet without them is no loss. Of
// senders that know no MID (GStreamer's, encoders of hardware) it belongs to the one m-line with its payload type.
const SsrcTable::Entry* Peer::assign_ssrc(Now now, const rtp::View& view) {
  for (const auto& line : media_) {
    if (!line->is_receiving()) continue;
    const rtp::ExtensionMap& ids = line->extensions();
    const auto mid = rtp::find_extension(view, ids.id_of(rtp::Extension::kMid));
    if (mid ? as_text(*mid) != line->negotiated().mid : line.get() != find_line_by_format(view.payload_type)) continue;
    const auto text_of = [&](rtp::Extension extension) {
      const auto value = rtp::find_extension(view, ids.id_of(extension));
      return value ? as_text(*value) : std::string_view{};
    };
    stream::ReceiveStream* stream = nullptr;
    if (line->find_codec(view.payload_type) != nullptr) {
      const bool was_full = line->is_full();
      const uint32_t evictions = line->evictions();
      stream = line->add_receive_stream(now.mono, view.ssrc, text_of(rtp::Extension::kRid));
      counters_.streams_evicted += line->evictions() - evictions;
      if (stream == nullptr && was_full) {
        ++counters_.drop_too_many_ssrcs;
        return nullptr;
      }
    } else if (line->find_codec_by_rtx(view.payload_type) != nullptr) {
      stream = line->attach_rtx(view.ssrc, text_of(rtp::Extension::kRepairedRid));
    } else {
      ++counters_.drop_unknown_payload_type;
      return nullptr;
    }
    if (stream == nullptr) break;
    index_ssrcs();
    return received_.find(view.ssrc);
  }
  ++counters_.drop_unknown_ssrc;
  return nullptr;
}

const MediaLine* Peer::find_line_by_format(uint8_t payload_type) const {
  const MediaLine* found = nullptr;
  for (const auto& line : media_) {
    if (!line->is_receiving() || line->find_codec(payload_type) == nullptr) continue;
    const negotiation::NegotiatedMedia& agreed = line->negotiated();
    const bool is_named = agreed.extensions.has(rtp::Extension::kMid) || !agreed.remote_ssrcs.empty();
    if (found != nullptr || is_named || !agreed.rids.empty()) return nullptr;
    found = line.get();
  }
  return found;
}

void Peer::index_ssrcs() {
  received_.clear();
  sent_.clear();
  for (const auto& line : media_) {
    for (const auto& stream : line->receive_streams()) {
      if (!line->is_receiving()) break;
      received_.add({stream->config().ssrc, line.get(), stream.get()});
      if (stream->config().rtx_ssrc) received_.add({*stream->config().rtx_ssrc, line.get(), stream.get()});
    }
    for (uint8_t i = 0; i < line->send_layers() && line->send_stream(i) != nullptr; ++i) {
      sent_.add({line->ssrc(i), line.get(), nullptr, i});
      if (line->rtx_ssrc(i) != 0) sent_.add({line->rtx_ssrc(i), line.get(), nullptr, i});
    }
  }
}

// --- out --------------------------------------------------------------------------------------------------------

namespace {

using Extensions = std::array<rtp::ExtensionValue, stream::KeptExtensions::kMaxValues + 5>;

// The transport-wide number of one packet, where its m-line negotiated them.
struct TransportNumber {
  TransportNumber(bool is_wanted, bwe::Controller& estimator, const MediaLine& line)
      : id(is_wanted ? line.extensions().id_of(rtp::Extension::kTransportCc) : uint8_t{0}) {
    if (id != 0) store_u16(bytes.data(), estimator.next_sequence());
  }
  std::optional<uint16_t> value() const { return id == 0 ? std::nullopt : std::optional(load_u16(bytes.data())); }

  uint8_t id;
  std::array<uint8_t, 2> bytes{};
};

// The dependency descriptor of one packet as this subscriber gets it, where its m-line negotiated one.
struct Descriptor {
  Descriptor() = default;
  Descriptor(const stream::SentPacket& sent, const MediaLine& line) {
    const uint8_t negotiated = line.extensions().id_of(rtp::Extension::kDependencyDescriptor);
    if (!sent.descriptor.is_set || negotiated == 0) return;
    size = payload::write_carried_descriptor(sent.payload.trailer(), sent.descriptor, bytes);
    if (size != 0) id = negotiated;
  }

  uint8_t id = 0;
  size_t size = 0;
  std::array<uint8_t, payload::kMaxWrittenDescriptor> bytes;
};

// RTP header, extensions, tag, and IPv4 and UDP in front: about what a packet takes beside its payload.
constexpr size_t kPacketOverhead = 72;

// A longer MID would need the two-byte form (RFC 8285 4.2); browsers' have a few bytes.
constexpr size_t kOneByteFormValue = 16;

// The kept extensions under the ids of this subscriber, the descriptor first; what it did not negotiate is stripped.
// The MID goes with them until a report tells that our SSRC has arrived (RFC 9143 9.2): media of a new m-line overtakes
// the answer that names its SSRC, and Firefox gives an SSRC that it cannot place to whichever m-line has the payload
// type. With the MID goes the rid of a simulcast layer, under `rid` (RFC 8852: RID, or repaired RID in RTX).
// `playout_delay`: the session's own, which takes the place of a publisher's; empty: it has none. A browser keeps it
// until it is told another one, so it too goes out until the report, and then where a key frame starts: whoever begins
// to decode has it, at no cost for the packets between.
std::span<const rtp::ExtensionValue> with_ids(const Descriptor& descriptor, const stream::SentPacket& packet,
                                              ByteView playout_delay, const MediaLine& line, uint8_t layer,
                                              rtp::Extension rid, const TransportNumber& number, Extensions& out) {
  const rtp::ExtensionMap& ids = line.extensions();
  size_t count = 0;
  if (descriptor.id != 0) out[count++] = {descriptor.id, ByteView(descriptor.bytes).first(descriptor.size)};
  packet.extensions.for_each([&](rtp::Extension extension, ByteView value) {
    if (extension == rtp::Extension::kPlayoutDelay && !playout_delay.empty()) return;
    if (const uint8_t id = ids.id_of(extension); id != 0) out[count++] = {id, value};
  });
  const bool has_arrived = line.send_stream(layer)->remote_report().has_value();
  const std::string& mid = line.negotiated().mid;
  const uint8_t mid_id = ids.id_of(rtp::Extension::kMid);
  if (mid_id != 0 && !has_arrived && !mid.empty() && mid.size() <= kOneByteFormValue) {
    out[count++] = {mid_id, as_bytes(mid)};
  }
  if (line.send_layers() > 1 && !has_arrived) {
    if (const uint8_t id = ids.id_of(rid); id != 0) out[count++] = {id, as_bytes(line.rid(layer))};
  }
  const uint8_t delay_id = ids.id_of(rtp::Extension::kPlayoutDelay);
  if (delay_id != 0 && !playout_delay.empty() && (!has_arrived || packet.starts_key_frame)) {
    out[count++] = {delay_id, playout_delay};
  }
  if (number.id != 0) out[count++] = {number.id, number.bytes};
  return {out.data(), count};
}

// write(room, extensions) gives the bytes written or 0. With all extensions where that keeps to kMediaBudget, else with
// the descriptor alone, as far as a datagram goes: a frame of which one packet has none could not be decoded.
template <typename Write>
size_t write_within_budget(MutByteView buffer, std::span<const rtp::ExtensionValue> extensions,
                           const Descriptor& descriptor, Counters& counters, Write write) {
  const size_t size = write(buffer.first(kMediaBudget - srtp::kRtpOverhead), extensions);
  if (size != 0) return size;
  const size_t needed = descriptor.id != 0 ? 1 : 0;
  counters.extensions_dropped += extensions.size() > needed;
  return write(buffer.first(kMaxDatagramSize - srtp::kRtpOverhead), extensions.first(needed));
}

}  // namespace

bool Peer::send_media(Now now, size_t media, const MediaPacket& packet, const Outgoing& outgoing,
                      SendBatch& datagrams) {
  MediaLine& line = *media_[media];
  const uint8_t layer = line.send_layer_of(packet.simulcast_layer);
  const bool is_late = outgoing.sequence < line.next_sequence(layer);
  line.on_numbered(outgoing.sequence, layer);
  if (!is_paced()) return write_media(now, media, packet, outgoing, {}, datagrams);
  auto kind = line.kind() == MediaKind::kAudio ? pace::Class::kAudio : pace::Class::kVideo;
  // The remote has a gap there already: if it waited, it would be asked for again.
  if (kind == pace::Class::kVideo && outgoing.sequence < line.next_unsent(layer)) kind = pace::Class::kRetransmission;
  const size_t size = packet.payload.bytes().size() + kPacketOverhead;
  prepare_pacer(now);
  if (const auto ahead = pacer_.pass(now.mono, kind, size)) {
    return write_media(now, media, packet, outgoing, {{}, *ahead}, datagrams);
  }
  const uint64_t dropped = pacer_.counters().dropped_video + pacer_.counters().dropped_other;
  Paced paced{media, line.ssrc(layer), packet, outgoing};
  if (kind == pace::Class::kVideo && is_late) {
    pacer_.enqueue_before(now.mono, size, std::move(paced), [&](const Paced& waiting) {
      return waiting.ssrc == line.ssrc(layer) && waiting.outgoing.sequence > outgoing.sequence;
    });
  } else {
    pacer_.enqueue(now.mono, kind, size, std::move(paced));
  }
  counters_.drop_paced += pacer_.counters().dropped_video + pacer_.counters().dropped_other - dropped;
  release_paced(now, datagrams);
  return true;
}

bool Peer::write_media(Now now, size_t media, const MediaPacket& packet, const Outgoing& outgoing, const Turn& turn,
                       SendBatch& datagrams) {
  MediaLine& line = *media_[media];
  const auto& path = ice_.selected();
  if (!path || srtp_out_ == nullptr || !line.is_sending()) {
    ++counters_.drop_not_ready;
    return false;
  }
  const uint8_t layer = line.send_layer_of(packet.simulcast_layer);
  stream::SendStream& stream = *line.send_stream(layer);
  const negotiation::NegotiatedCodec* codec = line.find_codec(outgoing.payload_type);
  stream::SentPacket sent;
  sent.sequence = static_cast<uint16_t>(outgoing.sequence);
  sent.timestamp = outgoing.timestamp;
  sent.marker = outgoing.marker;
  sent.starts_key_frame = packet.starts_key_frame;
  sent.patch = outgoing.patch;
  sent.descriptor = outgoing.descriptor;
  sent.payload_type = outgoing.payload_type;
  sent.rtx_payload_type = codec != nullptr ? codec->rtx_payload_type.value_or(0) : 0;
  sent.extensions = packet.extensions;
  sent.payload = packet.payload;

  const TransportNumber number(config_.paces_media, estimator_, line);
  const Descriptor descriptor(sent, line);
  Extensions storage;
  MutByteView buffer = datagrams.reserve(kMaxDatagramSize);
  const size_t plain = write_within_budget(
      buffer, with_ids(descriptor, sent, own_playout_delay(), line, layer, rtp::Extension::kRid, number, storage),
      descriptor, counters_, [&](MutByteView room, auto extensions) { return stream.write(room, sent, extensions); });
  const size_t size = plain == 0 ? 0 : srtp_out_->protect_rtp(buffer, plain, static_cast<uint64_t>(outgoing.sequence));
  datagrams.commit(*path, size);
  if (size == 0) {
    ++counters_.drop_too_large;
    return false;
  }
  line.on_sent(outgoing.sequence, layer);
  note_sent(now, number.value(), size, turn);
  stream.on_sent(now, sent, packet.captured_at);
  // Without RTX: these very bytes again, or nothing.
  if (codec != nullptr && codec->nack && sent.rtx_payload_type == 0) {
    stream.keep_ciphertext(now, sent.sequence, buffer.first(size));
  }
  ++counters_.rtp_sent;
  counters_.rtp_bytes_sent += size;
  return true;
}

void Peer::resend(Now now, const SsrcTable::Entry& entry, uint16_t sequence, SendBatch& datagrams) {
  MediaLine& line = *entry.line;
  const auto& path = ice_.selected();
  if (!path || srtp_out_ == nullptr || !line.is_sending()) return;
  if (!resend_budget_.is_open(now.mono)) {
    ++counters_.drop_resend_budget;
    return;
  }
  stream::SendStream& stream = *line.send_stream(entry.layer);
  if (stream.has_ciphertext(now, sequence)) {
    const ByteView bytes = stream.find_ciphertext(now, sequence);
    if (bytes.empty()) return;
    datagrams.append(*path, bytes);
    resend_budget_.charge(static_cast<int64_t>(bytes.size()));
    if (is_paced()) pacer_.charge(now.mono, bytes.size());
    ++counters_.again_sent;
    return;
  }
  const stream::SentPacket* sent = stream.find_for_retransmission(now, sequence);
  if (sent == nullptr) return;
  const TransportNumber number(config_.paces_media, estimator_, line);
  const Descriptor descriptor(*sent, line);
  Extensions storage;
  MutByteView buffer = datagrams.reserve(kMaxDatagramSize);
  const size_t plain = write_within_budget(buffer,
                                           with_ids(descriptor, *sent, own_playout_delay(), line, entry.layer,
                                                    rtp::Extension::kRepairedRid, number, storage),
                                           descriptor, counters_, [&](MutByteView room, auto extensions) {
                                             return stream.write_rtx(room, *sent, extensions);
                                           });
  const size_t size = protect_rtx(line, entry.layer, buffer, plain);
  datagrams.commit(*path, size);
  if (size == 0) {
    ++counters_.drop_too_large;
    return;
  }
  resend_budget_.charge(static_cast<int64_t>(size));
  note_sent(now, number.value(), size, {});
  if (is_paced()) pacer_.charge(now.mono, size);
  ++counters_.rtx_sent;
}

// `plain`: bytes of the packet in `buffer`, 0 when none was written.
size_t Peer::protect_rtx(MediaLine& line, uint8_t layer, MutByteView buffer, size_t plain) {
  if (plain == 0) return 0;
  const int64_t index = line.rtx_index(load_u16(buffer.data() + 2), layer);
  return srtp_out_->protect_rtp(buffer, plain, static_cast<uint64_t>(index));
}

// On an RTX SSRC, where padding is nobody's loss.
void Peer::send_padding(Now now, uint8_t padding, Probe probe, SendBatch& datagrams) {
  const auto& path = ice_.selected();
  MediaLine* line = find_padding_line();
  if (!path || srtp_out_ == nullptr || line == nullptr) return;
  const auto& codecs = line->negotiated().codecs;
  const auto codec = std::find_if(codecs.begin(), codecs.end(), [](const auto& c) { return c.rtx_payload_type; });
  const TransportNumber number(config_.paces_media, estimator_, *line);
  Extensions storage;
  MutByteView buffer = datagrams.reserve(kMaxDatagramSize);
  const size_t plain =
      line->send_stream()->write_padding(buffer, *codec->rtx_payload_type, padding,
                                         with_ids({}, {}, {}, *line, 0, rtp::Extension::kRepairedRid, number, storage));
  const size_t size = protect_rtx(*line, 0, buffer, plain);
  datagrams.commit(*path, size);
  if (size == 0) return;
  note_sent(now, number.value(), size, {probe});
  ++counters_.probes_sent;
}

}  // namespace atm::peer

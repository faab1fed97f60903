// Peer: RTP and RTCP, in and out.
#include <algorithm>
#include <array>

#include "core/peer/peer.h"
#include "wire/rtcp/writer.h"

namespace atm0s::peer {

// --- in ---------------------------------------------------------------------------------------------------------

void Peer::on_rtp(Now now, const Datagram& datagram, Output& out) {
  if (srtp_in_ == nullptr) {
    ++counters_.drop_not_ready;
    return;
  }
  const auto packet = srtp_in_->unprotect_rtp(datagram.bytes);
  if (!packet) {
    ++counters_.drop_bad_srtp;
    return;
  }
  last_authenticated_ = now.mono;
  auto view = rtp::parse(*packet);
  if (!view) {
    ++counters_.drop_malformed;
    return;
  }
  stream::ReceiveStream* stream = nullptr;
  MediaLine* line = find_receive_line(*view, stream);
  if (line == nullptr) {
    ++counters_.drop_unknown_ssrc;
    return;
  }
  auto via = stream::ReceiveStream::Via::kMedia;
  if (stream->config().rtx_ssrc == view->ssrc) {
    ++counters_.rtx_received;
    const negotiation::NegotiatedCodec* codec = line->find_codec_by_rtx(view->payload_type);
    // Padding-only RTX is a publisher's bandwidth probe: nothing is lost with it.
    if (codec == nullptr || !stream->unwrap_rtx(datagram.arrived, *view, codec->payload_type)) return;
    via = stream::ReceiveStream::Via::kRtx;
  }
  const auto received = stream->on_packet(now, datagram.arrived, *view, via);
  next_nack_ = std::min(next_nack_, stream->next_timeout());
  if (stream->take_key_frame_wanted()) out.events.push_back(PictureLost{line->index()});
  if (!received.accepted) {
    ++counters_.drop_duplicate;
    return;
  }
  ++counters_.rtp_received;
  counters_.rtp_bytes_received += view->packet.size();
  out.packets.push_back({line->index(), received.sequence, line->epoch_of(*stream), *view});
}

MediaLine* Peer::find_receive_line(const rtp::View& view, stream::ReceiveStream*& stream) {
  for (const auto& line : media_) {
    if (!line->is_receiving()) continue;
    stream = line->find_receive_stream(view.ssrc);
    if (stream != nullptr) return line.get();
  }
  // RFC 9143 9.2: an SSRC that no a=ssrc line names belongs to the m-line of its MID.
  for (const auto& line : media_) {
    if (!line->is_receiving()) continue;
    const auto mid = rtp::find_extension(view, line->extensions().id_of(rtp::Extension::kMid));
    if (!mid || as_text(*mid) != line->negotiated().mid) continue;
    stream = line->add_receive_stream(view.ssrc, line->find_codec(view.payload_type) == nullptr);
    if (stream != nullptr) return line.get();
  }
  return nullptr;
}

void Peer::on_rtcp(Now now, const Datagram& datagram, Output& out) {
  if (srtp_in_ == nullptr) {
    ++counters_.drop_not_ready;
    return;
  }
  const auto compound = srtp_in_->unprotect_rtcp(datagram.bytes);
  if (!compound) {
    ++counters_.drop_bad_srtp;
    return;
  }
  last_authenticated_ = now.mono;
  const bool is_good =
      rtcp::for_each_packet(*compound, [&](const rtcp::Packet& packet) { on_rtcp_packet(now, packet, out); });
  if (!is_good) ++counters_.drop_malformed;
}

void Peer::on_rtcp_packet(Now now, const rtcp::Packet& packet, Output& out) {
  const auto on_blocks = [&](const rtcp::ReportBlocks& blocks) {
    for (const rtcp::ReportBlock block : blocks) {
      MediaLine* line = find_send_line(block.ssrc);
      if (line == nullptr) continue;
      if (const auto rtt = line->send_stream()->on_report_block(now, block)) set_rtt(*rtt);
    }
  };
  const auto want_key_frame = [&](uint32_t ssrc) {
    const MediaLine* line = find_send_line(ssrc);
    if (line == nullptr) return;
    ++counters_.key_frame_requests_received;
    out.events.push_back(KeyFrameWanted{line->index()});
  };
  if (const auto* report = std::get_if<rtcp::SenderReport>(&packet)) {
    for (const auto& line : media_) {
      if (auto* stream = line->find_receive_stream(report->sender.ssrc)) stream->on_sender_report(now, report->sender);
    }
    on_blocks(report->blocks);
  } else if (const auto* receiver = std::get_if<rtcp::ReceiverReport>(&packet)) {
    on_blocks(receiver->blocks);
  } else if (const auto* nack = std::get_if<rtcp::Nack>(&packet)) {
    on_nack(now, *nack, out.datagrams);
  } else if (const auto* pli = std::get_if<rtcp::Pli>(&packet)) {
    want_key_frame(pli->media_ssrc);
  } else if (const auto* fir = std::get_if<rtcp::Fir>(&packet)) {
    for (const rtcp::FirEntry entry : fir->entries) want_key_frame(entry.ssrc);
  }
}

void Peer::set_rtt(Duration rtt) {
  for (const auto& line : media_) {
    for (const auto& stream : line->receive_streams()) stream->set_rtt(rtt);
  }
}

void Peer::on_nack(Now now, const rtcp::Nack& nack, SendBatch& datagrams) {
  MediaLine* line = find_send_line(nack.media_ssrc);
  if (line == nullptr) return;
  nack.for_each_sequence([&](uint16_t sequence) {
    ++counters_.nacks_received;
    resend(now, *line, sequence, datagrams);
  });
}

MediaLine* Peer::find_send_line(uint32_t ssrc) {
  for (const auto& line : media_) {
    if (line->send_stream() != nullptr && (line->ssrc() == ssrc || line->rtx_ssrc() == ssrc)) return line.get();
  }
  return nullptr;
}

// --- out --------------------------------------------------------------------------------------------------------

namespace {

using Extensions = std::array<rtp::ExtensionValue, stream::KeptExtensions::kMaxValues>;

// The kept extensions under the ids of this subscriber; what it did not negotiate is stripped.
std::span<const rtp::ExtensionValue> with_ids(const stream::KeptExtensions& kept, const rtp::ExtensionMap& ids,
                                              Extensions& out) {
  size_t count = 0;
  kept.for_each([&](rtp::Extension extension, ByteView value) {
    if (const uint8_t id = ids.id_of(extension); id != 0) out[count++] = {id, value};
  });
  return {out.data(), count};
}

}  // namespace

bool Peer::send_media(Now now, size_t media, const MediaPacket& packet, const Outgoing& outgoing,
                      SendBatch& datagrams) {
  MediaLine& line = *media_[media];
  const auto& path = ice_.selected();
  if (!path || srtp_out_ == nullptr || !line.is_sending()) {
    ++counters_.drop_not_ready;
    return false;
  }
  const negotiation::NegotiatedCodec* codec = line.find_codec(outgoing.payload_type);
  stream::SentPacket sent;
  sent.sequence = static_cast<uint16_t>(outgoing.sequence);
  sent.timestamp = outgoing.timestamp;
  sent.marker = packet.marker;
  sent.payload_type = outgoing.payload_type;
  sent.rtx_payload_type = codec != nullptr ? codec->rtx_payload_type.value_or(0) : 0;
  sent.extensions = packet.extensions;
  sent.payload = packet.payload;

  Extensions storage;
  MutByteView buffer = datagrams.reserve(kMaxDatagramSize);
  const size_t plain = line.send_stream()->write(buffer.first(kMaxDatagramSize - srtp::kRtpOverhead), sent,
                                                 with_ids(sent.extensions, line.extensions(), storage));
  const size_t size = plain == 0 ? 0 : srtp_out_->protect_rtp(buffer, plain, static_cast<uint64_t>(outgoing.sequence));
  datagrams.commit(*path, size);
  if (size == 0) {
    ++counters_.drop_too_large;
    return false;
  }
  line.send_stream()->on_sent(now, sent);
  line.on_sent(outgoing.sequence);
  ++counters_.rtp_sent;
  counters_.rtp_bytes_sent += size;
  return true;
}

void Peer::resend(Now now, MediaLine& line, uint16_t sequence, SendBatch& datagrams) {
  const auto& path = ice_.selected();
  if (!path || srtp_out_ == nullptr || !line.is_sending()) return;
  const stream::SentPacket* sent = line.send_stream()->find_for_retransmission(now, sequence);
  if (sent == nullptr) return;
  Extensions storage;
  MutByteView buffer = datagrams.reserve(kMaxDatagramSize);
  const size_t plain = line.send_stream()->write_rtx(buffer.first(kMaxDatagramSize - srtp::kRtpOverhead), *sent,
                                                     with_ids(sent->extensions, line.extensions(), storage));
  size_t size = 0;
  if (plain != 0) {
    const int64_t index = line.rtx_index(load_u16(buffer.data() + 2));
    size = srtp_out_->protect_rtp(buffer, plain, static_cast<uint64_t>(index));
  }
  datagrams.commit(*path, size);
  if (size != 0) ++counters_.rtx_sent;
}

// --- RTCP out ---------------------------------------------------------------------------------------------------

// `write` fills one compound; it goes out protected, or not at all when nothing was written or there is no way yet.
template <typename Write>
void Peer::send_rtcp(SendBatch& datagrams, Write write) {
  const auto& path = ice_.selected();
  if (!path || srtp_out_ == nullptr) return;
  MutByteView buffer = datagrams.reserve(kMaxDatagramSize);
  rtcp::CompoundWriter writer(buffer.first(kMaxRtcpSize));
  write(writer);
  const size_t size = writer.empty() ? 0 : srtp_out_->protect_rtcp(buffer, writer.size());
  datagrams.commit(*path, size);
}

uint32_t Peer::reporting_ssrc() const {
  for (const auto& line : media_) {
    if (line->send_stream() != nullptr && line->is_sending()) return line->ssrc();
  }
  return 1;  // RFC 3550 has no SSRC for one who only receives; libwebrtc uses 1 too
}

void Peer::send_reports(Now now, SendBatch& datagrams) {
  std::vector<rtcp::ReportBlock> blocks;
  std::vector<uint32_t> video_ssrcs;
  for (const auto& line : media_) {
    for (const auto& stream : line->receive_streams()) {
      if (const auto block = stream->make_report_block(now)) blocks.push_back(*block);
      if (const auto block = stream->make_rtx_report_block(now)) blocks.push_back(*block);
      if (line->kind() == MediaKind::kVideo && stream->counters().packets > 0)
        video_ssrcs.push_back(stream->config().ssrc);
    }
  }
  for (const auto& line : media_) {
    stream::SendStream* stream = line->send_stream();
    if (stream == nullptr || !line->is_sending()) continue;
    stream->drop_old(now);
    if (const auto info = stream->make_sender_report(now)) {
      send_rtcp(datagrams, [&](rtcp::CompoundWriter& writer) {
        writer.sender_report(*info);
        writer.source_name(info->ssrc, cname_);
      });
    }
  }
  for (size_t at = 0; at < blocks.size(); at += rtcp::kMaxReportBlocks) {
    const size_t count = std::min(rtcp::kMaxReportBlocks, blocks.size() - at);
    send_rtcp(datagrams, [&](rtcp::CompoundWriter& writer) {
      writer.receiver_report(reporting_ssrc(), std::span(blocks).subspan(at, count));
      writer.source_name(reporting_ssrc(), cname_);
      if (at == 0 && config_.max_incoming_video_bps != 0 && !video_ssrcs.empty()) {
        writer.remb(reporting_ssrc(), config_.max_incoming_video_bps, video_ssrcs);
      }
    });
  }
}

void Peer::send_nacks(Now now, Output& out) {
  next_nack_ = kNever;
  for (const auto& line : media_) {
    for (const auto& stream : line->receive_streams()) {
      nack_list_.clear();
      stream->collect_nacks(now, nack_list_);
      next_nack_ = std::min(next_nack_, stream->next_timeout());
      std::span<const uint16_t> left(nack_list_);
      counters_.nacks_sent += left.size();
      while (!left.empty()) {
        size_t written = 0;
        send_rtcp(out.datagrams, [&](rtcp::CompoundWriter& writer) {
          written = writer.nack(reporting_ssrc(), stream->config().ssrc, left);
        });
        if (written == 0) break;
        left = left.subspan(written);
      }
      if (stream->take_key_frame_wanted()) out.events.push_back(PictureLost{line->index()});
    }
  }
}

void Peer::request_key_frame(Now, size_t media, SendBatch& datagrams) {
  for (const auto& stream : media_[media]->receive_streams()) {
    ++counters_.key_frame_requests_sent;
    send_rtcp(datagrams, [&](rtcp::CompoundWriter& writer) { writer.pli(reporting_ssrc(), stream->config().ssrc); });
  }
}

}  // namespace atm0s::peer

// Peer: RTCP, in and out.
#include <algorithm>
#include <array>

#include "core/peer/peer.h"
#include "wire/rtcp/writer.h"

namespace atm::peer {
namespace {
// SSRCs that a REMB names: what is left of a compound beside a full report has room for them.
constexpr size_t kNamedInRemb = 64;
}  // namespace

// --- in ---------------------------------------------------------------------------------------------------------

void Peer::on_rtcp(Now now, const Datagram& datagram, Output& out) {
  if (!rtcp_budget_.take(now.mono)) {
    ++counters_.drop_rtcp_rate;
    return;
  }
  const uint64_t too_many_before = srtp_in_->counters().too_many_ssrcs;
  const auto compound = srtp_in_->unprotect_rtcp(datagram.bytes);
  if (!compound) return count_refused_srtp(too_many_before);
  on_authenticated(now, out);
  const bool is_good =
      rtcp::for_each_packet(*compound, [&](const rtcp::Packet& packet) { on_rtcp_packet(now, packet, out); });
  if (!is_good) ++counters_.drop_malformed;
}

void Peer::on_rtcp_packet(Now now, const rtcp::Packet& packet, Output& out) {
  using Feedback = stream::SendStream::Feedback;
  const auto want_key_frame = [&](uint32_t ssrc, Feedback message) {
    const SsrcTable::Entry* sent = sent_.find(ssrc);
    if (sent == nullptr) return;
    ++counters_.key_frame_requests_received;
    sent->line->send_stream(sent->layer)->count(message);
    out.events.push_back(KeyFrameWanted{sent->line->index(), ssrc, sent->layer});
  };
  if (const auto* report = std::get_if<rtcp::SenderReport>(&packet)) {
    const SsrcTable::Entry* entry = received_.find(report->sender.ssrc);
    if (entry != nullptr) {
      entry->stream->on_sender_report(now, report->sender);
      remote_clock_.on_report(now.mono, report->sender.ntp);
    }
    on_report_blocks(now, report->blocks);
  } else if (const auto* receiver = std::get_if<rtcp::ReceiverReport>(&packet)) {
    on_report_blocks(now, receiver->blocks);
  } else if (const auto* nack = std::get_if<rtcp::Nack>(&packet)) {
    on_nack(now, *nack, out.datagrams);
  } else if (const auto* pli = std::get_if<rtcp::Pli>(&packet)) {
    want_key_frame(pli->media_ssrc, Feedback::kPli);
  } else if (const auto* fir = std::get_if<rtcp::Fir>(&packet)) {
    for (const rtcp::FirEntry entry : fir->entries) want_key_frame(entry.ssrc, Feedback::kFir);
  } else if (const auto* bye = std::get_if<rtcp::Bye>(&packet)) {
    on_bye(*bye);
  } else if (const auto* feedback = std::get_if<rtcp::TransportFeedback>(&packet)) {
    on_transport_feedback(now, *feedback, out.datagrams);
  } else if (const auto* remb = std::get_if<rtcp::Remb>(&packet)) {
    estimator_.on_remb(now, remb->bitrate_bps);
  } else if (const auto* extended = std::get_if<rtcp::ExtendedReport>(&packet)) {
    on_extended_report(now, *extended);
  }
}

// Blocks about what we do not send are of no matter.
void Peer::on_report_blocks(Now now, const rtcp::ReportBlocks& blocks) {
  uint8_t most_lost = 0;
  for (const rtcp::ReportBlock block : blocks) {
    const SsrcTable::Entry* sent = sent_.find(block.ssrc);
    if (sent == nullptr) continue;
    most_lost = std::max(most_lost, block.fraction_lost);
    const auto rtt = sent->line->send_stream(sent->layer)->on_report_block(now, block);
    if (!rtt) continue;
    round_trips_.as_sender = stream::smooth(round_trips_.as_sender, *rtt);
    set_rtt(*round_trips_.as_sender);
    estimator_.on_rtt(*rtt);
  }
  if (estimator_.is_informed() && !estimator_.has_feedback()) estimator_.on_loss_report(now, most_lost);
}

void Peer::on_bye(const rtcp::Bye& bye) {
  for (const uint32_t ssrc : bye.ssrcs) {
    const SsrcTable::Entry* entry = received_.find(ssrc);
    if (entry == nullptr || entry->stream->config().ssrc != ssrc) continue;
    ++counters_.byes_received;
    entry->stream->on_bye();
  }
}

void Peer::on_extended_report(Now now, const rtcp::ExtendedReport& report) {
  ByteView blocks = report.blocks;
  while (const auto block = rtcp::take_extended_block(blocks)) {
    if (const auto* time = std::get_if<rtcp::ReferenceTime>(&*block)) {
      std::erase_if(reference_times_, [&](const auto& t) { return t.ssrc == report.ssrc; });
      if (reference_times_.size() == kMaxReferenceTimes) reference_times_.erase(reference_times_.begin());
      reference_times_.push_back({report.ssrc, static_cast<uint32_t>(time->ntp >> 16), now.mono});
    } else if (const auto* delays = std::get_if<rtcp::DelaysSinceLastRr>(&*block)) {
      for (const rtcp::DelaySinceLastRr delay : *delays) {
        const auto rtt = reference_times_sent_.round_trip(now, delay.last_rr, delay.delay);
        if (!rtt) continue;
        round_trips_.as_receiver = stream::smooth(round_trips_.as_receiver, *rtt);
        set_rtt(*round_trips_.as_receiver);
      }
    }
  }
}

void Peer::set_rtt(Duration rtt) {
  for (const auto& line : media_) {
    for (const auto& stream : line->receive_streams()) stream->set_rtt(rtt);
  }
}

void Peer::on_nack(Now now, const rtcp::Nack& nack, SendBatch& datagrams) {
  const SsrcTable::Entry* sent = sent_.find(nack.media_ssrc);
  if (sent == nullptr) return;
  sent->line->send_stream(sent->layer)->count(stream::SendStream::Feedback::kNack);
  nack.for_each_sequence([&](uint16_t sequence) {
    if (!nack_budget_.take(now.mono)) {
      ++counters_.drop_nack_rate;
      return;
    }
    ++counters_.nacks_received;
    resend(now, *sent, sequence, datagrams);
  });
}

// --- out --------------------------------------------------------------------------------------------------------

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
  for (const auto& line : media_) {
    for (const auto& stream : line->receive_streams()) {
      if (const auto block = stream->make_report_block(now)) blocks.push_back(*block);
      if (const auto block = stream->make_rtx_report_block(now)) blocks.push_back(*block);
    }
  }
  for (const auto& line : media_) {
    if (!line->is_sending()) continue;
    for (uint8_t i = 0; i < line->send_layers() && line->send_stream(i) != nullptr; ++i) {
      line->send_stream(i)->drop_old(now);
      const auto info = line->send_stream(i)->make_sender_report(now);
      if (!info) continue;
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
      if (at == 0) write_remb(writer);
    });
  }
  send_rtcp(datagrams, [&](rtcp::CompoundWriter& writer) { write_extended_reports(now, writer); });
}

// RFC 3611 4.4, 4.5. Our reference time goes to a remote that sends media and said that it answers (a=rtcp-xr): who
// only receives has no sender reports to measure a round trip with.
void Peer::write_extended_reports(Now now, rtcp::CompoundWriter& writer) {
  const bool is_answered = std::any_of(media_.begin(), media_.end(), [](const auto& line) {
    return line->is_receiving() && line->negotiated().rcvr_rtt && !line->receive_streams().empty();
  });
  if (is_answered) {
    const uint64_t ntp = to_ntp(now.wall);
    if (writer.reference_time(reporting_ssrc(), ntp)) reference_times_sent_.on_sent(now, ntp);
  }
  if (reference_times_.empty()) return;
  std::array<rtcp::DelaySinceLastRr, kMaxReferenceTimes> delays;
  size_t count = 0;
  for (const ReferenceTimeReceived& time : reference_times_) {
    const int64_t delay = std::clamp<int64_t>(to_us(now.mono - time.at), 0, 65'535'000'000) * 65'536 / 1'000'000;
    delays[count++] = {time.ssrc, time.middle_ntp, static_cast<uint32_t>(delay)};
  }
  writer.delays_since_last_rr(reporting_ssrc(), std::span(delays).first(count));
  reference_times_.clear();
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
        stream->count_nack();
        left = left.subspan(written);
      }
      if (stream->take_key_frame_wanted()) out.events.push_back(PictureLost{line->index(), stream->config().ssrc});
    }
  }
}

void Peer::send_feedback(Now now, SendBatch& datagrams) {
  bool is_more = true;
  while (is_more) {
    is_more = false;  // also when there is no way: nothing is written then
    send_rtcp(datagrams, [&](rtcp::CompoundWriter& writer) {
      is_more = arrivals_.write(now.mono, reporting_ssrc(), feedback_ssrc_, writer);
      counters_.feedback_sent += !writer.empty();
    });
  }
}

// draft-alvestrand-rmcat-remb-03. libwebrtc takes it as the most that all its media together may be, audio and repair
// included, whatever SSRCs it names.
void Peer::write_remb(rtcp::CompoundWriter& writer) {
  if (config_.max_incoming_video_bps == 0) return;
  std::vector<uint32_t> ssrcs;
  for (const auto& line : media_) {
    if (line->kind() != MediaKind::kVideo) continue;
    for (const auto& stream : line->receive_streams()) {
      if (stream->counters().packets > 0 && ssrcs.size() < kNamedInRemb) ssrcs.push_back(stream->config().ssrc);
    }
  }
  if (ssrcs.empty()) return;
  if (writer.remb(reporting_ssrc(), config_.max_incoming_video_bps, ssrcs)) ++counters_.rembs_sent;
}

void Peer::limit_incoming_video(uint64_t max_bps, SendBatch& datagrams) {
  if (max_bps == config_.max_incoming_video_bps) return;
  config_.max_incoming_video_bps = max_bps;
  // RFC 5506 3.4.1: without a report, as other feedback that cannot wait.
  send_rtcp(datagrams, [&](rtcp::CompoundWriter& writer) { write_remb(writer); });
}

void Peer::request_key_frame(Now, size_t media, SendBatch& datagrams, std::optional<uint8_t> simulcast_layer) {
  const MediaLine& line = *media_[media];
  for (const auto& stream : line.receive_streams()) {
    if (simulcast_layer && line.simulcast_layer_of(stream->config().ssrc) != *simulcast_layer) continue;
    ++counters_.key_frame_requests_sent;
    stream->count_pli();
    send_rtcp(datagrams, [&](rtcp::CompoundWriter& writer) { writer.pli(reporting_ssrc(), stream->config().ssrc); });
  }
}

}  // namespace atm::peer

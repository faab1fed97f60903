// Peer: congestion control. What arrives is told to the remote (transport-wide feedback), what the remote tells of ours
// becomes an estimate, and media goes out no faster than that.
#include <algorithm>

#include "core/peer/peer.h"

namespace atm::peer {
namespace {

// IPv4 and UDP headers: what a datagram takes of the way beside its own bytes.
constexpr size_t kDatagramHeaders = 28;
// The most padding that RFC 3550 5.1 has room to count.
constexpr uint8_t kMostPadding = 255;
// Padding that only shows that the way is there.
constexpr Duration kSignOfLife = 200ms;

}  // namespace

// --- what arrives -----------------------------------------------------------------------------------------------

void Peer::note_arrival(const Datagram& datagram, const rtp::View& view, const MediaLine& line) {
  const auto value = rtp::find_extension(view, line.extensions().id_of(rtp::Extension::kTransportCc));
  if (!value || value->size() < 2) return;
  feedback_ssrc_ = view.ssrc;
  arrivals_.on_packet(datagram.arrived, load_u16(value->data()), datagram.bytes.size());
}

// --- what the remote tells ------------------------------------------------------------------------------------------

void Peer::on_transport_feedback(Now now, const rtcp::TransportFeedback& feedback, SendBatch& datagrams) {
  ++counters_.feedback_received;
  estimator_.on_feedback(now, feedback);
  // What a full queue loses would else be sent into it again, at the rate at which it was lost.
  resend_budget_.set_rate(std::min<int64_t>(static_cast<int64_t>(estimator_.target_bps() / 8), kResendBytesPerSecond));
  if (is_paced()) pace(now, datagrams);
}

void Peer::note_sent(Now now, std::optional<uint16_t> number, size_t size, const Turn& turn) {
  if (!number) return;
  estimator_.on_sent(now, *number, size + kDatagramHeaders, turn.probe, turn.ahead);
  last_numbered_ = now.mono;
}

// --- what goes out --------------------------------------------------------------------------------------------------

void Peer::prepare_pacer(Now now) {
  pacer_.set_pacing_rate(estimator_.pacing_bps(), estimator_.is_app_limited());
  play_probe(now);
}

void Peer::pace(Now now, SendBatch& datagrams) {
  prepare_pacer(now);
  release_paced(now, datagrams);
}

void Peer::release_paced(Now now, SendBatch& datagrams) {
  pacer_.release(now.mono, [&](Paced&& paced, pace::Class kind, size_t bytes, Probe probe) {
    if (kind == pace::Class::kPadding) {
      return send_padding(now, static_cast<uint8_t>(std::min<size_t>(bytes, kMostPadding)), probe, datagrams);
    }
    // The m-line has been given another SSRC meanwhile, whose numbers are not these.
    if (paced.media >= media_.size() || media_[paced.media]->ssrc() != paced.ssrc) {
      ++counters_.drop_paced;
      return;
    }
    write_media(now, paced.media, paced.packet, paced.outgoing, {probe}, datagrams);
  });
}

// A probe is played with what waits, and with padding for what that lacks. Where there is no RTX there is no padding:
// the estimate grows by what media shows then.
void Peer::play_probe(Now now) {
  if (pacer_.is_probing() || !estimator_.has_probe() || find_padding_line() == nullptr) return;
  const auto cluster = estimator_.take_probe();
  if (!cluster) return;
  pacer_.play_probe(now.mono, {cluster->id, cluster->bps, cluster->min_packets, cluster->min_bytes});
  for (size_t left = pacer_.padding_wanted(); left > 0; left -= std::min<size_t>(left, kMostPadding)) {
    pacer_.enqueue(now.mono, pace::Class::kPadding, kMostPadding, {});
  }
  // As many packets as it has to have, whatever their sizes.
  while (pacer_.queued_packets() < cluster->min_packets) {
    pacer_.enqueue(now.mono, pace::Class::kPadding, kMostPadding, {});
  }
}

// Where all video is paused for want of room, and audio is not numbered, nothing would tell that there is room again.
Instant Peer::next_sign_of_life() const {
  return is_paced() && estimator_.is_short() && find_padding_line() != nullptr ? last_numbered_ + kSignOfLife : kNever;
}

MediaLine* Peer::find_padding_line() const {
  for (const auto& line : media_) {
    if (!line->is_sending() || line->send_stream() == nullptr || line->rtx_ssrc() == 0) continue;
    const auto& codecs = line->negotiated().codecs;
    const bool has_rtx = std::any_of(codecs.begin(), codecs.end(), [](const auto& c) { return c.rtx_payload_type; });
    if (has_rtx && line->send_stream()->counters().packets > 0) return line.get();
  }
  return nullptr;
}

}  // namespace atm::peer

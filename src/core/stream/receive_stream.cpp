#include "core/stream/receive_stream.h"

#include <cstring>
#include <utility>

namespace atm::stream {
namespace {

constexpr size_t kOriginalSequenceSize = 2;  // RFC 4588 4: OSN, in front of the original payload

}  // namespace

ReceiveStream::ReceiveStream(const ReceiveConfig& config)
    : config_(config),
      missing_(config.nack_enabled),
      media_(config.ssrc, config.clock_rate),
      rtx_(config.rtx_ssrc.value_or(0), config.clock_rate) {}

ReceiveStream::Received ReceiveStream::on_packet(Now now, Instant arrived, const rtp::View& view, Via via) {
  const bool recovered = via == Via::kRtx;
  last_arrival_ = now.mono;
  if (!recovered) ended_ = false;
  const SequenceTracker::Place place =
      recovered ? tracker_.on_recovered(view.sequence) : tracker_.on_packet(view.sequence);
  using Verdict = SequenceTracker::Verdict;

  Received received;
  received.sequence = place.sequence;
  received.is_recovered = recovered;
  received.is_duplicate = place.verdict == Verdict::kDuplicate;
  received.is_restart = place.verdict == Verdict::kRestart;
  received.accepted = place.verdict == Verdict::kNewest || place.verdict == Verdict::kFill || received.is_restart;

  if (place.verdict == Verdict::kOutside) {
    ++counters_.outside;
    return received;
  }
  if (received.is_restart) {
    ++counters_.restarts;
    needs_key_frame_ = true;
    missing_.clear();
    media_.restart(place.sequence);
    sender_clock_.reset();
  }
  // RFC 4588 8: what the RTX stream repaired stays lost in the reports of the media stream.
  if (!recovered) media_.on_packet(arrived, place.sequence, view.timestamp);
  if (received.is_duplicate) {
    ++counters_.duplicates;
    return received;
  }
  const bool has_gap = place.verdict == Verdict::kNewest && place.sequence > place.previous_newest + 1;
  if (place.verdict == Verdict::kNewest && std::exchange(was_interrupted_, false)) needs_key_frame_ |= has_gap;
  if (config_.nack_enabled) {
    if (place.verdict == Verdict::kFill) missing_.on_arrived(place.sequence);
    if (has_gap) missing_.on_gap(now.mono, place.previous_newest + 1, place.sequence - 1);
  }
  ++counters_.packets;
  counters_.payload_bytes += view.payload.size();
  counters_.recovered += recovered;
  return received;
}

bool ReceiveStream::unwrap_rtx(Instant arrived, rtp::View& view, uint8_t primary_payload_type) {
  ++counters_.rtx_packets;
  const SequenceTracker::Place place = rtx_tracker_.on_packet(view.sequence);
  if (place.verdict == SequenceTracker::Verdict::kRestart) rtx_.restart(place.sequence);
  if (place.verdict != SequenceTracker::Verdict::kOutside) rtx_.on_packet(arrived, place.sequence, view.timestamp);

  // libwebrtc probes for bandwidth with padding on the RTX SSRC: nothing inside, or not even an OSN.
  if (view.payload.size() < kOriginalSequenceSize) {
    ++counters_.rtx_empty;
    return false;
  }
  const uint16_t original = load_u16(view.payload.data());

  // The header moves up over the OSN: fewer bytes than the payload moving down.
  const size_t payload_size = view.payload.size() - kOriginalSequenceSize;
  const MutByteView packet = view.packet.subspan(kOriginalSequenceSize, view.header_size + payload_size);
  std::memmove(packet.data(), view.packet.data(), view.header_size);
  packet[0] &= 0xDF;  // padding was the RTX packet's own
  packet[1] = static_cast<uint8_t>((packet[1] & 0x80) | (primary_payload_type & 0x7F));
  store_u16(packet.data() + 2, original);
  store_u32(packet.data() + 8, config_.ssrc);

  if (!view.extension.empty()) view.extension = {view.extension.data() + kOriginalSequenceSize, view.extension.size()};
  view.packet = packet;
  view.payload = packet.subspan(view.header_size);
  view.padding_size = 0;
  view.payload_type = primary_payload_type & 0x7F;
  view.sequence = original;
  view.ssrc = config_.ssrc;
  return true;
}

void ReceiveStream::set_rtx_ssrc(uint32_t ssrc) {
  if (config_.rtx_ssrc == ssrc) return;
  config_.rtx_ssrc = ssrc;
  rtx_ = Reception(ssrc, config_.clock_rate);
  rtx_tracker_ = SequenceTracker();
}

void ReceiveStream::on_bye() {
  ended_ = true;
  missing_.clear();
}

void ReceiveStream::collect_nacks(Now now, std::vector<uint16_t>& out) {
  const size_t before = out.size();
  missing_.collect(now.mono, out);
  counters_.nacks_requested += out.size() - before;
}

bool ReceiveStream::take_key_frame_wanted() {
  const bool is_needed = std::exchange(needs_key_frame_, false);
  return missing_.take_key_frame_wanted() || is_needed;
}

void ReceiveStream::on_sender_report(Now now, const rtcp::SenderInfo& report) {
  if (report.ssrc == config_.ssrc) {
    media_.on_sender_report(now.mono, report.ntp);
    sender_clock_ = SenderClock{report, now.mono};
  } else if (config_.rtx_ssrc && report.ssrc == *config_.rtx_ssrc) {
    rtx_.on_sender_report(now.mono, report.ntp);
  }
}

std::optional<Instant> ReceiveStream::captured_at(Now now, const RemoteClock& clock, uint32_t rtp_timestamp) const {
  if (!sender_clock_) return std::nullopt;
  const rtcp::SenderInfo& report = sender_clock_->report;
  const auto ticks = static_cast<int32_t>(rtp_timestamp - report.rtp_timestamp);
  return clock.to_local(now.mono, report.ntp, Duration(int64_t{ticks} * 1'000'000 / config_.clock_rate));
}

std::optional<rtcp::ReportBlock> ReceiveStream::make_rtx_report_block(Now now) {
  if (!config_.rtx_ssrc || ended_) return std::nullopt;
  return rtx_.make_report_block(now.mono);
}

}  // namespace atm::stream

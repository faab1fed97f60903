#include "core/stream/send_stream.h"

#include <algorithm>

#include "base/assert.h"
#include "base/sequence.h"

namespace atm0s::stream {
namespace {

// Copies the payload and its patch behind a header of `at` bytes; the whole size, or 0 when it does not fit.
size_t put_payload(MutByteView out, size_t at, const SentPacket& packet) {
  const ByteView payload = packet.payload.bytes();
  if (at == 0 || payload.size() > out.size() - at) return 0;
  if (!payload.empty()) std::memcpy(out.data() + at, payload.data(), payload.size());
  if (packet.patch.size > 0) {
    ASSERT(packet.patch.size <= packet.patch.bytes.size());
    ASSERT(size_t{packet.patch.at} + packet.patch.size <= payload.size());
    std::memcpy(out.data() + at + packet.patch.at, packet.patch.bytes.data(), packet.patch.size);
  }
  return at + payload.size();
}

}  // namespace

SendStream::SendStream(const SendConfig& config)
    : config_(config),
      history_(config.rtx_ssrc ? config.history_packets : 0),
      next_rtx_sequence_(config.first_rtx_sequence) {}

size_t SendStream::write(MutByteView out, const SentPacket& packet,
                         std::span<const rtp::ExtensionValue> extensions) const {
  const rtp::Header header{packet.marker, packet.payload_type, packet.sequence, packet.timestamp, config_.ssrc};
  return put_payload(out, rtp::write_header(out, header, extensions), packet);
}

void SendStream::on_sent(Now now, const SentPacket& packet) {
  ++counters_.packets;
  counters_.payload_bytes += packet.payload.bytes().size();
  // The first packet of the newest frame marks the time: later ones of a large frame go out later, and a late packet
  // that fills a hole says nothing about now.
  if (!started_ || is_newer(packet.timestamp, last_timestamp_)) {
    last_timestamp_ = packet.timestamp;
    last_timestamp_at_ = now.mono;
    started_ = true;
  }
  if (packet.rtx_payload_type != 0) history_.add(now.mono, packet);
}

const SentPacket* SendStream::find_for_retransmission(Now now, uint16_t sequence) {
  ++counters_.nacked;
  SendHistory::Entry* entry = history_.find(now.mono, sequence);
  if (entry == nullptr) {
    ++counters_.nacked_unknown;
    return nullptr;
  }
  const Duration interval = std::max(rtt_.value_or(kMinResendInterval), kMinResendInterval);
  const bool too_soon = entry->resends > 0 && now.mono - entry->resent_at < interval;
  if (too_soon || entry->resends >= kMaxResends) {
    ++counters_.nacked_throttled;
    return nullptr;
  }
  ++entry->resends;
  entry->resent_at = now.mono;
  return &entry->packet;
}

size_t SendStream::write_rtx(MutByteView out, const SentPacket& packet,
                             std::span<const rtp::ExtensionValue> extensions) {
  if (!config_.rtx_ssrc || packet.rtx_payload_type == 0) return 0;
  const rtp::Header header{packet.marker, packet.rtx_payload_type, next_rtx_sequence_, packet.timestamp,
                           *config_.rtx_ssrc};
  const size_t header_size = rtp::write_header(out, header, extensions);
  if (header_size == 0 || out.size() - header_size < 2) return 0;
  store_u16(out.data() + header_size, packet.sequence);  // RFC 4588 4: OSN
  const size_t size = put_payload(out, header_size + 2, packet);
  if (size == 0) return 0;
  ++next_rtx_sequence_;
  ++counters_.rtx_packets;
  counters_.rtx_payload_bytes += size - header_size;
  return size;
}

uint32_t SendStream::timestamp_at(Instant at) const {
  const int64_t elapsed_us = to_us(at - last_timestamp_at_);
  return last_timestamp_ + static_cast<uint32_t>(elapsed_us * config_.clock_rate / 1'000'000);
}

std::optional<rtcp::SenderInfo> SendStream::make_sender_report(Now now) {
  if (!started_) return std::nullopt;
  rtcp::SenderInfo info;
  info.ssrc = config_.ssrc;
  info.ntp = to_ntp(now.wall);
  info.rtp_timestamp = timestamp_at(now.mono);
  info.packets = static_cast<uint32_t>(counters_.packets);
  info.octets = static_cast<uint32_t>(counters_.payload_bytes);
  reports_sent_[next_report_] = {static_cast<uint32_t>(info.ntp >> 16), now.mono};
  next_report_ = (next_report_ + 1) % kReportsRemembered;
  return info;
}

std::optional<Duration> SendStream::on_report_block(Now now, const rtcp::ReportBlock& block) {
  if (block.ssrc != config_.ssrc) return std::nullopt;
  remote_report_ = RemoteReport{block.fraction_lost, block.cumulative_lost, block.jitter, block.highest_sequence};
  if (block.last_sr == 0) return std::nullopt;
  const auto sent = std::ranges::find(reports_sent_, block.last_sr, &ReportSent::middle_ntp);
  if (sent == reports_sent_.end()) return std::nullopt;
  // RFC 3550 6.4.1, on the monotonic clock: the wall clock may have been set in between.
  const Duration delay{static_cast<int64_t>(uint64_t{block.delay_since_last_sr} * 1'000'000 / 65'536)};
  const Duration sample = std::max(std::chrono::duration_cast<Duration>(now.mono - sent->at) - delay, Duration{0});
  rtt_ = rtt_ ? (*rtt_ * 7 + sample) / 8 : sample;  // RFC 6298 2.3: alpha 1/8
  return sample;
}

}  // namespace atm0s::stream

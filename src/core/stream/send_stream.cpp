#include "core/stream/send_stream.h"

#include <algorithm>

#include "base/assert.h"
#include "base/sequence.h"

namespace atm::stream {
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

void SendStream::on_sent(Now now, const SentPacket& packet, std::optional<Instant> captured_at) {
  ++counters_.packets;
  counters_.payload_bytes += packet.payload.bytes().size();
  // The first packet of the newest frame marks the time: later ones of a large frame go out later, and a late packet
  // that fills a hole says nothing about now.
  if (!started_ || is_newer(packet.timestamp, last_timestamp_)) {
    last_timestamp_ = packet.timestamp;
    const bool is_believed = captured_at && std::chrono::abs(now.mono - *captured_at) <= kBelievedAge;
    last_timestamp_at_ = is_believed ? *captured_at : now.mono;
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
  if (!may_send_again(now, entry->resent_at, entry->resends)) {
    ++counters_.nacked_throttled;
    return nullptr;
  }
  ++entry->resends;
  entry->resent_at = now.mono;
  return &entry->packet;
}

bool SendStream::may_send_again(Now now, Instant resent_at, uint8_t resends) const {
  const Duration interval = std::max(rtt_.value_or(kMinResendInterval), kMinResendInterval);
  return resends < kMaxResends && (resends == 0 || now.mono - resent_at >= interval);
}

void SendStream::keep_ciphertext(Now now, uint16_t sequence, ByteView bytes) {
  if (ciphertexts_ == nullptr) ciphertexts_ = std::make_unique<SentCiphertexts>();
  ciphertexts_->add(now.mono, sequence, bytes);
}

ByteView SendStream::find_ciphertext(Now now, uint16_t sequence) {
  ++counters_.nacked;
  SentCiphertexts::Entry* entry = ciphertexts_ == nullptr ? nullptr : ciphertexts_->find(now.mono, sequence);
  if (entry == nullptr) {
    ++counters_.nacked_unknown;
    return {};
  }
  if (!may_send_again(now, entry->resent_at, entry->resends)) {
    ++counters_.nacked_throttled;
    return {};
  }
  ++entry->resends;
  entry->resent_at = now.mono;
  ++counters_.again_packets;
  return entry->bytes;
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

size_t SendStream::write_padding(MutByteView out, uint8_t rtx_payload_type, uint8_t padding,
                                 std::span<const rtp::ExtensionValue> extensions) {
  if (!config_.rtx_ssrc || !started_ || padding == 0) return 0;
  const rtp::Header header{false, rtx_payload_type, next_rtx_sequence_, last_timestamp_, *config_.rtx_ssrc};
  const size_t header_size = rtp::write_header(out, header, extensions);
  if (header_size == 0 || out.size() - header_size < padding) return 0;
  out[0] |= 0x20;  // RFC 3550 5.1: P; the last byte counts the padding, itself included
  std::memset(out.data() + header_size, 0, padding);
  out[header_size + padding - 1] = padding;
  ++next_rtx_sequence_;
  ++counters_.padding_packets;
  return header_size + padding;
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
  reports_sent_.on_sent(now, info.ntp);
  return info;
}

std::optional<Duration> SendStream::on_report_block(Now now, const rtcp::ReportBlock& block) {
  if (block.ssrc != config_.ssrc) return std::nullopt;
  remote_report_ = RemoteReport{block.fraction_lost, block.cumulative_lost, block.jitter, block.highest_sequence};
  const std::optional<Duration> sample = reports_sent_.round_trip(now, block.last_sr, block.delay_since_last_sr);
  if (sample) rtt_ = smooth(rtt_, *sample);
  return sample;
}

}  // namespace atm::stream

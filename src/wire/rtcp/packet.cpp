#include "wire/rtcp/packet.h"

namespace atm::rtcp {
namespace {

constexpr uint8_t kVersion = 2;                   // RFC 3550 6.4.1
constexpr uint8_t kCnameItem = 1;                 // RFC 3550 12.2
constexpr uint32_t kRembIdentifier = 0x52454D42;  // "REMB"

std::optional<Packet> read_sender_report(const RawPacket& raw) {
  Reader reader(raw.body);
  SenderReport report;
  report.sender.ssrc = reader.u32();
  report.sender.ntp = reader.u64();
  report.sender.rtp_timestamp = reader.u32();
  report.sender.packets = reader.u32();
  report.sender.octets = reader.u32();
  report.blocks = ReportBlocks(reader.take(size_t{raw.format} * 24));
  if (!reader.ok()) return std::nullopt;  // RFC 3550 6.4.3: what follows the blocks is a profile's extension
  return report;
}

std::optional<Packet> read_receiver_report(const RawPacket& raw) {
  Reader reader(raw.body);
  ReceiverReport report;
  report.ssrc = reader.u32();
  report.blocks = ReportBlocks(reader.take(size_t{raw.format} * 24));
  if (!reader.ok()) return std::nullopt;
  return report;
}

std::optional<Packet> read_bye(const RawPacket& raw) {
  Reader reader(raw.body);
  Bye bye{SsrcList(reader.take(size_t{raw.format} * 4))};
  if (!reader.ok()) return std::nullopt;
  return bye;
}

// RFC 8888 3.1: one SSRC in front instead of two, the time behind.
std::optional<Packet> read_congestion_feedback(ByteView body) {
  if (body.size() < 8) return std::nullopt;
  return CongestionFeedback{load_u32(body.data()), body.subspan(4, body.size() - 8), load_u32(&body[body.size() - 4])};
}

std::optional<Packet> read_transport_feedback(const RawPacket& raw) {
  if (raw.format == kCongestionFormat) return read_congestion_feedback(raw.body);
  Reader reader(raw.body);
  const uint32_t sender_ssrc = reader.u32();
  const uint32_t media_ssrc = reader.u32();
  const ByteView rest = reader.rest();
  if (!reader.ok()) return std::nullopt;
  switch (raw.format) {
    case kNackFormat:
      if (rest.empty()) return std::nullopt;  // RFC 4585 6.2.1: at least one item
      return Nack{sender_ssrc, media_ssrc, List<NackItem, 4, decode_nack_item>(rest)};
    case kTransportCcFormat:
      return TransportFeedback{sender_ssrc, media_ssrc, rest};
    default:
      return Other{raw.type, raw.format};
  }
}

std::optional<Packet> read_application_feedback(uint32_t sender_ssrc, ByteView body) {
  Reader reader(body);
  if (reader.u32() != kRembIdentifier || !reader.ok()) return Other{kPayloadFeedbackType, kApplicationFormat};
  const size_t count = reader.u8();
  const uint32_t rate = reader.u24();
  const unsigned exponent = rate >> 18;  // draft-alvestrand-rmcat-remb-03 2.2: 6 bits, then an 18-bit mantissa
  const uint64_t mantissa = rate & 0x3FFFF;
  const SsrcList ssrcs(reader.take(count * 4));
  if (!reader.ok()) return std::nullopt;
  // 18 bits shifted by up to 63: what does not fit in 64 bits is not a bitrate.
  if (exponent > 46 && mantissa != 0) return std::nullopt;
  return Remb{sender_ssrc, exponent > 46 ? 0 : mantissa << exponent, ssrcs};
}

std::optional<Packet> read_payload_feedback(const RawPacket& raw) {
  Reader reader(raw.body);
  const uint32_t sender_ssrc = reader.u32();
  const uint32_t media_ssrc = reader.u32();
  const ByteView rest = reader.rest();
  if (!reader.ok()) return std::nullopt;
  switch (raw.format) {
    case kPliFormat:
      return Pli{sender_ssrc, media_ssrc};
    case kFirFormat:
      if (rest.size() < 8) return std::nullopt;  // RFC 5104 4.3.1: at least one entry
      return Fir{sender_ssrc, List<FirEntry, 8, decode_fir_entry>(rest)};
    case kApplicationFormat:
      return read_application_feedback(sender_ssrc, rest);
    default:
      return Other{raw.type, raw.format};
  }
}

}  // namespace

ReportBlock decode_report_block(const uint8_t* bytes) {
  ReportBlock block;
  block.ssrc = load_u32(bytes);
  block.fraction_lost = bytes[4];
  // 24 bits signed: into the upper bits and back, so that the sign is carried.
  block.cumulative_lost = static_cast<int32_t>(load_u32(bytes + 4) << 8) >> 8;
  block.highest_sequence = load_u32(bytes + 8);
  block.jitter = load_u32(bytes + 12);
  block.last_sr = load_u32(bytes + 16);
  block.delay_since_last_sr = load_u32(bytes + 20);
  return block;
}

FirEntry decode_fir_entry(const uint8_t* bytes) {
  return {load_u32(bytes), bytes[4]};
}
NackItem decode_nack_item(const uint8_t* bytes) {
  return {load_u16(bytes), load_u16(bytes + 2)};
}

DelaySinceLastRr decode_delay_since_last_rr(const uint8_t* bytes) {
  return {load_u32(bytes), load_u32(bytes + 4), load_u32(bytes + 8)};
}

std::optional<ExtendedBlock> take_extended_block(ByteView& blocks) {
  if (blocks.size() < 4) return std::nullopt;
  const uint8_t type = blocks[0];
  const size_t size = size_t{load_u16(blocks.data() + 2)} * 4;  // RFC 3611 3: without the header's own word
  if (size > blocks.size() - 4) return std::nullopt;
  const ByteView body = blocks.subspan(4, size);
  blocks = blocks.subspan(4 + size);
  if (type == kReferenceTimeBlock && size == 8) {
    return ReferenceTime{uint64_t{load_u32(body.data())} << 32 | load_u32(body.data() + 4)};
  }
  if (type == kDelaySinceLastRrBlock && size % 12 == 0) return DelaysSinceLastRr(body);
  return OtherBlock{type};
}

std::optional<RawPacket> take_packet(ByteView& compound) {
  if (compound.size() < 4 || compound[0] >> 6 != kVersion) return std::nullopt;
  const size_t size = (size_t{load_u16(compound.data() + 2)} + 1) * 4;
  if (size > compound.size()) return std::nullopt;
  RawPacket raw;
  raw.format = compound[0] & 0x1F;
  raw.type = compound[1];
  raw.body = compound.subspan(4, size - 4);
  if (compound[0] & 0x20) {
    // RFC 3550 6.4.1: padding is a multiple of four, counts itself, and stands on the last packet only. Transport-wide
    // feedback is padded to a word with it, so by 1 to 3 bytes and in the middle too (draft-holmer 3.1, libwebrtc).
    const bool fills_word = raw.type == kTransportFeedbackType && raw.format == kTransportCcFormat;
    if ((size != compound.size() && !fills_word) || raw.body.empty()) return std::nullopt;
    const size_t padding = raw.body.back();
    if (padding == 0 || (padding % 4 != 0 && !fills_word) || padding > raw.body.size()) return std::nullopt;
    raw.body = raw.body.first(raw.body.size() - padding);
  }
  compound = compound.subspan(size);
  return raw;
}

bool is_well_framed(ByteView compound) {
  if (compound.empty()) return false;
  for (size_t count = 0; !compound.empty(); ++count) {
    if (count == kMaxPackets || !take_packet(compound)) return false;
  }
  return true;
}

std::optional<SourceName> take_source_name(ByteView& body) {
  Reader reader(body);
  SourceName name;
  name.ssrc = reader.u32();
  // RFC 3550 6.5: items until a zero byte, then zeros up to the next word of the chunk.
  while (reader.ok()) {
    const uint8_t item = reader.u8();
    if (!reader.ok()) return std::nullopt;
    if (item == 0) break;
    const ByteView value = reader.take(reader.u8());
    if (item == kCnameItem && name.cname.empty()) name.cname = as_text(value);
  }
  reader.skip((4 - reader.at() % 4) % 4);
  if (!reader.ok()) return std::nullopt;
  body = body.subspan(reader.at());
  return name;
}

std::optional<Packet> read_packet(const RawPacket& raw) {
  switch (raw.type) {
    case kSenderReportType:
      return read_sender_report(raw);
    case kReceiverReportType:
      return read_receiver_report(raw);
    case kByeType:
      return read_bye(raw);
    case kTransportFeedbackType:
      return read_transport_feedback(raw);
    case kPayloadFeedbackType:
      return read_payload_feedback(raw);
    case kExtendedReportType: {
      Reader reader(raw.body);
      const uint32_t ssrc = reader.u32();
      if (!reader.ok()) return std::nullopt;
      return ExtendedReport{ssrc, reader.rest()};
    }
    default:
      return Other{raw.type, raw.format};
  }
}

}  // namespace atm::rtcp

#include "wire/rtcp/writer.h"

#include <algorithm>

#include "base/assert.h"

namespace atm::rtcp {
namespace {

constexpr uint32_t kRembIdentifier = 0x52454D42;  // "REMB"
constexpr int32_t kCumulativeLostMax = 0x7FFFFF;  // RFC 3550 A.3: 24 bits signed, clamped and not wrapped
constexpr int32_t kCumulativeLostMin = -0x800000;
constexpr unsigned kNackBits = 16;  // RFC 4585 6.2.1: packets that one item reaches behind its first

void put_blocks(Writer& writer, std::span<const ReportBlock> blocks) {
  for (const ReportBlock& block : blocks) {
    writer.u32(block.ssrc);
    writer.u8(block.fraction_lost);
    const int32_t lost = std::clamp(block.cumulative_lost, kCumulativeLostMin, kCumulativeLostMax);
    writer.u24(static_cast<uint32_t>(lost) & 0xFFFFFF);
    writer.u32(block.highest_sequence);
    writer.u32(block.jitter);
    writer.u32(block.last_sr);
    writer.u32(block.delay_since_last_sr);
  }
}

}  // namespace

MutByteView CompoundWriter::begin(uint8_t type, size_t format, size_t body) {
  ASSERT(format <= 31 && body % 4 == 0);
  if (body + 4 > out_.size() - size_ || body / 4 > 0xFFFF) return {};
  const MutByteView packet = out_.subspan(size_, body + 4);
  packet[0] = static_cast<uint8_t>(0x80 | format);
  packet[1] = type;
  store_u16(packet.data() + 2, static_cast<uint16_t>(body / 4));
  size_ += packet.size();
  return packet.subspan(4);
}

bool CompoundWriter::sender_report(const SenderInfo& sender, std::span<const ReportBlock> blocks) {
  if (blocks.size() > kMaxReportBlocks) return false;
  const MutByteView body = begin(kSenderReportType, blocks.size(), 24 + blocks.size() * 24);
  if (body.empty()) return false;
  Writer writer(body);
  writer.u32(sender.ssrc);
  writer.u64(sender.ntp);
  writer.u32(sender.rtp_timestamp);
  writer.u32(sender.packets);
  writer.u32(sender.octets);
  put_blocks(writer, blocks);
  return writer.ok();
}

bool CompoundWriter::receiver_report(uint32_t ssrc, std::span<const ReportBlock> blocks) {
  if (blocks.size() > kMaxReportBlocks) return false;
  const MutByteView body = begin(kReceiverReportType, blocks.size(), 4 + blocks.size() * 24);
  if (body.empty()) return false;
  Writer writer(body);
  writer.u32(ssrc);
  put_blocks(writer, blocks);
  return writer.ok();
}

bool CompoundWriter::source_name(uint32_t ssrc, std::string_view cname) {
  if (cname.size() > kMaxCnameSize) return false;
  // RFC 3550 6.5: the list of items ends with at least one zero byte and is padded to a word.
  const size_t size = (4 + 2 + cname.size() + 1 + 3) / 4 * 4;
  const MutByteView body = begin(kSourceDescriptionType, 1, size);
  if (body.empty()) return false;
  Writer writer(body);
  writer.u32(ssrc);
  writer.u8(1);  // CNAME
  writer.u8(static_cast<uint8_t>(cname.size()));
  writer.bytes(as_bytes(cname));
  writer.zeros(size - writer.size());
  return writer.ok();
}

bool CompoundWriter::bye(std::span<const uint32_t> ssrcs) {
  if (ssrcs.empty() || ssrcs.size() > 31) return false;
  const MutByteView body = begin(kByeType, ssrcs.size(), ssrcs.size() * 4);
  if (body.empty()) return false;
  Writer writer(body);
  for (const uint32_t ssrc : ssrcs) writer.u32(ssrc);
  return writer.ok();
}

bool CompoundWriter::pli(uint32_t sender_ssrc, uint32_t media_ssrc) {
  const MutByteView body = begin(kPayloadFeedbackType, kPliFormat, 8);
  if (body.empty()) return false;
  Writer writer(body);
  writer.u32(sender_ssrc);
  writer.u32(media_ssrc);
  return writer.ok();
}

bool CompoundWriter::fir(uint32_t sender_ssrc, std::span<const FirEntry> entries) {
  if (entries.empty()) return false;
  const MutByteView body = begin(kPayloadFeedbackType, kFirFormat, 8 + entries.size() * 8);
  if (body.empty()) return false;
  Writer writer(body);
  writer.u32(sender_ssrc);
  writer.u32(0);  // RFC 5104 4.3.1.2: the media source field is not used and 0
  for (const FirEntry& entry : entries) {
    writer.u32(entry.ssrc);
    writer.u8(entry.sequence);
    writer.zeros(3);
  }
  return writer.ok();
}

size_t CompoundWriter::nack(uint32_t sender_ssrc, uint32_t media_ssrc, std::span<const uint16_t> sequences) {
  const size_t room = out_.size() - size_;
  if (sequences.empty() || room < 16) return 0;
  const size_t items_max = std::min<size_t>((room - 12) / 4, 0xFFFF - 2);

  // Two passes, because the length stands in front: count the items that fit, then write them.
  size_t items = 0;
  size_t used = 0;
  while (used < sequences.size() && items < items_max) {
    const uint16_t first = sequences[used++];
    ++items;
    while (used < sequences.size() && static_cast<uint16_t>(sequences[used] - first) <= kNackBits) ++used;
  }
  const MutByteView body = begin(kTransportFeedbackType, kNackFormat, 8 + items * 4);
  if (body.empty()) return 0;
  Writer writer(body);
  writer.u32(sender_ssrc);
  writer.u32(media_ssrc);
  for (size_t i = 0; i < used;) {
    const uint16_t first = sequences[i++];
    uint16_t following = 0;
    for (; i < used && static_cast<uint16_t>(sequences[i] - first) <= kNackBits; ++i) {
      const uint16_t distance = static_cast<uint16_t>(sequences[i] - first);
      if (distance > 0) following = static_cast<uint16_t>(following | 1u << (distance - 1));
    }
    writer.u16(first);
    writer.u16(following);
  }
  ASSERT(writer.ok());
  return used;
}

bool CompoundWriter::remb(uint32_t sender_ssrc, uint64_t bitrate_bps, std::span<const uint32_t> ssrcs) {
  if (ssrcs.size() > 255) return false;
  const MutByteView body = begin(kPayloadFeedbackType, kApplicationFormat, 16 + ssrcs.size() * 4);
  if (body.empty()) return false;
  uint32_t exponent = 0;
  while (bitrate_bps > 0x3FFFF) {
    bitrate_bps >>= 1;
    ++exponent;
  }
  Writer writer(body);
  writer.u32(sender_ssrc);
  writer.u32(0);  // draft-alvestrand-rmcat-remb-03 2.2: always 0
  writer.u32(kRembIdentifier);
  writer.u8(static_cast<uint8_t>(ssrcs.size()));
  writer.u24(exponent << 18 | static_cast<uint32_t>(bitrate_bps));
  for (const uint32_t ssrc : ssrcs) writer.u32(ssrc);
  return writer.ok();
}

bool CompoundWriter::reference_time(uint32_t sender_ssrc, uint64_t ntp) {
  const MutByteView body = begin(kExtendedReportType, 0, 4 + 4 + 8);
  if (body.empty()) return false;
  Writer writer(body);
  writer.u32(sender_ssrc);
  writer.u8(kReferenceTimeBlock);
  writer.u8(0);
  writer.u16(2);
  writer.u64(ntp);
  return writer.ok();
}

bool CompoundWriter::delays_since_last_rr(uint32_t sender_ssrc, std::span<const DelaySinceLastRr> delays) {
  if (delays.empty() || delays.size() > kMaxDelays) return false;
  const MutByteView body = begin(kExtendedReportType, 0, 4 + 4 + delays.size() * 12);
  if (body.empty()) return false;
  Writer writer(body);
  writer.u32(sender_ssrc);
  writer.u8(kDelaySinceLastRrBlock);
  writer.u8(0);
  writer.u16(static_cast<uint16_t>(delays.size() * 3));
  for (const DelaySinceLastRr& delay : delays) {
    writer.u32(delay.ssrc);
    writer.u32(delay.last_rr);
    writer.u32(delay.delay);
  }
  return writer.ok();
}

}  // namespace atm::rtcp

#include "wire/rtcp/transport_feedback.h"

#include <algorithm>
#include <array>

#include "base/assert.h"
#include "wire/rtcp/writer.h"

namespace atm::rtcp {
namespace {

// draft-holmer 3.1.1: what is said of a packet.
constexpr uint8_t kAbsent = 0;
constexpr uint8_t kSmallDelta = 1;  // one byte, 0 to 63.75 ms
constexpr uint8_t kLargeDelta = 2;  // two bytes signed, ±8.19 s

constexpr size_t kRunMax = 0x1FFF;     // 3.1.3: 13 bits of run length
constexpr size_t kOneBitSymbols = 14;  // 3.1.4
constexpr size_t kTwoBitSymbols = 7;   // 3.1.4
constexpr size_t kFixedSize = 16;      // SSRCs, base, status count, reference time, feedback count
constexpr int64_t kTicksPerReference = 256;

// RFC 8888 3.1: arrival time offset, 13 bits of 1/1,024 s; the two highest values are no times.
constexpr uint16_t kOffsetMask = 0x1FFF;
constexpr uint16_t kOffsetTooLong = 0x1FFE;
constexpr uint16_t kOffsetUnknown = 0x1FFF;

size_t delta_size(uint8_t symbol) {
  return symbol;  // as it happens: 0, 1 and 2 bytes
}

// Reads chunks until `count` symbols have been given to `take(symbol)`. False: malformed.
template <typename Take>
bool read_chunks(Reader& reader, size_t count, Take&& take) {
  while (count > 0) {
    const uint16_t chunk = reader.u16();
    if (!reader.ok()) return false;
    if (chunk >> 15 == 0) {
      const uint8_t symbol = chunk >> 13 & 3;
      const size_t run = std::min<size_t>(chunk & kRunMax, count);
      if (run == 0 || symbol > kLargeDelta) return false;  // an empty run would go on for ever; 3 is reserved
      for (size_t i = 0; i < run; ++i) take(symbol);
      count -= run;
      continue;
    }
    const bool two_bits = chunk >> 14 & 1;
    const size_t symbols = std::min(two_bits ? kTwoBitSymbols : kOneBitSymbols, count);
    for (size_t i = 0; i < symbols; ++i) {
      const uint8_t symbol = two_bits ? chunk >> (12 - 2 * i) & 3 : chunk >> (13 - i) & 1;
      if (symbol > kLargeDelta) return false;
      take(symbol);
    }
    count -= symbols;
  }
  return true;
}

struct Chunk {
  uint16_t bits = 0;
  size_t symbols = 0;
};

// The chunk that says most of `symbols` in its two bytes.
Chunk make_chunk(std::span<const uint8_t> symbols) {
  size_t run = 1;
  while (run < std::min(symbols.size(), kRunMax) && symbols[run] == symbols[0]) ++run;
  const std::span<const uint8_t> fourteen = symbols.first(std::min(symbols.size(), kOneBitSymbols));
  const bool small = std::none_of(fourteen.begin(), fourteen.end(), [](uint8_t s) { return s == kLargeDelta; });
  const size_t vector = std::min(symbols.size(), small ? kOneBitSymbols : kTwoBitSymbols);
  if (run >= vector) return {static_cast<uint16_t>(symbols[0] << 13 | run), run};
  unsigned bits = small ? 0x8000 : 0xC000;
  for (size_t i = 0; i < vector; ++i) bits |= unsigned{symbols[i]} << (small ? 13 - i : 12 - 2 * i);
  return {static_cast<uint16_t>(bits), vector};
}

size_t deltas_size(std::span<const uint8_t> symbols) {
  size_t size = 0;
  for (const uint8_t symbol : symbols) size += delta_size(symbol);
  return size;
}

// The symbols of as many of `arrivals` as deltas can tell; the first that came is measured from `reference` ticks.
size_t find_symbols(std::span<const ArrivalTick> arrivals, int64_t previous, std::span<uint8_t> symbols) {
  const size_t most = std::min(arrivals.size(), symbols.size());
  for (size_t i = 0; i < most; ++i) {
    symbols[i] = kAbsent;
    if (!arrivals[i]) continue;
    const int64_t delta = *arrivals[i] - previous;
    if (delta < INT16_MIN || delta > INT16_MAX) return i;
    symbols[i] = delta >= 0 && delta <= 0xFF ? kSmallDelta : kLargeDelta;
    previous = *arrivals[i];
  }
  return most;
}

}  // namespace

bool parse_transport_feedback(ByteView body, PacketArrivals& out) {
  out.since_base.clear();
  Reader reader(body);
  out.base_sequence = reader.u16();
  const size_t count = reader.u16();
  out.reference_time = static_cast<int32_t>(reader.u24() << 8) >> 8;
  out.feedback_count = reader.u8();
  if (!reader.ok() || count == 0 || count > kMaxFeedbackPackets) return false;
  // The symbols are kept in the place of the times until the deltas behind all chunks have been reached.
  if (!read_chunks(reader, count, [&](uint8_t symbol) { out.since_base.push_back(Duration(symbol)); })) return false;
  Duration at{};
  for (Duration& packet : out.since_base) {
    const int64_t symbol = packet.count();
    packet = PacketArrivals::kNotReceived;
    if (symbol == kAbsent) continue;
    const int64_t delta = symbol == kSmallDelta ? reader.u8() : static_cast<int16_t>(reader.u16());
    if (!reader.ok()) return false;
    at += delta * kFeedbackTick;
    packet = at;
  }
  return true;  // what is left is padding
}

CongestionReport CongestionBlock::operator[](size_t i) const {
  const uint16_t bits = load_u16(reports.data() + 2 * i);
  CongestionReport report;
  report.received = bits >> 15;
  if (!report.received) return report;  // RFC 8888 3.1: the rest is 0 and ignored
  report.ecn = bits >> 13 & 3;
  const uint16_t offset = bits & kOffsetMask;
  if (offset < kOffsetTooLong) report.before = Duration(int64_t{offset} * 1'000'000 / 1'024);
  return report;
}

std::optional<CongestionBlock> take_congestion_block(ByteView& blocks) {
  Reader reader(blocks);
  CongestionBlock block;
  block.ssrc = reader.u32();
  block.begin_sequence = reader.u16();
  const size_t count = reader.u16();
  if (!reader.ok() || count > kMaxCongestionReports) return std::nullopt;
  block.reports = reader.take(count * 2);
  reader.skip(count % 2 * 2);  // RFC 8888 3.1: padded to a word
  if (!reader.ok()) return std::nullopt;
  blocks = blocks.subspan(reader.at());
  return block;
}

size_t CompoundWriter::transport_feedback(uint32_t sender_ssrc, uint32_t media_ssrc, uint16_t base_sequence,
                                          uint8_t feedback_count, std::span<const ArrivalTick> arrivals) {
  const auto first = std::find_if(arrivals.begin(), arrivals.end(), [](const ArrivalTick& a) { return a.has_value(); });
  if (first == arrivals.end()) return 0;
  const int64_t reference = **first >> 8;  // rounded down, of negative ones too
  std::array<uint8_t, kMaxWrittenPackets> storage;
  const size_t known = find_symbols(arrivals, reference * kTicksPerReference, storage);
  const std::span<const uint8_t> symbols(storage.data(), known);

  // Chunk by chunk, as long as chunk and deltas find room; the last one is cut to what fits.
  const size_t room = out_.size() - size_;
  std::array<uint16_t, kMaxWrittenPackets / kTwoBitSymbols + 1> chunks;
  size_t chunk_count = 0;
  size_t told = 0;
  size_t size = 4 + kFixedSize;
  while (told < symbols.size()) {
    Chunk chunk = make_chunk(symbols.subspan(told));
    const size_t whole = chunk.symbols;
    const auto end = [&] { return size + 2 + deltas_size(symbols.subspan(told, chunk.symbols)); };
    while (chunk.symbols > 0 && (end() + 3) / 4 * 4 > room) --chunk.symbols;
    if (chunk.symbols == 0) break;
    if (chunk.symbols < whole) chunk = make_chunk(symbols.subspan(told, chunk.symbols));
    size = end();
    told += chunk.symbols;
    chunks[chunk_count++] = chunk.bits;
  }
  if (deltas_size(symbols.first(told)) == 0) return 0;

  const MutByteView body = begin(kTransportFeedbackType, kTransportCcFormat, (size + 3) / 4 * 4 - 4);
  if (body.empty()) return 0;
  Writer writer(body);
  writer.u32(sender_ssrc);
  writer.u32(media_ssrc);
  writer.u16(base_sequence);
  writer.u16(static_cast<uint16_t>(told));
  writer.u24(static_cast<uint32_t>(reference) & 0xFFFFFF);
  writer.u8(feedback_count);
  for (size_t i = 0; i < chunk_count; ++i) writer.u16(chunks[i]);
  int64_t previous = reference * kTicksPerReference;
  for (size_t i = 0; i < told; ++i) {
    if (symbols[i] == kAbsent) continue;
    const int64_t delta = *arrivals[i] - previous;
    previous = *arrivals[i];
    if (symbols[i] == kSmallDelta) {
      writer.u8(static_cast<uint8_t>(delta));
    } else {
      writer.u16(static_cast<uint16_t>(delta));
    }
  }
  writer.zeros(body.size() - writer.size());
  ASSERT(writer.ok());
  return told;
}

bool CompoundWriter::congestion_feedback(uint32_t sender_ssrc, uint32_t media_ssrc, uint16_t begin_sequence,
                                         std::span<const CongestionReport> reports, uint32_t report_time) {
  if (reports.empty() || reports.size() > kMaxCongestionReports) return false;
  const size_t words = (reports.size() + 1) / 2;
  const MutByteView body = begin(kTransportFeedbackType, kCongestionFormat, 4 + 8 + words * 4 + 4);
  if (body.empty()) return false;
  Writer writer(body);
  writer.u32(sender_ssrc);
  writer.u32(media_ssrc);
  writer.u16(begin_sequence);
  writer.u16(static_cast<uint16_t>(reports.size()));
  for (const CongestionReport& report : reports) {
    uint16_t offset = kOffsetUnknown;
    if (report.before) {
      const int64_t units = std::max<int64_t>((report.before->count() * 1'024 + 500'000) / 1'000'000, 0);
      offset = static_cast<uint16_t>(std::min<int64_t>(units, kOffsetTooLong));
    }
    const unsigned bits = 0x8000u | (report.ecn & 3u) << 13 | offset;
    writer.u16(report.received ? static_cast<uint16_t>(bits) : 0);
  }
  writer.zeros(reports.size() % 2 * 2);
  writer.u32(report_time);
  return writer.ok();
}

}  // namespace atm::rtcp

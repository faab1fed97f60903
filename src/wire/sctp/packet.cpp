#include "wire/sctp/packet.h"

#include <algorithm>
#include <array>

#include "wire/sctp/crc32c.h"

namespace atm::sctp {
namespace {

constexpr size_t kChecksumAt = 8;

// RFC 9260 6.8: computed with zeros where the checksum stands.
uint32_t checksum_of(ByteView packet) {
  constexpr std::array<uint8_t, 4> kZeros{};
  uint32_t crc = crc32c(packet.first(kChecksumAt));
  crc = crc32c(kZeros, crc);
  return crc32c(packet.subspan(kCommonHeaderSize), crc);
}

// RFC 9260 appendix A: the reflected CRC goes out with its least significant byte first.
void store_checksum(uint8_t* p, uint32_t crc) {
  for (int i = 0; i < 4; ++i) p[i] = static_cast<uint8_t>(crc >> 8 * i);
}

// One entry whose length field is at `reader`'s place plus two; false at the end or when it is broken.
bool take_tlv(Reader& reader, ByteView& whole, ByteView& value) {
  if (!reader.ok() || reader.left() == 0) return false;
  Reader ahead = reader;
  ahead.skip(2);
  const size_t length = ahead.u16();
  if (length < kTlvHeaderSize || length > reader.left()) {
    reader.skip(reader.left() + 1);  // turns ok() false for good
    return false;
  }
  whole = reader.take(length);
  value = whole.subspan(kTlvHeaderSize);
  reader.skip(std::min(padded(length) - length, reader.left()));
  return true;
}

}  // namespace

std::optional<Chunk> ChunkReader::next() {
  Chunk chunk;
  if (!take_tlv(reader_, chunk.whole, chunk.value)) return std::nullopt;
  chunk.type = static_cast<ChunkType>(chunk.whole[0]);
  chunk.flags = chunk.whole[1];
  return chunk;
}

std::optional<Parameter> ParameterReader::next() {
  Parameter parameter;
  if (!take_tlv(reader_, parameter.whole, parameter.value)) return std::nullopt;
  parameter.type = load_u16(parameter.whole.data());
  return parameter;
}

bool has_valid_checksum(ByteView packet) {
  if (packet.size() < kCommonHeaderSize) return false;
  std::array<uint8_t, 4> expected{};
  store_checksum(expected.data(), checksum_of(packet));
  return std::equal(expected.begin(), expected.end(), packet.begin() + kChecksumAt);
}

std::optional<Packet> parse_packet(ByteView bytes) {
  Reader reader(bytes);
  Packet packet;
  packet.header.source_port = reader.u16();
  packet.header.destination_port = reader.u16();
  packet.header.verification_tag = reader.u32();
  reader.skip(4);
  if (!reader.ok() || reader.left() == 0) return std::nullopt;
  packet.chunks = reader.rest();
  // RFC 9260 6.10: no partial chunk may stand in a packet, so the frame is checked before anything acts on it.
  ChunkReader chunks(packet.chunks);
  while (chunks.next()) {
  }
  if (!chunks.ok()) return std::nullopt;
  return packet;
}

PacketWriter::PacketWriter(MutByteView buffer, const CommonHeader& header) : writer_(buffer), capacity_(buffer.size()) {
  writer_.u16(header.source_port);
  writer_.u16(header.destination_port);
  writer_.u32(header.verification_tag);
  writer_.u32(0);
}

void PacketWriter::begin_chunk(ChunkType type, uint8_t flags) {
  chunk_start_ = writer_.size();
  writer_.u8(static_cast<uint8_t>(type));
  writer_.u8(flags);
  writer_.u16(0);
}

void PacketWriter::end_chunk() {
  const size_t length = writer_.size() - chunk_start_;
  if (writer_.ok()) store_u16(writer_.written().data() + chunk_start_ + 2, static_cast<uint16_t>(length));
  writer_.pad_to(4);
}

void PacketWriter::chunk(ChunkType type, uint8_t flags, ByteView value) {
  begin_chunk(type, flags);
  writer_.bytes(value);
  end_chunk();
}

ByteView PacketWriter::finish() {
  if (!writer_.ok()) return {};
  MutByteView packet = writer_.written();
  store_checksum(packet.data() + kChecksumAt, checksum_of(packet));
  return packet;
}

void write_parameter(Writer& out, uint16_t type, ByteView value) {
  // RFC 9260 3.2: a chunk's length counts the padding between its parameters, but not after the last one.
  out.pad_to(4);
  out.u16(type);
  out.u16(static_cast<uint16_t>(kTlvHeaderSize + value.size()));
  out.bytes(value);
}

}  // namespace atm::sctp

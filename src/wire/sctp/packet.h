// The frame of an SCTP packet (RFC 9260 3): common header, checksum, and the type-length-value lists in it (chunks,
// parameters, error causes). Called by core/sctp for both directions; the chunks' contents are in chunk.h.
// Readers give views into the caller's bytes and never read past them; nothing here allocates.
// Does not look at tags, states or the meaning of a chunk.
#pragma once

#include <cstdint>
#include <optional>

#include "base/bytes.h"

namespace atm::sctp {

inline constexpr size_t kCommonHeaderSize = 12;
inline constexpr size_t kTlvHeaderSize = 4;  // of a chunk, a parameter and an error cause alike

struct CommonHeader {
  uint16_t source_port = 0;
  uint16_t destination_port = 0;
  uint32_t verification_tag = 0;
};

// RFC 9260 3.2, RFC 6525 3.1, RFC 3758 3.2. Other values exist on the wire.
enum class ChunkType : uint8_t {
  kData = 0,
  kInit = 1,
  kInitAck = 2,
  kSack = 3,
  kHeartbeat = 4,
  kHeartbeatAck = 5,
  kAbort = 6,
  kShutdown = 7,
  kShutdownAck = 8,
  kError = 9,
  kCookieEcho = 10,
  kCookieAck = 11,
  kShutdownComplete = 14,
  kReConfig = 130,
  kForwardTsn = 192,
};

// RFC 9260 3.2: the two highest bits of an unknown chunk's type (and of an unknown parameter's) say what to do with it.
constexpr bool unknown_stops(ChunkType type) {
  return (static_cast<uint8_t>(type) & 0x80) == 0;
}
constexpr bool unknown_is_reported(ChunkType type) {
  return (static_cast<uint8_t>(type) & 0x40) != 0;
}

struct Chunk {
  ChunkType type = ChunkType::kData;
  uint8_t flags = 0;
  ByteView value;  // without header and padding
  ByteView whole;  // header and value, without padding
};

// A parameter of INIT, INIT-ACK, RE-CONFIG; an error cause has the same form.
struct Parameter {
  uint16_t type = 0;
  ByteView value;
  ByteView whole;
};

// Gives the entries of a list one by one, then nothing. ok() turns false where the list is broken: a length below
// the header's four bytes or beyond the end. The last entry's padding may be missing (RFC 9260 3.2).
class ChunkReader {
 public:
  explicit ChunkReader(ByteView list) : reader_(list) {}
  std::optional<Chunk> next();
  bool ok() const { return reader_.ok(); }

 private:
  Reader reader_;
};

class ParameterReader {
 public:
  explicit ParameterReader(ByteView list) : reader_(list) {}
  std::optional<Parameter> next();
  bool ok() const { return reader_.ok(); }

 private:
  Reader reader_;
};

struct Packet {
  CommonHeader header;
  ByteView chunks;  // a whole list, checked: a ChunkReader over it never fails
};

// RFC 9260 6.8. False for anything too short to hold a checksum.
bool has_valid_checksum(ByteView packet);

// The header and at least one chunk; nothing if a chunk's length does not fit. Does not verify the checksum.
std::optional<Packet> parse_packet(ByteView bytes);

// Builds one packet in a caller-given buffer: begin_chunk, value(), end_chunk, ... finish. An overflow is remembered,
// and finish() then gives an empty view: callers ask left() first.
class PacketWriter {
 public:
  PacketWriter(MutByteView buffer, const CommonHeader& header);

  void begin_chunk(ChunkType type, uint8_t flags);
  Writer& value() { return writer_; }
  void end_chunk();

  // A chunk made of its value alone.
  void chunk(ChunkType type, uint8_t flags, ByteView value);

  size_t left() const { return capacity_ - writer_.size(); }
  bool empty() const { return writer_.size() == kCommonHeaderSize; }
  // Fills the checksum in. Valid as long as the buffer.
  ByteView finish();

 private:
  Writer writer_;
  size_t capacity_;
  size_t chunk_start_ = 0;
};

// One parameter or error cause into a chunk's value, preceded by the padding of the one before.
void write_parameter(Writer& out, uint16_t type, ByteView value);

constexpr size_t padded(size_t size) {
  return (size + 3) & ~size_t{3};
}

}  // namespace atm::sctp

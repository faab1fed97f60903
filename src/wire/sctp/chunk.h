// The contents of SCTP chunks as structs, read from and written to bytes (RFC 9260 3.3, RFC 3758 3.2, RFC 6525 3 and
// 4). Called by core/sctp. parse_x gives nothing for a chunk that breaks its format; views point into the caller's
// bytes. Lists stay on the wire and are read by index: no allocation, no limit needed beyond the packet's size. Does
// not judge sequence numbers or states.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>

#include "base/bytes.h"
#include "wire/sctp/packet.h"

namespace atm::sctp {

// RFC 9260 3.3.1; the I bit of RFC 7053.
struct DataChunk {
  uint32_t tsn = 0;
  uint16_t stream = 0;
  uint16_t ssn = 0;
  uint32_t ppid = 0;
  bool begins = false;
  bool ends = false;
  bool unordered = false;
  bool immediate = false;  // the sender asks for a SACK without delay
  ByteView payload;        // empty is a protocol violation that the caller answers (RFC 9260 6.2)
};
inline constexpr size_t kDataHeaderSize = kTlvHeaderSize + 12;
std::optional<DataChunk> parse_data(const Chunk& chunk);
void write_data(PacketWriter& packet, const DataChunk& data);

// INIT and INIT-ACK (RFC 9260 3.3.2, 3.3.3) with the parameters that concern us.
struct InitChunk {
  uint32_t initiate_tag = 0;
  uint32_t receiver_window = 0;
  uint16_t outbound_streams = 0;
  uint16_t inbound_streams = 0;
  uint32_t initial_tsn = 0;
  bool has_forward_tsn = false;  // RFC 3758 3.1, as a parameter or among the supported extensions
  bool has_reconfig = false;     // RFC 6525, RFC 5061 4.2.7
  ByteView cookie;               // INIT-ACK only
  // Whole parameters that we do not know and that ask to be reported; more than these are not.
  static constexpr size_t kMaxReported = 4;
  std::array<ByteView, kMaxReported> reported{};
  size_t reported_count = 0;
};
std::optional<InitChunk> parse_init(const Chunk& chunk);
// `type` is kInit or kInitAck; writes the cookie and the reported parameters where there are any.
void write_init(PacketWriter& packet, ChunkType type, const InitChunk& init);

// RFC 9260 3.3.4.
struct SackChunk {
  uint32_t cumulative_tsn = 0;
  uint32_t receiver_window = 0;
  ByteView gap_bytes;
  ByteView duplicate_bytes;

  struct Gap {
    uint16_t start = 0;  // offsets from cumulative_tsn, both included
    uint16_t end = 0;
  };
  size_t gap_count() const { return gap_bytes.size() / 4; }
  Gap gap(size_t i) const { return {load_u16(gap_bytes.data() + 4 * i), load_u16(gap_bytes.data() + 4 * i + 2)}; }
  size_t duplicate_count() const { return duplicate_bytes.size() / 4; }
  uint32_t duplicate(size_t i) const { return load_u32(duplicate_bytes.data() + 4 * i); }
};
inline constexpr size_t kSackHeaderSize = kTlvHeaderSize + 12;
std::optional<SackChunk> parse_sack(const Chunk& chunk);

// RFC 9260 3.3.8: the cumulative TSN of a SHUTDOWN.
std::optional<uint32_t> parse_shutdown(const Chunk& chunk);

// RFC 3758 3.2.
struct ForwardTsnChunk {
  uint32_t new_cumulative_tsn = 0;
  ByteView stream_bytes;

  struct Skip {
    uint16_t stream = 0;
    uint16_t ssn = 0;  // the last one skipped
  };
  size_t skip_count() const { return stream_bytes.size() / 4; }
  Skip skip(size_t i) const {
    return {load_u16(stream_bytes.data() + 4 * i), load_u16(stream_bytes.data() + 4 * i + 2)};
  }
};
inline constexpr size_t kForwardTsnHeaderSize = kTlvHeaderSize + 4;
std::optional<ForwardTsnChunk> parse_forward_tsn(const Chunk& chunk);
void write_forward_tsn(PacketWriter& packet, uint32_t new_cumulative_tsn, std::span<const ForwardTsnChunk::Skip> skips);

// RFC 6525 4.
enum class ReconfigType : uint16_t {
  kOutgoingReset = 13,
  kIncomingReset = 14,
  kSsnTsnReset = 15,
  kResponse = 16,
  kAddOutgoingStreams = 17,
  kAddIncomingStreams = 18,
};
// RFC 6525 4.4.
enum class ReconfigResult : uint32_t {
  kNothingToDo = 0,
  kPerformed = 1,
  kDenied = 2,
  kWrongSsn = 3,
  kAlreadyInProgress = 4,
  kBadSequence = 5,
  kInProgress = 6,
};
struct ReconfigParameter {
  ReconfigType type = ReconfigType::kResponse;
  uint32_t sequence = 0;                                 // of the request, or of the request that a response answers
  uint32_t response_sequence = 0;                        // kOutgoingReset
  uint32_t last_tsn = 0;                                 // kOutgoingReset
  ReconfigResult result = ReconfigResult::kNothingToDo;  // kResponse
  ByteView stream_bytes;                                 // both resets; empty: all streams

  size_t stream_count() const { return stream_bytes.size() / 2; }
  uint16_t stream(size_t i) const { return load_u16(stream_bytes.data() + 2 * i); }
};
// RFC 6525 3.1: one parameter or two.
struct ReconfigChunk {
  std::array<ReconfigParameter, 2> parameters{};
  size_t count = 0;
};
std::optional<ReconfigChunk> parse_reconfig(const Chunk& chunk);
// kOutgoingReset and kResponse.
void write_reconfig(PacketWriter& packet, const ReconfigParameter& parameter);

// RFC 9260 3.3.10.
enum class ErrorCause : uint16_t {
  kInvalidStream = 1,
  kStaleCookie = 3,
  kUnknownChunk = 6,
  kUnknownParameters = 8,
  kNoUserData = 9,
  kUserInitiated = 12,
  kProtocolViolation = 13,
};
// ERROR or ABORT with one cause.
void write_cause(PacketWriter& packet, ChunkType type, uint8_t flags, ErrorCause cause, ByteView value);
// The first cause of an ERROR or ABORT; nothing when there is none.
std::optional<Parameter> first_cause(const Chunk& chunk);

// RFC 9260 3.3.7, 3.3.13: T, the sender had no tag of its own and reflects ours.
inline constexpr uint8_t kReflectedTagFlag = 1;

}  // namespace atm::sctp

#include "wire/sctp/chunk.h"

#include <algorithm>

namespace atm::sctp {
namespace {

// RFC 9260 3.3.1, RFC 7053 3.
constexpr uint8_t kEnds = 1;
constexpr uint8_t kBegins = 2;
constexpr uint8_t kUnordered = 4;
constexpr uint8_t kImmediate = 8;

// Parameters of INIT and INIT-ACK: RFC 9260 3.3.2 and 3.3.3, RFC 5061 4.2.7, RFC 3758 3.1.
constexpr uint16_t kIpv4Address = 5;
constexpr uint16_t kIpv6Address = 6;
constexpr uint16_t kStateCookie = 7;
constexpr uint16_t kUnrecognized = 8;
constexpr uint16_t kCookiePreservative = 9;
constexpr uint16_t kHostName = 11;
constexpr uint16_t kAddressTypes = 12;
constexpr uint16_t kSupportedExtensions = 0x8008;
constexpr uint16_t kForwardTsnSupported = 0xC000;

// Known, and of no meaning over DTLS, which is one path without addresses (RFC 8261 6.1).
bool is_ignored(uint16_t type) {
  return type == kIpv4Address || type == kIpv6Address || type == kUnrecognized || type == kCookiePreservative ||
         type == kHostName || type == kAddressTypes;
}

// False: RFC 9260 3.2.1, an unknown parameter of this type ends the list.
bool read_init_parameter(const Parameter& parameter, InitChunk& init) {
  switch (parameter.type) {
    case kStateCookie:
      init.cookie = parameter.value;
      return true;
    case kForwardTsnSupported:
      init.has_forward_tsn = true;
      return true;
    case kSupportedExtensions:
      for (const uint8_t type : parameter.value) {
        if (type == static_cast<uint8_t>(ChunkType::kForwardTsn)) init.has_forward_tsn = true;
        if (type == static_cast<uint8_t>(ChunkType::kReConfig)) init.has_reconfig = true;
      }
      return true;
    default:
      break;
  }
  if (is_ignored(parameter.type)) return true;
  if ((parameter.type & 0x4000) != 0 && init.reported_count < InitChunk::kMaxReported) {
    init.reported[init.reported_count++] = parameter.whole;
  }
  return (parameter.type & 0x8000) != 0;
}

std::optional<ReconfigParameter> parse_reconfig_parameter(const Parameter& raw) {
  ReconfigParameter out;
  out.type = static_cast<ReconfigType>(raw.type);
  Reader reader(raw.value);
  out.sequence = reader.u32();
  switch (out.type) {
    case ReconfigType::kOutgoingReset:
      out.response_sequence = reader.u32();
      out.last_tsn = reader.u32();
      out.stream_bytes = reader.rest();
      break;
    case ReconfigType::kIncomingReset:
      out.stream_bytes = reader.rest();
      break;
    case ReconfigType::kResponse:
      out.result = static_cast<ReconfigResult>(reader.u32());
      break;
    default:
      break;
  }
  if (!reader.ok() || out.stream_bytes.size() % 2 != 0) return std::nullopt;
  return out;
}

}  // namespace

std::optional<DataChunk> parse_data(const Chunk& chunk) {
  Reader reader(chunk.value);
  DataChunk data;
  data.tsn = reader.u32();
  data.stream = reader.u16();
  data.ssn = reader.u16();
  data.ppid = reader.u32();
  data.payload = reader.rest();
  data.ends = (chunk.flags & kEnds) != 0;
  data.begins = (chunk.flags & kBegins) != 0;
  data.unordered = (chunk.flags & kUnordered) != 0;
  data.immediate = (chunk.flags & kImmediate) != 0;
  if (!reader.ok()) return std::nullopt;
  return data;
}

void write_data(PacketWriter& packet, const DataChunk& data) {
  const int flags = (data.ends ? kEnds : 0) | (data.begins ? kBegins : 0) | (data.unordered ? kUnordered : 0) |
                    (data.immediate ? kImmediate : 0);
  packet.begin_chunk(ChunkType::kData, static_cast<uint8_t>(flags));
  packet.value().u32(data.tsn);
  packet.value().u16(data.stream);
  packet.value().u16(data.ssn);
  packet.value().u32(data.ppid);
  packet.value().bytes(data.payload);
  packet.end_chunk();
}

std::optional<InitChunk> parse_init(const Chunk& chunk) {
  Reader reader(chunk.value);
  InitChunk init;
  init.initiate_tag = reader.u32();
  init.receiver_window = reader.u32();
  init.outbound_streams = reader.u16();
  init.inbound_streams = reader.u16();
  init.initial_tsn = reader.u32();
  if (!reader.ok()) return std::nullopt;
  // RFC 9260 3.3.2: neither a zero tag nor zero streams is a usable association.
  if (init.initiate_tag == 0 || init.outbound_streams == 0 || init.inbound_streams == 0) return std::nullopt;
  ParameterReader parameters(reader.rest());
  while (const std::optional<Parameter> parameter = parameters.next()) {
    if (!read_init_parameter(*parameter, init)) break;
  }
  if (!parameters.ok()) return std::nullopt;
  if (chunk.type == ChunkType::kInitAck && init.cookie.empty()) return std::nullopt;
  return init;
}

void write_init(PacketWriter& packet, ChunkType type, const InitChunk& init) {
  packet.begin_chunk(type, 0);
  Writer& out = packet.value();
  out.u32(init.initiate_tag);
  out.u32(init.receiver_window);
  out.u16(init.outbound_streams);
  out.u16(init.inbound_streams);
  out.u32(init.initial_tsn);
  if (init.has_forward_tsn) write_parameter(out, kForwardTsnSupported, {});
  std::array<uint8_t, 2> extensions{};
  size_t count = 0;
  if (init.has_reconfig) extensions[count++] = static_cast<uint8_t>(ChunkType::kReConfig);
  if (init.has_forward_tsn) extensions[count++] = static_cast<uint8_t>(ChunkType::kForwardTsn);
  if (count > 0) write_parameter(out, kSupportedExtensions, ByteView(extensions).first(count));
  if (!init.cookie.empty()) write_parameter(out, kStateCookie, init.cookie);
  for (size_t i = 0; i < init.reported_count; ++i) write_parameter(out, kUnrecognized, init.reported[i]);
  packet.end_chunk();
}

std::optional<SackChunk> parse_sack(const Chunk& chunk) {
  Reader reader(chunk.value);
  SackChunk sack;
  sack.cumulative_tsn = reader.u32();
  sack.receiver_window = reader.u32();
  const size_t gaps = reader.u16();
  const size_t duplicates = reader.u16();
  sack.gap_bytes = reader.take(4 * gaps);
  sack.duplicate_bytes = reader.take(4 * duplicates);
  if (!reader.ok()) return std::nullopt;
  return sack;
}

std::optional<uint32_t> parse_shutdown(const Chunk& chunk) {
  if (chunk.value.size() < 4) return std::nullopt;
  return load_u32(chunk.value.data());
}

std::optional<ForwardTsnChunk> parse_forward_tsn(const Chunk& chunk) {
  if (chunk.value.size() < 4 || chunk.value.size() % 4 != 0) return std::nullopt;
  return ForwardTsnChunk{load_u32(chunk.value.data()), chunk.value.subspan(4)};
}

void write_forward_tsn(PacketWriter& packet, uint32_t new_cumulative_tsn,
                       std::span<const ForwardTsnChunk::Skip> skips) {
  packet.begin_chunk(ChunkType::kForwardTsn, 0);
  packet.value().u32(new_cumulative_tsn);
  for (const ForwardTsnChunk::Skip& skip : skips) {
    packet.value().u16(skip.stream);
    packet.value().u16(skip.ssn);
  }
  packet.end_chunk();
}

std::optional<ReconfigChunk> parse_reconfig(const Chunk& chunk) {
  ReconfigChunk out;
  ParameterReader parameters(chunk.value);
  while (const std::optional<Parameter> raw = parameters.next()) {
    if (out.count == out.parameters.size()) return std::nullopt;
    const std::optional<ReconfigParameter> parameter = parse_reconfig_parameter(*raw);
    if (!parameter) return std::nullopt;
    out.parameters[out.count++] = *parameter;
  }
  if (!parameters.ok() || out.count == 0) return std::nullopt;
  return out;
}

void write_reconfig(PacketWriter& packet, const ReconfigParameter& parameter) {
  packet.begin_chunk(ChunkType::kReConfig, 0);
  Writer& out = packet.value();
  const bool is_reset = parameter.type == ReconfigType::kOutgoingReset;
  const size_t size = kTlvHeaderSize + (is_reset ? 12 + parameter.stream_bytes.size() : 8);
  out.u16(static_cast<uint16_t>(parameter.type));
  out.u16(static_cast<uint16_t>(size));
  out.u32(parameter.sequence);
  if (is_reset) {
    out.u32(parameter.response_sequence);
    out.u32(parameter.last_tsn);
    out.bytes(parameter.stream_bytes);
  } else {
    out.u32(static_cast<uint32_t>(parameter.result));
  }
  packet.end_chunk();
}

void write_cause(PacketWriter& packet, ChunkType type, uint8_t flags, ErrorCause cause, ByteView value) {
  packet.begin_chunk(type, flags);
  write_parameter(packet.value(), static_cast<uint16_t>(cause), value);
  packet.end_chunk();
}

std::optional<Parameter> first_cause(const Chunk& chunk) {
  return ParameterReader(chunk.value).next();
}

}  // namespace atm::sctp

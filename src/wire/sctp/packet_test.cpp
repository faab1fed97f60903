#include "wire/sctp/packet.h"

#include <gtest/gtest.h>

#include <string_view>
#include <vector>

#include "wire/sctp/chunk.h"
#include "wire/sctp/crc32c.h"
#include "wire/sctp/dcep.h"

namespace atm::sctp {
namespace {

constexpr CommonHeader kHeader{5000, 5001, 0x01020304};

template <typename Write>
Bytes make_packet(Write write) {
  std::array<uint8_t, 1'200> buffer{};
  PacketWriter packet(buffer, kHeader);
  write(packet);
  const ByteView bytes = packet.finish();
  return {bytes.begin(), bytes.end()};
}

Chunk only_chunk(const Bytes& bytes) {
  const auto packet = parse_packet(bytes);
  EXPECT_TRUE(packet.has_value());
  ChunkReader chunks(packet->chunks);
  const auto chunk = chunks.next();
  EXPECT_TRUE(chunk.has_value());
  EXPECT_FALSE(chunks.next().has_value());
  return *chunk;
}

const Bytes kPayload{1, 2, 3, 4, 5};
const Bytes kCookie{9, 8, 7, 6, 5, 4, 3};

DataChunk sample_data() {
  DataChunk data;
  data.tsn = 0xfffffffe;
  data.stream = 3;
  data.ssn = 65'535;
  data.ppid = 51;
  data.begins = true;
  data.unordered = true;
  data.immediate = true;
  data.payload = kPayload;
  return data;
}

InitChunk sample_init() {
  InitChunk init;
  init.initiate_tag = 77;
  init.receiver_window = 100'000;
  init.outbound_streams = 1'024;
  init.inbound_streams = 65'535;
  init.initial_tsn = 5;
  init.has_forward_tsn = true;
  init.has_reconfig = true;
  init.cookie = kCookie;
  return init;
}

const Bytes kSackValue{0, 0, 0, 10, 0, 1, 0, 0, 0, 2, 0, 1, 0, 2, 0, 3, 0, 5, 0, 9, 0, 0, 0, 8};

// One packet of each kind: what the truncation and the mutation tests below go through.
std::vector<Bytes> make_samples() {
  std::vector<Bytes> out;
  out.push_back(make_packet([](PacketWriter& p) { write_data(p, sample_data()); }));
  InitChunk init = sample_init();
  out.push_back(make_packet([&](PacketWriter& p) { write_init(p, ChunkType::kInitAck, init); }));
  init.cookie = {};
  out.push_back(make_packet([&](PacketWriter& p) { write_init(p, ChunkType::kInit, init); }));
  out.push_back(make_packet([](PacketWriter& p) { p.chunk(ChunkType::kSack, 0, kSackValue); }));
  out.push_back(make_packet([](PacketWriter& p) { p.chunk(ChunkType::kHeartbeat, 0, Bytes{0, 1, 0, 6, 42, 43}); }));
  out.push_back(make_packet([](PacketWriter& p) { p.chunk(ChunkType::kShutdown, 0, Bytes{1, 2, 3, 4}); }));
  out.push_back(make_packet(
      [](PacketWriter& p) { p.chunk(ChunkType::kForwardTsn, 0, Bytes{0, 0, 1, 0, 0, 1, 0, 2, 0, 3, 0, 4}); }));
  out.push_back(make_packet([](PacketWriter& p) {
    const Bytes streams{0, 1, 0, 3, 0, 5};
    ReconfigParameter parameter;
    parameter.type = ReconfigType::kOutgoingReset;
    parameter.sequence = 7;
    parameter.response_sequence = 8;
    parameter.last_tsn = 9;
    parameter.stream_bytes = streams;
    write_reconfig(p, parameter);
  }));
  out.push_back(make_packet(
      [](PacketWriter& p) { write_cause(p, ChunkType::kAbort, 1, ErrorCause::kProtocolViolation, as_bytes("why")); }));
  out.push_back(make_packet([](PacketWriter& p) {
    p.chunk(ChunkType::kCookieAck, 0, {});
    write_data(p, sample_data());
    p.chunk(ChunkType::kSack, 0, kSackValue);
  }));
  return out;
}

const std::vector<Bytes>& samples() {  // alive as long as the views into them
  static const std::vector<Bytes> made = make_samples();
  return made;
}

// Everything that a parsed packet offers is read, so that a sanitizer sees a view out of bounds.
uint64_t read_all(ByteView bytes) {
  uint64_t total = 0;
  const auto packet = parse_packet(bytes);
  if (!packet) return 0;
  ChunkReader chunks(packet->chunks);
  while (const auto chunk = chunks.next()) {
    if (const auto data = parse_data(*chunk)) {
      for (const uint8_t b : data->payload) total += b;
    }
    if (const auto init = parse_init(*chunk)) {
      for (const uint8_t b : init->cookie) total += b;
      for (size_t i = 0; i < init->reported_count; ++i) total += init->reported[i].back();
    }
    if (const auto sack = parse_sack(*chunk)) {
      for (size_t i = 0; i < sack->gap_count(); ++i) total += sack->gap(i).end;
      for (size_t i = 0; i < sack->duplicate_count(); ++i) total += sack->duplicate(i);
    }
    if (const auto forward = parse_forward_tsn(*chunk)) {
      for (size_t i = 0; i < forward->skip_count(); ++i) total += forward->skip(i).ssn;
    }
    if (const auto reconfig = parse_reconfig(*chunk)) {
      for (size_t i = 0; i < reconfig->count; ++i) {
        const ReconfigParameter& parameter = reconfig->parameters[i];
        for (size_t s = 0; s < parameter.stream_count(); ++s) total += parameter.stream(s);
      }
    }
    if (const auto tsn = parse_shutdown(*chunk)) total += *tsn;
    if (const auto cause = first_cause(*chunk)) total += cause->type;
  }
  return total;
}

TEST(Crc32c, GivesTheValuesOfItsStandard) {
  EXPECT_EQ(crc32c(as_bytes("123456789")), 0xE3069283u);
  EXPECT_EQ(crc32c(Bytes(32, 0x00)), 0x8A9136AAu);  // RFC 3720 B.4
  EXPECT_EQ(crc32c(Bytes(32, 0xff)), 0x62A8AB43u);
  Bytes ascending(32);
  for (size_t i = 0; i < ascending.size(); ++i) ascending[i] = static_cast<uint8_t>(i);
  EXPECT_EQ(crc32c(ascending), 0x46DD794Eu);
  EXPECT_EQ(crc32c(as_bytes("56789"), crc32c(as_bytes("1234"))), 0xE3069283u);
}

TEST(SctpPacket, ChecksumCoversEveryByte) {
  for (const Bytes& sample : samples()) {
    ASSERT_TRUE(has_valid_checksum(sample));
    for (size_t i = 0; i < sample.size(); ++i) {
      Bytes broken = sample;
      broken[i] ^= 0x10;
      EXPECT_FALSE(has_valid_checksum(broken)) << i;
    }
  }
}

TEST(SctpPacket, EverySampleTruncatedAnywhereIsReadWithinItsBounds) {
  for (const Bytes& sample : samples()) {
    for (size_t size = 0; size < sample.size(); ++size) {
      const Bytes cut(sample.begin(), sample.begin() + static_cast<ptrdiff_t>(size));
      read_all(cut);
      EXPECT_FALSE(has_valid_checksum(cut)) << size;
    }
    EXPECT_TRUE(parse_packet(sample).has_value());
  }
}

TEST(SctpPacket, EverySampleWithAnyByteChangedIsReadWithinItsBounds) {
  for (const Bytes& sample : samples()) {
    for (size_t i = 0; i < sample.size(); ++i) {
      for (const int value : {0x00, 0x01, 0x7f, 0x80, 0xff}) {
        Bytes broken = sample;
        broken[i] = static_cast<uint8_t>(value);
        read_all(broken);
      }
    }
  }
}

TEST(SctpPacket, ChunkLengthsThatDoNotFitAreRefused) {
  Bytes packet = make_packet([](PacketWriter& p) { p.chunk(ChunkType::kCookieAck, 0, {}); });
  ASSERT_TRUE(parse_packet(packet).has_value());
  packet[15] = 3;  // below the chunk's own header: would never end
  EXPECT_FALSE(parse_packet(packet).has_value());
  packet[15] = 5;
  EXPECT_FALSE(parse_packet(packet).has_value());
  EXPECT_FALSE(parse_packet(ByteView(packet).first(12)).has_value());  // no chunk at all
}

TEST(SctpPacket, MissingPaddingOfTheLastChunkIsAccepted) {
  Bytes packet = make_packet([](PacketWriter& p) { write_data(p, sample_data()); });
  packet.resize(packet.size() - 3);
  const auto data = parse_data(only_chunk(packet));
  ASSERT_TRUE(data.has_value());
  EXPECT_EQ(Bytes(data->payload.begin(), data->payload.end()), kPayload);
}

TEST(SctpPacket, WriterThatOverflowsGivesNothing) {
  std::array<uint8_t, 30> buffer{};
  PacketWriter packet(buffer, kHeader);
  write_data(packet, sample_data());
  EXPECT_TRUE(packet.finish().empty());
}

TEST(SctpChunk, DataComesBackAsWritten) {
  const auto data = parse_data(only_chunk(samples()[0]));
  ASSERT_TRUE(data.has_value());
  EXPECT_EQ(data->tsn, 0xfffffffeu);
  EXPECT_EQ(data->stream, 3);
  EXPECT_EQ(data->ssn, 65'535);
  EXPECT_EQ(data->ppid, 51u);
  EXPECT_TRUE(data->begins);
  EXPECT_FALSE(data->ends);
  EXPECT_TRUE(data->unordered);
  EXPECT_TRUE(data->immediate);
  EXPECT_EQ(Bytes(data->payload.begin(), data->payload.end()), kPayload);
}

TEST(SctpChunk, InitAckComesBackAsWritten) {
  const auto init = parse_init(only_chunk(samples()[1]));
  ASSERT_TRUE(init.has_value());
  EXPECT_EQ(init->initiate_tag, 77u);
  EXPECT_EQ(init->receiver_window, 100'000u);
  EXPECT_EQ(init->outbound_streams, 1'024);
  EXPECT_EQ(init->inbound_streams, 65'535);
  EXPECT_EQ(init->initial_tsn, 5u);
  EXPECT_TRUE(init->has_forward_tsn);
  EXPECT_TRUE(init->has_reconfig);
  EXPECT_EQ(Bytes(init->cookie.begin(), init->cookie.end()), kCookie);
}

TEST(SctpChunk, InitThatCannotBecomeAnAssociationIsRefused) {
  const auto parses = [](InitChunk init, ChunkType type) {
    return parse_init(only_chunk(make_packet([&](PacketWriter& p) { write_init(p, type, init); }))).has_value();
  };
  EXPECT_TRUE(parses(sample_init(), ChunkType::kInitAck));
  InitChunk init = sample_init();
  init.initiate_tag = 0;
  EXPECT_FALSE(parses(init, ChunkType::kInit));
  init = sample_init();
  init.outbound_streams = 0;
  EXPECT_FALSE(parses(init, ChunkType::kInit));
  init = sample_init();
  init.inbound_streams = 0;
  EXPECT_FALSE(parses(init, ChunkType::kInit));
  init = sample_init();
  init.cookie = {};
  EXPECT_TRUE(parses(init, ChunkType::kInit));
  EXPECT_FALSE(parses(init, ChunkType::kInitAck));
}

// RFC 9260 3.2.1: the two upper bits of an unknown parameter's type.
TEST(SctpChunk, UnknownInitParametersAreSkippedReportedOrStopTheList) {
  const auto parse = [](uint16_t unknown) {
    const Bytes packet = make_packet([&](PacketWriter& p) {
      p.begin_chunk(ChunkType::kInit, 0);
      for (const uint32_t word : {77u, 1'500u, 0x00010001u, 5u}) p.value().u32(word);
      write_parameter(p.value(), unknown, as_bytes("x"));
      write_parameter(p.value(), 0xC000, {});
      p.end_chunk();
    });
    const auto init = parse_init(only_chunk(packet));
    EXPECT_TRUE(init.has_value());
    return std::pair{init->has_forward_tsn, init->reported_count};
  };
  EXPECT_EQ(parse(0x3fff), (std::pair<bool, size_t>{false, 0}));
  EXPECT_EQ(parse(0x7fff), (std::pair<bool, size_t>{false, 1}));
  EXPECT_EQ(parse(0xbfff), (std::pair<bool, size_t>{true, 0}));
  EXPECT_EQ(parse(0xffff), (std::pair<bool, size_t>{true, 1}));
}

TEST(SctpChunk, SackGivesGapsAndDuplicates) {
  const auto sack = parse_sack(only_chunk(samples()[3]));
  ASSERT_TRUE(sack.has_value());
  EXPECT_EQ(sack->cumulative_tsn, 10u);
  EXPECT_EQ(sack->receiver_window, 65'536u);
  ASSERT_EQ(sack->gap_count(), 2u);
  EXPECT_EQ(sack->gap(1).start, 5);
  EXPECT_EQ(sack->gap(1).end, 9);
  ASSERT_EQ(sack->duplicate_count(), 1u);
  EXPECT_EQ(sack->duplicate(0), 8u);
}

TEST(SctpChunk, SackThatPromisesMoreThanItHoldsIsRefused) {
  Bytes value = kSackValue;
  value[9] = 3;
  const Bytes packet = make_packet([&](PacketWriter& p) { p.chunk(ChunkType::kSack, 0, value); });
  EXPECT_FALSE(parse_sack(only_chunk(packet)).has_value());
}

TEST(SctpChunk, ReconfigGivesItsStreams) {
  const auto reconfig = parse_reconfig(only_chunk(samples()[7]));
  ASSERT_TRUE(reconfig.has_value());
  ASSERT_EQ(reconfig->count, 1u);
  const ReconfigParameter& parameter = reconfig->parameters[0];
  EXPECT_EQ(parameter.type, ReconfigType::kOutgoingReset);
  EXPECT_EQ(parameter.sequence, 7u);
  EXPECT_EQ(parameter.response_sequence, 8u);
  EXPECT_EQ(parameter.last_tsn, 9u);
  ASSERT_EQ(parameter.stream_count(), 3u);
  EXPECT_EQ(parameter.stream(2), 5);
}

TEST(SctpChunk, ForwardTsnGivesItsStreams) {
  const auto forward = parse_forward_tsn(only_chunk(samples()[6]));
  ASSERT_TRUE(forward.has_value());
  EXPECT_EQ(forward->new_cumulative_tsn, 256u);
  ASSERT_EQ(forward->skip_count(), 2u);
  EXPECT_EQ(forward->skip(1).stream, 3);
  EXPECT_EQ(forward->skip(1).ssn, 4);
}

TEST(Dcep, OpenComesBackAsWrittenAndIsRefusedWhenCutOrExtended) {
  DcepOpen open;
  open.limit = DcepOpen::Limit::kLifetime;
  open.unordered = true;
  open.priority = 256;
  open.reliability = 10'000;
  open.label = "data";
  open.protocol = "p";
  const Bytes message = write_dcep_open(open);
  // RFC 8832 5.1: 0x82 is DATA_CHANNEL_PARTIAL_RELIABLE_TIMED_UNORDERED.
  const Bytes expected{0x03, 0x82, 0x01, 0x00, 0x00, 0x00, 0x27, 0x10, 0, 4, 0, 1, 'd', 'a', 't', 'a', 'p'};
  EXPECT_EQ(message, expected);
  const auto parsed = parse_dcep_open(message);
  ASSERT_TRUE(parsed.has_value());
  EXPECT_EQ(parsed->limit, DcepOpen::Limit::kLifetime);
  EXPECT_TRUE(parsed->unordered);
  EXPECT_EQ(parsed->reliability, 10'000u);
  EXPECT_EQ(parsed->label, "data");
  EXPECT_EQ(parsed->protocol, "p");
  for (size_t size = 0; size < message.size(); ++size) {
    EXPECT_FALSE(parse_dcep_open(ByteView(message).first(size)).has_value()) << size;
  }
  Bytes longer = message;
  longer.push_back(0);
  EXPECT_FALSE(parse_dcep_open(longer).has_value());
  Bytes unknown_type = message;
  unknown_type[1] = 0x03;
  EXPECT_FALSE(parse_dcep_open(unknown_type).has_value());
}

TEST(Dcep, AckIsOneByte) {
  EXPECT_TRUE(is_dcep_ack(write_dcep_ack()));
  EXPECT_FALSE(is_dcep_ack({}));
  EXPECT_FALSE(is_dcep_ack(Bytes{2, 0}));
  EXPECT_FALSE(is_dcep_ack(Bytes{3}));
}

}  // namespace
}  // namespace atm::sctp

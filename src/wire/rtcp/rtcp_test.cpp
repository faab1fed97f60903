#include <gtest/gtest.h>

#include <vector>

#include "wire/rtcp/packet.h"
#include "wire/rtcp/writer.h"

namespace atm::rtcp {
namespace {

template <typename T>
std::vector<T> all(ByteView compound, bool* good = nullptr) {
  std::vector<T> out;
  const bool result = for_each_packet(compound, [&](const Packet& packet) {
    if (const T* found = std::get_if<T>(&packet)) out.push_back(*found);
  });
  if (good) *good = result;
  return out;
}

size_t count(ByteView compound) {
  size_t packets = 0;
  for_each_packet(compound, [&](const Packet&) { ++packets; });
  return packets;
}

std::vector<uint16_t> sequences(const Nack& nack) {
  std::vector<uint16_t> out;
  nack.for_each_sequence([&](uint16_t sequence) { out.push_back(sequence); });
  return out;
}

class Compound {
 public:
  CompoundWriter* operator->() { return &writer_; }
  ByteView bytes() const { return writer_.written(); }

 private:
  Bytes buffer_ = Bytes(1200, 0xEE);
  CompoundWriter writer_{buffer_};
};

TEST(Rtcp, sender_report_has_the_bytes_of_rfc_3550) {
  Compound compound;
  ReportBlock block{0x01020304, 0x40, -2, 0x00010005, 7, 0x11223344, 0x00010000};
  ASSERT_TRUE(compound->sender_report({0xAABBCCDD, 0x0102030405060708, 90'000, 10, 1'000}, {&block, 1}));
  const Bytes expected = {
      0x81, 200, 0, 12, 0xAA, 0xBB, 0xCC, 0xDD, 1,    2, 3, 4, 5, 6, 7, 8, 0, 1,    0x5F, 0x90, 0,    0, 0, 10, 0, 0, 3,
      0xE8, 1,   2, 3,  4,    0x40, 0xFF, 0xFF, 0xFE, 0, 1, 0, 5, 0, 0, 0, 7, 0x11, 0x22, 0x33, 0x44, 0, 1, 0,  0};
  EXPECT_EQ(Bytes(compound.bytes().begin(), compound.bytes().end()), expected);

  const auto reports = all<SenderReport>(compound.bytes());
  ASSERT_EQ(reports.size(), 1u);
  EXPECT_EQ(reports[0].sender.ntp, 0x0102030405060708u);
  EXPECT_EQ(reports[0].sender.octets, 1'000u);
  ASSERT_EQ(reports[0].blocks.size(), 1u);
  EXPECT_EQ(reports[0].blocks[0].ssrc, 0x01020304u);
  EXPECT_EQ(reports[0].blocks[0].cumulative_lost, -2);
  EXPECT_EQ(reports[0].blocks[0].delay_since_last_sr, 0x00010000u);
}

TEST(Rtcp, cumulative_loss_is_clamped_to_24_bits) {
  Compound compound;
  std::vector<ReportBlock> blocks(2);
  blocks[0].cumulative_lost = 0x7FFFFFFF;
  blocks[1].cumulative_lost = -0x7FFFFFFF;
  ASSERT_TRUE(compound->receiver_report(5, blocks));
  const auto reports = all<ReceiverReport>(compound.bytes());
  ASSERT_EQ(reports.size(), 1u);
  EXPECT_EQ(reports[0].ssrc, 5u);
  EXPECT_EQ(reports[0].blocks[0].cumulative_lost, 0x7FFFFF);
  EXPECT_EQ(reports[0].blocks[1].cumulative_lost, -0x800000);
}

TEST(Rtcp, a_compound_of_everything_reads_back) {
  Compound compound;
  const uint32_t ssrcs[] = {7, 8};
  const FirEntry fir[] = {{9, 200}, {10, 201}};
  const uint16_t lost[] = {100, 101, 116, 117, 65'535, 0, 15};
  ASSERT_TRUE(compound->receiver_report(1));
  ASSERT_TRUE(compound->source_name(1, "some-name"));
  ASSERT_TRUE(compound->pli(1, 2));
  ASSERT_TRUE(compound->fir(1, fir));
  ASSERT_EQ(compound->nack(1, 2, lost), 7u);
  ASSERT_TRUE(compound->remb(1, 2'500'000, ssrcs));
  ASSERT_TRUE(compound->bye(ssrcs));

  bool good = false;
  const auto names = all<SourceName>(compound.bytes(), &good);
  EXPECT_TRUE(good);
  EXPECT_EQ(count(compound.bytes()), 7u);
  ASSERT_EQ(names.size(), 1u);
  EXPECT_EQ(names[0].cname, "some-name");
  EXPECT_EQ(all<Pli>(compound.bytes()).at(0).media_ssrc, 2u);
  const Fir read_fir = all<Fir>(compound.bytes()).at(0);
  ASSERT_EQ(read_fir.entries.size(), 2u);
  EXPECT_EQ(read_fir.entries[1].ssrc, 10u);
  EXPECT_EQ(read_fir.entries[1].sequence, 201);
  const Nack nack = all<Nack>(compound.bytes()).at(0);
  EXPECT_EQ(nack.items.size(), 3u);  // 100 reaches to 116; 117 stands alone; 65,535 reaches over the wrap to 15
  EXPECT_EQ(sequences(nack), (std::vector<uint16_t>{100, 101, 116, 117, 65'535, 0, 15}));
  const Remb remb = all<Remb>(compound.bytes()).at(0);
  EXPECT_EQ(remb.ssrcs.size(), 2u);
  EXPECT_EQ(remb.bitrate_bps, 2'500'000u / 16 * 16);
  EXPECT_EQ(all<Bye>(compound.bytes()).at(0).ssrcs[1], 8u);
}

TEST(Rtcp, cut_anywhere_a_compound_gives_whole_packets_or_nothing) {
  Compound compound;
  const uint32_t ssrcs[] = {7, 8};
  const FirEntry fir[] = {{9, 200}};
  const uint16_t lost[] = {100, 200};
  const ReportBlock block;
  compound->sender_report({}, {&block, 1});
  compound->source_name(1, "a");
  compound->fir(1, fir);
  compound->nack(1, 2, lost);
  compound->remb(1, 2'500'000, ssrcs);
  for (size_t size = 0; size < compound.bytes().size(); ++size) {
    const Bytes cut(compound.bytes().begin(), compound.bytes().begin() + static_cast<std::ptrdiff_t>(size));
    const size_t packets = count(cut);
    if (size % 4 != 0) {
      EXPECT_EQ(packets, 0u) << size;
    }
    EXPECT_LT(packets, 5u) << size;
  }
  // The same with lengths that lie: every header's length field set to every value.
  Bytes bytes(compound.bytes().begin(), compound.bytes().end());
  for (size_t words = 0; words < 80; ++words) {
    store_u16(bytes.data() + 2, static_cast<uint16_t>(words));
    count(bytes);
  }
}

TEST(Rtcp, broken_framing_visits_nothing) {
  Compound compound;
  compound->pli(1, 2);
  compound->pli(1, 2);
  Bytes bytes(compound.bytes().begin(), compound.bytes().end());
  EXPECT_EQ(count(bytes), 2u);
  bytes[12] = 0x41;  // the second packet's version
  EXPECT_EQ(count(bytes), 0u);
  bytes[12] = 0x81;
  bytes[0] = 0xA1;  // RFC 3550 6.4.1: padding on another than the last
  bytes[11] = 4;
  EXPECT_EQ(count(bytes), 0u);
  EXPECT_FALSE(for_each_packet({}, [](const Packet&) {}));
  Bytes empty_reports;
  for (size_t i = 0; i <= kMaxPackets; ++i) {
    for (const int byte : {0x80, 207, 0, 0}) empty_reports.push_back(static_cast<uint8_t>(byte));
  }
  EXPECT_FALSE(is_well_framed(empty_reports));
}

TEST(Rtcp, padding_of_the_last_packet_is_not_its_body) {
  const Bytes bytes = {0xA0, 201, 0, 2, 0, 0, 0, 5, 0, 0, 0, 4};
  EXPECT_EQ(all<ReceiverReport>(bytes).at(0).ssrc, 5u);
  Bytes too_much = bytes;
  too_much[11] = 12;
  EXPECT_EQ(count(too_much), 0u);
  too_much[11] = 3;
  EXPECT_EQ(count(too_much), 0u);
}

TEST(Rtcp, one_broken_body_leaves_the_others) {
  // An SR that claims 31 blocks, then a PLI.
  const Bytes bytes = {0x9F, 200, 0, 6, 0, 0, 0, 1, 0,    0,   0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
                       0,    0,   0, 0, 0, 0, 0, 0, 0x81, 206, 0, 2, 0, 0, 0, 1, 0, 0, 0, 2};
  bool good = true;
  EXPECT_EQ(all<Pli>(bytes, &good).size(), 1u);
  EXPECT_FALSE(good);
  EXPECT_EQ(count(bytes), 1u);
}

TEST(Rtcp, unknown_and_unread_packets_are_recognised) {
  const Bytes bytes = {0x80, 207, 0, 1, 0, 0, 0, 9,                                      // XR
                       0x8F, 205, 0, 3, 0, 0, 0, 1, 0, 0, 0, 2, 0xAA, 0xBB, 0xCC, 0xDD,  // transport-cc
                       0x80, 210, 0, 0,                                                  // unassigned
                       0x8F, 206, 0, 3, 0, 0, 0, 1, 0, 0, 0, 2, 'X',  'X',  'X',  'X'};  // application feedback
  bool good = false;
  EXPECT_EQ(all<Other>(bytes, &good).size(), 2u);
  EXPECT_TRUE(good);
  EXPECT_EQ(all<ExtendedReport>(bytes).at(0).ssrc, 9u);
  EXPECT_EQ(all<TransportFeedback>(bytes).at(0).body.size(), 4u);
}

TEST(Rtcp, sdes_chunks_end_where_their_padding_ends) {
  // Two chunks: CNAME "ab" then a NOTE, and one without a CNAME.
  const Bytes bytes = {0x82, 202, 0, 5, 0, 0, 0, 1, 1, 2, 'a', 'b', 7, 1, 'n', 0, 0, 0, 0, 2, 0, 0, 0, 0};
  bool good = false;
  const auto names = all<SourceName>(bytes, &good);
  EXPECT_TRUE(good);
  ASSERT_EQ(names.size(), 1u);
  EXPECT_EQ(names[0].cname, "ab");
  Bytes unended = bytes;
  unended.resize(16);
  unended[0] = 0x81;
  unended[3] = 3;
  unended[15] = 'm';
  EXPECT_TRUE(all<SourceName>(unended, &good).empty());
  EXPECT_FALSE(good);
}

TEST(Rtcp, writers_write_whole_packets_or_nothing) {
  for (size_t room = 0; room < 12; ++room) {
    Bytes buffer(room, 0x55);
    CompoundWriter writer(buffer);
    const uint32_t ssrc[] = {1, 2, 3};
    const uint16_t lost[] = {1};
    const FirEntry fir[] = {{1, 1}};
    EXPECT_FALSE(writer.pli(1, 2));
    EXPECT_FALSE(writer.bye(ssrc));
    EXPECT_FALSE(writer.fir(1, fir));
    EXPECT_FALSE(writer.remb(1, 1, ssrc));
    EXPECT_FALSE(writer.sender_report({}));
    EXPECT_FALSE(writer.source_name(1, "abcd"));
    EXPECT_EQ(writer.nack(1, 2, lost), 0u);
    EXPECT_TRUE(writer.empty());
    EXPECT_EQ(buffer, Bytes(room, 0x55));
  }
}

TEST(Rtcp, nack_writes_as_many_as_fit_and_says_how_many) {
  std::vector<uint16_t> lost;
  for (unsigned i = 0; i < 10; ++i) lost.push_back(static_cast<uint16_t>(i * 20));
  Bytes buffer(12 + 3 * 4 + 2);
  CompoundWriter writer(buffer);
  EXPECT_EQ(writer.nack(1, 2, lost), 3u);
  EXPECT_EQ(sequences(all<Nack>(writer.written()).at(0)), (std::vector<uint16_t>{0, 20, 40}));
}

TEST(Rtcp, remb_goes_through_mantissa_and_exponent) {
  for (const uint64_t bps :
       {uint64_t{0}, uint64_t{1}, uint64_t{262'143}, uint64_t{262'144}, uint64_t{30'000'000}, ~uint64_t{0}}) {
    Compound compound;
    ASSERT_TRUE(compound->remb(1, bps, {}));
    const Remb remb = all<Remb>(compound.bytes()).at(0);
    EXPECT_LE(remb.bitrate_bps, bps);
    EXPECT_GE(remb.bitrate_bps, bps - bps / 100'000);
  }
  // 63 as exponent with a mantissa: no bitrate of 64 bits.
  const Bytes huge = {0x8F, 206, 0, 4, 0, 0, 0, 1, 0, 0, 0, 0, 'R', 'E', 'M', 'B', 0, 0xFF, 0xFF, 0xFF};
  EXPECT_EQ(count(huge), 0u);
}

}  // namespace
}  // namespace atm::rtcp

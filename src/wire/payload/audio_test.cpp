#include <gtest/gtest.h>

#include <vector>

#include "wire/payload/opus.h"
#include "wire/payload/red.h"

namespace atm::payload {
namespace {

// RFC 2198 3: F, block PT 111, offset 960, length 3; then the primary's PT.
const Bytes kTwoBlocks = {0x80 | 111, 0x0F, 0x00, 0x03, 111, 0xA1, 0xA2, 0xA3, 0xB1, 0xB2};
const Bytes kPrimaryAlone = {111, 0xB1, 0xB2};
const Bytes kThreeBlocks = {0x80 | 111, 0x1E, 0x00, 0x01, 0x80 | 111, 0x0F, 0x00, 0x02, 111, 1, 2, 3, 4};

TEST(Red, reads_copies_and_primary) {
  const auto red = parse_red(kTwoBlocks);
  ASSERT_TRUE(red);
  ASSERT_EQ(red->count, 2u);
  EXPECT_EQ(red->copies()[0].payload_type, 111);
  EXPECT_EQ(red->copies()[0].timestamp_offset, 960);
  EXPECT_EQ(Bytes(red->copies()[0].data.begin(), red->copies()[0].data.end()), (Bytes{0xA1, 0xA2, 0xA3}));
  EXPECT_EQ(red->primary().payload_type, 111);
  EXPECT_EQ(red->primary().timestamp_offset, 0);
  EXPECT_EQ(Bytes(red->primary().data.begin(), red->primary().data.end()), (Bytes{0xB1, 0xB2}));
  EXPECT_EQ(parse_red(kPrimaryAlone)->count, 1u);
  EXPECT_EQ(parse_red(kThreeBlocks)->copies()[0].timestamp_offset, 1'920);
}

TEST(Red, a_length_beyond_the_packet_is_refused) {
  Bytes bytes = kTwoBlocks;
  bytes[3] = 6;  // one more than the payload has
  EXPECT_FALSE(parse_red(bytes));
  bytes[3] = 5;  // all of it: the primary is empty
  ASSERT_TRUE(parse_red(bytes));
  EXPECT_TRUE(parse_red(bytes)->primary().data.empty());
}

TEST(Red, has_at_most_so_many_blocks) {
  for (const size_t copies : {kMaxRedBlocks - 1, kMaxRedBlocks}) {
    Bytes bytes;
    for (size_t i = 0; i < copies; ++i) bytes.insert(bytes.end(), {0x80 | 111, 0, 0, 0});
    bytes.push_back(111);
    EXPECT_EQ(parse_red(bytes).has_value(), copies < kMaxRedBlocks) << copies;
  }
  EXPECT_FALSE(parse_red(Bytes(1'200, 0xFF)));
}

TEST(Red, writes_what_it_reads) {
  for (const Bytes& bytes : {kTwoBlocks, kPrimaryAlone, kThreeBlocks}) {
    const auto red = parse_red(bytes);
    ASSERT_TRUE(red);
    Bytes out(bytes.size());
    EXPECT_EQ(write_red(out, {red->blocks.data(), red->count}), bytes.size());
    EXPECT_EQ(out, bytes);
    Bytes one_short(bytes.size() - 1);
    EXPECT_EQ(write_red(one_short, {red->blocks.data(), red->count}), 0u);
  }
}

TEST(Red, writes_no_value_that_does_not_fit_its_field) {
  Bytes out(4'000);
  const Bytes frame(kMaxRedCopySize + 1);
  const RedBlock primary{111, 0, frame};
  EXPECT_NE(write_red(out, std::vector<RedBlock>{{111, 960, ByteView(frame).first(kMaxRedCopySize)}, primary}), 0u);
  EXPECT_EQ(write_red(out, std::vector<RedBlock>{{111, 960, frame}, primary}), 0u);
  EXPECT_NE(write_red(out, std::vector<RedBlock>{{111, kMaxRedTimestampOffset, {}}, primary}), 0u);
  EXPECT_EQ(write_red(out, std::vector<RedBlock>{{111, kMaxRedTimestampOffset + 1, {}}, primary}), 0u);
  EXPECT_EQ(write_red(out, std::vector<RedBlock>(kMaxRedBlocks + 1, primary)), 0u);
  EXPECT_EQ(write_red(out, {}), 0u);
}

TEST(OpusToc, tells_frames_and_durations) {
  struct Case {
    Bytes bytes;
    uint8_t frames;
    uint32_t duration;
    bool is_dtx;
  };
  const Case cases[] = {
      {{0x78, 1, 2}, 1, 960, false},          // configuration 15: hybrid, 20 ms
      {{0x78}, 1, 960, true},                 // what libopus sends for silence
      {{0x79, 1, 2}, 2, 1'920, false},        // code 1: two of one size
      {{0x7A, 1, 2}, 2, 1'920, false},        // code 2: two of different sizes
      {{0x1B, 0x02, 1, 2}, 2, 5'760, false},  // configuration 3: SILK, 60 ms, twice
      {{0x7B, 0x03}, 3, 2'880, true},
      {{0xE3, 0x30, 9}, 48, 5'760, false},  // configuration 28: CELT, 2.5 ms
      {{0x08, 7}, 1, 960, false},
  };
  for (const Case& c : cases) {
    const auto toc = parse_opus_toc(c.bytes);
    ASSERT_TRUE(toc) << int{c.bytes[0]};
    EXPECT_EQ(toc->frames, c.frames) << int{c.bytes[0]};
    EXPECT_EQ(toc->duration(), c.duration) << int{c.bytes[0]};
    EXPECT_EQ(toc->is_dtx, c.is_dtx) << int{c.bytes[0]};
  }
  EXPECT_FALSE(parse_opus_toc({}));
  EXPECT_FALSE(parse_opus_toc(Bytes{0x7A}));        // code 2 without its length
  EXPECT_FALSE(parse_opus_toc(Bytes{0x7B}));        // code 3 without its count
  EXPECT_FALSE(parse_opus_toc(Bytes{0x7B, 0x00}));  // no frame
  EXPECT_FALSE(parse_opus_toc(Bytes{0x1B, 0x03}));  // 180 ms
  EXPECT_TRUE(parse_opus_toc(Bytes{0x7C, 1})->is_stereo);
}

// Under a sanitizer this shows that nothing is read beyond the end; each copy is exactly as long as what is left.
TEST(Audio, every_sample_is_safe_cut_at_every_byte_and_with_every_byte_changed) {
  const auto try_it = [](const Bytes& bytes) {
    parse_opus_toc(bytes);
    const auto red = parse_red(bytes);
    if (!red) return;
    size_t sum = 0;
    for (size_t i = 0; i < red->count; ++i) sum += red->blocks[i].data.size();
    EXPECT_EQ(sum + 4 * (red->count - 1) + 1, bytes.size());
  };
  for (const Bytes& sample : {kTwoBlocks, kPrimaryAlone, kThreeBlocks, Bytes{0x7B, 0x03, 1, 2, 3}}) {
    for (size_t size = 0; size <= sample.size(); ++size) {
      try_it(Bytes(sample.begin(), sample.begin() + static_cast<std::ptrdiff_t>(size)));
    }
    for (size_t at = 0; at < sample.size(); ++at) {
      Bytes changed = sample;
      for (unsigned value = 0; value < 256; ++value) {
        changed[at] = static_cast<uint8_t>(value);
        try_it(changed);
      }
    }
  }
}

TEST(Opus, tells_of_a_copy_of_the_frame_before) {
  const auto has_fec = [](uint8_t toc, uint8_t first) { return parse_opus_toc(Bytes{toc, first, 1, 2})->has_fec; };
  EXPECT_TRUE(has_fec(9 << 3, 0x40)) << "SILK, 20 ms: voice bit, then the copy's";
  EXPECT_FALSE(has_fec(9 << 3, 0x80));
  EXPECT_TRUE(has_fec(15 << 3, 0x40)) << "hybrid";
  EXPECT_TRUE(has_fec(11 << 3, 0x10)) << "60 ms: three voice bits";
  EXPECT_FALSE(has_fec(11 << 3, 0x40));
  EXPECT_TRUE(has_fec(9 << 3 | 4, 0x10)) << "stereo: of the side channel";
  EXPECT_FALSE(has_fec(31 << 3, 0x40)) << "CELT has none";
  EXPECT_FALSE(parse_opus_toc(Bytes{9 << 3})->has_fec);
}

}  // namespace
}  // namespace atm::payload

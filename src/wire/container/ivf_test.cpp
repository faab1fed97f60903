#include "wire/container/ivf.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace atm::container {
namespace {

const Bytes kFrame = {1, 2, 3};
// By hand: VP9, 320 x 180, 30 pictures a second, one frame of three bytes with timestamp 7.
const Bytes kFile = {'D', 'K', 'I', 'F', 0, 0, 32, 0, 'V', 'P', '9', '0', 0x40, 0x01, 180, 0, 30, 0, 0, 0, 1, 0, 0, 0,
                     1,   0,   0,   0,   0, 0, 0,  0, 3,   0,   0,   0,   7,    0,    0,   0, 0,  0, 0, 0, 1, 2, 3};

TEST(Ivf, IsReadAndWritten) {
  auto reader = IvfReader::open(kFile);
  ASSERT_TRUE(reader);
  EXPECT_EQ(reader->header().codec, Codec::kVp9);
  EXPECT_EQ(reader->header().width, 320);
  EXPECT_EQ(reader->header().height, 180);
  EXPECT_EQ(reader->header().rate, 30u);
  EXPECT_EQ(reader->header().frames, 1u);
  const auto frame = reader->next();
  ASSERT_TRUE(frame && *frame);
  EXPECT_EQ((*frame)->timestamp, 7u);
  EXPECT_TRUE(std::ranges::equal((*frame)->bytes, kFrame));
  EXPECT_FALSE(reader->next()->has_value());

  IvfWriter writer(reader->header());
  Bytes out;
  writer.begin(out);
  writer.write(7, kFrame, out);
  std::ranges::copy(writer.final_header(), out.begin());
  EXPECT_EQ(out, kFile);
}

TEST(Ivf, KnowsItsCodecs) {
  for (const Codec codec : {Codec::kVp8, Codec::kVp9, Codec::kH264, Codec::kAv1}) {
    Bytes out;
    IvfWriter({.codec = codec}).begin(out);
    EXPECT_EQ(IvfReader::open(out)->header().codec, codec);
  }
}

TEST(Ivf, SaysWhereAFileIsBroken) {
  for (size_t size = 0; size < kIvfHeaderSize; ++size) {
    EXPECT_FALSE(IvfReader::open(ByteView(kFile).first(size))) << size;
  }
  for (size_t size = kIvfHeaderSize + 1; size < kFile.size(); ++size) {
    auto reader = IvfReader::open(ByteView(kFile).first(size));
    ASSERT_TRUE(reader);
    const auto frame = reader->next();
    ASSERT_FALSE(frame) << size;
    EXPECT_TRUE(frame.error().why.starts_with("byte 32: ")) << frame.error().why;
    EXPECT_FALSE(reader->next()->has_value()) << "and no more";
  }
  const std::pair<size_t, const char*> kBroken[] = {{0, "byte 0: "}, {4, "byte 4: "}, {6, "byte 6: "}, {8, "byte 8: "}};
  for (const auto& [at, where] : kBroken) {
    Bytes file = kFile;
    file[at] ^= 0x3F;
    const auto reader = IvfReader::open(file);
    ASSERT_FALSE(reader) << at;
    EXPECT_TRUE(reader.error().why.starts_with(where)) << reader.error().why;
  }
  Bytes file = kFile;
  file[16] = 0;
  EXPECT_FALSE(IvfReader::open(file)) << "timestamps that count nothing";
}

}  // namespace
}  // namespace atm::container

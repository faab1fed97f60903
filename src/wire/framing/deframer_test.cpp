#include "wire/framing/deframer.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "base/rng.h"

namespace atm::framing {
namespace {

Bytes framed(const Bytes& frame) {
  Bytes out(kHeaderSize);
  store_u16(out.data(), static_cast<uint16_t>(frame.size()));
  out.insert(out.end(), frame.begin(), frame.end());
  return out;
}

// What a reader is given that gets `stream` in pieces of those sizes, over and over.
struct Read {
  std::vector<Bytes> frames;
  bool is_well_formed = true;
  size_t null_frames = 0;
  size_t most_held = 0;
};
Read read_in_pieces(const Bytes& stream, const std::vector<size_t>& sizes) {
  Read out;
  Deframer deframer;
  size_t at = 0;
  for (size_t turn = 0; at < stream.size(); ++turn) {
    const size_t size = std::min(sizes[turn % sizes.size()], stream.size() - at);
    Bytes piece(stream.begin() + static_cast<std::ptrdiff_t>(at),
                stream.begin() + static_cast<std::ptrdiff_t>(at + size));
    at += size;
    std::vector<MutByteView> frames;
    out.is_well_formed = deframer.read(piece, frames);
    for (const MutByteView frame : frames) out.frames.emplace_back(frame.begin(), frame.end());
    out.most_held = std::max(out.most_held, deframer.held_bytes());
  }
  out.null_frames = deframer.null_frames();
  return out;
}

TEST(Deframer, GivesTheSameFramesInWhateverPiecesTheyCome) {
  SeededRng rng(1);
  std::vector<Bytes> sent;
  Bytes stream;
  for (const size_t size : {size_t{1}, size_t{20}, size_t{1'200}, size_t{2}, kMaxFrame, size_t{3}, size_t{300}}) {
    Bytes frame(size);
    rng.fill(frame);
    sent.push_back(frame);
    const Bytes more = framed(frame);
    stream.insert(stream.end(), more.begin(), more.end());
  }
  std::vector<std::vector<size_t>> cuts = {{1}, {2}, {3}, {stream.size()}, {1, 5'000}, {1'203}, {22, 1}};
  for (int i = 0; i < 200; ++i) cuts.push_back({1 + rng.below(50), 1 + rng.below(3'000), 1 + rng.below(3)});
  for (const auto& sizes : cuts) {
    const Read read = read_in_pieces(stream, sizes);
    EXPECT_TRUE(read.is_well_formed);
    EXPECT_EQ(read.frames, sent);
    EXPECT_LE(read.most_held, kHeaderSize + kMaxFrame);
  }
}

TEST(Deframer, FramesAreViewsOfTheBytesThatCame) {
  Deframer deframer;
  Bytes two = framed({1, 2, 3});
  const Bytes more = framed({4});
  two.insert(two.end(), more.begin(), more.end());
  std::vector<MutByteView> frames;
  deframer.read(two, frames);
  ASSERT_EQ(frames.size(), 2u);
  EXPECT_EQ(frames[0].data(), two.data() + 2);
  EXPECT_EQ(frames[1].data(), two.data() + 7);
}

TEST(Deframer, AFrameTooLargeIsTheEndAndWhatWasBeforeItIsGiven) {
  for (const std::vector<size_t>& sizes : {std::vector<size_t>{9'999}, {1}, {6}, {7}}) {
    Bytes stream = framed({1, 2, 3});
    Bytes wrong(kHeaderSize + kMaxFrame + 1);
    store_u16(wrong.data(), kMaxFrame + 1);
    stream.insert(stream.end(), wrong.begin(), wrong.end());
    const Read read = read_in_pieces(stream, sizes);
    EXPECT_FALSE(read.is_well_formed);
    EXPECT_EQ(read.frames, std::vector<Bytes>({{1, 2, 3}}));
    EXPECT_LE(read.most_held, 5u) << "nothing of it is kept";
  }
  Deframer deframer;
  std::vector<MutByteView> frames;
  Bytes wrong = {0xff, 0xff}, right = framed({1});
  EXPECT_FALSE(deframer.read(wrong, frames));
  EXPECT_FALSE(deframer.read(right, frames)) << "it stays so";
  EXPECT_TRUE(frames.empty());
}

TEST(Deframer, NullFramesArePassedOver) {
  Bytes stream = {0, 0, 0, 0, 0, 1, 7, 0, 0, 0, 1, 8, 0, 0};
  for (const size_t size : {1, 2, 3, 100}) {
    const Read read = read_in_pieces(stream, {size});
    EXPECT_TRUE(read.is_well_formed);
    EXPECT_EQ(read.frames, std::vector<Bytes>({{7}, {8}}));
    EXPECT_EQ(read.null_frames, 4u);
  }
}

}  // namespace
}  // namespace atm::framing

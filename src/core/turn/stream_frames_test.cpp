#include "core/turn/stream_frames.h"

#include <gtest/gtest.h>

#include "wire/stun/message_writer.h"

namespace atm::turn {
namespace {

Bytes message() {
  Bytes out(64);
  stun::MessageWriter writer(out, stun::Class::kSuccess, {}, stun::kAllocate);
  writer.software("abc");
  out.resize(writer.finish());
  return out;
}
const Bytes kChannelData{0x40, 0x01, 0, 5, 1, 2, 3, 4, 5, 0, 0, 0};

std::vector<Bytes> read(StreamFrames& frames, Bytes bytes, size_t cut, bool& ok) {
  std::vector<Bytes> out;
  ok = true;
  for (size_t at = 0; at < bytes.size(); at += cut) {
    std::vector<MutByteView> views;
    ok = ok && frames.read(MutByteView(bytes).subspan(at, std::min(cut, bytes.size() - at)), views);
    for (const MutByteView view : views) out.emplace_back(view.begin(), view.end());
  }
  return out;
}

TEST(StreamFrames, ComeWholeInAnyCut) {
  Bytes stream = message();
  const Bytes one = message();
  for (int i = 0; i < 3; ++i) {
    stream.insert(stream.end(), kChannelData.begin(), kChannelData.end());
    stream.insert(stream.end(), one.begin(), one.end());
  }
  for (size_t cut = 1; cut <= stream.size(); ++cut) {
    StreamFrames frames;
    bool ok = false;
    const auto out = read(frames, stream, cut, ok);
    ASSERT_TRUE(ok);
    ASSERT_EQ(out.size(), 7u) << cut;
    EXPECT_EQ(out[0], one);
    EXPECT_EQ(out[1], Bytes(kChannelData.begin(), kChannelData.begin() + 9)) << "without its padding";
    EXPECT_EQ(out[6], one);
    EXPECT_EQ(frames.held_bytes(), 0u);
  }
}

TEST(StreamFrames, EndAtWhatIsNone) {
  for (const Bytes& bad : {Bytes{'H', 'T', 'T', 'P'}, Bytes{0, 1, 0, 3}, Bytes{0x50, 0, 0, 4}, Bytes{0x40, 0, 0xff, 0},
                           Bytes{1, 1, 0xff, 0xf0}}) {
    for (const size_t cut : {1u, 100u}) {
      StreamFrames frames;
      bool ok = true;
      Bytes stream = message();
      stream.insert(stream.end(), bad.begin(), bad.end());
      EXPECT_EQ(read(frames, stream, cut, ok).size(), 1u);
      EXPECT_FALSE(ok);
      EXPECT_TRUE(read(frames, message(), 100, ok).empty()) << "nothing more";
      EXPECT_LE(frames.held_bytes(), 4u);
    }
  }
}

}  // namespace
}  // namespace atm::turn

// A moving test picture, drawn: color bars, a large counter, the clock, a ball that goes to and fro. Its last rows are
// for programs: 32 blocks from left to right, white for 1 and black for 0, which are the picture's number in 24 bits
// and a check in 8, the highest bits first. They survive an encoder at few bits, and are read by scaling the row to 32
// pixels:
//   ffmpeg -i FILE -vf "crop=iw:ih/15:0:ih*14/15,scale=32:1:flags=area,format=gray" -f rawvideo -
// No thread, no clock of its own; not safe to use from two threads at a time.
#pragma once

#include <chrono>
#include <cstdint>
#include <vector>

namespace atm0s::test_source {

// 4:2:0 with 8 bits: luma, then both planes of chroma with a quarter of its size each. Width and height are even.
struct Picture {
  Picture(int its_width, int its_height)
      : width(its_width), height(its_height), bytes(static_cast<size_t>(its_width) * its_height * 3 / 2) {}
  int width;
  int height;
  std::vector<uint8_t> bytes;
};

// The same in half the width and half the height, which are even again.
void halve(const Picture& from, Picture& to);

// The lowest 24 bits of `number`, and the check: what the last rows show.
uint32_t code_of(uint64_t number);

class TestPicture {
 public:
  static constexpr int kWidth = 640;
  static constexpr int kHeight = 360;

  TestPicture();
  // The picture with that number, at that time. Valid until the next one is drawn.
  const Picture& draw(uint64_t number, std::chrono::system_clock::time_point now);

 private:
  Picture background_;
  Picture picture_;
};

}  // namespace atm0s::test_source

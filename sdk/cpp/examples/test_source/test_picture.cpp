#include "test_picture.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <ctime>
#include <string_view>

namespace atm0s::test_source {

namespace {

struct Color {
  uint8_t y, u, v;
};
constexpr Color kBlack{16, 128, 128}, kWhite{235, 128, 128}, kDark{34, 134, 124}, kBall{170, 60, 170};
// ITU-R BT.601, three quarters of full saturation: white, yellow, cyan, green, magenta, red, blue.
constexpr Color kBars[] = {{180, 128, 128}, {162, 44, 142}, {131, 156, 44}, {112, 72, 58},
                           {84, 184, 198},  {65, 100, 212}, {35, 212, 114}};

// 5 x 7 dots; a row is 5 bits, the highest at the left.
struct Letter {
  char letter;
  uint8_t rows[7];
};
constexpr Letter kLetters[] = {
    {'0', {14, 17, 19, 21, 25, 17, 14}}, {'1', {4, 12, 4, 4, 4, 4, 14}},   {'2', {14, 17, 1, 2, 4, 8, 31}},
    {'3', {31, 2, 4, 2, 1, 17, 14}},     {'4', {2, 6, 10, 18, 31, 2, 2}},  {'5', {31, 16, 30, 1, 1, 17, 14}},
    {'6', {6, 8, 16, 30, 17, 17, 14}},   {'7', {31, 1, 2, 4, 8, 8, 8}},    {'8', {14, 17, 17, 14, 17, 17, 14}},
    {'9', {14, 17, 17, 15, 1, 2, 12}},   {':', {0, 12, 12, 0, 12, 12, 0}}, {'.', {0, 0, 0, 0, 0, 12, 12}}};
constexpr int kLetterWidth = 6;  // with the gap behind it

constexpr int kBarsHeight = 200, kCodeHeight = TestPicture::kHeight / 15, kCodeBits = 32;
constexpr int kCodeTop = TestPicture::kHeight - kCodeHeight;
constexpr int kRadius = 22;

// Positions and sizes are even, as chroma has every second dot.
void fill(Picture& picture, int left, int top, int width, int height, Color color) {
  const auto rows = [&](size_t plane, int stride, int x, int y, int w, int h, uint8_t value) {
    for (int row = y; row < y + h; ++row) {
      const auto begin = picture.bytes.begin() + static_cast<std::ptrdiff_t>(plane) + row * stride + x;
      std::fill(begin, begin + w, value);
    }
  };
  const size_t luma = static_cast<size_t>(picture.width) * picture.height;
  rows(0, picture.width, left, top, width, height, color.y);
  rows(luma, picture.width / 2, left / 2, top / 2, width / 2, height / 2, color.u);
  rows(luma * 5 / 4, picture.width / 2, left / 2, top / 2, width / 2, height / 2, color.v);
}

// `dot`: the size of a dot of the letters, even.
void write(Picture& picture, int left, int top, int dot, std::string_view text) {
  for (const char c : text) {
    for (const Letter& letter : kLetters) {
      if (letter.letter != c) continue;
      for (int row = 0; row < 7; ++row) {
        for (int column = 0; column < 5; ++column) {
          const bool is_set = (letter.rows[row] >> (4 - column) & 1) != 0;
          if (is_set) fill(picture, left + column * dot, top + row * dot, dot, dot, kWhite);
        }
      }
    }
    left += kLetterWidth * dot;
  }
}
int width_of(std::string_view text, int dot) {
  return (static_cast<int>(text.size()) * kLetterWidth - 1) * dot;
}
void write_centered(Picture& picture, int top, int dot, std::string_view text) {
  write(picture, (picture.width - width_of(text, dot)) / 4 * 2, top, dot, text);
}

// To the right edge and back in four seconds, and up and down meanwhile.
void draw_ball(Picture& picture, double seconds) {
  const double way = std::abs(std::fmod(seconds, 4.0) / 2 - 1);
  const double hop = std::abs(std::sin(seconds * 4));
  const int x = kRadius + static_cast<int>(way * (picture.width - 2 * kRadius));
  const int floor = kCodeTop - kRadius;
  const int y = floor - static_cast<int>(hop * (floor - kBarsHeight - kRadius));
  for (int row = -kRadius; row < kRadius; row += 2) {
    const int half = static_cast<int>(std::sqrt(kRadius * kRadius - row * row)) / 2 * 2;
    const int left = std::max(0, (x - half) / 2 * 2), right = std::min(picture.width, (x + half) / 2 * 2);
    if (right > left) fill(picture, left, (y + row) / 2 * 2, right - left, 2, kBall);
  }
}

void draw_code(Picture& picture, uint32_t code) {
  const int block = picture.width / kCodeBits;
  for (int bit = 0; bit < kCodeBits; ++bit) {
    const bool is_set = (code >> (kCodeBits - 1 - bit) & 1) != 0;
    fill(picture, bit * block, kCodeTop, block, kCodeHeight, is_set ? kWhite : kBlack);
  }
}

}  // namespace

uint32_t code_of(uint64_t number) {
  const auto low = static_cast<uint32_t>(number & 0xff'ffff);
  const uint32_t check = ((low >> 16) + (low >> 8) + low + 0x5a) & 0xff;  // a picture in one color is none
  return low << 8 | check;
}

void halve(const Picture& from, Picture& to) {
  size_t read = 0, written = 0;
  for (int plane = 0; plane < 3; ++plane) {
    const size_t width = static_cast<size_t>(plane == 0 ? from.width : from.width / 2);
    const size_t height = static_cast<size_t>(plane == 0 ? from.height : from.height / 2);
    for (size_t y = 0; y + 1 < height; y += 2) {
      const uint8_t* above = &from.bytes[read + y * width];
      const uint8_t* below = above + width;
      for (size_t x = 0; x + 1 < width; x += 2) {
        to.bytes[written++] = static_cast<uint8_t>((above[x] + above[x + 1] + below[x] + below[x + 1] + 2) / 4);
      }
    }
    read += width * height;
  }
}

TestPicture::TestPicture() : background_(kWidth, kHeight), picture_(kWidth, kHeight) {
  fill(background_, 0, 0, kWidth, kHeight, kDark);
  int left = 0;
  const int count = std::size(kBars);
  for (int i = 0; i < count; ++i) {
    const int right = kWidth * (i + 1) / count / 2 * 2;
    fill(background_, left, 0, right - left, kBarsHeight, kBars[i]);
    left = right;
  }
  fill(background_, 150, 24, 340, 152, kBlack);
}

const Picture& TestPicture::draw(uint64_t number, std::chrono::system_clock::time_point now) {
  using namespace std::chrono;
  picture_.bytes = background_.bytes;
  char text[32];
  std::snprintf(text, sizeof(text), "%06u", static_cast<unsigned>(number % 1'000'000));
  write_centered(picture_, 40, 8, text);

  const auto since_epoch = duration_cast<milliseconds>(now.time_since_epoch());
  const std::time_t second = system_clock::to_time_t(now);
  std::tm local{};
  ::localtime_r(&second, &local);
  std::snprintf(text, sizeof(text), "%02u:%02u:%02u.%u", static_cast<unsigned>(local.tm_hour) % 24,
                static_cast<unsigned>(local.tm_min) % 60, static_cast<unsigned>(local.tm_sec) % 61,
                static_cast<unsigned>(since_epoch.count() / 100 % 10));
  write_centered(picture_, 124, 4, text);

  draw_ball(picture_, static_cast<double>(since_epoch.count() % 3'600'000) / 1000);
  draw_code(picture_, code_of(number));
  return picture_;
}

}  // namespace atm0s::test_source

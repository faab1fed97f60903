#include "synthetic.h"

#include <algorithm>

namespace atm0s::test {

namespace {

constexpr uint8_t kMagic[8] = {0xa7, 0x6d, 0x30, 0x73, 0x74, 0x65, 0x73, 0x74};
constexpr size_t kDigits = 16;
constexpr size_t kMarkSize = sizeof kMagic + 2 * kDigits;
constexpr uint8_t kFilling = 0xaa;

// Four bits in each byte and none of them 0: no start code of H264 comes of it.
void append_number(std::vector<uint8_t>& out, uint64_t value) {
  for (size_t i = 0; i < kDigits; ++i) out.push_back(static_cast<uint8_t>(0x40 | (value >> (4 * i) & 0xf)));
}

uint64_t read_number(const uint8_t* at) {
  uint64_t value = 0;
  for (size_t i = kDigits; i-- > 0;) value = value << 4 | (at[i] & 0xfu);
  return value;
}

// What a decoder, a packetizer and the server look at.
std::vector<uint8_t> head_of(Codec codec, bool is_key) {
  switch (codec) {
    case Codec::kVp8:  // RFC 6386 9.1: 320x180
      if (is_key) return {0x10, 0x02, 0x00, 0x9d, 0x01, 0x2a, 0x40, 0x01, 0xb4, 0x00};
      return {0x31, 0x02, 0x00};
    case Codec::kVp9:  // uncompressed header: profile 0; sync code, 8 bit, BT.601, 320x180
      if (is_key) return {0x82, 0x49, 0x83, 0x42, 0x20, 0x13, 0xf0, 0x0b, 0x30};
      return {0x86, 0x00};
    case Codec::kH264:  // SPS (baseline, 320x192), PPS, the head of a slice
      if (is_key) {
        return {0, 0, 0, 1,    0x67, 0x42, 0xc0, 0x1e, 0xda, 0x05, 0x06, 0x4c, 0,
                0, 0, 1, 0x68, 0xce, 0x3c, 0x80, 0,    0,    0,    1,    0x65, 0xb8};
      }
      return {0, 0, 0, 1, 0x41, 0x9a};
    case Codec::kAv1:  // delimiter, sequence header (libaom's, 320x180), the head of a frame without a size
      if (is_key) {
        return {0x12, 0x00, 0x0a, 0x0d, 0x20, 0x00, 0x00, 0x04, 0x3c, 0xfe,
                0xcc, 0xda, 0xf9, 0x20, 0x21, 0xa0, 0x04, 0x30, 0x10};
      }
      return {0x12, 0x00, 0x30, 0x30};
    default:
      return {};
  }
}

}  // namespace

std::vector<uint8_t> make_video(Codec codec, bool is_key, uint64_t number, size_t size) {
  std::vector<uint8_t> out = head_of(codec, is_key);
  const auto now = static_cast<uint64_t>(Clock::now().time_since_epoch().count());
  out.insert(out.end(), std::begin(kMagic), std::end(kMagic));
  append_number(out, number);
  append_number(out, now);
  if (out.size() < size) out.resize(size, kFilling);
  return out;
}

std::vector<uint8_t> make_audio(uint64_t number) {
  constexpr uint8_t kToc = 0xf8;  // RFC 6716 3.1: CELT, full band, 20 ms, one frame
  std::vector<uint8_t> out{kToc};
  out.insert(out.end(), std::begin(kMagic), std::end(kMagic));
  append_number(out, number);
  append_number(out, static_cast<uint64_t>(Clock::now().time_since_epoch().count()));
  out.resize(80, kFilling);
  return out;
}

std::optional<Mark> read_mark(std::span<const uint8_t> frame) {
  const auto at = std::search(frame.begin(), frame.end(), std::begin(kMagic), std::end(kMagic));
  if (static_cast<size_t>(frame.end() - at) < kMarkSize) return std::nullopt;
  const uint8_t* numbers = &*at + sizeof kMagic;
  return Mark{read_number(numbers), Clock::time_point(Clock::duration(read_number(numbers + kDigits)))};
}

Pump::Pump(std::shared_ptr<EncodedVideoSource> video, uint8_t layers) {
  thread_ = std::thread([this, video, layers] {
    run([&](uint64_t number) {
      Result<void> pushed;
      const auto at = Clock::now();
      for (uint8_t layer = 0; layer < layers; ++layer) {
        const bool is_key = video->take_key_frame_request(layer) || number == 0;
        const auto size = std::max<size_t>(static_cast<size_t>(video->target_bitrate(layer) / 8 / 50), 64);
        const uint64_t mark = layers == 1 ? number : number * kMaxLayers + layer;
        const auto bytes = make_video(video->codec(), is_key, mark, size);
        if (auto one = video->push({.bytes = bytes, .layer = layer, .captured_at = at}); !one) pushed = std::move(one);
      }
      return pushed;
    });
  });
}

Pump::Pump(std::shared_ptr<EncodedAudioSource> audio, std::optional<int> level) {
  thread_ = std::thread([this, audio, level] {
    run([&](uint64_t number) { return audio->push({.bytes = make_audio(number), .level = level}); });
  });
}

Pump::Pump(std::function<Result<void>(uint64_t)> push) {
  thread_ = std::thread([this, push = std::move(push)] { run(push); });
}

Pump::~Pump() {
  is_stopping_ = true;
  thread_.join();
}

void Pump::run(const std::function<Result<void>(uint64_t)>& push) {
  auto due = Clock::now();
  while (!is_stopping_) {
    if (!push(pushed_)) ++refused_;
    ++pushed_;
    due += kFrameTime;
    std::this_thread::sleep_until(due);
  }
}

}  // namespace atm0s::test

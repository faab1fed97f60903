// PCM to Opus packets (RFC 6716), by libopus: one for each audio track that libatm0s publishes as samples. 48 kHz, the
// rate of RTP's clock (RFC 7587 4.1). No thread, no clock, no exception; encode() allocates nothing. One thread at a
// time.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "base/time.h"

struct OpusEncoder;  // libopus's

namespace atm::io {

inline constexpr uint32_t kOpusSampleRate = 48'000;
// One packet has to leave in one datagram of 1,200 bytes, with RTP header, extensions, SRTP tag and room for RTX. A
// bitrate that would need more per packet gets so much: 440 kbit/s at 20 ms, 146 kbit/s at 60 ms.
inline constexpr size_t kMaxOpusPacketBytes = 1'100;

enum class OpusUse : uint8_t {
  kVoip,   // speech: SILK at low bitrates, high-pass filter, in-band FEC works
  kAudio,  // music and all else: as close to the input as can be
};

struct OpusEncoderConfig {
  uint8_t channels = 1;           // 1 or 2
  Duration frame = 20ms;          // 10, 20, 40 or 60 ms
  uint32_t bitrate_bps = 32'000;  // 6,000 to 510,000, of payload alone
  OpusUse use = OpusUse::kVoip;
  int complexity = 9;             // 0 to 10: CPU for quality
  bool fec = true;                // each packet may have a copy of the frame before (RFC 6716 2.1.7)
  int expected_loss_percent = 0;  // 0 to 100: with 0 no copies are made; more loss, more bits for them
  bool dtx = false;               // next to nothing is sent while nobody talks (RFC 6716 2.1.9)
};

class OpusEncoder {
 public:
  struct Packet {
    ByteView bytes;  // until the next call
    bool is_dtx;     // the encoder says that the other side can do without it; RTP's clock moves on all the same
  };

  // INVALID_CONFIG: a value out of range, which is named.
  static Result<OpusEncoder> make(const OpusEncoderConfig& config);

  // One frame: frame_samples() of each channel, interleaved. INVALID_REQUEST: it has another size.
  Result<Packet> encode(std::span<const int16_t> pcm);

  // From the next frame on; INVALID_CONFIG as in make().
  Result<void> set_bitrate(uint32_t bps);
  Result<void> set_expected_loss(int percent);

  size_t frame_samples() const { return frame_samples_; }  // of one channel
  uint8_t channels() const { return channels_; }
  // What libopus adds in front (its look-ahead), in samples: a tone comes out so much later.
  uint32_t delay_samples() const;

 private:
  struct Destroy {
    void operator()(::OpusEncoder* encoder) const;
  };
  OpusEncoder(::OpusEncoder* encoder, const OpusEncoderConfig& config);

  std::unique_ptr<::OpusEncoder, Destroy> encoder_;
  uint8_t channels_;
  size_t frame_samples_;
  std::vector<uint8_t> packet_;
};

}  // namespace atm::io

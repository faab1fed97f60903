// Opus packets to PCM (RFC 6716), by libopus: one for each audio track that libatm0s plays or hands out as samples.
// 48 kHz, always in the wanted number of channels, whatever the packets have. Which packet comes next, and which is
// lost, is the jitter buffer's business. No thread, no clock, no exception; decoding allocates nothing. One thread at a
// time.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "base/time.h"

struct OpusDecoder;  // libopus's

namespace atm::io {

// RFC 6716 3.2.5: no packet is longer, and no gap is filled at once that is.
inline constexpr Duration kMaxOpusDuration = 120ms;

class OpusDecoder {
 public:
  // Interleaved samples, until the next call.
  using Pcm = std::span<const int16_t>;

  // INVALID_CONFIG: channels are 1 or 2.
  static Result<OpusDecoder> make(uint8_t channels);

  // INVALID_REQUEST: no Opus packet. Then nothing has changed, and the packet counts as lost.
  Result<Pcm> decode(ByteView packet);
  // The packet before `packet` is lost and had that duration: what `packet` has of it (in-band FEC), or, where it has
  // nothing, as conceal(). Then decode(packet) has to come. INVALID_REQUEST as decode() and conceal().
  Result<Pcm> decode_fec(ByteView packet, Duration lost);
  // What may have been there: the last sound, fading to silence over some calls. INVALID_REQUEST: `lost` is no multiple
  // of 2.5 ms from 2.5 to 120 ms.
  Result<Pcm> conceal(Duration lost);

  uint8_t channels() const { return channels_; }

 private:
  struct Destroy {
    void operator()(::OpusDecoder* decoder) const;
  };
  OpusDecoder(::OpusDecoder* decoder, uint8_t channels);
  Result<Pcm> run(ByteView packet, size_t samples, bool is_fec);

  std::unique_ptr<::OpusDecoder, Destroy> decoder_;
  uint8_t channels_;
  std::vector<int16_t> pcm_;
};

}  // namespace atm::io

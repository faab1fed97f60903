#include "wire/payload/opus.h"

namespace atm::payload {
namespace {

constexpr uint32_t kMaxDuration = 5'760;  // RFC 6716 3.2.5 [R5]

// RFC 6716 4.2.3: the frame's SILK layer begins with a bit for each of its 20 ms, and then the one that tells of LBRR;
// for stereo the same again for the side channel.
bool has_lbrr(uint8_t configuration, bool is_stereo, uint8_t first) {
  if (configuration >= 16) return false;  // CELT alone
  const uint32_t duration = opus_frame_duration(configuration);
  const unsigned parts = duration <= 960 ? 1 : duration / 960;
  const bool is_in_mid = (first >> (7 - parts) & 1) != 0;
  return is_in_mid || (is_stereo && (first >> (6 - 2 * parts) & 1) != 0);
}

}  // namespace

uint32_t opus_frame_duration(uint8_t configuration) {
  constexpr uint32_t kSilk[] = {480, 960, 1'920, 2'880};
  constexpr uint32_t kCelt[] = {120, 240, 480, 960};
  if (configuration < 12) return kSilk[configuration % 4];
  if (configuration < 16) return configuration % 2 == 0 ? 480 : 960;  // hybrid
  return kCelt[configuration % 4];
}

std::optional<OpusToc> parse_opus_toc(ByteView payload) {
  if (payload.empty()) return std::nullopt;
  OpusToc out;
  out.configuration = payload[0] >> 3;
  out.is_stereo = (payload[0] & 0x04) != 0;
  out.frame_duration = opus_frame_duration(out.configuration);
  const uint8_t code = payload[0] & 0x03;
  const size_t header_size = code < 2 ? 1 : 2;  // code 2: the first frame's length, code 3: the count
  if (payload.size() < header_size) return std::nullopt;
  out.frames = code == 0 ? 1 : 2;
  if (code == 3) out.frames = payload[1] & 0x3F;
  if (out.frames == 0 || out.duration() > kMaxDuration) return std::nullopt;
  out.is_dtx = code != 2 && payload.size() == header_size;
  out.has_fec = code == 0 && payload.size() > 1 && has_lbrr(out.configuration, out.is_stereo, payload[1]);
  return out;
}

}  // namespace atm::payload

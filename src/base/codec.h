// The codecs that a session may use: the names of the session configuration's `codecs` and of RTP payload formats.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "base/media_kind.h"

namespace atm {

enum class Codec : uint8_t { kOpus, kVp8, kVp9, kH264, kAv1 };

constexpr MediaKind kind_of(Codec codec) {
  return codec == Codec::kOpus ? MediaKind::kAudio : MediaKind::kVideo;
}

// The encoding name of a=rtpmap (RFC 7587, 7741, 9628, 6184, AV1 RTP specification).
constexpr std::string_view to_text(Codec codec) {
  switch (codec) {
    case Codec::kOpus:
      return "opus";
    case Codec::kVp8:
      return "VP8";
    case Codec::kVp9:
      return "VP9";
    case Codec::kH264:
      return "H264";
    case Codec::kAv1:
      return "AV1";
  }
  return "";
}

// Case-insensitive, as encoding names are (RFC 8866 6.6).
std::optional<Codec> parse_codec(std::string_view name);

}  // namespace atm

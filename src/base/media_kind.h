// Audio or video: the `kind` of a track, sender, receiver and m-line (W3C webrtc-pc MediaStreamTrack.kind).
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace atm {

enum class MediaKind : uint8_t { kAudio, kVideo };

constexpr std::string_view to_text(MediaKind kind) {
  return kind == MediaKind::kAudio ? "audio" : "video";
}

constexpr std::optional<MediaKind> parse_media_kind(std::string_view text) {
  if (text == "audio") return MediaKind::kAudio;
  if (text == "video") return MediaKind::kVideo;
  return std::nullopt;
}

}  // namespace atm

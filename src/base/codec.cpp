#include "base/codec.h"

#include <algorithm>

namespace atm {

std::optional<Codec> parse_codec(std::string_view name) {
  const auto same = [](char a, char b) { return (a | 0x20) == (b | 0x20); };
  for (const Codec codec : {Codec::kOpus, Codec::kVp8, Codec::kVp9, Codec::kH264, Codec::kAv1}) {
    const std::string_view text = to_text(codec);
    if (std::equal(text.begin(), text.end(), name.begin(), name.end(), same)) return codec;
  }
  return std::nullopt;
}

}  // namespace atm

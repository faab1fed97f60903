// An SDP fragment of trickle ICE (RFC 8840 9.2, application/trickle-ice-sdpfrag): ICE credentials and candidates
// without the rest of a description. Called by media/session for PATCH of WHIP and WHEP. As tolerant and as strict as
// sdp.h, and within its limits.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace atm::sdp {

struct FragmentMedia {
  std::string kind;  // audio, video
  std::string mid;
  std::string ufrag, pwd;               // empty: those of the whole fragment
  std::vector<std::string> candidates;  // candidate-attribute of RFC 8839: "candidate:1 1 udp …"
  bool is_end_of_candidates = false;
  bool operator==(const FragmentMedia&) const = default;
};

struct Fragment {
  bool is_ice_lite = false;
  std::string ufrag, pwd;  // of the whole fragment; empty: not said there
  bool is_end_of_candidates = false;
  std::vector<FragmentMedia> media;
  bool operator==(const Fragment&) const = default;

  struct Credentials {
    std::string ufrag, pwd;
  };
  // Of the whole, or else of its first m-line that has some (in one BUNDLE group all are the same).
  std::optional<Credentials> credentials() const;
};

// Refused with ErrorCode::kInvalidSdp and a sentence that begins with "line N: ".
Result<Fragment> parse_fragment(std::string_view text);

std::string to_text(const Fragment& fragment);

}  // namespace atm::sdp

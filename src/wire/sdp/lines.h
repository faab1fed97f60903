// SDP as lines, for whoever reads what they say: parse.cpp a description, fragment.cpp a fragment. In one place what
// holds for every line: its bounds, its end, no control characters, and which line an error is in.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "wire/sdp/scan.h"
#include "wire/sdp/sdp.h"

namespace atm::sdp {

// What is wrong with a line; null: nothing.
using Why = const char*;

// The lines of a description or of a fragment, one after another: bounded, without control characters, x=value.
class Lines {
 public:
  // read(char type, std::string_view value) -> Why, of each line. Where one is refused nothing more is read.
  template <typename Read>
  Why each(std::string_view text, Read&& read) {
    if (text.size() > kMaxBytes) return "more than 256 KiB";
    while (!text.empty()) {
      std::string_view line = take_until(text, '\n');
      if (++number_ > kMaxLines) return "too many lines";
      // RFC 8866 5: CRLF ends a line, and a parser should take a lone LF as well.
      if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
      if (line.empty()) continue;
      if (const Why why = check(line)) return why;
      if (const Why why = read(line[0], line.substr(2))) return why;
    }
    return nullptr;
  }
  // Of the line that was read last.
  tl::unexpected<Error> refuse(Why why) const {
    return fail(ErrorCode::kInvalidSdp, "line " + std::to_string(number_) + ": " + why);
  }

 private:
  static Why check(std::string_view line) {
    if (line.size() > kMaxLineBytes) return "line too long";
    // A control character inside a value (a lone CR above all) could end a line for whoever reads it after us.
    for (const char c : line) {
      if ((static_cast<unsigned char>(c) < 0x20 && c != '\t') || c == 0x7f) return "control character";
    }
    return line.size() < 2 || line[1] != '=' ? "not of the form x=value" : nullptr;
  }

  size_t number_ = 0;
};

}  // namespace atm::sdp

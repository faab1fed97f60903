// One a= line into a Description or a MediaDescription. Called by parse.cpp for each line; knows every attribute of
// description.h, ignores all others. Gives nullptr, or what is wrong with the line.
#pragma once

#include <string_view>

#include "wire/sdp/description.h"

namespace atm::sdp {

const char* read_session_attribute(Description& session, std::string_view name, std::string_view value);
const char* read_media_attribute(MediaDescription& media, std::string_view name, std::string_view value);

// For those attributes that may stand at session level for all m-lines and are no member of Description.
struct SessionDefaults {
  std::optional<Direction> direction;
  std::vector<Extmap> extmaps;
};
const char* read_session_default(SessionDefaults& defaults, std::string_view name, std::string_view value);

}  // namespace atm::sdp

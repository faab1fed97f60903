// The arrows of src/ARROWS drawn as Markdown: the folders as a diagram, then a table of modules, then the third-party
// headers. ARCHITECTURE.md holds it between two markers; arrows_test compares, and writes it anew when told to.
// An arrow that follows from others is left out: who stands on `node` stands on `base`.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace atm::arrows {

std::string draw(std::string_view arrows_text);

// What stands between the markers of a document; nothing when they are not there.
std::optional<std::string> find_picture(std::string_view document);
// The document with `picture` between its markers.
std::string with_picture(std::string_view document, std::string_view picture);

}  // namespace atm::arrows

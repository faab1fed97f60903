// The files of the development page, embedded in the program: page, script, style, and the browser SDK with its notice.
// apps/server serves them in dev mode, each under its path. They live as long as the process; bodies may hold any
// byte. What sits here is generated at build time from this folder and from node_modules (see CMakeLists.txt).
#pragma once

#include <span>
#include <string_view>

namespace atm::page {

struct Asset {
  std::string_view path;  // "/" for the page itself, "/app.js", "/sdk/atm0s-media.js", …
  std::string_view content_type;
  std::string_view body;
};

// Empty in a build with ATM0S_PAGE=OFF.
std::span<const Asset> page_assets();

}  // namespace atm::page

// `atm0s join`: publishes files, views streams into files, for a while or until it is interrupted.
#pragma once

#include <string>
#include <vector>

#include "atm0s/session.h"

namespace atm0s::tool {

struct JoinOptions {
  std::string url;
  SessionConfig config;
  RuntimeOptions runtime;
  std::vector<std::string> publish;  // files
  bool loops = false;
  std::vector<std::string> view;  // "all", or "peer/stream"
  std::string out;                // folder of what is viewed; "": it is only counted
  double seconds = 0;             // 0: until it is interrupted
  bool is_terminal = false;       // one line that changes, else a line each time
  bool tells_stats = false;       // JSON at the end
};

// The exit code.
int join(JoinOptions options);

}  // namespace atm0s::tool

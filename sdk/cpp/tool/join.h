// `atm0s join`: publishes files and the test picture, views streams into files, for a while or until it is interrupted.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "atm0s/session.h"

namespace atm0s::tool {

struct JoinOptions {
  std::string url;
  SessionConfig config;
  RuntimeOptions runtime;
  std::function<Result<std::string>()> make_token;  // for each session; none: the configuration's
  std::vector<std::string> publish;                 // files, or "test": kTestName
  bool loops = false;
  std::vector<std::string> view;  // "all", or "peer/stream"
  std::string out;                // folder of what is viewed; "": it is only counted
  double seconds = 0;             // 0: until it is interrupted
  bool rejoins = false;           // when it could not join, and when its session has ended
  bool is_terminal = false;       // one line that changes, else a line each time
  bool is_quiet = false;          // errors alone
  bool tells_stats = false;       // JSON at the end
};

// The test picture and the test song (examples/test_source), in place of files.
inline constexpr const char* kTestName = "test";

// The exit code.
int join(JoinOptions options);

}  // namespace atm0s::tool

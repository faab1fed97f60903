// Programs of GStreamer and of ffmpeg as child processes.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <string>
#include <vector>

namespace atm0s::test {

// What a program says, both ways, and what it ends with.
struct Said {
  int code = -1;
  std::string text;
};
// To its end, at most so long; then it is killed.
Said run_program(const std::vector<std::string>& line, std::chrono::seconds time = std::chrono::seconds(20));

// One that goes on beside the test. GStreamer's programs find the plugin of this build.
class Child {
 public:
  explicit Child(const std::vector<std::string>& line);
  ~Child();
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  // As Ctrl-C does: gst-launch-1.0 -e ends its streams.
  void interrupt();
  // False: it did not end in time.
  bool wait(std::chrono::milliseconds time);
  // Once it has ended.
  const Said& said();

 private:
  void read_all();

  pid_t pid_ = 0;
  int output_ = -1;
  bool is_over_ = false;
  Said said_;
};

}  // namespace atm0s::test

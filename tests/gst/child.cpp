#include "child.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <thread>

namespace atm0s::test {

Child::Child(const std::vector<std::string>& line) {
  int ends[2] = {-1, -1};
  if (pipe2(ends, O_CLOEXEC) != 0) return;
  std::vector<char*> words;
  for (const auto& word : line) words.push_back(const_cast<char*>(word.c_str()));
  words.push_back(nullptr);
  ::setenv("GST_PLUGIN_PATH", ATM0S_PLUGIN_FOLDER, 1);
  ::setenv("GST_INSPECT_NO_COLORS", "1", 1);
  pid_ = fork();
  if (pid_ == 0) {
    dup2(ends[1], STDOUT_FILENO);
    dup2(ends[1], STDERR_FILENO);
    execvp(words[0], words.data());
    _exit(127);
  }
  close(ends[1]);
  output_ = ends[0];
  fcntl(output_, F_SETFL, O_NONBLOCK);
}

Child::~Child() {
  if (!is_over_ && pid_ > 0) {
    kill(pid_, SIGKILL);
    wait(std::chrono::seconds(5));
  }
  if (output_ >= 0) close(output_);
}

void Child::interrupt() {
  if (!is_over_) kill(pid_, SIGINT);
}

void Child::read_all() {
  char piece[4096];
  for (ssize_t got; (got = read(output_, piece, sizeof(piece))) > 0;)
    said_.text.append(piece, static_cast<size_t>(got));
}

bool Child::wait(std::chrono::milliseconds time) {
  const auto end = std::chrono::steady_clock::now() + time;
  while (!is_over_) {
    int status = 0;
    const bool has_ended = waitpid(pid_, &status, WNOHANG) == pid_;
    read_all();
    if (has_ended) {
      is_over_ = true;
      said_.code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    } else if (std::chrono::steady_clock::now() > end) {
      return false;
    } else {
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
  }
  return true;
}

const Said& Child::said() {
  return said_;
}

Said run_program(const std::vector<std::string>& line, std::chrono::seconds time) {
  Child child(line);
  child.wait(time);
  return child.said();
}

}  // namespace atm0s::test

// The real server as a child process on 127.0.0.1: started, asked over HTTP, measured in /proc, ended. For the soak and
// benchmarks.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <cstdio>
#include <optional>
#include <string>
#include <vector>

namespace atm::soak {

class ServerProcess {
 public:
  // Returns once the server is ready; ends the program with a message when it does not get there. `flags`: besides its
  // addresses, secret and log level; "--media-ip" is in place of 127.0.0.1. `core`: where all its threads run; none:
  // anywhere.
  ServerProcess(const std::string& program, const std::string& secret, const std::vector<std::string>& flags,
                std::optional<size_t> core = std::nullopt);
  ~ServerProcess();
  ServerProcess(const ServerProcess&) = delete;
  ServerProcess& operator=(const ServerProcess&) = delete;

  // The body of the answer; empty when there is none. `bearer`: a token to show, or "".
  std::string request(const std::string& method, const std::string& path, const std::string& body,
                      const std::string& bearer = "");
  // Sum over all labels of one metric.
  double metric(const std::string& name);

  uint64_t resident_bytes() const;
  size_t descriptors() const;
  double cpu_seconds() const;
  // Nanoseconds that its threads have run, as their schedstat says: exact, where cpu_seconds() has ticks of 10 ms. What
  // the kernel does on loopback for the receiver, as part of our send, is in it.
  uint64_t cpu_ns() const;
  pid_t pid() const { return pid_; }
  // Of its first worker.
  uint16_t media_port() const { return media_port_; }
  // SIGTERM, then what it exited with; above 128: the signal that ended it. Sanitizers report by this code.
  int stop();
  // SIGKILL: without a word to anybody.
  void kill_hard();
  // After one of the two, on the same ports.
  void start_again();
  std::string url() const { return "http://" + host_ + ":" + port_; }

 private:
  void start(const std::optional<size_t>& core);

  const uint16_t media_port_;
  std::vector<std::string> line_;
  pid_t pid_ = 0;
  FILE* output_ = nullptr;
  std::string host_, port_;
};

}  // namespace atm::soak

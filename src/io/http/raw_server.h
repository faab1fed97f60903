// For tests: a TCP server on loopback that does what a script says with each connection, on its own thread. For what no
// HTTP server of ours would send: silence, garbage, halves.
#pragma once

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <functional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "base/assert.h"

namespace atm::io {

// A socket that listens on 127.0.0.`last`; port 0: any.
inline int listen_on_loopback(uint16_t& port, int backlog = 16, uint8_t last = 1) {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  ASSERT(fd >= 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(0x7f000000u + last);
  socklen_t size = sizeof address;
  ASSERT(::bind(fd, reinterpret_cast<sockaddr*>(&address), size) == 0);
  ASSERT(::listen(fd, backlog) == 0);
  ASSERT(::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size) == 0);
  port = ntohs(address.sin_port);
  return fd;
}

class RawServer {
 public:
  using Script = std::function<void(int fd)>;  // the connection is closed when it returns

  explicit RawServer(Script script) : script_(std::move(script)), fd_(listen_on_loopback(port)) {
    thread_ = std::thread([this] {
      for (int fd; (fd = ::accept4(fd_, nullptr, nullptr, SOCK_CLOEXEC)) >= 0;) {
        script_(fd);
        ::close(fd);
      }
    });
  }
  ~RawServer() {
    ::shutdown(fd_, SHUT_RDWR);
    thread_.join();
    ::close(fd_);
  }
  std::string url() const { return "http://127.0.0.1:" + std::to_string(port) + "/"; }
  uint16_t port = 0;

 private:
  Script script_;
  int fd_;
  std::thread thread_;
};

// An address where connecting hangs: nobody accepts, and the queue of those who wait is full.
class BlackHole {
 public:
  explicit BlackHole(uint16_t wanted = 0, uint8_t last = 1) : port(wanted), fd_(listen_on_loopback(port, 0, last)) {
    sockaddr_in address{};
    socklen_t size = sizeof address;
    ASSERT(::getsockname(fd_, reinterpret_cast<sockaddr*>(&address), &size) == 0);
    for (int& fd : fill_) {
      fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
      (void)::connect(fd, reinterpret_cast<sockaddr*>(&address), size);
    }
  }
  ~BlackHole() {
    ::close(fd_);
    for (const int fd : fill_) ::close(fd);
  }
  BlackHole(const BlackHole&) = delete;
  BlackHole& operator=(const BlackHole&) = delete;
  std::string url() const { return "http://127.0.0.1:" + std::to_string(port) + "/"; }
  uint16_t port;

 private:
  int fd_;
  int fill_[4];
};

inline bool send_text(int fd, std::string_view text) {
  for (ssize_t sent; !text.empty(); text.remove_prefix(static_cast<size_t>(sent))) {
    if ((sent = ::send(fd, text.data(), text.size(), MSG_NOSIGNAL)) <= 0) return false;
  }
  return true;
}

// What comes until that text, or until the end.
inline std::string receive_until(int fd, std::string_view end) {
  std::string out;
  for (char byte; out.find(end) == std::string::npos && ::recv(fd, &byte, 1, 0) == 1;) out += byte;
  return out;
}

// Until the client has closed.
inline void wait_for_close(int fd) {
  char bytes[256];
  while (::recv(fd, bytes, sizeof bytes, 0) > 0) {
  }
}

}  // namespace atm::io

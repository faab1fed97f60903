#include "coturn.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

namespace atm {
namespace {

sockaddr_in here(uint16_t port) {
  sockaddr_in out{};
  out.sin_family = AF_INET;
  out.sin_port = htons(port);
  out.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return out;
}

// One that is free now, for TCP.
uint16_t free_port() {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in name = here(0);
  socklen_t size = sizeof name;
  ::bind(fd, reinterpret_cast<sockaddr*>(&name), size);
  ::getsockname(fd, reinterpret_cast<sockaddr*>(&name), &size);
  ::close(fd);
  return ntohs(name.sin_port);
}

bool listens(uint16_t port) {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const sockaddr_in name = here(port);
  const bool is_there = ::connect(fd, reinterpret_cast<const sockaddr*>(&name), sizeof name) == 0;
  ::close(fd);
  return is_there;
}

}  // namespace

Coturn::Coturn(const std::string& more) {
  char folder[] = "/tmp/atm0s-coturn-XXXXXX";
  if (::mkdtemp(folder) == nullptr) return;
  folder_ = folder;
  ca_file = folder_ + "/cert.pem";
  const std::string make_certificate =
      "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=" + std::string(kName) +
      " -addext subjectAltName=DNS:" + kName + ",DNS:localhost -keyout " + folder_ + "/key.pem -out " + ca_file +
      " 2>/dev/null";
  if (std::system(make_certificate.c_str()) != 0) return;
  port = free_port();
  tls_port = free_port();
  std::ofstream(folder_ + "/turnserver.conf")
      << "listening-ip=127.0.0.1\nrelay-ip=" << kRelayIp << "\nlistening-port=" << port
      << "\ntls-listening-port=" << tls_port << "\ncert=" << ca_file << "\npkey=" << folder_ << "/key.pem\n"
      << "lt-cred-mech\nrealm=example.org\nuser=" << kUser << ':' << kPassword << "\nallow-loopback-peers\nno-cli\n"
      << "no-dtls\nno-multicast-peers\nlog-file=stdout\nno-rfc5780\n"
      << more << '\n';
  child_ = ::fork();
  if (child_ == 0) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);  // it never outlives us, however we end
    const int log = ::open((folder_ + "/log").c_str(), O_CREAT | O_WRONLY | O_TRUNC, 0600);
    ::dup2(log, 1);
    ::dup2(log, 2);
    ::execlp("turnserver", "turnserver", "-c", (folder_ + "/turnserver.conf").c_str(), "--pidfile=", "--userdb",
             (folder_ + "/turndb").c_str(), nullptr);
    ::_exit(127);
  }
  for (int i = 0; i < 200 && !(listens(port) && listens(tls_port)); ++i) {
    int status = 0;
    if (::waitpid(child_, &status, WNOHANG) == child_) {
      child_ = -1;
      return;
    }
    ::poll(nullptr, 0, 25);
  }
}

Coturn::~Coturn() {
  if (child_ > 0) {
    ::kill(child_, SIGKILL);
    ::waitpid(child_, nullptr, 0);
  }
  std::error_code ignored;
  if (!folder_.empty()) std::filesystem::remove_all(folder_, ignored);
}

std::string Coturn::log() const {
  std::ostringstream out;
  out << std::ifstream(folder_ + "/log").rdbuf();
  return out.str();
}

}  // namespace atm

// Any bytes at the HTTP port, over a real connection on loopback: they are a request for the handler, refused with a
// status, or the connection closes; every reply is one that HTTP has, and the server goes on to serve. The first byte
// says after how many bytes there is a pause, so that heads and bodies also come in two pieces.
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <string>
#include <string_view>
#include <thread>

#include "base/assert.h"
#include "io/http/server.h"

namespace {

using namespace atm;

constexpr size_t kHeadBytes = 1'024, kBodyBytes = 4'096;

struct Server {
  Server() {
    const auto bound = http.listen({{IpAddress::v4(127, 0, 0, 1), 0}, {}});
    ASSERT(bound);
    port = bound->port;
    std::thread([this] { http.run(); }).detach();
  }
  static void handle(const contract::HttpRequest& request, const io::HttpServer::Respond& respond) {
    ASSERT(request.body.size() <= kBodyBytes);
    size_t head = request.path.size() + request.query.size();
    for (const auto& [name, value] : request.headers) head += name.size() + value.size();
    ASSERT(head <= kHeadBytes);
    ASSERT(request.path.find('?') == std::string::npos);
    respond({200, "text/plain", request.method + " " + request.path, {{"X-Query", "none"}}});
  }
  io::HttpServer http{handle, {kHeadBytes, kBodyBytes, 1024, 10s, 1s}};
  uint16_t port = 0;
};

std::string exchange(uint16_t port, std::string_view bytes, size_t first) {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  ASSERT(fd >= 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  ASSERT(::connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
  for (const std::string_view part : {bytes.substr(0, first), bytes.substr(first)}) {
    // The server may have closed already: what was sent is then lost, as it should be.
    if (!part.empty() && ::send(fd, part.data(), part.size(), MSG_NOSIGNAL) < 0) break;
  }
  ::shutdown(fd, SHUT_WR);
  std::string reply;
  char buffer[4'096];
  for (ssize_t got; (got = ::recv(fd, buffer, sizeof buffer, 0)) > 0;) reply.append(buffer, static_cast<size_t>(got));
  ::close(fd);
  return reply;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static Server& server = *new Server;
  if (size == 0) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  const std::string reply = exchange(server.port, bytes, std::min<size_t>(data[0] * 4u, bytes.size()));
  if (!reply.empty()) {
    ASSERT(reply.starts_with("HTTP/1.1 ") || reply.starts_with("HTTP/1.0 "));
    ASSERT(reply.find("\r\n\r\n") != std::string::npos);
  }
  return 0;
}

#include "gate.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>

namespace atm0s::test {

namespace {

constexpr size_t kMaxDatagram = 2'048;
constexpr auto kLongestWait = std::chrono::milliseconds(200);  // for the link's rate

sockaddr_in name_of(uint32_t ip, uint16_t port) {
  sockaddr_in out{};
  out.sin_family = AF_INET;
  out.sin_addr.s_addr = ip;
  out.sin_port = htons(port);
  return out;
}

int make_socket(const sockaddr_in& name) {
  const int fd = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (::bind(fd, reinterpret_cast<const sockaddr*>(&name), sizeof name) == 0) return fd;
  std::perror("gate");
  std::exit(1);
}

std::string to_text(uint32_t ip) {
  char text[INET_ADDRSTRLEN];
  const in_addr address{ip};
  return ::inet_ntop(AF_INET, &address, text, sizeof text);
}

}  // namespace

Gate::Gate(uint16_t port, Options options) : port_(port), options_(std::move(options)) {
  outside_ = make_socket(name_of(::inet_addr(kIp), port));
  if (::pipe(wake_) != 0) std::exit(1);
  thread_ = std::thread([this] { run(); });
}

Gate::~Gate() {
  ::close(wake_[1]);
  thread_.join();
  ::close(wake_[0]);
  ::close(outside_);
  for (const auto& [address, client] : clients_) ::close(client.socket);
}

uint64_t Gate::count(const std::map<std::string, uint64_t>& counts, const std::string& ip) const {
  const std::lock_guard lock(mutex_);
  const auto it = counts.find(ip);
  return it == counts.end() ? 0 : it->second;
}

bool Gate::is_open_to(const std::string& ip) const {
  const auto& open = options_.open_to;
  return open.empty() || std::find(open.begin(), open.end(), ip) != open.end();
}

Gate::Client& Gate::client_of(const Address& address) {
  Client& client = clients_[address];
  if (client.socket < 0) {
    client.socket = make_socket(name_of(::inet_addr(kIp), 0));
    const sockaddr_in server = name_of(htonl(INADDR_LOOPBACK), port_);
    if (::connect(client.socket, reinterpret_cast<const sockaddr*>(&server), sizeof server) != 0) std::exit(1);
  }
  return client;
}

void Gate::take_from_clients() {
  uint8_t bytes[kMaxDatagram];
  sockaddr_in from{};
  socklen_t size = sizeof from;
  for (;;) {
    const ssize_t got = ::recvfrom(outside_, bytes, sizeof bytes, 0, reinterpret_cast<sockaddr*>(&from), &size);
    if (got < 0) return;
    const std::string ip = to_text(from.sin_addr.s_addr);
    {
      const std::lock_guard lock(mutex_);
      ++(is_open_to(ip) ? passed_ : refused_)[ip];
    }
    if (!is_open_to(ip)) continue;
    const Client& client = client_of({from.sin_addr.s_addr, ntohs(from.sin_port)});
    static_cast<void>(::send(client.socket, bytes, static_cast<size_t>(got), 0));
  }
}

// The same each time: a linear congruential generator, its upper half.
uint32_t Gate::random() {
  random_ = random_ * 1'664'525 + 1'013'904'223;
  return random_ >> 16;
}

void Gate::take_from_server(const Address& address, Client& client) {
  uint8_t bytes[kMaxDatagram];
  for (;;) {
    const ssize_t got = ::recv(client.socket, bytes, sizeof bytes, 0);
    if (got < 0) return;
    const Time now = std::chrono::steady_clock::now();
    Time due = now;
    if (options_.rate != 0) {
      client.free_at = std::max(client.free_at, now);
      if (client.free_at - now > kLongestWait) continue;
      client.free_at += std::chrono::nanoseconds(static_cast<uint64_t>(got) * 8 * 1'000'000'000 / options_.rate);
      due = client.free_at;
    }
    const auto most = std::chrono::duration_cast<std::chrono::microseconds>(options_.jitter);
    if (most.count() > 0) due += most * random() / 0x1'0000;
    client.last_due = due = std::max(due, client.last_due);
    waiting_.emplace(due, Waiting{address, {bytes, bytes + got}});
  }
}

void Gate::deliver(Time now) {
  while (!waiting_.empty() && waiting_.begin()->first <= now) {
    const Waiting& one = waiting_.begin()->second;
    const sockaddr_in to = name_of(one.to.first, one.to.second);
    ::sendto(outside_, one.bytes.data(), one.bytes.size(), 0, reinterpret_cast<const sockaddr*>(&to), sizeof to);
    waiting_.erase(waiting_.begin());
  }
}

void Gate::run() {
  for (;;) {
    std::vector<pollfd> ready{{wake_[0], POLLIN, 0}, {outside_, POLLIN, 0}};
    for (const auto& [address, client] : clients_) ready.push_back({client.socket, POLLIN, 0});
    timespec patience{1, 0};
    if (!waiting_.empty()) {
      const auto left = std::max<std::chrono::nanoseconds>(std::chrono::nanoseconds(0),
                                                           waiting_.begin()->first - std::chrono::steady_clock::now());
      patience = {left.count() / 1'000'000'000, left.count() % 1'000'000'000};
    }
    ::ppoll(ready.data(), ready.size(), &patience, nullptr);
    if (ready[0].revents != 0) return;
    take_from_clients();
    for (auto& [address, client] : clients_) take_from_server(address, client);
    deliver(std::chrono::steady_clock::now());
  }
}

}  // namespace atm0s::test

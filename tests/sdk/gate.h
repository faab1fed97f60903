// The way to a server's media port, in userspace: an address in front of it through which everything of its clients
// goes, with a firewall that knows their addresses, a delay that varies, and a rate. The server has to announce that
// address in place of its own (--media-ip 127.0.0.1=127.0.0.2). Needs no rights and no netem.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace atm0s::test {

class Gate {
 public:
  static constexpr const char* kIp = "127.0.0.2";

  struct Options {
    std::vector<std::string> open_to = {};  // addresses of clients; others are refused. Empty: to all
    // Of what the server sends to one client: each datagram takes a part of it, another one each time, and none
    // overtakes.
    std::chrono::milliseconds jitter = {};
    uint64_t rate = 0;  // bit/s to one client; more waits, and is lost when it would wait too long. 0: any
  };

  // `port`: of UDP, the server's.
  Gate(uint16_t port, Options options);
  ~Gate();
  Gate(const Gate&) = delete;
  Gate& operator=(const Gate&) = delete;

  // Datagrams of clients at that address.
  uint64_t passed(const std::string& ip) const { return count(passed_, ip); }
  uint64_t refused(const std::string& ip) const { return count(refused_, ip); }

 private:
  using Time = std::chrono::steady_clock::time_point;
  using Address = std::pair<uint32_t, uint16_t>;
  struct Client {
    int socket = -1;  // as which the server sees it
    Time free_at{};   // when the link has sent all that waits
    Time last_due{};
  };
  struct Waiting {
    Address to;
    std::vector<uint8_t> bytes;
  };

  uint64_t count(const std::map<std::string, uint64_t>& counts, const std::string& ip) const;
  bool is_open_to(const std::string& ip) const;
  Client& client_of(const Address& address);
  void run();
  void take_from_clients();
  void take_from_server(const Address& address, Client& client);
  void deliver(Time now);
  uint32_t random();

  const uint16_t port_;
  const Options options_;
  int outside_ = -1;
  int wake_[2] = {-1, -1};
  std::map<Address, Client> clients_;
  std::multimap<Time, Waiting> waiting_;
  uint32_t random_ = 1;
  mutable std::mutex mutex_;
  std::map<std::string, uint64_t> passed_, refused_;
  std::thread thread_;
};

}  // namespace atm0s::test

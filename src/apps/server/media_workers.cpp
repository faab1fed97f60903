#include "apps/server/media_workers.h"

#include <algorithm>

namespace atm0s::server {
namespace {

using Sockets = std::vector<std::unique_ptr<io::UdpSocket>>;

// One address of a family: bind to it alone. Several: to all, and each answer leaves from where its request came.
Result<Sockets> bind_sockets(const std::vector<MediaAddress>& addresses, uint16_t port) {
  Sockets sockets;
  for (const bool is_v4 : {true, false}) {
    std::vector<IpAddress> family;
    for (const MediaAddress& address : addresses) {
      if (address.internal.is_v4() == is_v4) family.push_back(address.internal);
    }
    if (family.empty()) continue;
    const IpAddress any = is_v4 ? IpAddress::v4(0, 0, 0, 0) : IpAddress{};
    // Both families on one port, also when the first took a free one.
    const uint16_t wanted = sockets.empty() ? port : sockets.front()->port();
    TRY(socket, io::UdpSocket::bind({family.size() == 1 ? family.front() : any, wanted}));
    sockets.push_back(std::move(socket));
  }
  return sockets;
}

}  // namespace

// Joins a loop of io with a worker of node: neither knows the other.
class MediaWorkers::Pumped final : public io::MediaMachine {
 public:
  Pumped(node::Config config, Sockets sockets, io::MediaLoop::ReplySink replies)
      : addresses_(config.addresses),
        worker_(std::move(config), io::read_clocks(), rng_),
        loop_(*this, std::move(sockets), std::move(replies)),
        thread_([this] { loop_.run(); }) {}
  ~Pumped() override { stop(); }

  void on_datagrams(Now now, std::span<Datagram> datagrams, SendBatch& out) override {
    worker_.on_datagrams(now, datagrams, out);
  }
  void on_command(Now now, contract::Command command, SendBatch& out) override {
    worker_.on_command(now, std::move(command), out);
  }
  void on_timeout(Now now, SendBatch& out) override { worker_.on_timeout(now, out); }
  Instant next_timeout() const override { return worker_.next_timeout(); }
  void take_replies(std::vector<contract::Reply>& out) override {
    for (contract::Reply& reply : worker_.replies()) {
      if (auto* stats = std::get_if<contract::Stats>(&reply.body)) add_udp_stats(*stats);
      out.push_back(std::move(reply));
    }
    worker_.replies().clear();
  }

  bool post(contract::Command command) { return loop_.post(std::move(command)); }
  void stop() {
    if (!thread_.joinable()) return;
    loop_.stop();
    thread_.join();
  }
  const std::vector<SocketAddress>& addresses() const { return addresses_; }

 private:
  void add_udp_stats(contract::Stats& stats) const {
    const io::UdpCounters udp = loop_.udp_counters();
    const auto counter = [&](const char* name, const char* help, uint64_t value, std::string labels = "") {
      stats.values.push_back({name, help, true, std::move(labels), static_cast<double>(value)});
    };
    counter("atm0s_udp_receive_calls_total", "Calls of recvmmsg that brought something", udp.receive_calls);
    counter("atm0s_udp_bytes_received_total", "Bytes of UDP payload received", udp.bytes_received);
    counter("atm0s_udp_datagrams_sent_total", "Datagrams sent", udp.datagrams_sent);
    counter("atm0s_udp_bytes_sent_total", "Bytes of UDP payload sent", udp.bytes_sent);
    counter("atm0s_udp_sends_total", "Messages given to the kernel; datagrams over this is the segments per send",
            udp.send_calls);
    const char* help = "Datagrams and packets dropped, by reason";
    counter("atm0s_dropped_total", help, udp.drop_truncated, "reason=\"udp_truncated\"");
    counter("atm0s_dropped_total", help, udp.drop_send_full, "reason=\"udp_send_full\"");
    counter("atm0s_dropped_total", help, udp.drop_send_error, "reason=\"udp_send_error\"");
  }

  std::vector<SocketAddress> addresses_;
  io::SystemRng rng_;
  node::Worker worker_;
  io::MediaLoop loop_;
  std::thread thread_;  // last: it uses all of the above
};

Result<std::unique_ptr<MediaWorkers>> MediaWorkers::start(size_t count, const std::vector<MediaAddress>& addresses,
                                                          uint16_t port, io::MediaLoop::ReplySink replies) {
  auto out = std::make_unique<MediaWorkers>();
  for (size_t i = 0; i < count; ++i) {
    const auto own_port = static_cast<uint16_t>(port == 0 ? 0 : port + i);
    TRY(sockets, bind_sockets(addresses, own_port));
    node::Config config;
    config.index = i;
    for (const MediaAddress& address : addresses) {
      config.addresses.push_back({address.external, sockets.front()->port()});
      config.local_addresses.push_back({address.internal, sockets.front()->port()});
    }
    out->workers_.push_back(std::make_unique<Pumped>(std::move(config), std::move(sockets), replies));
  }
  return out;
}

MediaWorkers::~MediaWorkers() = default;

bool MediaWorkers::post(size_t worker, contract::Command command) {
  return workers_[worker]->post(std::move(command));
}

std::vector<SocketAddress> MediaWorkers::addresses() const {
  std::vector<SocketAddress> out;
  for (const auto& worker : workers_) out.insert(out.end(), worker->addresses().begin(), worker->addresses().end());
  return out;
}

void MediaWorkers::stop() {
  for (const auto& worker : workers_) worker->stop();
}

}  // namespace atm0s::server

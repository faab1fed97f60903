#include "apps/server/media_workers.h"

#include <algorithm>

namespace atm::server {
namespace {

using Sockets = std::vector<std::unique_ptr<io::UdpSocket>>;

// One address of a family: bind to it alone. Several: to all, and each answer leaves from where its request came.
std::vector<IpAddress> bind_addresses(const std::vector<MediaAddress>& addresses) {
  std::vector<IpAddress> out;
  for (const bool is_v4 : {true, false}) {
    std::vector<IpAddress> family;
    for (const MediaAddress& address : addresses) {
      if (address.internal.is_v4() == is_v4) family.push_back(address.internal);
    }
    if (family.empty()) continue;
    const IpAddress any = is_v4 ? IpAddress::v4(0, 0, 0, 0) : IpAddress{};
    out.push_back(family.size() == 1 ? family.front() : any);
  }
  return out;
}

Result<Sockets> bind_sockets(const std::vector<MediaAddress>& addresses, uint16_t port) {
  Sockets sockets;
  for (const IpAddress& ip : bind_addresses(addresses)) {
    // Both families on one port, also when the first took a free one.
    const uint16_t wanted = sockets.empty() ? port : sockets.front()->port();
    TRY(socket, io::UdpSocket::bind({ip, wanted}));
    sockets.push_back(std::move(socket));
  }
  return sockets;
}

// Null when it is off.
Result<std::unique_ptr<io::TcpPort>> listen_tcp(const std::vector<MediaAddress>& addresses,
                                                std::optional<uint16_t> port) {
  if (!port) return std::unique_ptr<io::TcpPort>();
  std::vector<SocketAddress> all;
  for (const IpAddress& ip : bind_addresses(addresses)) all.push_back({ip, *port});
  auto listening = io::TcpPort::listen(all);
  if (!listening) {
    return fail(listening.error().code, listening.error().why + " (set --media-tcp-port to another port, or to off)");
  }
  return listening;
}

}  // namespace

// Joins a loop of io with a worker of node: neither knows the other.
class MediaWorkers::Pumped final : public io::MediaMachine {
 public:
  Pumped(node::Config config, Sockets sockets, std::unique_ptr<io::TcpPort> tcp, io::MediaLoop::ReplySink replies,
         const Mailboxes& mailboxes)
      : addresses_(config.addresses),
        mailboxes_(mailboxes),
        mailbox_(*mailboxes[config.index]),
        outgoing_(mailboxes.size()),
        used_up_(mailboxes.size()),
        worker_(std::move(config), io::read_clocks(), rng_),
        loop_(*this, std::move(sockets), std::move(tcp), std::move(replies)),
        thread_([this] { loop_.run(); }) {}
  ~Pumped() override { stop(); }

  void on_datagrams(Now now, std::span<Datagram> datagrams, SendBatch& out) override {
    worker_.on_datagrams(now, datagrams, out);
  }
  bool admits(ByteView first_frame) const override { return worker_.admits(first_frame); }
  void on_path_closed(Now now, const Path& path, SendBatch& out) override { worker_.on_path_closed(now, path, out); }
  void on_command(Now now, contract::Command command, SendBatch& out) override {
    worker_.on_command(now, std::move(command), out);
  }
  void on_timeout(Now now, SendBatch& out) override { worker_.on_timeout(now, out); }
  Instant next_timeout() const override { return worker_.next_timeout(); }
  bool has_slow_work() const override { return worker_.has_slow_work(); }
  void do_slow_step(Now now, SendBatch& out) override { worker_.do_slow_step(now, out); }
  int mail_fd() const override { return mailbox_.fd(); }
  void on_mail(Now now, SendBatch& out) override {
    mailbox_.take_all(incoming_);
    for (room::RelayMessage& message : incoming_) {
      worker_.on_relay(now, message, out);
      if (room::has_packets(message)) used_up_[static_cast<size_t>(message.from)].push_back(std::move(message));
    }
    incoming_.clear();
    for (size_t from = 0; from < used_up_.size(); ++from) mailboxes_[from]->give_back(used_up_[from]);
  }
  void finish_turn(std::vector<contract::Reply>& out) override {
    for (room::RelayMessage& message : worker_.relayed()) {
      ++relay_sent_;
      outgoing_[static_cast<size_t>(message.to)].push_back(std::move(message));
    }
    if (!worker_.relayed().empty()) {
      worker_.relayed().clear();
      // One wake of each other worker for all that a turn has for it.
      for (size_t to = 0; to < outgoing_.size(); ++to) {
        drop_relay_full_ += mailboxes_[to]->post_all(outgoing_[to]);
        give_back(outgoing_[to]);
      }
      mailbox_.take_given_back(given_back_);
      give_back(given_back_);
    }
    for (contract::Reply& reply : worker_.replies()) {
      if (auto* stats = std::get_if<contract::Stats>(&reply.body)) {
        add_udp_stats(*stats);
        if (loop_.tcp() != nullptr) add_tcp_stats(*loop_.tcp(), *stats);
      }
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
  void give_back(std::vector<room::RelayMessage>& messages) {
    for (room::RelayMessage& message : messages) worker_.give_back(std::move(message));
    messages.clear();
  }
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
    counter("atm0s_udp_segment_refusals_total", "Segmented sends that the kernel or the device refused",
            udp.segment_refusals);
    const char* help = "Datagrams and packets dropped, by reason";
    counter("atm0s_relay_messages_sent_total", "Messages to other workers", relay_sent_);
    counter("atm0s_dropped_total", help, drop_relay_full_, "reason=\"relay_full\"");
    counter("atm0s_dropped_total", help, udp.drop_truncated, "reason=\"udp_truncated\"");
    counter("atm0s_dropped_total", help, udp.drop_send_full, "reason=\"udp_send_full\"");
    counter("atm0s_dropped_total", help, udp.drop_send_error, "reason=\"udp_send_error\"");
  }
  static void add_tcp_stats(const io::TcpPort& tcp, contract::Stats& stats) {
    const auto gauge = [&](const char* name, const char* help, size_t value) {
      stats.values.push_back({name, help, false, "", static_cast<double>(value)});
    };
    const auto counter = [&](const char* name, const char* help, uint64_t value, std::string labels) {
      stats.values.push_back({name, help, true, std::move(labels), static_cast<double>(value)});
    };
    gauge("atm0s_tcp_connections", "Connections of ICE-TCP that are open", tcp.connection_count());
    for (const auto& [member, name] : io::kTcpCounterNames) {
      counter("atm0s_tcp_total", "ICE-TCP, by event", tcp.counters().*member, std::string("event=\"") + name + '"');
    }
  }

  std::vector<SocketAddress> addresses_;
  const Mailboxes& mailboxes_;  // of all workers, by their index
  io::Mailbox<room::RelayMessage>& mailbox_;
  std::vector<std::vector<room::RelayMessage>> outgoing_;  // by worker
  std::vector<std::vector<room::RelayMessage>> used_up_;   // what this one has read, by its maker
  std::vector<room::RelayMessage> incoming_, given_back_;
  uint64_t relay_sent_ = 0, drop_relay_full_ = 0;
  io::SystemRng rng_;
  node::Worker worker_;
  io::MediaLoop loop_;
  std::thread thread_;  // last: it uses all of the above
};

Result<std::unique_ptr<MediaWorkers>> MediaWorkers::start(const Config& settings,
                                                          const std::vector<MediaAddress>& addresses,
                                                          io::MediaLoop::ReplySink replies) {
  const size_t count = settings.workers;
  const uint16_t port = settings.media_port;
  auto out = std::make_unique<MediaWorkers>();
  for (size_t i = 0; i < count; ++i) {
    out->mailboxes_.push_back(std::make_unique<io::Mailbox<room::RelayMessage>>(kRelayMailboxCapacity));
  }
  for (size_t i = 0; i < count; ++i) {
    const auto own_port = static_cast<uint16_t>(port == 0 ? 0 : port + i);
    TRY(sockets, bind_sockets(addresses, own_port));
    std::optional<uint16_t> tcp_port = settings.media_tcp_port;
    if (tcp_port) *tcp_port = static_cast<uint16_t>(*tcp_port + i);
    TRY(tcp, listen_tcp(addresses, tcp_port));
    node::Config config;
    config.index = i;
    config.worker_count = count;
    config.max_room_sessions = settings.room_slice_size;
    config.max_incoming_video_bps = settings.max_bitrate;
    config.duplicates = settings.duplicate_peer;
    for (const MediaAddress& address : addresses) {
      config.addresses.push_back({address.external, sockets.front()->port()});
      config.local_addresses.push_back({address.internal, sockets.front()->port()});
      if (tcp != nullptr) config.tcp_addresses.push_back({address.external, tcp->port()});
    }
    out->workers_.push_back(
        std::make_unique<Pumped>(std::move(config), std::move(sockets), std::move(tcp), replies, out->mailboxes_));
  }
  return out;
}

MediaWorkers::~MediaWorkers() {
  stop();  // all, before the first mailbox goes
}

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

}  // namespace atm::server

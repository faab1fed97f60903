// Our agent and libnice's, each on sockets of its own on the loopback interface, for libnice_interop_test.cpp; Nice
// also for tests/turn, in real time. libnice knows no virtual time, but the C library's clock is all that it and GLib
// read: while a Call lives, clock_gettime() and gettimeofday() of this program are the Call's own. Datagrams over
// loopback arrive at once, so half a minute of consent checks passes in milliseconds, and nothing waits for a real
// clock.
#pragma once

#include <arpa/inet.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <nice/agent.h>
#include <sys/socket.h>
#include <unistd.h>

#include <functional>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "core/ice/agent.h"

namespace atm::ice {

// What the C library's clocks say while it is set.
struct LibnicesTime {
  static inline bool is_virtual = false;
  static inline int64_t us = 0;
};

// libnice as one side with one component. Candidates and credentials go in and out as the text of SDP.
class Nice {
 public:
  struct Options {
    bool controlling = true;
    bool aggressive = false;
    std::vector<std::string> addresses = {"127.0.0.1"};
    // Servers; with only_relayed no other candidates than that one's.
    std::optional<SocketAddress> stun = {}, turn = {};
    std::string username = {}, credential = {};
    bool only_relayed = false;
  };

  explicit Nice(const Options& options) : context_(g_main_context_new()) {
    g_main_context_push_thread_default(context_);
    int flags = NICE_AGENT_OPTION_ICE_TRICKLE | NICE_AGENT_OPTION_CONSENT_FRESHNESS;
    if (!options.aggressive) flags |= NICE_AGENT_OPTION_REGULAR_NOMINATION;
    agent_ = nice_agent_new_full(context_, NICE_COMPATIBILITY_RFC5245, static_cast<NiceAgentOption>(flags));
    g_object_set(agent_, "upnp", FALSE, "ice-tcp", FALSE, "controlling-mode", options.controlling ? TRUE : FALSE, NULL);
    for (const std::string& text : options.addresses) {
      NiceAddress address;
      nice_address_init(&address);
      EXPECT_TRUE(nice_address_set_from_string(&address, text.c_str()));
      nice_agent_add_local_address(agent_, &address);
    }
    if (options.stun) {
      g_object_set(agent_, "stun-server", options.stun->ip.to_string().c_str(), "stun-server-port",
                   guint{options.stun->port}, NULL);
    }
    g_object_set(agent_, "force-relay", options.only_relayed ? TRUE : FALSE, NULL);
    stream_ = nice_agent_add_stream(agent_, 1);
    if (options.turn) {
      EXPECT_TRUE(nice_agent_set_relay_info(agent_, stream_, 1, options.turn->ip.to_string().c_str(),
                                            options.turn->port, options.username.c_str(), options.credential.c_str(),
                                            NICE_RELAY_TYPE_TURN_UDP));
    }
    nice_agent_attach_recv(agent_, stream_, 1, context_, take, this);
    EXPECT_TRUE(nice_agent_gather_candidates(agent_, stream_));
  }
  ~Nice() {
    nice_agent_remove_stream(agent_, stream_);
    g_object_unref(agent_);
    while (g_main_context_iteration(context_, FALSE)) {
    }
    g_main_context_pop_thread_default(context_);
    g_main_context_unref(context_);
  }
  Nice(const Nice&) = delete;
  Nice& operator=(const Nice&) = delete;

  // A few turns at most: a timer of libnice's may be due for as long as its clock stands still.
  bool work() {
    bool worked = false;
    for (int turns = 0; turns < 20 && g_main_context_iteration(context_, FALSE) != FALSE; ++turns) worked = true;
    return worked;
  }

  Credentials local() const {
    char *ufrag = nullptr, *pwd = nullptr;
    EXPECT_TRUE(nice_agent_get_local_credentials(agent_, stream_, &ufrag, &pwd));
    Credentials out{ufrag, pwd};
    g_free(ufrag);
    g_free(pwd);
    return out;
  }
  std::vector<std::string> candidates() const {
    std::vector<std::string> out;
    GSList* list = nice_agent_get_local_candidates(agent_, stream_, 1);
    for (GSList* at = list; at != nullptr; at = at->next) {
      char* text = nice_agent_generate_local_candidate_sdp(agent_, static_cast<NiceCandidate*>(at->data));
      out.emplace_back(text);
      g_free(text);
    }
    g_slist_free_full(list, reinterpret_cast<GDestroyNotify>(&nice_candidate_free));
    return out;
  }
  void set_remote(const Credentials& remote) {
    EXPECT_TRUE(nice_agent_set_remote_credentials(agent_, stream_, remote.ufrag.c_str(), remote.pwd.c_str()));
  }
  void add_remote(const Candidate& candidate) {
    NiceCandidate* parsed = nice_agent_parse_remote_candidate_sdp(agent_, stream_, ("a=" + to_text(candidate)).c_str());
    ASSERT_NE(parsed, nullptr) << to_text(candidate);
    GSList* list = g_slist_append(nullptr, parsed);
    EXPECT_GE(nice_agent_set_remote_candidates(agent_, stream_, 1, list), 0);
    g_slist_free_full(list, reinterpret_cast<GDestroyNotify>(&nice_candidate_free));
  }
  void restart() { EXPECT_TRUE(nice_agent_restart_stream(agent_, stream_)); }

  NiceComponentState state() const { return nice_agent_get_component_state(agent_, stream_, 1); }
  bool is_ready() const { return state() == NICE_COMPONENT_STATE_READY; }
  // Where libnice sends to.
  std::optional<SocketAddress> selected_remote() const {
    NiceCandidate *mine = nullptr, *theirs = nullptr;
    if (!nice_agent_get_selected_pair(agent_, stream_, 1, &mine, &theirs)) return std::nullopt;
    char text[NICE_ADDRESS_STRING_LEN];
    nice_address_to_string(&theirs->addr, text);
    return SocketAddress{*IpAddress::parse(text), static_cast<uint16_t>(nice_address_get_port(&theirs->addr))};
  }
  bool send(std::string_view data) {
    return nice_agent_send(agent_, stream_, 1, static_cast<guint>(data.size()), data.data()) ==
           static_cast<gint>(data.size());
  }
  std::vector<std::string> received;

 private:
  static void take(NiceAgent*, guint, guint, guint size, gchar* data, gpointer self) {
    static_cast<Nice*>(self)->received.emplace_back(data, size);
  }

  GMainContext* context_;
  NiceAgent* agent_;
  guint stream_;
};

class Call {
 public:
  struct Options {
    Role role = Role::kLite;
    Nice::Options nice;
    std::vector<std::string> addresses = {"127.0.0.1"};
  };

  Call(const Options& options, Rng& rng) : rng_(rng) {
    LibnicesTime::us = 1'700'000'000'000'000;
    LibnicesTime::is_virtual = true;
    ours = std::make_unique<Agent>(options.role, make_credentials(rng), rng);
    nice = std::make_unique<Nice>(options.nice);
    for (const std::string& text : options.addresses) open(*IpAddress::parse(text));
  }
  ~Call() {
    nice.reset();
    for (const Socket& socket : sockets_) close(socket.fd);
    LibnicesTime::is_virtual = false;
  }
  Call(const Call&) = delete;
  Call& operator=(const Call&) = delete;

  Now now() const { return {Instant{Duration(LibnicesTime::us)}, WallTime{Duration(LibnicesTime::us)}}; }
  void exchange_credentials() {
    nice->set_remote(ours->local());
    ours->set_remote(now(), nice->local());
  }
  void give_ours() {
    for (const Candidate& candidate : ours->local_candidates()) nice->add_remote(candidate);
  }
  void give_theirs() {
    for (const std::string& text : nice->candidates()) {
      const auto candidate = parse_candidate(text);
      ASSERT_TRUE(candidate) << text;
      ours->add_remote_candidate(*candidate);
    }
  }
  void introduce() {
    exchange_credentials();
    give_ours();
    give_theirs();
  }
  void start() {
    ours->start(now(), out_);
    flush();
  }
  // Until nothing more is received at this instant.
  void settle() {
    for (int turns = 0; turns < 1'000; ++turns) {
      nice->work();
      bool worked = false;
      for (const Socket& socket : sockets_) worked |= receive(socket);
      if (ours->next_timeout() <= now().mono) {
        ours->on_timeout(now(), out_);
        flush();
        worked = true;
      }
      if (!worked) return;
    }
    FAIL() << "the two never settle";
  }
  // True when the fact came about within `limit` of virtual time.
  bool wait_for(const std::function<bool()>& fact, Duration limit) {
    for (const Instant end = now().mono + limit; now().mono < end; LibnicesTime::us += 5'000) {
      settle();
      if (fact()) return true;
      if (testing::Test::HasFatalFailure()) return false;
    }
    return fact();
  }
  void pass(Duration duration) {
    wait_for([] { return false; }, duration);
  }
  bool connected() const { return nice->is_ready() && ours->selected() && ours->is_nominated(); }
  bool send(std::string_view data) {
    if (!ours->selected()) return false;
    out_.append(*ours->selected(), as_bytes(data));
    flush();
    return true;
  }

  std::unique_ptr<Agent> ours;
  std::unique_ptr<Nice> nice;
  std::vector<std::string> received;  // data from a validated path
  size_t strays = 0;                  // data from another
  // A NAT before libnice: what we see of it is its port plus this, and what goes to an older binding is lost.
  uint16_t nat_shift = 0;
  bool cut = false;
  size_t requests_sent = 0;  // ours

 private:
  struct Socket {
    int fd;
    IpAddress local;
  };

  void open(const IpAddress& ip) {
    const int fd = socket(ip.is_v4() ? AF_INET : AF_INET6, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    ASSERT_GE(fd, 0);
    sockets_.push_back({fd, ip});
    sockaddr_storage name = to_name({ip, 0});
    ASSERT_EQ(bind(fd, reinterpret_cast<sockaddr*>(&name), size_of(name)), 0) << ip.to_string();
    socklen_t size = sizeof name;
    ASSERT_EQ(getsockname(fd, reinterpret_cast<sockaddr*>(&name), &size), 0);
    ours->add_local_candidate(make_host_candidate(from_name(name), static_cast<uint16_t>(65'535 - sockets_.size())));
  }
  bool receive(const Socket& socket) {
    uint8_t buffer[2'048];
    sockaddr_storage name{};
    socklen_t name_size = sizeof name;
    const ssize_t size = recvfrom(socket.fd, buffer, sizeof buffer, 0, reinterpret_cast<sockaddr*>(&name), &name_size);
    if (size < 0) return false;
    SocketAddress from = from_name(name);
    known_.insert(from);
    if (cut) return true;
    from.port = static_cast<uint16_t>(from.port + nat_shift);
    const ByteView datagram{buffer, static_cast<size_t>(size)};
    const Path path{from, socket.local};
    if (stun::is_stun(datagram)) {
      ours->on_datagram(now(), path, datagram, out_);
      flush();
    } else if (ours->is_validated(path)) {
      received.emplace_back(as_text(datagram));
    } else {
      ++strays;
    }
    return true;
  }
  void flush() {
    for (const auto& entry : out_.entries()) {
      const ByteView bytes = out_.bytes(entry);
      if (stun::is_stun(bytes) && bytes[0] == 0 && bytes[1] == 1) ++requests_sent;
      SocketAddress to = entry.path.remote;
      to.port = static_cast<uint16_t>(to.port - nat_shift);
      if (cut || (nat_shift != 0 && !known_.contains(to))) continue;
      for (const Socket& socket : sockets_) {
        if (socket.local != entry.path.local) continue;
        sockaddr_storage name = to_name(to);
        sendto(socket.fd, bytes.data(), bytes.size(), 0, reinterpret_cast<sockaddr*>(&name), size_of(name));
      }
    }
    out_.clear();
  }

  static socklen_t size_of(const sockaddr_storage& name) {
    return name.ss_family == AF_INET ? sizeof(sockaddr_in) : sizeof(sockaddr_in6);
  }
  static sockaddr_storage to_name(const SocketAddress& address) {
    sockaddr_storage out{};
    if (address.ip.is_v4()) {
      auto* v4 = reinterpret_cast<sockaddr_in*>(&out);
      v4->sin_family = AF_INET;
      v4->sin_port = htons(address.port);
      std::memcpy(&v4->sin_addr, address.ip.bytes().data() + 12, 4);
    } else {
      auto* v6 = reinterpret_cast<sockaddr_in6*>(&out);
      v6->sin6_family = AF_INET6;
      v6->sin6_port = htons(address.port);
      std::memcpy(&v6->sin6_addr, address.ip.bytes().data(), 16);
    }
    return out;
  }
  static SocketAddress from_name(const sockaddr_storage& name) {
    if (name.ss_family == AF_INET) {
      const auto* v4 = reinterpret_cast<const sockaddr_in*>(&name);
      uint8_t ip[4];
      std::memcpy(ip, &v4->sin_addr, 4);
      return {IpAddress::v4(ip), ntohs(v4->sin_port)};
    }
    const auto* v6 = reinterpret_cast<const sockaddr_in6*>(&name);
    std::array<uint8_t, 16> ip;
    std::memcpy(ip.data(), &v6->sin6_addr, 16);
    return {IpAddress::v6(ip), ntohs(v6->sin6_port)};
  }

  Rng& rng_;
  SendBatch out_;
  std::vector<Socket> sockets_;
  std::set<SocketAddress> known_;  // libnice's sockets, as they are
};

}  // namespace atm::ice

// Two full agents with their gatherers, each behind a NAT of its own, behind the same one, or behind none, with a STUN
// and a TURN server between them, in virtual time. Candidates are trickled as they are found. For ice_nat_test.cpp.
// What IPv4's private addresses are to the internet: a datagram to 10.0.0.0/8 arrives in the own network only.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "core/ice/agent.h"
#include "core/turn/gatherer.h"
#include "core/turn/server_test.h"
#include "link.h"
#include "nat.h"

namespace atm::sim {

class IceWorld {
 public:
  struct Host {
    Host(ice::Role role, const turn::GathererOptions& options, uint64_t seed)
        : rng(seed), agent(role, ice::make_credentials(rng), rng), gatherer(options, rng) {}
    // The candidate that the other side sees it at, and as what it was told of it: "prflx" when it was not.
    std::string type_of(const SocketAddress& seen) const;

    SeededRng rng;
    ice::Agent agent;
    turn::Gatherer gatherer;
    Nat* nat = nullptr;
    int network = 0;  // its private one
    SocketAddress address;
    std::vector<std::string> told;  // failures of servers
    std::vector<ice::Candidate> gone;
    size_t media = 0;  // that came over a validated path
    std::optional<Instant> heard_at;
    bool is_done = false;
  };
  struct Options {
    bool has_turn = true;
    turn::GathererOptions gathering = {};
    LinkConfig link = {.delay = 20ms, .jitter = 0ms};
    Duration signalling = 50ms;
    uint64_t seed = 1;
    turn::TestServer::Options turn = {};
  };

  explicit IceWorld(const Options& options);

  Nat& add_nat(const NatConfig& config, const IpAddress& outer);
  // Behind `nat` in that network, or public with neither.
  void place(Host& host, Nat* nat, int network, const SocketAddress& address);
  // Exchanges credentials, gathers and starts both.
  void begin();
  // The host's address goes and another comes, behind another NAT; then both restart ICE.
  void move(Host& host, Nat* nat, int network, const SocketAddress& address);
  void restart();

  Now now() const { return {Instant{} + elapsed_, WallTime{} + elapsed_}; }
  void run(Duration duration);
  template <typename Fact>
  bool run_until(Fact fact, Duration limit) {
    const Instant end = now().mono + limit;
    while (!fact() && now().mono < end) run(10ms);
    return fact();
  }
  // Both have nominated one pair, seen from its two ends.
  bool is_connected() const;
  // "srflx-prflx": what the nominated pair's ends are, a's first.
  std::string winner() const;
  // A datagram of media each way; true when both arrive.
  bool carries_media();

  Host a, b;
  turn::TestServer stun, turn;
  size_t datagrams = 0;

 private:
  struct Flying {
    SocketAddress from, to;  // as they are outside
    Nat* hairpin = nullptr;  // came from inside of this one
    int network = 0;         // of the sender: for private addresses
    Bytes bytes;
  };
  Host& other(Host& host) { return &host == &a ? b : a; }
  turn::Output output() { return {wire_, received_, events_}; }
  void send_media(Host& host);
  void flush_agent(Host& host);
  void flush(Host& host);
  void take_events(Host& host);
  void take_received(Host& host);
  void fly(Flying flying);
  void arrive(const Flying& flying);
  void deliver(Host& host, const SocketAddress& from, const Bytes& bytes);
  void flush_server(turn::TestServer& server);
  void add_servers(Host& host);
  void signal(Host& to, const ice::Candidate& candidate);

  Options options_;
  Link link_;
  Duration elapsed_ = 1h;
  std::vector<std::unique_ptr<Nat>> nats_;
  std::multimap<Instant, Flying> flying_;
  struct Signal {
    Host* to;
    ice::Candidate candidate;
    uint64_t generation;
  };
  std::multimap<Instant, Signal> signals_;
  uint64_t generation_ = 0;
  SendBatch from_agent_, wire_;
  std::vector<Datagram> received_;
  std::vector<turn::Event> events_;
};

}  // namespace atm::sim

#include "ice_world.h"

#include <algorithm>

namespace atm::sim {
namespace {

const SocketAddress kStun{IpAddress::v4(198, 51, 100, 8), 3'478};
const SocketAddress kTurn{IpAddress::v4(198, 51, 100, 9), 3'478};
const Bytes kMedia{0x80, 96, 0, 1};

bool is_private(const IpAddress& ip) {
  return ip.is_v4() && ip.bytes()[12] == 10;
}

turn::TestServer::Options at(turn::TestServer::Options options, const SocketAddress& address) {
  options.address = address;
  options.relay_ip = address.ip;
  return options;
}

const char* name_of(ice::CandidateType type) {
  switch (type) {
    case ice::CandidateType::kHost:
      return "host";
    case ice::CandidateType::kServerReflexive:
      return "srflx";
    case ice::CandidateType::kPeerReflexive:
      return "prflx";
    case ice::CandidateType::kRelayed:
      return "relay";
  }
  return "";
}

}  // namespace

std::string IceWorld::Host::type_of(const SocketAddress& seen) const {
  for (const ice::Candidate& candidate : gatherer.candidates()) {
    if (candidate.address == seen) return name_of(candidate.type);
  }
  return "prflx";
}

IceWorld::IceWorld(const Options& options)
    : a(ice::Role::kControlling, options.gathering, 2 * options.seed + 10),
      b(ice::Role::kControlled, options.gathering, 2 * options.seed + 11),
      stun(at({}, kStun)),
      turn(at(options.turn, kTurn)),
      options_(options),
      link_(options.link, options.seed) {}

Nat& IceWorld::add_nat(const NatConfig& config, const IpAddress& outer) {
  nats_.push_back(std::make_unique<Nat>(config, outer));
  return *nats_.back();
}

void IceWorld::place(Host& host, Nat* nat, int network, const SocketAddress& address) {
  host.nat = nat;
  host.network = network;
  host.address = address;
}

void IceWorld::add_servers(Host& host) {
  turn::Output out = output();
  host.gatherer.add_server(now(), {{turn::ServerKind::kStun, turn::Protocol::kUdp, "stun", 3'478}, kStun, "", ""}, out);
  if (options_.has_turn) {
    const turn::ServerUrl url{turn::ServerKind::kTurn, turn::Protocol::kUdp, "turn", 3'478};
    host.gatherer.add_server(now(), {url, kTurn, "ann", "secret"}, out);
  }
}

void IceWorld::begin() {
  for (Host* host : {&a, &b}) host->agent.set_remote(now(), other(*host).agent.local());
  for (Host* host : {&a, &b}) {
    turn::Output out = output();
    host->gatherer.add_host(now(), host->address, out);
    add_servers(*host);
    flush(*host);
    host->agent.start(now(), from_agent_);
    flush_agent(*host);
  }
}

void IceWorld::restart() {
  ++generation_;
  for (Host* host : {&a, &b}) host->agent.restart(now(), ice::make_credentials(host->rng));
  for (Host* host : {&a, &b}) {
    host->agent.set_remote(now(), other(*host).agent.local());
    for (const ice::Candidate& candidate : host->gatherer.candidates()) signal(other(*host), candidate);
    turn::Output out = output();
    host->gatherer.regather(now(), out);
    flush(*host);
  }
}

void IceWorld::move(Host& host, Nat* nat, int network, const SocketAddress& address) {
  turn::Output out = output();
  host.gatherer.remove_host(now(), host.address, out);
  flush(host);
  place(host, nat, network, address);
  host.gatherer.add_host(now(), address, out);
  flush(host);
  restart();
}

void IceWorld::signal(Host& to, const ice::Candidate& candidate) {
  signals_.emplace(now().mono + options_.signalling, Signal{&to, candidate, generation_});
}

void IceWorld::take_events(Host& host) {
  for (const turn::Event& event : events_) {
    if (const auto* found = std::get_if<turn::CandidateFound>(&event)) {
      host.agent.add_local_candidate(found->candidate);
      signal(other(host), found->candidate);
    } else if (const auto* lost = std::get_if<turn::CandidateLost>(&event)) {
      host.agent.remove_local_candidate(lost->candidate);
      host.gone.push_back(lost->candidate);
    } else if (const auto* failed = std::get_if<turn::ServerFailed>(&event)) {
      host.told.push_back(failed->why);
    } else if (std::get_if<turn::GatheringDone>(&event) != nullptr) {
      host.is_done = true;
    }
  }
  events_.clear();
}

void IceWorld::flush_agent(Host& host) {
  turn::Output out = output();
  host.gatherer.route(now(), from_agent_, out);
  from_agent_.clear();
  flush(host);
}

void IceWorld::flush(Host& host) {
  take_events(host);
  for (const auto& entry : wire_.entries()) {
    const ByteView bytes = wire_.bytes(entry);
    if (entry.path.local != host.address.ip) continue;  // an interface that has gone
    ++datagrams;
    const SocketAddress& to = entry.path.remote;
    const bool stays_inside = is_private(to.ip);
    if (host.nat != nullptr && !stays_inside) {
      const SocketAddress from = host.nat->out(now().mono, host.address, to);
      fly({from, to, host.nat->owns(to.ip) ? host.nat : nullptr, host.network, Bytes(bytes.begin(), bytes.end())});
    } else {
      fly({host.address, to, nullptr, host.network, Bytes(bytes.begin(), bytes.end())});
    }
  }
  wire_.clear();
}

void IceWorld::fly(Flying flying) {
  if (const auto arrives = link_.carry(now().mono, flying.bytes.size())) flying_.emplace(*arrives, std::move(flying));
}

void IceWorld::arrive(const Flying& flying) {
  for (turn::TestServer* server : {&stun, &turn}) {
    if (flying.to == server->options.address) {
      server->on_client(now(), flying.from, flying.bytes);
    } else if (server->relays(flying.to)) {
      server->on_peer(now(), flying.to, flying.from, flying.bytes);
    }
    flush_server(*server);
  }
  for (Host* host : {&a, &b}) {
    if (is_private(flying.to.ip)) {
      if (host->address == flying.to && host->network == flying.network) deliver(*host, flying.from, flying.bytes);
    } else if (host->nat == nullptr) {
      if (host->address == flying.to) deliver(*host, flying.from, flying.bytes);
    } else if (host->nat->maps(flying.to)) {
      if (flying.hairpin == host->nat && !host->nat->hairpins()) continue;
      const auto inner = host->nat->in(now().mono, flying.to, flying.from);
      if (inner == host->address) deliver(*host, flying.from, flying.bytes);
    }
  }
}

void IceWorld::flush_server(turn::TestServer& server) {
  auto sent = std::move(server.sent);
  server.sent.clear();
  for (auto& [from, to, bytes] : sent) fly({from, to, nullptr, 0, std::move(bytes)});
}

void IceWorld::deliver(Host& host, const SocketAddress& from, const Bytes& bytes) {
  Bytes copy = bytes;
  const Datagram datagram{{from, host.address.ip}, now().mono, copy};
  turn::Output out = output();
  if (!host.gatherer.on_datagram(now(), datagram, out)) received_.push_back(datagram);
  take_received(host);
  flush(host);
}

void IceWorld::take_received(Host& host) {
  for (const Datagram& datagram : received_) {
    if (stun::is_stun(datagram.bytes)) {
      host.agent.on_datagram(now(), datagram.path, datagram.bytes, from_agent_);
    } else if (host.agent.is_validated(datagram.path)) {
      ++host.media;
      host.heard_at = now().mono;
    }
  }
  received_.clear();
  flush_agent(host);
}

void IceWorld::run(Duration duration) {
  const Instant end = now().mono + duration;
  while (true) {
    Instant next = kNever;
    for (const Host* host : {&a, &b}) {
      next = std::min({next, host->agent.next_timeout(), host->gatherer.next_timeout()});
    }
    if (!flying_.empty()) next = std::min(next, flying_.begin()->first);
    if (!signals_.empty()) next = std::min(next, signals_.begin()->first);
    if (next > end) break;
    elapsed_ = std::max(elapsed_, next - Instant{});
    while (!signals_.empty() && signals_.begin()->first <= now().mono) {
      const Signal signal = signals_.begin()->second;
      signals_.erase(signals_.begin());
      if (signal.generation == generation_) signal.to->agent.add_remote_candidate(signal.candidate);
    }
    for (Host* host : {&a, &b}) {
      turn::Output out = output();
      if (host->gatherer.next_timeout() <= now().mono) host->gatherer.on_timeout(now(), out);
      flush(*host);
      if (host->agent.next_timeout() <= now().mono) host->agent.on_timeout(now(), from_agent_);
      flush_agent(*host);
    }
    while (!flying_.empty() && flying_.begin()->first <= now().mono) {
      const Flying flying = std::move(flying_.begin()->second);
      flying_.erase(flying_.begin());
      arrive(flying);
    }
  }
  elapsed_ = end - Instant{};
}

bool IceWorld::is_connected() const {
  return a.agent.is_nominated() && b.agent.is_nominated() && a.agent.state() == ice::State::kConnected &&
         b.agent.state() == ice::State::kConnected;
}

std::string IceWorld::winner() const {
  if (!is_connected()) return "none";
  // How an end is seen by the other, and when its own is relayed, that: the other sees the relayed address then as
  // well.
  return a.type_of(b.agent.selected()->remote) + '-' + b.type_of(a.agent.selected()->remote);
}

void IceWorld::send_media(Host& host) {
  if (!host.agent.selected()) return;
  from_agent_.append(*host.agent.selected(), kMedia);
  flush_agent(host);
}

bool IceWorld::carries_media() {
  const size_t at_a = a.media, at_b = b.media;
  for (Host* host : {&a, &b}) send_media(*host);
  return run_until([&] { return a.media > at_a && b.media > at_b; }, 500ms);
}

}  // namespace atm::sim

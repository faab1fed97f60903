#include "core/turn/gatherer.h"

#include <algorithm>

namespace atm::turn {
namespace {

using ice::Candidate;
using ice::CandidateType;

// STUN errors (RFC 8489 14.8, RFC 8656 19) of credentials that the server does not take.
constexpr uint16_t kUnauthenticated = 401, kWrongCredentials = 441;

// RFC 8445 5.1.2.1: one for each candidate of a type. A host has one server for that, the zeroth.
uint16_t local_preference(size_t host, size_t server, Protocol protocol) {
  constexpr uint32_t kPerProtocol = 16'384;
  static_assert(kMaxServers * 256 <= kPerProtocol && kMaxHostAddresses < 256);
  // Among relays those over UDP are best: a stream holds all up for one lost packet, and TLS costs more yet.
  const uint32_t worse = static_cast<uint32_t>(protocol) * kPerProtocol;
  return static_cast<uint16_t>(65'535 - worse - server * 256 - host);
}

// RFC 8445 5.1.1.3: the same for one type, base, server and transport to it.
std::string foundation_of(CandidateType type, const IpAddress& base, const Server& server) {
  const Path key{{server.address.ip, static_cast<uint16_t>(type)},
                 base,
                 Transport::kUdp,
                 static_cast<uint16_t>(server.url.protocol)};
  return std::to_string(static_cast<uint32_t>(std::hash<Path>{}(key)));
}

}  // namespace

size_t Gatherer::host_index(const SocketAddress& base) const {
  return static_cast<size_t>(std::find(hosts_.begin(), hosts_.end(), base) - hosts_.begin());
}

void Gatherer::add_host(Now now, const SocketAddress& address, Output& out) {
  if (host_index(address) < hosts_.size()) return;
  const size_t index = host_index({});  // the place of one that has gone
  if (index == kMaxHostAddresses) return;
  if (index == hosts_.size()) hosts_.emplace_back();
  hosts_[index] = address;
  if (!options_.only_relayed) {
    add_candidate(ice::make_host_candidate(address, local_preference(index, 0, Protocol::kUdp)), out);
  }
  for (size_t i = 0; i < servers_.size(); ++i) {
    if (servers_[i].url.protocol == Protocol::kUdp) add_source(servers_[i], i, address, 0);
  }
  start_next(now, out);
}

void Gatherer::add_server(Now now, const Server& server, Output& out) {
  if (servers_.size() == kMaxServers) {
    out.events.push_back(ServerFailed{server.url, 0, to_text(server.url) + " is one too many"});
    return;
  }
  servers_.push_back(server);
  const size_t index = servers_.size() - 1;
  if (server.url.protocol == Protocol::kUdp) {
    for (const SocketAddress& host : hosts_) add_source(server, index, host, 0);
  } else {
    add_source(server, index, {}, next_stream_++);
  }
  start_next(now, out);
}

void Gatherer::add_source(const Server& server, size_t server_index, const SocketAddress& base, uint16_t stream) {
  if (server.url.kind == ServerKind::kStun && options_.only_relayed) return;
  if (stream == 0 && base.ip.is_v4() != server.address.ip.is_v4()) return;
  if (sources_.size() == kMaxSources || is_closing_) return;
  auto source = std::make_unique<Source>();
  source->server = server;
  source->server_index = server_index;
  source->base = base;
  source->stream = stream;
  sources_.push_back(std::move(source));
}

void Gatherer::start_next(Now now, Output& out) {
  was_gathering_ |= is_gathering();
  if (now.mono < next_start_at_) return;
  const auto waits = [](const auto& source) { return source->state == State::kWaiting; };
  const auto next = std::find_if(sources_.begin(), sources_.end(), waits);
  if (next == sources_.end()) return;
  next_start_at_ = now.mono + kGatheringPace;
  start(now, **next, out);
}

void Gatherer::start(Now now, Source& source, Output& out) {
  source.state = State::kRunning;
  const Transport transport = source.stream == 0 ? Transport::kUdp : Transport::kTcp;
  const Path path{source.server.address, source.base.ip, transport, source.stream};
  if (source.server.url.kind == ServerKind::kStun) {
    if (source.stun == nullptr) source.stun = std::make_unique<StunClient>(source.server.url, path, rng_);
    source.stun->ask(now, out.datagrams);
    return;
  }
  if (source.turn != nullptr) add_counters(kCounterNames, source.past, source.turn->counters());
  source.has_new_credentials = false;
  source.turn = std::make_unique<TurnClient>(
      TurnConfig{source.server.url, path, source.server.username, source.server.credential, options_.wants_v6}, rng_);
  if (source.stream != 0) {
    out.events.push_back(StreamWanted{source.stream, source.server.url, source.server.address});
    return;
  }
  TurnOutput turn_out = turn_output(out);
  source.turn->start(now, turn_out);
  after_turn(source, out);
}

void Gatherer::add_candidate(Candidate candidate, Output& out) {
  // RFC 8445 5.1.3: without a NAT a reflexive address is the host's own; two servers see one mapping.
  const auto is_same = [&](const Candidate& known) {
    return known.address == candidate.address && ice::base_of(known) == ice::base_of(candidate);
  };
  if (std::any_of(candidates_.begin(), candidates_.end(), is_same)) return;
  candidates_.push_back(candidate);
  out.events.push_back(CandidateFound{std::move(candidate)});
}

void Gatherer::add_reflexive(const Source& source, const SocketAddress& mapped, Output& out) {
  const auto is_reflexive = [](const Candidate& known) { return known.type == CandidateType::kServerReflexive; };
  if (std::count_if(candidates_.begin(), candidates_.end(), is_reflexive) == kMaxReflexive) return;
  Candidate candidate;
  candidate.type = CandidateType::kServerReflexive;
  candidate.foundation = foundation_of(candidate.type, source.base.ip, source.server);
  candidate.priority = ice::candidate_priority(
      candidate.type, local_preference(host_index(source.base), source.server_index, Protocol::kUdp), 1);
  candidate.address = mapped;
  candidate.related = source.base;  // RFC 8839 5.1: its base
  add_candidate(std::move(candidate), out);
}

void Gatherer::on_relayed(Source& source, const Allocated& allocated, Output& out) {
  // Nobody could tell whose datagrams are whose then. A server that is right gives each allocation its own.
  if (find_relayed(allocated.relayed.ip, allocated.relayed.port) != nullptr) {
    source.turn->stop();
    return on_failed(source, {0, to_text(source.server.url) + " relays an address that is taken"}, out);
  }
  source.state = State::kAnswered;
  source.relayed = allocated.relayed;
  if (source.stream == 0 && !options_.only_relayed) add_reflexive(source, allocated.mapped, out);
  Candidate candidate;
  candidate.type = CandidateType::kRelayed;
  candidate.foundation = foundation_of(candidate.type, allocated.relayed.ip, source.server);
  const size_t host = source.stream == 0 ? host_index(source.base) : 0;
  candidate.priority = ice::candidate_priority(
      candidate.type, local_preference(host, source.server_index, source.server.url.protocol), 1);
  candidate.address = allocated.relayed;
  // RFC 8839 5.1: the mapped address; one that is to be hidden is left out (RFC 8828 5.2).
  const IpAddress any = allocated.relayed.ip.is_v4() ? IpAddress::v4(0, 0, 0, 0) : IpAddress{};
  candidate.related = options_.only_relayed ? SocketAddress{any, 0} : allocated.mapped;
  add_candidate(std::move(candidate), out);
}

void Gatherer::lose_candidates(const std::string& why, Output& out, auto is_lost) {
  std::erase_if(candidates_, [&](const Candidate& candidate) {
    if (!is_lost(candidate)) return false;
    out.events.push_back(CandidateLost{candidate, why});
    return true;
  });
}

void Gatherer::on_failed(Source& source, const Failed& failed, Output& out) {
  const bool are_refused = failed.code == kUnauthenticated || failed.code == kWrongCredentials;
  // What the server refuses are the old ones.
  const bool tries_again = are_refused && source.has_new_credentials && !is_closing_;
  source.state = tries_again ? State::kWaiting : State::kFailed;
  if (!tries_again) out.events.push_back(ServerFailed{source.server.url, failed.code, failed.why});
  if (!source.relayed) return;
  const SocketAddress address = *source.relayed;
  source.relayed.reset();
  lose_candidates(failed.why, out, [&](const Candidate& candidate) {
    return candidate.type == CandidateType::kRelayed && candidate.address == address;
  });
}

void Gatherer::after_stun(Source& source, Output& out) {
  if (source.stun->mapped()) {
    source.state = State::kAnswered;
    add_reflexive(source, *source.stun->mapped(), out);
  } else if (!source.stun->failure().empty() && source.state != State::kFailed) {
    source.state = State::kFailed;
    out.events.push_back(ServerFailed{source.server.url, 0, source.stun->failure()});
  }
  tell_when_done(out);
}

void Gatherer::after_turn(Source& source, Output& out) {
  for (const TurnEvent& event : turn_events_) {
    if (const auto* allocated = std::get_if<Allocated>(&event)) on_relayed(source, *allocated, out);
    if (const auto* failed = std::get_if<Failed>(&event)) on_failed(source, *failed, out);
    if (const auto* refused = std::get_if<PeerRefused>(&event)) out.events.push_back(*refused);
  }
  turn_events_.clear();
  if (source.turn->is_ended() && source.state != State::kWaiting) source.state = State::kFailed;
  if (source.turn->is_ended() && source.stream != 0) out.events.push_back(StreamUnwanted{source.stream});
  tell_when_done(out);
}

void Gatherer::tell_when_done(Output& out) {
  const bool is = is_gathering();
  if (was_gathering_ && !is && !is_closing_) out.events.push_back(GatheringDone{});
  was_gathering_ = is;
}

void Gatherer::remove_host(Now now, const SocketAddress& address, Output& out) {
  const size_t index = host_index(address);
  if (index == hosts_.size()) return;
  // The places of the others stay as they are: their candidates have been told.
  hosts_[index] = {};
  std::vector<SocketAddress> relayed;
  std::erase_if(sources_, [&](const auto& source) {
    if (source->stream != 0 || source->base != address) return false;
    if (source->relayed) relayed.push_back(*source->relayed);
    add_counters(kCounterNames, past_, source->past);
    if (source->turn != nullptr) add_counters(kCounterNames, past_, source->turn->counters());
    if (source->stun != nullptr) add_counters(kCounterNames, past_, source->stun->counters());
    return true;
  });
  lose_candidates("", out, [&](const Candidate& candidate) {
    switch (candidate.type) {
      case CandidateType::kHost:
        return candidate.address == address;
      case CandidateType::kRelayed:
        return std::find(relayed.begin(), relayed.end(), candidate.address) != relayed.end();
      default:
        return candidate.related == address;
    }
  });
  start_next(now, out);
  tell_when_done(out);
}

void Gatherer::set_credentials(Now now, const ServerUrl& url, const std::string& username,
                               const std::string& credential, Output& out) {
  if (is_closing_) return;
  const auto renew = [&](Server& server) {
    if (!(server.url == url) || (server.username == username && server.credential == credential)) return false;
    server.username = username;
    server.credential = credential;
    return true;
  };
  for (Server& server : servers_) renew(server);
  for (const auto& source : sources_) {
    if (!renew(source->server)) continue;
    source->has_new_credentials = true;
    if (source->state == State::kFailed) source->state = State::kWaiting;
  }
  start_next(now, out);
}

void Gatherer::regather(Now now, Output& out) {
  if (is_closing_) return;
  for (const auto& source : sources_) {
    if (source->stun != nullptr || source->state == State::kFailed) source->state = State::kWaiting;
  }
  start_next(now, out);
}

void Gatherer::close(Now now, Output& out) {
  is_closing_ = true;
  for (const auto& source : sources_) {
    if (source->turn == nullptr) continue;
    TurnOutput turn_out = turn_output(out);
    source->turn->close(now, turn_out);
    after_turn(*source, out);
  }
}

bool Gatherer::is_closed() const {
  return is_closing_ && std::all_of(sources_.begin(), sources_.end(), [](const auto& source) {
           return source->turn == nullptr || source->turn->is_ended();
         });
}

bool Gatherer::on_datagram(Now now, const Datagram& datagram, Output& out) {
  for (const auto& source : sources_) {
    if (source->stream != 0) continue;
    if (source->stun != nullptr && source->stun->on_datagram(now, datagram, out.datagrams)) {
      after_stun(*source, out);
      return true;
    }
    if (source->turn == nullptr) continue;
    TurnOutput turn_out = turn_output(out);
    if (!source->turn->on_datagram(now, datagram, turn_out)) continue;
    if (!turn_events_.empty() || source->turn->is_ended()) after_turn(*source, out);
    return true;
  }
  return false;
}

Gatherer::Source* Gatherer::find_stream(uint16_t stream) {
  const auto at = std::find_if(sources_.begin(), sources_.end(),
                               [&](const auto& source) { return source->stream == stream && source->turn != nullptr; });
  return stream == 0 || at == sources_.end() ? nullptr : at->get();
}

void Gatherer::on_stream_open(Now now, uint16_t stream, Output& out) {
  Source* source = find_stream(stream);
  if (source == nullptr) return;
  TurnOutput turn_out = turn_output(out);
  source->turn->start(now, turn_out);
  after_turn(*source, out);
}

void Gatherer::on_stream_bytes(Now now, uint16_t stream, MutByteView bytes, Output& out) {
  Source* source = find_stream(stream);
  if (source == nullptr) return;
  TurnOutput turn_out = turn_output(out);
  source->turn->on_stream_bytes(now, bytes, turn_out);
  if (!turn_events_.empty() || source->turn->is_ended()) after_turn(*source, out);
}

void Gatherer::on_stream_closed(Now, uint16_t stream, const std::string& why, Output& out) {
  Source* source = find_stream(stream);
  if (source == nullptr || source->turn->is_ended()) return;
  TurnOutput turn_out = turn_output(out);
  source->turn->on_stream_closed(why, turn_out);
  after_turn(*source, out);
}

std::optional<Protocol> Gatherer::relay_protocol(const Path& path) const {
  const Source* source = path.local_port == 0 ? nullptr : find_relayed(path.local, path.local_port);
  return source == nullptr ? std::nullopt : std::optional(source->server.url.protocol);
}

Gatherer::Source* Gatherer::find_relayed(const IpAddress& ip, uint16_t port) const {
  for (const auto& source : sources_) {
    if (source->relayed && source->relayed->port == port && source->relayed->ip == ip) return source.get();
  }
  return nullptr;
}

void Gatherer::route(Now now, const SendBatch& from_peer, Output& out) {
  for (const SendBatch::Entry& entry : from_peer.entries()) {
    const ByteView bytes = from_peer.bytes(entry);
    if (entry.path.local_port == 0) {
      out.datagrams.append(entry.path, bytes);
      continue;
    }
    Source* source = find_relayed(entry.path.local, entry.path.local_port);
    if (source == nullptr) {
      ++past_.dropped_idle;
      continue;
    }
    TurnOutput turn_out = turn_output(out);
    source->turn->wrap(now, entry.path.remote, bytes, turn_out);
  }
}

void Gatherer::on_timeout(Now now, Output& out) {
  for (const auto& source : sources_) {
    if (source->stun != nullptr && source->stun->next_timeout() <= now.mono) {
      source->stun->on_timeout(now, out.datagrams);
      after_stun(*source, out);
    }
    if (source->turn != nullptr && source->turn->next_timeout() <= now.mono) {
      TurnOutput turn_out = turn_output(out);
      source->turn->on_timeout(now, turn_out);
      if (!turn_events_.empty() || source->turn->is_ended()) after_turn(*source, out);
    }
  }
  if (!is_closing_) start_next(now, out);
}

Instant Gatherer::next_timeout() const {
  Instant out = kNever;
  for (const auto& source : sources_) {
    if (source->state == State::kWaiting && !is_closing_) out = std::min(out, next_start_at_);
    if (source->stun != nullptr && !is_closing_) out = std::min(out, source->stun->next_timeout());
    if (source->turn != nullptr) out = std::min(out, source->turn->next_timeout());
  }
  return out;
}

bool Gatherer::is_gathering() const {
  return std::any_of(sources_.begin(), sources_.end(), [](const auto& source) {
    return source->state == State::kWaiting || source->state == State::kRunning;
  });
}

Counters Gatherer::counters() const {
  Counters out = past_;
  for (const auto& source : sources_) {
    add_counters(kCounterNames, out, source->past);
    if (source->stun != nullptr) add_counters(kCounterNames, out, source->stun->counters());
    if (source->turn != nullptr) add_counters(kCounterNames, out, source->turn->counters());
  }
  return out;
}

}  // namespace atm::turn

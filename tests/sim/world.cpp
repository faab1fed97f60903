#include "world.h"

#include <algorithm>
#include <cstdlib>

#include "base/assert.h"
#include "gtest/gtest.h"

namespace atm0s::sim {

namespace {
// From one thread to another: a wake and a turn of its loop.
constexpr Duration kRelayDelay = 50us;
}  // namespace

size_t World::default_workers() {
  const char* workers = std::getenv("ATM0S_SIM_WORKERS");
  return workers == nullptr ? 1 : std::strtoul(workers, nullptr, 10);
}

World::World(uint64_t seed, LinkConfig link, size_t workers)
    : rng_(seed),
      openssl_rng_(seed ^ 0x55),
      openssl_(openssl_rng_),
      seed_(seed),
      link_config_(link),
      relay_rng_(seed ^ 0x77) {
  set_time(Instant{10s});
  start_ = now_.mono;
  for (size_t i = 0; i < workers; ++i) {
    const SocketAddress address{IpAddress::v4(192, 0, 2, 1), static_cast<uint16_t>(20'000 + i)};
    node::Config config;
    config.index = i;
    config.worker_count = workers;
    config.addresses = config.local_addresses = {address};
    hosts_.push_back({address, std::make_unique<node::Worker>(config, now_, rng_)});
  }
}

World::~World() {
  const Ledger::Totals totals = close_books();
  if (totals.unaccounted == 0) return;
  std::string what;
  for (const std::string& error : ledger_.errors()) what += "\n  " + error;
  ADD_FAILURE() << "the books do not close, seed " << seed_ << ": of " << totals.sum() << " packets "
                << totals.unaccounted << " are unaccounted for" << what;
}

Ledger::Totals World::close_books() {
  for (const auto& [at, datagram] : in_flight_) {
    ledger_.on_link(datagram.client, datagram.is_uplink, datagram.bytes, Ledger::Fate::kUnderWay);
  }
  return ledger_.close(relay_has_lost_);
}

void World::set_time(Instant t) {
  now_ = {t, WallTime{1'790'000'000s + t.time_since_epoch()}};
  dtls::VirtualOpenssl::set_time(now_);
}

Client& World::add_client(ClientConfig config) {
  const auto number = static_cast<uint32_t>(clients_.size() + 1);
  const SocketAddress address{IpAddress::v4(198, 51, 100, static_cast<uint8_t>(number)), 40'000};
  clients_.push_back(std::make_unique<Client>(number, std::move(config), address, now_, rng_, &ledger_));
  by_address_[address] = clients_.back().get();
  links_[number] = {std::make_unique<Link>(link_config_, seed_ * 1'000 + number * 2),
                    std::make_unique<Link>(link_config_, seed_ * 1'000 + number * 2 + 1)};
  return *clients_.back();
}

contract::Reply World::command(contract::Command command, size_t i) {
  node::Worker& worker = *hosts_[i].worker;
  worker.on_command(now_, std::move(command), server_out_);
  pump(worker);
  ASSERT(!worker.replies().empty());
  contract::Reply reply = std::move(worker.replies().front());
  worker.replies().clear();
  return reply;
}

bool World::connect(Client& client) {
  contract::Reply reply = command({0, contract::Connect{client.connect_request()}}, worker_of(client));
  if (auto* error = std::get_if<Error>(&reply.body)) {
    error_ = std::move(*error);
    return false;
  }
  client.set_conn_id(std::get<contract::ConnectDone>(reply.body).conn_id);
  const bool accepted = client.accept(now_, std::get<contract::ConnectDone>(reply.body).sdp, client_out_);
  dispatch_from_client(client);
  return accepted;
}

uint64_t World::request(Client& client, contract::RpcBody body) {
  const uint64_t req_id = client.request(now_, std::move(body), client_out_);
  dispatch_from_client(client);
  return req_id;
}

uint64_t World::update_sdp(Client& client) {
  const uint64_t req_id = client.update_sdp(now_, client_out_);
  dispatch_from_client(client);
  return req_id;
}

bool World::restart_ice(Client& client, int times) {
  client.restart_ice(now_);
  const std::string offer = client.make_offer();
  contract::Reply reply;
  for (int i = 0; i < times; ++i)
    reply = command({0, contract::IceRestart{client.conn_id(), offer}}, worker_of(client));
  const auto* done = std::get_if<contract::ConnectDone>(&reply.body);
  if (done == nullptr || !client.accept(now_, done->sdp, client_out_)) return false;
  dispatch_from_client(client);
  return true;
}  // namespace atm0s::sim

void World::send_raw(Client& client, const std::string& message, bool is_text) {
  client.send_raw(now_, message, is_text, client_out_);
  dispatch_from_client(client);
}

void World::open_another_channel(Client& client) {
  client.open_another_channel(now_, client_out_);
  dispatch_from_client(client);
}

void World::inject(const SocketAddress& from, Bytes bytes, size_t i) {
  Datagram datagram{{from, hosts_[i].address.ip}, now_.mono, bytes};
  hosts_[i].worker->on_datagrams(now_, {&datagram, 1}, server_out_);
  pump(*hosts_[i].worker);
}

uint64_t World::view(Client& client, const std::string& receiver, const std::string& peer, const std::string& stream) {
  const uint64_t req_id = client.view(now_, receiver, peer, stream, client_out_);
  dispatch_from_client(client);
  return req_id;
}

bool World::run(Instant deadline, const std::function<bool()>& until) {
  while (!until || !until()) {
    const Instant next = next_event();
    if (next > deadline) {
      set_time(deadline);
      return until ? until() : true;
    }
    set_time(std::max(next, now_.mono));
    step();
  }
  return true;
}

Instant World::next_event() const {
  Instant next = in_flight_.empty() ? kNever : in_flight_.begin()->first.first;
  if (!relay_.empty()) next = std::min(next, relay_.begin()->first);
  for (const Host& host : hosts_) next = std::min(next, host.worker->next_timeout());
  for (const auto& client : clients_) next = std::min(next, client->next_timeout());
  return next;
}

void World::step() {
  deliver_due();
  deliver_relayed();
  for (const Host& host : hosts_) {
    if (host.worker->next_timeout() > now_.mono) continue;
    host.worker->on_timeout(now_, server_out_);
    pump(*host.worker);
  }
  for (const auto& client : clients_) {
    if (client->next_timeout() > now_.mono) continue;
    client->on_timeout(now_, client_out_);
    dispatch_from_client(*client);
  }
}

void World::deliver_due() {
  // Datagrams that arrive in one instant reach a worker as one burst.
  std::map<Host*, std::vector<InFlight>> to_server;
  while (!in_flight_.empty() && in_flight_.begin()->first.first <= now_.mono) {
    InFlight datagram = std::move(in_flight_.begin()->second);
    in_flight_.erase(in_flight_.begin());
    trace(datagram);
    ++delivered_;
    if (Host* host = find_host(datagram.to)) {
      ledger_.on_link(datagram.client, datagram.is_uplink, datagram.bytes, Ledger::Fate::kCarried);
      to_server[host].push_back(std::move(datagram));
      continue;
    }
    const auto client = by_address_.find(datagram.to);
    if (client == by_address_.end()) continue;
    ledger_.on_link(datagram.client, datagram.is_uplink, datagram.bytes,
                    client->second->is_silent() ? Ledger::Fate::kLost : Ledger::Fate::kCarried);
    client->second->on_datagram(now_, {datagram.path, now_.mono, datagram.bytes}, client_out_);
    dispatch_from_client(*client->second);
  }
  for (auto& [host, datagrams] : to_server) {
    std::vector<Datagram> burst;
    for (InFlight& datagram : datagrams) burst.push_back({datagram.path, now_.mono, datagram.bytes});
    host->worker->on_datagrams(now_, burst, server_out_);
    pump(*host->worker);
  }
}

// As the loop of the server: the slow lane is worked off, output goes on its way.
void World::pump(node::Worker& worker) {
  while (worker.has_slow_work()) worker.do_slow_step(now_, server_out_);
  dispatch_from_server();
  for (room::RelayMessage& message : worker.relayed()) {
    ++relayed_;
    if (relay_loss_ > 0 && relay_rng_.below(1'000'000) < relay_loss_ * 1'000'000) continue;
    relay_.emplace(now_.mono + kRelayDelay, std::move(message));
  }
  worker.relayed().clear();
}

void World::deliver_relayed() {
  while (!relay_.empty() && relay_.begin()->first <= now_.mono) {
    room::RelayMessage message = std::move(relay_.begin()->second);
    relay_.erase(relay_.begin());
    node::Worker& worker = *hosts_[static_cast<size_t>(message.to)].worker;
    worker.on_relay(now_, std::move(message), server_out_);
    pump(worker);
  }
}

World::Host* World::find_host(const SocketAddress& address) {
  for (Host& host : hosts_) {
    if (host.address == address) return &host;
  }
  return nullptr;
}

void World::dispatch_from_client(Client& client) {
  if (!client.is_silent()) {
    for (const auto& entry : client_out_.entries()) {
      if (watch) watch(client, client_out_.bytes(entry));
      const Host* host = find_host(entry.path.remote);
      if (host == nullptr) continue;
      put_on_link(client, true, {client.address(), host->address.ip}, host->address, client_out_.bytes(entry));
    }
  }
  client_out_.clear();
}

void World::dispatch_from_server() {
  for (const auto& entry : server_out_.entries()) {
    const auto client = by_address_.find(entry.path.remote);
    if (client == by_address_.end()) continue;
    const SocketAddress& from = hosts_[worker_of(*client->second)].address;
    put_on_link(*client->second, false, {from, client->first.ip}, client->first, server_out_.bytes(entry));
  }
  server_out_.clear();
}

void World::put_on_link(const Client& client, bool is_uplink, const Path& path_at_receiver, const SocketAddress& to,
                        ByteView bytes) {
  Link& link = is_uplink ? uplink(client) : downlink(client);
  for (int copies = link.duplicates() ? 2 : 1; copies > 0; --copies) {
    const auto arrival = link.carry(now_.mono);
    if (!arrival) {
      ledger_.on_link(client.number(), is_uplink, bytes, Ledger::Fate::kLost);
      continue;
    }
    in_flight_[{*arrival, order_++}] = {path_at_receiver, to, client.number(), is_uplink,
                                        Bytes(bytes.begin(), bytes.end())};
  }
}

// FNV-1a over what arrives: when, where, and every byte.
void World::trace(const InFlight& datagram) {
  const auto mix = [this](ByteView bytes) {
    for (const uint8_t b : bytes) trace_hash_ = (trace_hash_ ^ b) * 0x100000001b3;
  };
  const int64_t at = (now_.mono - start_).count();
  mix({reinterpret_cast<const uint8_t*>(&at), sizeof at});
  mix(as_bytes(datagram.to.to_string()));
  mix(datagram.bytes);
}

size_t World::drain(Duration patience) {
  for (const Host& host : hosts_) {
    host.worker->on_command(now_, {9, contract::Drain{}}, server_out_);
    pump(*host.worker);
  }
  run_for(patience);
  size_t drained = 0;
  for (const Host& host : hosts_) {
    for (const contract::Reply& reply : host.worker->replies()) drained += reply.ticket == 9;
    host.worker->replies().clear();
  }
  return drained;
}

size_t World::room_count() const {
  size_t sum = 0;
  for (const Host& host : hosts_) sum += host.worker->room_count();
  return sum;
}

size_t World::session_count() const {
  size_t sum = 0;
  for (const Host& host : hosts_) sum += host.worker->session_count();
  return sum;
}

double World::metric(const std::string& name) {
  double sum = 0;
  for (size_t i = 0; i < hosts_.size(); ++i) {
    const contract::Reply reply = command({0, contract::ReadStats{}}, i);
    for (const auto& value : std::get<contract::Stats>(reply.body).values) {
      if (name == value.name) sum += value.value;
    }
  }
  return sum;
}

uint64_t World::datagrams_lost() const {
  uint64_t lost = 0;
  for (const auto& [number, links] : links_) lost += links.up->lost() + links.down->lost();
  return lost;
}

}  // namespace atm0s::sim

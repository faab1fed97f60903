#include "world.h"

#include <algorithm>

#include "base/assert.h"

namespace atm0s::sim {

World::World(uint64_t seed, LinkConfig link)
    : rng_(seed), openssl_rng_(seed ^ 0x55), openssl_(openssl_rng_), seed_(seed), link_config_(link) {
  set_time(Instant{10s});
  start_ = now_.mono;
  server_address_ = {IpAddress::v4(192, 0, 2, 1), 20'000};
  node::Config config;
  config.addresses = {server_address_};
  config.local_addresses = {server_address_};
  worker_ = std::make_unique<node::Worker>(config, now_, rng_);
}

void World::set_time(Instant t) {
  now_ = {t, WallTime{1'790'000'000s + t.time_since_epoch()}};
  dtls::VirtualOpenssl::set_time(now_);
}

Client& World::add_client(ClientConfig config) {
  const auto number = static_cast<uint32_t>(clients_.size() + 1);
  const SocketAddress address{IpAddress::v4(198, 51, 100, static_cast<uint8_t>(number)), 40'000};
  clients_.push_back(std::make_unique<Client>(number, std::move(config), address, now_, rng_));
  by_address_[address] = clients_.back().get();
  links_[number] = {std::make_unique<Link>(link_config_, seed_ * 1'000 + number * 2),
                    std::make_unique<Link>(link_config_, seed_ * 1'000 + number * 2 + 1)};
  return *clients_.back();
}

contract::Reply World::command(contract::Command command) {
  worker_->on_command(now_, std::move(command), server_out_);
  dispatch_from_server();
  ASSERT(!worker_->replies().empty());
  contract::Reply reply = std::move(worker_->replies().front());
  worker_->replies().clear();
  return reply;
}

bool World::connect(Client& client) {
  contract::Reply reply = command({0, contract::Connect{client.connect_request()}});
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
  for (int i = 0; i < times; ++i) reply = command({0, contract::IceRestart{client.conn_id(), offer}});
  const auto* done = std::get_if<contract::ConnectDone>(&reply.body);
  if (done == nullptr || !client.accept(now_, done->sdp, client_out_)) return false;
  dispatch_from_client(client);
  return true;
}

void World::send_raw(Client& client, const std::string& message, bool is_text) {
  client.send_raw(now_, message, is_text, client_out_);
  dispatch_from_client(client);
}

void World::open_another_channel(Client& client) {
  client.open_another_channel(now_, client_out_);
  dispatch_from_client(client);
}

void World::inject(const SocketAddress& from, Bytes bytes) {
  Datagram datagram{{from, server_address_.ip}, now_.mono, bytes};
  worker_->on_datagrams(now_, {&datagram, 1}, server_out_);
  dispatch_from_server();
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
  next = std::min(next, worker_->next_timeout());
  for (const auto& client : clients_) next = std::min(next, client->next_timeout());
  return next;
}

void World::step() {
  deliver_due();
  if (worker_->next_timeout() <= now_.mono) {
    worker_->on_timeout(now_, server_out_);
    dispatch_from_server();
  }
  for (const auto& client : clients_) {
    if (client->next_timeout() > now_.mono) continue;
    client->on_timeout(now_, client_out_);
    dispatch_from_client(*client);
  }
}

void World::deliver_due() {
  // Datagrams that arrive in one instant reach the worker as one burst.
  std::vector<InFlight> to_server;
  while (!in_flight_.empty() && in_flight_.begin()->first.first <= now_.mono) {
    InFlight datagram = std::move(in_flight_.begin()->second);
    in_flight_.erase(in_flight_.begin());
    trace(datagram);
    ++delivered_;
    if (datagram.to == server_address_) {
      to_server.push_back(std::move(datagram));
      continue;
    }
    const auto client = by_address_.find(datagram.to);
    if (client == by_address_.end()) continue;
    client->second->on_datagram(now_, {datagram.path, now_.mono, datagram.bytes}, client_out_);
    dispatch_from_client(*client->second);
  }
  if (to_server.empty()) return;
  std::vector<Datagram> burst;
  for (InFlight& datagram : to_server) burst.push_back({datagram.path, now_.mono, datagram.bytes});
  worker_->on_datagrams(now_, burst, server_out_);
  dispatch_from_server();
}

void World::dispatch_from_client(Client& client) {
  if (!client.is_silent()) {
    for (const auto& entry : client_out_.entries()) {
      if (watch) watch(client, client_out_.bytes(entry));
      if (entry.path.remote != server_address_) continue;
      put_on_link(uplink(client), {client.address(), server_address_.ip}, server_address_, client_out_.bytes(entry));
    }
  }
  client_out_.clear();
}

void World::dispatch_from_server() {
  for (const auto& entry : server_out_.entries()) {
    const auto client = by_address_.find(entry.path.remote);
    if (client == by_address_.end()) continue;
    put_on_link(downlink(*client->second), {server_address_, client->first.ip}, client->first,
                server_out_.bytes(entry));
  }
  server_out_.clear();
}

void World::put_on_link(Link& link, const Path& path_at_receiver, const SocketAddress& to, ByteView bytes) {
  for (int copies = link.duplicates() ? 2 : 1; copies > 0; --copies) {
    const auto arrival = link.carry(now_.mono);
    if (arrival) in_flight_[{*arrival, order_++}] = {path_at_receiver, to, Bytes(bytes.begin(), bytes.end())};
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

double World::metric(const std::string& name) {
  const contract::Reply reply = command({0, contract::ReadStats{}});
  double sum = 0;
  for (const auto& value : std::get<contract::Stats>(reply.body).values) {
    if (name == value.name) sum += value.value;
  }
  return sum;
}

uint64_t World::datagrams_lost() const {
  uint64_t lost = 0;
  for (const auto& [number, links] : links_) lost += links.up->lost() + links.down->lost();
  return lost;
}

}  // namespace atm0s::sim

// The half of World that takes datagrams and relayed messages along: links, NATs, and what is between two workers.
#include <algorithm>

#include "wire/rtp/packet.h"
#include "world.h"

namespace atm::sim {

namespace {
// From one thread to another: a wake and a turn of its loop.
constexpr Duration kRelayDelay = 50us;

bool is_media(ByteView datagram) {
  const auto kind = rtp::classify(datagram);
  return kind == rtp::PacketClass::kRtp || kind == rtp::PacketClass::kRtcp;
}
}  // namespace

void World::rebind(Client& client, bool same_address) {
  Nat& nat = *nats_.at(client.number());
  auto ip = nat.outer().bytes();
  if (!same_address) ++ip[14];
  nat.rebind(IpAddress::v6(ip));
  events_.add(elapsed(), client.config().peer, same_address ? "has other ports" : "has another address");
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
      // Media from an address that the server has not been told of yet goes nowhere.
      const bool is_heard = !unknown_.contains(datagram.client);
      ledger_.on_link(datagram.client, datagram.is_uplink, datagram.bytes,
                      is_heard ? Ledger::Fate::kCarried : Ledger::Fate::kLost);
      to_server[host].push_back(std::move(datagram));
      continue;
    }
    if (Client* client = find_client(datagram.to)) deliver_to_client(*client, datagram);
  }
  for (auto& [host, datagrams] : to_server) {
    std::vector<Datagram> burst;
    for (InFlight& datagram : datagrams) burst.push_back({datagram.path, now_.mono, datagram.bytes});
    const bool has_media_alone =
        std::all_of(datagrams.begin(), datagrams.end(), [](const InFlight& d) { return is_media(d.bytes); });
    {
      const Inside inside(has_media_alone ? InWorker::kMedia : InWorker::kControl);
      host->worker->on_datagrams(now_, burst, server_out_);
    }
    pump(*host);
  }
}

void World::deliver_to_client(Client& client, const InFlight& datagram) {
  const auto nat = nats_.find(client.number());
  const bool is_let_in =
      nat == nats_.end() || nat->second->in(now_.mono, datagram.to, datagram.path.remote).has_value();
  const bool arrives = is_let_in && !client.is_silent();
  ledger_.on_link(datagram.client, datagram.is_uplink, datagram.bytes,
                  arrives ? Ledger::Fate::kCarried : Ledger::Fate::kLost);
  if (!arrives) return;
  Bytes bytes = datagram.bytes;  // decrypted in place
  const uint64_t refused = client.media_refused();
  client.on_datagram(now_, {{datagram.path.remote, client.address().ip}, now_.mono, bytes}, client_out_);
  // It overtook the answer that names its m-line.
  if (client.media_refused() != refused) {
    ledger_.on_link(datagram.client, datagram.is_uplink, datagram.bytes, Ledger::Fate::kLost);
  }
  dispatch_from_client(client);
  observe(client);
}

// As the loop of the server: the slow lane is worked off, output goes on its way.
void World::pump(Host& host) {
  node::Worker& worker = *host.worker;
  {
    const Inside inside(InWorker::kControl);
    while (worker.has_slow_work()) worker.do_slow_step(now_, server_out_);
  }
  answer_questions(host);
  dispatch_from_server();
  if (worker.relayed().empty()) return;
  for (room::RelayMessage& message : worker.relayed()) {
    ++relayed_;
    if (relay_loss_ > 0 && relay_rng_.below(1'000'000) < relay_loss_ * 1'000'000) continue;
    relay_.emplace(now_.mono + kRelayDelay, std::move(message));
  }
  worker.relayed().clear();
  const Inside inside(InWorker::kMedia);
  for (room::RelayMessage& message : host.given_back) worker.give_back(std::move(message));
  host.given_back.clear();
}

// As the control thread, at once.
void World::answer_questions(Host& host) {
  const auto is_question = [](const contract::Reply& reply) {
    return std::holds_alternative<contract::TokenQuestion>(reply.body);
  };
  std::vector<contract::Reply>& replies = host.worker->replies();
  for (auto it = replies.begin(); (it = std::find_if(it, replies.end(), is_question)) != replies.end();) {
    const auto question = std::get<contract::TokenQuestion>(std::move(it->body));
    it = replies.erase(it);
    if (!judge) continue;
    const Inside inside(InWorker::kControl);
    host.worker->on_command(now_, {0, contract::TokenVerdict{question.conn_id, question.req_id, judge(question)}},
                            server_out_);
  }
}

void World::deliver_relayed() {
  while (!relay_.empty() && relay_.begin()->first <= now_.mono) {
    room::RelayMessage message = std::move(relay_.begin()->second);
    relay_.erase(relay_.begin());
    Host& host = hosts_[static_cast<size_t>(message.to)];
    {
      const Inside inside(room::has_packets(message) ? InWorker::kMedia : InWorker::kControl);
      host.worker->on_relay(now_, message, server_out_);
    }
    if (room::has_packets(message)) hosts_[static_cast<size_t>(message.from)].given_back.push_back(std::move(message));
    pump(host);
  }
}

World::Host* World::find_host(const SocketAddress& address) {
  for (Host& host : hosts_) {
    if (host.address == address) return &host;
  }
  return nullptr;
}

Client* World::find_client(const SocketAddress& address) {
  if (const auto client = by_address_.find(address); client != by_address_.end()) return client->second;
  for (const auto& [number, nat] : nats_) {
    if (nat->owns(address.ip)) return clients_[number - 1].get();
  }
  return nullptr;
}

void World::dispatch_from_client(Client& client) {
  if (!client.is_silent()) {
    for (const auto& entry : client_out_.entries()) {
      if (watch) watch(client, client_out_.bytes(entry));
      const Host* host = find_host(entry.path.remote);
      if (host == nullptr) continue;
      SocketAddress from = client.address();
      if (const auto nat = nats_.find(client.number()); nat != nats_.end()) {
        const uint64_t mappings = nat->second->mappings_made();
        from = nat->second->out(now_.mono, from, host->address);
        if (nat->second->mappings_made() != mappings) unknown_.insert(client.number());
      }
      put_on_link(client, true, {from, host->address.ip}, host->address, client_out_.bytes(entry));
    }
  }
  client_out_.clear();
}

void World::dispatch_from_server() {
  for (const auto& entry : server_out_.entries()) {
    Client* client = find_client(entry.path.remote);
    if (client == nullptr) continue;
    if (unknown_.contains(client->number()) && nats_.at(client->number())->maps(entry.path.remote)) {
      unknown_.erase(client->number());
    }
    const SocketAddress& from = hosts_[worker_of(*client)].address;
    put_on_link(*client, false, {from, entry.path.remote.ip}, entry.path.remote, server_out_.bytes(entry));
  }
  server_out_.clear();
}

void World::put_on_link(const Client& client, bool is_uplink, const Path& path_at_receiver, const SocketAddress& to,
                        ByteView bytes) {
  Link& link = is_uplink ? uplink(client) : downlink(client);
  for (int copies = link.duplicates() ? 2 : 1; copies > 0; --copies) {
    const auto arrival = link.carry(now_.mono, bytes.size());
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

}  // namespace atm::sim

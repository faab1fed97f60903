#include "world.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>

#include "base/assert.h"
#include "gtest/gtest.h"
#include "seeds.h"

namespace atm::sim {

namespace {
int failures_so_far() {
  const testing::TestInfo* test = testing::UnitTest::GetInstance()->current_test_info();
  int failures = 0;
  for (int i = 0; test != nullptr && i < test->result()->total_part_count(); ++i) {
    failures += test->result()->GetTestPartResult(i).failed();
  }
  return failures;
}
}  // namespace

size_t World::default_workers() {
  const char* workers = std::getenv("ATM0S_SIM_WORKERS");
  return workers == nullptr ? 1 : std::strtoul(workers, nullptr, 10);
}

World::World(uint64_t seed, LinkConfig link, size_t workers, room::Duplicates duplicates)
    : seed_(chosen_seed().value_or(seed)),
      rng_(seed_),
      openssl_rng_(seed_ ^ 0x55),
      openssl_(openssl_rng_),
      link_config_(link),
      relay_rng_(seed_ ^ 0x77),
      failures_before_(failures_so_far()) {
  set_time(Instant{10s});
  start_ = now_.mono;
  for (size_t i = 0; i < workers; ++i) {
    const SocketAddress address{IpAddress::v4(192, 0, 2, 1), static_cast<uint16_t>(20'000 + i)};
    node::Config config;
    config.index = i;
    config.worker_count = workers;
    config.duplicates = duplicates;
    config.addresses = config.local_addresses = {address};
    hosts_.push_back({address, std::make_unique<node::Worker>(config, now_, rng_), {}});
  }
}

World::~World() {
  const Ledger::Totals totals = close_books();
  if (totals.unaccounted != 0) {
    std::string what;
    for (const std::string& error : ledger_.errors()) what += "\n  " + error;
    ADD_FAILURE() << "the books do not close, seed " << seed_ << ": of " << totals.sum() << " packets "
                  << totals.unaccounted << " are unaccounted for" << what;
  }
  if (failures_so_far() > failures_before_) tell_how_to_replay();
}

void World::tell_how_to_replay() const {
  const testing::TestInfo* test = testing::UnitTest::GetInstance()->current_test_info();
  if (test == nullptr) return;
  const char* workers = std::getenv("ATM0S_SIM_WORKERS");
  const std::string setting = workers == nullptr ? "" : std::string("ATM0S_SIM_WORKERS=") + workers + ' ';
  std::printf("failed with seed %llu on %zu worker(s); again: %s./dev sim %llu %s.%s\n",
              static_cast<unsigned long long>(seed_), hosts_.size(), setting.c_str(),
              static_cast<unsigned long long>(seed_), test->test_suite_name(), test->name());
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

Client& World::add_client(ClientConfig config, std::optional<NatConfig> nat) {
  const auto number = static_cast<uint32_t>(clients_.size() + 1);
  const auto last = static_cast<uint8_t>(number);
  SocketAddress address{IpAddress::v4(198, 51, 100, last), 40'000};
  if (nat) {
    nats_[number] = std::make_unique<Nat>(*nat, address.ip);
    address.ip = IpAddress::v4(10, 0, 0, last);
  }
  clients_.push_back(std::make_unique<Client>(number, std::move(config), address, now_, rng_, &ledger_));
  by_address_[address] = clients_.back().get();
  links_[number] = {std::make_unique<Link>(link_config_, seed_ * 1'000 + number * 2),
                    std::make_unique<Link>(link_config_, seed_ * 1'000 + number * 2 + 1)};
  return *clients_.back();
}

contract::Reply World::command(contract::Command command, size_t i) {
  node::Worker& worker = *hosts_[i].worker;
  {
    const Inside inside(InWorker::kControl);
    worker.on_command(now_, std::move(command), server_out_);
  }
  pump(hosts_[i]);
  ASSERT(!worker.replies().empty());
  contract::Reply reply = std::move(worker.replies().front());
  worker.replies().clear();
  return reply;
}

Client& World::join(ClientConfig config) {
  Client& client = add_client(std::move(config));
  EXPECT_TRUE(connect(client)) << client.config().peer;
  EXPECT_TRUE(run_until([&] { return client.is_ready(); }, 10s)) << client.config().peer;
  return client;
}

bool World::connect(Client& client) {
  contract::Reply reply = command({0, contract::Connect{client.connect_request()}}, worker_of(client));
  if (auto* error = std::get_if<Error>(&reply.body)) {
    error_ = std::move(*error);
    events_.add(elapsed(), client.config().peer, "is refused");
    return false;
  }
  events_.add(elapsed(), client.config().peer, "joins");
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
  events_.add(elapsed(), client.config().peer, "restarts ICE");
  client.restart_ice(now_);
  const std::string offer = client.make_offer();
  contract::Reply reply;
  for (int i = 0; i < times; ++i)
    reply = command({0, contract::IceRestart{client.conn_id(), offer}}, worker_of(client));
  const auto* done = std::get_if<contract::ConnectDone>(&reply.body);
  if (done == nullptr || !client.accept(now_, done->sdp, client_out_)) return false;
  dispatch_from_client(client);
  return true;
}

bool World::accept(Client& client, const std::string& answer) {
  const bool accepted = client.accept(now_, answer, client_out_);
  dispatch_from_client(client);
  return accepted;
}

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
  {
    const Inside inside(InWorker::kControl);
    hosts_[i].worker->on_datagrams(now_, {&datagram, 1}, server_out_);
  }
  pump(hosts_[i]);
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
  for (Host& host : hosts_) {
    if (host.worker->next_timeout() > now_.mono) continue;
    {
      const Inside inside(InWorker::kTimer);
      host.worker->on_timeout(now_, server_out_);
    }
    pump(host);
  }
  for (const auto& client : clients_) {
    if (client->next_timeout() > now_.mono) continue;
    client->on_timeout(now_, client_out_);
    dispatch_from_client(*client);
  }
}

size_t World::drain(Duration patience) {
  for (Host& host : hosts_) {
    host.worker->on_command(now_, {9, contract::Drain{}}, server_out_);
    pump(host);
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

}  // namespace atm::sim

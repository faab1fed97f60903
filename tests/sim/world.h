// Virtual time around N simulated clients on M workers over lossy links. Everything that happens follows from the
// seed: the same seed gives the same datagrams at the same instants, and so the same trace hash.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/rng.h"
#include "client.h"
#include "core/dtls/virtual_openssl_test.h"
#include "event_trace.h"
#include "ledger.h"
#include "link.h"
#include "nat.h"
#include "node/worker.h"

namespace atm::sim {

// What a worker is at while World calls into it: so that a test can tell its allocations from those of the clients.
enum class InWorker : uint8_t {
  kNo,
  kMedia,    // a burst of RTP and RTCP alone, or relayed packets
  kControl,  // a burst with STUN or DTLS in it, commands, and other messages between workers
  kTimer
};
inline InWorker in_worker = InWorker::kNo;

struct Inside {
  explicit Inside(InWorker what) { in_worker = what; }
  ~Inside() { in_worker = InWorker::kNo; }
};

class World {
 public:
  // As many workers as ATM0S_SIM_WORKERS says, or one: every simulation has to hold with several.
  explicit World(uint64_t seed, LinkConfig link = {}) : World(seed, link, default_workers()) {}
  // ATM0S_SIM_SEED goes before `seed`.
  World(uint64_t seed, LinkConfig link, size_t workers, room::Duplicates duplicates = room::Duplicates::kReplace);
  // Closes the books: a packet that the server has lost in silence fails the test. A test that failed in this world's
  // time says how to play it again.
  ~World();
  World(const World&) = delete;
  World& operator=(const World&) = delete;
  static size_t default_workers();

  // On the workers in turn. With `nat`: behind one.
  Client& add_client(ClientConfig config, std::optional<NatConfig> nat = std::nullopt);
  Nat& nat(const Client& client) { return *nats_.at(client.number()); }
  // The client's NAT gets another address outside, or with `same_address` other ports.
  void rebind(Client& client, bool same_address = false);
  // Makes the connect call; false when it was refused (error() says why).
  bool connect(Client& client);
  // All of it: added, connected, and its channel is open. The test fails if it does not get there.
  Client& join(ClientConfig config);
  const std::optional<Error>& error() const { return error_; }
  contract::Reply command(contract::Command command, size_t worker = 0);
  size_t worker_of(const Client& client) const { return (client.number() - 1) % hosts_.size(); }

  uint64_t request(Client& client, contract::RpcBody body);
  uint64_t update_sdp(Client& client);
  // As restartIce() of the SDK: offers over HTTP; false when it was refused.
  bool restart_ice(Client& client, int times = 1);
  // An answer that came another way than by connect().
  bool accept(Client& client, const std::string& answer);
  void send_raw(Client& client, const std::string& message, bool is_text);
  void open_another_channel(Client& client);
  // A datagram that nobody's peer made, straight into a worker.
  void inject(const SocketAddress& from, Bytes bytes, size_t worker = 0);
  // What the relay between workers does with a message, besides taking it along: 0 to 1.
  void set_relay_loss(double loss) {
    relay_loss_ = loss;
    relay_has_lost_ |= loss > 0;
  }
  // What control says to a client that renews its token; refused when there is nobody.
  std::function<Result<contract::Grant>(const contract::TokenQuestion&)> judge;
  // What the clients send, before it gets onto its link.
  std::function<void(const Client& from, ByteView datagram)> watch;
  uint64_t view(Client& client, const std::string& receiver, const std::string& peer, const std::string& stream);

  void run_for(Duration length) { run(now_.mono + length, nullptr); }
  // False when `until` has not become true within `limit` of virtual time.
  bool run_until(const std::function<bool()>& until, Duration limit) { return run(now_.mono + limit, until); }

  Now now() const { return now_; }
  Duration elapsed() const { return now_.mono - start_; }
  node::Worker& worker(size_t i = 0) { return *hosts_[i].worker; }
  size_t worker_count() const { return hosts_.size(); }
  size_t session_count() const;  // of all workers
  size_t room_count() const;     // slices, of all workers
  // Ends all workers' sessions; how many workers said within `patience` that none is left.
  size_t drain(Duration patience);
  uint64_t relayed() const { return relayed_; }
  Link& uplink(const Client& client) { return *links_.at(client.number()).up; }
  Link& downlink(const Client& client) { return *links_.at(client.number()).down; }
  // A value of the workers' counters by its metric's name; sums over labels and workers.
  double metric(const std::string& name);
  // The books so far; what is under way counts as that.
  Ledger::Totals close_books();
  const Ledger& ledger() const { return ledger_; }
  uint64_t trace_hash() const { return trace_hash_; }
  // What happened, one line each.
  EventTrace& events() { return events_; }
  uint64_t seed() const { return seed_; }
  uint64_t datagrams_delivered() const { return delivered_; }
  uint64_t datagrams_lost() const;

 private:
  struct Links {
    std::unique_ptr<Link> up, down;
  };
  struct Host {
    SocketAddress address;
    std::unique_ptr<node::Worker> worker;
    std::vector<room::RelayMessage> given_back;  // its messages that others have read
  };
  struct InFlight {
    Path path;  // as its receiver sees it
    SocketAddress to;
    uint32_t client = 0;  // whose link it is on
    bool is_uplink = false;
    Bytes bytes;
  };

  bool run(Instant deadline, const std::function<bool()>& until);
  Instant next_event() const;
  void step();
  void deliver_due();
  void answer_questions(Host& host);
  void dispatch_from_client(Client& client);
  void dispatch_from_server();
  void pump(Host& host);
  void deliver_relayed();
  void deliver_to_client(Client& client, const InFlight& datagram);
  Host* find_host(const SocketAddress& address);
  Client* find_client(const SocketAddress& address);
  void put_on_link(const Client& client, bool is_uplink, const Path& path_at_receiver, const SocketAddress& to,
                   ByteView bytes);
  void observe(Client& client) { events_.observe(elapsed(), client); }
  void tell_how_to_replay() const;
  void trace(const InFlight& datagram);
  void set_time(Instant t);

  uint64_t seed_;
  SeededRng rng_;
  SeededRng openssl_rng_;
  dtls::VirtualOpenssl openssl_;
  LinkConfig link_config_;
  Now now_;
  Instant start_;
  std::vector<Host> hosts_;
  std::multimap<Instant, room::RelayMessage> relay_;
  double relay_loss_ = 0;
  bool relay_has_lost_ = false;
  Ledger ledger_;
  SeededRng relay_rng_;
  uint64_t relayed_ = 0;
  std::vector<std::unique_ptr<Client>> clients_;
  std::map<SocketAddress, Client*> by_address_;
  std::map<uint32_t, Links> links_;
  std::map<uint32_t, std::unique_ptr<Nat>> nats_;
  std::set<uint32_t> unknown_;  // clients with a new mapping at which the server has not answered yet
  EventTrace events_;
  int failures_before_ = 0;
  std::map<std::pair<Instant, uint64_t>, InFlight> in_flight_;
  uint64_t order_ = 0;
  uint64_t delivered_ = 0;
  uint64_t trace_hash_ = 0xcbf29ce484222325;
  SendBatch client_out_, server_out_;
  std::optional<Error> error_;
};

}  // namespace atm::sim

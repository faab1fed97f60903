// The media workers of the server: one thread, UDP port, loop and node::Worker each. Started before HTTP listens.
// post() may be called from any thread; replies come to the given sink, on a worker's thread.
#pragma once

#include <memory>
#include <thread>
#include <vector>

#include "apps/server/config.h"
#include "base/result.h"
#include "contract/command.h"
#include "io/runtime/clock.h"
#include "io/runtime/media_loop.h"
#include "node/worker.h"

namespace atm::server {

// Bursts and changes on their way from all other workers to one: about 50 ms of a busy room's. What does not fit is
// lost, as a datagram is.
inline constexpr size_t kRelayMailboxCapacity = 8'192;

class MediaWorkers {
 public:
  // Binds worker i to media_port + i (0: any port) on every address's family. An error names the address.
  static Result<std::unique_ptr<MediaWorkers>> start(const Config& settings, const std::vector<MediaAddress>& addresses,
                                                     io::MediaLoop::ReplySink replies);
  ~MediaWorkers();

  size_t count() const { return workers_.size(); }
  // False when the worker's mailbox is full.
  bool post(size_t worker, contract::Command command);
  // The addresses that answers name, of all workers.
  std::vector<SocketAddress> addresses() const;
  void stop();

 private:
  class Pumped;
  using Mailboxes = std::vector<std::unique_ptr<io::Mailbox<room::RelayMessage>>>;

  Mailboxes mailboxes_;  // between the workers, by index; first: the workers use them
  std::vector<std::unique_ptr<Pumped>> workers_;
};

}  // namespace atm::server

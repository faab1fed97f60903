// The control thread of the server: HTTP in, commands to the workers, their replies back to whoever waits.
// Joins io/http with control/http and the workers. run() is the control thread; on_reply() may be called from any.
#pragma once

#include <map>
#include <memory>

#include "control/http/pending_calls.h"
#include "control/http/router.h"
#include "io/http/server.h"
#include "io/runtime/clock.h"

namespace atm::server {

class MediaWorkers;

class ControlPlane {
 public:
  ControlPlane();

  Result<SocketAddress> listen(const io::HttpServer::Listener& listener) { return http_.listen(listener); }
  // Before run(), once the workers and the bound ports are known.
  void configure(control::RouterConfig config, MediaWorkers& workers);
  // Serves until SIGINT or SIGTERM: then sessions are told and end, new ones are refused, and run() returns.
  void run();
  void on_reply(contract::Reply reply);

 private:
  void on_request(const contract::HttpRequest& request, io::HttpServer::Respond respond);
  void post(const std::vector<size_t>& to, contract::Command command, control::Pending pending,
            io::HttpServer::Respond respond);
  void answer(const contract::TokenQuestion& question);
  void try_elsewhere(uint64_t ticket, contract::Connect connect);
  void finish(const control::PendingCalls::Finished& finished);
  void begin_drain();
  void end_drain();
  void on_tick();

  io::SystemRng rng_;
  std::unique_ptr<control::Router> router_;
  control::PendingCalls calls_;
  std::map<uint64_t, io::HttpServer::Respond> callers_;
  uint64_t next_caller_ = 1;
  MediaWorkers* workers_ = nullptr;
  bool is_draining_ = false;
  size_t drains_awaited_ = 0;
  Instant drain_deadline_ = kNever;
  io::HttpServer http_;
};

}  // namespace atm::server

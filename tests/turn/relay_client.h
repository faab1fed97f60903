// A full agent with its gatherer on real sockets: one UDP socket on 127.0.0.1, and streams to TURN servers as they are
// asked for. What the SDK's runtime does, in one thread and as small as can be.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "core/ice/agent.h"
#include "core/turn/gatherer.h"
#include "io/runtime/clock.h"
#include "io/stream/stream_socket.h"
#include "io/udp/socket.h"

namespace atm {

class RelayClient {
 public:
  RelayClient(ice::Role role, const turn::GathererOptions& options, ssl_ctx_st* trust);

  void add_server(const turn::Server& server);
  // One turn; waits 5 ms at most.
  void work();
  bool wait_for(const std::function<bool()>& fact, Duration limit = 10s);
  // To a peer over that path, as core/peer would.
  void send(const Path& path, ByteView bytes);
  std::optional<ice::Candidate> find(ice::CandidateType type) const;
  void close();

  io::SystemRng rng;
  ice::Agent agent;
  turn::Gatherer gatherer;
  SocketAddress address;
  std::vector<std::string> failures, refusals;
  std::vector<std::pair<Path, std::string>> received;  // that is no STUN
  std::vector<ice::Candidate> found;
  bool is_done = false;

 private:
  turn::Output output() { return {wire_, received_, events_}; }
  void take(Now now);
  void flush(Now now);
  void take_events(Now now);

  ssl_ctx_st* trust_;
  std::unique_ptr<io::UdpSocket> socket_;
  std::map<uint16_t, std::unique_ptr<io::StreamSocket>> streams_;
  std::map<uint16_t, bool> told_open_;
  SendBatch from_agent_, wire_;
  std::vector<Datagram> received_;
  std::vector<turn::Event> events_;
};

}  // namespace atm

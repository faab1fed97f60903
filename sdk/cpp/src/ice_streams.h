// The TCP and TLS connections of a session to TURN servers: sockets of io/stream on the runtime's loop, for what the
// engine asks by StreamWanted. Everything on the network thread.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>

#include "base/datagram.h"
#include "client/event.h"
#include "io/loop/loop.h"
#include "io/stream/stream_socket.h"
#include "io/tls/tls_client.h"

namespace atm0s {

class IceStreams {
 public:
  struct Hooks {
    std::function<void(uint16_t stream)> opened;
    std::function<void(uint16_t stream, atm::MutByteView bytes)> received;
    std::function<void(uint16_t stream, const std::string& why)> closed;
  };

  IceStreams(atm::io::Loop& loop, std::string ca_file, bool verify, Hooks hooks)
      : loop_(loop), ca_file_(std::move(ca_file)), verify_(verify), hooks_(std::move(hooks)) {}
  ~IceStreams();
  IceStreams(const IceStreams&) = delete;
  IceStreams& operator=(const IceStreams&) = delete;

  void open(atm::Now now, const atm::client::StreamWanted& wanted);
  void close(uint16_t stream);
  // Entries of Transport::kTcp.
  void send(const atm::SendBatch& batch);
  atm::Instant next_timeout() const;
  void on_timeout(atm::Now now);

 private:
  struct Stream {
    std::unique_ptr<atm::io::StreamSocket> socket;
    int fd = -1;
    bool was_open = false;
  };
  void watch(uint16_t id, Stream& stream);
  void on_ready(uint16_t id);
  // What the socket has come to: open, closed, or something to be read.
  void look(uint16_t id);
  void drop(uint16_t id, const std::string& why);

  atm::io::Loop& loop_;
  const std::string ca_file_;
  const bool verify_;
  const Hooks hooks_;
  atm::io::TlsContext trust_;  // made for the first that needs it
  std::map<uint16_t, Stream> streams_;
};

}  // namespace atm0s

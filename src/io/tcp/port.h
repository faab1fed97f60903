// The TCP port of one media worker: passive ICE candidates (RFC 6544), datagrams framed as RFC 4571 says. Beside its
// UDP sockets in io/runtime/media_loop.h, with the same shape: batches of datagrams come out, a SendBatch goes in.
// Each worker has a port of its own, as with UDP, so a connection is at the worker of its session from the start.
// A connection has to say at once whom it is for: its first frame is a STUN check for a session of the worker, or it is
// closed, so a port scanner or a web browser gets no byte of answer. It promises bounds for connections (places.h), for
// what each may hold (a frame that has begun, kMaxQueued bytes to be sent), and for the work of one turn; frames are
// sent whole or not at all. Non-blocking; one thread at a time. Plain TCP: no TLS, no TLS-like greeting.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <span>
#include <unordered_map>
#include <vector>

#include "base/datagram.h"
#include "base/result.h"
#include "io/tcp/counters.h"
#include "io/tcp/places.h"

namespace atm::io {

// From the connection to its first check, whole: clients send it as soon as they are connected.
inline constexpr Duration kFirstCheckTimeout = 5s;
// Without a whole frame: libwebrtc checks a connection that it keeps in reserve every 25 s.
inline constexpr Duration kIdleTimeout = 60s;
// Connections are looked through so often, for both of the above.
inline constexpr Duration kSweepInterval = 1s;
// Of one turn: connections that are read from or written to, and new ones of each address.
inline constexpr size_t kMaxReady = 16;
inline constexpr size_t kMaxAccepts = 16;

class TcpPort {
 public:
  // Whether a connection may stay that begins with this frame.
  using Admits = std::function<bool(ByteView first_frame)>;

  // `addresses`: one at most of a family, on one port; 0.0.0.0 or :: are every address of their family. Port 0 takes a
  // free one.
  static Result<std::unique_ptr<TcpPort>> listen(const std::vector<SocketAddress>& addresses);
  ~TcpPort();
  TcpPort(const TcpPort&) = delete;
  TcpPort& operator=(const TcpPort&) = delete;

  // Before the first receive().
  void set_admits(Admits admits) { admits_ = std::move(admits); }

  // Takes connections, goes on sending, and gives what has arrived; a turn's worth, so call again while there may be
  // more. Valid until the next call.
  std::span<Datagram> receive(Instant now);
  bool may_have_more() const { return may_have_more_; }
  // The TCP entries of the batch, in order; one whose connection has gone is dropped.
  void send(const SendBatch& batch);
  Instant next_timeout() const;
  void on_timeout(Instant now);
  // Paths of admitted connections that have closed since the last call are appended.
  void take_closed(std::vector<Path>& out);

  // Readable when there is something to receive.
  int fd() const { return epoll_; }
  uint16_t port() const;
  size_t connection_count() const { return connections_.size(); }
  const TcpCounters& counters() const { return counters_; }

 private:
  struct Connection;
  struct Listener {
    int fd;
    SocketAddress bound;
  };

  TcpPort();
  Result<bool> add_listener(const SocketAddress& address);
  void watch(int fd, uint32_t events, uint64_t key, bool is_new);
  void accept_some(Instant now, const Listener& listener);
  void add_connection(Instant now, int fd, const SocketAddress& remote);
  void stop_accepting(Instant now);
  void read_some(Instant now, Connection& connection, MutByteView buffer);
  void take_frames(Instant now, Connection& connection, bool is_well_formed);
  void write_some(Connection& connection);
  void close(Connection& connection, uint64_t TcpCounters::* reason);
  Connection* find(uint64_t id);

  // given
  Admits admits_ = [](ByteView) { return false; };
  // owned
  int epoll_;
  std::vector<Listener> listeners_;
  std::unordered_map<uint64_t, std::unique_ptr<Connection>> connections_;
  std::unordered_map<Path, Connection*> by_path_;  // admitted ones
  std::unique_ptr<uint8_t[]> buffers_;             // kMaxReady of kReadSize
  // state
  Places places_;
  uint64_t next_id_;
  Instant sweep_at_ = kNever;
  bool is_accepting_ = true;
  bool may_have_more_ = false;
  std::vector<Path> closed_;
  // Closed in this turn: frames that were given out may lie in them.
  std::vector<std::unique_ptr<Connection>> gone_;
  TcpCounters counters_;
  // reused from turn to turn
  std::vector<Datagram> datagrams_;
  std::vector<MutByteView> frames_;
  std::vector<Connection*> written_;
};

}  // namespace atm::io

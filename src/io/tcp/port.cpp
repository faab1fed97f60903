#include "io/tcp/port.h"

#include <fmt/core.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "io/tcp/send_queue.h"
#include "io/udp/sockaddr.h"
#include "wire/framing/deframer.h"

namespace atm::io {
namespace {

constexpr size_t kReadSize = 16'384;  // bytes that one connection may bring in a turn
constexpr int kBacklog = 512;
// Bytes that the kernel may hold before it sends them: what is in it can no longer be dropped when the way gets worse.
constexpr int kMaxUnsentInKernel = 8'192;
// Below are the listeners' keys in epoll, their index.
constexpr uint64_t kFirstConnectionId = 16;

bool would_block(int error) {
  return error == EAGAIN || error == EWOULDBLOCK || error == EINTR;
}

}  // namespace

struct TcpPort::Connection {
  uint64_t id;
  int fd;
  Path path;
  Instant heard_at;  // the last whole frame, at first the connection itself
  bool is_admitted = false;
  bool is_closed = false;
  bool waits_to_write = false;  // epoll says when it is possible again
  bool is_written = false;      // is in written_
  framing::Deframer deframer = {};
  SendQueue queue = {};
};

TcpPort::TcpPort()
    : epoll_(::epoll_create1(EPOLL_CLOEXEC)),
      buffers_(std::make_unique<uint8_t[]>(kMaxReady * kReadSize)),
      next_id_(kFirstConnectionId) {
  ASSERT(epoll_ >= 0);
}

TcpPort::~TcpPort() {
  for (const auto& [id, connection] : connections_) ::close(connection->fd);
  for (const Listener& listener : listeners_) ::close(listener.fd);
  ::close(epoll_);
}

Result<std::unique_ptr<TcpPort>> TcpPort::listen(const std::vector<SocketAddress>& addresses) {
  std::unique_ptr<TcpPort> out(new TcpPort());
  for (SocketAddress address : addresses) {
    if (address.port == 0 && !out->listeners_.empty()) address.port = out->port();
    TRY(added, out->add_listener(address));
    static_cast<void>(added);
  }
  return out;
}

Result<bool> TcpPort::add_listener(const SocketAddress& address) {
  const bool is_v4 = address.ip.is_v4();
  const auto refuse = [&](const char* call) {
    return fail(ErrorCode::kServerError,
                fmt::format("media address {} (TCP): {}: {}", address.to_string(), call, std::strerror(errno)));
  };
  const int fd = ::socket(is_v4 ? AF_INET : AF_INET6, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) return refuse("socket");
  if (!is_v4) set_socket_option(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1);
  set_socket_option(fd, SOL_SOCKET, SO_REUSEADDR, 1);  // connections of the server that ran before may still be closing
  sockaddr_storage storage;
  const socklen_t size = fill_sockaddr(address, is_v4, storage);
  const bool is_bound = ::bind(fd, reinterpret_cast<sockaddr*>(&storage), size) == 0;
  if (!is_bound || ::listen(fd, kBacklog) != 0) {
    const auto error = refuse(is_bound ? "listen" : "bind");
    ::close(fd);
    return error;
  }
  ASSERT(listeners_.size() < kFirstConnectionId);
  watch(fd, EPOLLIN, listeners_.size(), true);
  listeners_.push_back({fd, bound_address(fd)});
  return true;
}

void TcpPort::watch(int fd, uint32_t events, uint64_t key, bool is_new) {
  epoll_event event{};
  event.events = events;
  event.data.u64 = key;
  ASSERT(::epoll_ctl(epoll_, is_new ? EPOLL_CTL_ADD : EPOLL_CTL_MOD, fd, &event) == 0);
}

uint16_t TcpPort::port() const {
  return listeners_.empty() ? uint16_t{0} : listeners_.front().bound.port;
}

TcpPort::Connection* TcpPort::find(uint64_t id) {
  const auto it = connections_.find(id);
  return it == connections_.end() ? nullptr : it->second.get();
}

// --- connections come and go ------------------------------------------------------------------------------------

void TcpPort::accept_some(Instant now, const Listener& listener) {
  for (size_t i = 0; i < kMaxAccepts; ++i) {
    sockaddr_storage from;
    socklen_t size = sizeof from;
    const int fd = ::accept4(listener.fd, reinterpret_cast<sockaddr*>(&from), &size, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd >= 0) {
      add_connection(now, fd, to_address(from));
    } else if (would_block(errno)) {
      return;
    } else if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
      ++counters_.accept_errors;
      return stop_accepting(now);
    }  // else it was one connection's own error, such as ECONNABORTED: the next one
  }
}

// The connections that wait would be reported without end.
void TcpPort::stop_accepting(Instant now) {
  is_accepting_ = false;
  if (sweep_at_ == kNever) sweep_at_ = now + kSweepInterval;
  for (size_t i = 0; i < listeners_.size(); ++i) watch(listeners_[i].fd, 0, i, false);
}

void TcpPort::add_connection(Instant now, int fd, const SocketAddress& remote) {
  const uint64_t id = next_id_++;
  const Places::Entry entry = places_.enter(id, remote.ip);
  if (entry.evicted) close(*find(*entry.evicted), &TcpCounters::closed_for_others);
  if (!entry.may_stay) {
    ++counters_.refused_full;
    ::close(fd);
    return;
  }
  ++counters_.accepted;
  set_socket_option(fd, IPPROTO_TCP, TCP_NODELAY, 1);
  set_socket_option(fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT, kMaxUnsentInKernel);
  auto connection = std::make_unique<Connection>(
      Connection{.id = id, .fd = fd, .path = {remote, bound_address(fd).ip, Transport::kTcp}, .heard_at = now});
  watch(fd, EPOLLIN, id, true);
  connections_.emplace(id, std::move(connection));
  if (sweep_at_ == kNever) sweep_at_ = now + kSweepInterval;
}

void TcpPort::close(Connection& connection, uint64_t TcpCounters::* reason) {
  ++(counters_.*reason);
  connection.is_closed = true;
  ::close(connection.fd);  // takes it out of epoll as well
  places_.leave(connection.id);
  if (connection.is_admitted) {
    by_path_.erase(connection.path);
    closed_.push_back(connection.path);
  }
  auto node = connections_.extract(connection.id);
  gone_.push_back(std::move(node.mapped()));
}

void TcpPort::take_closed(std::vector<Path>& out) {
  out.insert(out.end(), closed_.begin(), closed_.end());
  closed_.clear();
}

// --- time -------------------------------------------------------------------------------------------------------

Instant TcpPort::next_timeout() const {
  return is_accepting_ && connections_.empty() ? kNever : sweep_at_;
}

void TcpPort::on_timeout(Instant now) {
  if (now < sweep_at_) return;
  gone_.clear();
  std::vector<Connection*> late;
  for (const auto& [id, connection] : connections_) {
    if (now - connection->heard_at >= (connection->is_admitted ? kIdleTimeout : kFirstCheckTimeout)) {
      late.push_back(connection.get());
    }
  }
  for (Connection* connection : late) {
    close(*connection, connection->is_admitted ? &TcpCounters::closed_idle : &TcpCounters::closed_no_check);
  }
  if (!is_accepting_) {
    is_accepting_ = true;
    for (size_t i = 0; i < listeners_.size(); ++i) watch(listeners_[i].fd, EPOLLIN, i, false);
  }
  sweep_at_ = connections_.empty() ? kNever : now + kSweepInterval;
}

// --- bytes ------------------------------------------------------------------------------------------------------

std::span<Datagram> TcpPort::receive(Instant now) {
  datagrams_.clear();
  gone_.clear();
  epoll_event events[kMaxReady];
  const int count = ::epoll_wait(epoll_, events, kMaxReady, 0);
  may_have_more_ = count > 0;
  for (int i = 0; i < count; ++i) {
    const uint64_t key = events[i].data.u64;
    if (key < kFirstConnectionId) {
      accept_some(now, listeners_[key]);
      continue;
    }
    Connection* connection = find(key);
    if (connection == nullptr) continue;  // closed in this turn
    if ((events[i].events & EPOLLOUT) != 0) write_some(*connection);
    if (connection->is_closed || (events[i].events & ~uint32_t{EPOLLOUT}) == 0) continue;
    read_some(now, *connection, {buffers_.get() + static_cast<size_t>(i) * kReadSize, kReadSize});
  }
  return datagrams_;
}

void TcpPort::read_some(Instant now, Connection& connection, MutByteView buffer) {
  const ssize_t size = ::recv(connection.fd, buffer.data(), buffer.size(), MSG_DONTWAIT);
  if (size == 0) return close(connection, &TcpCounters::closed_by_remote);
  if (size < 0) {
    if (!would_block(errno)) close(connection, &TcpCounters::closed_by_error);
    return;
  }
  counters_.bytes_received += static_cast<uint64_t>(size);
  frames_.clear();
  const size_t null_frames = connection.deframer.null_frames();
  const bool is_well_formed = connection.deframer.read(buffer.first(static_cast<size_t>(size)), frames_);
  counters_.null_frames += connection.deframer.null_frames() - null_frames;
  take_frames(now, connection, is_well_formed);
}

void TcpPort::take_frames(Instant now, Connection& connection, bool is_well_formed) {
  if (!frames_.empty() && !connection.is_admitted) {
    // The kernel has one connection at most between two addresses; were there two, the first would keep its path.
    if (!admits_(frames_.front()) || by_path_.contains(connection.path)) {
      return close(connection, &TcpCounters::closed_not_a_check);
    }
    ++counters_.admitted;
    connection.is_admitted = true;
    places_.admit(connection.id);
    by_path_.emplace(connection.path, &connection);
  }
  if (!frames_.empty()) connection.heard_at = now;
  counters_.frames_received += frames_.size();
  for (const MutByteView frame : frames_) datagrams_.push_back({connection.path, now, frame});
  if (!is_well_formed) close(connection, &TcpCounters::closed_bad_length);
}

void TcpPort::send(const SendBatch& batch) {
  Connection* connection = nullptr;
  for (const SendBatch::Entry& entry : batch.entries()) {
    if (entry.path.transport != Transport::kTcp) continue;
    if (connection == nullptr || connection->path != entry.path) {
      const auto it = by_path_.find(entry.path);
      connection = it == by_path_.end() ? nullptr : it->second;
    }
    if (connection == nullptr) {
      ++counters_.drop_no_connection;
      continue;
    }
    if (!connection->queue.push(batch.bytes(entry))) {
      ++counters_.drop_send_full;
      continue;
    }
    ++counters_.frames_sent;
    if (connection->is_written) continue;
    connection->is_written = true;
    written_.push_back(connection);
  }
  for (Connection* written : written_) {
    written->is_written = false;
    if (!written->waits_to_write) write_some(*written);
  }
  written_.clear();
}

void TcpPort::write_some(Connection& connection) {
  while (connection.queue.queued() > 0) {
    const ByteView bytes = connection.queue.front();
    const ssize_t sent = ::send(connection.fd, bytes.data(), bytes.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
    if (sent < 0) {
      if (!would_block(errno)) return close(connection, &TcpCounters::closed_by_error);
      break;
    }
    counters_.bytes_sent += static_cast<uint64_t>(sent);
    connection.queue.pop(static_cast<size_t>(sent));
    if (static_cast<size_t>(sent) < bytes.size()) break;
  }
  const bool has_more = connection.queue.queued() > 0;
  if (has_more == connection.waits_to_write) return;
  connection.waits_to_write = has_more;
  watch(connection.fd, has_more ? uint32_t{EPOLLIN} | EPOLLOUT : uint32_t{EPOLLIN}, connection.id, false);
}

}  // namespace atm::io

#include "io/runtime/media_loop.h"

#include <sys/epoll.h>
#include <unistd.h>

#include <algorithm>

#include "base/assert.h"
#include "io/runtime/clock.h"

namespace atm::io {

MediaLoop::MediaLoop(MediaMachine& machine, std::vector<std::unique_ptr<UdpSocket>> sockets,
                     std::unique_ptr<TcpPort> tcp, ReplySink replies)
    : machine_(machine),
      sockets_(std::move(sockets)),
      tcp_(std::move(tcp)),
      reply_sink_(std::move(replies)),
      epoll_(::epoll_create1(EPOLL_CLOEXEC)) {
  ASSERT(epoll_ >= 0);
  const auto watch = [this](int fd) {
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.fd = fd;
    ASSERT(::epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &event) == 0);
  };
  for (const auto& socket : sockets_) watch(socket->fd());
  if (tcp_ != nullptr) {
    tcp_->set_admits([this](ByteView first_frame) { return machine_.admits(first_frame); });
    watch(tcp_->fd());
  }
  watch(mailbox_.fd());
  watch(machine_.mail_fd());
  watch(stop_wakeup_.fd());
}

MediaLoop::~MediaLoop() {
  ::close(epoll_);
}

void MediaLoop::stop() {
  is_stopping_.store(true, std::memory_order_release);
  stop_wakeup_.signal();
}

int MediaLoop::wait_ms(Instant now) const {
  const Instant due = std::min(machine_.next_timeout(), tcp_ == nullptr ? kNever : tcp_->next_timeout());
  if (due == kNever) return -1;
  if (due <= now) return 0;
  return static_cast<int>(std::min<int64_t>((to_us(due - now) + 999) / 1000, 60'000));
}

void MediaLoop::run() {
  epoll_event events[8];
  bool has_slow_work = false;
  while (!is_stopping_.load(std::memory_order_acquire)) {
    const int wait = has_slow_work ? 0 : wait_ms(read_clocks().mono);
    const int count = ::epoll_wait(epoll_, events, 8, wait);
    for (int i = 0; i < count; ++i) {
      const int fd = events[i].data.fd;
      if (fd == mailbox_.fd()) {
        mailbox_.take_all(taken_);
        for (contract::Command& command : taken_) commands_.push_back(std::move(command));
        taken_.clear();
      } else if (fd == machine_.mail_fd()) {
        machine_.on_mail(read_clocks(), batch_);
        flush();
      }
      for (const auto& socket : sockets_) {
        if (fd == socket->fd()) receive(*socket);
      }
      if (tcp_ != nullptr && fd == tcp_->fd()) receive_tcp();
    }
    const Now now = read_clocks();
    if (tcp_ != nullptr) {
      tcp_->on_timeout(now.mono);
      tell_closed_paths(now);
    }
    if (machine_.next_timeout() <= now.mono) machine_.on_timeout(now, batch_);
    flush();
    has_slow_work = work_slowly();
  }
}

bool MediaLoop::work_slowly() {
  if (commands_.empty() && !machine_.has_slow_work()) return false;
  const Instant end = read_clocks().mono + kSlowLaneBudget;
  for (Now now = read_clocks(); !commands_.empty() || machine_.has_slow_work(); now = read_clocks()) {
    if (machine_.has_slow_work()) machine_.do_slow_step(now, batch_);
    if (!commands_.empty()) {
      machine_.on_command(now, std::move(commands_.front()), batch_);
      commands_.pop_front();
    }
    flush();
    if (read_clocks().mono >= end) break;
  }
  return !commands_.empty() || machine_.has_slow_work();
}

void MediaLoop::receive(UdpSocket& socket) {
  for (int turn = 0; turn < kReceivesPerTurn; ++turn) {
    const Now now = read_clocks();
    const Duration offset = now.mono.time_since_epoch() - now.wall.time_since_epoch();
    const std::span<Datagram> datagrams = socket.receive(now.mono, offset);
    if (datagrams.empty()) return;
    machine_.on_datagrams(now, datagrams, batch_);
    flush();
    if (!socket.may_have_more()) return;  // what came meanwhile, epoll tells at once
  }
}

void MediaLoop::receive_tcp() {
  for (int turn = 0; turn < kReceivesPerTurn; ++turn) {
    const Now now = read_clocks();
    const std::span<Datagram> datagrams = tcp_->receive(now.mono);
    if (!datagrams.empty()) machine_.on_datagrams(now, datagrams, batch_);
    flush();
    if (!tcp_->may_have_more()) return;
  }
}

void MediaLoop::tell_closed_paths(Now now) {
  closed_.clear();
  tcp_->take_closed(closed_);
  for (const Path& path : closed_) machine_.on_path_closed(now, path, batch_);
}

void MediaLoop::flush() {
  if (!batch_.empty()) {
    for (const auto& socket : sockets_) socket->send(batch_);
    if (tcp_ != nullptr) tcp_->send(batch_);
    batch_.clear();
  }
  machine_.finish_turn(replies_);
  for (contract::Reply& reply : replies_) reply_sink_(std::move(reply));
  replies_.clear();
}

UdpCounters MediaLoop::udp_counters() const {
  UdpCounters sum;
  for (const auto& socket : sockets_) {
    const UdpCounters& c = socket->counters();
    sum.datagrams_received += c.datagrams_received;
    sum.bytes_received += c.bytes_received;
    sum.receive_calls += c.receive_calls;
    sum.datagrams_sent += c.datagrams_sent;
    sum.bytes_sent += c.bytes_sent;
    sum.send_calls += c.send_calls;
    sum.segment_refusals += c.segment_refusals;
    sum.drop_truncated += c.drop_truncated;
    sum.drop_send_full += c.drop_send_full;
    sum.drop_send_error += c.drop_send_error;
  }
  return sum;
}

}  // namespace atm::io

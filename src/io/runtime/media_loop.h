// The loop of one media worker: an epoll over its UDP sockets, its TCP port and its mailbox. It only pumps: datagrams,
// commands and the time go into the machine, datagrams and replies come out. apps/server joins it with node::Worker.
// run() is the worker's thread; post() and stop() may be called from any thread.
#pragma once

#include <atomic>
#include <deque>
#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "base/datagram.h"
#include "contract/command.h"
#include "io/runtime/mailbox.h"
#include "io/tcp/port.h"
#include "io/udp/socket.h"

namespace atm::io {

// What the loop pumps. One virtual call a batch, never a packet.
class MediaMachine {
 public:
  virtual ~MediaMachine() = default;
  virtual void on_datagrams(Now now, std::span<Datagram> datagrams, SendBatch& out) = 0;
  // Whether a TCP connection may stay that begins with this frame; that one has closed which was admitted.
  virtual bool admits(ByteView first_frame) const = 0;
  virtual void on_path_closed(Now now, const Path& path, SendBatch& out) = 0;
  virtual void on_command(Now now, contract::Command command, SendBatch& out) = 0;
  virtual void on_timeout(Now now, SendBatch& out) = 0;
  virtual Instant next_timeout() const = 0;
  // The slow lane (handshakes, requests): the loop takes steps for as long as a turn's budget allows.
  virtual bool has_slow_work() const = 0;
  virtual void do_slow_step(Now now, SendBatch& out) = 0;
  // Readable when other machines have put something into this one's mailbox; on_mail() takes it.
  virtual int mail_fd() const = 0;
  virtual void on_mail(Now now, SendBatch& out) = 0;
  // After each input: passes on what is for other machines, and appends the replies that are ready.
  virtual void finish_turn(std::vector<contract::Reply>& out) = 0;
};

// Handshakes, SDP and JSON get so much of a turn, then media is looked at again; at least one step, so that they
// advance.
inline constexpr Duration kSlowLaneBudget = 500us;

class MediaLoop {
 public:
  using ReplySink = std::function<void(contract::Reply)>;  // called on the worker's thread

  // `tcp`: null for UDP alone.
  MediaLoop(MediaMachine& machine, std::vector<std::unique_ptr<UdpSocket>> sockets, std::unique_ptr<TcpPort> tcp,
            ReplySink replies);
  ~MediaLoop();

  void run();
  void stop();
  // False when the mailbox is full.
  bool post(contract::Command command) { return mailbox_.post(std::move(command)); }
  // Worker's thread only.
  UdpCounters udp_counters() const;
  const TcpPort* tcp() const { return tcp_.get(); }

 private:
  static constexpr size_t kMailboxCapacity = 4'096;
  // At most so many receives in a row before timers and commands get their turn.
  static constexpr int kReceivesPerTurn = 8;

  void receive(UdpSocket& socket);
  void receive_tcp();
  // What has closed is told to the machine, and its answers go out.
  void tell_closed_paths(Now now);
  // Commands and the machine's slow lane, one after the other. True when there is more.
  bool work_slowly();
  void flush();
  int wait_ms(Instant now) const;

  MediaMachine& machine_;
  std::vector<std::unique_ptr<UdpSocket>> sockets_;
  std::unique_ptr<TcpPort> tcp_;
  ReplySink reply_sink_;
  Mailbox<contract::Command> mailbox_{kMailboxCapacity};
  Wakeup stop_wakeup_;
  std::atomic<bool> is_stopping_ = false;
  int epoll_;
  SendBatch batch_;
  std::deque<contract::Command> commands_;  // taken from the mailbox, not carried out yet
  std::vector<contract::Command> taken_;
  std::vector<contract::Reply> replies_;
  std::vector<Path> closed_;
};

}  // namespace atm::io

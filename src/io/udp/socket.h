// A UDP socket for media: receives and sends whole batches. Receiving uses recvmmsg with UDP GRO and kernel arrival
// stamps; sending uses sendmmsg with UDP GSO for runs of equal-sized datagrams to one destination, falling back to
// plain sends where the kernel or the device refuses (EIO, EINVAL). Replies leave from the address that the entry names
// (IP_PKTINFO). Non-blocking; one thread at a time.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "base/datagram.h"
#include "base/result.h"

namespace atm::io {

struct UdpCounters {
  uint64_t datagrams_received = 0;
  uint64_t bytes_received = 0;
  uint64_t receive_calls = 0;
  uint64_t datagrams_sent = 0;
  uint64_t bytes_sent = 0;
  uint64_t send_calls = 0;        // messages given to sendmmsg: datagrams_sent / send_calls is the segments per send
  uint64_t segment_refusals = 0;  // segmented sends that the kernel or the device would not take
  uint64_t drop_truncated = 0;    // larger than a receive buffer
  uint64_t drop_send_full = 0;    // the socket's send buffer was full
  uint64_t drop_send_error = 0;   // unreachable and the like
};

class UdpSocket {
 public:
  // `address` 0.0.0.0 or :: binds to every address of its family; port 0 takes a free one.
  static Result<std::unique_ptr<UdpSocket>> bind(const SocketAddress& address);
  ~UdpSocket();
  UdpSocket(const UdpSocket&) = delete;
  UdpSocket& operator=(const UdpSocket&) = delete;

  // What has arrived, at most one batch; empty when there is nothing. Valid until the next call.
  // `clock_offset`: monotonic minus wall clock, to turn the kernel's wall-clock stamps into instants.
  std::span<Datagram> receive(Instant now, Duration clock_offset);
  // The last receive() brought as much as one can: there may be more.
  bool may_have_more() const { return may_have_more_; }
  // Sends the UDP entries of this socket's address family, in order.
  void send(const SendBatch& batch);

  int fd() const { return fd_; }
  uint16_t port() const { return bound_.port; }
  bool is_v4() const { return is_v4_; }
  const UdpCounters& counters() const { return counters_; }

 private:
  UdpSocket(int fd, const SocketAddress& bound);
  bool takes(const Path& path) const { return path.remote.ip.is_v4() == is_v4_ && path.transport == Transport::kUdp; }
  size_t gather(const SendBatch& batch, size_t first, bool may_segment, struct OutgoingMessages& messages);
  void send_one_by_one(const SendBatch& batch, size_t first, size_t count);

  int fd_;
  SocketAddress bound_;
  bool is_v4_;
  bool can_segment_ = true;
  size_t segment_refusals_ = 0;  // in a row
  bool may_have_more_ = false;
  UdpCounters counters_;
  std::unique_ptr<struct IncomingMessages> incoming_;
  std::vector<Datagram> datagrams_;
};

}  // namespace atm::io

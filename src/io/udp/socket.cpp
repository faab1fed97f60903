#include "io/udp/socket.h"

#include <arpa/inet.h>
#include <fmt/core.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "io/udp/sockaddr.h"

#ifndef UDP_SEGMENT
#define UDP_SEGMENT 103
#endif
#ifndef UDP_GRO
#define UDP_GRO 104
#endif

namespace atm::io {
namespace {

constexpr size_t kReceiveMessages = 16;
// A GRO receive is up to 64 segments in up to 64 KiB; anything larger than this was never one of ours.
constexpr size_t kReceiveBufferSize = 65'536;
constexpr size_t kControlSize = 256;
// The kernel's UDP_MAX_SEGMENTS is 64 (128 in newer ones), and a segmented send is one IP packet's 65,507 bytes at
// most.
constexpr size_t kMaxSegments = 64;
constexpr size_t kMaxSegmentedBytes = 65'000;
// Bytes: RFC 8200's least MTU of 1,280 without the headers. The kernel refuses (EINVAL) segments that the way's MTU
// does not carry, and one publisher's large packets must not look as if this machine could not segment at all.
constexpr size_t kMaxSegmentSize = 1'232;
// In a row without a segmented send that worked: then it is this kernel or device, and not one destination.
constexpr size_t kMaxSegmentRefusals = 16;
constexpr size_t kSendMessages = 64;
// Both directions: bursts of key frames to many subscribers; the kernel doubles and caps it (net.core.*mem_max).
constexpr int kSocketBufferSize = 4 * 1024 * 1024;

// What the control messages of one received message say.
struct Ancillary {
  IpAddress local;
  size_t segment_size = 0;  // of a GRO receive
  Instant arrived;
};

Ancillary read_ancillary(msghdr& header, Instant now, Duration clock_offset) {
  Ancillary out;
  out.arrived = now;
  for (cmsghdr* c = CMSG_FIRSTHDR(&header); c != nullptr; c = CMSG_NXTHDR(&header, c)) {
    if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_PKTINFO) {
      in_pktinfo info;
      std::memcpy(&info, CMSG_DATA(c), sizeof info);
      out.local = to_ip(info.ipi_addr);
    } else if (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_PKTINFO) {
      in6_pktinfo info;
      std::memcpy(&info, CMSG_DATA(c), sizeof info);
      out.local = to_ip(info.ipi6_addr);
    } else if (c->cmsg_level == IPPROTO_UDP && c->cmsg_type == UDP_GRO) {
      int size = 0;
      std::memcpy(&size, CMSG_DATA(c), sizeof size);
      out.segment_size = static_cast<size_t>(size);
    } else if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_TIMESTAMPNS) {
      timespec stamp;
      std::memcpy(&stamp, CMSG_DATA(c), sizeof stamp);
      const Duration wall = std::chrono::seconds(stamp.tv_sec) + Duration(stamp.tv_nsec / 1000);
      const Instant at{wall + clock_offset};
      // A wall clock that was just set would put packets into the future or the far past.
      if (at <= now && now - at < 1s) out.arrived = at;
    }
  }
  return out;
}

}  // namespace

struct IncomingMessages {
  mmsghdr headers[kReceiveMessages];
  iovec vectors[kReceiveMessages];
  sockaddr_storage from[kReceiveMessages];
  alignas(cmsghdr) uint8_t control[kReceiveMessages][kControlSize];
  std::unique_ptr<uint8_t[]> buffers = std::make_unique<uint8_t[]>(kReceiveMessages * kReceiveBufferSize);
};

struct OutgoingMessages {
  mmsghdr headers[kSendMessages];
  iovec vectors[kSendMessages];
  sockaddr_storage to[kSendMessages];
  alignas(cmsghdr) uint8_t control[kSendMessages][kControlSize];
  size_t entries[kSendMessages];  // how many of the batch's entries a message carries
  size_t count = 0;
};

Result<std::unique_ptr<UdpSocket>> UdpSocket::bind(const SocketAddress& address) {
  const bool is_v4 = address.ip.is_v4();
  const auto refuse = [&](const char* call) {
    return fail(ErrorCode::kServerError,
                fmt::format("media address {}: {}: {}", address.to_string(), call, std::strerror(errno)));
  };
  const int fd = ::socket(is_v4 ? AF_INET : AF_INET6, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) return refuse("socket");
  if (is_v4) {
    set_socket_option(fd, IPPROTO_IP, IP_PKTINFO, 1);
  } else {
    set_socket_option(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1);
    set_socket_option(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, 1);
  }
  set_socket_option(fd, SOL_SOCKET, SO_RCVBUF, kSocketBufferSize);
  set_socket_option(fd, SOL_SOCKET, SO_SNDBUF, kSocketBufferSize);
  set_socket_option(fd, SOL_SOCKET, SO_TIMESTAMPNS, 1);
  set_socket_option(fd, IPPROTO_UDP, UDP_GRO, 1);  // without it every datagram comes on its own: slower, not wrong

  sockaddr_storage storage;
  const socklen_t size = fill_sockaddr(address, is_v4, storage);
  if (::bind(fd, reinterpret_cast<sockaddr*>(&storage), size) != 0) {
    const auto error = refuse("bind");
    ::close(fd);
    return error;
  }
  return std::unique_ptr<UdpSocket>(new UdpSocket(fd, bound_address(fd)));
}

UdpSocket::UdpSocket(int fd, const SocketAddress& bound)
    : fd_(fd), bound_(bound), is_v4_(bound.ip.is_v4()), incoming_(std::make_unique<IncomingMessages>()) {}

UdpSocket::~UdpSocket() {
  ::close(fd_);
}

std::span<Datagram> UdpSocket::receive(Instant now, Duration clock_offset) {
  IncomingMessages& in = *incoming_;
  for (size_t i = 0; i < kReceiveMessages; ++i) {
    in.vectors[i] = {in.buffers.get() + i * kReceiveBufferSize, kReceiveBufferSize};
    in.headers[i] = {};
    msghdr& header = in.headers[i].msg_hdr;
    header.msg_name = &in.from[i];
    header.msg_namelen = sizeof in.from[i];
    header.msg_iov = &in.vectors[i];
    header.msg_iovlen = 1;
    header.msg_control = in.control[i];
    header.msg_controllen = kControlSize;
  }
  datagrams_.clear();
  const int count = ::recvmmsg(fd_, in.headers, kReceiveMessages, MSG_DONTWAIT, nullptr);
  may_have_more_ = count == static_cast<int>(kReceiveMessages);
  if (count <= 0) return {};
  ++counters_.receive_calls;
  for (int i = 0; i < count; ++i) {
    msghdr& header = in.headers[i].msg_hdr;
    if ((header.msg_flags & MSG_TRUNC) != 0) {
      ++counters_.drop_truncated;
      continue;
    }
    const Ancillary ancillary = read_ancillary(header, now, clock_offset);
    const Path path{to_address(in.from[i]), ancillary.local};
    MutByteView bytes{in.buffers.get() + static_cast<size_t>(i) * kReceiveBufferSize, in.headers[i].msg_len};
    counters_.bytes_received += bytes.size();
    const size_t segment = ancillary.segment_size == 0 ? bytes.size() : ancillary.segment_size;
    do {
      const size_t size = std::min(segment, bytes.size());
      datagrams_.push_back({path, ancillary.arrived, bytes.first(size)});
      bytes = bytes.subspan(size);
    } while (!bytes.empty());
  }
  counters_.datagrams_received += datagrams_.size();
  return datagrams_;
}

namespace {

void add_pktinfo(msghdr& header, size_t& used, const IpAddress& local, bool is_v4) {
  if (local.is_unspecified()) return;
  auto* c = reinterpret_cast<cmsghdr*>(static_cast<uint8_t*>(header.msg_control) + used);
  if (is_v4) {
    in_pktinfo info{};
    std::memcpy(&info.ipi_spec_dst, local.bytes().data() + 12, 4);
    c->cmsg_level = IPPROTO_IP;
    c->cmsg_type = IP_PKTINFO;
    c->cmsg_len = CMSG_LEN(sizeof info);
    std::memcpy(CMSG_DATA(c), &info, sizeof info);
    used += CMSG_SPACE(sizeof info);
  } else {
    in6_pktinfo info{};
    std::memcpy(&info.ipi6_addr, local.bytes().data(), 16);
    c->cmsg_level = IPPROTO_IPV6;
    c->cmsg_type = IPV6_PKTINFO;
    c->cmsg_len = CMSG_LEN(sizeof info);
    std::memcpy(CMSG_DATA(c), &info, sizeof info);
    used += CMSG_SPACE(sizeof info);
  }
}

void add_segment_size(msghdr& header, size_t& used, size_t size) {
  auto* c = reinterpret_cast<cmsghdr*>(static_cast<uint8_t*>(header.msg_control) + used);
  const auto segment = static_cast<uint16_t>(size);
  c->cmsg_level = IPPROTO_UDP;
  c->cmsg_type = UDP_SEGMENT;
  c->cmsg_len = CMSG_LEN(sizeof segment);
  std::memcpy(CMSG_DATA(c), &segment, sizeof segment);
  used += CMSG_SPACE(sizeof segment);
}

// How many entries from `first` on can leave as one segmented send: same path, back to back, equal size, the last may
// be shorter.
size_t run_length(const SendBatch& batch, size_t first) {
  const auto& entries = batch.entries();
  const auto& head = entries[first];
  size_t count = 1;
  size_t bytes = head.size;
  if (head.size > kMaxSegmentSize) return count;
  while (first + count < entries.size() && count < kMaxSegments) {
    const auto& previous = entries[first + count - 1];
    const auto& next = entries[first + count];
    if (next.path != head.path || next.size > head.size || previous.size != head.size) break;
    if (next.offset != previous.offset + previous.size || bytes + next.size > kMaxSegmentedBytes) break;
    bytes += next.size;
    ++count;
  }
  return count;
}

}  // namespace

size_t UdpSocket::gather(const SendBatch& batch, size_t first, bool may_segment, OutgoingMessages& out) {
  const auto& entries = batch.entries();
  out.count = 0;
  size_t at = first;
  while (at < entries.size() && out.count < kSendMessages) {
    const auto& head = entries[at];
    if (!takes(head.path)) {
      if (out.count > 0) break;  // keep a message's entries contiguous: others' are skipped at the start only
      ++at;
      ++first;
      continue;
    }
    const size_t count = may_segment ? run_length(batch, at) : 1;
    const size_t i = out.count++;
    const auto& last = entries[at + count - 1];
    out.entries[i] = count;
    out.vectors[i] = {const_cast<uint8_t*>(batch.bytes(head).data()), last.offset + last.size - head.offset};
    out.headers[i] = {};
    msghdr& header = out.headers[i].msg_hdr;
    header.msg_name = &out.to[i];
    header.msg_namelen = fill_sockaddr(head.path.remote, is_v4_, out.to[i]);
    header.msg_iov = &out.vectors[i];
    header.msg_iovlen = 1;
    header.msg_control = out.control[i];
    size_t used = 0;
    // A socket that is bound to one address sends from it anyway; to be told costs the kernel a look-up each time.
    if (head.path.local != bound_.ip) add_pktinfo(header, used, head.path.local, is_v4_);
    if (count > 1) add_segment_size(header, used, head.size);
    header.msg_controllen = used;
    if (used == 0) header.msg_control = nullptr;
    at += count;
  }
  return first;
}

void UdpSocket::send(const SendBatch& batch) {
  static thread_local OutgoingMessages messages;
  size_t at = 0;
  while (at < batch.entries().size()) {
    at = gather(batch, at, can_segment_, messages);
    if (messages.count == 0) return;
    size_t sent = 0;
    while (sent < messages.count) {
      const int result =
          ::sendmmsg(fd_, messages.headers + sent, static_cast<unsigned>(messages.count - sent), MSG_DONTWAIT);
      const size_t done = result > 0 ? static_cast<size_t>(result) : 0;
      for (size_t i = sent; i < sent + done; ++i) {
        ++counters_.send_calls;
        counters_.datagrams_sent += messages.entries[i];
        counters_.bytes_sent += messages.vectors[i].iov_len;
        at += messages.entries[i];
        if (messages.entries[i] > 1) segment_refusals_ = 0;
      }
      sent += done;
      if (result > 0) continue;
      if (errno == EINTR) continue;
      const size_t count = messages.entries[sent];
      if (errno == EAGAIN || errno == ENOBUFS) {
        counters_.drop_send_full += count;
      } else if (count > 1 && (errno == EIO || errno == EINVAL)) {
        ++counters_.segment_refusals;
        if (++segment_refusals_ >= kMaxSegmentRefusals) can_segment_ = false;  // from now on each datagram on its own
        send_one_by_one(batch, at, count);
      } else {
        counters_.drop_send_error += count;
      }
      at += count;
      ++sent;
    }
  }
}

void UdpSocket::send_one_by_one(const SendBatch& batch, size_t first, size_t count) {
  SendBatch single;
  for (size_t i = first; i < first + count; ++i) {
    single.append(batch.entries()[i].path, batch.bytes(batch.entries()[i]));
  }
  static thread_local OutgoingMessages messages;
  for (size_t at = 0; at < count;) {
    gather(single, at, /*may_segment=*/false, messages);
    const int result = ::sendmmsg(fd_, messages.headers, static_cast<unsigned>(messages.count), MSG_DONTWAIT);
    const size_t done = result > 0 ? static_cast<size_t>(result) : 0;
    counters_.send_calls += done;
    counters_.datagrams_sent += done;
    for (size_t i = 0; i < done; ++i) counters_.bytes_sent += messages.vectors[i].iov_len;
    if (done == 0) ++counters_.drop_send_error;
    at += done == 0 ? 1 : done;
  }
}

}  // namespace atm::io

#include "receive_filter.h"

#include <linux/filter.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <sys/socket.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <span>

#ifndef UDP_GRO
#define UDP_GRO 104
#endif
#ifndef SO_MEMINFO
#define SO_MEMINFO 55
#endif

namespace atm::bench {
namespace {

constexpr uint32_t kUdpHeader = 8;  // a filter of a UDP socket sees it in front of the payload
constexpr uint32_t kKeep = 0x40000;

void attach(int fd, std::span<sock_filter> program) {
  const sock_fprog filter{static_cast<unsigned short>(program.size()), program.data()};
  if (setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &filter, sizeof filter) == 0) return;
  std::perror("bench: SO_ATTACH_FILTER");
  std::exit(1);
}

}  // namespace

void take_single_datagrams(int fd) {
  const int off = 0;
  setsockopt(fd, IPPROTO_UDP, UDP_GRO, &off, sizeof off);
}

void drop_media(int fd) {
  // RFC 7983 7: 128 to 191 is RTP or RTCP; RFC 5761 4: of these, RTCP has 192 to 223 in its second byte.
  std::array<sock_filter, 8> program{{
      BPF_STMT(BPF_LD | BPF_B | BPF_ABS, kUdpHeader),
      BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, 128, 0, 4),
      BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, 192, 3, 0),
      BPF_STMT(BPF_LD | BPF_B | BPF_ABS, kUdpHeader + 1),
      BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, 224, 2, 0),
      BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, 192, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, kKeep),
      BPF_STMT(BPF_RET | BPF_K, 0),
  }};
  attach(fd, program);
}

void drop_all(int fd) {
  std::array<sock_filter, 1> program{{BPF_STMT(BPF_RET | BPF_K, 0)}};
  attach(fd, program);
}

uint32_t dropped(int fd) {
  std::array<uint32_t, SK_MEMINFO_VARS> info{};
  socklen_t size = sizeof info;
  getsockopt(fd, SOL_SOCKET, SO_MEMINFO, info.data(), &size);
  return info[SK_MEMINFO_DROPS];
}

}  // namespace atm::bench

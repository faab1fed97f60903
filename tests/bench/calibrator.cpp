#include "calibrator.h"

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <thread>

#include "base/bytes.h"
#include "base/datagram.h"
#include "cpu.h"
#include "io/runtime/clock.h"
#include "receive_filter.h"
#include "wire/rtp/header.h"

namespace atm::bench {
namespace {

int open_socket(uint16_t& port) {
  const int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (fd < 0 || bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    std::perror("bench: calibrator");
    std::exit(1);
  }
  socklen_t size = sizeof address;
  getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size);
  port = ntohs(address.sin_port);
  return fd;
}

}  // namespace

Calibrator::Calibrator(size_t destinations) {
  uint16_t port = 0;
  fd_ = open_socket(port);
  const Bytes key(16, 0x11), salt(12, 0x22);
  destinations_.reserve(destinations);
  for (size_t i = 0; i < destinations; ++i) {
    const int fd = open_socket(port);
    drop_all(fd);
    destinations_.push_back({fd, port, srtp::SendContext(SrtpProfile::kAeadAes128Gcm, key, salt)});
  }
}

Calibrator::~Calibrator() {
  close(fd_);
  for (const Destination& destination : destinations_) close(destination.fd);
}

void Calibrator::send_all(const Shape& shape) {
  static const Bytes payload(kMaxDatagramSize, 0x5a);
  uint8_t datagram[kMaxDatagramSize];
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  for (size_t packet = 0; packet < shape.packets; ++packet) {
    for (Destination& destination : destinations_) {
      const rtp::Header header{false, 96, static_cast<uint16_t>(destination.sequence), 0, destination.port};
      const size_t at = rtp::write_header(datagram, header, {});
      const size_t plain = shape.bytes - srtp::kRtpOverhead;
      std::copy_n(payload.begin(), plain - at, datagram + at);
      const size_t size = destination.protect.protect_rtp(datagram, plain, destination.sequence++);
      to.sin_port = htons(destination.port);
      sendto(fd_, datagram, size, MSG_DONTWAIT, reinterpret_cast<const sockaddr*>(&to), sizeof to);
    }
  }
}

double Calibrator::run(const Shape& shape, Duration length, size_t core) {
  pin_to_core(core);
  const Instant end = io::read_clocks().mono + length;
  const uint64_t before = thread_cpu_ns();
  uint64_t sent = 0;
  for (Instant next = io::read_clocks().mono; next < end; next += shape.interval) {
    std::this_thread::sleep_for(next - io::read_clocks().mono);
    send_all(shape);
    sent += shape.packets * destinations_.size();
  }
  return static_cast<double>(thread_cpu_ns() - before) / static_cast<double>(sent);
}

}  // namespace atm::bench

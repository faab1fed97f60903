// What a naive server would spend on the same work: for each packet and each destination a copy, AES-128-GCM and one
// sendto. Measured in the same run as the server, at the same pace and on the same core, it tells how fast the machine
// is just now: figures of two runs compare by their ratio to it.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "base/time.h"
#include "core/srtp/send_context.h"

namespace atm::bench {

// What is sent: `packets` datagrams of `bytes` to every destination, `interval` apart.
struct Shape {
  size_t bytes = 1'200;
  size_t packets = 6;
  Duration interval{};
};

class Calibrator {
 public:
  explicit Calibrator(size_t destinations);
  ~Calibrator();
  Calibrator(const Calibrator&) = delete;
  Calibrator& operator=(const Calibrator&) = delete;

  // On `core`, for so long. Nanoseconds of CPU for each datagram sent.
  double run(const Shape& shape, Duration length, size_t core);

 private:
  struct Destination {
    int fd;
    uint16_t port;
    srtp::SendContext protect;
    uint64_t sequence = 0;
  };
  void send_all(const Shape& shape);

  int fd_;
  std::vector<Destination> destinations_;
};

}  // namespace atm::bench

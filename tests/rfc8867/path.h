// What lies between the ends of a case: the hops of both directions, and what shares them with the media (TCP, UDP at a
// constant rate). In virtual time for Trial, in real time for the relay (relay.cpp); it tells the meter what went
// through.
#pragma once

#include <memory>
#include <vector>

#include "hop.h"
#include "meter.h"
#include "scenario.h"
#include "tcp.h"

namespace atm::rfc8867 {

class Path {
 public:
  Path(const Scenario& scenario, Instant origin, uint64_t seed, Meter& meter);

  // A datagram of a media flow, by its sender or (feedback) by its receiver.
  void put(Instant now, size_t flow, bool is_from_sender, const Bytes& bytes);
  Instant next_event() const;
  // Media that has come to its end by now is appended to `out`; see came_from_sender.
  void carry(Instant now, bool is_forward, std::vector<Packet>& out);
  // What the others have to send.
  void on_timeout(Instant now);
  void tell_active_tcp();

  static bool came_from_sender(const Packet& packet) { return packet.number == 0; }

 private:
  void put(Instant now, size_t hop, Packet&& packet);
  void arrive(Instant now, Packet&& packet, std::vector<Packet>& out);

  const Scenario& scenario_;
  Instant origin_;
  Meter& meter_;
  std::vector<std::unique_ptr<Hop>> hops_[2];  // backward, forward
  std::vector<Tcp> tcp_;
  std::vector<Instant> next_fill_;
  std::vector<Packet> come_out_;
  std::vector<Packet> tcp_out_;
};

}  // namespace atm::rfc8867

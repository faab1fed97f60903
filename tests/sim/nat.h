// A network address translator in front of a simulated client, of the kinds of RFC 4787 (4.1 mapping, 5 filtering),
// with a time-out of mappings (4.3) and a change of its address in the middle of a call. For tests/sim World and
// IceWorld: datagrams out get an outer address, datagrams in the inner one, or nothing. Hairpinning is the world's,
// which knows who is inside.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "base/address.h"
#include "base/time.h"

namespace atm::sim {

// Of what about the other end a mapping, or the right to come in, depends.
enum class NatDependence : uint8_t { kEndpointIndependent, kAddress, kAddressAndPort };

struct NatConfig {
  NatDependence mapping = NatDependence::kEndpointIndependent;
  NatDependence filtering = NatDependence::kEndpointIndependent;
  bool hairpins = false;    // what is inside reaches its neighbours by their outer addresses, from its own (6)
  Duration timeout = 120s;  // of a mapping without a datagram out (RFC 4787 REQ-5: at least two minutes)
};

class Nat {
 public:
  Nat(NatConfig config, IpAddress outer) : config_(config), outer_{outer} {}

  // The outer address of a datagram out; makes the mapping and lets the other end in.
  SocketAddress out(Instant now, const SocketAddress& inner, const SocketAddress& to);
  // The inner address that a datagram goes to; nothing: no such mapping, or filtered.
  std::optional<SocketAddress> in(Instant now, const SocketAddress& outer, const SocketAddress& from);
  // Another address outside; all mappings are gone. The same address: as one that was restarted.
  void rebind(IpAddress outer);

  bool maps(const SocketAddress& outer) const;
  // Also of the addresses that it had.
  bool owns(const IpAddress& ip) const;
  const IpAddress& outer() const { return outer_.back(); }
  bool hairpins() const { return config_.hairpins; }
  uint64_t filtered() const { return filtered_; }
  uint64_t mappings_made() const { return made_; }

 private:
  struct Mapping {
    SocketAddress inner, outer;
    SocketAddress key;  // the other end, as far as the mapping depends on it
    Instant used;
    std::vector<SocketAddress> let_in;  // as far as filtering depends on it
  };
  static SocketAddress part_of(const SocketAddress& other, NatDependence dependence);
  bool is_alive(const Mapping& mapping, Instant now) const { return now - mapping.used < config_.timeout; }

  NatConfig config_;
  std::vector<IpAddress> outer_;  // the newest last
  std::vector<Mapping> mappings_;
  uint16_t next_port_ = 50'000;
  uint64_t filtered_ = 0;
  uint64_t made_ = 0;
};

}  // namespace atm::sim

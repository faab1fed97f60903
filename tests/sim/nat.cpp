#include "nat.h"

#include <algorithm>

namespace atm::sim {

SocketAddress Nat::part_of(const SocketAddress& other, NatDependence dependence) {
  switch (dependence) {
    case NatDependence::kEndpointIndependent:
      return {};
    case NatDependence::kAddress:
      return {other.ip, 0};
    case NatDependence::kAddressAndPort:
      return other;
  }
  return other;
}

SocketAddress Nat::out(Instant now, const SocketAddress& inner, const SocketAddress& to) {
  std::erase_if(mappings_, [&](const Mapping& mapping) { return !is_alive(mapping, now); });
  const SocketAddress key = part_of(to, config_.mapping);
  auto mapping = std::find_if(mappings_.begin(), mappings_.end(),
                              [&](const Mapping& m) { return m.inner == inner && m.key == key; });
  if (mapping == mappings_.end()) {
    ++made_;
    mappings_.push_back({inner, {outer(), next_port_++}, key, now, {}});
    mapping = std::prev(mappings_.end());
  }
  mapping->used = now;
  const SocketAddress allowed = part_of(to, config_.filtering);
  if (std::find(mapping->let_in.begin(), mapping->let_in.end(), allowed) == mapping->let_in.end()) {
    mapping->let_in.push_back(allowed);
  }
  return mapping->outer;
}

std::optional<SocketAddress> Nat::in(Instant now, const SocketAddress& outer, const SocketAddress& from) {
  const SocketAddress part = part_of(from, config_.filtering);
  for (const Mapping& mapping : mappings_) {
    if (mapping.outer != outer || !is_alive(mapping, now)) continue;
    if (std::find(mapping.let_in.begin(), mapping.let_in.end(), part) != mapping.let_in.end()) return mapping.inner;
  }
  ++filtered_;
  return std::nullopt;
}

void Nat::rebind(IpAddress outer) {
  mappings_.clear();
  std::erase(outer_, outer);
  outer_.push_back(outer);
}

bool Nat::maps(const SocketAddress& outer) const {
  return std::any_of(mappings_.begin(), mappings_.end(), [&](const Mapping& m) { return m.outer == outer; });
}

bool Nat::owns(const IpAddress& ip) const {
  return std::find(outer_.begin(), outer_.end(), ip) != outer_.end();
}

}  // namespace atm::sim

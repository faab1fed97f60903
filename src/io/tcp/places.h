// Who may have a TCP connection: at most so many in all and of one address, and fewer that have not shown yet whom they
// are for. Of these the one that waits longest makes room for the next, so that a flood of silent connections costs the
// others nothing but time to wait. For io/tcp/port.h; knows no socket.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <unordered_map>

#include "base/address.h"

namespace atm::io {

// Of one worker; each has a descriptor, up to kMaxQueued bytes and 4 KiB of its own, 72 MiB in all if all are slow.
inline constexpr size_t kMaxConnections = 2'048;
// Of them, from one address: an office behind a NAT whose firewall lets no UDP out, two connections for each client.
inline constexpr size_t kMaxPerAddress = 256;
// Without a first check yet: a client's comes within a round trip or two.
inline constexpr size_t kMaxWaiting = 256;
inline constexpr size_t kMaxWaitingPerAddress = 64;

class Places {
 public:
  struct Entry {
    bool may_stay = false;
    std::optional<uint64_t> evicted;  // has to go for it: one that waited
  };
  // Connection `id` has come; it waits from now on.
  Entry enter(uint64_t id, const IpAddress& from);
  // It has shown whom it is for.
  void admit(uint64_t id);
  void leave(uint64_t id);

  size_t connections() const { return addresses_.size(); }
  size_t waiting() const { return waiting_.size(); }

 private:
  struct Counts {
    size_t all = 0;
    size_t waiting = 0;
  };
  // An IPv6 host has a whole /64 to choose addresses from (RFC 4291 2.5.4).
  static IpAddress block_of(const IpAddress& ip);
  std::optional<uint64_t> oldest_waiting(const IpAddress* of) const;

  std::unordered_map<uint64_t, IpAddress> addresses_;  // their blocks
  std::unordered_map<IpAddress, Counts> counts_;
  std::deque<uint64_t> waiting_;  // in the order in which they came
};

}  // namespace atm::io

// Messages of the Data Channel Establishment Protocol (RFC 8832 5) and the payload protocol identifiers that tell what
// a message on a data channel is (RFC 8831 8). Called by core/sctp's DataChannels.
// Views point into the caller's bytes. Does not judge stream ids or roles.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "base/bytes.h"

namespace atm::sctp {

enum class Ppid : uint32_t {
  kDcep = 50,
  kText = 51,
  kBinary = 53,
  kEmptyText = 56,
  kEmptyBinary = 57,
};

struct DcepOpen {
  enum class Limit : uint8_t { kReliable = 0, kRetransmits = 1, kLifetime = 2 };
  Limit limit = Limit::kReliable;
  bool unordered = false;
  uint16_t priority = 0;
  uint32_t reliability = 0;  // number of retransmissions, or milliseconds
  std::string_view label;
  std::string_view protocol;
};

// RFC 8832 5.1. Nothing for another message, an unknown channel type or lengths that do not fit.
std::optional<DcepOpen> parse_dcep_open(ByteView message);
Bytes write_dcep_open(const DcepOpen& open);

// RFC 8832 5.2.
bool is_dcep_ack(ByteView message);
Bytes write_dcep_ack();

}  // namespace atm::sctp

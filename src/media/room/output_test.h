// An Output and what it refers to, as the node has them, for tests and benchmarks of rooms.
#pragma once

#include <utility>
#include <vector>

#include "media/room/output.h"

namespace atm::room {

struct OwnedOutput {
  explicit OwnedOutput(PacketPool& pool)
      : out{datagrams, pool, events, touched, relay, spare_bursts, rooms_due, questions} {}
  OwnedOutput(const OwnedOutput&) = delete;
  OwnedOutput& operator=(const OwnedOutput&) = delete;

  SendBatch datagrams;
  std::vector<std::pair<SessionId, contract::Event>> events;
  std::vector<SessionId> touched;
  std::vector<RelayMessage> relay, spare_bursts;
  Instant rooms_due = kNever;
  std::vector<contract::TokenQuestion> questions;
  Output out;
};

}  // namespace atm::room

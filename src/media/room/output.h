// What room and session logic puts out besides datagrams: events to tell sessions, whose deadline has moved, and what
// goes to other slices. The node owns one and empties it after every input.
#pragma once

#include <algorithm>
#include <utility>
#include <vector>

#include "base/datagram.h"
#include "contract/renewal.h"
#include "contract/session.h"
#include "media/room/relay.h"
#include "media/sender/source.h"

namespace atm::room {

using sender::SessionId;

struct Output {
  SendBatch& datagrams;
  PacketPool& pool;
  std::vector<std::pair<SessionId, contract::Event>>& events;
  std::vector<SessionId>& touched;  // next_timeout() of these may have become earlier
  std::vector<RelayMessage>& relay;
  std::vector<RelayMessage>& spare_bursts;  // with packets, and read by others: their buffers are used again
  Instant& rooms_due;                       // the earliest next_timeout() of any room; only ever moved forward in here
  std::vector<contract::TokenQuestion>& questions;  // for control

  void wake_rooms_at(Instant due) { rooms_due = std::min(rooms_due, due); }
};

}  // namespace atm::room

// What room and session logic puts out besides datagrams: events to tell sessions, and whose deadline has moved.
// The node owns one and empties it after every input.
#pragma once

#include <utility>
#include <vector>

#include "base/datagram.h"
#include "contract/session.h"
#include "media/sender/source.h"

namespace atm0s::room {

using sender::SessionId;

struct Output {
  SendBatch& datagrams;
  PacketPool& pool;
  std::vector<std::pair<SessionId, contract::Event>>& events;
  std::vector<SessionId>& touched;  // next_timeout() of these may have become earlier
};

}  // namespace atm0s::room

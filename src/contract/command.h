// What the control thread posts to a worker and what comes back: plain structs through bounded mailboxes.
// `ticket` is chosen by the poster and comes back in the reply; the worker gives it no meaning.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/result.h"
#include "contract/admin.h"
#include "contract/ending.h"
#include "contract/renewal.h"
#include "contract/session.h"

namespace atm::contract {

// conn_id: "<worker>-<session>-<128 random bits>", the worker's index in decimal, the rest in hexadecimal: control
// knows whom to ask, the worker which session is meant; the random part proves the right. It is the only credential of
// the calls below.
struct Connect {
  ConnectRequest request;
  // The last worker that is asked: it takes the session even if its slice of the room is full.
  bool is_last_choice = false;
  size_t workers_tried = 0;  // for control
};
struct IceRemote {
  std::string conn_id;
  std::string candidate;          // candidate-attribute of RFC 8839, without "a="; empty: end of candidates
  std::string username_fragment;  // "" when the client did not say
};
struct IceRestart {
  std::string conn_id;
  std::string sdp;  // the offer
};
struct Disconnect {
  std::string conn_id;
  Protocol protocol = Protocol::kWebrtc;  // of the URL that was asked; those of WHIP and WHEP are for their sessions
};
// PATCH on the session of WHIP or WHEP: candidates, or the credentials of an ICE restart. The reply is Done or
// IceRestarted.
struct PatchIce {
  std::string conn_id;
  Protocol protocol = Protocol::kWhip;
  std::string fragment;           // application/trickle-ice-sdpfrag (RFC 8840)
  bool matches_any = false;       // If-Match: *
  std::vector<std::string> tags;  // of If-Match otherwise, without their quotes
};
// GET on it: Done, or there is none.
struct FindSession {
  std::string conn_id;
  Protocol protocol = Protocol::kWhip;
};
// A snapshot for GET /metrics.
struct ReadStats {};
// Ends every session with session_closing and takes no new one; the reply comes when none is left.
struct Drain {};
// Ends the sessions that fit all that is said; the reply is a Count of them.
struct EndSessions {
  Ending ending = Ending::kKick;
  std::optional<std::string> room, peer;
  std::optional<std::string> token_id;
};

struct Command {
  uint64_t ticket = 0;
  // A TokenVerdict has no reply.
  std::variant<Connect, IceRemote, IceRestart, Disconnect, PatchIce, FindSession, ReadStats, Drain, EndSessions,
               TokenVerdict, ReadRooms, ReadRoom, SetRights, MuteStream, TakeSessions>
      body;
};

struct ConnectDone {
  std::string conn_id;
  std::string sdp;  // the answer
  std::string peer = {};
  std::string ice_tag = {};  // names the ICE session, until the next restart
};
struct IceRestarted {
  std::string fragment;  // the new credentials and the candidates
  std::string ice_tag;
};
struct Done {};
// How many it was done to.
struct Count {
  size_t count = 0;
};
// The worker's slice of that room is full: another worker is to be asked, with this command.
struct Elsewhere {
  Connect command;
};
// Name, help and value of each counter and gauge of one worker, Prometheus naming (snake_case, _total for counters).
struct Stats {
  struct Value {
    const char* name;  // a literal; the same name several times with different labels
    const char* help;
    bool is_counter;
    std::string labels;  // `reason="bad_mac"` or ""
    double value;
  };
  std::vector<Value> values;
};

// A TokenQuestion answers no command: its ticket says nothing.
struct Reply {
  uint64_t ticket = 0;
  std::variant<Done, ConnectDone, IceRestarted, Stats, Error, Elsewhere, Count, TokenQuestion, RoomsRead, RoomRead>
      body;
};

}  // namespace atm::contract

// Why the server ends a session. Made by whoever ends one (node, media/session), told to its client with
// session_closing before the connection goes, and written to the log.
#pragma once

#include <cstdint>

namespace atm::contract {

enum class Ending : uint8_t {
  kShutdown,       // the server stops
  kDrain,          // the server goes on, but not with sessions
  kKick,           // by the admin API
  kReplaced,       // a newer session of its peer is there
  kDuplicatePeer,  // an older session of its peer is there, and the server is set to refuse another
  kTokenExpired,
  kTokenRevoked,
  kDisconnected,  // by DELETE: whoever has the conn_id
};

// The text of `reason` on the wire.
constexpr const char* to_text(Ending ending) {
  switch (ending) {
    case Ending::kShutdown:
      return "shutdown";
    case Ending::kDrain:
      return "drain";
    case Ending::kKick:
      return "kick";
    case Ending::kReplaced:
      return "replaced";
    case Ending::kDuplicatePeer:
      return "duplicate_peer";
    case Ending::kTokenExpired:
      return "token_expired";
    case Ending::kTokenRevoked:
      return "token_revoked";
    case Ending::kDisconnected:
      return "disconnected";
  }
  return "disconnected";
}

}  // namespace atm::contract

// The URLs of STUN and TURN servers (RFC 7064, RFC 7065): "stun:host[:port]", "turn:host[:port][?transport=udp|tcp]",
// "turns:…" over TLS. For whoever has the `ice_servers` of a session: what it says of a bad one is for its author.
// Resolves no names. Knows no stuns: (an address seen over TLS is of no use to UDP) and no turns: over UDP (DTLS).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace atm::turn {

inline constexpr size_t kMaxUrl = 512;           // bytes; a DNS name has 253 at most
inline constexpr uint16_t kDefaultPort = 3'478;  // RFC 8489 8.1, RFC 8656 2.1
inline constexpr uint16_t kDefaultTlsPort = 5'349;

enum class ServerKind : uint8_t { kStun, kTurn };
// How a client reaches its server. Between the server and the peers it is always UDP.
enum class Protocol : uint8_t { kUdp, kTcp, kTls };

struct ServerUrl {
  ServerKind kind = ServerKind::kStun;
  Protocol protocol = Protocol::kUdp;
  std::string host;  // a name or a literal address, without brackets
  uint16_t port = 0;
  bool operator==(const ServerUrl&) const = default;
};

// INVALID_REQUEST, and what is wrong.
Result<ServerUrl> parse_server_url(std::string_view text);
// "TURN server turn.example.org:443 over TLS", for messages.
std::string to_text(const ServerUrl& url);

}  // namespace atm::turn

// ICE candidates and their text, the candidate-attribute of RFC 8839 5.1. For SDP, trickling and the agent.
// Ours are UDP ones and passive TCP ones (RFC 6544): at these we wait for the peer's connection.
// parse_candidate gives UDP candidates with a literal address only: TCP ones and host names (browsers hide addresses
// behind mDNS ".local" names) are lawful and simply not ours, so they are nothing, like malformed ones.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/address.h"

namespace atm::ice {

// RFC 8445 5.1.1
enum class CandidateType : uint8_t { kHost, kServerReflexive, kPeerReflexive, kRelayed };

inline constexpr size_t kMaxCandidateText = 1'024;  // bytes; a browser's has about 150
inline constexpr size_t kMaxFoundation = 32;        // characters, RFC 8839 5.1

struct Candidate {
  std::string foundation;
  uint16_t component = 1;  // 1 to 256; with rtcp-mux there is only 1
  uint32_t priority = 0;
  SocketAddress address;
  CandidateType type = CandidateType::kHost;
  std::optional<SocketAddress> related;   // raddr, rport: of all types but host
  Transport transport = Transport::kUdp;  // TCP: a passive one
  std::string ufrag;                      // the "ufrag" extension of trickled ones: their generation; may be empty
  bool operator==(const Candidate&) const = default;
};

// Takes "candidate:…", "a=candidate:…", and the value alone.
std::optional<Candidate> parse_candidate(std::string_view text);
// "candidate:…", without "a=".
std::string to_text(const Candidate& candidate);

// RFC 8445 5.1.2.1. `local_preference`: 65535 for the only or the best address, lower for the next ones.
uint32_t candidate_priority(CandidateType type, uint16_t local_preference, uint16_t component);
inline uint32_t host_priority(uint16_t local_preference = 65535, uint16_t component = 1) {
  return candidate_priority(CandidateType::kHost, local_preference, component);
}

// RFC 8445 7.1.1: the PRIORITY of a check, which a peer-reflexive candidate learned from it would have.
uint32_t reflexive_priority(uint32_t local_priority);

// The local end of paths from this local candidate: its base (RFC 8445 5.1.1: a host's own address, that of the host
// behind a server-reflexive one, the relayed address itself), as Path::local and Path::local_port.
struct Base {
  IpAddress ip;
  uint16_t local_port = 0;
  bool operator==(const Base&) const = default;
};
Base base_of(const Candidate& local);
inline Base base_of(const Path& path) {
  return {path.local, path.local_port};
}

// A host candidate with its foundation (RFC 8445 5.1.1.3: one for each base address).
Candidate make_host_candidate(const SocketAddress& address, uint16_t local_preference = 65535);
// The same for a port at which TCP connections are taken. `other_preference`: 8191 for the only or the best address.
// Its priority is below that of any host and reflexive candidate over UDP.
Candidate make_tcp_candidate(const SocketAddress& address, uint16_t other_preference = 8191);

}  // namespace atm::ice

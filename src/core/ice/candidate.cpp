#include "core/ice/candidate.h"

#include <algorithm>
#include <charconv>

#include "base/assert.h"

namespace atm::ice {
namespace {

struct TypeName {
  CandidateType type;
  std::string_view text;
  uint32_t preference;  // RFC 8445 5.1.2.2's recommended values
};
constexpr TypeName kTypes[] = {{CandidateType::kHost, "host", 126},
                               {CandidateType::kServerReflexive, "srflx", 100},
                               {CandidateType::kPeerReflexive, "prflx", 110},
                               {CandidateType::kRelayed, "relay", 0}};

// RFC 8445 5.1.2.1 has types that are wanted less below others; the value is libwebrtc's for host candidates over TCP,
// under that of every UDP one but relayed.
constexpr uint32_t kTcpHostPreference = 90;
constexpr uint32_t kPassivePreference = 4;  // RFC 6544 4.2's recommended value

const TypeName& name_of(CandidateType type) {
  return *std::find_if(std::begin(kTypes), std::end(kTypes), [&](const TypeName& name) { return name.type == type; });
}

bool is_ice_char(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '+' || c == '/';
}

bool equals_ignoring_case(std::string_view a, std::string_view lower) {
  return std::equal(a.begin(), a.end(), lower.begin(), lower.end(),
                    [](char x, char y) { return (x >= 'A' && x <= 'Z' ? x - 'A' + 'a' : x) == y; });
}

std::optional<uint32_t> parse_number(std::string_view text, uint32_t max) {
  uint32_t value = 0;
  const auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (ec != std::errc{} || end != text.data() + text.size() || value > max) return std::nullopt;
  return value;
}

// The words of the line, one at a time; an empty one when there is none left.
class Words {
 public:
  explicit Words(std::string_view text) : text_(text) {}
  std::string_view next() {
    text_.remove_prefix(std::min(text_.find_first_not_of(' '), text_.size()));
    const std::string_view word = text_.substr(0, text_.find(' '));
    text_.remove_prefix(word.size());
    return word;
  }

 private:
  std::string_view text_;
};

std::optional<SocketAddress> parse_address(std::string_view ip_text, std::string_view port_text) {
  const auto ip = IpAddress::parse(ip_text);
  const auto port = parse_number(port_text, 65535);
  if (!ip || !port) return std::nullopt;
  return SocketAddress{*ip, static_cast<uint16_t>(*port)};
}

// RFC 8839 5.1: after the type come raddr and rport, then any pairs of a name and a value.
void parse_extensions(Words& words, Candidate& out) {
  std::string_view related_ip;
  for (std::string_view name = words.next(); !name.empty(); name = words.next()) {
    const std::string_view value = words.next();
    if (name == "raddr") {
      related_ip = value;
    } else if (name == "rport") {
      out.related = parse_address(related_ip, value);
    } else if (name == "ufrag" && value.size() <= 256) {
      out.ufrag = value;
    }
  }
}

void remove_line_end(std::string_view& text) {
  while (!text.empty() && (text.back() == '\r' || text.back() == '\n')) text.remove_suffix(1);
}

}  // namespace

std::optional<Candidate> parse_candidate(std::string_view text) {
  if (text.size() > kMaxCandidateText) return std::nullopt;
  remove_line_end(text);
  for (const std::string_view prefix : {"a=", "candidate:"}) {
    if (text.starts_with(prefix)) text.remove_prefix(prefix.size());
  }
  Words words(text);
  Candidate out;
  out.foundation = words.next();
  if (out.foundation.empty() || out.foundation.size() > kMaxFoundation ||
      !std::all_of(out.foundation.begin(), out.foundation.end(), is_ice_char)) {
    return std::nullopt;
  }
  const auto component = parse_number(words.next(), 256);
  if (!component || *component == 0) return std::nullopt;
  out.component = static_cast<uint16_t>(*component);
  if (!equals_ignoring_case(words.next(), "udp")) return std::nullopt;
  const auto priority = parse_number(words.next(), UINT32_MAX);
  if (!priority) return std::nullopt;
  out.priority = *priority;
  const std::string_view ip = words.next();
  const auto address = parse_address(ip, words.next());
  // Port 0 cannot be sent to, "0.0.0.0" stands for an address that was held back.
  if (!address || address->port == 0 || address->ip.is_unspecified()) return std::nullopt;
  out.address = *address;
  if (words.next() != "typ") return std::nullopt;
  const std::string_view type = words.next();
  const auto* name =
      std::find_if(std::begin(kTypes), std::end(kTypes), [&](const TypeName& known) { return known.text == type; });
  if (name == std::end(kTypes)) return std::nullopt;
  out.type = name->type;
  parse_extensions(words, out);
  return out;
}

std::string to_text(const Candidate& candidate) {
  std::string out = "candidate:" + candidate.foundation + ' ' + std::to_string(candidate.component) +
                    (candidate.transport == Transport::kUdp ? " udp " : " tcp ") + std::to_string(candidate.priority) +
                    ' ' + candidate.address.ip.to_string() + ' ' + std::to_string(candidate.address.port) + " typ ";
  out += name_of(candidate.type).text;
  if (candidate.related) {
    out += " raddr " + candidate.related->ip.to_string() + " rport " + std::to_string(candidate.related->port);
  }
  if (candidate.transport == Transport::kTcp) out += " tcptype passive";  // RFC 6544 4.5
  if (!candidate.ufrag.empty()) out += " ufrag " + candidate.ufrag;
  return out;
}

uint32_t candidate_priority(CandidateType type, uint16_t local_preference, uint16_t component) {
  ASSERT(component >= 1 && component <= 256);
  return name_of(type).preference << 24 | uint32_t{local_preference} << 8 | (256u - component);
}

uint32_t reflexive_priority(uint32_t local_priority) {
  return name_of(CandidateType::kPeerReflexive).preference << 24 | (local_priority & 0x00ffffffu);
}

Base base_of(const Candidate& local) {
  switch (local.type) {
    case CandidateType::kRelayed:
      return {local.address.ip, local.address.port};
    case CandidateType::kServerReflexive:
      return {local.related ? local.related->ip : local.address.ip};
    case CandidateType::kHost:
    case CandidateType::kPeerReflexive:
      break;
  }
  return {local.address.ip};
}

Candidate make_host_candidate(const SocketAddress& address, uint16_t local_preference) {
  Candidate out;
  // RFC 8445 5.1.1.3: the same for candidates of one type and base; the address itself, hashed, is that and short.
  out.foundation = std::to_string(static_cast<uint32_t>(std::hash<IpAddress>{}(address.ip)));
  out.priority = host_priority(local_preference, out.component);
  out.address = address;
  return out;
}

Candidate make_tcp_candidate(const SocketAddress& address, uint16_t other_preference) {
  ASSERT(other_preference < 1u << 13);
  Candidate out;
  // RFC 8445 5.1.1.3: another one for another transport.
  out.foundation = std::to_string(static_cast<uint32_t>(~std::hash<IpAddress>{}(address.ip)));
  // RFC 6544 4.2: the local preference begins with that of the direction.
  const uint32_t local_preference = kPassivePreference << 13 | other_preference;
  out.priority = kTcpHostPreference << 24 | local_preference << 8 | (256u - out.component);
  out.address = address;
  out.transport = Transport::kTcp;
  return out;
}

}  // namespace atm::ice

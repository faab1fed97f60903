#include "core/turn/server_url.h"

#include <algorithm>
#include <charconv>

#include "base/address.h"

namespace atm::turn {
namespace {

tl::unexpected<Error> refuse(std::string_view url, std::string_view why) {
  std::string text = "ICE server URL \"";
  text += url.substr(0, kMaxUrl);
  text += "\" ";
  text += why;
  return fail(ErrorCode::kInvalidRequest, std::move(text));
}

std::string to_lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return out;
}

bool is_name(std::string_view host) {
  return !host.empty() && std::all_of(host.begin(), host.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '.' ||
           c == '_';
  });
}

// "host", "host:port", "[v6]", "[v6]:port". False: malformed.
bool split_host(std::string_view text, std::string_view& host, std::string_view& port) {
  size_t colon = std::string_view::npos;
  if (text.starts_with('[')) {
    const size_t end = text.find(']');
    if (end == std::string_view::npos) return false;
    host = text.substr(1, end - 1);
    const auto ip = IpAddress::parse(host);
    if (!ip || host.find(':') == std::string_view::npos) return false;
    if (end + 1 == text.size()) return true;
    colon = end + 1;
    if (text[colon] != ':') return false;
  } else {
    colon = text.find(':');
    host = text.substr(0, colon);
    if (!is_name(host)) return false;
    if (colon == std::string_view::npos) return true;
  }
  port = text.substr(colon + 1);
  return !port.empty();
}

}  // namespace

Result<ServerUrl> parse_server_url(std::string_view text) {
  if (text.size() > kMaxUrl) return refuse(text, "is too long");
  const size_t colon = text.find(':');
  if (colon == std::string_view::npos) return refuse(text, "has no scheme: stun:, turn: or turns:");
  const std::string scheme = to_lower(text.substr(0, colon));
  ServerUrl out;
  if (scheme == "stuns") return refuse(text, "is STUN over TLS, which is not supported: use stun:");
  if (scheme != "stun" && scheme != "turn" && scheme != "turns") {
    return refuse(text, "has another scheme than stun:, turn: or turns:");
  }
  out.kind = scheme == "stun" ? ServerKind::kStun : ServerKind::kTurn;
  const bool is_secure = scheme == "turns";
  out.protocol = is_secure ? Protocol::kTls : Protocol::kUdp;
  out.port = is_secure ? kDefaultTlsPort : kDefaultPort;

  std::string_view rest = text.substr(colon + 1);
  if (rest.starts_with("//")) return refuse(text, "must not have // after its scheme (RFC 7065)");
  const size_t question = rest.find('?');
  if (question != std::string_view::npos) {
    const std::string query = to_lower(rest.substr(question + 1));
    rest = rest.substr(0, question);
    if (out.kind == ServerKind::kStun) return refuse(text, "must have no query (RFC 7064)");
    if (query == "transport=tcp") {
      if (!is_secure) out.protocol = Protocol::kTcp;
    } else if (query != "transport=udp") {
      return refuse(text, "may only have ?transport=udp or ?transport=tcp (RFC 7065)");
    } else if (is_secure) {
      return refuse(text, "is TURN over DTLS, which is not supported: use ?transport=tcp");
    }
  }
  std::string_view host, port;
  if (!split_host(rest, host, port)) return refuse(text, "has no host, or a malformed one");
  if (!port.empty()) {
    const auto [end, ec] = std::from_chars(port.data(), port.data() + port.size(), out.port);
    if (ec != std::errc{} || end != port.data() + port.size() || out.port == 0) {
      return refuse(text, "has a port that is no number from 1 to 65535");
    }
  }
  out.host = host;
  return out;
}

std::string to_text(const ServerUrl& url) {
  std::string out = url.kind == ServerKind::kStun ? "STUN server " : "TURN server ";
  out += url.host.find(':') == std::string::npos ? url.host : '[' + url.host + ']';
  out += ':' + std::to_string(url.port);
  if (url.protocol != Protocol::kUdp) out += url.protocol == Protocol::kTcp ? " over TCP" : " over TLS";
  return out;
}

}  // namespace atm::turn

#include "io/http/url.h"

#include <algorithm>
#include <charconv>

#include "base/address.h"

namespace atm::io {
namespace {

constexpr size_t kLabelBytes = 63;  // RFC 1035 2.3.4
constexpr uint16_t kHttpPort = 80;
constexpr uint16_t kHttpsPort = 443;

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

std::string to_lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + 32);
  }
  return out;
}

tl::unexpected<Error> refuse(std::string why) {
  return fail(ErrorCode::kInvalidConfig, "URL: " + std::move(why));
}

// RFC 1123 2.1, and "_", which names inside of companies have.
Result<std::string> parse_name(std::string_view text) {
  const std::string host = to_lower(text);
  if (host.size() > kMaxHostBytes) return refuse("the host name is too long");
  std::string_view rest = host;
  if (rest.ends_with('.')) rest.remove_suffix(1);  // RFC 1034 3.1: the root may be written
  std::string_view label;
  for (bool more = true; more;) {
    const size_t dot = rest.find('.');
    label = rest.substr(0, dot);
    more = dot != std::string_view::npos;
    if (more) rest.remove_prefix(dot + 1);
    if (label.empty()) return refuse("the host name \"" + host + "\" has an empty part");
    if (label.size() > kLabelBytes) return refuse("a part of the host name is longer than 63 characters");
    for (const char c : label) {
      if (is_digit(c) || (c >= 'a' && c <= 'z') || c == '-' || c == '_') continue;
      if (static_cast<unsigned char>(c) >= 0x80) return refuse("the host name is not ASCII; write its xn-- form");
      return refuse("the host name has a character that no host name has");
    }
  }
  // RFC 3986 7.4: "127.1" is an address for some resolvers and a name for others.
  if (std::all_of(label.begin(), label.end(), is_digit) && !IpAddress::parse(host)) {
    return refuse("\"" + host + "\" is no IPv4 address");
  }
  return host;
}

Result<uint16_t> parse_port(std::string_view text, uint16_t usual) {
  if (text.empty()) return usual;  // RFC 3986 3.2.3: "host:" is "host"
  uint16_t port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (error != std::errc() || end != text.data() + text.size() || port == 0) {
    return refuse("the port is not a number from 1 to 65535");
  }
  return port;
}

Result<std::string> parse_target(std::string_view text) {
  text = text.substr(0, text.find('#'));  // RFC 9110 4.2.5: a fragment is not sent
  std::string out(text.starts_with('/') ? "" : "/");
  out += text;
  for (const char c : out) {
    // RFC 3986 2: these are written percent-encoded. They are refused, not encoded: nobody can know what was meant.
    if (c <= ' ' || c == 0x7f || std::string_view("\"<>\\^`{|}").find(c) != std::string_view::npos) {
      return refuse("the path has a character that must be percent-encoded");
    }
  }
  return out;
}

}  // namespace

std::string Url::host_header() const {
  std::string out = host.find(':') == std::string::npos ? host : "[" + host + "]";
  if (port != (is_https ? kHttpsPort : kHttpPort)) out += ":" + std::to_string(port);
  return out;
}

std::string Url::to_string() const {
  return (is_https ? "https://" : "http://") + host_header() + target;
}

Result<Url> parse_url(std::string_view text) {
  if (text.size() > kMaxUrlBytes) return refuse("longer than " + std::to_string(kMaxUrlBytes) + " bytes");
  const size_t colon = text.find("://");
  if (colon == std::string_view::npos) return refuse("it has to begin with http:// or https://");
  Url url;
  const std::string scheme = to_lower(text.substr(0, colon));
  if (scheme != "http" && scheme != "https") return refuse("the scheme has to be http or https");
  url.is_https = scheme == "https";
  text.remove_prefix(colon + 3);

  const size_t authority_end = std::min(text.find_first_of("/?#"), text.size());
  std::string_view authority = text.substr(0, authority_end);
  // RFC 9110 4.2.4: user info is not sent, and is mostly there to deceive.
  if (authority.find('@') != std::string_view::npos) return refuse("user info (user@host) is not supported");
  std::string_view port;
  if (authority.starts_with('[')) {
    const size_t close = authority.find(']');
    const auto address = IpAddress::parse(authority.substr(1, close == std::string_view::npos ? close : close - 1));
    if (close == std::string_view::npos || !address || authority.substr(0, close).find(':') == std::string_view::npos) {
      return refuse("what is in [ ] is no IPv6 address");
    }
    url.host = to_lower(authority.substr(1, close - 1));
    port = authority.substr(close + 1);
    if (!port.empty() && port.front() != ':') return refuse("after [ ] only a port may come");
  } else {
    const size_t port_at = std::min(authority.find(':'), authority.size());
    if (port_at == 0) return refuse("it has no host");
    TRY(host, parse_name(authority.substr(0, port_at)));
    url.host = host;
    port = authority.substr(port_at);
  }
  if (!port.empty()) port.remove_prefix(1);
  TRY(number, parse_port(port, url.is_https ? kHttpsPort : kHttpPort));
  TRY(target, parse_target(text.substr(authority_end)));
  url.port = number;
  url.target = target;
  return url;
}

}  // namespace atm::io

#include "base/address.h"

#include <charconv>
#include <cstring>

namespace atm {
namespace {

constexpr std::array<uint8_t, 12> kMappedPrefix = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

template <typename T>
std::optional<T> parse_number(std::string_view text, int base, unsigned max) {
  unsigned value = 0;
  const auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), value, base);
  if (ec != std::errc{} || end != text.data() + text.size() || text.empty() || value > max) return std::nullopt;
  return static_cast<T>(value);
}

std::optional<IpAddress> parse_v4(std::string_view text) {
  uint8_t octets[4];
  for (int i = 0; i < 4; ++i) {
    const size_t dot = text.find('.');
    if ((dot == std::string_view::npos) != (i == 3)) return std::nullopt;
    const std::string_view part = text.substr(0, dot);
    if (part.size() > 3 || (part.size() > 1 && part[0] == '0')) return std::nullopt;
    const auto value = parse_number<uint8_t>(part, 10, 255);
    if (!value) return std::nullopt;
    octets[i] = *value;
    if (i < 3) text.remove_prefix(dot + 1);
  }
  return IpAddress::v4(octets);
}

// Groups of one side of "::"; a dotted quad may end it. Returns how many bytes were written, or nothing.
std::optional<size_t> parse_groups(std::string_view text, uint8_t* out, size_t capacity) {
  size_t at = 0;
  while (!text.empty()) {
    const size_t colon = text.find(':');
    const std::string_view part = text.substr(0, colon);
    if (part.find('.') != std::string_view::npos) {
      const auto v4 = parse_v4(part);
      if (!v4 || colon != std::string_view::npos || at + 4 > capacity) return std::nullopt;
      std::memcpy(out + at, v4->bytes().data() + 12, 4);
      return at + 4;
    }
    const auto group = part.size() <= 4 ? parse_number<uint16_t>(part, 16, 0xffff) : std::nullopt;
    if (!group || at + 2 > capacity) return std::nullopt;
    out[at++] = static_cast<uint8_t>(*group >> 8);
    out[at++] = static_cast<uint8_t>(*group);
    if (colon == std::string_view::npos) return at;
    text.remove_prefix(colon + 1);
    if (text.empty()) return std::nullopt;  // ends in a single colon
  }
  return at;
}

std::optional<IpAddress> parse_v6(std::string_view text) {
  std::array<uint8_t, 16> bytes{};
  const size_t gap = text.find("::");
  if (gap == std::string_view::npos) {
    const auto size = parse_groups(text, bytes.data(), 16);
    if (!size || *size != 16) return std::nullopt;
    return IpAddress::v6(bytes);
  }
  uint8_t tail[16];
  const auto head_size = parse_groups(text.substr(0, gap), bytes.data(), 14);
  const auto tail_size = parse_groups(text.substr(gap + 2), tail, 14);
  if (!head_size || !tail_size || *head_size + *tail_size > 14) return std::nullopt;
  std::memcpy(bytes.data() + 16 - *tail_size, tail, *tail_size);
  return IpAddress::v6(bytes);
}

}  // namespace

IpAddress IpAddress::v4(uint8_t a, uint8_t b, uint8_t c, uint8_t d) {
  IpAddress out;
  std::memcpy(out.bytes_.data(), kMappedPrefix.data(), kMappedPrefix.size());
  out.bytes_[12] = a;
  out.bytes_[13] = b;
  out.bytes_[14] = c;
  out.bytes_[15] = d;
  return out;
}

IpAddress IpAddress::v6(const std::array<uint8_t, 16>& bytes) {
  IpAddress out;
  out.bytes_ = bytes;
  return out;
}

std::optional<IpAddress> IpAddress::parse(std::string_view text) {
  if (text.size() > 45) return std::nullopt;  // RFC 4291: the longest text form
  return text.find(':') == std::string_view::npos ? parse_v4(text) : parse_v6(text);
}

bool IpAddress::is_v4() const {
  return std::memcmp(bytes_.data(), kMappedPrefix.data(), kMappedPrefix.size()) == 0;
}

bool IpAddress::is_unspecified() const {
  return *this == IpAddress{} || *this == v4(0, 0, 0, 0);
}

bool IpAddress::is_loopback() const {
  if (is_v4()) return bytes_[12] == 127;
  IpAddress one;
  one.bytes_[15] = 1;
  return *this == one;
}

bool IpAddress::is_link_local() const {
  if (is_v4()) return bytes_[12] == 169 && bytes_[13] == 254;
  return bytes_[0] == 0xfe && (bytes_[1] & 0xc0) == 0x80;
}

std::string IpAddress::to_string() const {
  if (is_v4()) {
    return std::to_string(bytes_[12]) + '.' + std::to_string(bytes_[13]) + '.' + std::to_string(bytes_[14]) + '.' +
           std::to_string(bytes_[15]);
  }
  // RFC 5952 4.2: the longest run of two or more zero groups becomes "::", the first one on a tie.
  uint16_t groups[8];
  for (int i = 0; i < 8; ++i) groups[i] = static_cast<uint16_t>(bytes_[2 * i] << 8 | bytes_[2 * i + 1]);
  int best = -1;
  int best_length = 1;
  for (int i = 0; i < 8; ++i) {
    int length = 0;
    while (i + length < 8 && groups[i + length] == 0) ++length;
    if (length > best_length) {
      best = i;
      best_length = length;
    }
  }
  std::string out;
  for (int i = 0; i < 8; ++i) {
    if (i == best) {
      out += "::";
      i += best_length - 1;
      continue;
    }
    if (!out.empty() && out.back() != ':') out += ':';
    char text[5];
    const auto end = std::to_chars(text, text + sizeof text, groups[i], 16).ptr;
    out.append(text, end);
  }
  return out;
}

std::optional<SocketAddress> SocketAddress::parse(std::string_view text) {
  const size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) return std::nullopt;
  std::string_view host = text.substr(0, colon);
  const auto port = parse_number<uint16_t>(text.substr(colon + 1), 10, 65535);
  if (host.size() >= 2 && host.front() == '[' && host.back() == ']') {
    host = host.substr(1, host.size() - 2);
  } else if (host.find(':') != std::string_view::npos) {
    return std::nullopt;
  }
  const auto ip = IpAddress::parse(host);
  if (!ip || !port) return std::nullopt;
  return SocketAddress{*ip, *port};
}

std::string SocketAddress::to_string() const {
  return ip.is_v4() ? ip.to_string() + ':' + std::to_string(port) : '[' + ip.to_string() + "]:" + std::to_string(port);
}

}  // namespace atm

namespace {
// Two multiplications spread all 16 bytes; a map compares the whole key, so a collision costs time and never a mix-up.
size_t mix(uint64_t high, uint64_t low, uint64_t seed) {
  uint64_t h = (high ^ seed) * 0x9e3779b97f4a7c15;
  h ^= h >> 29;
  h = (h ^ low) * 0xbf58476d1ce4e5b9;
  return static_cast<size_t>(h ^ (h >> 32));
}
}  // namespace

size_t std::hash<atm::IpAddress>::operator()(const atm::IpAddress& a) const noexcept {
  uint64_t words[2];
  std::memcpy(words, a.bytes().data(), sizeof words);
  return mix(words[0], words[1], 0);
}

size_t std::hash<atm::SocketAddress>::operator()(const atm::SocketAddress& a) const noexcept {
  uint64_t words[2];
  std::memcpy(words, a.ip.bytes().data(), sizeof words);
  return mix(words[0], words[1], a.port);
}

size_t std::hash<atm::Path>::operator()(const atm::Path& path) const noexcept {
  const size_t remote = std::hash<atm::SocketAddress>{}(path.remote);
  return mix(remote, std::hash<atm::IpAddress>{}(path.local),
             static_cast<uint64_t>(path.transport) | uint64_t{path.local_port} << 8);
}

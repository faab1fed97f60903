// IP addresses and sockets' addresses as plain values, with no header of the operating system.
// For demultiplexing, candidates and send batches. An IPv4 address is kept in the IPv4-mapped form of IPv6
// (RFC 4291 2.5.5.2), so that one map holds both families and a mapped address equals its plain one.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace atm {

class IpAddress {
 public:
  constexpr IpAddress() = default;  // "::", unspecified
  static IpAddress v4(uint8_t a, uint8_t b, uint8_t c, uint8_t d);
  static IpAddress v4(const uint8_t (&bytes)[4]) { return v4(bytes[0], bytes[1], bytes[2], bytes[3]); }
  static IpAddress v6(const std::array<uint8_t, 16>& bytes);
  // Dotted quad or RFC 4291 2.2 text; nothing else (no host names, no brackets, no zone).
  static std::optional<IpAddress> parse(std::string_view text);

  bool is_v4() const;
  bool is_unspecified() const;
  bool is_loopback() const;
  bool is_link_local() const;
  const std::array<uint8_t, 16>& bytes() const { return bytes_; }
  std::string to_string() const;

  auto operator<=>(const IpAddress&) const = default;

 private:
  std::array<uint8_t, 16> bytes_{};
};

struct SocketAddress {
  IpAddress ip;
  uint16_t port = 0;

  // "1.2.3.4:5", "[::1]:5"
  static std::optional<SocketAddress> parse(std::string_view text);
  std::string to_string() const;
  auto operator<=>(const SocketAddress&) const = default;
};

// What carries datagrams: UDP, or a TCP connection that frames them (RFC 4571).
enum class Transport : uint8_t { kUdp, kTcp };

// The way a datagram took: replies leave from the address on which the request came, over the same transport. With TCP
// it names a connection.
struct Path {
  SocketAddress remote;
  IpAddress local;
  Transport transport = Transport::kUdp;
  // 0: the one socket that there is at `local`, as with a server always. With a client also the port of an address that
  // a TURN server relays (core/turn), which may be at the same IP address.
  uint16_t local_port = 0;
  auto operator<=>(const Path&) const = default;
};

}  // namespace atm

template <>
struct std::hash<atm::IpAddress> {
  size_t operator()(const atm::IpAddress& a) const noexcept;
};
template <>
struct std::hash<atm::SocketAddress> {
  size_t operator()(const atm::SocketAddress& a) const noexcept;
};
template <>
struct std::hash<atm::Path> {
  size_t operator()(const atm::Path& path) const noexcept;
};

// What atm0s-server is told: flags over ATM0S_* environment variables over a YAML file, checked, with its defaults.
// Called once by main. Every wrong value is one line that names where it was written; nothing is guessed or ignored,
// and a secret never shows in an error. Opens the YAML file and nothing else.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/address.h"
#include "base/result.h"
#include "control/token/ice_servers.h"
#include "io/log/log.h"
#include "node/worker.h"

namespace atm::server {

// Where media is received, and the address that clients are told: another one behind one-to-one NAT.
struct MediaAddress {
  IpAddress internal;
  IpAddress external;
};

struct Config {
  SocketAddress http{IpAddress::v4(0, 0, 0, 0), 3000};
  std::optional<SocketAddress> https;
  std::string tls_cert;  // paths; both or none. None with https: dev mode, make a self-signed one
  std::string tls_key;
  std::vector<MediaAddress> media_ips;     // empty: all addresses of this machine
  uint16_t media_port = 20'000;            // worker i listens on port + i
  std::optional<uint16_t> media_tcp_port;  // the same over TCP (ICE-TCP); nothing once loaded: off
  uint32_t workers = 0;                    // at least 1 once loaded
  uint32_t room_slice_size = node::kMaxRoomSessions;
  uint64_t max_bitrate = node::kUsualMaxBitrate;  // bit/s of all video that a session sends; a token may lower it
  room::Duplicates duplicate_peer = room::Duplicates::kReplace;
  token::IceServerSettings ice_servers;
  std::string secret;
  LogLevel log_level = LogLevel::kInfo;
  io::LogFormat log_format = io::LogFormat::kText;
  bool dev = false;
  uint32_t node_id = 0;

  // Not empty: --help or --version was asked for. Print it and exit with 0.
  std::string print;
};

// std::getenv's shape: nullptr when there is no such variable.
using Environment = std::function<const char*(const char* name)>;

// An error is kInvalidConfig; main prints `why` and exits with kExitUsage.
Result<Config> load_config(int argc, const char* const* argv, const Environment& environment);

inline constexpr int kExitUsage = 2;
// The default in dev mode, where anyone gets a token from the server anyway.
inline constexpr std::string_view kDevSecret = "insecure";

}  // namespace atm::server

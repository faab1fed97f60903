// What a session of the SDK is opened with: the session configuration of docs/session-protocol.md, decoded. Made by
// sdk/cpp from its public structs, consumed by client/session.h.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/codec.h"
#include "base/time.h"
#include "client/recovery.h"
#include "contract/ice_server.h"
#include "contract/session.h"

namespace atm::client {

inline constexpr size_t kMaxSimulcastLayers = 3;

struct SenderConfig {
  MediaKind kind = MediaKind::kAudio;
  std::string name;
  std::string label;
  std::vector<Codec> preferred_codecs;  // in order; empty: the session's
  bool simulcast = false;               // video in kMaxSimulcastLayers layers, with rids q, h and f
  uint64_t max_bitrate_bps = 0;         // 0: no cap
  contract::ContentHint content_hint = contract::ContentHint::kNone;
  bool screen = false;
  bool has_track = true;  // false: there is nothing to send yet
};

struct Config {
  std::vector<std::string> urls;  // of servers, the first is tried first
  std::string room, peer, token, metadata;
  std::vector<SenderConfig> senders;
  contract::ReceiverCounts receivers;
  contract::MixMinusMode mix_minus = contract::MixMinusMode::kDisabled;
  std::optional<Duration> playout_delay;  // of the latency mode; nothing: as jitter asks
  std::vector<Codec> codecs;              // in order of preference; empty: all
  contract::BitrateControlMode bitrate_control_mode = contract::BitrateControlMode::kSumBitrateWithClientSide;
  contract::SubscribeScope subscribe_scope = contract::SubscribeScope::kFull;
  contract::PublishScope publish_scope = contract::PublishScope::kFull;
  std::vector<contract::IceServer> ice_servers;  // beside those that the server names
  bool relay_only = false;                       // no path but by a TURN server: hides the addresses of this host
  std::string version;
  bool reconnects = true;
  RecoveryOptions recovery;
};

}  // namespace atm::client

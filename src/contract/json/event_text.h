// The texts of states in events, both ways. For the event writer and the client's reader of this folder.
#pragma once

#include "contract/json/choice.h"
#include "contract/session.h"

namespace atm::json {

inline constexpr Choice<contract::StreamStatus> kStreamStatuses[] = {
    {"new", contract::StreamStatus::kNew},
    {"connecting", contract::StreamStatus::kConnecting},
    {"connected", contract::StreamStatus::kConnected},
    {"reconnecting", contract::StreamStatus::kReconnecting},
    {"disconnected", contract::StreamStatus::kDisconnected},
};
inline constexpr Choice<contract::StreamScaling> kStreamScalings[] = {
    {"single", contract::StreamScaling::kSingle},
    {"simulcast", contract::StreamScaling::kSimulcast},
    {"svc", contract::StreamScaling::kSvc},
};
inline constexpr Choice<contract::PeerStatus> kPeerStatuses[] = {
    {"New", contract::PeerStatus::kNew},
    {"Connecting", contract::PeerStatus::kConnecting},
    {"Connected", contract::PeerStatus::kConnected},
    {"Reconnecting", contract::PeerStatus::kReconnecting},
};
inline constexpr Choice<contract::Protocol> kProtocols[] = {
    {"Webrtc", contract::Protocol::kWebrtc},
    {"Whip", contract::Protocol::kWhip},
    {"Whep", contract::Protocol::kWhep},
};
inline constexpr Choice<contract::ReceiverState> kReceiverStates[] = {
    {"no_source", contract::ReceiverState::kNoSource},
    {"connecting", contract::ReceiverState::kConnecting},
    {"live", contract::ReceiverState::kLive},
    {"paused", contract::ReceiverState::kPaused},
    {"key_only", contract::ReceiverState::kKeyOnly},
    {"source_deactived", contract::ReceiverState::kSourceDeactived},  // spelt so on the wire
};
inline constexpr Choice<contract::SenderState> kSenderStates[] = {
    {"created", contract::SenderState::kCreated},     {"connecting", contract::SenderState::kConnecting},
    {"connected", contract::SenderState::kConnected}, {"deactived", contract::SenderState::kDeactived},
    {"closed", contract::SenderState::kClosed},
};
// Followed by "_added", "_updated", "_removed" after "stream" or "peer".
inline constexpr Choice<contract::PresenceChange> kPresenceChanges[] = {
    {"added", contract::PresenceChange::kAdded},
    {"updated", contract::PresenceChange::kUpdated},
    {"removed", contract::PresenceChange::kRemoved},
};

inline constexpr std::string_view kReceiverEventPrefix = "local_stream_";
inline constexpr std::string_view kSenderEventPrefix = "remote_stream_";
inline constexpr std::string_view kMixMinusEventPrefix = "mix_minus_";
inline constexpr std::string_view kStateEventSuffix = "_state";
inline constexpr std::string_view kLimitEventSuffix = "_limit";
inline constexpr std::string_view kQualityEventSuffix = "_quality";
inline constexpr std::string_view kLevelEventSuffix = "_audio_level";

}  // namespace atm::json

// Between the public values of include/atm0s and those of the engine. For the other files of this folder.
#pragma once

#include "atm0s/config.h"
#include "atm0s/events.h"
#include "atm0s/media.h"
#include "atm0s/result.h"
#include "client/config.h"
#include "client/event.h"

namespace atm0s {

Error to_public(const atm::Error& error);
MediaKind to_public(atm::MediaKind kind);
Codec to_public(atm::Codec codec);
ReceiverState to_public(atm::contract::ReceiverState state);
SenderState to_public(atm::contract::SenderState state);
// Nothing: it is no event of the application's.
std::optional<Event> to_public(const atm::contract::Event& event, const std::string& own_peer);

atm::MediaKind to_engine(MediaKind kind);
atm::Codec to_engine(Codec codec);
atm::client::SenderConfig to_engine(const SenderConfig& config);
atm::client::Config to_engine(const std::vector<std::string>& urls, const SessionConfig& config,
                              const RuntimeOptions& options);
Result<void> check(const SessionConfig& config);
Result<void> check(const SenderConfig& config);

// The engine's monotonic clock is steady_clock's.
Clock::time_point to_public(atm::Instant instant);
atm::Instant to_engine(Clock::time_point time);

}  // namespace atm0s

// For tests of the tests: a libatm0s that takes no notice of what ATM0S_TEST_IGNORE names, a property ("max_bitrate")
// or one value of it ("latency_mode=smooth-500"), several with commas between. The tests of it have to fail then, and
// no others (tests/sdk/matrix.mjs). Takes the place of sdk/cpp/src/taken.cpp, in a library of its own.
#include <algorithm>
#include <cstdlib>
#include <sstream>
#include <string>

#include "taken.h"

namespace atm0s {

namespace {

bool is_ignored(const std::string& name) {
  const char* all = std::getenv("ATM0S_TEST_IGNORE");
  std::istringstream names(all != nullptr ? all : "");
  for (std::string one; std::getline(names, one, ',');) {
    if (one == name) return true;
  }
  return false;
}

// The property, or this value of it.
bool is_ignored(const std::string& property, std::string_view value) {
  return is_ignored(property) || is_ignored(property + "=" + std::string(value));
}

std::string_view to_text(MixMinusMode mode) {
  constexpr std::string_view kNames[] = {"disabled", "all", "manual"};
  return kNames[static_cast<size_t>(mode)];
}
std::string_view to_text(ContentHint hint) {
  constexpr std::string_view kNames[] = {"none", "motion", "detail"};
  return kNames[static_cast<size_t>(hint)];
}

void filter(const std::string& property, std::vector<Codec>& codecs) {
  std::erase_if(codecs, [&](Codec codec) { return is_ignored(property, atm0s::to_text(codec)); });
}

// What says the same as nothing needs another value in its place.
template <typename Value>
void replace(const std::string& property, Value& value, std::string_view name, Value none, Value instead) {
  if (is_ignored(property)) {
    value = none;
  } else if (is_ignored(property, name)) {
    value = value == none ? instead : none;
  }
}

// A token that is good for anything, for a session that does not take its own.
std::string any_token() {
  const char* token = std::getenv("ATM0S_TEST_TOKEN");
  return token != nullptr ? token : "";
}

}  // namespace

SenderConfig taken(SenderConfig config) {
  static int count = 0;
  if (is_ignored("name")) config.name = "ignored-" + std::to_string(++count);
  filter("preferred_codecs", config.preferred_codecs);
  if (is_ignored("simulcast")) config.simulcast = false;
  if (is_ignored("max_bitrate")) config.max_bitrate = 0;
  // "detail" says the same as nothing, too, where it has an effect.
  const ContentHint none = config.content_hint == ContentHint::kMotion ? ContentHint::kNone : config.content_hint;
  replace("content_hint", config.content_hint, to_text(config.content_hint), none, ContentHint::kMotion);
  if (is_ignored("screen")) config.screen = false;
  if (is_ignored("label")) config.label.clear();
  // Where a source does not say it, too.
  if (!config.source && is_ignored("kind", atm0s::to_text(config.kind))) {
    config.kind = config.kind == MediaKind::kAudio ? MediaKind::kVideo : MediaKind::kAudio;
  }
  if (is_ignored("source")) config.source.reset();
  return config;
}

SessionConfig taken(SessionConfig config) {
  if (is_ignored("room_id")) config.room_id = "ignored";
  if (is_ignored("peer_id")) config.peer_id = "ignored-" + config.peer_id;
  if (is_ignored("token")) config.token = any_token();
  if (is_ignored("senders")) config.senders.clear();
  for (SenderConfig& sender : config.senders) sender = taken(std::move(sender));
  if (is_ignored("receivers")) config.receivers = {};
  replace("mix_minus_audio", config.mix_minus_audio, to_text(config.mix_minus_audio), MixMinusMode::kDisabled,
          MixMinusMode::kAllAudioStreams);
  replace("latency_mode", config.latency_mode, atm0s::to_text(config.latency_mode), LatencyMode::kDefault,
          LatencyMode::kSmooth500);
  if (is_ignored("ice_servers")) config.ice_servers.clear();
  filter("codecs", config.codecs);
  replace("bitrate_control_mode", config.bitrate_control_mode, atm0s::to_text(config.bitrate_control_mode),
          BitrateControlMode::kSumBitrateWithClientSide, BitrateControlMode::kSumBitrateOnly);
  return config;
}

}  // namespace atm0s

// Session: how loud its own senders are and what its receivers play, told to its client.
#include "media/session/session.h"

namespace atm::session {
namespace {

// Of a stream whose packets do not say it nothing is told.
int level_of(Now now, const room::Source* source) {
  if (source == nullptr || !source->active || !source->tells_level) return mixminus::kSilence;
  return source->loudness.dbov(now.mono);
}

}  // namespace

// All streams at once, so that what has to be told goes out together.
void Session::tell_levels(Now now, Output& out) {
  next_levels_ = kNever;
  for (auto& [name, sender] : senders_) {
    if (sender.info.kind != MediaKind::kAudio) continue;
    if (const auto level = sender.level.take(level_of(now, sender.source))) {
      out.events.emplace_back(id_, contract::SenderLevelEvent{name, *level});
    }
    if (sender.source != nullptr || !sender.level.is_at_rest()) next_levels_ = now.mono + kLevelInterval;
  }
  for (auto& [id, entry] : receivers_) {
    if (entry.receiver->kind() != MediaKind::kAudio) continue;
    const bool is_live = entry.receiver->state() == contract::ReceiverState::kLive;
    if (const auto level = entry.level.take(level_of(now, is_live ? entry.receiver->source() : nullptr))) {
      out.events.emplace_back(id_, contract::ReceiverLevelEvent{id, *level});
    }
    if (entry.receiver->remote() || !entry.level.is_at_rest()) next_levels_ = now.mono + kLevelInterval;
  }
}

void Session::watch_levels(Now now, Output& out) {
  if (next_levels_ != kNever) return;
  next_levels_ = now.mono + kLevelInterval;
  out.touched.push_back(id_);
}

}  // namespace atm::session

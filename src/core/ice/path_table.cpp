#include "core/ice/path_table.h"

#include <algorithm>

#include "base/assert.h"

namespace atm::ice {

bool PathTable::prove(const Path& path, Instant now) {
  for (Entry& entry : entries_) {
    if (entry.path != path) continue;
    entry.proved_at = now;
    return false;
  }
  const bool full = entries_.size() == kMaxPaths;
  if (full) make_room();
  entries_.push_back({path, now});
  if (!selected_) selected_ = path;
  return full;
}

void PathTable::make_room() {
  auto oldest = entries_.end();
  for (auto it = entries_.begin(); it != entries_.end(); ++it) {
    if (it->path == selected_) continue;
    if (oldest == entries_.end() || it->proved_at < oldest->proved_at) oldest = it;
  }
  ASSERT(oldest != entries_.end());
  entries_.erase(oldest);
}

void PathTable::nominate(const Path& path) {
  ASSERT(contains(path));
  selected_ = path;
  nominated_ = true;
}

void PathTable::expire(Instant now) {
  std::erase_if(entries_, [&](const Entry& entry) { return now - entry.proved_at >= kConsentTimeout; });
  replace_lost();
}

bool PathTable::remove(const Path& path) {
  const size_t removed = std::erase_if(entries_, [&](const Entry& entry) { return entry.path == path; });
  replace_lost();
  return removed > 0;
}

void PathTable::remove_from(const Base& base) {
  std::erase_if(entries_, [&](const Entry& entry) { return base_of(entry.path) == base; });
  replace_lost();
}

void PathTable::replace_lost() {
  if (!selected_ || contains(*selected_)) return;
  // The chosen path is dead. Another one that still lives is better than none, as before a nomination.
  nominated_ = false;
  const auto latest = std::max_element(entries_.begin(), entries_.end(),
                                       [](const Entry& a, const Entry& b) { return a.proved_at < b.proved_at; });
  selected_ = latest == entries_.end() ? std::nullopt : std::optional(latest->path);
}

Instant PathTable::next_timeout() const {
  Instant out = kNever;
  for (const Entry& entry : entries_) out = std::min(out, entry.proved_at + kConsentTimeout);
  return out;
}

bool PathTable::contains(const Path& path) const {
  return std::any_of(entries_.begin(), entries_.end(), [&](const Entry& entry) { return entry.path == path; });
}

Instant PathTable::selected_proved_at() const {
  for (const Entry& entry : entries_) {
    if (entry.path == selected_) return entry.proved_at;
  }
  return kNever;
}

}  // namespace atm::ice

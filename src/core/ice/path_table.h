// The paths that ICE has proved for one session, and which of them is in use. Owned by the agent.
// A path is in the table from its first authenticated check (lite) or answer (controlling) until nothing authenticated
// came over it for kConsentTimeout. At most kMaxPaths; the one unheard of longest makes room, the selected one never.
// Knows no credentials and sends nothing.
#pragma once

#include <optional>
#include <vector>

#include "base/address.h"
#include "base/time.h"
#include "core/ice/candidate.h"

namespace atm::ice {

// RFC 7675 5.1: consent to send ends 30 s after the last proof of it.
inline constexpr Duration kConsentTimeout = 30s;
// A client checks from each of its interfaces and through each NAT binding: some four at once, more while roaming.
inline constexpr size_t kMaxPaths = 16;

class PathTable {
 public:
  // An authenticated check or answer came over `path`. True when an older path had to go for it.
  bool prove(const Path& path, Instant now);
  // The controlling side chose `path`, which has been proved. A later choice replaces an earlier one.
  void nominate(const Path& path);
  void expire(Instant now);
  // `path` was a connection that has closed: it is gone at once. True when it was there.
  bool remove(const Path& path);
  // The same for all from that local end.
  void remove_from(const Base& base);
  Instant next_timeout() const;

  bool contains(const Path& path) const;
  // The nominated path; before there is one the first that was proved, which is good enough for DTLS.
  const std::optional<Path>& selected() const { return selected_; }
  bool is_nominated() const { return nominated_; }
  // When the selected path was last proved; kNever without one.
  Instant selected_proved_at() const;
  size_t size() const { return entries_.size(); }

 private:
  struct Entry {
    Path path;
    Instant proved_at;
  };
  void make_room();
  void replace_lost();

  std::vector<Entry> entries_;
  std::optional<Path> selected_;
  bool nominated_ = false;
};

}  // namespace atm::ice

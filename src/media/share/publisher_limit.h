// What a session may send of its video, by its bitrate control mode and what its viewers can use (session protocol,
// section 6). media/session keeps one for each publishing session and one PublishedStream for each of its video
// senders; what comes out goes to the client as REMB, `remote_stream_{name}_limit` and b=TIAS. Promises: one slow
// viewer takes nothing from the others (the most that any viewer can use counts, never the least); a rise is passed on
// at once (or with the picture that a first viewer waits for), a fall after a hold. Does not encode messages, does not
// know viewers one by one. Rates are bits per second.
#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "contract/session.h"
#include "media/share/demand.h"

namespace atm::share {

// A session whose video nobody views sends so little, as in the first generation: enough for a key frame when a viewer
// comes. And no viewer makes a stream smaller than this.
inline constexpr uint64_t kIdleBps = 100'000;
// Viewers come and go and switch layers: less is told after it has been less for so long.
inline constexpr Duration kFallHold = 2s;
// A client that has the sum alone to go by turns on what it has room for, and an encoder that turns a simulcast layer
// on makes a key frame of each: 35 kB in one queue at the pace of an idle stream, where a new viewer waits for one of
// 5 kB. So its sum rises when the first key frame has come, or after so long.
inline constexpr Duration kFirstPictureHold = 500ms;

struct StreamLimit {
  uint64_t max_bitrate_bps = 0;  // 0: no limit of its own
  uint8_t layers = 0;            // those that somebody wants; others may be turned off
  bool is_idle = true;           // nobody views it
  bool operator==(const StreamLimit&) const = default;
};

struct PublishedStream {
  // Told by the caller before every update().
  uint64_t max_bitrate_bps = 0;  // of the sender, 0: none
  Demand demand;
  bool rises_after_picture = false;          // has simulcast layers and nothing but the sum to go by
  std::optional<Instant> key_frame_at = {};  // when the last one came, of any layer

  // What came out. `changed`: the client has to be told.
  StreamLimit limit = {};
  bool changed = false;

  // Kept between two calls.
  uint64_t usable_bps = 0;  // of its viewers, with falls held back; 0: it has none
  uint8_t usable_layers = 0;
  std::optional<Instant> falling_since = {};
  uint64_t falling_to_bps = 0;  // the most since then
  uint8_t falling_to_layers = 0;
  std::optional<Instant> awaits_picture_since = {};
  std::optional<StreamLimit> told = {};
};

class PublisherLimit {
 public:
  // `max_bps`: of the session, by the server's setting and its token; 0: none.
  PublisherLimit(contract::BitrateControlMode mode, uint64_t max_bps) : mode_(mode), max_bps_(max_bps) {}
  void set_max(uint64_t max_bps) { max_bps_ = max_bps; }

  void update(Instant now, std::span<PublishedStream> streams);
  // When what is held back is due.
  Instant next_timeout() const { return next_; }

  // For REMB: what all the session's video together may be; 0: no maximum.
  uint64_t sum_bps() const { return sum_bps_; }
  // The same for a client that applies the limits of its streams: for as long as nobody views any of them these say so,
  // and the sum only what holds then too. REMB would lower its estimate, which takes half a minute to come back.
  uint64_t sum_beside_limits_bps() const { return is_idle_ ? max_bps_ : sum_bps_; }
  // For b=TIAS of the m-line of a sender with that maximum (0: none), which only a new answer can change; 0: none.
  uint64_t tias_bps(uint64_t max_bitrate_bps) const;

 private:
  StreamLimit limit_of(const PublishedStream& stream) const;

  contract::BitrateControlMode mode_;
  uint64_t max_bps_;
  uint64_t sum_bps_ = kIdleBps;
  bool is_idle_ = true;  // nobody views anything
  Instant next_ = kNever;
};

}  // namespace atm::share

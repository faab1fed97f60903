#include "core/frames/assembler.h"

#include <algorithm>
#include <bit>

#include "base/assert.h"

namespace atm::frames {
namespace {

constexpr size_t kFewSlots = 128;
static_assert(std::has_single_bit(kFewSlots) && std::has_single_bit(kMaxHeldPackets));
// Packets from before the first one that came may come later by so many.
constexpr int64_t kEarly = 64;

}  // namespace

Assembler::Assembler(const AssemblerConfig& config) : config_(config), depacketizer_(config.codec), slots_(kFewSlots) {}

// --- packets held ---------------------------------------------------------------------------------------------------

Assembler::Slot* Assembler::find(int64_t sequence) {
  Slot& slot = slots_[static_cast<uint64_t>(sequence) & (slots_.size() - 1)];
  return slot.is_held && slot.sequence == sequence ? &slot : nullptr;
}

// The first packet held from there on.
std::optional<int64_t> Assembler::find_from(int64_t sequence) {
  if (held_ == 0) return std::nullopt;
  for (int64_t at = std::max(sequence, *floor_); at <= newest_; ++at) {
    if (find(at)) return at;
  }
  return std::nullopt;
}

void Assembler::free(Slot& slot) {
  held_bytes_ -= slot.payload.size();
  --held_;
  slot.is_held = false;
}

// An IDR slice without parameter sets begins nothing as long as none are known.
bool Assembler::may_begin(const Slot& slot) const {
  return slot.role.starts_key_frame && (!slot.role.lacks_parameter_sets || has_parameter_sets_);
}

// Held packets below `sequence` go, without a word: whoever calls counts them.
void Assembler::drop_before(int64_t sequence) {
  for (int64_t at = *floor_; at < sequence && held_ > 0; ++at) {
    if (Slot* slot = find(at)) free(*slot);
  }
  floor_ = std::max(*floor_, sequence);
  if (next_key_ && *next_key_ < *floor_) next_key_.reset();
}

// Places for floor_ to `sequence`.
void Assembler::make_room(int64_t sequence) {
  const auto span = static_cast<uint64_t>(sequence) - static_cast<uint64_t>(*floor_) + 1;
  if (span > kMaxHeldPackets) {
    const size_t held = held_;
    const int64_t next = sequence - static_cast<int64_t>(kMaxHeldPackets) + 1;
    lose_frame(next);
    counters_.overflows += held - held_;
    // A jump: what lies between was never on its way.
    if (held_ == 0) drop_before(sequence);
  }
  if (span <= slots_.size() || slots_.size() == kMaxHeldPackets) return;
  std::vector<Slot> more(std::min(std::bit_ceil(span), uint64_t{kMaxHeldPackets}));
  for (Slot& slot : slots_) {
    if (slot.is_held) more[static_cast<uint64_t>(slot.sequence) & (more.size() - 1)] = std::move(slot);
  }
  slots_ = std::move(more);
}

void Assembler::store(const MediaPacket& packet) {
  Slot& slot = slots_[static_cast<uint64_t>(packet.sequence) & (slots_.size() - 1)];
  DEBUG_ASSERT(!slot.is_held);
  slot.is_held = true;
  slot.marker = packet.marker;
  slot.role = packet.payload.empty() ? PayloadRole{} : read_role(config_.codec, packet.payload);
  slot.sequence = packet.sequence;
  slot.timestamp = packet.timestamp;
  slot.arrived = packet.arrived;
  slot.payload.assign(packet.payload.begin(), packet.payload.end());
  ++held_;
  held_bytes_ += packet.payload.size();
}

void Assembler::on_packet(const MediaPacket& packet) {
  ++counters_.packets;
  if (!floor_) {
    floor_ = packet.sequence - kEarly;
    newest_ = packet.sequence;
  }
  if (packet.sequence < *floor_) {
    ++counters_.late;
    return;
  }
  make_room(packet.sequence);
  newest_ = std::max(newest_, packet.sequence);
  if (find(packet.sequence)) {
    ++counters_.duplicates;
    return;
  }
  store(packet);
  while (held_bytes_ > kMaxHeldBytes) {
    const size_t held = held_;
    lose_frame(*find_from(*floor_) + 1);
    counters_.overflows += held - held_;
  }
  const Slot* slot = find(packet.sequence);
  if (!slot || !may_begin(*slot)) return;
  if (!is_seeking_) {
    next_key_ = std::min(next_key_.value_or(packet.sequence), packet.sequence);
    return;
  }
  if (key_start_ && *key_start_ < packet.sequence) return;
  key_start_ = packet.sequence;
  is_open_ = false;
}

// --- frames ---------------------------------------------------------------------------------------------------------

bool Assembler::take(Frame& out) {
  if (!floor_) return false;
  if (config_.codec == Codec::kOpus) return take_opus(out);
  while (true) {
    if ((is_open_ || open_frame()) && extend_frame()) {
      if (close_frame(out)) return true;
      continue;
    }
    const auto missing = awaited();
    if (!missing || *missing >= given_up_before_ || find(*missing)) break;
    on_hole(*missing);
  }
  note_stall();
  return false;
}

bool Assembler::take_opus(Frame& out) {
  // Packets that come later than others have their place still: floor_ follows the newest at a distance.
  while (const auto at = find_from(*floor_)) {
    Slot& slot = *find(*at);
    const bool is_frame = !slot.payload.empty();
    if (is_frame) {
      out.codec = config_.codec;
      out.timestamp = slot.timestamp;
      out.first_sequence = out.last_sequence = *at;
      out.is_key = true;
      out.temporal_layer.reset();
      out.bytes.assign(slot.payload.begin(), slot.payload.end());
      out.first_arrival = out.last_arrival = slot.arrived;
      ++counters_.frames;
    }
    free(slot);
    floor_ = std::max(*floor_, newest_ - kEarly);
    if (is_frame) return true;
  }
  return false;
}

// Finds where the next frame begins. False: that is not there yet.
bool Assembler::open_frame() {
  awaited_front_.reset();
  if (is_seeking_) {
    if (!key_start_) return false;
    int64_t at = *key_start_;
    const Slot& start = *find(at);
    // What stands in front of it in its access unit, such as a delimiter, if it is there.
    for (const Slot* before = find(at - 1); before && at > *floor_; before = find(at - 1)) {
      if (before->marker || before->timestamp != start.timestamp) break;
      --at;
    }
    // An IDR slice whose SPS is on its way: it is waited for.
    if (start.role.lacks_parameter_sets && at > *floor_ && at > given_up_before_ && !find(at - 1)) {
      awaited_front_ = at - 1;
      return false;
    }
    begin_ = cursor_ = at;
    return is_open_ = true;
  }
  while (const Slot* slot = find(*floor_)) {
    const bool is_skipped = slot->payload.empty() || (needs_start_ && !slot->role.starts_frame);
    if (!is_skipped) {
      begin_ = cursor_ = *floor_;
      needs_start_ = false;
      return is_open_ = true;
    }
    if (!slot->payload.empty()) ++counters_.discarded;
    drop_before(*floor_ + 1);
  }
  return false;
}

// Moves cursor_ on to the end of the frame. False: not all of it is there.
bool Assembler::extend_frame() {
  const uint32_t timestamp = find(begin_)->timestamp;
  while (const Slot* slot = find(cursor_)) {
    if (slot->payload.empty()) {  // padding that a sender put inside of a frame
      ++cursor_;
      continue;
    }
    if (slot->timestamp != timestamp) return true;  // there was no marker
    ++cursor_;
    if (slot->marker) return true;
  }
  return false;
}

// [begin_, cursor_) is a frame. False, and it is gone, when it is of no use.
bool Assembler::close_frame(Frame& out) {
  out.codec = config_.codec;
  out.timestamp = find(begin_)->timestamp;
  out.first_sequence = begin_;
  out.first_arrival = Instant::max();
  out.last_arrival = Instant::min();
  depacketizer_.begin(out.bytes);
  bool is_sound = true;
  uint64_t packets = 0;
  for (int64_t at = begin_; at < cursor_; ++at) {
    const Slot& slot = *find(at);
    if (slot.payload.empty()) continue;
    ++packets;
    out.last_sequence = at;
    out.first_arrival = std::min(out.first_arrival, slot.arrived);
    out.last_arrival = std::max(out.last_arrival, slot.arrived);
    is_sound = is_sound && depacketizer_.add(slot.payload, out.bytes);
  }
  is_sound = is_sound && depacketizer_.finish(out.bytes);
  const FrameIds& ids = depacketizer_.ids();
  const size_t held = held_;
  drop_before(begin_);
  counters_.discarded += held - held_;
  const int64_t next = cursor_;
  if (!is_sound) {
    ++counters_.malformed;
    lose_frame(next);
    return false;
  }
  drop_before(next);
  is_open_ = false;
  has_parameter_sets_ |= ids.has_parameter_sets;
  const bool is_seen_first = is_seeking_;
  auto verdict = Continuity::Verdict::kNeedsKeyFrame;
  const bool lacks_sets = config_.codec == Codec::kH264 && ids.is_key && !has_parameter_sets_;
  if (!lacks_sets && (ids.is_key || !is_seen_first)) verdict = continuity_.judge(ids);
  if (verdict == Continuity::Verdict::kDecodable) {
    is_seeking_ = false;
    key_start_.reset();
    out.is_key = ids.is_key;
    out.temporal_layer = ids.temporal_layer;
    ++counters_.frames;
    if (out.is_key) ++counters_.key_frames;
    return true;
  }
  ++counters_.undecodable;
  counters_.discarded += packets;
  if (verdict == Continuity::Verdict::kNeedsKeyFrame) begin_seeking();
  return false;
}

// --- losses ---------------------------------------------------------------------------------------------------------

// The packet without which nothing goes on; nothing when that is a key frame of which no packet came.
std::optional<int64_t> Assembler::awaited() const {
  if (is_open_) return cursor_;
  return is_seeking_ ? awaited_front_ : floor_;
}

// `at` will not come.
void Assembler::on_hole(int64_t at) {
  ++counters_.given_up;
  const auto held = find_from(at + 1);
  const int64_t next = std::min(held.value_or(given_up_before_), given_up_before_);
  const size_t before = held_;
  lose_frame(std::max(next, at + 1));
  counters_.discarded += before - held_;
}

// Everything below `next` is gone.
void Assembler::lose_frame(int64_t next) {
  continuity_.on_loss();
  if (is_open_ && begin_ < next) is_open_ = false;
  drop_before(next);
  newest_ = std::max(newest_, next - 1);
  needs_start_ = true;
  if (!is_seeking_ && continuity_.can_tell()) return;
  begin_seeking();
}

void Assembler::begin_seeking() {
  // What was found before is still the first one.
  if (is_seeking_ && (!key_start_ || *key_start_ >= *floor_)) return;
  is_seeking_ = true;
  is_open_ = false;
  next_key_.reset();
  key_start_.reset();
  for (auto at = find_from(*floor_); at; at = find_from(*at + 1)) {
    if (!may_begin(*find(*at))) continue;
    key_start_ = at;
    return;
  }
}

void Assembler::give_up_before(int64_t sequence) {
  if (!floor_ || config_.codec == Codec::kOpus) return;
  given_up_before_ = std::max(given_up_before_, sequence);
  if (!is_seeking_ || is_open_) return;
  // What waits for the beginning of a key frame waits in vain.
  const int64_t next = key_start_ ? std::min(*key_start_, sequence) : sequence;
  const size_t held = held_;
  drop_before(next);
  newest_ = std::max(newest_, *floor_ - 1);
  counters_.discarded += held - held_;
}

bool Assembler::wants_key_frame() const {
  return config_.codec != Codec::kOpus && floor_ && is_seeking_ && !key_start_;
}

// Since when it is known that something is missing: since a later packet came.
void Assembler::note_stall() {
  const auto missing = awaited();
  if (missing == stalled_at_ && stalled_since_ != kNever) return;
  stalled_at_ = missing;
  stalled_since_ = kNever;
  if (!missing || newest_ <= *missing) return;
  if (const auto next = find_from(*missing + 1)) stalled_since_ = find(*next)->arrived;
}

Instant Assembler::next_timeout() const {
  if (stalled_since_ == kNever) return kNever;
  return stalled_since_ + (has_key_behind_stall() ? config_.key_patience : config_.patience);
}

void Assembler::on_timeout(Instant now) {
  if (now < next_timeout() || !stalled_at_) return;
  const auto next = has_key_behind_stall() ? next_key_ : find_from(*stalled_at_ + 1);
  give_up_before(next.value_or(*stalled_at_ + 1));
  stalled_since_ = kNever;
}

}  // namespace atm::frames

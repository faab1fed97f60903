#include "core/sctp/data_receiver.h"

#include <algorithm>

#include "core/sctp/limits.h"

namespace atm::sctp {

void DataReceiver::start(uint32_t peer_initial_tsn, uint16_t inbound_streams) {
  // One circle up, so that unwrapped numbers never turn negative.
  cumulative_ = (int64_t{1} << 32) + peer_initial_tsn - 1;
  inbound_streams_ = inbound_streams;
  reassembly_.clear();
  runs_.clear();
  deferred_above_.reset();
  duplicate_count_ = 0;
  unacked_packets_ = 0;
  sack_at_ = kNever;
}

bool DataReceiver::has(int64_t tsn) const {
  if (tsn <= cumulative_) return true;
  const auto after = std::upper_bound(runs_.begin(), runs_.end(), tsn,
                                      [](int64_t value, const Run& run) { return value < run.first; });
  return after != runs_.begin() && std::prev(after)->last >= tsn;
}

bool DataReceiver::has_room(int64_t tsn, const DataChunk& data) const {
  const size_t needed = reassembly_.held_bytes() + data.payload.size() + kHeldOverhead;
  // RFC 9260 6.2: with a full buffer, only what moves the cumulative TSN on is worth taking.
  return needed <= kReceiveWindow || tsn == cumulative_ + 1;
}

// False when the list of runs is full and this TSN would open another.
bool DataReceiver::track(int64_t tsn) {
  if (tsn == cumulative_ + 1) {
    cumulative_ = tsn;
    absorb_runs();
    return true;
  }
  auto after = std::upper_bound(runs_.begin(), runs_.end(), tsn,
                                [](int64_t value, const Run& run) { return value < run.first; });
  const bool joins_before = after != runs_.begin() && std::prev(after)->last + 1 == tsn;
  const bool joins_after = after != runs_.end() && after->first == tsn + 1;
  if (joins_before && joins_after) {
    std::prev(after)->last = after->last;
    runs_.erase(after);
  } else if (joins_before) {
    std::prev(after)->last = tsn;
  } else if (joins_after) {
    after->first = tsn;
  } else {
    if (runs_.size() >= kMaxGapRuns) return false;
    runs_.insert(after, Run{tsn, tsn});
  }
  return true;
}

void DataReceiver::absorb_runs() {
  auto it = runs_.begin();
  for (; it != runs_.end() && it->first <= cumulative_ + 1; ++it) cumulative_ = std::max(cumulative_, it->last);
  runs_.erase(runs_.begin(), it);
}

void DataReceiver::note_duplicate(Now now, uint32_t tsn) {
  ++counters_.drop_duplicate_tsn;
  if (duplicate_count_ < duplicates_.size()) duplicates_[duplicate_count_++] = tsn;
  // RFC 9260 6.2: a packet of duplicates alone is acknowledged without delay.
  schedule_sack(now, true);
}

void DataReceiver::schedule_sack(Now now, bool immediate) {
  ++unacked_packets_;
  // RFC 9260 6.2: at least every second packet. Counted in chunks, which are as many or more.
  if (immediate || unacked_packets_ >= 2) {
    sack_at_ = now.mono;
  } else if (sack_at_ == kNever) {
    sack_at_ = now.mono + kSackDelay;
  }
}

DataReceiver::Outcome DataReceiver::on_data(Now now, const DataChunk& data, std::vector<Message>& out) {
  if (data.payload.empty()) return Outcome::kNoUserData;
  const int64_t tsn = unwrap(data.tsn);
  if (has(tsn)) {
    note_duplicate(now, data.tsn);
    return Outcome::kOk;
  }
  // RFC 6525 5.2.2 E2: data after a reset that is not done yet would carry numbers of the stream's next life. Left
  // unacknowledged it comes again.
  if (tsn > cumulative_ + kMaxTsnAhead || (deferred_above_ && tsn > *deferred_above_)) {
    ++counters_.drop_tsn_too_far;
    return Outcome::kOk;
  }
  if (!has_room(tsn, data)) {
    ++counters_.drop_receive_buffer;
    schedule_sack(now, true);
    return Outcome::kOk;
  }
  if (reassembly_.held_bytes() + data.payload.size() + kHeldOverhead > kReassemblyCap) return Outcome::kReassemblyFull;
  const bool had_gaps = has_gaps();
  if (!track(tsn)) {
    ++counters_.drop_tsn_too_far;
    return Outcome::kOk;
  }
  // RFC 9260 6.7: while TSNs are missing, and when a hole closes, each packet is answered at once. RFC 7053 5.2: I bit.
  schedule_sack(now, had_gaps || has_gaps() || data.immediate);
  if (data.stream >= inbound_streams_) {
    ++counters_.drop_invalid_stream;
    return Outcome::kInvalidStream;
  }
  switch (reassembly_.add(tsn, data, out)) {
    case Reassembly::Outcome::kOk:
      return Outcome::kOk;
    case Reassembly::Outcome::kViolation:
      return Outcome::kViolation;
    case Reassembly::Outcome::kTooLarge:
      return Outcome::kTooLarge;
  }
  return Outcome::kOk;
}

void DataReceiver::on_forward_tsn(const ForwardTsnChunk& forward, std::vector<Message>& out) {
  ++counters_.forward_tsns_in;
  const int64_t tsn = unwrap(forward.new_cumulative_tsn);
  ++unacked_packets_;
  // RFC 3758 3.6: an old one means that our SACK was lost, so that it is answered too; the caller sends at once.
  sack_at_ = Instant::min();
  if (tsn <= cumulative_) return;
  cumulative_ = tsn;
  absorb_runs();
  reassembly_.skip_to(tsn);
  for (size_t i = 0; i < forward.skip_count(); ++i) {
    const ForwardTsnChunk::Skip skip = forward.skip(i);
    if (skip.stream < inbound_streams_) reassembly_.skip_ssn(skip.stream, skip.ssn, out);
  }
}

bool DataReceiver::write_sack(PacketWriter& packet) {
  const size_t gaps = runs_.size();
  if (kSackHeaderSize + 4 * (gaps + duplicate_count_) > packet.left()) return false;
  const size_t held = reassembly_.held_bytes();
  packet.begin_chunk(ChunkType::kSack, 0);
  Writer& out = packet.value();
  out.u32(cumulative_tsn());
  out.u32(static_cast<uint32_t>(held < kReceiveWindow ? kReceiveWindow - held : 0));
  out.u16(static_cast<uint16_t>(gaps));
  out.u16(static_cast<uint16_t>(duplicate_count_));
  for (size_t i = 0; i < gaps; ++i) {
    out.u16(static_cast<uint16_t>(runs_[i].first - cumulative_));
    out.u16(static_cast<uint16_t>(runs_[i].last - cumulative_));
  }
  for (size_t i = 0; i < duplicate_count_; ++i) out.u32(duplicates_[i]);
  packet.end_chunk();
  duplicate_count_ = 0;
  unacked_packets_ = 0;
  sack_at_ = kNever;
  return true;
}

}  // namespace atm::sctp

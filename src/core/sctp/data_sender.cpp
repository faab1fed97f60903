#include "core/sctp/data_sender.h"

#include <algorithm>

#include "core/sctp/limits.h"

namespace atm::sctp {
namespace {

// RFC 9260 7.2.4: reports of a TSN as missing before it is sent again without waiting for T3.
constexpr uint8_t kMissesToRetransmit = 3;
// Bytes: a smaller rest of a packet is not worth a fragment's header.
constexpr size_t kMinFragment = 256;

}  // namespace

DataSender::DataSender(uint32_t initial_tsn, Counters& counters)
    : counters_(counters), first_tsn_((int64_t{1} << 32) + initial_tsn), next_tsn_(first_tsn_) {}

void DataSender::start(uint32_t peer_window, uint16_t outbound_streams, bool peer_takes_forward_tsn) {
  peer_window_ = peer_window;
  peer_takes_forward_tsn_ = peer_takes_forward_tsn;
  std::erase_if(messages_, [&](const Waiting& message) {
    if (message.stream < outbound_streams) return false;
    queued_bytes_ -= message.payload.size() + kQueuedOverhead;
    ++counters_.drop_unsendable;
    return true;
  });
}

bool DataSender::enqueue(Now now, uint16_t stream, uint32_t ppid, ByteView payload, const Reliability& reliability) {
  const size_t cost = payload.size() + kQueuedOverhead;
  if (queued_bytes_ + cost > kMaxQueuedBytes) drop_expired(now);
  if (queued_bytes_ + cost > kMaxQueuedBytes) return false;
  queued_bytes_ += cost;
  Waiting message;
  message.stream = stream;
  message.ppid = ppid;
  message.ordered = reliability.ordered;
  message.max_retransmits = reliability.max_retransmits;
  // DCEP's lifetimes reach 49 days: no clock overflows by them.
  if (reliability.lifetime) message.expires_at = now.mono + *reliability.lifetime;
  message.payload.assign(payload.begin(), payload.end());
  messages_.push_back(std::move(message));
  ++counters_.messages_out;
  return true;
}

bool DataSender::is_drained(uint16_t stream) const {
  return std::none_of(messages_.begin(), messages_.end(), [&](const Waiting& m) { return m.stream == stream; }) &&
         std::none_of(chunks_.begin(), chunks_.end(), [&](const Sent& s) { return s.header.stream == stream; });
}

// --- acknowledgements -----------------------------------------------------------------------------------------------

void DataSender::on_sack(Now now, const SackChunk& sack) {
  const int64_t cumulative = unwrap(sack.cumulative_tsn);
  if (cumulative < first_tsn_ - 1) {  // RFC 9260 6.2.1 D i: it was overtaken
    ++counters_.drop_sack_old;
    return;
  }
  if (cumulative >= next_tsn_) {
    ++counters_.drop_sack_invalid;
    return;
  }
  AckWork work;
  work.flight_before = flight_bytes_;
  acknowledge_to(now, cumulative, work);
  if (gap_acked_ > 0 || sack.gap_count() > 0) {
    apply_gaps(now, sack, cumulative, work);
    count_misses(now, work);
  }
  finish_ack(now, work);
  // RFC 3758 3.5 C3: the peer has not gone on to where it was told; once a timeout is enough for SACKs on their way.
  if (work.cumulative_advanced || now.mono - forwarded_at_ >= rto_.value()) forward_again_ = true;
  // RFC 9260 6.2.1 D ii: what it announces minus what it has not seen yet.
  peer_window_ = sack.receiver_window > flight_bytes_ ? sack.receiver_window - flight_bytes_ : 0;
  // RFC 9260 6.1 A: a peer whose window is closed is alive and is probed for as long as it answers.
  if (sack.receiver_window == 0) timeouts_in_a_row_ = 0;
}

void DataSender::on_cumulative_tsn(Now now, uint32_t tsn) {
  const int64_t cumulative = unwrap(tsn);
  if (cumulative < first_tsn_ - 1 || cumulative >= next_tsn_) return;
  AckWork work;
  work.flight_before = flight_bytes_;
  acknowledge_to(now, cumulative, work);
  finish_ack(now, work);
}

void DataSender::acknowledge_to(Now now, int64_t tsn, AckWork& work) {
  while (first_tsn_ <= tsn) {
    if (chunks_.front().fate == Fate::kAcked) {
      --gap_acked_;
    } else if (chunks_.front().fate != Fate::kAbandoned) {
      acknowledge(now, first_tsn_, work);
    }
    const Sent& chunk = chunks_.front();
    queued_bytes_ -= chunk.payload.size() + (chunk.header.ends ? kQueuedOverhead : 0);
    chunks_.pop_front();
    ++first_tsn_;
    work.cumulative_advanced = true;
  }
}

void DataSender::acknowledge(Now now, int64_t tsn, AckWork& work) {
  Sent& chunk = at(tsn);
  if (chunk.fate == Fate::kInFlight) flight_bytes_ -= chunk.payload.size();
  if (chunk.fate == Fate::kLost) lost_.erase(tsn);
  chunk.fate = Fate::kAcked;
  work.acked_bytes += chunk.payload.size();
  work.highest_newly_acked = std::max(work.highest_newly_acked, tsn);
  if (rtt_tsn_ == tsn) {
    rto_.on_round_trip(now.mono - rtt_started_);
    rtt_tsn_.reset();
  }
}

void DataSender::apply_gaps(Now now, const SackChunk& sack, int64_t cumulative, AckWork& work) {
  // RFC 9260 6.2.1 D iii: what an earlier SACK had and this one has not was thrown away by the peer.
  const auto take_back = [this](int64_t from, int64_t to) {
    for (int64_t tsn = from; tsn < to && gap_acked_ > 0; ++tsn) {
      Sent& chunk = at(tsn);
      if (chunk.fate != Fate::kAcked) continue;
      chunk.fate = Fate::kInFlight;
      flight_bytes_ += chunk.payload.size();
      --gap_acked_;
    }
  };
  int64_t seen = cumulative;
  for (size_t i = 0; i < sack.gap_count(); ++i) {
    const SackChunk::Gap gap = sack.gap(i);
    const int64_t start = cumulative + gap.start;
    const int64_t end = cumulative + gap.end;
    // A gap of offset 1 would belong to the cumulative TSN. Ascending order keeps this pass linear.
    if (gap.start < 2 || end < start || start <= seen || end >= next_tsn_) {
      ++counters_.drop_sack_invalid;
      break;
    }
    take_back(seen + 1, start);
    for (int64_t tsn = start; tsn <= end; ++tsn) {
      if (at(tsn).fate == Fate::kAcked || at(tsn).fate == Fate::kAbandoned) continue;
      acknowledge(now, tsn, work);
      ++gap_acked_;
    }
    seen = end;
  }
  take_back(seen + 1, next_tsn_);
}

void DataSender::count_misses(Now now, const AckWork& work) {
  if (work.acked_bytes == 0) return;
  // RFC 9260 7.2.4: only TSNs below the highest newly acknowledged one count as missing, so that reordering of SACKs
  // does not; in fast recovery an advancing cumulative TSN makes every hole count.
  int64_t below = work.highest_newly_acked;
  if (congestion_.in_fast_recovery() && work.cumulative_advanced) {
    for (int64_t tsn = next_tsn_ - 1; tsn >= first_tsn_ && gap_acked_ > 0; --tsn) {
      if (at(tsn).fate != Fate::kAcked) continue;
      below = tsn;
      break;
    }
  }
  bool any = false;
  for (int64_t tsn = first_tsn_; tsn < below; ++tsn) {
    Sent& chunk = at(tsn);
    if (chunk.fate != Fate::kInFlight || chunk.fast_retransmitted) continue;
    if (++chunk.misses < kMissesToRetransmit) continue;
    chunk.fast_retransmitted = true;  // RFC 9260 7.2.4: once; after that only T3
    ++counters_.fast_retransmits;
    mark_lost(tsn);
    any = true;
  }
  if (!any) return;
  congestion_.on_fast_retransmit(next_tsn_ - 1);
  free_packet_ = true;  // RFC 9260 7.2.4 step 3: one packet regardless of the window
  if (lost_.contains(first_tsn_)) timeout_at_ = now.mono + rto_.value();  // step 4
}

void DataSender::finish_ack(Now now, const AckWork& work) {
  congestion_.on_ack(work.acked_bytes, work.cumulative_advanced, work.flight_before, chunks_.empty());
  congestion_.on_cumulative_tsn(first_tsn_ - 1);
  if (work.acked_bytes > 0 || work.cumulative_advanced) timeouts_in_a_row_ = 0;
  if (work.cumulative_advanced) rto_.on_progress();
  // RFC 9260 6.3.2 R2, R3.
  if (chunks_.empty()) {
    timeout_at_ = kNever;
  } else if (work.cumulative_advanced) {
    timeout_at_ = now.mono + rto_.value();
  }
}

void DataSender::mark_lost(int64_t tsn) {
  Sent& chunk = at(tsn);
  chunk.fate = Fate::kLost;
  flight_bytes_ -= chunk.payload.size();
  lost_.insert(tsn);
  if (rtt_tsn_ == tsn) rtt_tsn_.reset();
}

void DataSender::on_timeout(Now now) {
  if (timeout_at_ > now.mono) return;
  timeout_at_ = kNever;  // the retransmission below starts it again
  if (chunks_.empty()) return;
  ++counters_.timeouts;
  ++timeouts_in_a_row_;
  rto_.on_timeout();
  congestion_.on_timeout();
  // RFC 9260 6.3.3 E3: what fits a packet goes at once, the rest as the window opens.
  for (int64_t tsn = first_tsn_; tsn < next_tsn_; ++tsn) {
    if (at(tsn).fate == Fate::kInFlight) mark_lost(tsn);
  }
  forward_again_ = true;
}

// --- transmission ---------------------------------------------------------------------------------------------------

bool DataSender::has_something_to_send() const {
  return !lost_.empty() || !messages_.empty() || is_forward_tsn_due();
}

bool DataSender::write_data(Now now, PacketWriter& packet) {
  if (chunks_.empty() && !messages_.empty()) congestion_.on_idle(now.mono - last_sent_, rto_.value());
  give_up(now);
  const bool wrote_forward = write_forward_tsn(now, packet);
  const bool wrote_lost = write_lost(now, packet);
  const bool wrote_new = write_new(now, packet);
  if (wrote_lost || lost_.empty()) free_packet_ = false;
  return wrote_forward || wrote_lost || wrote_new;
}

bool DataSender::write_lost(Now now, PacketWriter& packet) {
  bool wrote = false;
  while (!lost_.empty()) {
    const int64_t tsn = *lost_.begin();
    if (!free_packet_ && flight_bytes_ >= congestion_.bytes()) break;
    Sent& chunk = at(tsn);
    if (kDataHeaderSize + padded(chunk.payload.size()) > packet.left()) break;
    lost_.erase(lost_.begin());
    chunk.misses = 0;
    ++counters_.retransmissions;
    send_chunk(now, tsn, packet);
    wrote = true;
  }
  return wrote;
}

// How much of `message` goes into `room` bytes of payload: all that is left of it, or a worthwhile piece.
size_t DataSender::fragment_size(const Waiting& message, size_t room) const {
  const size_t left = message.payload.size() - message.sent;
  if (left <= room) return left;
  return room >= kMinFragment ? room & ~size_t{3} : 0;
}

bool DataSender::write_new(Now now, PacketWriter& packet) {
  bool wrote = false;
  // RFC 9260 6.1 C: what was lost goes before anything new.
  while (!messages_.empty() && lost_.empty()) {
    if (drop_expired_front(now)) continue;
    if (flight_bytes_ >= congestion_.bytes() || packet.left() <= kDataHeaderSize) break;
    Waiting& message = messages_.front();
    const size_t size = fragment_size(message, packet.left() - kDataHeaderSize);
    if (size == 0) break;
    // RFC 9260 6.1 A: beyond the peer's window only one chunk, as a probe.
    if (size > peer_window_ && flight_bytes_ > 0) break;
    if (message.sent == 0 && message.ordered) message.ssn = next_ssn_[message.stream]++;

    Sent chunk;
    chunk.header.tsn = static_cast<uint32_t>(next_tsn_);
    chunk.header.stream = message.stream;
    chunk.header.ssn = message.ssn;
    chunk.header.ppid = message.ppid;
    chunk.header.unordered = !message.ordered;
    chunk.max_retransmits = message.max_retransmits;
    chunk.expires_at = message.expires_at;
    chunk.header.begins = message.sent == 0;
    const uint8_t* const from = message.payload.data() + message.sent;
    chunk.payload.assign(from, from + size);
    message.sent += size;
    chunk.header.ends = message.sent == message.payload.size();
    // RFC 7053 4: nothing follows that would make the peer acknowledge this one soon.
    chunk.header.immediate = chunk.header.ends && messages_.size() == 1;
    if (chunk.header.ends) messages_.pop_front();
    chunks_.push_back(std::move(chunk));
    send_chunk(now, next_tsn_++, packet);
    wrote = true;
  }
  return wrote;
}

void DataSender::send_chunk(Now now, int64_t tsn, PacketWriter& packet) {
  Sent& chunk = at(tsn);
  DataChunk data = chunk.header;
  data.payload = chunk.payload;
  sctp::write_data(packet, data);
  chunk.fate = Fate::kInFlight;
  flight_bytes_ += chunk.payload.size();
  peer_window_ -= std::min(peer_window_, chunk.payload.size());
  // RFC 9260 6.3.1 C5 (Karn): never measured on what was sent twice; mark_lost() has cleared such a measurement.
  if (!rtt_tsn_ && chunk.transmissions == 0) {
    rtt_tsn_ = tsn;
    rtt_started_ = now.mono;
  }
  ++chunk.transmissions;
  last_sent_ = now.mono;
  if (timeout_at_ == kNever) timeout_at_ = now.mono + rto_.value();  // RFC 9260 6.3.2 R1
}

}  // namespace atm::sctp

// How DataSender gives messages up and tells the peer so (RFC 3758 3.5, with the policies of RFC 7496).
#include <algorithm>
#include <array>

#include "core/sctp/data_sender.h"
#include "core/sctp/limits.h"

namespace atm::sctp {

bool DataSender::is_hopeless(Now now, const Sent& chunk) const {
  return (chunk.max_retransmits && chunk.transmissions > *chunk.max_retransmits) || chunk.expires_at <= now.mono;
}

// Called before anything is written, so that nothing goes out that is past its limits. What is in flight is left alone:
// it may have arrived, and T3 or SACKs will tell.
void DataSender::give_up(Now now) {
  if (!peer_takes_forward_tsn_) return;
  for (auto it = lost_.begin(); it != lost_.end();) {
    const int64_t tsn = *it;
    if (!is_hopeless(now, at(tsn))) {
      ++it;
      continue;
    }
    abandon(tsn);
    it = lost_.upper_bound(tsn);
  }
  if (!messages_.empty() && messages_.front().sent > 0 && messages_.front().expires_at <= now.mono) {
    append_end_of_front();
    abandon(next_tsn_ - 1);
  }
  // RFC 3758 3.5 C1 and C2.
  ack_point_ = std::max(ack_point_, first_tsn_ - 1);
  while (ack_point_ + 1 < next_tsn_ && at(ack_point_ + 1).fate == Fate::kAbandoned) ++ack_point_;
}

// Messages that nothing was sent of need no word to the peer. True when it dropped one.
bool DataSender::drop_expired_front(Now now) {
  if (!peer_takes_forward_tsn_ || messages_.empty()) return false;
  const Waiting& message = messages_.front();
  if (message.sent > 0 || message.expires_at > now.mono) return false;
  queued_bytes_ -= message.payload.size() + kQueuedOverhead;
  messages_.pop_front();
  ++counters_.abandoned_messages;
  return true;
}

// Makes room: all of these, wherever they wait.
void DataSender::drop_expired(Now now) {
  if (!peer_takes_forward_tsn_) return;
  std::erase_if(messages_, [&](const Waiting& message) {
    if (message.sent > 0 || message.expires_at > now.mono) return false;
    queued_bytes_ -= message.payload.size() + kQueuedOverhead;
    ++counters_.abandoned_messages;
    return true;
  });
}

// All fragments of the message that `tsn` belongs to.
void DataSender::abandon(int64_t tsn) {
  ++counters_.abandoned_messages;
  int64_t last = tsn;
  while (!at(last).header.ends && last + 1 < next_tsn_) ++last;
  if (!at(last).header.ends) {
    append_end_of_front();
    ++last;
  }
  for (int64_t i = last; i >= first_tsn_; --i) {
    const bool begins = at(i).header.begins;
    abandon_chunk(i);
    if (begins) break;
  }
}

void DataSender::abandon_chunk(int64_t tsn) {
  Sent& chunk = at(tsn);
  if (chunk.fate == Fate::kInFlight) flight_bytes_ -= chunk.payload.size();
  if (chunk.fate == Fate::kLost) lost_.erase(tsn);
  if (chunk.fate == Fate::kAcked) --gap_acked_;
  if (rtt_tsn_ == tsn) rtt_tsn_.reset();
  chunk.fate = Fate::kAbandoned;
  queued_bytes_ -= chunk.payload.size();
  chunk.payload = Bytes();
}

// The message that is partly sent ends with a fragment that never goes out. Without its TSN the next message's first
// fragment would follow a middle one of this, which RFC 9260 6.9 rules out and peers abort on.
void DataSender::append_end_of_front() {
  const Waiting& message = messages_.front();
  Sent end;
  end.header.tsn = static_cast<uint32_t>(next_tsn_);
  end.header.stream = message.stream;
  end.header.ssn = message.ssn;
  end.header.unordered = !message.ordered;
  end.header.ends = true;
  end.fate = Fate::kAbandoned;
  queued_bytes_ -= message.payload.size() - message.sent;
  messages_.pop_front();
  chunks_.push_back(std::move(end));
  ++next_tsn_;
}

bool DataSender::is_forward_tsn_due() const {
  return ack_point_ >= first_tsn_ && (ack_point_ > forwarded_to_ || forward_again_);
}

bool DataSender::write_forward_tsn(Now now, PacketWriter& packet) {
  if (!is_forward_tsn_due()) return false;
  // RFC 3758 3.5 C4: each stream once, with its highest number. Unordered messages have none.
  std::array<ForwardTsnChunk::Skip, kMaxForwardStreams> skips;
  size_t count = 0;
  int64_t to = first_tsn_ - 1;
  for (; to < ack_point_; ++to) {
    const DataChunk& header = at(to + 1).header;
    if (header.unordered) continue;
    const auto used = skips.begin() + static_cast<std::ptrdiff_t>(count);
    const auto known = std::find_if(skips.begin(), used, [&](const auto& s) { return s.stream == header.stream; });
    if (known == used && count == skips.size()) break;  // the rest when the peer has gone on to here
    if (known == used) ++count;
    *known = {header.stream, header.ssn};
  }
  if (kForwardTsnHeaderSize + 4 * count > packet.left()) return false;
  sctp::write_forward_tsn(packet, static_cast<uint32_t>(to), std::span(skips).first(count));
  ++counters_.forward_tsns_out;
  forwarded_to_ = ack_point_;
  forwarded_at_ = now.mono;
  forward_again_ = false;
  if (timeout_at_ == kNever) timeout_at_ = now.mono + rto_.value();  // C5: it is repeated until it is acknowledged
  return true;
}

}  // namespace atm::sctp

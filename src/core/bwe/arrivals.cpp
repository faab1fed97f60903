#include "core/bwe/arrivals.h"

#include <algorithm>

namespace atm::bwe {
namespace {

constexpr Duration kLeastInterval = 50ms;     // libwebrtc
constexpr Duration kLongestInterval = 100ms;  // libwebrtc's default, and what rate control is tuned to
constexpr uint64_t kFeedbackBits = 68 * 8;    // of one with IP, UDP and SRTCP around it (libwebrtc)
constexpr uint64_t kShare = 20;               // one of that many bits: 5 %
constexpr int64_t kGathered = 500;  // at once then: one datagram of 1,180 bytes holds them, even as large deltas

}  // namespace

// At `bps_`, the rate of what came before the last feedback.
Duration TransportFeedbackBuilder::interval() const {
  if (bps_ == 0) return kLongestInterval;
  const uint64_t us = kFeedbackBits * kShare * 1'000'000 / bps_;
  return std::clamp(Duration(static_cast<int64_t>(us)), kLeastInterval, kLongestInterval);
}

void TransportFeedbackBuilder::on_packet(Instant now, uint16_t transport_sequence, size_t bytes) {
  const bool first = ring_.empty();
  if (first) {
    ring_.resize(kWindow);
    line_.reserve(kWindow);
  }
  const int64_t sequence = unwrapper_.unwrap(transport_sequence);
  if (first) begin_ = end_ = sequence;
  if (sequence < end_ - static_cast<int64_t>(kWindow)) return;
  if (sequence >= end_) {
    const int64_t oldest = sequence + 1 - static_cast<int64_t>(kWindow);
    for (int64_t s = std::max(end_, oldest); s <= sequence; ++s) at(s).reset();
    end_ = sequence + 1;
    begin_ = std::max(begin_, oldest);
  } else if (at(sequence)) {
    return;
  }
  at(sequence) = now.time_since_epoch() / rtcp::kFeedbackTick;
  begin_ = std::min(begin_, sequence);
  bytes_ += bytes;
  if (due_ == kNever) due_ = std::max(now, told_at_ + interval());
  if (end_ - begin_ >= kGathered) due_ = std::min(due_, now);
}

bool TransportFeedbackBuilder::write(Instant now, uint32_t sender_ssrc, uint32_t media_ssrc,
                                     rtcp::CompoundWriter& writer) {
  // Missing packets in front are told too, unless the sender has jumped: they would not leave room for an arrival.
  int64_t first = begin_;
  while (first < end_ && !at(first)) ++first;
  if (first == end_) {
    due_ = kNever;
    return false;
  }
  if (first - begin_ > kGathered) begin_ = first;
  line_.clear();
  for (int64_t s = begin_; s < end_; ++s) line_.push_back(at(s));
  const size_t told = writer.transport_feedback(sender_ssrc, media_ssrc, static_cast<uint16_t>(begin_), count_, line_);
  if (told == 0) return false;
  ++count_;
  begin_ += static_cast<int64_t>(told);
  if (begin_ < end_) return true;
  if (now > told_at_) bps_ = bytes_ * 8 * 1'000'000 / static_cast<uint64_t>((now - told_at_).count());
  told_at_ = now;
  bytes_ = 0;
  due_ = kNever;
  return false;
}

}  // namespace atm::bwe

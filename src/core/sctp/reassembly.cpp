#include "core/sctp/reassembly.h"

#include <iterator>
#include <utility>

#include "core/sctp/limits.h"

namespace atm::sctp {

// RFC 3758 3.6: a sender that gives a message up gives all its fragments up; those that arrive after the skip can
// never become a message, and each moves the mark on to the next.
bool Reassembly::is_orphan(int64_t tsn, const DataChunk& data) {
  if (skipped_to_ < 0 || tsn != skipped_to_ + 1 || data.begins) return false;
  skipped_to_ = tsn;
  const auto after = runs_.find(tsn + 1);
  if (!data.ends && after != runs_.end() && !after->second.begins) {
    skipped_to_ = after->second.last;
    drop_run(after);
  }
  return true;
}

Reassembly::Outcome Reassembly::add(int64_t tsn, const DataChunk& data, std::vector<Message>& out) {
  if (data.payload.size() > max_message_size_) return Outcome::kTooLarge;
  if (is_orphan(tsn, data)) {
    ++counters_.drop_skipped_fragment;
    return Outcome::kOk;
  }
  if (data.begins && data.ends) {  // most messages: nothing to join
    Message message{data.stream, data.ppid, data.unordered, Bytes(data.payload.begin(), data.payload.end())};
    if (data.unordered) {
      ++counters_.messages_in;
      out.push_back(std::move(message));
    } else {
      deliver_ordered(data.ssn, std::move(message), out);
    }
    return Outcome::kOk;
  }

  Fragment fragment{data, Bytes(data.payload.begin(), data.payload.end())};
  fragment.header.payload = {};
  fragments_.emplace(tsn, std::move(fragment));
  held_bytes_ += data.payload.size() + kHeldOverhead;
  auto run = runs_.emplace(tsn, Run{tsn, data.payload.size(), data.begins, data.ends}).first;
  if (run != runs_.begin()) {
    const auto before = std::prev(run);
    if (before->second.last + 1 == tsn) {
      if (!join(before, run)) return Outcome::kViolation;
      if (!runs_.contains(tsn)) run = before;
    }
  }
  const auto after = std::next(run);
  if (after != runs_.end() && after->first == tsn + 1 && !join(run, after)) return Outcome::kViolation;
  if (run->second.bytes > max_message_size_) return Outcome::kTooLarge;
  if (run->second.begins && run->second.ends) deliver(run, out);
  return Outcome::kOk;
}

// Joins two neighbours into the left one unless a message ends between them. False: neither one message nor two.
bool Reassembly::join(Runs::iterator left, Runs::iterator right) {
  if (left->second.ends != right->second.begins) return false;  // an end without a beginning, or the reverse
  if (left->second.ends) return true;
  const DataChunk& a = fragments_.at(left->second.last).header;
  const DataChunk& b = fragments_.at(right->first).header;
  // RFC 9260 6.9: fragments share the stream, the U bit and, when ordered, the stream sequence number.
  if (a.stream != b.stream || a.unordered != b.unordered || (!a.unordered && a.ssn != b.ssn)) return false;
  left->second.last = right->second.last;
  left->second.bytes += right->second.bytes;
  left->second.ends = right->second.ends;
  runs_.erase(right);
  return true;
}

void Reassembly::deliver(Runs::iterator run, std::vector<Message>& out) {
  const auto first = fragments_.find(run->first);
  const DataChunk header = first->second.header;
  Message message{header.stream, header.ppid, header.unordered, {}};
  message.payload.reserve(run->second.bytes);
  for (auto it = first; it != fragments_.end() && it->first <= run->second.last; ++it) {
    message.payload.insert(message.payload.end(), it->second.payload.begin(), it->second.payload.end());
  }
  drop_run(run);
  if (header.unordered) {
    ++counters_.messages_in;
    out.push_back(std::move(message));
  } else {
    deliver_ordered(header.ssn, std::move(message), out);
  }
}

void Reassembly::deliver_ordered(uint16_t ssn, Message message, std::vector<Message>& out) {
  Stream& stream = streams_[message.stream];
  const int64_t number =
      stream.next_ssn + static_cast<int16_t>(static_cast<uint16_t>(ssn - static_cast<uint16_t>(stream.next_ssn)));
  if (number < stream.next_ssn || stream.waiting.contains(number)) {
    ++counters_.drop_old_ssn;
    return;
  }
  if (number == stream.next_ssn) {
    ++stream.next_ssn;
    ++counters_.messages_in;
    out.push_back(std::move(message));
    deliver_waiting(stream, out);
    return;
  }
  held_bytes_ += message.payload.size() + kHeldOverhead;
  stream.waiting.emplace(number, std::move(message));
}

void Reassembly::deliver_waiting(Stream& stream, std::vector<Message>& out) {
  while (!stream.waiting.empty() && stream.waiting.begin()->first <= stream.next_ssn) {
    Message message = std::move(stream.waiting.begin()->second);
    stream.next_ssn = stream.waiting.begin()->first + 1;
    stream.waiting.erase(stream.waiting.begin());
    held_bytes_ -= message.payload.size() + kHeldOverhead;
    ++counters_.messages_in;
    out.push_back(std::move(message));
  }
}

void Reassembly::drop_run(Runs::iterator run) {
  auto it = fragments_.find(run->first);
  while (it != fragments_.end() && it->first <= run->second.last) {
    held_bytes_ -= it->second.payload.size() + kHeldOverhead;
    it = fragments_.erase(it);
  }
  runs_.erase(run);
}

void Reassembly::skip_to(int64_t tsn) {
  skipped_to_ = tsn;
  // A run that reaches beyond the skip lost its beginning or began below it: none of it can complete.
  while (!runs_.empty() && runs_.begin()->first <= skipped_to_) {
    const auto run = runs_.begin();
    if (run->second.last > skipped_to_) skipped_to_ = run->second.last;
    ++counters_.drop_skipped_fragment;
    drop_run(run);
  }
  while (!runs_.empty() && runs_.begin()->first == skipped_to_ + 1 && !runs_.begin()->second.begins) {
    skipped_to_ = runs_.begin()->second.last;
    ++counters_.drop_skipped_fragment;
    drop_run(runs_.begin());
  }
}

void Reassembly::skip_ssn(uint16_t id, uint16_t ssn, std::vector<Message>& out) {
  Stream& stream = streams_[id];
  const int64_t number =
      stream.next_ssn + static_cast<int16_t>(static_cast<uint16_t>(ssn - static_cast<uint16_t>(stream.next_ssn)));
  if (number < stream.next_ssn) return;
  while (!stream.waiting.empty() && stream.waiting.begin()->first <= number) {
    stream.next_ssn = stream.waiting.begin()->first;  // what lies between is given up
    deliver_waiting(stream, out);
  }
  if (stream.next_ssn <= number) stream.next_ssn = number + 1;
  deliver_waiting(stream, out);
}

void Reassembly::clear() {
  fragments_.clear();
  runs_.clear();
  streams_.clear();
  held_bytes_ = 0;
  skipped_to_ = -1;
}

void Reassembly::reset_streams(const std::vector<uint16_t>& streams) {
  const auto reset = [this](Stream& stream) {
    for (const auto& [number, message] : stream.waiting) held_bytes_ -= message.payload.size() + kHeldOverhead;
    stream = Stream{};
  };
  if (streams.empty()) {
    for (auto& [id, stream] : streams_) reset(stream);
    return;
  }
  for (const uint16_t id : streams) {
    const auto it = streams_.find(id);
    if (it != streams_.end()) reset(it->second);
  }
}

}  // namespace atm::sctp

#include "ledger.h"

#include <algorithm>
#include <optional>

#include "wire/rtp/packet.h"

namespace atm::sim {

void Ledger::on_link(uint32_t client, bool is_uplink, ByteView datagram, Fate fate) {
  if (rtp::classify(datagram) != rtp::PacketClass::kRtp || datagram.size() < 12) return;
  const OnLink packet{is_uplink ? 0 : client, is_uplink, load_u32(datagram.data() + 8), load_u16(datagram.data() + 2)};
  if (is_uplink && fate == Fate::kCarried) arrived_.try_emplace(packet, arrivals_++);
  if (fate != Fate::kCarried) {
    trouble_.try_emplace(packet, fate);
  } else if (const auto lost = trouble_.find(packet); lost != trouble_.end()) {
    lost->second = fate;
  }
}

void Ledger::on_sent(Instant now, uint32_t publisher, bool is_video, uint64_t id, uint32_t ssrc, uint16_t sequence) {
  sent_[{publisher, is_video}][id] = {ssrc, sequence, now};
  trouble_.erase({0, true, ssrc, sequence});  // of the last time round
  arrived_.erase({0, true, ssrc, sequence});
}

void Ledger::on_received(uint32_t viewer, bool is_video, uint32_t publisher, uint64_t id, uint32_t ssrc,
                         int64_t sequence) {
  received_[{viewer, {publisher, is_video}, ssrc}].try_emplace(id, sequence);
  numbers_[{viewer, ssrc}].insert(sequence);
}

Instant Ledger::sent_at(uint32_t publisher, bool is_video, uint64_t id) const {
  return sent_.at({publisher, is_video}).at(id).at;
}

const Ledger::Fate* Ledger::trouble_of(const OnLink& packet) const {
  const auto found = trouble_.find(packet);
  return found == trouble_.end() ? nullptr : &found->second;
}

Ledger::Totals Ledger::close(bool relay_loses) {
  totals_ = {};
  errors_.clear();
  for (const auto& [view, received] : received_) close_view(view, received, relay_loses);
  return totals_;
}

void Ledger::close_view(const View& view, const Received& received, bool relay_loses) {
  const auto& sent = sent_[view.stream];
  uint64_t first_arrival = 0, last_arrival = 0;
  for (auto it = received.begin(); it != received.end(); ++it) {
    const auto& [id, sequence] = *it;
    const auto original = sent.find(id);
    if (original == sent.end()) {
      ++totals_.unaccounted;
      errors_.push_back("client " + std::to_string(view.viewer) + " received what nobody sent");
      continue;
    }
    if (it == received.begin() || !is_one_view(view, std::prev(it), it)) {
      first_arrival = ~uint64_t{0};
      last_arrival = 0;
      for (auto of = it; of != received.end(); ++of) {
        if (of != it && !is_one_view(view, std::prev(of), of)) break;
        const auto arrival = arrival_of(view.stream, of->first);
        first_arrival = std::min(first_arrival, arrival.value_or(first_arrival));
        last_arrival = std::max(last_arrival, arrival.value_or(last_arrival));
      }
    }
    const OnLink up{0, true, original->second.ssrc, original->second.sequence};
    const OnLink down{view.viewer, false, view.ssrc, static_cast<uint16_t>(sequence)};
    ++(trouble_of(up) != nullptr || trouble_of(down) != nullptr ? totals_.recovered : totals_.delivered);
    const auto next = std::next(it);
    if (next == received.end()) break;
    const bool goes_on = is_one_view(view, it, next);
    for (auto missing = std::next(original); missing != sent.end() && missing->first < next->first; ++missing) {
      if (!goes_on || came_outside(view.stream, first_arrival, last_arrival, missing->first)) {
        ++totals_.interrupted;
        continue;
      }
      const auto number = static_cast<uint16_t>(sequence + static_cast<int64_t>(missing->first - id));
      close_missing(view, missing->first, missing->second, number, relay_loses);
    }
  }
}

// Of two packets that follow each other. A server keeps the gaps of what it forwards: with another distance between the
// numbers, or with packets of another stream between them, the view began anew.
bool Ledger::is_one_view(const View& view, Received::const_iterator a, Received::const_iterator b) const {
  if (b->first - a->first != static_cast<uint64_t>(b->second - a->second)) return false;
  const auto& numbers = numbers_.at({view.viewer, view.ssrc});
  return numbers.upper_bound(a->second) == numbers.find(b->second);
}

std::optional<uint64_t> Ledger::arrival_of(const Stream& stream, uint64_t id) const {
  const Sent& sent = sent_.at(stream).at(id);
  const auto it = arrived_.find({0, true, sent.ssrc, sent.sequence});
  return it == arrived_.end() ? std::optional<uint64_t>() : it->second;
}

// It came when nobody viewed the stream: before or behind everything that the view brought. (A part of the view's first
// picture that overtook the picture's start is replayed by the server, so it is inside.)
bool Ledger::came_outside(const Stream& stream, uint64_t first_arrival, uint64_t last_arrival, uint64_t missing) const {
  const auto arrival = arrival_of(stream, missing);
  return arrival && (*arrival < first_arrival || *arrival > last_arrival);
}

void Ledger::close_missing(const View& view, uint64_t id, const Sent& sent, uint16_t number, bool relay_loses) {
  const Fate* down = trouble_of({view.viewer, false, view.ssrc, number});
  const Fate* up = trouble_of({0, true, sent.ssrc, sent.sequence});
  if (down != nullptr && *down == Fate::kLost) {
    ++totals_.lost_on_downlink;
  } else if (down != nullptr && *down == Fate::kUnderWay) {
    ++totals_.under_way;
  } else if (up != nullptr && *up == Fate::kLost) {
    ++totals_.lost_on_uplink;
  } else if (up != nullptr && *up == Fate::kUnderWay) {
    ++totals_.under_way;
  } else if (relay_loses) {
    ++totals_.lost_on_relay;
  } else {
    ++totals_.unaccounted;
    if (errors_.size() == 5) return;
    errors_.push_back((view.stream.is_video ? "video" : "audio") + std::string(" packet ") + std::to_string(id) +
                      " of client " + std::to_string(view.stream.publisher) + " (number " +
                      std::to_string(sent.sequence) + ") did not reach client " + std::to_string(view.viewer) +
                      " (as number " + std::to_string(number) + "), and nobody has lost it");
  }
}

}  // namespace atm::sim

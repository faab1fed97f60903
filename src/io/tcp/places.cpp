#include "io/tcp/places.h"

#include <algorithm>

namespace atm::io {

IpAddress Places::block_of(const IpAddress& ip) {
  if (ip.is_v4()) return ip;
  std::array<uint8_t, 16> bytes = ip.bytes();
  std::fill(bytes.begin() + 8, bytes.end(), uint8_t{0});
  return IpAddress::v6(bytes);
}

std::optional<uint64_t> Places::oldest_waiting(const IpAddress* of) const {
  const auto it = std::find_if(waiting_.begin(), waiting_.end(),
                               [&](uint64_t id) { return of == nullptr || addresses_.at(id) == *of; });
  return it == waiting_.end() ? std::nullopt : std::optional(*it);
}

Places::Entry Places::enter(uint64_t id, const IpAddress& from) {
  const IpAddress block = block_of(from);
  const auto known = counts_.find(block);
  const Counts of_block = known == counts_.end() ? Counts{} : known->second;
  Entry out;
  if (of_block.waiting >= kMaxWaitingPerAddress || (of_block.all >= kMaxPerAddress && of_block.waiting > 0)) {
    out.evicted = oldest_waiting(&block);
  } else if (of_block.all >= kMaxPerAddress) {
    return out;
  } else if (waiting_.size() >= kMaxWaiting || (connections() >= kMaxConnections && waiting() > 0)) {
    out.evicted = oldest_waiting(nullptr);
  } else if (connections() >= kMaxConnections) {
    return out;
  }
  if (out.evicted) leave(*out.evicted);
  out.may_stay = true;
  addresses_.emplace(id, block);
  waiting_.push_back(id);
  Counts& counts = counts_[block];
  ++counts.all;
  ++counts.waiting;
  return out;
}

void Places::admit(uint64_t id) {
  if (std::erase(waiting_, id) > 0) --counts_[addresses_.at(id)].waiting;
}

void Places::leave(uint64_t id) {
  const auto it = addresses_.find(id);
  if (it == addresses_.end()) return;
  admit(id);
  const auto counts = counts_.find(it->second);
  if (--counts->second.all == 0) counts_.erase(counts);
  addresses_.erase(it);
}

}  // namespace atm::io

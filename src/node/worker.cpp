#include "node/worker.h"

#include <algorithm>
#include <charconv>

#include "base/log.h"
#include "base/secret.h"
#include "wire/rtp/packet.h"

namespace atm::node {
namespace {
// Between two looks at one session's timers: a machine that is due without end may cost turns, never the whole worker.
constexpr Duration kTimerStep = 1ms;
}  // namespace

using session::Session;

Worker::Worker(Config config, Now now, Rng& rng)
    : config_(std::move(config)), rng_(rng), dtls_(dtls::Certificate::make(now, rng)) {
  for (size_t i = 0; i < config_.worker_count; ++i) {
    if (i != config_.index) others_.push_back(room::SliceId{static_cast<uint16_t>(i)});
  }
}

Worker::~Worker() = default;

// --- datagrams --------------------------------------------------------------------------------------------------

void Worker::on_datagrams(Now now, std::span<Datagram> datagrams, SendBatch& send) {
  room::Output out = output(send);
  counters_.datagrams_received += datagrams.size();
  burst_.clear();
  for (const Datagram& datagram : datagrams) {
    Entry* entry = find_for_datagram(datagram);
    if (entry == nullptr) continue;
    const rtp::PacketClass packet_class = rtp::classify(datagram.bytes);
    if (packet_class == rtp::PacketClass::kDtls) {
      postpone(*entry, datagram);
      continue;
    }
    Session& session = *entry->session;
    session.on_datagram(now, datagram, out);
    if (packet_class == rtp::PacketClass::kStun && session.peer().is_validated(datagram.path)) {
      learn_origin(*entry, origin_of(datagram.path));
    }
    if (!entry->is_in_burst) {
      entry->is_in_burst = true;
      burst_.push_back(entry);
    }
  }
  // Only now, with the whole burst decrypted: each subscriber gets its part of it in one piece.
  // None of them ends before settle().
  for (Entry* entry : burst_) {
    entry->is_in_burst = false;
    entry->session->on_burst_end(now, out);
    touched_.push_back(entry->session->id());
  }
  settle(now, out);
}

void Worker::postpone(Entry& entry, const Datagram& datagram) {
  // One session's flood fills its own share. What is dropped comes again: DTLS and SCTP retransmit.
  if (slow_lane_.size() >= kMaxSlowDatagrams || entry.slow_datagrams >= kMaxSlowPerSession) {
    ++counters_.drop_slow_lane_full;
    return;
  }
  ++entry.slow_datagrams;
  slow_lane_.push_back(
      {entry.session->id(), datagram.path, datagram.arrived, Bytes(datagram.bytes.begin(), datagram.bytes.end())});
}

void Worker::do_slow_step(Now now, SendBatch& send) {
  if (slow_lane_.empty()) return;
  SlowDatagram datagram = std::move(slow_lane_.front());
  slow_lane_.pop_front();
  Entry* entry = find(datagram.session);
  if (entry == nullptr) return;  // it has ended meanwhile
  --entry->slow_datagrams;
  room::Output out = output(send);
  entry->session->on_datagram(now, {datagram.path, datagram.arrived, datagram.bytes}, out);
  entry->session->on_burst_end(now, out);
  register_ufrag(*entry);  // a request may have restarted ICE
  touched_.push_back(datagram.session);
  settle(now, out);
}

Worker::Entry* Worker::find_for_datagram(const Datagram& datagram) {
  // STUN names its session; anything else must come from an address that a STUN check of the session has validated.
  if (rtp::classify(datagram.bytes) == rtp::PacketClass::kStun) {
    if (const auto ufrag = ice::Agent::peek_local_ufrag(datagram.bytes)) {
      const auto it = by_ufrag_.find(std::string(*ufrag));
      if (it == by_ufrag_.end()) {
        ++counters_.drop_unknown_ufrag;
        return nullptr;
      }
      return find(it->second);
    }
  }
  const auto it = by_origin_.find(origin_of(datagram.path));
  if (it == by_origin_.end()) {
    ++counters_.drop_unknown_address;
    return nullptr;
  }
  return find(it->second);
}

bool Worker::admits(ByteView first_frame) const {
  const auto ufrag = ice::Agent::peek_local_ufrag(first_frame);
  return ufrag && by_ufrag_.contains(std::string(*ufrag));
}

void Worker::on_path_closed(Now now, const Path& path, SendBatch& send) {
  const auto it = by_origin_.find(origin_of(path));
  if (it == by_origin_.end()) return;  // nothing was proved over it, or its session has ended
  Entry& entry = *find(it->second);
  std::erase(entry.origins, it->first);
  by_origin_.erase(it);
  entry.session->peer().on_path_closed(path);
  touched_.push_back(entry.session->id());
  room::Output out = output(send);
  settle(now, out);
}

void Worker::learn_origin(Entry& entry, const Origin& origin) {
  const auto [it, is_new] = by_origin_.try_emplace(origin, entry.session->id());
  if (!is_new && it->second == entry.session->id()) return;
  it->second = entry.session->id();   // the address has changed hands: whoever was validated last has it
  std::erase(entry.origins, origin);  // it had it before
  entry.origins.push_back(origin);
  if (entry.origins.size() <= kMaxAddressesPerSession) return;
  const auto oldest = by_origin_.find(entry.origins.front());
  if (oldest != by_origin_.end() && oldest->second == entry.session->id()) by_origin_.erase(oldest);
  entry.origins.erase(entry.origins.begin());
}

void Worker::register_ufrag(Entry& entry) {
  const std::string& ufrag = entry.session->peer().local_ufrag();
  if (!entry.ufrags.empty() && entry.ufrags.back() == ufrag) return;
  by_ufrag_[ufrag] = entry.session->id();
  entry.ufrags.push_back(ufrag);
  // Those from before a restart go on to be known for as long as ICE takes them, so that a restart loses nothing.
  if (entry.ufrags.size() <= 1 + ice::kMaxPreviousCredentials) return;
  by_ufrag_.erase(entry.ufrags.front());
  entry.ufrags.erase(entry.ufrags.begin());
}

// --- time -------------------------------------------------------------------------------------------------------

void Worker::on_timeout(Now now, SendBatch& send) {
  room::Output out = output(send);
  while (deadlines_.next() <= now.mono) {
    const auto [due, id] = deadlines_.pop();
    Entry* entry = find(id);
    if (entry == nullptr || entry->armed != due) continue;  // ended, or an earlier deadline took its place
    entry->armed = kNever;
    if (entry->session->next_timeout() <= now.mono) entry->session->on_timeout(now, out);
    touched_.push_back(id);
    settle(now, out);
  }
  if (rooms_due_ <= now.mono) {
    rooms_due_ = kNever;
    for (auto& [name, entry] : rooms_) entry.room->on_timeout(now, out);
    settle(now, out);
  }
  if (digest_due_ <= now.mono) send_digests(now, out);
}

void Worker::send_digests(Now now, room::Output& out) {
  for (auto& [name, entry] : rooms_) entry.room->send_digests(now, others_, out);
  digest_due_ = rooms_.empty() ? kNever : now.mono + room::kDigestInterval;
  settle(now, out);
}

// --- other workers ----------------------------------------------------------------------------------------------

void Worker::on_relay(Now now, const room::RelayMessage& message, SendBatch& send) {
  ++counters_.relay_messages_received;
  const auto it = rooms_.find(message.room);
  if (it == rooms_.end()) return;  // no slice of it here, or no longer: the sender need not know
  room::Output out = output(send);
  for (const auto& [id, ending] : it->second.room->displaced_by(message)) {
    find(id)->session->close(now, ending, out);
    touched_.push_back(id);
  }
  it->second.room->on_relay(now, message, out);
  settle(now, out);
}

void Worker::give_back(room::RelayMessage message) {
  if (room::has_packets(message) && spare_bursts_.size() < kMaxSpareBursts) spare_bursts_.push_back(std::move(message));
}

Worker::RoomEntry& Worker::open_room(Now now, const std::string& name, room::Output& out) {
  RoomEntry& entry = rooms_[name];
  if (entry.room != nullptr) return entry;
  const auto self = room::SliceId{static_cast<uint16_t>(config_.index)};
  const auto version = static_cast<uint64_t>(to_us(now.mono.time_since_epoch()));
  entry.room = std::make_unique<room::Room>(name, self, version, config_.duplicates);
  entry.room->send_digests(now, others_, out);
  if (!others_.empty() && digest_due_ == kNever) digest_due_ = now.mono + room::kDigestInterval;
  return entry;
}

void Worker::rearm(Now now, Entry& entry) {
  const Instant due = std::max(entry.session->next_timeout(), now.mono + kTimerStep);
  if (due >= entry.armed) return;
  entry.armed = due;
  deadlines_.arm(due, entry.session->id());
}

// Tells the events, ends what is over and re-arms what was touched: after every input, so that nothing waits.
void Worker::settle(Now now, room::Output& out) {
  for (size_t round = 0; !events_.empty() || !touched_.empty(); ++round) {
    for (size_t i = 0; i < events_.size(); ++i) {
      const SessionId id = events_[i].first;
      const contract::Event event = std::move(events_[i].second);
      if (Entry* entry = find(id)) entry->session->tell(now, event, out);
    }
    events_.clear();
    for (size_t i = 0; i < touched_.size(); ++i) {
      Entry* entry = find(touched_[i]);
      if (entry == nullptr) continue;
      if (entry->session->is_over()) {
        drop(now, *entry, out);
        ++counters_.sessions_closed;
      } else {
        rearm(now, *entry);
      }
    }
    touched_.clear();
  }
  for (contract::TokenQuestion& question : questions_) replies_.push_back({0, std::move(question)});
  questions_.clear();
  if (sessions_.empty()) on_replies_due();
}

void Worker::drop(Now now, Entry& entry, room::Output& out) {
  Session& session = *entry.session;
  LOG_INFO("session", "room={} peer={} conn={:.10} ended: {}", session.room().name(), session.peer_id(),
           session.conn_id(), session.end_reason());
  session.leave_room(out);
  session.hang_up(now, out);
  for (const Origin& origin : entry.origins) {
    const auto it = by_origin_.find(origin);
    if (it != by_origin_.end() && it->second == session.id()) by_origin_.erase(it);
  }
  for (const std::string& ufrag : entry.ufrags) by_ufrag_.erase(ufrag);
  gone_peers_.add(session.peer().totals());
  gone_sessions_.requests += session.counters().requests;
  gone_sessions_.requests_refused += session.counters().requests_refused;
  gone_sessions_.messages_malformed += session.counters().messages_malformed;
  gone_sessions_.requests_rate_limited += session.counters().requests_rate_limited;
  gone_sessions_.messages_unread += session.counters().messages_unread;
  const auto room = rooms_.find(session.room().name());
  const bool is_last = --room->second.sessions == 0;
  sessions_.erase(static_cast<uint64_t>(session.id()));
  if (!is_last) return;
  room->second.room->close(out);
  rooms_.erase(room);
}

// --- sessions ---------------------------------------------------------------------------------------------------

Worker::Entry* Worker::find(SessionId id) {
  const auto it = sessions_.find(static_cast<uint64_t>(id));
  return it == sessions_.end() ? nullptr : &it->second;
}

Worker::Entry* Worker::find_by_conn_id(std::string_view conn_id) {
  // "<worker>-<session>-<secret>": the session is looked up by what is no secret, and only then are they compared.
  const size_t first = conn_id.find('-');
  if (first == std::string_view::npos) return nullptr;
  uint64_t number = 0;
  const char* end = conn_id.data() + conn_id.size();
  if (std::from_chars(conn_id.data() + first + 1, end, number, 16).ec != std::errc()) return nullptr;
  Entry* entry = find(SessionId{number});
  return entry != nullptr && equal_in_constant_time(entry->session->conn_id(), conn_id) ? entry : nullptr;
}

}  // namespace atm::node

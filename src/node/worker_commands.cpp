// Worker: the commands of the control thread.
#include <algorithm>
#include <charconv>

#include "node/worker.h"

namespace atm::node {
namespace {
// 128 bits: the only credential of ice_remote, ice_restart and DELETE.
constexpr size_t kConnIdBytes = 16;

std::string make_conn_id(size_t worker, sender::SessionId session, Rng& rng) {
  char number[16];
  char* const end = std::to_chars(number, number + sizeof number, static_cast<uint64_t>(session), 16).ptr;
  return std::to_string(worker) + '-' + std::string(number, static_cast<size_t>(end - number)) + '-' +
         rng.hex(kConnIdBytes);
}
}  // namespace

using session::Session;

void Worker::on_command(Now now, contract::Command command, SendBatch& send) {
  room::Output out = output(send);
  if (std::holds_alternative<contract::Drain>(command.body)) {
    drain_tickets_.push_back(command.ticket);
    is_draining_ = true;
    for (auto& [id, entry] : sessions_) {
      entry.session->close(now, contract::Ending::kShutdown, out);
      touched_.push_back(entry.session->id());
    }
    settle(now, out);
    if (sessions_.empty()) on_replies_due();
    return;
  }
  Outcome outcome = std::visit([&](auto& body) { return on(now, body, out); }, command.body);
  settle(now, out);
  std::visit(
      [&](auto& body) {
        if constexpr (!std::is_same_v<std::decay_t<decltype(body)>, std::monostate>) {
          replies_.push_back({command.ticket, std::move(body)});
        }
      },
      outcome);
}

void Worker::on_replies_due() {
  for (const uint64_t ticket : drain_tickets_) replies_.push_back({ticket, contract::Done{}});
  drain_tickets_.clear();
}

Worker::Outcome Worker::on(Now now, contract::Connect& command, room::Output& out) {
  if (is_draining_ || !takes_sessions_) return Error{ErrorCode::kShuttingDown, "the server takes no new sessions"};
  if (sessions_.size() >= kMaxSessions)
    return Error{ErrorCode::kTooMany, "this worker has all the sessions it may have"};
  const std::string room_name = command.request.room;
  const std::string peer_id = command.request.peer;
  if (const auto known = rooms_.find(room_name);
      known != rooms_.end() && !command.is_last_choice && known->second.sessions >= config_.max_room_sessions) {
    return contract::Elsewhere{std::move(command)};
  }
  if (is_refused_as_duplicate(room_name, peer_id)) {
    ++counters_.connects_refused;
    return Error{ErrorCode::kDuplicatePeer, "a session of this peer is in the room"};
  }
  RoomEntry& room = open_room(now, room_name, out);
  ++room.sessions;

  const SessionId id{next_session_id_++};
  Entry& entry = sessions_[static_cast<uint64_t>(id)];
  peer::Config peer_config;
  peer_config.dtls = &dtls_;
  peer_config.addresses = config_.addresses;
  peer_config.local_addresses = config_.local_addresses;
  peer_config.tcp_addresses = config_.tcp_addresses;
  peer_config.max_incoming_video_bps = config_.max_incoming_video_bps;
  peer_config.playout_delay = command.request.playout_delay;
  std::string conn_id = make_conn_id(config_.index, id, rng_);
  entry.session =
      std::make_unique<Session>(id, conn_id, std::move(command.request), peer_config, *room.room, now, rng_);
  auto answer = entry.session->connect(now, out);
  if (!answer) {
    ++counters_.connects_refused;
    drop(now, entry, out);
    return std::move(answer.error());
  }
  ++counters_.sessions_opened;
  register_ufrag(entry);
  touched_.push_back(id);
  // One session per peer: a newer one replaces the older.
  for (auto& [other_id, other] : sessions_) {
    if (other.session->id() == id || other.session->peer_id() != peer_id || &other.session->room() != room.room.get())
      continue;
    other.session->close(now, contract::Ending::kReplaced, out);
    touched_.push_back(other.session->id());
  }
  return contract::ConnectDone{conn_id, std::move(*answer), peer_id, entry.session->peer().local_ufrag()};
}

Worker::Outcome Worker::on(Now, const contract::IceRemote& command, room::Output&) {
  Entry* entry = find_by_conn_id(command.conn_id);
  if (entry == nullptr) return Error{ErrorCode::kConnNotFound, "no such connection"};
  entry->session->add_remote_candidate(command.candidate);
  return contract::Done{};
}

Worker::Outcome Worker::on(Now now, const contract::IceRestart& command, room::Output& out) {
  Entry* entry = find_by_conn_id(command.conn_id);
  if (entry == nullptr) return Error{ErrorCode::kConnNotFound, "no such connection"};
  auto answer = entry->session->restart_ice(now, command.sdp, out);
  if (!answer) return std::move(answer.error());
  register_ufrag(*entry);
  return contract::ConnectDone{command.conn_id, std::move(*answer), entry->session->peer_id(),
                               entry->session->peer().local_ufrag()};
}

Worker::Outcome Worker::on(Now now, const contract::Disconnect& command, room::Output& out) {
  Entry* entry = find_by_conn_id(command.conn_id);
  if (entry == nullptr || entry->session->protocol() != command.protocol) {
    return Error{ErrorCode::kConnNotFound, "no such connection"};
  }
  entry->session->close(now, contract::Ending::kDisconnected, out);
  touched_.push_back(entry->session->id());
  return contract::Done{};
}

Worker::Outcome Worker::on(Now now, const contract::PatchIce& command, room::Output& out) {
  Entry* entry = find_by_conn_id(command.conn_id);
  if (entry == nullptr || entry->session->protocol() != command.protocol) {
    return Error{ErrorCode::kConnNotFound, "no such session"};
  }
  auto patched = entry->session->patch_ice(now, command, out);
  if (!patched) return std::move(patched.error());
  register_ufrag(*entry);
  if (!*patched) return contract::Done{};
  return std::move(**patched);
}

Worker::Outcome Worker::on(Now, const contract::FindSession& command, room::Output&) {
  const Entry* entry = find_by_conn_id(command.conn_id);
  if (entry == nullptr || entry->session->protocol() != command.protocol) {
    return Error{ErrorCode::kConnNotFound, "no such session"};
  }
  return contract::Done{};
}

Worker::Outcome Worker::on(Now, const contract::ReadStats&, room::Output&) {
  return stats();
}

Worker::Outcome Worker::on(Now, const contract::Drain&, room::Output&) {
  return contract::Done{};
}

Worker::Outcome Worker::on(Now now, const contract::EndSessions& command, room::Output& out) {
  contract::Count ended;
  for (auto& [id, entry] : sessions_) {
    Session& session = *entry.session;
    const auto fits = [](const std::optional<std::string>& wanted, const std::string& is) {
      return !wanted || *wanted == is;
    };
    if (!fits(command.room, session.room().name()) || !fits(command.peer, session.peer_id()) ||
        !fits(command.token_id, session.admission().grant().token_id) || session.is_closing()) {
      continue;
    }
    session.close(now, command.ending, out);
    touched_.push_back(session.id());
    ++ended.count;
  }
  return ended;
}

Worker::Outcome Worker::on(Now now, contract::TokenVerdict& command, room::Output& out) {
  if (Entry* entry = find_by_conn_id(command.conn_id)) {
    entry->session->on_verdict(now, std::move(command), out);
    touched_.push_back(entry->session->id());
  }
  return std::monostate{};
}

bool Worker::is_refused_as_duplicate(const std::string& room, const std::string& peer) const {
  const auto known = rooms_.find(room);
  if (config_.duplicates != room::Duplicates::kRefuse || known == rooms_.end()) return false;
  const auto stands = [&](const auto& entry) {
    Session& session = *entry.second.session;
    return session.peer_id() == peer && &session.room() == known->second.room.get() && session.is_alive();
  };
  return known->second.room->refuses(peer) || std::any_of(sessions_.begin(), sessions_.end(), stands);
}

}  // namespace atm::node

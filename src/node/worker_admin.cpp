// Worker: the commands of the admin API.
#include "node/worker.h"

namespace atm::node {

using session::Session;

// Those that are not ending already; returns how many times `act` said true.
template <typename Do>
contract::Count Worker::for_each_session(const std::string& room, const std::string& peer, Do&& act) {
  contract::Count done;
  for (auto& [id, entry] : sessions_) {
    Session& session = *entry.session;
    if (session.peer_id() != peer || session.room().name() != room || session.is_closing()) continue;
    done.count += act(session);
    touched_.push_back(session.id());
  }
  return done;
}

Worker::Outcome Worker::on(Now, const contract::ReadRooms&, room::Output&) {
  contract::RoomsRead read;
  for (const auto& [name, entry] : rooms_) {
    read.rooms.push_back({name, entry.room->participant_count(), entry.room->stream_count()});
  }
  return read;
}

Worker::Outcome Worker::on(Now now, const contract::ReadRoom& command, room::Output&) {
  contract::RoomRead read{command.room, {}};
  for (const auto& [id, entry] : sessions_) {
    const Session& session = *entry.session;
    if (session.is_closing() || session.room().name() != command.room) continue;
    if (command.peer && session.peer_id() != *command.peer) continue;
    read.peers.push_back(session.report(now));
  }
  return read;
}

Worker::Outcome Worker::on(Now, const contract::SetRights& command, room::Output& out) {
  return for_each_session(command.room, command.peer, [&](Session& session) {
    session.override_rights(command.publish, command.subscribe, out);
    return true;
  });
}

Worker::Outcome Worker::on(Now, const contract::MuteStream& command, room::Output& out) {
  return for_each_session(command.room, command.key.peer,
                          [&](Session& session) { return session.mute(command.key.stream, command.is_muted, out); });
}

Worker::Outcome Worker::on(Now now, const contract::TakeSessions& command, room::Output& out) {
  takes_sessions_ = command.takes;
  contract::Count open;
  for (auto& [id, entry] : sessions_) {
    if (entry.session->is_closing()) continue;
    ++open.count;
    if (!command.ends) continue;
    entry.session->close(now, contract::Ending::kDrain, out);
    touched_.push_back(entry.session->id());
  }
  return open;
}

}  // namespace atm::node

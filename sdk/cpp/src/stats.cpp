// Session::stats(): from the engine's counters, in the names of webrtc-stats.
#include <fmt/format.h>

#include "session_impl.h"

namespace atm0s {

SessionStats collect_stats(const atm::client::Session& engine, Session::Impl& session) {
  static_cast<void>(session);
  SessionStats out;
  const atm::peer::Peer* peer = engine.peer();
  out.transport.dtls_state = peer == nullptr ? "new" : peer->is_connected() ? "connected" : "connecting";
  return out;
}

std::string to_json(const SessionStats& stats) {
  return fmt::format(R"({{"transport":{{"dtlsState":"{}"}}}})", stats.transport.dtls_state);
}

}  // namespace atm0s

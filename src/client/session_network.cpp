// Session: the STUN and TURN servers that it may use, between the connection and the sockets (core/turn).
#include <algorithm>

#include "client/session.h"
#include "contract/json/http_answer.h"

namespace atm::client {

// What the connection wants to send: as it is, or by way of a server.
void Session::route(Now now, Output& out) {
  if (from_peer_.empty()) return;
  turn::Output gatherer_out = gatherer_output(out);
  gatherer_->route(now, from_peer_, gatherer_out);
  from_peer_.clear();
}

void Session::use_ice_servers(Now now, const std::vector<contract::IceServer>& servers, bool are_own, Output& out) {
  for (const contract::IceServer& server : servers) {
    for (const std::string& url : server.urls) {
      const auto is_its = [&url](const IceServer& known) { return known.text == url; };
      const auto known = std::find_if(ice_servers_.begin(), ice_servers_.end(), is_its);
      if (known != ice_servers_.end()) {
        renew_credentials(now, *known, server, out);
        continue;
      }
      const auto parsed = turn::parse_server_url(url);
      if (!parsed) {
        on_server_failed(url, parsed.error().why, out);
        continue;
      }
      IceServer added{url, {*parsed, {}, server.username, server.credential}, are_own, false};
      if (const auto address = IpAddress::parse(parsed->host)) {
        ice_servers_.push_back(added);
        use_ice_server(now, added, *address, out);
        continue;
      }
      const auto is_asked = [&](const IceServer& other) {
        return other.is_waiting && other.server.url.host == parsed->host;
      };
      if (std::none_of(ice_servers_.begin(), ice_servers_.end(), is_asked)) {
        out.events.emplace_back(ResolveWanted{parsed->host});
      }
      added.is_waiting = true;
      ice_servers_.push_back(std::move(added));
    }
  }
}

// Those of our server end after a while, and each connection has new ones; those of the application stay as they are.
void Session::renew_credentials(Now now, IceServer& known, const contract::IceServer& server, Output& out) {
  if (known.is_own) return;
  known.server.username = server.username;
  known.server.credential = server.credential;
  if (!gatherer_) return;  // they are known when its address is
  turn::Output gatherer_out = gatherer_output(out);
  gatherer_->set_credentials(now, known.server.url, server.username, server.credential, gatherer_out);
  after_gatherer(now, out);
}

void Session::use_ice_server(Now now, const IceServer& server, const IpAddress& address, Output& out) {
  turn::Output gatherer_out = gatherer_output(out);
  if (!gatherer_) {
    gatherer_ = std::make_unique<turn::Gatherer>(turn::GathererOptions{.only_relayed = config_.relay_only}, rng_);
    for (const SocketAddress& host : addresses_) gatherer_->add_host(now, host, gatherer_out);
  }
  turn::Server resolved = server.server;
  resolved.address = {address, resolved.url.port};
  gatherer_->add_server(now, resolved, gatherer_out);
  after_gatherer(now, out);
}

void Session::on_resolved(Now now, const std::string& host, const std::vector<IpAddress>& addresses, Output& out) {
  if (state_ == State::kDisconnected) return;
  std::vector<IceServer> named;
  for (IceServer& server : ice_servers_) {
    if (!server.is_waiting || server.server.url.host != host) continue;
    server.is_waiting = false;
    named.push_back(server);
  }
  for (const IceServer& server : named) {
    if (addresses.empty()) {
      on_server_failed(server.text, turn::to_text(server.server.url) + " has no address: the name is not known", out);
    }
    // One address of each family: all of a name are the same service.
    for (const bool is_v4 : {true, false}) {
      const auto is_its = [is_v4](const IpAddress& ip) { return ip.is_v4() == is_v4; };
      const auto address = std::find_if(addresses.begin(), addresses.end(), is_its);
      if (address == addresses.end()) continue;
      use_ice_server(now, server, *address, out);
      if (server.server.url.protocol != turn::Protocol::kUdp) break;  // a stream is of no family of ours
    }
  }
  check_relays(now, out);
}

std::optional<turn::Protocol> Session::relay_protocol() const {
  const auto path = peer_ ? peer_->selected_path() : std::nullopt;
  return path && gatherer_ ? gatherer_->relay_protocol(*path) : std::nullopt;
}

void Session::on_server_failed(std::string url, std::string why, Output& out) {
  server_error_ = why;
  out.events.emplace_back(ServerFailed{std::move(url), std::move(why)});
}

void Session::on_stream_open(Now now, uint16_t stream, Output& out) {
  if (!gatherer_) return;
  turn::Output gatherer_out = gatherer_output(out);
  gatherer_->on_stream_open(now, stream, gatherer_out);
  after_gatherer(now, out);
}

void Session::on_stream_bytes(Now now, uint16_t stream, MutByteView bytes, Output& out) {
  if (!gatherer_) return;
  turn::Output gatherer_out = gatherer_output(out);
  gatherer_->on_stream_bytes(now, stream, bytes, gatherer_out);
  after_gatherer(now, out);
}

void Session::on_stream_closed(Now now, uint16_t stream, const std::string& why, Output& out) {
  if (!gatherer_) return;
  turn::Output gatherer_out = gatherer_output(out);
  gatherer_->on_stream_closed(now, stream, why, gatherer_out);
  after_gatherer(now, out);
}

// The network may be another one: what failed may do now.
void Session::gather_again(Now now, Output& out) {
  if (!gatherer_) return;
  turn::Output gatherer_out = gatherer_output(out);
  gatherer_->regather(now, gatherer_out);
  after_gatherer(now, out);
}

void Session::after_gatherer(Now now, Output& out) {
  if (peer_) {
    peer::Output peer_out = peer_output(out);
    for (const Datagram& datagram : relayed_) peer_->on_datagram(now, datagram, peer_out);
  }
  relayed_.clear();
  std::vector<turn::Event> happened;
  happened.swap(gathered_);
  if (peer_) take_peer_output(now, out);
  for (turn::Event& event : happened) on_gathered(now, std::move(event), out);
  if (state_ == State::kDisconnected && gatherer_->is_closed()) gatherer_.reset();
}

void Session::on_gathered(Now now, turn::Event event, Output& out) {
  if (const auto* found = std::get_if<turn::CandidateFound>(&event)) {
    if (!peer_ || found->candidate.type == ice::CandidateType::kHost) return;  // it has those from the beginning
    peer_->add_local_candidate(found->candidate);
    tell_candidate(found->candidate, out);
  } else if (const auto* lost = std::get_if<turn::CandidateLost>(&event)) {
    if (peer_ && lost->candidate.type != ice::CandidateType::kHost) peer_->remove_local_candidate(lost->candidate);
  } else if (const auto* failed = std::get_if<turn::ServerFailed>(&event)) {
    const auto is_its = [&](const IceServer& known) { return known.server.url == failed->url; };
    const auto known = std::find_if(ice_servers_.begin(), ice_servers_.end(), is_its);
    on_server_failed(known != ice_servers_.end() ? known->text : turn::to_text(failed->url), failed->why, out);
    check_relays(now, out);
  } else if (const auto* wanted = std::get_if<turn::StreamWanted>(&event)) {
    const bool has_tls = wanted->url.protocol == turn::Protocol::kTls;
    out.events.emplace_back(StreamWanted{wanted->stream, wanted->url.host, has_tls, wanted->address});
  } else if (const auto* unwanted = std::get_if<turn::StreamUnwanted>(&event)) {
    out.events.emplace_back(StreamUnwanted{unwanted->stream});
  } else if (std::holds_alternative<turn::GatheringDone>(event)) {
    check_relays(now, out);
  }
}

// A server that answers the checks that come need not be told where they come from.
void Session::tell_candidate(const ice::Candidate& candidate, Output& out) {
  if (connection_.conn_id.empty() || peer_->is_remote_lite() || candidate.type == ice::CandidateType::kHost) return;
  call(CallUse::kOther, HttpCall::Method::kPost, connection_.url + "/webrtc/ice_remote",
       json::ice_remote_body(connection_.node_id, connection_.conn_id, ice::to_text(candidate)), out);
}

// While a connection is being made that may use relayed paths alone: whether there is hope.
void Session::check_relays(Now now, Output& out) {
  if (!config_.relay_only || connection_.conn_id.empty() || connection_.channel) return;
  const auto is_waiting = [](const IceServer& server) { return server.is_waiting; };
  if (std::any_of(ice_servers_.begin(), ice_servers_.end(), is_waiting)) return;
  if (gatherer_ && (gatherer_->is_gathering() || !gatherer_->candidates().empty())) return;
  const std::string why = server_error_.empty() ? "there is no TURN server to relay" : server_error_;
  on_open_failed(now, Error{ErrorCode::kNetworkError, why}, out);
}

void Session::stop_gathering(Now now, Output& out) {
  for (IceServer& server : ice_servers_) server.is_waiting = false;
  if (!gatherer_) return;
  turn::Output gatherer_out = gatherer_output(out);
  gatherer_->close(now, gatherer_out);
  after_gatherer(now, out);
}

}  // namespace atm::client

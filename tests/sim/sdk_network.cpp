// The half of SdkWorld between engines and servers: datagrams, HTTP calls, streams and relays of a TURN server.
#include <algorithm>

#include "sdk_world.h"

namespace atm::sim {

namespace {
constexpr Duration kHttpWay = 20ms;
constexpr Duration kTcpWay = 30ms;
constexpr Duration kBackbone = 1ms;  // between servers
}  // namespace

SdkClient* SdkWorld::find_client(const SocketAddress& address) {
  for (const auto& client : clients_) {
    if (client->address.ip == address.ip) return client.get();
  }
  return nullptr;
}

void SdkWorld::put(Duration delay, const SocketAddress& from, const SocketAddress& to, ByteView bytes) {
  in_flight_[{now_.mono + delay, order_++}] = {from, to, Bytes(bytes.begin(), bytes.end())};
}

void SdkWorld::send(SdkClient& client, const Path& path, ByteView bytes) {
  if (client.is_cut) return;
  if (path.transport == Transport::kTcp) {
    const auto stream = client.streams.find(path.local_port);
    if (stream != client.streams.end()) put(kTcpWay, stream->second, path.remote, bytes);
    return;
  }
  const bool is_turn = turn && path.remote == turn->options.address;
  client.has_relayed_alone &= is_turn;
  if (client.udp_is_shut) return;
  client.sent_bytes += bytes.size();
  if (const auto arrival = client.up->carry(now_.mono, bytes.size())) {
    put(*arrival - now_.mono, client.address, path.remote, bytes);
  }
}

void SdkWorld::flush(SdkClient& client) {
  for (const auto& entry : client_out_.entries()) send(client, entry.path, client_out_.bytes(entry));
  client_out_.clear();
  std::vector<client::HttpCall> calls;
  calls.swap(calls_out_);
  for (const client::HttpCall& one : calls) call_http(client, one);
  std::vector<client::Event> events;
  events.swap(events_out_);
  for (client::Event& event : events) take_event(client, std::move(event));
}

bool SdkWorld::deliver_to_server(const InFlight& datagram) {
  if (turn && (datagram.to == turn->options.address || turn->relays(datagram.to))) {
    if (turn->relays(datagram.to)) {
      turn->on_peer(now_, datagram.to, datagram.from, datagram.bytes);
    } else {
      turn->on_client(now_, datagram.from, datagram.bytes);
    }
    flush_turn();
    return true;
  }
  for (const auto& server : servers_) {
    for (size_t i = 0; i < server->addresses.size(); ++i) {
      if (server->addresses[i] != datagram.to) continue;
      if (!server->is_up) return true;
      Bytes bytes = datagram.bytes;
      Datagram one{{datagram.from, datagram.to.ip}, now_.mono, bytes};
      server->workers[i]->on_datagrams(now_, {&one, 1}, server_out_);
      pump(*server, i);
      return true;
    }
  }
  return false;
}

void SdkWorld::flush_turn() {
  std::vector<turn::TestServer::Sent> sent;
  sent.swap(turn->sent);
  for (const auto& one : sent) {
    SdkClient* client = find_client(one.to);
    if (client == nullptr) {
      put(kBackbone, one.from, one.to, one.bytes);
    } else if (one.to != client->address) {
      put(kTcpWay, one.from, one.to, one.bytes);
    } else if (const auto arrival = client->down->carry(now_.mono, one.bytes.size())) {
      put(*arrival - now_.mono, one.from, one.to, one.bytes);
    }
  }
}

void SdkWorld::deliver_to_client(SdkClient& client, const InFlight& datagram) {
  if (client.is_cut) return;
  Bytes bytes = datagram.bytes;
  call(client, [&](client::Output& out) {
    if (datagram.to == client.address) {
      if (client.udp_is_shut) return;
      return client->on_datagram(now_, {{datagram.from, client.address.ip}, now_.mono, bytes}, out);
    }
    for (const auto& [stream, address] : client.streams) {
      if (address == datagram.to) return client->on_stream_bytes(now_, stream, bytes, out);
    }
  });
}

void SdkWorld::open_stream(SdkClient& client, const client::StreamWanted& wanted) {
  later_.emplace(now_.mono + 2 * kTcpWay, [this, &client, wanted] {
    const bool is_there = turn && wanted.address == turn->options.address && !client.tcp_is_shut;
    if (is_there) {
      client.streams[wanted.stream] = {client.address.ip, static_cast<uint16_t>(50'000 + wanted.stream)};
    }
    call(client, [&](client::Output& out) {
      if (is_there) return client->on_stream_open(now_, wanted.stream, out);
      client->on_stream_closed(now_, wanted.stream, "could not be reached: connection refused", out);
    });
  });
}

// As the loop of a worker.
void SdkWorld::pump(Server& server, size_t i) {
  node::Worker& worker = *server.workers[i];
  while (worker.has_slow_work()) worker.do_slow_step(now_, server_out_);
  answer_questions(server, i);
  for (const auto& entry : server_out_.entries()) {
    const ByteView bytes = server_out_.bytes(entry);
    SdkClient* client = find_client(entry.path.remote);
    if (client == nullptr) {
      put(kBackbone, server.addresses[i], entry.path.remote, bytes);
    } else if (const auto arrival = client->down->carry(now_.mono, bytes.size())) {
      put(*arrival - now_.mono, server.addresses[i], entry.path.remote, bytes);
    }
  }
  server_out_.clear();
  std::vector<room::RelayMessage> relayed;
  relayed.swap(worker.relayed());
  for (room::RelayMessage& message : relayed) {
    const auto to = static_cast<size_t>(message.to);
    server.workers[to]->on_relay(now_, message, server_out_);
    if (room::has_packets(message)) worker.give_back(std::move(message));
    pump(server, to);
  }
}

void SdkWorld::answer_questions(Server& server, size_t i) {
  std::vector<contract::Reply> replies;
  replies.swap(server.workers[i]->replies());
  for (const contract::Reply& reply : replies) {
    const auto* question = std::get_if<contract::TokenQuestion>(&reply.body);
    if (question == nullptr) continue;
    server.workers[i]->on_command(now_, {0, server.router->judge(now_, *question)}, server_out_);
  }
}

// --- HTTP -------------------------------------------------------------------------------------------------------

void SdkWorld::call_http(SdkClient& client, const client::HttpCall& call) {
  client.calls.push_back({now_.mono, call});
  if (client.is_cut) {
    answers_.emplace(now_.mono + call.timeout,
                     Answer{client.number, call.id, fail(ErrorCode::kTimeout, "the server did not answer")});
    return;
  }
  requests_.emplace(now_.mono + kHttpWay, Request{client.number, call});
}

void SdkWorld::handle(const Request& request) {
  Result<std::string> body = fail(ErrorCode::kNetworkError, "connection refused");
  const size_t scheme = request.call.url.find("://") + 3;
  const std::string name = request.call.url.substr(scheme, request.call.url.find('/', scheme) - scheme);
  Server* server = find_server(name);
  std::optional<Result<std::string>> other;
  if (answer) other = answer(request.call);
  if (other) {
    body = std::move(*other);
  } else if (server != nullptr && server->is_up) {
    body = reply_of(*server, request.call, clients_[request.client - 1]->address);
  }
  answers_.emplace(now_.mono + kHttpWay, Answer{request.client, request.call.id, std::move(body)});
}

// As apps/server, with workers that answer at once.
Result<std::string> SdkWorld::reply_of(Server& server, const client::HttpCall& call, const SocketAddress& from) {
  contract::HttpRequest request;
  request.method = call.method == client::HttpCall::Method::kPost ? "POST" : "DELETE";
  request.path = call.url.substr(call.url.find('/', call.url.find("://") + 3));
  request.headers = {{"Content-Type", "application/json"}};
  request.body = call.body;
  request.remote = from;
  auto outcome = server.router->on_request(now_, request);
  if (const auto* reply = std::get_if<contract::HttpReply>(&outcome)) return reply->body;
  auto* post = std::get_if<control::PostToWorker>(&outcome);
  if (post == nullptr) return fail(ErrorCode::kNotSupported, "the simulated server has no such call");
  node::Worker& worker = *server.workers[post->worker];
  worker.on_command(now_, std::move(post->command), server_out_);
  if (worker.replies().empty()) return fail(ErrorCode::kServerError, "the worker did not answer");
  const contract::Reply reply = std::move(worker.replies().front());
  worker.replies().erase(worker.replies().begin());
  pump(server, post->worker);
  return server.router->on_reply(now_, post->pending, reply).body;
}

}  // namespace atm::sim

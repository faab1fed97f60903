#include "relay_client.h"

#include <poll.h>

namespace atm {

RelayClient::RelayClient(ice::Role role, const turn::GathererOptions& options, ssl_ctx_st* trust)
    : agent(role, ice::make_credentials(rng), rng), gatherer(options, rng), trust_(trust) {
  socket_ = std::move(io::UdpSocket::bind({IpAddress::v4(127, 0, 0, 1), 0}).value());
  address = {IpAddress::v4(127, 0, 0, 1), socket_->port()};
  turn::Output out = output();
  gatherer.add_host(io::read_clocks(), address, out);
  flush(io::read_clocks());
}

void RelayClient::add_server(const turn::Server& server) {
  turn::Output out = output();
  gatherer.add_server(io::read_clocks(), server, out);
  flush(io::read_clocks());
}

void RelayClient::take_events(Now now) {
  const auto events = std::move(events_);
  events_.clear();
  for (const turn::Event& event : events) {
    if (const auto* candidate = std::get_if<turn::CandidateFound>(&event)) {
      agent.add_local_candidate(candidate->candidate);
      found.push_back(candidate->candidate);
    } else if (const auto* failed = std::get_if<turn::ServerFailed>(&event)) {
      failures.push_back(failed->why);
    } else if (const auto* refused = std::get_if<turn::PeerRefused>(&event)) {
      refusals.push_back(refused->why);
    } else if (const auto* wanted = std::get_if<turn::StreamWanted>(&event)) {
      const bool is_tls = wanted->url.protocol == turn::Protocol::kTls;
      streams_[wanted->stream] = std::make_unique<io::StreamSocket>(
          now.mono, io::StreamSocket::Options{wanted->address, {}, is_tls ? trust_ : nullptr, wanted->url.host});
      told_open_[wanted->stream] = false;
    } else if (const auto* unwanted = std::get_if<turn::StreamUnwanted>(&event)) {
      if (streams_.contains(unwanted->stream)) streams_[unwanted->stream]->close();
    } else if (std::get_if<turn::GatheringDone>(&event) != nullptr) {
      is_done = true;
    }
  }
}

void RelayClient::flush(Now now) {
  turn::Output out = output();
  gatherer.route(now, from_agent_, out);
  from_agent_.clear();
  socket_->send(wire_);
  for (const auto& entry : wire_.entries()) {
    if (entry.path.transport != Transport::kTcp) continue;
    const auto stream = streams_.find(entry.path.local_port);
    if (stream != streams_.end()) stream->second->write(wire_.bytes(entry));
  }
  wire_.clear();
  take_events(now);
}

void RelayClient::take(Now now) {
  for (const Datagram& datagram : received_) {
    if (stun::is_stun(datagram.bytes)) {
      agent.on_datagram(now, datagram.path, datagram.bytes, from_agent_);
    } else {
      received.emplace_back(datagram.path, as_text(datagram.bytes));
    }
  }
  received_.clear();
}

void RelayClient::work() {
  std::vector<pollfd> waits{{socket_->fd(), POLLIN, 0}};
  for (const auto& [id, stream] : streams_) {
    short events = 0;
    if (stream->wants_read()) events |= POLLIN;
    if (stream->wants_write()) events |= POLLOUT;
    if (stream->fd() >= 0) waits.push_back({stream->fd(), events, 0});
  }
  ::poll(waits.data(), waits.size(), 5);
  const Now now = io::read_clocks();
  turn::Output out = output();
  for (const Datagram& datagram :
       socket_->receive(now.mono, now.mono.time_since_epoch() - now.wall.time_since_epoch())) {
    if (!gatherer.on_datagram(now, datagram, out)) received_.push_back(datagram);
    take(now);
  }
  for (const auto& [id, stream] : streams_) {
    if (told_open_[id] && stream->fd() < 0) continue;
    stream->advance();
    if (stream->is_open() && !told_open_[id]) {
      told_open_[id] = true;
      gatherer.on_stream_open(now, id, out);
    }
    for (MutByteView bytes = stream->read(); !bytes.empty(); bytes = stream->read()) {
      gatherer.on_stream_bytes(now, id, bytes, out);
      take(now);
    }
    if (stream->state() == io::StreamSocket::State::kClosed) {
      told_open_[id] = true;
      gatherer.on_stream_closed(now, id, stream->why(), out);
    }
  }
  if (gatherer.next_timeout() <= now.mono) gatherer.on_timeout(now, out);
  if (agent.next_timeout() <= now.mono) agent.on_timeout(now, from_agent_);
  flush(now);
}

bool RelayClient::wait_for(const std::function<bool()>& fact, Duration limit) {
  for (const Instant end = io::read_clocks().mono + limit; !fact();) {
    if (io::read_clocks().mono > end) return false;
    work();
  }
  return true;
}

void RelayClient::send(const Path& path, ByteView bytes) {
  from_agent_.append(path, bytes);
  flush(io::read_clocks());
}

std::optional<ice::Candidate> RelayClient::find(ice::CandidateType type) const {
  for (const ice::Candidate& candidate : found) {
    if (candidate.type == type) return candidate;
  }
  return std::nullopt;
}

void RelayClient::close() {
  turn::Output out = output();
  gatherer.close(io::read_clocks(), out);
  flush(io::read_clocks());
}

}  // namespace atm

// The network thread's side of a session: its sockets, its calls to the server, and the engine between them.
#include <algorithm>

#include "convert.h"
#include "io/udp/interfaces.h"
#include "session_impl.h"

namespace atm0s {

namespace {

// How often this host's addresses are looked at: another network is seen within it.
constexpr atm::Duration kAddressInterval = std::chrono::seconds(2);

atm::Duration clock_offset(atm::Now now) {
  return now.mono.time_since_epoch() - now.wall.time_since_epoch();
}

// A server on this host is reached from loopback addresses, too.
bool is_on_this_host(const std::string& url) {
  return url.find("://127.") != std::string::npos || url.find("://localhost") != std::string::npos ||
         url.find("://[::1]") != std::string::npos;
}

}  // namespace

std::vector<atm::IpAddress> Session::Impl::own_addresses() const {
  std::vector<atm::IpAddress> addresses;
  for (const std::string& text : options_.interfaces) {
    if (const auto ip = atm::IpAddress::parse(text)) addresses.push_back(*ip);
  }
  if (!options_.interfaces.empty()) return addresses;
  addresses = atm::io::local_addresses();
  if (std::any_of(urls_.begin(), urls_.end(), is_on_this_host)) {
    const auto loopback = atm::IpAddress::v4(127, 0, 0, 1);
    if (std::find(addresses.begin(), addresses.end(), loopback) == addresses.end()) addresses.push_back(loopback);
  }
  return addresses;
}

// At all addresses of its family: one that the host gets later has it already.
atm::io::UdpSocket* Session::Impl::socket_of(bool is_v4) {
  for (const auto& socket : sockets_) {
    if (socket->is_v4() == is_v4) return socket.get();
  }
  auto socket = atm::io::UdpSocket::bind({is_v4 ? atm::IpAddress::v4(0, 0, 0, 0) : atm::IpAddress(), 0});
  if (!socket) {
    log(LogLevel::kWarning, "no UDP socket: " + socket.error().why);
    return nullptr;
  }
  sockets_.push_back(std::move(*socket));
  runtime_->loop().watch(sockets_.back()->fd(), false, [weak = weak_from_this(), i = sockets_.size() - 1] {
    if (const auto self = weak.lock()) self->receive(i);
  });
  return sockets_.back().get();
}

// The engine is told of those that have come and gone.
void Session::Impl::look_at_addresses(atm::Now now) {
  addresses_due_ = options_.interfaces.empty() ? now.mono + kAddressInterval : atm::kNever;
  std::vector<atm::IpAddress> addresses = own_addresses();
  if (addresses == addresses_) return;
  addresses_ = std::move(addresses);
  std::vector<atm::SocketAddress> candidates;
  for (const bool is_v4 : {true, false}) {
    for (const atm::IpAddress& ip : addresses_) {
      if (ip.is_v4() != is_v4) continue;
      if (const atm::io::UdpSocket* socket = socket_of(is_v4)) candidates.push_back({ip, socket->port()});
    }
  }
  atm::client::Output out{batch_, calls_, engine_events_};
  engine_->set_addresses(now, std::move(candidates), out);
}

void Session::Impl::run(const Work& work) {
  const atm::Now now = atm::io::read_clocks();
  if (is_closed_on_loop_) return;
  if (!engine_) {
    dtls_ = std::make_unique<atm::dtls::Context>(atm::dtls::Certificate::make(now, runtime_->rng()));
    engine_ = std::make_unique<atm::client::Session>(to_engine(urls_, config, options_), *dtls_, runtime_->rng());
    http_ = runtime_->http(options_.tls_ca_file, options_.tls_verify);
    streams_ =
        std::make_unique<IceStreams>(runtime_->loop(), options_.tls_ca_file, options_.tls_verify, stream_hooks());
    look_at_addresses(now);
    runtime_->loop().add(*this);
  }
  atm::client::Output out{batch_, calls_, engine_events_};
  work(*engine_, now, out);
  flush();
  end_last_word(now);
}

atm::Instant Session::Impl::next_timeout() const {
  return std::min({engine_->next_timeout(), streams_->next_timeout(), addresses_due_, last_word_due_});
}

void Session::Impl::on_timeout(atm::Now now) {
  const auto self = shared_from_this();  // a handler that the executor calls in place may destroy the session
  atm::client::Output out{batch_, calls_, engine_events_};
  if (engine_->next_timeout() <= now.mono) engine_->on_timeout(now, out);
  if (addresses_due_ <= now.mono) look_at_addresses(now);
  flush();
  if (streams_ && streams_->next_timeout() <= now.mono) streams_->on_timeout(now);
  end_last_word(now);
}

// --- servers for STUN and TURN

IceStreams::Hooks Session::Impl::stream_hooks() {
  const auto tell = [this](auto what) {
    if (!engine_) return;
    const atm::Now now = atm::io::read_clocks();
    atm::client::Output out{batch_, calls_, engine_events_};
    what(now, out);
    flush();
  };
  return {
      [=, this](uint16_t stream) { tell([&](atm::Now now, auto& out) { engine_->on_stream_open(now, stream, out); }); },
      [=, this](uint16_t stream, atm::MutByteView bytes) {
        tell([&](atm::Now now, auto& out) { engine_->on_stream_bytes(now, stream, bytes, out); });
      },
      [=, this](uint16_t stream, const std::string& why) {
        tell([&](atm::Now now, auto& out) { engine_->on_stream_closed(now, stream, why, out); });
      }};
}

void Session::Impl::resolve(const std::string& host) {
  const auto answer = [weak = weak_from_this(), host](const std::vector<atm::IpAddress>& addresses) {
    const auto self = weak.lock();
    if (!self) return;
    self->post([host, addresses](atm::client::Session& engine, atm::Now now, atm::client::Output& out) {
      engine.on_resolved(now, host, addresses, out);
    });
  };
  const auto id = runtime_->resolver().resolve(
      host, [answer](atm::Result<atm::io::Addresses> found) { answer(found ? *found : atm::io::Addresses{}); });
  if (!id) answer({});
}

// What the engine wants of the network; false: it is another event.
bool Session::Impl::on_network_event(const atm::client::Event& event) {
  if (const auto* wanted = std::get_if<atm::client::ResolveWanted>(&event)) {
    resolve(wanted->host);
  } else if (const auto* stream = std::get_if<atm::client::StreamWanted>(&event)) {
    streams_->open(atm::io::read_clocks(), *stream);
  } else if (const auto* unwanted = std::get_if<atm::client::StreamUnwanted>(&event)) {
    streams_->close(unwanted->stream);
  } else if (const auto* failed = std::get_if<atm::client::ServerFailed>(&event)) {
    push_event(Failure{{ErrorCode::kIceServerError, failed->url + ": " + failed->why}});
  } else {
    return false;
  }
  return true;
}

void Session::Impl::receive(size_t index) {
  constexpr int kBatchesPerTurn = 8;
  for (int i = 0; i < kBatchesPerTurn && engine_; ++i) {
    const atm::Now now = atm::io::read_clocks();
    const auto datagrams = sockets_[index]->receive(now.mono, clock_offset(now));
    atm::client::Output out{batch_, calls_, engine_events_};
    for (const atm::Datagram& datagram : datagrams) engine_->on_datagram(now, datagram, out);
    const bool may_have_more = sockets_[index]->may_have_more();
    flush();
    if (!may_have_more) break;
  }
}

// Everything that the engine said: to the network, to the server, to the application.
void Session::Impl::flush() {
  if (!batch_.empty()) {
    for (auto& socket : sockets_) socket->send(batch_);
    if (streams_) streams_->send(batch_);
    batch_.clear();
  }
  std::vector<atm::client::HttpCall> calls;
  calls.swap(calls_);
  for (const auto& one : calls) call(one);
  std::vector<atm::client::Event> happened;
  happened.swap(engine_events_);
  for (auto& event : happened) {
    dispatch(std::move(event));
    if (!engine_) return;  // a handler that the executor called in place has destroyed the session
  }
  happened.clear();
  engine_events_.swap(happened);
}

void Session::Impl::call(const atm::client::HttpCall& call) {
  atm::io::HttpRequest request;
  request.method = call.method == atm::client::HttpCall::Method::kPost ? "POST" : "DELETE";
  request.url = call.url;
  request.body = call.body;
  request.timeout = call.timeout;
  if (!call.body.empty()) request.headers.emplace_back("Content-Type", "application/json");
  http_->request(std::move(request), [weak = weak_from_this(), id = call.id](auto response) {
    const auto self = weak.lock();
    if (!self) return;
    atm::Result<std::string> body =
        response ? atm::Result<std::string>(std::move(response->body)) : tl::unexpected(response.error());
    self->post([id, body = std::move(body)](atm::client::Session& engine, atm::Now now, atm::client::Output& out) {
      engine.on_reply(now, id, body, out);
    });
  });
}

}  // namespace atm0s

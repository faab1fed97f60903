// The one translation unit that compiles Beast.
#include "io/http/server.h"

#include <array>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ip/v6_only.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <boost/beast/ssl.hpp>
#include <csignal>
#include <ctime>
#include <list>
#include <type_traits>
#include <unordered_set>
#include <vector>

#include "base/assert.h"
#include "base/log.h"

namespace atm::io {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
using boost::system::error_code;
using Tcp = asio::ip::tcp;
using PlainStream = beast::tcp_stream;
using TlsStream = beast::ssl_stream<beast::tcp_stream>;

constexpr std::string_view kComponent = "http";
// After accept() fails for want of descriptors: long enough not to spin, short enough not to be noticed.
constexpr auto kAcceptPause = std::chrono::milliseconds(100);
// For the other side's close_notify; many clients never send one.
constexpr auto kTlsGoodbye = std::chrono::seconds(1);

Tcp::endpoint to_endpoint(const SocketAddress& address) {
  const auto& bytes = address.ip.bytes();
  if (address.ip.is_v4()) {
    return {asio::ip::address_v4({bytes[12], bytes[13], bytes[14], bytes[15]}), address.port};
  }
  return {asio::ip::address_v6(bytes), address.port};
}

SocketAddress to_address(const Tcp::endpoint& endpoint) {
  if (endpoint.address().is_v4()) {
    const auto b = endpoint.address().to_v4().to_bytes();
    return {IpAddress::v4(b[0], b[1], b[2], b[3]), endpoint.port()};
  }
  return {IpAddress::v6(endpoint.address().to_v6().to_bytes()), endpoint.port()};
}

// RFC 9110 5.6.7: "Sun, 06 Nov 1994 08:49:37 GMT".
std::string http_date() {
  const std::time_t now = std::time(nullptr);
  std::tm parts{};
  gmtime_r(&now, &parts);
  char text[40];
  return {text, std::strftime(text, sizeof(text), "%a, %d %b %Y %H:%M:%S GMT", &parts)};
}

contract::HttpReply refusal(unsigned status, ErrorCode code) {
  contract::HttpReply reply{status, "application/json", "", {{"Access-Control-Allow-Origin", "*"}}};
  reply.body = R"({"status":false,"data":null,"error":")" + std::string(to_text(code)) + "\"}";
  return reply;
}

contract::HttpRequest to_request(http::request<http::string_body>& message, const SocketAddress& remote) {
  contract::HttpRequest out;
  out.method = std::string(message.method_string());
  std::string_view target(message.target().data(), message.target().size());
  // RFC 9112 3.2.2: a server must accept the absolute form; only its path matters here.
  for (const std::string_view scheme : {"http://", "https://"}) {
    if (!target.starts_with(scheme)) continue;
    const size_t path = target.find('/', scheme.size());
    target = path == std::string_view::npos ? "/" : target.substr(path);
  }
  const size_t question = target.find('?');
  out.path = target.substr(0, question);
  if (question != std::string_view::npos) out.query = target.substr(question + 1);
  for (const auto& field : message) {
    out.headers.emplace_back(std::string(field.name_string()), std::string(field.value()));
  }
  out.body = std::move(message.body());
  out.remote = remote;
  return out;
}

// What State holds of a connection, plain or TLS.
class Client {
 public:
  virtual ~Client() = default;
  virtual void close_if_idle() = 0;
  virtual void close() = 0;
};

}  // namespace

struct HttpServer::State : std::enable_shared_from_this<HttpServer::State> {
  struct Door {
    Tcp::acceptor acceptor;
    std::unique_ptr<asio::ssl::context> tls;  // nullptr: plain
    asio::steady_timer pause;
  };
  struct Periodic {
    asio::steady_timer timer;
    Duration period;
    std::function<void()> task;
  };

  State(Handler call, Limits given) : handler(std::move(call)), limits(given) {}

  void accept(Door& door);
  void admit(Door& door, Tcp::socket socket);
  void arm(Periodic& periodic);
  void wait_for_signal();
  void start_to_stop();
  void finish_when_drained();

  asio::io_context context{1};
  std::optional<asio::executor_work_guard<asio::io_context::executor_type>> work{context.get_executor()};
  Handler handler;
  const Limits limits;
  std::list<Door> doors;
  std::list<Periodic> periodics;
  asio::signal_set signals{context};
  std::function<void()> signal_task;
  asio::steady_timer drain_timer{context};
  std::unordered_set<Client*> clients;
  bool is_stopping = false;
};

namespace {

// One connection: read a head, read a body, ask the handler, write its reply, again. Alive as long as an operation or
// a responder holds it.
template <typename Stream>
class Connection final : public Client, public std::enable_shared_from_this<Connection<Stream>> {
 public:
  template <typename... Args>
  Connection(std::shared_ptr<HttpServer::State> state, SocketAddress remote, Args&&... args)
      : state_(std::move(state)), stream_(std::forward<Args>(args)...), remote_(remote) {
    state_->clients.insert(this);
  }
  ~Connection() override {
    state_->clients.erase(this);
    state_->finish_when_drained();
  }

  void start() {
    if constexpr (std::is_same_v<Stream, TlsStream>) {
      socket().expires_after(state_->limits.idle);
      stream_.async_handshake(asio::ssl::stream_base::server, [self = this->shared_from_this()](error_code error) {
        if (!error) self->read_head();
      });
    } else {
      read_head();
    }
  }

  void close_if_idle() override {
    if (is_idle_) close();
  }
  void close() override {
    error_code ignored;
    socket().socket().close(ignored);
  }

 private:
  using Parser = http::request_parser<http::string_body>;
  using Message = http::response<http::string_body>;

  beast::tcp_stream& socket() { return beast::get_lowest_layer(stream_); }

  void read_head() {
    parser_.emplace();
    parser_->header_limit(state_->limits.head_bytes);
    parser_->body_limit(state_->limits.body_bytes);
    socket().expires_after(state_->limits.idle);
    is_idle_ = buffer_.size() == 0;
    http::async_read_header(stream_, buffer_, *parser_, [self = this->shared_from_this()](error_code error, size_t) {
      self->is_idle_ = false;
      if (error) return self->on_read_error(error);
      self->on_head();
    });
  }

  void on_head() {
    // RFC 9110 10.1.1: a client that asks waits for it before it sends its body.
    const auto& message = parser_->get();
    if (parser_->is_done() || !beast::iequals(message[http::field::expect], "100-continue")) return read_body();
    static constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";
    asio::async_write(stream_, asio::buffer(kContinue), [self = this->shared_from_this()](error_code error, size_t) {
      if (!error) self->read_body();
    });
  }

  void read_body() {
    socket().expires_after(state_->limits.idle);
    http::async_read(stream_, buffer_, *parser_, [self = this->shared_from_this()](error_code error, size_t) {
      if (error) return self->on_read_error(error);
      self->on_request();
    });
  }

  void on_read_error(error_code error) {
    keep_alive_ = false;  // where the next request would begin is unknown
    if (error == http::error::body_limit) return write(refusal(413, ErrorCode::kTooLarge));
    if (error == http::error::header_limit || error == http::error::buffer_overflow) {
      return write(refusal(431, ErrorCode::kTooLarge));
    }
    if (error == http::error::end_of_stream) return finish();
    const bool is_malformed = error.category() == http::make_error_code(http::error::bad_method).category() &&
                              error != http::error::partial_message;
    if (is_malformed) write(refusal(400, ErrorCode::kInvalidRequest));
  }

  void on_request() {
    auto message = parser_->release();
    keep_alive_ = message.keep_alive();
    version_ = message.version();
    is_head_ = message.method() == http::verb::head;
    socket().expires_never();  // the handler decides how long it takes
    const contract::HttpRequest request = to_request(message, remote_);
    state_->handler(
        request, [self = this->shared_from_this(), is_used = std::make_shared<bool>(false)](contract::HttpReply reply) {
          ASSERT(!std::exchange(*is_used, true));
          if (!self->state_->handler) return;  // the server has gone
          self->write(std::move(reply));
        });
  }

  void write(contract::HttpReply reply) {
    if (state_->is_stopping) keep_alive_ = false;
    message_.emplace(static_cast<http::status>(reply.status), version_);
    Message& message = *message_;
    message.set(http::field::date, http_date());
    if (!reply.content_type.empty()) message.set(http::field::content_type, reply.content_type);
    for (const auto& [name, value] : reply.headers) message.insert(name, value);
    message.keep_alive(keep_alive_);
    message.body() = std::move(reply.body);
    message.prepare_payload();
    // RFC 9110 8.6: a 204 has no Content-Length, not even 0.
    if (message.result() == http::status::no_content) message.erase(http::field::content_length);
    if (is_head_) message.body().clear();  // RFC 9110 9.3.2: the headers of a GET, and no body
    socket().expires_after(state_->limits.idle);
    http::async_write(stream_, message, [self = this->shared_from_this()](error_code error, size_t) {
      self->message_.reset();
      if (error) return;
      if (self->keep_alive_ && !self->state_->is_stopping) return self->read_head();
      self->finish();
    });
  }

  // Says goodbye so that the client gets the last reply whole, then lets go.
  void finish() {
    if constexpr (std::is_same_v<Stream, TlsStream>) {
      socket().expires_after(kTlsGoodbye);
      stream_.async_shutdown([self = this->shared_from_this()](error_code) { self->linger(); });
    } else {
      linger();
    }
  }

  // RFC 9112 9.6: closing with unread bytes (of a refused body) would reset the connection under the reply. So what
  // still comes is read and thrown away, for as long as the drain time at most.
  void linger() {
    error_code ignored;
    socket().socket().shutdown(Tcp::socket::shutdown_send, ignored);
    socket().expires_after(state_->limits.drain);
    is_idle_ = true;
    discard();
  }
  void discard() {
    socket().async_read_some(asio::buffer(trash_), [self = this->shared_from_this()](error_code error, size_t) {
      if (!error) self->discard();
    });
  }

  std::shared_ptr<HttpServer::State> state_;
  Stream stream_;
  const SocketAddress remote_;
  beast::flat_buffer buffer_;
  std::optional<Parser> parser_;
  std::optional<Message> message_;
  std::array<char, 4096> trash_;
  unsigned version_ = 11;
  bool keep_alive_ = false;
  bool is_head_ = false;
  bool is_idle_ = false;  // between requests: may be closed at any time
};

}  // namespace

// --- accepting ---------------------------------------------------------------------------------------------------

void HttpServer::State::accept(Door& door) {
  door.acceptor.async_accept([this, &door](error_code error, Tcp::socket socket) {
    if (is_stopping) return;
    if (!error) {
      admit(door, std::move(socket));
      return accept(door);
    }
    LOG_WARN(kComponent, "cannot accept: {}", error.message());
    door.pause.expires_after(kAcceptPause);
    door.pause.async_wait([this, &door](error_code stopped) {
      if (!stopped && !is_stopping) accept(door);
    });
  });
}

void HttpServer::State::admit(Door& door, Tcp::socket socket) {
  error_code error;
  const Tcp::endpoint remote = socket.remote_endpoint(error);
  if (error || clients.size() >= limits.connections) return;  // closes it
  socket.set_option(Tcp::no_delay(true), error);
  const SocketAddress address = to_address(remote);
  if (door.tls) {
    std::make_shared<Connection<TlsStream>>(shared_from_this(), address, std::move(socket), *door.tls)->start();
  } else {
    std::make_shared<Connection<PlainStream>>(shared_from_this(), address, std::move(socket))->start();
  }
}

// --- time, signals, the end --------------------------------------------------------------------------------------

void HttpServer::State::arm(Periodic& periodic) {
  periodic.timer.expires_after(periodic.period);
  periodic.timer.async_wait([this, &periodic](error_code error) {
    if (error) return;
    periodic.task();
    arm(periodic);
  });
}

void HttpServer::State::wait_for_signal() {
  signals.async_wait([this](error_code error, int) {
    if (error) return;
    signal_task();
    wait_for_signal();
  });
}

void HttpServer::State::start_to_stop() {
  if (is_stopping) return;
  is_stopping = true;
  error_code ignored;
  for (Door& door : doors) {
    door.acceptor.close(ignored);
    door.pause.cancel();
  }
  for (Client* client : clients) client->close_if_idle();
  drain_timer.expires_after(limits.drain);
  drain_timer.async_wait([this](error_code error) {
    if (!error) context.stop();
  });
  finish_when_drained();
}

// When the last connection has gone nothing is left to wait for: run() runs out of work.
void HttpServer::State::finish_when_drained() {
  if (!is_stopping || !clients.empty()) return;
  drain_timer.cancel();
  for (Periodic& periodic : periodics) periodic.timer.cancel();
  error_code ignored;
  signals.cancel(ignored);
  work.reset();
}

// --- the public face ---------------------------------------------------------------------------------------------

HttpServer::HttpServer(Handler handler) : HttpServer(std::move(handler), Limits()) {}

HttpServer::HttpServer(Handler handler, Limits limits) : state_(std::make_shared<State>(std::move(handler), limits)) {}

HttpServer::~HttpServer() {
  // Connections hold the state and its pending operations hold them: end the operations, so that all of it goes now,
  // but for connections that a responder still holds.
  state_->start_to_stop();
  const std::vector<Client*> clients(state_->clients.begin(), state_->clients.end());
  for (Client* client : clients) client->close();
  state_->finish_when_drained();
  state_->drain_timer.cancel();
  for (auto& periodic : state_->periodics) periodic.timer.cancel();
  error_code ignored;
  state_->signals.cancel(ignored);
  state_->context.restart();
  state_->context.poll();
  state_->handler = nullptr;
}

Result<SocketAddress> HttpServer::listen(const Listener& listener) {
  const std::string where = "cannot listen on " + listener.address.to_string() + ": ";
  try {
    std::unique_ptr<asio::ssl::context> tls;
    if (listener.tls) {
      tls = std::make_unique<asio::ssl::context>(asio::ssl::context::tls_server);
      SSL_CTX_set_min_proto_version(tls->native_handle(), TLS1_2_VERSION);  // RFC 8996: nothing older
      tls->use_certificate_chain(asio::buffer(listener.tls->certificate));
      tls->use_private_key(asio::buffer(listener.tls->key), asio::ssl::context::pem);
    }
    Tcp::acceptor acceptor(state_->context);
    const Tcp::endpoint endpoint = to_endpoint(listener.address);
    acceptor.open(endpoint.protocol());
    acceptor.set_option(Tcp::acceptor::reuse_address(true));
    if (endpoint.address().is_v6()) acceptor.set_option(asio::ip::v6_only(false));  // [::] is all addresses
    acceptor.bind(endpoint);
    acceptor.listen();
    const SocketAddress bound = to_address(acceptor.local_endpoint());
    state_->doors.push_back({std::move(acceptor), std::move(tls), asio::steady_timer(state_->context)});
    state_->accept(state_->doors.back());
    return bound;
  } catch (const boost::system::system_error& error) {
    return fail(ErrorCode::kInvalidConfig, where + error.code().message());
  }
}

void HttpServer::every(Duration period, std::function<void()> task) {
  state_->periodics.push_back({asio::steady_timer(state_->context), period, std::move(task)});
  state_->arm(state_->periodics.back());
}

void HttpServer::on_stop_signal(std::function<void()> task) {
  state_->signal_task = std::move(task);
  error_code ignored;
  state_->signals.add(SIGINT, ignored);
  state_->signals.add(SIGTERM, ignored);
  state_->wait_for_signal();
}

void HttpServer::run() {
  state_->context.run();
}

void HttpServer::stop() {
  asio::post(state_->context, [state = state_.get()] { state->start_to_stop(); });
}

void HttpServer::post(std::function<void()> task) {
  asio::post(state_->context, std::move(task));
}

size_t HttpServer::connection_count() const {
  return state_->clients.size();
}

}  // namespace atm::io

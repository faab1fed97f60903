#include "io/http/client.h"

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>
#include <map>
#include <mutex>
#include <optional>
#include <thread>
#include <unordered_map>
#include <utility>

#include "io/http/connector.h"
#include "io/http/request_text.h"
#include "io/http/url.h"

namespace atm::io {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
using boost::system::error_code;
using Tcp = asio::ip::tcp;
using TlsStream = asio::ssl::stream<Tcp::socket>;

// Requests of one client that wait for their answer; a session has one or two.
constexpr size_t kMaxRequests = 256;
// Status line and headers of an answer; as much as our server takes.
constexpr uint32_t kMaxAnswerHeadBytes = 16 * 1024;
// What is read ahead of the parser: a head, or a chunk's size line with its extensions.
constexpr size_t kMaxReadAhead = 2 * kMaxAnswerHeadBytes;
// RFC 9110 15.2: any number of 1xx may precede the answer. One is usual.
constexpr int kMaxInterimAnswers = 8;

class Exchange;

}  // namespace

struct HttpClient::State : std::enable_shared_from_this<HttpClient::State> {
  explicit State(Options given) : options(std::move(given)), resolver(options.lookup) {}

  void begin(uint64_t id, HttpRequest request);
  void end(uint64_t id, Result<HttpResponse> result);
  void end_all();
  Result<asio::ssl::context*> tls_context();

  const Options options;
  asio::io_context context{1};
  std::optional<asio::executor_work_guard<asio::io_context::executor_type>> work{context.get_executor()};

  std::mutex mutex;  // of what follows
  std::thread thread;
  std::map<uint64_t, Callback> callbacks;  // those that were not called yet
  uint64_t next_id = 1;
  bool is_ending = false;

  // The client's thread alone:
  std::unordered_map<uint64_t, std::shared_ptr<Exchange>> exchanges;
  std::optional<asio::ssl::context> tls;
  Resolver resolver;
};

namespace {

// One request: resolve, connect, TLS, write, read. Alive as long as an operation holds it; all on the client's thread.
class Exchange final : public std::enable_shared_from_this<Exchange> {
 public:
  Exchange(HttpClient::State& state, uint64_t id, HttpRequest request, Url url)
      : state_(state), id_(id), request_(std::move(request)), url_(std::move(url)), who_(url_.host_header()) {}

  void start() {
    if (auto bytes = write_request(request_, url_, state_.options.user_agent)) {
      bytes_ = std::move(*bytes);
    } else {
      return finish(tl::unexpected(std::move(bytes).error()));
    }
    if (url_.is_https) {
      if (auto tls = state_.tls_context()) {
        tls_context_ = *tls;
      } else {
        return finish(tl::unexpected(std::move(tls).error()));
      }
    }
    timer_.expires_after(request_.timeout);
    timer_.async_wait([self = shared_from_this()](error_code error) {
      if (!error) self->on_timeout();
    });
    if (const auto ip = IpAddress::parse(url_.host)) return on_resolved(Addresses{*ip});
    resolve();
  }

  // Ends what runs; says nothing.
  void abandon() {
    is_done_ = true;
    timer_.cancel();
    if (lookup_ != 0) state_.resolver.cancel(lookup_);
    error_code ignored;
    if (connector_) connector_->cancel();
    if (socket_) socket_->close(ignored);
    if (tls_) tls_->lowest_layer().close(ignored);
  }

 private:
  void finish(Result<HttpResponse> result) {
    if (is_done_) return;
    const auto self = shared_from_this();
    abandon();
    state_.end(id_, std::move(result));
  }
  void refuse(ErrorCode code, std::string why) { finish(fail(code, std::move(why))); }

  void on_timeout() {
    refuse(ErrorCode::kTimeout,
           "no answer within " + std::to_string(to_ms(request_.timeout)) + " ms: " + step_ + " " + who_);
  }

  // --- a connection ---

  void resolve() {
    step_ = "still resolving host";
    auto lookup = state_.resolver.resolve(
        url_.host, [state = state_.weak_from_this(), weak = weak_from_this()](Result<Addresses> result) {
          const auto alive = state.lock();
          if (!alive) return;
          asio::post(alive->context, [weak, result = std::move(result)]() mutable {
            if (const auto self = weak.lock()) self->on_resolved(std::move(result));
          });
        });
    if (!lookup) return finish(tl::unexpected(std::move(lookup).error()));
    lookup_ = *lookup;
  }

  void on_resolved(Result<Addresses> result) {
    if (is_done_) return;
    if (!result) return finish(tl::unexpected(std::move(result).error()));
    if (result->empty()) return refuse(ErrorCode::kNetworkError, "cannot resolve host " + url_.host + ": no address");
    step_ = "still connecting to";
    connector_ = std::make_shared<Connector>(state_.context, *result, url_.port);
    connector_->start([self = shared_from_this()](Result<Connector::Connected> connected) {
      if (!self->is_done_) self->on_connected(std::move(connected));
    });
  }

  void on_connected(Result<Connector::Connected> result) {
    if (!result) return finish(tl::unexpected(std::move(result).error()));
    error_code ignored;
    result->socket.set_option(Tcp::no_delay(true), ignored);
    const std::string where = result->remote.to_string();
    who_ = IpAddress::parse(url_.host) ? where : url_.host + " (" + where + ")";
    if (tls_context_ != nullptr) return shake_hands(std::move(result->socket));
    socket_ = std::move(result->socket);
    write();
  }

  void shake_hands(Tcp::socket socket) {
    step_ = "still in the TLS handshake with";
    const TlsOptions& options = state_.options.tls;
    tls_.emplace(std::move(socket), *tls_context_);
    const std::string name = options.server_name.empty() ? url_.host : options.server_name;
    if (!expect_server(tls_->native_handle(), name)) {
      return refuse(ErrorCode::kInvalidConfig, "TLS: " + name + " cannot be the name of a server");
    }
    tls_->async_handshake(asio::ssl::stream_base::client, [self = shared_from_this(), name](error_code error) {
      if (self->is_done_) return;
      if (!error) return self->write();
      const bool is_tls = error.category() == asio::error::get_ssl_category();
      self->refuse(ErrorCode::kNetworkError,
                   name + " " +
                       explain_tls_failure(self->tls_->native_handle(), name,
                                           is_tls ? static_cast<unsigned long>(error.value()) : 0, error.message()));
    });
  }

  // --- the exchange itself ---

  template <typename Use>
  void on_stream(Use use) {
    if (tls_) return use(*tls_);
    use(*socket_);
  }

  void write() {
    step_ = "still sending the request to";
    on_stream([this](auto& stream) {
      asio::async_write(stream, asio::buffer(bytes_), [self = shared_from_this()](error_code, size_t) {
        // Also when that failed: a server may refuse a body before it has read it, and says why.
        if (!self->is_done_) self->read_head();
      });
    });
  }

  void read_head() {
    step_ = "still waiting for the answer of";
    parser_.emplace();
    parser_->header_limit(kMaxAnswerHeadBytes);
    parser_->body_limit(request_.max_body_size);
    parser_->skip(request_.method == "HEAD");  // RFC 9110 9.3.2: the headers of a GET, and no body
    on_stream([this](auto& stream) {
      http::async_read_header(stream, buffer_, *parser_, [self = shared_from_this()](error_code error, size_t) {
        if (self->is_done_) return;
        if (error) return self->on_read_error(error);
        self->on_head();
      });
    });
  }

  void on_head() {
    const auto& head = parser_->get();
    const unsigned status = head.result_int();
    if (status == 101) return refuse(ErrorCode::kBadAnswer, who_ + " wants to switch to another protocol");
    if (status < 200) {
      if (++interim_answers_ > kMaxInterimAnswers)
        return refuse(ErrorCode::kBadAnswer, who_ + " sends no final answer");
      return read_head();
    }
    const auto location = head.find(http::field::location);
    if (status >= 300 && status < 400 && location != head.end()) {
      return refuse(ErrorCode::kBadAnswer, who_ + " redirects to " + std::string(location->value()) +
                                               "; redirects are not followed, give that URL instead");
    }
    read_body();
  }

  void read_body() {
    if (parser_->is_done()) return on_answer();
    step_ = "still reading the answer of";
    on_stream([this](auto& stream) {
      http::async_read(stream, buffer_, *parser_, [self = shared_from_this()](error_code error, size_t) {
        if (self->is_done_) return;
        if (error) return self->on_read_error(error);
        self->on_answer();
      });
    });
  }

  void on_answer() {
    auto message = parser_->release();
    HttpResponse response;
    response.status = message.result_int();
    for (const auto& field : message) {
      response.headers.emplace_back(std::string(field.name_string()), std::string(field.value()));
    }
    response.body = std::move(message.body());
    finish(std::move(response));
  }

  void on_read_error(error_code error) {
    if (error == http::error::body_limit) {
      return refuse(ErrorCode::kTooLarge,
                    "the answer of " + who_ + " has more than " + std::to_string(request_.max_body_size) + " bytes");
    }
    if (error == http::error::header_limit || error == http::error::buffer_overflow) {
      return refuse(ErrorCode::kTooLarge, "the answer of " + who_ + " has more than " +
                                              std::to_string(kMaxAnswerHeadBytes) + " bytes of headers");
    }
    if (error == http::error::end_of_stream || error == http::error::partial_message || error == asio::error::eof ||
        error == asio::error::connection_reset || error == asio::error::broken_pipe ||
        error == asio::ssl::error::stream_truncated) {
      return refuse(ErrorCode::kNetworkError, who_ + " closed the connection before its answer was complete");
    }
    if (error.category() == http::make_error_code(http::error::bad_method).category()) {
      return refuse(ErrorCode::kBadAnswer, "what " + who_ + " answers is not HTTP: " + error.message());
    }
    refuse(ErrorCode::kNetworkError, "the connection to " + who_ + " broke: " + error.message());
  }

  HttpClient::State& state_;
  const uint64_t id_;
  const HttpRequest request_;
  const Url url_;
  std::string who_;  // for sentences: the host, then with the address that is connected
  const char* step_ = "";
  std::string bytes_;
  bool is_done_ = false;

  asio::steady_timer timer_{state_.context};
  uint64_t lookup_ = 0;
  std::shared_ptr<Connector> connector_;
  asio::ssl::context* tls_context_ = nullptr;  // nullptr: plain
  std::optional<Tcp::socket> socket_;
  std::optional<TlsStream> tls_;
  beast::flat_buffer buffer_{kMaxReadAhead};
  std::optional<http::response_parser<http::string_body>> parser_;
  int interim_answers_ = 0;
};

}  // namespace

void HttpClient::State::begin(uint64_t id, HttpRequest request) {
  {
    const std::lock_guard lock(mutex);
    if (!callbacks.contains(id)) return;  // cancelled
  }
  auto url = parse_url(request.url);
  if (!url) return end(id, tl::unexpected(std::move(url).error()));
  if (exchanges.size() >= kMaxRequests) return end(id, fail(ErrorCode::kTooMany, "too many HTTP requests at once"));
  const auto exchange = std::make_shared<Exchange>(*this, id, std::move(request), std::move(*url));
  exchanges.emplace(id, exchange);
  exchange->start();
}

void HttpClient::State::end(uint64_t id, Result<HttpResponse> result) {
  exchanges.erase(id);
  std::unique_lock lock(mutex);
  const auto found = callbacks.extract(id);
  lock.unlock();
  if (found) found.mapped()(std::move(result));
}

void HttpClient::State::end_all() {
  for (const auto& [id, exchange] : exchanges) exchange->abandon();
  exchanges.clear();
  std::unique_lock lock(mutex);
  std::map<uint64_t, Callback> left;
  left.swap(callbacks);
  lock.unlock();
  for (const auto& [id, callback] : left) callback(fail(ErrorCode::kClosed, "the HTTP client has ended"));
  work.reset();  // run() returns when what was aborted has said so
}

Result<asio::ssl::context*> HttpClient::State::tls_context() {
  if (!tls) {
    TRY(made, make_tls_context(options.tls));
    tls.emplace(made.release());  // Asio frees it
  }
  return &*tls;
}

HttpClient::HttpClient() : HttpClient(Options()) {}

HttpClient::HttpClient(Options options) : state_(std::make_shared<State>(std::move(options))) {}

HttpClient::~HttpClient() {
  std::unique_lock lock(state_->mutex);
  state_->is_ending = true;
  std::thread thread = std::move(state_->thread);
  lock.unlock();
  if (!thread.joinable()) return;
  if (thread.get_id() == std::this_thread::get_id()) {
    state_->end_all();
    thread.detach();  // it holds the state until it has returned from here
    return;
  }
  asio::post(state_->context, [state = state_.get()] { state->end_all(); });
  thread.join();
}

uint64_t HttpClient::request(HttpRequest request, Callback callback) {
  std::unique_lock lock(state_->mutex);
  if (state_->is_ending) return 0;
  const uint64_t id = state_->next_id++;
  if (!state_->thread.joinable()) {
    try {
      state_->thread = std::thread([state = state_] { state->context.run(); });
    } catch (const std::system_error& error) {
      lock.unlock();
      callback(fail(ErrorCode::kBusy, std::string("no thread for HTTP: ") + error.what()));
      return id;
    }
  }
  state_->callbacks.emplace(id, std::move(callback));
  asio::post(state_->context, [state = state_.get(), id, request = std::move(request)]() mutable {
    state->begin(id, std::move(request));
  });
  return id;
}

void HttpClient::cancel(uint64_t id) {
  asio::post(state_->context, [state = state_.get(), id] {
    const auto found = state->exchanges.find(id);
    if (found != state->exchanges.end()) found->second->abandon();
    state->end(id, fail(ErrorCode::kClosed, "the HTTP request was cancelled"));
  });
}

}  // namespace atm::io

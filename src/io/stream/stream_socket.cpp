#include "io/stream/stream_socket.h"

#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "base/assert.h"
#include "io/tls/tls_client.h"
#include "io/udp/sockaddr.h"

namespace atm::io {
namespace {

constexpr size_t kReadSize = 16'384;

std::string text_of(int error) {
  return std::strerror(error);
}

}  // namespace

void StreamSocket::FreeTls::operator()(ssl_st* tls) const {
  SSL_free(tls);
}

StreamSocket::StreamSocket(Instant now, const Options& options)
    : host_(options.host), opened_by_(now + kStreamOpenTimeout) {
  start(options);
}

StreamSocket::~StreamSocket() {
  close();
}

void StreamSocket::start(const Options& options) {
  const bool is_v4 = options.remote.ip.is_v4();
  fd_ = ::socket(is_v4 ? AF_INET : AF_INET6, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd_ < 0) return fail("could not be reached: " + text_of(errno));
  set_socket_option(fd_, IPPROTO_TCP, TCP_NODELAY, 1);
  sockaddr_storage name{};
  if (options.local) {
    const socklen_t size = fill_sockaddr({*options.local, 0}, is_v4, name);
    if (::bind(fd_, reinterpret_cast<const sockaddr*>(&name), size) != 0) {
      return fail("could not be reached from " + options.local->to_string() + ": " + text_of(errno));
    }
  }
  if (options.tls != nullptr && !set_up_tls(options.tls)) return fail("could not be reached: TLS could not be set up");
  const socklen_t size = fill_sockaddr(options.remote, is_v4, name);
  if (::connect(fd_, reinterpret_cast<const sockaddr*>(&name), size) == 0) return finish_connecting();
  if (errno != EINPROGRESS) fail("could not be reached: " + text_of(errno));
}

bool StreamSocket::set_up_tls(ssl_ctx_st* context) {
  tls_.reset(SSL_new(context));
  BIO* in = BIO_new(BIO_s_mem());
  BIO* out = BIO_new(BIO_s_mem());
  if (tls_ == nullptr || in == nullptr || out == nullptr) {
    BIO_free(in);
    BIO_free(out);
    return false;
  }
  // An empty one says "try again", and is no end.
  BIO_set_mem_eof_return(in, -1);
  SSL_set_bio(tls_.get(), in, out);
  SSL_set_connect_state(tls_.get());
  return expect_server(tls_.get(), host_);
}

void StreamSocket::advance() {
  if (state_ == State::kConnecting) {
    int error = 0;
    socklen_t size = sizeof error;
    ::getsockopt(fd_, SOL_SOCKET, SO_ERROR, &error, &size);
    if (error != 0) return fail("could not be reached: " + text_of(error));
    sockaddr_storage name{};
    size = sizeof name;
    if (::getpeername(fd_, reinterpret_cast<sockaddr*>(&name), &size) != 0) return;  // not yet
    finish_connecting();
  }
  if (state_ == State::kHandshaking) shake_hands();
  if (state_ != State::kClosed) flush();
}

void StreamSocket::finish_connecting() {
  state_ = tls_ == nullptr ? State::kOpen : State::kHandshaking;
  if (state_ == State::kHandshaking) shake_hands();
}

void StreamSocket::shake_hands() {
  in_.resize(kReadSize);
  while (state_ == State::kHandshaking) {
    ERR_clear_error();
    const int result = SSL_do_handshake(tls_.get());
    take_encrypted();  // also an alert that says what we do not like
    if (result == 1) {
      state_ = State::kOpen;
      return flush();
    }
    if (SSL_get_error(tls_.get(), result) != SSL_ERROR_WANT_READ) {
      flush();
      return fail_in_tls();
    }
    flush();
    const size_t size = receive(in_);
    if (size == 0) {
      if (is_ended_) fail("closed the connection during the TLS handshake");
      return;
    }
    BIO_write(SSL_get_rbio(tls_.get()), in_.data(), static_cast<int>(size));
  }
}

void StreamSocket::fail_in_tls() {
  fail(explain_tls_failure(tls_.get(), host_, ERR_peek_last_error(), "no reason is given"));
}

// What TLS wants to send goes behind what waits.
void StreamSocket::take_encrypted() {
  char* data = nullptr;
  const long size = BIO_get_mem_data(SSL_get_wbio(tls_.get()), &data);
  if (size <= 0) return;
  out_.insert(out_.end(), data, data + size);
  (void)BIO_reset(SSL_get_wbio(tls_.get()));
}

void StreamSocket::flush() {
  while (fd_ >= 0 && state_ != State::kConnecting && sent_ < out_.size()) {
    const ssize_t size = ::send(fd_, out_.data() + sent_, out_.size() - sent_, MSG_NOSIGNAL);
    if (size < 0) {
      if (errno == EINTR) continue;
      if (errno != EAGAIN && errno != EWOULDBLOCK) fail("broke the connection: " + text_of(errno));
      return;
    }
    sent_ += static_cast<size_t>(size);
  }
  if (sent_ == out_.size()) {
    out_.clear();
    sent_ = 0;
  }
}

// 0: nothing for now, or the end, and is_ended_ says so; or the connection is broken.
size_t StreamSocket::receive(MutByteView into) {
  while (fd_ >= 0) {
    const ssize_t size = ::recv(fd_, into.data(), into.size(), 0);
    if (size > 0) return static_cast<size_t>(size);
    if (size == 0) {
      is_ended_ = true;
      return 0;
    }
    if (errno == EINTR) continue;
    if (errno != EAGAIN && errno != EWOULDBLOCK) fail("broke the connection: " + text_of(errno));
    return 0;
  }
  return 0;
}

MutByteView StreamSocket::read() {
  if (state_ == State::kHandshaking) advance();
  if (state_ != State::kOpen) return {};
  if (tls_ != nullptr) return read_tls();
  in_.resize(kReadSize);
  const size_t size = receive(in_);
  if (size == 0 && is_ended_) fail("closed the connection");
  return MutByteView(in_).first(size);
}

MutByteView StreamSocket::read_tls() {
  in_.resize(kReadSize);
  plain_.resize(kReadSize);
  while (state_ == State::kOpen) {
    ERR_clear_error();
    const int size = SSL_read(tls_.get(), plain_.data(), static_cast<int>(plain_.size()));
    take_encrypted();  // key updates
    flush();
    if (size > 0) return MutByteView(plain_).first(static_cast<size_t>(size));
    const int error = SSL_get_error(tls_.get(), size);
    if (error == SSL_ERROR_ZERO_RETURN) {
      fail("closed the connection");
      break;
    }
    if (error != SSL_ERROR_WANT_READ) {
      fail_in_tls();
      break;
    }
    const size_t received = receive(in_);
    if (received == 0) {
      if (is_ended_) fail("closed the connection");
      break;
    }
    BIO_write(SSL_get_rbio(tls_.get()), in_.data(), static_cast<int>(received));
  }
  return {};
}

bool StreamSocket::write(ByteView bytes) {
  if (state_ != State::kOpen || out_.size() - sent_ + bytes.size() > kMaxStreamQueued) return false;
  if (bytes.empty()) return true;
  if (sent_ > kMaxStreamQueued) {  // never longer than twice what may wait
    out_.erase(out_.begin(), out_.begin() + static_cast<std::ptrdiff_t>(sent_));
    sent_ = 0;
  }
  if (tls_ == nullptr) {
    out_.insert(out_.end(), bytes.begin(), bytes.end());
  } else {
    ERR_clear_error();
    if (SSL_write(tls_.get(), bytes.data(), static_cast<int>(bytes.size())) <= 0) {
      fail_in_tls();
      return false;
    }
    take_encrypted();
  }
  flush();
  return state_ == State::kOpen;
}

void StreamSocket::on_timeout(Instant now) {
  if (now >= next_timeout()) {
    fail(state_ == State::kConnecting ? "could not be reached: no answer" : "did not finish the TLS handshake");
  }
}

Instant StreamSocket::next_timeout() const {
  return state_ == State::kConnecting || state_ == State::kHandshaking ? opened_by_ : kNever;
}

void StreamSocket::close() {
  if (state_ == State::kOpen) {
    if (tls_ != nullptr) {
      SSL_shutdown(tls_.get());
      take_encrypted();
    }
    flush();
  }
  fail("");
}

void StreamSocket::fail(std::string why) {
  if (state_ == State::kClosed) return;
  state_ = State::kClosed;
  why_ = std::move(why);
  if (fd_ >= 0) ::close(fd_);
  fd_ = -1;
  out_.clear();
  sent_ = 0;
}

}  // namespace atm::io

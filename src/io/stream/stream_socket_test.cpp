// A StreamSocket against a server in a thread, over loopback.
#include "io/stream/stream_socket.h"

#include <gtest/gtest.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <fstream>
#include <thread>

#include "io/tls/tls_client.h"
#include "io/udp/sockaddr.h"

namespace atm::io {
namespace {

// A certificate for turn.example and 127.0.0.1, signed by itself.
struct Identity {
  Identity() {
    key = EVP_EC_gen("P-256");
    certificate = X509_new();
    X509_set_version(certificate, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1);
    X509_gmtime_adj(X509_getm_notBefore(certificate), -60);
    X509_gmtime_adj(X509_getm_notAfter(certificate), 3'600);
    X509_set_pubkey(certificate, key);
    X509_NAME* name = X509_get_subject_name(certificate);
    const auto* text = reinterpret_cast<const unsigned char*>("atm0s test");
    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, text, -1, -1, 0);
    X509_set_issuer_name(certificate, name);
    X509_EXTENSION* names =
        X509V3_EXT_conf_nid(nullptr, nullptr, NID_subject_alt_name, "DNS:turn.example,IP:127.0.0.1");
    X509_add_ext(certificate, names, -1);
    X509_EXTENSION_free(names);
    X509_sign(certificate, key, EVP_sha256());
    path = testing::TempDir() + "stream_socket_" + std::to_string(::getpid()) + ".pem";
    FILE* file = std::fopen(path.c_str(), "w");
    PEM_write_X509(file, certificate);
    std::fclose(file);
  }
  ~Identity() {
    X509_free(certificate);
    EVP_PKEY_free(key);
    std::remove(path.c_str());
  }
  EVP_PKEY* key;
  X509* certificate;
  std::string path;
};

const Identity& identity() {
  static const Identity one;
  return one;
}

// Takes one connection, with TLS or without, and sends back what it gets until the client closes or `limit` bytes.
class EchoServer {
 public:
  explicit EchoServer(bool tls, size_t limit = SIZE_MAX) {
    listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_storage name{};
    const socklen_t size = fill_sockaddr({IpAddress::v4(127, 0, 0, 1), 0}, true, name);
    EXPECT_EQ(::bind(listener_, reinterpret_cast<sockaddr*>(&name), size), 0);
    EXPECT_EQ(::listen(listener_, 1), 0);
    address = bound_address(listener_);
    thread_ = std::thread([this, tls, limit] { run(tls, limit); });
  }
  ~EchoServer() {
    ::shutdown(listener_, SHUT_RDWR);
    thread_.join();
    ::close(listener_);
  }
  SocketAddress address;

 private:
  void run(bool tls, size_t limit) {
    sigset_t pipe;  // of this thread alone: the socket under test has to do without
    sigemptyset(&pipe);
    sigaddset(&pipe, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &pipe, nullptr);
    const int fd = ::accept(listener_, nullptr, nullptr);
    if (fd < 0) return;
    SSL_CTX* context = nullptr;
    SSL* ssl = nullptr;
    bool is_open = true;
    if (tls) {
      context = SSL_CTX_new(TLS_server_method());
      SSL_CTX_use_certificate(context, identity().certificate);
      SSL_CTX_use_PrivateKey(context, identity().key);
      ssl = SSL_new(context);
      SSL_set_fd(ssl, fd);
      is_open = SSL_accept(ssl) == 1;
    }
    uint8_t buffer[4'096];
    for (size_t total = 0; is_open && total < limit;) {
      const ssize_t size = tls ? SSL_read(ssl, buffer, sizeof buffer) : ::recv(fd, buffer, sizeof buffer, 0);
      if (size <= 0) break;
      total += static_cast<size_t>(size);
      if (tls) {
        SSL_write(ssl, buffer, static_cast<int>(size));
      } else {
        ::send(fd, buffer, static_cast<size_t>(size), MSG_NOSIGNAL);
      }
    }
    if (ssl != nullptr && is_open) SSL_shutdown(ssl);
    SSL_free(ssl);
    SSL_CTX_free(context);
    ::close(fd);
  }
  int listener_;
  std::thread thread_;
};

Instant clock_now() {
  const auto since = std::chrono::steady_clock::now().time_since_epoch();
  return Instant{std::chrono::duration_cast<Duration>(since)};
}

// Until the fact, or ten seconds, waiting for the fd as the socket says.
template <typename Fact>
bool wait_for(StreamSocket& socket, std::string& received, Fact fact) {
  const Instant end = clock_now() + 10s;
  while (!fact() && clock_now() < end && socket.state() != StreamSocket::State::kClosed) {
    pollfd waits{socket.fd(), 0, 0};
    if (socket.wants_read()) waits.events |= POLLIN;
    if (socket.wants_write()) waits.events |= POLLOUT;
    ::poll(&waits, 1, 100);
    socket.advance();
    for (MutByteView bytes = socket.read(); !bytes.empty(); bytes = socket.read()) received += as_text(bytes);
  }
  return fact();
}

TlsContext trusting(const std::string& ca_file) {
  auto out = make_tls_context({.ca_file = ca_file});
  EXPECT_TRUE(out.has_value());
  return std::move(*out);
}

TEST(StreamSocket, CarriesBytesBothWays) {
  const TlsContext trust = trusting(identity().path);
  for (const bool tls : {false, true}) {
    EchoServer server(tls);
    StreamSocket socket(clock_now(),
                        {.remote = server.address, .tls = tls ? trust.get() : nullptr, .host = "turn.example"});
    EXPECT_FALSE(socket.write(as_bytes("too early")));
    std::string received;
    ASSERT_TRUE(wait_for(socket, received, [&] { return socket.is_open(); })) << socket.why();
    std::string sent;
    for (int i = 0; i < 500; ++i) {
      const std::string part = std::to_string(i) + std::string(static_cast<size_t>(i), 'x');
      while (!socket.write(as_bytes(part))) {
        ASSERT_TRUE(socket.is_open()) << socket.why();
        wait_for(socket, received, [&] { return !socket.wants_write(); });
      }
      sent += part;
    }
    EXPECT_TRUE(wait_for(socket, received, [&] { return received.size() >= sent.size(); }));
    EXPECT_EQ(received, sent);
    socket.close();
    EXPECT_EQ(socket.why(), "");
    EXPECT_EQ(socket.fd(), -1);
  }
}

TEST(StreamSocket, TakesALiteralAddressForAHostOfTheCertificate) {
  const TlsContext trust = trusting(identity().path);
  EchoServer server(true);
  StreamSocket socket(clock_now(), {.remote = server.address, .tls = trust.get(), .host = "127.0.0.1"});
  std::string received;
  EXPECT_TRUE(wait_for(socket, received, [&] { return socket.is_open(); })) << socket.why();
}

std::string why_of(EchoServer& server, SSL_CTX* trust, const std::string& host) {
  StreamSocket socket(clock_now(), {.remote = server.address, .tls = trust, .host = host});
  std::string received;
  EXPECT_FALSE(wait_for(socket, received, [&] { return socket.is_open(); }));
  EXPECT_EQ(socket.state(), StreamSocket::State::kClosed);
  return socket.why();
}

TEST(StreamSocket, BelievesNoCertificateOfAnotherHost) {
  const TlsContext trust = trusting(identity().path);
  for (const std::string host : {"other.example", "example", "127.0.0.2"}) {
    EchoServer server(true);
    EXPECT_EQ(why_of(server, trust.get(), host), "has a certificate that is not for " + host);
  }
}

TEST(StreamSocket, BelievesNoCertificateThatNobodyVouchesFor) {
  const TlsContext trust = trusting("");
  EchoServer server(true);
  const std::string why = why_of(server, trust.get(), "turn.example");
  EXPECT_TRUE(why.starts_with("has a certificate that is not trusted: self")) << why;
}

TEST(StreamSocket, BelievesAnybodyWhenItIsTold) {
  const TlsContext trust = *make_tls_context({.verify = false});
  EchoServer server(true);
  StreamSocket socket(clock_now(), {.remote = server.address, .tls = trust.get(), .host = "other.example"});
  std::string received;
  EXPECT_TRUE(wait_for(socket, received, [&] { return socket.is_open(); })) << socket.why();
}

TEST(StreamSocket, SaysThatTheServerSpeaksNoTls) {
  const TlsContext trust = trusting(identity().path);
  EchoServer server(false);
  // It sends back what it was greeted with.
  EXPECT_EQ(why_of(server, trust.get(), "turn.example"), "failed over TLS: unexpected message");
}

TEST(StreamSocket, SaysThatNobodyListens) {
  SocketAddress address;
  {
    address = EchoServer(false).address;
  }
  StreamSocket socket(clock_now(), {.remote = address});
  std::string received;
  EXPECT_FALSE(wait_for(socket, received, [&] { return socket.is_open(); }));
  EXPECT_EQ(socket.why(), "could not be reached: Connection refused");
  StreamSocket elsewhere(clock_now(), {.remote = address, .local = IpAddress::v4(192, 0, 2, 1)});
  EXPECT_TRUE(elsewhere.why().starts_with("could not be reached from 192.0.2.1: ")) << elsewhere.why();
}

TEST(StreamSocket, GivesUpAfterItsTime) {
  SocketAddress address;
  {
    address = EchoServer(false).address;
  }
  const Instant now = clock_now();
  StreamSocket socket(now, {.remote = address});
  EXPECT_EQ(socket.next_timeout(), now + kStreamOpenTimeout);
  socket.on_timeout(now + kStreamOpenTimeout);
  EXPECT_EQ(socket.why(), "could not be reached: no answer");
}

TEST(StreamSocket, SaysThatTheServerClosed) {
  const TlsContext trust = trusting(identity().path);
  for (const bool tls : {false, true}) {
    EchoServer server(tls, 4);
    StreamSocket socket(clock_now(),
                        {.remote = server.address, .tls = tls ? trust.get() : nullptr, .host = "turn.example"});
    std::string received;
    ASSERT_TRUE(wait_for(socket, received, [&] { return socket.is_open(); })) << socket.why();
    ASSERT_TRUE(socket.write(as_bytes("abcd")));
    wait_for(socket, received, [] { return false; });
    EXPECT_EQ(received, "abcd");
    EXPECT_EQ(socket.why(), "closed the connection");
    EXPECT_FALSE(socket.write(as_bytes("x")));
  }
}

TEST(StreamSocket, QueuesNoMoreThanItsBoundAndNoPartOfAFrame) {
  EchoServer server(false, 1);  // reads once, and no more
  StreamSocket socket(clock_now(), {.remote = server.address});
  std::string received;
  ASSERT_TRUE(wait_for(socket, received, [&] { return socket.is_open(); }));
  EXPECT_FALSE(socket.write(Bytes(kMaxStreamQueued + 1)));
  EXPECT_TRUE(socket.is_open());
}

}  // namespace
}  // namespace atm::io

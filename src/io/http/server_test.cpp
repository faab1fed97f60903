#include "io/http/server.h"

#include <gtest/gtest.h>

#include <boost/asio/connect.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <future>
#include <thread>

namespace atm::io {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
using Tcp = asio::ip::tcp;
using contract::HttpReply;
using contract::HttpRequest;

HttpReply echo(const HttpRequest& request) {
  HttpReply reply{
      200, "text/plain", request.method + " " + request.path + " ? " + request.query + " : " + request.body, {}};
  reply.headers.emplace_back("X-Agent", std::string(request.header("USER-AGENT")));
  return reply;
}

// A server on its own thread, at 127.0.0.1.
class Running {
 public:
  Running(HttpServer::Handler handler, HttpServer::Limits limits, std::optional<TlsPem> tls = {})
      : server(std::move(handler), limits) {
    const auto bound = server.listen({{IpAddress::v4(127, 0, 0, 1), 0}, std::move(tls)});
    EXPECT_TRUE(bound) << bound.error().why;
    port = bound->port;
    EXPECT_NE(port, 0);
    thread = std::thread([this] { server.run(); });
  }
  explicit Running(HttpServer::Limits limits = {})
      : Running([](const HttpRequest& request, HttpServer::Respond respond) { respond(echo(request)); }, limits) {}
  ~Running() { stop(); }
  void stop() {
    if (!thread.joinable()) return;
    server.stop();
    thread.join();
  }

  HttpServer server;
  uint16_t port = 0;
  std::thread thread;
};

using Answer = http::response<http::string_body>;

template <typename Stream>
Answer read_answer(Stream& stream, beast::error_code& error) {
  Answer answer;
  beast::flat_buffer buffer;
  http::read(stream, buffer, answer, error);
  return answer;
}

template <typename Stream>
Answer ask(Stream& stream, const std::string& text) {
  beast::error_code error;
  asio::write(stream, asio::buffer(text), error);
  Answer answer = read_answer(stream, error);
  EXPECT_FALSE(error) << error.message();
  return answer;
}

class Client {
 public:
  explicit Client(uint16_t port) { socket.connect({asio::ip::address_v4::loopback(), port}); }
  Answer send(const std::string& text) { return ask(socket, text); }
  // True when the server closes without another byte.
  bool is_closed() {
    char byte = 0;
    beast::error_code error;
    return asio::read(socket, asio::buffer(&byte, 1), error) == 0 && error;
  }
  asio::io_context context;
  Tcp::socket socket{context};
};

TEST(HttpServer, AnswersManyRequestsOfOneConnection) {
  Running running;
  Client client(running.port);
  for (int i = 0; i < 3; ++i) {
    const Answer answer =
        client.send("POST /a%20b?x=1&y=%3F HTTP/1.1\r\nHost: h\r\nUser-Agent: me\r\nContent-Length: 4\r\n\r\nbody");
    EXPECT_EQ(answer.result_int(), 200u);
    EXPECT_EQ(answer.body(), "POST /a%20b ? x=1&y=%3F : body");
    EXPECT_EQ(answer["X-Agent"], "me");
    EXPECT_EQ(answer[http::field::content_type], "text/plain");
    EXPECT_FALSE(answer[http::field::date].empty());
    EXPECT_TRUE(answer.keep_alive());
  }
  const Answer last = client.send("GET http://h/abs?q HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
  EXPECT_EQ(last.body(), "GET /abs ? q : ");
  EXPECT_FALSE(last.keep_alive());
  EXPECT_TRUE(client.is_closed());
}

TEST(HttpServer, AnswersPipelinedRequestsInOrder) {
  Running running;
  Client client(running.port);
  const std::string two = "GET /1 HTTP/1.1\r\nHost: h\r\n\r\nGET /2 HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n";
  asio::write(client.socket, asio::buffer(two));
  std::string all;
  beast::error_code error;
  asio::read(client.socket, asio::dynamic_buffer(all), error);
  EXPECT_LT(all.find("GET /1"), all.find("GET /2"));
  EXPECT_NE(all.find("GET /2"), std::string::npos);
}

TEST(HttpServer, SendsNoBodyWhereNoneBelongs) {
  Running running(
      [](const HttpRequest& request, HttpServer::Respond respond) {
        respond(request.method == "OPTIONS" ? HttpReply{204, "", "", {}} : HttpReply{200, "text/plain", "body", {}});
      },
      {});
  Client client(running.port);
  const std::string head = "HEAD / HTTP/1.1\r\nHost: h\r\n\r\n";
  asio::write(client.socket, asio::buffer(head));
  beast::flat_buffer buffer;
  http::response_parser<http::string_body> parser;
  parser.skip(true);
  http::read(client.socket, buffer, parser);
  EXPECT_EQ(parser.get()[http::field::content_length], "4");
  EXPECT_EQ(buffer.size(), 0u);
  const Answer options = client.send("OPTIONS / HTTP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_EQ(options.result_int(), 204u);
  EXPECT_EQ(options[http::field::content_length], "");
  EXPECT_EQ(client.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n").body(), "body");
}

TEST(HttpServer, RefusesWhatIsTooLarge) {
  Running running;
  {
    Client client(running.port);
    const Answer answer = client.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1048577\r\n\r\n");
    EXPECT_EQ(answer.result_int(), 413u);
    EXPECT_EQ(answer.body(), R"({"status":false,"data":null,"error":"TOO_LARGE"})");
    EXPECT_EQ(answer["Access-Control-Allow-Origin"], "*");
    EXPECT_FALSE(answer.keep_alive());
  }
  {
    Client client(running.port);
    std::string body = "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n";
    for (int i = 0; i < 20; ++i) body += "10000\r\n" + std::string(0x10000, 'x') + "\r\n";
    body += "0\r\n\r\n";
    EXPECT_EQ(client.send(body).result_int(), 413u);  // and the reply is not lost to a reset
  }
  {
    Client client(running.port);
    EXPECT_EQ(client.send("GET / HTTP/1.1\r\nX: " + std::string(17 * 1024, 'x') + "\r\n\r\n").result_int(), 431u);
  }
  Client client(running.port);
  const std::string body(1048576, 'x');
  EXPECT_EQ(client.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1048576\r\n\r\n" + body).result_int(), 200u);
}

TEST(HttpServer, RefusesWhatIsNoHttp) {
  Running running;
  for (const char* text : {"\x16\x03\x01 hello\r\n\r\n", "GET / HTTP/9\r\n\r\n", "GET  HTTP/1.1\r\n\r\n",
                           "POST / HTTP/1.1\r\nContent-Length: x\r\n\r\n",
                           "POST / HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n"}) {
    Client client(running.port);
    EXPECT_EQ(client.send(text).result_int(), 400u) << text;
  }
}

TEST(HttpServer, TellsAPatientClientToGoOn) {
  Running running;
  Client client(running.port);
  const std::string head = "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\nExpect: 100-continue\r\n\r\n";
  asio::write(client.socket, asio::buffer(head));
  std::string line;
  asio::read_until(client.socket, asio::dynamic_buffer(line), "\r\n\r\n");
  EXPECT_EQ(line, "HTTP/1.1 100 Continue\r\n\r\n");
  EXPECT_EQ(client.send("z").body(), "POST / ?  : z");
}

TEST(HttpServer, RepliesLaterFromAPostedTask) {
  std::promise<HttpServer::Respond> asked;
  Running running([&](const HttpRequest&, HttpServer::Respond respond) { asked.set_value(std::move(respond)); }, {});
  Client client(running.port);
  const std::string get = "GET / HTTP/1.1\r\nHost: h\r\n\r\n";
  asio::write(client.socket, asio::buffer(get));
  HttpServer::Respond respond = asked.get_future().get();
  running.server.post([respond = std::move(respond)] { respond({200, "text/plain", "later", {}}); });
  beast::error_code error;
  EXPECT_EQ(read_answer(client.socket, error).body(), "later");
}

TEST(HttpServer, ClosesWhenNobodyMeansToReply) {
  Running running([](const HttpRequest&, const HttpServer::Respond&) {}, {});
  Client client(running.port);
  const std::string get = "GET / HTTP/1.1\r\nHost: h\r\n\r\n";
  asio::write(client.socket, asio::buffer(get));
  EXPECT_TRUE(client.is_closed());
}

TEST(HttpServer, ClosesTheIdleAndTheSlow) {
  Running running(HttpServer::Limits{.idle = 50ms});
  Client idle(running.port);
  Client slow(running.port);
  const std::string half = "GET / HTTP/1.1\r\nHo";
  asio::write(slow.socket, asio::buffer(half));
  Client after(running.port);
  after.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_TRUE(idle.is_closed());
  EXPECT_TRUE(slow.is_closed());
  EXPECT_TRUE(after.is_closed());
}

TEST(HttpServer, HoldsSoManyConnectionsAtMost) {
  Running running(HttpServer::Limits{.connections = 2});
  Client one(running.port);
  one.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
  {
    Client two(running.port);
    two.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
    Client three(running.port);
    EXPECT_TRUE(three.is_closed());
    two.send("GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
    EXPECT_TRUE(two.is_closed());
  }
  for (int tries = 0; tries < 1000; ++tries) {  // the server learns of the closing when it reads it
    Client again(running.port);
    beast::error_code error;
    const std::string get = "GET / HTTP/1.1\r\nHost: h\r\n\r\n";
    asio::write(again.socket, asio::buffer(get), error);
    read_answer(again.socket, error);
    if (!error) return;
  }
  FAIL() << "the place of a closed connection was not given again";
}

TEST(HttpServer, StopsGracefully) {
  std::promise<HttpServer::Respond> asked;
  Running running([&](const HttpRequest&, HttpServer::Respond respond) { asked.set_value(std::move(respond)); }, {});
  Client idle(running.port);
  Client busy(running.port);
  const std::string get = "GET / HTTP/1.1\r\nHost: h\r\n\r\n";
  asio::write(busy.socket, asio::buffer(get));
  HttpServer::Respond respond = asked.get_future().get();
  running.server.stop();
  EXPECT_TRUE(idle.is_closed());
  running.server.post([respond = std::move(respond)] { respond({200, "text/plain", "done", {}}); });
  beast::error_code error;
  const Answer answer = read_answer(busy.socket, error);
  EXPECT_EQ(answer.body(), "done");
  EXPECT_FALSE(answer.keep_alive());
  EXPECT_TRUE(busy.is_closed());
  busy.socket.close();
  running.thread.join();
  Tcp::socket late(busy.context);
  late.connect({asio::ip::address_v4::loopback(), running.port}, error);
  EXPECT_TRUE(error);
}

TEST(HttpServer, AResponderMayOutliveIt) {
  HttpServer::Respond kept;
  {
    std::promise<void> asked;
    Running running(
        [&](const HttpRequest&, HttpServer::Respond respond) {
          kept = std::move(respond);
          asked.set_value();
        },
        HttpServer::Limits{.drain = 10ms});
    Client client(running.port);
    const std::string get = "GET / HTTP/1.1\r\nHost: h\r\n\r\n";
    asio::write(client.socket, asio::buffer(get));
    asked.get_future().get();
    running.stop();
  }
  kept({200, "text/plain", "too late", {}});
}

TEST(HttpServer, RunsTasksByTheClock) {
  HttpServer server([](const HttpRequest&, const HttpServer::Respond&) {});
  int ticks = 0;
  server.every(1ms, [&] {
    if (++ticks == 3) server.stop();
  });
  server.run();
  EXPECT_GE(ticks, 3);
}

TEST(HttpServer, SaysWhyItCannotListen) {
  Running running;
  HttpServer other([](const HttpRequest&, const HttpServer::Respond&) {});
  const auto result = other.listen({{IpAddress::v4(127, 0, 0, 1), running.port}, {}});
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().why,
            "cannot listen on 127.0.0.1:" + std::to_string(running.port) + ": Address already in use");
  EXPECT_FALSE(other.listen({{IpAddress::v4(127, 0, 0, 1), 0}, TlsPem{"no", "pem"}}));
}

TEST(HttpServer, SpeaksTls) {
  const std::string names[] = {"localhost", "127.0.0.1", "::1"};
  const auto pem = make_self_signed(names);
  ASSERT_TRUE(pem);
  Running running([](const HttpRequest& request, HttpServer::Respond respond) { respond(echo(request)); }, {}, *pem);
  asio::ssl::context trust(asio::ssl::context::tls_client);
  trust.add_certificate_authority(asio::buffer(pem->certificate));
  trust.set_verify_mode(asio::ssl::verify_peer);
  for (const char* name : {"localhost", "127.0.0.1"}) {
    Client client(running.port);
    asio::ssl::stream<Tcp::socket&> stream(client.socket, trust);
    stream.set_verify_callback(asio::ssl::host_name_verification(name));
    stream.handshake(asio::ssl::stream_base::client);
    EXPECT_EQ(ask(stream, "GET /1 HTTP/1.1\r\nHost: h\r\n\r\n").body(), "GET /1 ?  : ");
    EXPECT_EQ(ask(stream, "GET /2 HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n").body(), "GET /2 ?  : ");
    beast::error_code error;
    char byte = 0;
    EXPECT_EQ(asio::read(stream, asio::buffer(&byte, 1), error), 0u);
    EXPECT_EQ(error, asio::error::eof);  // a close_notify, no cut
  }
  {
    Client client(running.port);
    asio::ssl::stream<Tcp::socket&> stream(client.socket, trust);
    stream.set_verify_callback(asio::ssl::host_name_verification("example.com"));
    beast::error_code error;
    stream.handshake(asio::ssl::stream_base::client, error);
    EXPECT_TRUE(error);
  }
  {
    Client client(running.port);
    asio::ssl::context old(asio::ssl::context::tls_client);
    SSL_CTX_set_min_proto_version(old.native_handle(), TLS1_VERSION);
    SSL_CTX_set_max_proto_version(old.native_handle(), TLS1_1_VERSION);
    asio::ssl::stream<Tcp::socket&> stream(client.socket, old);
    beast::error_code error;
    stream.handshake(asio::ssl::stream_base::client, error);
    EXPECT_TRUE(error);
  }
  Client plain(running.port);
  const std::string get = "GET / HTTP/1.1\r\nHost: h\r\n\r\n";
  asio::write(plain.socket, asio::buffer(get));
  std::string all;
  beast::error_code error;
  asio::read(plain.socket, asio::dynamic_buffer(all), error);
  EXPECT_EQ(all.find("HTTP/1.1"), std::string::npos);
}

}  // namespace
}  // namespace atm::io

#include "io/http/client.h"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <future>
#include <thread>

#include "io/http/raw_server.h"
#include "io/http/server.h"

namespace atm::io {
namespace {

const IpAddress kLoopback = IpAddress::v4(127, 0, 0, 1);

contract::HttpReply echo(const contract::HttpRequest& request) {
  contract::HttpReply reply{200, "text/plain", request.method + " " + request.path + "?" + request.query, {}};
  reply.body += ":" + request.body;
  reply.headers = {{"X-Host", std::string(request.header("host"))},
                   {"X-Agent", std::string(request.header("user-agent"))},
                   {"X-Length", std::string(request.header("content-length"))},
                   {"X-Mine", std::string(request.header("x-mine"))}};
  return reply;
}

// Our own server on its own thread.
class Running {
 public:
  explicit Running(HttpServer::Handler handler, IpAddress ip = kLoopback) : server_(std::move(handler)) {
    const auto bound = server_.listen({{ip, 0}, {}});
    EXPECT_TRUE(bound) << bound.error().why;
    port = bound->port;
    thread_ = std::thread([this] { server_.run(); });
  }
  explicit Running(IpAddress ip = kLoopback)
      : Running([](const contract::HttpRequest& request, HttpServer::Respond respond) { respond(echo(request)); }, ip) {
  }
  ~Running() {
    server_.stop();
    thread_.join();
  }
  std::string url(const std::string& path = "/", const std::string& host = "127.0.0.1") const {
    return "http://" + host + ":" + std::to_string(port) + path;
  }
  uint16_t port = 0;

 private:
  HttpServer server_;
  std::thread thread_;
};

HttpRequest to(const std::string& url, Duration timeout = 10s) {
  HttpRequest request;
  request.url = url;
  request.timeout = timeout;
  return request;
}

Result<HttpResponse> ask(HttpClient& client, HttpRequest request) {
  std::promise<Result<HttpResponse>> answer;
  client.request(std::move(request), [&](Result<HttpResponse> result) { answer.set_value(std::move(result)); });
  return answer.get_future().get();
}
Result<HttpResponse> ask(HttpClient& client, const std::string& url) {
  return ask(client, to(url));
}
std::string why(const Result<HttpResponse>& result) {
  return result ? "answered " + std::to_string(result->status) : result.error().why;
}
ErrorCode code(const Result<HttpResponse>& result) {
  EXPECT_FALSE(result);
  return result ? ErrorCode::kServerError : result.error().code;
}

Duration time_of(const std::function<void()>& work) {
  const auto begin = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration_cast<Duration>(std::chrono::steady_clock::now() - begin);
}

HttpClient::Options with_addresses(Addresses addresses) {
  HttpClient::Options options;
  options.lookup = [addresses = std::move(addresses)](const std::string&) -> Result<Addresses> { return addresses; };
  return options;
}

// --- what works -----------------------------------------------------------------------------------------------------

TEST(HttpClient, AsksAndIsAnswered) {
  Running server;
  HttpClient client;
  HttpRequest request = to(server.url("/a%20b?x=1#top"));
  request.method = "POST";
  request.headers = {{"X-Mine", "yes"}};
  request.body = "body";
  const auto answer = ask(client, request);
  ASSERT_TRUE(answer) << answer.error().why;
  EXPECT_EQ(answer->status, 200u);
  EXPECT_EQ(answer->body, "POST /a%20b?x=1:body");
  EXPECT_EQ(answer->header("x-host"), "127.0.0.1:" + std::to_string(server.port));
  EXPECT_EQ(answer->header("X-Agent"), "libatm0s");
  EXPECT_EQ(answer->header("x-mine"), "yes");
  EXPECT_EQ(answer->header("x-none"), "");
  request.body.clear();
  EXPECT_EQ(ask(client, request)->header("X-Length"), "0");
  request.method = "DELETE";
  EXPECT_EQ(ask(client, request)->header("X-Length"), "");
  request.headers = {{"user-agent", "me"}, {"HOST", "other"}};
  EXPECT_EQ(ask(client, request)->header("X-Agent"), "me");
  EXPECT_EQ(ask(client, request)->header("X-Host"), "other");
}

TEST(HttpClient, TakesAnyStatusAndABodyOnlyWhereOneBelongs) {
  Running server([](const contract::HttpRequest& request, HttpServer::Respond respond) {
    if (request.method == "OPTIONS") return respond({204, "", "", {}});
    respond({request.path == "/" ? 200u : 404u, "text/plain", "body", {}});
  });
  HttpClient client;
  EXPECT_EQ(ask(client, server.url("/none"))->status, 404u);
  HttpRequest request = to(server.url());
  request.method = "HEAD";
  const auto head = ask(client, request);
  ASSERT_TRUE(head) << head.error().why;
  EXPECT_EQ(head->body, "");
  EXPECT_EQ(head->header("content-length"), "4");
  request.method = "OPTIONS";
  EXPECT_EQ(ask(client, request)->status, 204u);
}

TEST(HttpClient, AsksFromManyThreadsAndFromItsCallbacks) {
  Running server;
  HttpClient client;
  std::atomic<int> answers = 0;
  std::promise<void> all;
  const auto count = [&](const Result<HttpResponse>& result) {
    EXPECT_TRUE(result) << result.error().why;
    if (++answers == 80) all.set_value();
  };
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      for (int j = 0; j < 10; ++j) {
        client.request(to(server.url()), [&](const Result<HttpResponse>& result) {
          client.request(to(server.url()), count);
          count(result);
        });
      }
    });
  }
  for (auto& thread : threads) thread.join();
  all.get_future().get();
}

// --- addresses ------------------------------------------------------------------------------------------------------

TEST(HttpClient, TriesTheNextAddressAfterAFailure) {
  Running server;
  HttpClient client(with_addresses({IpAddress::v4(127, 0, 0, 3), *IpAddress::parse("::1"), kLoopback}));
  const Duration took = time_of([&] { EXPECT_EQ(why(ask(client, server.url("/", "some.test"))), "answered 200"); });
  EXPECT_LT(took, 200ms);
  EXPECT_EQ(ask(client, server.url("/", "some.test"))->header("x-host"), "some.test:" + std::to_string(server.port));
}

TEST(HttpClient, TriesTheNextAddressWhenOneIsSilent) {
  Running server;
  BlackHole hole(server.port, 2);
  HttpClient client(with_addresses({IpAddress::v4(127, 0, 0, 2), kLoopback}));
  const Duration took = time_of([&] { EXPECT_EQ(why(ask(client, server.url("/", "some.test"))), "answered 200"); });
  EXPECT_GE(took, 250ms);
  EXPECT_LT(took, 900ms);
}

TEST(HttpClient, SpeaksIpv6) {
  Running server(*IpAddress::parse("::1"));
  HttpClient client;
  const auto answer = ask(client, server.url("/", "[::1]"));
  ASSERT_TRUE(answer) << answer.error().why;
  EXPECT_EQ(answer->header("x-host"), "[::1]:" + std::to_string(server.port));
}

TEST(HttpClient, SaysWhyItCannotConnect) {
  uint16_t port = 0;
  ::close(listen_on_loopback(port));
  const std::string number = std::to_string(port);
  HttpClient client;
  const auto refused = ask(client, "http://127.0.0.1:" + number);
  EXPECT_EQ(why(refused), "connection refused by 127.0.0.1:" + number);
  EXPECT_EQ(code(refused), ErrorCode::kNetworkError);
  HttpClient two(with_addresses({kLoopback, IpAddress::v4(127, 0, 0, 2)}));
  EXPECT_EQ(why(ask(two, "http://some.test:" + number)),
            "connection refused by 127.0.0.1:" + number + "; connection refused by 127.0.0.2:" + number);
  HttpClient::Options options;
  options.lookup = [](const std::string& host) -> Result<Addresses> {
    return fail(ErrorCode::kNetworkError, "cannot resolve host " + host + ": no");
  };
  HttpClient none(std::move(options));
  EXPECT_EQ(why(ask(none, "http://some.test")), "cannot resolve host some.test: no");
  HttpClient empty(with_addresses({}));
  EXPECT_EQ(why(ask(empty, "http://some.test")), "cannot resolve host some.test: no address");
}

// --- what cannot be sent --------------------------------------------------------------------------------------------

TEST(HttpClient, RefusesWhatCannotBeSent) {
  HttpClient client;
  EXPECT_EQ(code(ask(client, "ftp://x")), ErrorCode::kInvalidConfig);
  const auto refused = [&](const std::string& method, const std::string& name, const std::string& value) {
    HttpRequest request = to("http://127.0.0.1:1/");
    request.method = method;
    request.headers = {{name, value}};
    return code(ask(client, request)) == ErrorCode::kInvalidRequest;
  };
  EXPECT_FALSE(refused("GET", "X", "y\tz"));
  EXPECT_TRUE(refused("GET /x HTTP/1.1\r\n", "X", "y"));
  EXPECT_TRUE(refused("", "X", "y"));
  EXPECT_TRUE(refused("CONNECT", "X", "y"));
  EXPECT_TRUE(refused("GET", "X\r\nY", "y"));
  EXPECT_TRUE(refused("GET", "X", "y\r\nZ: z"));
  EXPECT_TRUE(refused("GET", "Content-length", "5"));
  EXPECT_TRUE(refused("GET", "Transfer-Encoding", "chunked"));
}

TEST(HttpClient, TakesSoManyRequestsAtOnce) {
  BlackHole hole;
  std::atomic<int> refused = 0, closed = 0;
  {
    HttpClient client;
    std::promise<void> told;
    for (int i = 0; i < 257; ++i) {
      client.request(to(hole.url()), [&](const Result<HttpResponse>& result) {
        if (code(result) == ErrorCode::kTooMany && ++refused == 1) told.set_value();
        if (code(result) == ErrorCode::kClosed) ++closed;
      });
    }
    told.get_future().get();
  }
  EXPECT_EQ(refused, 1);
  EXPECT_EQ(closed, 256);
}

}  // namespace
}  // namespace atm::io

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

contract::HttpReply echo(const contract::HttpRequest& request) {
  contract::HttpReply reply{200, "text/plain", request.method + " " + request.path + "?" + request.query, {}};
  reply.body += ":" + request.body;
  reply.headers = {{"X-Host", std::string(request.header("host"))},
                   {"X-Agent", std::string(request.header("user-agent"))},
                   {"X-Mine", std::string(request.header("x-mine"))}};
  return reply;
}

// Our own server on its own thread.
class Running {
 public:
  explicit Running(HttpServer::Handler handler, std::optional<TlsPem> tls = {},
                   IpAddress ip = IpAddress::v4(127, 0, 0, 1))
      : server_(std::move(handler)) {
    const auto bound = server_.listen({{ip, 0}, std::move(tls)});
    EXPECT_TRUE(bound) << bound.error().why;
    port = bound->port;
    thread_ = std::thread([this] { server_.run(); });
  }
  Running()
      : Running([](const contract::HttpRequest& request, HttpServer::Respond respond) { respond(echo(request)); }) {}
  ~Running() {
    server_.stop();
    thread_.join();
  }
  std::string url(const std::string& path = "/") const { return "http://127.0.0.1:" + std::to_string(port) + path; }
  uint16_t port = 0;

 private:
  HttpServer server_;
  std::thread thread_;
};

Result<HttpResponse> ask(HttpClient& client, HttpRequest request) {
  std::promise<Result<HttpResponse>> answer;
  client.request(std::move(request), [&](Result<HttpResponse> result) { answer.set_value(std::move(result)); });
  return answer.get_future().get();
}
Result<HttpResponse> get(HttpClient& client, const std::string& url, Duration timeout = 10s) {
  return ask(client, {.url = url, .headers = {}, .body = {}, .timeout = timeout});
}
std::string why(const Result<HttpResponse>& result) {
  return result ? "answered " + std::to_string(result->status) : result.error().why;
}

TEST(HttpClient, AsksAndIsAnswered) {
  Running server;
  HttpClient client;
  const auto answer =
      ask(client, {.method = "POST", .url = server.url("/a%20b?x=1"), .headers = {{"X-Mine", "yes"}}, .body = "body"});
  ASSERT_TRUE(answer) << answer.error().why;
  EXPECT_EQ(answer->status, 200u);
  EXPECT_EQ(answer->body, "POST /a%20b?x=1:body");
  EXPECT_EQ(answer->header("x-host"), "127.0.0.1:" + std::to_string(server.port));
  EXPECT_EQ(answer->header("X-Agent"), "libatm0s");
  EXPECT_EQ(answer->header("x-mine"), "yes");
  EXPECT_EQ(answer->header("x-none"), "");
}

TEST(HttpClient, SaysWhyThereIsNoAnswer) {
  uint16_t port = 0;
  ::close(listen_on_loopback(port));
  HttpClient client;
  const std::string where = "127.0.0.1:" + std::to_string(port);
  EXPECT_EQ(why(get(client, "http://" + where + "/")), "connection refused by " + where);
}

}  // namespace
}  // namespace atm::io

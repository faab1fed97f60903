// The HTTP client before servers that are slow, broken or hostile, and its end while it waits for them.
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <future>
#include <memory>
#include <thread>
#include <utility>
#include <vector>

#include "io/http/client.h"
#include "io/http/raw_server.h"

namespace atm::io {
namespace {

Result<HttpResponse> ask(const std::string& url, Duration timeout = 10s, size_t max_body_size = 1000) {
  HttpClient client;
  HttpRequest request;
  request.url = url;
  request.timeout = timeout;
  request.max_body_size = max_body_size;
  std::promise<Result<HttpResponse>> answer;
  client.request(std::move(request), [&](Result<HttpResponse> result) { answer.set_value(std::move(result)); });
  return answer.get_future().get();
}

// What the client makes of this answer: "200 body", or "CODE: why" with "SERVER" for the server's address.
std::string made_of(const std::string& answer) {
  RawServer server([&](int fd) {
    receive_until(fd, "\r\n\r\n");
    send_text(fd, answer);
  });
  const auto result = ask(server.url());
  if (result) return std::to_string(result->status) + " " + result->body;
  std::string out = std::string(to_text(result.error().code)) + ": " + result.error().why;
  const std::string where = "127.0.0.1:" + std::to_string(server.port);
  if (const size_t at = out.find(where); at != std::string::npos) out.replace(at, where.size(), "SERVER");
  return out;
}

TEST(HttpAnswers, AreReadInEveryForm) {
  EXPECT_EQ(made_of("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc"), "200 abc");
  EXPECT_EQ(made_of("HTTP/1.1 201 \r\nContent-Length: 0\r\n\r\n"), "201 ");
  EXPECT_EQ(made_of("HTTP/1.1 200 OK\r\n\r\nuntil the end"), "200 until the end");
  EXPECT_EQ(made_of("HTTP/1.0 200 OK\r\n\r\nold"), "200 old");
  EXPECT_EQ(made_of("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n1;x=y\r\nc\r\n0\r\n\r\n"),
            "200 abc");
  const std::string hint = "HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n";
  EXPECT_EQ(made_of("HTTP/1.1 100 Continue\r\n\r\n" + hint + "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx"), "200 x");
  EXPECT_EQ(made_of("HTTP/1.1 304 Not Modified\r\n\r\n"), "304 ");
}

TEST(HttpAnswers, ThatBreakOffAreErrors) {
  const std::string broke = "NETWORK_ERROR: SERVER closed the connection before its answer was complete";
  EXPECT_EQ(made_of(""), broke);
  EXPECT_EQ(made_of("HTTP/1.1 20"), broke);
  EXPECT_EQ(made_of("HTTP/1.1 200 OK\r\nContent-Le"), broke);
  EXPECT_EQ(made_of("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nab"), broke);
  EXPECT_EQ(made_of("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab"), broke);
}

TEST(HttpAnswers, ThatAreNoneAreErrors) {
  for (const char* garbage : {"SSH-2.0-OpenSSH_9.2\r\n\r\n", "HTTP/2 200 OK\r\n\r\n", "HTTP/1.1 abc OK\r\n\r\n",
                              "HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n",
                              "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nxx",
                              "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n\r\n"}) {
    EXPECT_TRUE(made_of(garbage).starts_with("BAD_ANSWER: what SERVER answers is not HTTP: ")) << made_of(garbage);
  }
  EXPECT_EQ(made_of("HTTP/1.1 101 Switching\r\nUpgrade: x\r\n\r\n"),
            "BAD_ANSWER: SERVER wants to switch to another protocol");
  std::string interim;
  for (int i = 0; i < 9; ++i) interim += "HTTP/1.1 100 Continue\r\n\r\n";
  EXPECT_EQ(made_of(interim), "BAD_ANSWER: SERVER sends no final answer");
}

TEST(HttpAnswers, ThatRedirectAreNotFollowed) {
  const std::string to_other = "\r\nLocation: https://other/\r\nContent-Length: 0\r\n\r\n";
  const std::string why =
      "BAD_ANSWER: SERVER redirects to https://other/; redirects are not followed, give that URL instead";
  EXPECT_EQ(made_of("HTTP/1.1 301 Moved" + to_other), why);
  EXPECT_EQ(made_of("HTTP/1.1 307 Moved" + to_other), why);
  EXPECT_EQ(made_of("HTTP/1.1 201 Created" + to_other), "201 ");
}

TEST(HttpAnswers, AreBounded) {
  const std::string too_large = "TOO_LARGE: the answer of SERVER has more than 1000 bytes";
  const std::string ok = "HTTP/1.1 200 OK\r\n";
  EXPECT_EQ(made_of(ok + "Content-Length: 1000\r\n\r\n" + std::string(1000, 'x')), "200 " + std::string(1000, 'x'));
  EXPECT_EQ(made_of(ok + "Content-Length: 1001\r\n\r\n"), too_large);
  EXPECT_EQ(made_of(ok + "Content-Length: 18446744073709551615\r\n\r\n"), too_large);
  EXPECT_EQ(made_of(ok + "\r\n" + std::string(100'000, 'x')), too_large);
  EXPECT_EQ(made_of(ok + "Transfer-Encoding: chunked\r\n\r\n3e9\r\n" + std::string(1001, 'x')), too_large);
  const std::string head = "TOO_LARGE: the answer of SERVER has more than 16384 bytes of headers";
  EXPECT_EQ(made_of(ok + "X: " + std::string(20'000, 'x')), head);
  std::string many = ok;
  for (int i = 0; i < 10'000; ++i) many += "X" + std::to_string(i) + ": y\r\n";
  EXPECT_EQ(made_of(many), head);
  EXPECT_TRUE(
      made_of(ok + "Transfer-Encoding: chunked\r\n\r\n1;" + std::string(200'000, 'x')).starts_with("TOO_LARGE"));
}

TEST(HttpAnswers, AreReadThoughTheBodyWasNotTaken) {
  RawServer server([](int fd) {
    receive_until(fd, "\r\n\r\n");
    send_text(fd, "HTTP/1.1 413 Too Large\r\nContent-Length: 2\r\n\r\nno");
    ::shutdown(fd, SHUT_WR);
    wait_for_close(fd);
  });
  HttpClient client;
  HttpRequest request;
  request.method = "POST";
  request.url = server.url();
  request.body = std::string(100'000, 'x');
  std::promise<Result<HttpResponse>> answer;
  client.request(std::move(request), [&](Result<HttpResponse> result) { answer.set_value(std::move(result)); });
  EXPECT_EQ(answer.get_future().get()->status, 413u);
}

// --- silence --------------------------------------------------------------------------------------------------------

// A server with which a request stays in one step for ever.
struct Hanging {
  std::string name;  // of the step, as a time-out says it
  std::string url;
  Resolver::Lookup lookup = look_up_by_system;
  std::shared_ptr<void> server;
  std::shared_future<void> arrived;  // the request is in that step
};

// Answers so much and stays silent, or drips on.
Hanging silent_after(const std::string& name, const char* scheme, const std::string& text, bool drips = false) {
  const auto arrived = std::make_shared<std::promise<void>>();
  const auto server = std::make_shared<RawServer>([=](int fd) {
    char byte = 0;
    if (::recv(fd, &byte, 1, 0) != 1) return;
    send_text(fd, text);
    arrived->set_value();
    if (!drips) return wait_for_close(fd);
    while (send_text(fd, "x")) std::this_thread::sleep_for(std::chrono::milliseconds(2));
  });
  return {name, scheme + server->url().substr(4), look_up_by_system, server, arrived->get_future().share()};
}

Hanging silent_name_server() {
  const auto never = std::make_shared<std::promise<void>>();
  const auto arrived = std::make_shared<std::promise<void>>();
  const auto lookup = [hang = never->get_future().share(), arrived](const std::string&) -> Result<Addresses> {
    arrived->set_value();
    hang.wait();  // until the promise has gone
    return fail(ErrorCode::kNetworkError, "broken off");
  };
  return {"still resolving host some.test", "http://some.test/", lookup, never, arrived->get_future().share()};
}

Hanging silent_port() {
  const auto hole = std::make_shared<BlackHole>();
  std::promise<void> at_once;  // nobody sees a connect that gets nowhere
  at_once.set_value();
  return {"still connecting to 127.0.0.1", hole->url(), look_up_by_system, hole, at_once.get_future().share()};
}

std::vector<Hanging> every_way_to_hang() {
  const std::string head = "HTTP/1.1 200 OK\r\nContent-Length: 99999\r\n\r\n";
  return {silent_name_server(),
          silent_port(),
          silent_after("still in the TLS handshake with 127.0.0.1", "https", ""),
          silent_after("still waiting for the answer of 127.0.0.1", "http", ""),
          silent_after("still reading the answer of 127.0.0.1", "http", head + "abc"),
          silent_after("still reading the answer of 127.0.0.1", "http", head, true)};
}

TEST(HttpSilence, EndsWithATimeOutThatSaysInWhichStep) {
  for (const Hanging& hanging : every_way_to_hang()) {
    HttpClient::Options options;
    options.lookup = hanging.lookup;
    HttpClient client(std::move(options));
    HttpRequest request;
    request.url = hanging.url;
    request.timeout = 200ms;
    std::promise<Result<HttpResponse>> answer;
    client.request(std::move(request), [&](Result<HttpResponse> result) { answer.set_value(std::move(result)); });
    const auto result = answer.get_future().get();
    ASSERT_FALSE(result) << hanging.name;
    EXPECT_EQ(result.error().code, ErrorCode::kTimeout);
    EXPECT_TRUE(result.error().why.starts_with("no answer within 200 ms: " + hanging.name)) << result.error().why;
  }
}

class HttpEnd : public ::testing::Test {
 protected:
  // A client whose request hangs there by now.
  void hang(const Hanging& hanging) {
    HttpClient::Options options;
    options.lookup = hanging.lookup;
    client = std::make_unique<HttpClient>(std::move(options));
    HttpRequest request;
    request.url = hanging.url;
    id = client->request(std::move(request), [this](Result<HttpResponse> result) {
      ASSERT_FALSE(result);
      why = result.error().why;
      code = result.error().code;
      ++calls;
      if (then) then();
    });
    hanging.arrived.wait();
  }

  std::unique_ptr<HttpClient> client;
  uint64_t id = 0;
  std::atomic<int> calls = 0;
  std::string why;
  ErrorCode code = ErrorCode::kServerError;
  std::function<void()> then;
};

TEST_F(HttpEnd, OfTheClientWaitsForNobody) {
  std::chrono::nanoseconds slowest{};
  for (const Hanging& hanging : every_way_to_hang()) {
    calls = 0;
    hang(hanging);
    const auto begin = std::chrono::steady_clock::now();
    client.reset();
    const auto took = std::chrono::steady_clock::now() - begin;
    slowest = std::max<std::chrono::nanoseconds>(slowest, took);
    EXPECT_LT(took, std::chrono::milliseconds(100)) << hanging.name;
    EXPECT_EQ(calls, 1) << hanging.name;
    EXPECT_EQ(code, ErrorCode::kClosed);
  }
  RecordProperty("slowest_us", std::to_string(slowest.count() / 1'000));
}

TEST_F(HttpEnd, OfOneRequestIsCalledBackOnce) {
  for (const Hanging& hanging : every_way_to_hang()) {
    calls = 0;
    std::promise<void> called;
    then = [&] { called.set_value(); };
    hang(hanging);
    client->cancel(id);
    client->cancel(id);
    client->cancel(id + 1);
    called.get_future().get();
    EXPECT_EQ(why, "the HTTP request was cancelled");
    client.reset();
    EXPECT_EQ(calls, 1) << hanging.name;
  }
}

TEST_F(HttpEnd, MayComeInACallback) {
  const auto ways = every_way_to_hang();
  std::promise<void> gone;
  hang(ways[3]);
  int others = 0;
  uint64_t too_late = 1;
  HttpClient* const dying = client.get();
  for (const size_t way : {1, 4}) {
    HttpRequest request;
    request.url = ways[way].url;
    client->request(std::move(request), [&](const Result<HttpResponse>& result) {
      EXPECT_EQ(result.error().code, ErrorCode::kClosed);
      ++others;
      too_late = dying->request({}, [](const Result<HttpResponse>&) { FAIL(); });
    });
  }
  then = [&] {
    client.reset();
    EXPECT_EQ(others, 2);
    gone.set_value();
  };
  client->cancel(id);
  gone.get_future().get();
  EXPECT_EQ(too_late, 0u);
}

}  // namespace
}  // namespace atm::io

// The HTTP client over TLS: whom it trusts, and what it says when it does not.
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <future>
#include <thread>

#include "io/http/client.h"
#include "io/http/raw_server.h"
#include "io/http/server.h"
#include "io/http/test_authority.h"

namespace atm::io {
namespace {

class HttpsServer {
 public:
  explicit HttpsServer(TlsPem pem)
      : server_([](const contract::HttpRequest& request, HttpServer::Respond respond) {
          respond({200, "text/plain", std::string(request.header("host")), {}});
        }) {
    const auto bound = server_.listen({{IpAddress::v4(127, 0, 0, 1), 0}, std::move(pem)});
    EXPECT_TRUE(bound) << bound.error().why;
    port = bound->port;
    thread_ = std::thread([this] { server_.run(); });
  }
  ~HttpsServer() {
    server_.stop();
    thread_.join();
  }
  std::string url(const std::string& host) const { return "https://" + host + ":" + std::to_string(port) + "/"; }
  uint16_t port = 0;

 private:
  HttpServer server_;
  std::thread thread_;
};

// "200", or why not. Every host name is 127.0.0.1.
std::string ask(const std::string& url, TlsOptions tls) {
  HttpClient::Options options;
  options.tls = std::move(tls);
  options.lookup = [](const std::string&) -> Result<Addresses> { return Addresses{IpAddress::v4(127, 0, 0, 1)}; };
  HttpClient client(std::move(options));
  HttpRequest request;
  request.url = url;
  std::promise<Result<HttpResponse>> answer;
  client.request(std::move(request), [&](Result<HttpResponse> result) { answer.set_value(std::move(result)); });
  const auto result = answer.get_future().get();
  return result ? std::to_string(result->status) : result.error().why;
}

TlsOptions trusting(const std::string& pem) {
  TlsOptions out;
  out.ca_pem = pem;
  return out;
}

TEST(HttpClientTls, TrustsTheAuthorityThatItIsGiven) {
  const TestAuthority authority;
  HttpsServer server(authority.issue("DNS:sfu.test,DNS:*.rooms.test,IP:127.0.0.1"));
  EXPECT_EQ(ask(server.url("sfu.test"), trusting(authority.pem)), "200");
  EXPECT_EQ(ask(server.url("SFU.test"), trusting(authority.pem)), "200");
  EXPECT_EQ(ask(server.url("127.0.0.1"), trusting(authority.pem)), "200");
  EXPECT_EQ(ask(server.url("one.rooms.test"), trusting(authority.pem)), "200");
  const TestAuthority other("another");
  EXPECT_EQ(ask(server.url("sfu.test"), trusting(other.pem + authority.pem)), "200");
  const std::string path =
      std::filesystem::temp_directory_path() / ("atm0s_client_tls_test_" + std::to_string(getpid()));
  std::ofstream(path) << authority.pem;
  TlsOptions from_file;
  from_file.ca_file = path;
  EXPECT_EQ(ask(server.url("sfu.test"), from_file), "200");
  std::filesystem::remove(path);
}

TEST(HttpClientTls, RefusesAnotherName) {
  const TestAuthority authority;
  HttpsServer server(authority.issue("DNS:sfu.test,DNS:*.rooms.test"));
  EXPECT_EQ(ask(server.url("evil.test"), trusting(authority.pem)),
            "evil.test has a certificate that is not for evil.test");
  EXPECT_EQ(ask(server.url("a.b.rooms.test"), trusting(authority.pem)),
            "a.b.rooms.test has a certificate that is not for a.b.rooms.test");
  EXPECT_EQ(ask(server.url("127.0.0.1"), trusting(authority.pem)),
            "127.0.0.1 has a certificate that is not for 127.0.0.1");
  TlsOptions named = trusting(authority.pem);
  named.server_name = "sfu.test";
  EXPECT_EQ(ask(server.url("127.0.0.1"), named), "200");
  named.server_name = "evil.test";
  EXPECT_EQ(ask(server.url("sfu.test"), named), "evil.test has a certificate that is not for evil.test");
}

TEST(HttpClientTls, RefusesWhomItDoesNotKnowAndWhatHasExpired) {
  const TestAuthority authority, other("another"), impostor;
  HttpsServer server(authority.issue("DNS:sfu.test"));
  const std::string hint = "; ca_file or ca_pem names who is to be trusted";
  const std::string unknown = "sfu.test has a certificate that is not trusted: unable to get local issuer certificate";
  EXPECT_EQ(ask(server.url("sfu.test"), trusting(other.pem)), unknown + hint);
  EXPECT_EQ(ask(server.url("sfu.test"), trusting(impostor.pem)),
            "sfu.test has a certificate that is not trusted: certificate signature failure");
  EXPECT_EQ(ask(server.url("sfu.test"), {}), unknown + hint);  // nor does the system
  TlsOptions careless;
  careless.verify = false;
  EXPECT_EQ(ask(server.url("evil.test"), careless), "200");
  HttpsServer old(authority.issue("DNS:sfu.test", -1));
  EXPECT_EQ(ask(old.url("sfu.test"), trusting(authority.pem)),
            "sfu.test has a certificate that is not trusted: certificate has expired");
  const std::string names[] = {"sfu.test"};
  HttpsServer self(*make_self_signed(names));
  EXPECT_EQ(ask(self.url("sfu.test"), trusting(authority.pem)),
            "sfu.test has a certificate that is not trusted: self-signed certificate" + hint);
}

TEST(HttpClientTls, SaysWhatIsWrongWithItsOptions) {
  EXPECT_EQ(ask("https://sfu.test/", trusting("no pem")), "TLS: ca_pem holds no PEM certificate, or a broken one");
  const TestAuthority authority;
  EXPECT_EQ(ask("https://sfu.test/", trusting(authority.pem + authority.pem.substr(0, 200))),
            "TLS: ca_pem holds no PEM certificate, or a broken one");
  TlsOptions options;
  options.ca_file = "/nowhere/ca.pem";
  EXPECT_EQ(ask("https://sfu.test/", options), "TLS: /nowhere/ca.pem cannot be read or holds no PEM certificate");
}

TEST(HttpClientTls, SaysWhenTheOtherSideSpeaksNone) {
  const TestAuthority authority;
  RawServer plain([](int fd) {
    send_text(fd, "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n");
    wait_for_close(fd);
  });
  EXPECT_EQ(ask("https" + plain.url().substr(4), trusting(authority.pem)),
            "127.0.0.1 does not speak TLS there; is the port one for plain connections?");
  RawServer closing([](int) {});
  EXPECT_TRUE(
      ask("https" + closing.url().substr(4), trusting(authority.pem)).starts_with("127.0.0.1 failed over TLS: "));
}

}  // namespace
}  // namespace atm::io

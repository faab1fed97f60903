// An HTTP/1.1 client, plain and TLS, for the few small requests of a session: connect, restart of ICE, health. Used by
// libatm0s. It runs on one thread of its own, which starts with the first request. Each request opens a connection and
// closes it: no keep-alive, no redirects, no proxies, no compression, no HTTP/2.
// Host names are looked up by io/resolve, so that not even a name server that hangs holds up the destructor. Of several
// addresses, both families, the next is tried after 250 ms or a failure, and the first that connects is taken (RFC
// 8305).
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/time.h"
#include "contract/http.h"
#include "io/resolve/resolver.h"
#include "io/tls/tls_client.h"

namespace atm::io {

struct HttpRequest {
  std::string method = "GET";
  std::string url;
  // Host, User-Agent, Content-Length and Connection are added; the latter two, and Transfer-Encoding, cannot be given.
  contract::HttpHeaders headers;
  std::string body;
  Duration timeout = 10s;  // for all of it, from the lookup of the name to the last byte
  size_t max_body_size = 1024 * 1024;
};

struct HttpResponse {
  unsigned status = 0;
  contract::HttpHeaders headers;
  std::string body;

  // The first header of that name, without case, or "".
  std::string_view header(std::string_view name) const;
};

class HttpClient {
 public:
  // Every status but a redirect (300 to 399 with a Location) is a response. Errors, each with a sentence that names the
  // host or address: INVALID_CONFIG (URL, TLS options), INVALID_REQUEST (method, headers), NETWORK_ERROR (cannot
  // resolve, connection refused, TLS, cut off), TIMEOUT (in which step), TOO_LARGE, BAD_ANSWER (no HTTP; a redirect),
  // TOO_MANY, CLOSED (cancelled).
  using Callback = std::function<void(Result<HttpResponse>)>;

  struct Options {
    TlsOptions tls;
    std::string user_agent = "libatm0s";
    Resolver::Lookup lookup = look_up_by_system;
  };

  HttpClient();
  explicit HttpClient(Options options);
  // From any thread, callbacks included. What runs ends as CLOSED: its callbacks are called before this returns, and
  // none after. A callback that is running is waited for, so destroy it under no lock that a callback takes.
  ~HttpClient();
  HttpClient(const HttpClient&) = delete;
  HttpClient& operator=(const HttpClient&) = delete;

  // From any thread, callbacks included. `callback` is called once, on the client's thread, under no lock, never from
  // inside of this call; it must not block. (Only where the system gives no thread it is called in here, with BUSY.) In
  // a callback that the destructor calls nothing is begun any more: 0, and no call.
  uint64_t request(HttpRequest request, Callback callback);
  // From any thread. Its callback is called with CLOSED, if it was not called yet.
  void cancel(uint64_t id);

  struct State;  // client.cpp's own: keeps Boost out of this header

 private:
  std::shared_ptr<State> state_;
};

}  // namespace atm::io

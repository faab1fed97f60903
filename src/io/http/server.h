// An HTTP/1.1 server, plain and TLS, on one thread: the control thread. It turns what comes into contract::HttpRequest,
// calls the handler, and sends the reply whenever the handler's `respond` is called. Used by apps/server.
// Keeps connections alive, enforces its limits (413, 431, 400 and time-outs never reach the handler) and runs what
// other threads post. Knows no route and no JSON but that of its own refusals; no WebSocket, no HTTP/2.
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <optional>

#include "base/address.h"
#include "base/result.h"
#include "base/time.h"
#include "contract/http.h"
#include "io/http/certificate.h"

namespace atm::io {

class HttpServer {
 public:
  // On the control thread, once, now or later. Dropping it unused closes the connection. It may outlive the client
  // and the server.
  using Respond = std::function<void(contract::HttpReply)>;
  using Handler = std::function<void(const contract::HttpRequest&, Respond)>;

  struct Limits {
    uint32_t head_bytes = 16 * 1024;  // request line and headers; over it: 431
    size_t body_bytes = 1024 * 1024;  // over it: 413
    size_t connections = 1024;        // over it: accepted and closed
    Duration idle = 30s;              // for a whole head, for a whole body, for a write, between requests
    Duration drain = 5s;              // what stop() leaves to requests that are under way
  };
  struct Listener {
    SocketAddress address;      // port 0: any
    std::optional<TlsPem> tls;  // absent: plain HTTP
  };

  explicit HttpServer(Handler handler);
  HttpServer(Handler handler, Limits limits);
  ~HttpServer();
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

  // Before run(). The address it is bound to, with its real port.
  Result<SocketAddress> listen(const Listener& listener);
  // Before run(): `task` on the control thread, once a period.
  void every(Duration period, std::function<void()> task);
  // Before run(): `task` on the control thread when the process gets SIGINT or SIGTERM, each time.
  void on_stop_signal(std::function<void()> task);

  // Serves until stop(). The calling thread is the control thread.
  void run();
  // From any thread. Accepts nothing more, closes idle connections, lets requests under way finish; then run() returns.
  void stop();
  // From any thread: `task` on the control thread.
  void post(std::function<void()> task);

  size_t connection_count() const;  // control thread

  struct State;  // server.cpp's own: keeps Boost out of this header

 private:
  std::shared_ptr<State> state_;
};

}  // namespace atm::io

// What all sessions of a process share: the network thread, the HTTP client's threads, the thread for handlers. Made
// for the first session, gone with the last.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>

#include "core/dtls/context.h"
#include "io/http/client.h"
#include "io/loop/loop.h"
#include "io/resolve/resolver.h"
#include "io/runtime/clock.h"
#include "strand.h"

namespace atm0s {

class Runtime {
 public:
  static std::shared_ptr<Runtime> get();

  atm::io::Loop& loop() { return loop_; }
  atm::io::Resolver& resolver() { return resolver_; }
  // One for each way to check servers.
  std::shared_ptr<atm::io::HttpClient> http(const std::string& ca_file, bool verify);
  // Of sessions that bring no executor.
  Strand::Executor executor();
  atm::io::SystemRng& rng() { return rng_; }  // the loop's own

 private:
  atm::io::SystemRng rng_;
  std::mutex mutex_;
  std::shared_ptr<atm::io::WorkThread> handlers_;
  std::map<std::pair<std::string, bool>, std::shared_ptr<atm::io::HttpClient>> http_;
  atm::io::Resolver resolver_;
  atm::io::Loop loop_;
};

}  // namespace atm0s

// Host names to IP addresses, off the caller's thread: for the HTTP client, and for names of STUN and TURN servers.
// A lookup is the system's getaddrinfo(), which nothing can interrupt. So it runs on a detached thread that shares only
// a small state with its Resolver: cancel() and the destructor leave it to its end and never wait for it. All Resolvers
// of a process share at most kMaxLookupThreads such threads; none is kept when there is nothing to look up. (Who
// unloads this code with dlclose() has to know that such a thread may still be in it.)
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/address.h"
#include "base/result.h"

namespace atm::io {

// A name server that does not answer holds its thread for as long as the system tries (with glibc some 10 to 30 s).
inline constexpr size_t kMaxLookupThreads = 32;
// Lookups of the process that wait for such a thread.
inline constexpr size_t kMaxLookups = 1'024;

// In the order of preference of RFC 6724, each address once, at least one.
using Addresses = std::vector<IpAddress>;

// Blocks. The error says "cannot resolve host x: …".
Result<Addresses> look_up_by_system(const std::string& host);

class Resolver {
 public:
  // May block as long as it wants; called on many threads at once, and possibly still after the Resolver has gone.
  using Lookup = std::function<Result<Addresses>(const std::string& host)>;
  using Callback = std::function<void(Result<Addresses>)>;

  explicit Resolver(Lookup lookup = look_up_by_system);
  // From any thread, callbacks included. Returns at once; but a callback that runs on another thread just now is waited
  // for. Afterwards none runs.
  ~Resolver();
  Resolver(const Resolver&) = delete;
  Resolver& operator=(const Resolver&) = delete;

  // From any thread. The id of the lookup, never 0. `callback` is called once, on a thread of no name, under no lock;
  // it must not block. An IP address as text is its own answer. BUSY, and no call: too many lookups wait.
  Result<uint64_t> resolve(std::string host, Callback callback);
  // From any thread. Its callback is not called, but may be running just now.
  void cancel(uint64_t id);

  struct State;  // resolver.cpp's own: what outlives the Resolver

 private:
  std::shared_ptr<State> state_;
};

}  // namespace atm::io

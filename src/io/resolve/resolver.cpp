#include "io/resolve/resolver.h"

#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <condition_variable>
#include <cstring>
#include <deque>
#include <map>
#include <mutex>
#include <system_error>
#include <thread>
#include <utility>

namespace atm::io {

struct Resolver::State {
  explicit State(Lookup how) : lookup(std::move(how)) {}

  bool wants(uint64_t id) {
    const std::lock_guard lock(mutex);
    return callbacks.contains(id);
  }

  // Calls the callback, if it is still wanted. What it captured has gone before the destructor may go on.
  void deliver(uint64_t id, Result<Addresses> result) {
    std::unique_lock lock(mutex);
    auto found = callbacks.extract(id);
    if (found.empty()) return;
    callers.push_back(std::this_thread::get_id());
    lock.unlock();
    found.mapped()(std::move(result));
    found = {};
    lock.lock();
    std::erase(callers, std::this_thread::get_id());
    quiet.notify_all();
  }

  void close() {
    std::map<uint64_t, Callback> dropped;  // destroyed without the lock
    std::unique_lock lock(mutex);
    dropped.swap(callbacks);
    quiet.wait(lock, [this] {
      return std::all_of(callers.begin(), callers.end(), [](auto id) { return id == std::this_thread::get_id(); });
    });
  }

  const Lookup lookup;
  std::mutex mutex;
  std::condition_variable quiet;
  std::map<uint64_t, Callback> callbacks;
  std::vector<std::thread::id> callers;  // threads that are in a callback
  uint64_t next_id = 1;
};

namespace {

struct Job {
  std::weak_ptr<Resolver::State> owner;
  uint64_t id;
  std::string host;
};

// The process's lookup threads. Each ends when nothing waits.
class Pool {
 public:
  // Never destroyed: a thread that hangs in getaddrinfo() may outlive main().
  static Pool& instance() {
    static Pool& pool = *new Pool;
    return pool;
  }

  bool submit(Job job) {
    const std::lock_guard lock(mutex_);
    if (waiting_.size() >= kMaxLookups) return false;
    waiting_.push_back(std::move(job));
    if (threads_ >= kMaxLookupThreads) return true;
    try {
      std::thread([this] { work(); }).detach();
    } catch (const std::system_error&) {
      if (threads_ > 0) return true;  // one of them takes it
      waiting_.pop_back();
      return false;
    }
    ++threads_;
    return true;
  }

 private:
  void work() {
    std::unique_lock lock(mutex_);
    while (!waiting_.empty()) {
      Job job = std::move(waiting_.front());
      waiting_.pop_front();
      lock.unlock();
      run(job);
      lock.lock();
    }
    --threads_;
  }

  static void run(const Job& job) {
    Resolver::Lookup lookup;
    {
      const auto owner = job.owner.lock();
      if (!owner || !owner->wants(job.id)) return;
      lookup = owner->lookup;
    }
    auto result = IpAddress::parse(job.host) ? Addresses{*IpAddress::parse(job.host)} : lookup(job.host);
    if (const auto owner = job.owner.lock()) owner->deliver(job.id, std::move(result));
  }

  std::mutex mutex_;
  std::deque<Job> waiting_;
  size_t threads_ = 0;
};

struct FreeAddresses {
  void operator()(addrinfo* list) const { freeaddrinfo(list); }
};

}  // namespace

Result<Addresses> look_up_by_system(const std::string& host) {
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;  // or each address would come once for each kind of socket
  addrinfo* head = nullptr;
  const int code = getaddrinfo(host.c_str(), nullptr, &hints, &head);
  const int system_code = errno;
  const std::unique_ptr<addrinfo, FreeAddresses> list(head);
  const auto refuse = [&](const char* why) {
    return fail(ErrorCode::kNetworkError, "cannot resolve host " + host + ": " + why);
  };
  if (code != 0) return refuse(code == EAI_SYSTEM ? std::strerror(system_code) : gai_strerror(code));
  Addresses out;
  for (const addrinfo* entry = list.get(); entry != nullptr; entry = entry->ai_next) {
    IpAddress ip;
    if (entry->ai_family == AF_INET) {
      uint8_t bytes[4];
      std::memcpy(bytes, &reinterpret_cast<const sockaddr_in*>(entry->ai_addr)->sin_addr, sizeof bytes);
      ip = IpAddress::v4(bytes);
    } else if (entry->ai_family == AF_INET6) {
      std::array<uint8_t, 16> bytes;
      std::memcpy(bytes.data(), &reinterpret_cast<const sockaddr_in6*>(entry->ai_addr)->sin6_addr, bytes.size());
      ip = IpAddress::v6(bytes);
      if (ip.is_link_local()) continue;  // RFC 4007 6: means nothing without its zone, which an IpAddress has not
    } else {
      continue;
    }
    if (std::find(out.begin(), out.end(), ip) == out.end()) out.push_back(ip);
  }
  if (out.empty()) return refuse("it has no address that can be used");
  return out;
}

Resolver::Resolver(Lookup lookup) : state_(std::make_shared<State>(std::move(lookup))) {}

Resolver::~Resolver() {
  state_->close();
}

Result<uint64_t> Resolver::resolve(std::string host, Callback callback) {
  uint64_t id = 0;
  {
    const std::lock_guard lock(state_->mutex);
    id = state_->next_id++;
    state_->callbacks.emplace(id, std::move(callback));
  }
  if (Pool::instance().submit({state_, id, std::move(host)})) return id;
  cancel(id);
  return fail(ErrorCode::kBusy, "too many host names wait to be resolved");
}

void Resolver::cancel(uint64_t id) {
  Callback dropped;
  const std::lock_guard lock(state_->mutex);
  if (auto found = state_->callbacks.extract(id)) dropped = std::move(found.mapped());
}

}  // namespace atm::io

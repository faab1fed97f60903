#include "runtime.h"

namespace atm0s {

std::shared_ptr<Runtime> Runtime::get() {
  static std::mutex mutex;
  static std::weak_ptr<Runtime> current;
  const std::lock_guard lock(mutex);
  std::shared_ptr<Runtime> runtime = current.lock();
  if (!runtime) {
    runtime = std::make_shared<Runtime>();
    current = runtime;
  }
  return runtime;
}

std::shared_ptr<atm::io::HttpClient> Runtime::http(const std::string& ca_file, bool verify) {
  const std::lock_guard lock(mutex_);
  auto& client = http_[{ca_file, verify}];
  if (!client) {
    atm::io::HttpClient::Options options;
    options.tls.ca_file = ca_file;
    options.tls.verify = verify;
    options.user_agent = "libatm0s/" ATM0S_VERSION;
    client = std::make_shared<atm::io::HttpClient>(std::move(options));
  }
  return client;
}

Strand::Executor Runtime::executor() {
  const std::lock_guard lock(mutex_);
  if (!handlers_) handlers_ = std::make_shared<atm::io::WorkThread>();
  return [handlers = std::weak_ptr(handlers_)](std::function<void()> work) {
    if (const auto thread = handlers.lock()) thread->post(std::move(work));
  };
}

}  // namespace atm0s

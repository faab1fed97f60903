#include "io/http/connector.h"

#include <utility>

namespace atm::io {
namespace {

namespace asio = boost::asio;
using boost::system::error_code;

// Of one host, in the order in which they are tried.
constexpr size_t kMaxAddresses = 8;
// RFC 8305 5: "Connection Attempt Delay", 250 ms is what it recommends.
constexpr auto kAttemptDelay = std::chrono::milliseconds(250);

asio::ip::tcp::endpoint to_endpoint(const SocketAddress& address) {
  const auto& bytes = address.ip.bytes();
  if (!address.ip.is_v4()) return {asio::ip::address_v6(bytes), address.port};
  return {asio::ip::address_v4({bytes[12], bytes[13], bytes[14], bytes[15]}), address.port};
}

// RFC 8305 4: the families by turns, beginning with that of the first; within a family as the resolver has them.
std::vector<SocketAddress> by_turns(const Addresses& addresses, uint16_t port) {
  std::deque<SocketAddress> preferred, other;
  for (const IpAddress& ip : addresses) {
    (ip.is_v4() == addresses.front().is_v4() ? preferred : other).push_back({ip, port});
  }
  std::vector<SocketAddress> out;
  for (; !preferred.empty() || !other.empty(); std::swap(preferred, other)) {
    if (preferred.empty()) continue;
    out.push_back(preferred.front());
    preferred.pop_front();
  }
  if (out.size() > kMaxAddresses) out.resize(kMaxAddresses);
  return out;
}

std::string why_not_connected(const SocketAddress& address, error_code error) {
  const std::string where = address.to_string();
  if (error == asio::error::connection_refused) return "connection refused by " + where;
  if (error == asio::error::network_unreachable || error == asio::error::host_unreachable)
    return "no route to " + where;
  return "cannot connect to " + where + ": " + error.message();
}

}  // namespace

Connector::Connector(asio::io_context& context, const Addresses& addresses, uint16_t port)
    : context_(context), delay_(context), addresses_(by_turns(addresses, port)) {}

void Connector::start(Done done) {
  done_ = std::move(done);
  connect_next();
}

void Connector::cancel() {
  done_ = nullptr;
  delay_.cancel();
  sockets_.clear();
}

void Connector::connect_next() {
  while (sockets_.size() < addresses_.size()) {
    const size_t index = sockets_.size();
    const auto endpoint = to_endpoint(addresses_[index]);
    Tcp::socket& socket = sockets_.emplace_back(context_);
    error_code error;
    socket.open(endpoint.protocol(), error);
    if (error) {  // a family that this machine does not have
      note_failure(index, error);
      continue;
    }
    ++attempts_;
    socket.async_connect(endpoint,
                         [self = shared_from_this(), index](error_code failed) { self->on_attempt(index, failed); });
    delay_.expires_after(kAttemptDelay);
    return delay_.async_wait([self = shared_from_this()](error_code cancelled) {
      if (!cancelled && self->done_) self->connect_next();
    });
  }
  if (attempts_ == 0) finish(fail(ErrorCode::kNetworkError, failures_));
}

void Connector::on_attempt(size_t index, error_code error) {
  if (!done_) return;
  --attempts_;
  if (error) {
    note_failure(index, error);
    error_code ignored;
    sockets_[index].close(ignored);
    return connect_next();
  }
  finish(Connected{std::move(sockets_[index]), addresses_[index]});
}

void Connector::note_failure(size_t index, error_code error) {
  if (!failures_.empty()) failures_ += "; ";
  failures_ += why_not_connected(addresses_[index], error);
}

void Connector::finish(Result<Connected> result) {
  const Done done = std::move(done_);
  cancel();
  done(std::move(result));
}

}  // namespace atm::io

// One connection to one of several addresses, for client.cpp alone (it has Boost in it). Of the addresses the next is
// tried after 250 ms or a failure, the first that connects is taken, the others give up: RFC 8305 in its simplest form.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/address.h"
#include "base/result.h"
#include "io/resolve/resolver.h"

namespace atm::io {

class Connector : public std::enable_shared_from_this<Connector> {
 public:
  using Tcp = boost::asio::ip::tcp;
  struct Connected {
    Tcp::socket socket;
    SocketAddress remote;
  };
  // Once, unless cancelled. The error names each address and what was wrong with it.
  using Done = std::function<void(Result<Connected>)>;

  Connector(boost::asio::io_context& context, const Addresses& addresses, uint16_t port);
  void start(Done done);
  void cancel();

 private:
  void connect_next();
  void on_attempt(size_t index, boost::system::error_code error);
  void note_failure(size_t index, boost::system::error_code error);
  void finish(Result<Connected> result);

  boost::asio::io_context& context_;
  boost::asio::steady_timer delay_;
  const std::vector<SocketAddress> addresses_;
  std::deque<Tcp::socket> sockets_;  // one for each address that was tried
  size_t attempts_ = 0;              // of them under way
  std::string failures_;
  Done done_;  // empty: it is over
};

}  // namespace atm::io

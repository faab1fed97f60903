// Real connections on the loopback interface; time is made by hand.
#include "io/tcp/port.h"

#include <gtest/gtest.h>

#include <netinet/in.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>

#include "io/tcp/send_queue.h"
#include "io/udp/sockaddr.h"
#include "wire/framing/deframer.h"

namespace atm::io {
namespace {

const IpAddress kLoopback = IpAddress::v4(127, 0, 0, 1);
constexpr Instant kStart{1'000s};
const Bytes kCheck = {'c', 'h', 'e', 'c', 'k'};  // what is admitted here

Bytes framed(const Bytes& frame) {
  Bytes out(2);
  store_u16(out.data(), static_cast<uint16_t>(frame.size()));
  out.insert(out.end(), frame.begin(), frame.end());
  return out;
}

// A client's socket: blocking, but for reads.
class Client {
 public:
  explicit Client(const SocketAddress& server) : fd_(::socket(server.ip.is_v4() ? AF_INET : AF_INET6, SOCK_STREAM, 0)) {
    sockaddr_storage storage;
    socklen_t size = fill_sockaddr(server, server.ip.is_v4(), storage);
    EXPECT_EQ(::connect(fd_, reinterpret_cast<sockaddr*>(&storage), size), 0);
    size = sizeof storage;
    ::getsockname(fd_, reinterpret_cast<sockaddr*>(&storage), &size);
    address_ = to_address(storage);
  }
  ~Client() { close(); }
  Client(Client&& other) noexcept : fd_(std::exchange(other.fd_, -1)), address_(other.address_) {}
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;
  Client& operator=(Client&&) = delete;

  void close() {
    if (fd_ >= 0) ::close(fd_);
    fd_ = -1;
  }
  void send(const Bytes& bytes) { ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL); }
  // What there is at the moment, as frames; nothing when the server has closed.
  std::optional<std::vector<Bytes>> read() {
    Bytes buffer(1 << 20);
    const ssize_t size = ::recv(fd_, buffer.data(), buffer.size(), MSG_DONTWAIT);
    if (size == 0 || (size < 0 && errno != EAGAIN)) return std::nullopt;
    std::vector<MutByteView> views;
    EXPECT_TRUE(deframer_.read(MutByteView(buffer).first(static_cast<size_t>(std::max<ssize_t>(size, 0))), views));
    std::vector<Bytes> out;
    for (const MutByteView view : views) out.emplace_back(view.begin(), view.end());
    return out;
  }
  // Within a second.
  bool sees_the_end() const {
    pollfd wait{fd_, POLLIN, 0};
    uint8_t byte;
    return ::poll(&wait, 1, 1'000) == 1 && ::recv(fd_, &byte, 1, MSG_DONTWAIT) <= 0;
  }
  const SocketAddress& address() const { return address_; }
  Path path() const { return {address_, kLoopback, Transport::kTcp}; }

 private:
  int fd_;
  SocketAddress address_;
  framing::Deframer deframer_;
};

struct TcpPortTest : testing::Test {
  TcpPortTest() {
    auto listening = TcpPort::listen({{kLoopback, 0}});
    EXPECT_TRUE(listening) << listening.error().why;
    port = std::move(*listening);
    port->set_admits([](ByteView frame) { return std::ranges::equal(frame, kCheck); });
  }
  SocketAddress address() const { return {kLoopback, port->port()}; }
  // All that comes until nothing has for 30 ms.
  void work() {
    for (pollfd wait{port->fd(), POLLIN, 0}; ::poll(&wait, 1, 30) == 1;) {
      for (const Datagram& datagram : port->receive(now)) {
        received.push_back({datagram.path, Bytes(datagram.bytes.begin(), datagram.bytes.end())});
      }
      port->take_closed(closed);
    }
  }
  Client admitted() {
    Client client(address());
    client.send(framed(kCheck));
    work();
    return client;
  }
  void send(const Path& path, const Bytes& bytes) {
    SendBatch batch;
    batch.append(path, bytes);
    port->send(batch);
  }
  void pass(Duration time) {
    for (const Instant end = now + time; now < end;) {
      now = std::min(end, now + kSweepInterval);
      port->on_timeout(now);
    }
    port->take_closed(closed);
  }

  std::unique_ptr<TcpPort> port;
  Instant now = kStart;
  std::vector<std::pair<Path, Bytes>> received;
  std::vector<Path> closed;
};

TEST_F(TcpPortTest, AfterACheckDatagramsGoBothWays) {
  Client client(address());
  Bytes stream = framed(kCheck);
  for (const Bytes& frame : {Bytes{1, 2, 3}, Bytes(1'200, 7)}) {
    const Bytes more = framed(frame);
    stream.insert(stream.end(), more.begin(), more.end());
  }
  client.send(stream);
  work();
  ASSERT_EQ(received.size(), 3u);
  for (const auto& [path, bytes] : received) EXPECT_EQ(path, client.path());
  EXPECT_EQ(received[0].second, kCheck);
  EXPECT_EQ(received[1].second, (Bytes{1, 2, 3}));
  EXPECT_EQ(received[2].second, Bytes(1'200, 7));

  SendBatch batch;
  batch.append(client.path(), Bytes{1});
  batch.append({client.address(), kLoopback, Transport::kUdp}, Bytes{9});  // not ours
  batch.append(client.path(), Bytes(1'300, 2));
  port->send(batch);
  work();
  EXPECT_EQ(client.read(), std::optional(std::vector<Bytes>({Bytes{1}, Bytes(1'300, 2)})));
  EXPECT_EQ(port->counters().frames_sent, 2u);
  EXPECT_EQ(port->counters().drop_no_connection, 0u);
  EXPECT_EQ(port->counters().admitted, 1u);
  EXPECT_TRUE(closed.empty());
}

TEST_F(TcpPortTest, WhateverElseComesFirstIsTheEndWithoutAnAnswer) {
  const std::string http = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
  Client browser(address()), stranger(address()), tls(address());
  browser.send(Bytes(http.begin(), http.end()));  // no length of ours: 18245
  stranger.send(framed({1, 2, 3}));
  tls.send({0x16, 3, 1, 2, 0, 1});
  work();
  EXPECT_TRUE(browser.sees_the_end());
  EXPECT_TRUE(stranger.sees_the_end());
  EXPECT_TRUE(tls.sees_the_end());
  EXPECT_TRUE(received.empty());
  EXPECT_TRUE(closed.empty()) << "nobody has heard of them";
  EXPECT_EQ(port->counters().closed_bad_length, 2u);
  EXPECT_EQ(port->counters().closed_not_a_check, 1u);
  EXPECT_EQ(port->connection_count(), 0u);
}

TEST_F(TcpPortTest, AFrameTooLargeEndsAConnectionAfterWhatCameBefore) {
  Client client = admitted();
  client.send({0, 1, 7, 0xff, 0xff});
  work();
  ASSERT_EQ(received.size(), 2u);
  EXPECT_EQ(received[1].second, Bytes{7});
  EXPECT_TRUE(client.sees_the_end());
  EXPECT_EQ(closed, std::vector<Path>{client.path()});
}

TEST_F(TcpPortTest, ACheckThatComesByteByByteIsAsGoodIfItIsInTime) {
  Client client(address());
  for (const uint8_t byte : framed(kCheck)) {
    client.send({byte});
    work();
    pass(500ms);
  }
  ASSERT_EQ(received.size(), 1u);
  EXPECT_EQ(received[0].second, kCheck);
}

TEST_F(TcpPortTest, OneThatSaysNothingOrTooSlowlyIsClosedInTime) {
  Client silent(address()), slow(address());
  work();
  for (int i = 0; i < 4; ++i) {
    slow.send({0});  // null frames and halves of them
    work();
    pass(1s);
  }
  EXPECT_EQ(port->connection_count(), 2u);
  pass(kFirstCheckTimeout - 4s);
  EXPECT_TRUE(silent.sees_the_end());
  EXPECT_TRUE(slow.sees_the_end());
  EXPECT_EQ(port->counters().closed_no_check, 2u);
  EXPECT_EQ(port->next_timeout(), kNever);
}

TEST_F(TcpPortTest, BytesWithoutAWholeFrameKeepNothingOpen) {
  Client client = admitted(), other = admitted();
  client.send({0, 200});
  for (Duration time = 0s; time < kIdleTimeout; time += 10s) {
    client.send({1});
    other.send(framed({1}));
    work();
    pass(10s);
  }
  EXPECT_TRUE(client.sees_the_end());
  EXPECT_EQ(port->counters().closed_idle, 1u);
  EXPECT_EQ(closed, std::vector<Path>{client.path()});
  EXPECT_EQ(port->connection_count(), 1u);
}

TEST_F(TcpPortTest, WhatASlowReaderDoesNotTakeIsDroppedInWholeFrames) {
  Client client = admitted();
  constexpr uint32_t kFrames = 20'000;
  uint32_t number = 0;
  SendBatch batch;
  while (number < kFrames) {
    batch.clear();
    for (int i = 0; i < 10; ++i) {
      Bytes frame(1'000, static_cast<uint8_t>(number));
      store_u32(frame.data(), number++);
      batch.append(client.path(), frame);
    }
    port->send(batch);
  }
  EXPECT_GT(port->counters().drop_send_full, 0u);
  EXPECT_EQ(port->counters().frames_sent + port->counters().drop_send_full, kFrames);
  std::vector<Bytes> got;
  for (size_t before = 1; before != got.size() || got.empty();) {
    before = got.size();
    work();
    const auto frames = client.read();
    ASSERT_TRUE(frames);
    got.insert(got.end(), frames->begin(), frames->end());
  }
  EXPECT_EQ(got.size(), port->counters().frames_sent);
  int64_t last = -1;
  for (const Bytes& frame : got) {
    ASSERT_EQ(frame.size(), 1'000u);
    const uint32_t is = load_u32(frame.data());
    ASSERT_GT(int64_t{is}, last);
    ASSERT_EQ(frame[999], static_cast<uint8_t>(is));
    last = is;
  }
  send(client.path(), {1});
  work();
  EXPECT_EQ(client.read(), std::optional(std::vector<Bytes>({Bytes{1}}))) << "it goes on";
}

TEST_F(TcpPortTest, APathIsToldOnceWhenItsClientHasGone) {
  Client client = admitted();
  const Path path = client.path();
  client.close();
  work();
  EXPECT_EQ(closed, std::vector<Path>{path});
  EXPECT_EQ(port->counters().closed_by_remote, 1u);
  send(path, {1});
  EXPECT_EQ(port->counters().drop_no_connection, 1u);
  pass(10s);
  EXPECT_EQ(closed.size(), 1u);
}

TEST_F(TcpPortTest, AThousandConnectionsAreBoundedAndAClientIsServedAmongThem) {
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = std::min<rlim_t>(limit.rlim_max, 4'096);
  ::setrlimit(RLIMIT_NOFILE, &limit);
  Client client = admitted();
  std::vector<Client> flood;
  for (int i = 0; i < 1'000; ++i) {
    flood.emplace_back(address());
    if (i % 3 == 0) flood.back().send({0, 100, 1});
    if (i % 50 == 0) {
      work();
      client.send(framed({static_cast<uint8_t>(i / 50)}));
    }
  }
  work();
  EXPECT_EQ(port->connection_count(), 1 + kMaxWaitingPerAddress);
  EXPECT_EQ(port->counters().closed_for_others, 1'000 - kMaxWaitingPerAddress);
  EXPECT_EQ(received.size(), 1 + 20u);
  Client late = admitted();
  EXPECT_EQ(received.back().first, late.path());
  pass(kFirstCheckTimeout);
  EXPECT_EQ(port->connection_count(), 2u);
}

TEST_F(TcpPortTest, WithoutDescriptorsItWaitsAndThenGoesOn) {
  Client client = admitted();
  std::vector<Client> more;
  for (int i = 0; i < 3; ++i) more.emplace_back(address());
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  const rlimit none{3, limit.rlim_max};
  ::setrlimit(RLIMIT_NOFILE, &none);
  work();
  EXPECT_EQ(port->counters().accept_errors, 1u);
  client.send(framed({1}));
  work();
  EXPECT_EQ(received.size(), 2u) << "those that are there are served";
  EXPECT_EQ(port->counters().accept_errors, 1u) << "and it does not try all the time";
  ::setrlimit(RLIMIT_NOFILE, &limit);
  work();
  EXPECT_EQ(port->connection_count(), 1u);
  EXPECT_NE(port->next_timeout(), kNever);
  pass(kSweepInterval);
  work();
  EXPECT_EQ(port->connection_count(), 4u);
}

TEST(TcpPort, HasOnePortForBothFamiliesAndSaysWhichItCannotHave) {
  auto both = TcpPort::listen({{IpAddress::v4(0, 0, 0, 0), 0}, {IpAddress{}, 0}});
  ASSERT_TRUE(both) << both.error().why;
  Client v4({kLoopback, (*both)->port()}), v6({*IpAddress::parse("::1"), (*both)->port()});
  (*both)->set_admits([](ByteView) { return true; });
  v4.send(framed({4}));
  v6.send(framed({6}));
  std::vector<Path> paths;
  for (pollfd wait{(*both)->fd(), POLLIN, 0}; paths.size() < 2 && ::poll(&wait, 1, 1'000) == 1;) {
    for (const Datagram& datagram : (*both)->receive(kStart)) paths.push_back(datagram.path);
  }
  EXPECT_EQ(std::ranges::count(paths, v4.path()), 1);
  EXPECT_EQ(std::ranges::count(paths, Path{v6.address(), *IpAddress::parse("::1"), Transport::kTcp}), 1);

  const auto taken = TcpPort::listen({{kLoopback, (*both)->port()}});
  ASSERT_FALSE(taken);
  EXPECT_NE(taken.error().why.find("127.0.0.1:" + std::to_string((*both)->port()) + " (TCP): bind"), std::string::npos)
      << taken.error().why;
}

}  // namespace
}  // namespace atm::io

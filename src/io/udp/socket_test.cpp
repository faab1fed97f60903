// Real sockets on the loopback interface: what the kernel makes of our batches.
#include "io/udp/socket.h"

#include <gtest/gtest.h>

#include <netinet/in.h>
#include <netinet/udp.h>
#include <poll.h>
#include <sys/socket.h>
#include <cstdio>

#include <algorithm>

namespace atm::io {
namespace {

const IpAddress kLoopback = IpAddress::v4(127, 0, 0, 1);
const IpAddress kAny = IpAddress::v4(0, 0, 0, 0);

std::unique_ptr<UdpSocket> open(const IpAddress& ip, uint16_t port = 0) {
  auto socket = UdpSocket::bind({ip, port});
  EXPECT_TRUE(socket) << socket.error().why;
  return socket ? std::move(*socket) : nullptr;
}

struct Received {
  Path path;
  Instant arrived;
  Bytes bytes;
};

constexpr Instant kNow{1'000s};

// Until `count` datagrams have come, or nothing has for a second.
std::vector<Received> receive(UdpSocket& socket, size_t count) {
  std::vector<Received> out;
  while (out.size() < count) {
    pollfd wait{socket.fd(), POLLIN, 0};
    if (::poll(&wait, 1, 1'000) != 1) break;
    for (const Datagram& d : socket.receive(kNow, Duration{0}))
      out.push_back({d.path, d.arrived, Bytes(d.bytes.begin(), d.bytes.end())});
  }
  return out;
}

Bytes numbered(uint32_t number, size_t size) {
  Bytes out(size, static_cast<uint8_t>(number));
  if (size >= 4) store_u32(out.data(), number);
  return out;
}

TEST(UdpSocket, LeavesWhatGoesOverTcpToOthers) {
  const auto a = open(kLoopback), b = open(kLoopback);
  const Path udp{{kLoopback, b->port()}, kLoopback}, tcp{udp.remote, kLoopback, Transport::kTcp};
  SendBatch batch;
  for (const Path& path : {tcp, udp, tcp, tcp, udp, udp, tcp})
    batch.append(path, numbered(static_cast<uint32_t>(batch.entries().size()), 100));
  a->send(batch);
  const auto received = receive(*b, 4);
  std::vector<uint32_t> numbers;
  for (const Received& one : received) numbers.push_back(load_u32(one.bytes.data()));
  EXPECT_EQ(numbers, std::vector<uint32_t>({1, 4, 5}));
  EXPECT_EQ(a->counters().datagrams_sent, 3u);
}

TEST(UdpSocket, ABatchComesThroughWithItsBoundariesInOrder) {
  const auto a = open(kLoopback), b = open(kLoopback);
  const Path path{{kLoopback, b->port()}, kLoopback};
  SendBatch batch;
  std::vector<Bytes> sent;
  const auto add = [&](size_t size) {
    sent.push_back(numbered(static_cast<uint32_t>(sent.size()), size));
    batch.append(path, sent.back());
  };
  for (int i = 0; i < 70; ++i) add(1'100);  // more than the kernel's 64 segments
  add(300);                                 // the shorter last one of a run
  add(1'100);
  add(1'200);
  add(1'200);
  add(1'400);  // each on its own: larger than every link carries
  add(1'400);
  add(1);
  add(0);  // nothing: dropped by the batch
  sent.pop_back();
  add(65'000 / 60);
  a->send(batch);
  const auto received = receive(*b, sent.size());
  ASSERT_EQ(received.size(), sent.size());
  for (size_t i = 0; i < sent.size(); ++i) {
    EXPECT_EQ(received[i].bytes, sent[i]) << i;
    EXPECT_EQ(received[i].path.remote, (SocketAddress{kLoopback, a->port()}));
    EXPECT_EQ(received[i].path.local, kLoopback);
  }
  EXPECT_EQ(a->counters().datagrams_sent, sent.size());
  EXPECT_LT(a->counters().send_calls, sent.size() / 2) << "segmented";
  EXPECT_EQ(a->counters().drop_send_error + a->counters().drop_send_full, 0u);
}

TEST(UdpSocket, ARunGoesToOneDestinationOnly) {
  const auto a = open(kLoopback), b = open(kLoopback), c = open(kLoopback);
  SendBatch batch;
  for (uint32_t i = 0; i < 20; ++i)
    batch.append({{kLoopback, (i / 5 % 2 == 0 ? b : c)->port()}, kLoopback}, numbered(i, 500));
  a->send(batch);
  for (UdpSocket* to : {b.get(), c.get()}) {
    const auto received = receive(*to, 10);
    ASSERT_EQ(received.size(), 10u);
    for (const auto& r : received) EXPECT_EQ(load_u32(r.bytes.data()) / 5 % 2, to == b.get() ? 0u : 1u);
  }
}

TEST(UdpSocket, AReplyLeavesFromTheAddressThatWasAsked) {
  const auto server = open(kAny), client = open(kLoopback);
  const IpAddress second = IpAddress::v4(127, 0, 0, 2);
  SendBatch batch;
  batch.append({{second, server->port()}, kLoopback}, numbered(1, 10));
  client->send(batch);
  const auto asked = receive(*server, 1);
  ASSERT_EQ(asked.size(), 1u);
  EXPECT_EQ(asked[0].path.local, second);
  batch.clear();
  batch.append(asked[0].path, numbered(2, 10));
  batch.append(asked[0].path, numbered(3, 10));
  server->send(batch);
  const auto answered = receive(*client, 2);
  ASSERT_EQ(answered.size(), 2u);
  for (const auto& r : answered) EXPECT_EQ(r.path.remote, (SocketAddress{second, server->port()}));
}

TEST(UdpSocket, TwoFamiliesShareABatchAndEachSendsItsOwn) {
  const auto v6_server = UdpSocket::bind({*IpAddress::parse("::1"), 0});
  if (!v6_server) {
    std::puts("this system has no ::1: nothing of IPv6 was tried");
    return;
  }
  const auto v4 = open(kLoopback), v4_client = open(kLoopback);
  const auto v6_client = open(*IpAddress::parse("::1"));
  const auto& v6 = *v6_server;
  SendBatch batch;
  for (uint32_t i = 0; i < 40; ++i) {
    if (i % 2 == 0) {
      batch.append({{kLoopback, v4_client->port()}, kLoopback}, numbered(i, 100));
    } else {
      batch.append({{*IpAddress::parse("::1"), v6_client->port()}, *IpAddress::parse("::1")}, numbered(i, 100));
    }
  }
  v4->send(batch);
  v6->send(batch);
  EXPECT_EQ(receive(*v4_client, 20).size(), 20u);
  const auto over_v6 = receive(*v6_client, 20);
  ASSERT_EQ(over_v6.size(), 20u);
  EXPECT_EQ(over_v6[0].path.local, *IpAddress::parse("::1"));
  EXPECT_EQ(load_u32(over_v6[0].bytes.data()), 1u);
}

// SO_NO_CHECK is one of the things for which the kernel refuses to segment (EIO, as a device without checksums gets):
// every datagram must still go out, each on its own.
TEST(UdpSocket, WhereSegmentingIsRefusedEveryDatagramGoesOnItsOwn) {
  const auto a = open(kLoopback), b = open(kLoopback);
  const int on = 1;
  ASSERT_EQ(::setsockopt(a->fd(), SOL_SOCKET, SO_NO_CHECK, &on, sizeof on), 0);
  size_t expected = 0;
  for (int round = 0; round < 40; ++round) {
    SendBatch batch;
    for (uint32_t i = 0; i < 10; ++i) batch.append({{kLoopback, b->port()}, kLoopback}, numbered(i, 800));
    expected += 10;
    a->send(batch);
    const auto received = receive(*b, 10);
    ASSERT_EQ(received.size(), 10u);
    for (uint32_t i = 0; i < 10; ++i) EXPECT_EQ(received[i].bytes, numbered(i, 800));
  }
  EXPECT_EQ(a->counters().datagrams_sent, expected);
  EXPECT_GT(a->counters().segment_refusals, 0u);
  EXPECT_LE(a->counters().segment_refusals, 16u) << "after so many in a row it is not tried again";
}

TEST(UdpSocket, OneRefusalDoesNotEndSegmentingForGood) {
  const auto a = open(kLoopback), b = open(kLoopback);
  SendBatch batch;
  for (uint32_t i = 0; i < 50; ++i) batch.append({{kLoopback, b->port()}, kLoopback}, numbered(i, 800));
  for (const int no_check : {1, 0}) {
    ASSERT_EQ(::setsockopt(a->fd(), SOL_SOCKET, SO_NO_CHECK, &no_check, sizeof no_check), 0);
    a->send(batch);
    EXPECT_EQ(receive(*b, 50).size(), 50u);
  }
  EXPECT_EQ(a->counters().segment_refusals, 1u);
  EXPECT_EQ(a->counters().send_calls, 50u + 1u);
}

TEST(UdpSocket, EmptyAndLargestDatagramsAreReceived) {
  const auto a = open(kLoopback), b = open(kLoopback);
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(b->port());
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const Bytes largest(65'507, 7);
  for (const size_t size : {size_t{0}, size_t{1}, largest.size()}) {
    ASSERT_EQ(::sendto(a->fd(), largest.data(), size, 0, reinterpret_cast<sockaddr*>(&to), sizeof to),
              static_cast<ssize_t>(size));
    const auto received = receive(*b, 1);
    ASSERT_EQ(received.size(), 1u);
    EXPECT_EQ(received[0].bytes.size(), size);
  }
}

TEST(UdpSocket, AnArrivalStampThatMakesNoSenseIsNotUsed) {
  const auto a = open(kLoopback), b = open(kLoopback);
  SendBatch batch;
  batch.append({{kLoopback, b->port()}, kLoopback}, numbered(1, 10));
  a->send(batch);
  const auto received = receive(*b, 1);  // with an offset of zero the kernel's stamp is decades ahead of kNow
  ASSERT_EQ(received.size(), 1u);
  EXPECT_EQ(received[0].arrived, kNow);
}

TEST(UdpSocket, ATakenPortIsAnErrorThatNamesIt) {
  const auto a = open(kLoopback);
  const auto again = UdpSocket::bind({kLoopback, a->port()});
  ASSERT_FALSE(again);
  EXPECT_NE(again.error().why.find(std::to_string(a->port())), std::string::npos);
}

}  // namespace
}  // namespace atm::io

#include "core/sctp/data_channels.h"

#include <gtest/gtest.h>

#include "core/sctp/lossy_link.h"

namespace atm::sctp {
namespace {

using Link = LossyLink<DataChannels, DataChannels, Output, Output>;

template <typename Event>
std::vector<Event> all(const Output& out) {
  std::vector<Event> found;
  for (const ChannelEvent& event : out.events) {
    if (const auto* one = std::get_if<Event>(&event)) found.push_back(*one);
  }
  return found;
}

// Without copying what they carry.
template <typename Event>
size_t count(const Output& out) {
  size_t found = 0;
  for (const ChannelEvent& event : out.events) found += std::holds_alternative<Event>(event) ? 1 : 0;
  return found;
}

// What the browser SDK opens: unordered, 10 s lifetime.
ChannelConfig browser_channel() {
  ChannelConfig config;
  config.reliability = {.ordered = false, .max_retransmits = {}, .lifetime = 10s};
  return config;
}

struct Call {
  explicit Call(const LinkConfig& link_config = {}, uint64_t seed = 1)
      : rng_client(seed),
        rng_server(seed + 1),
        client({}, DtlsRole::kClient, rng_client),
        server({}, DtlsRole::kServer, rng_server),
        link(client, server, link_config, seed + 2) {}

  // As in a call: the channel is asked for first, then DTLS comes up and the browser sends INIT; so do we.
  ChannelId open(std::string_view label = "data", const ChannelConfig& config = browser_channel()) {
    const auto id = client.open(link.now(), label, config, link.out_a());
    EXPECT_TRUE(id.has_value());
    client.connect(link.now(), link.out_a());
    server.connect(link.now(), link.out_b());
    EXPECT_TRUE(link.run(30s, [&] { return !opened_at_client().empty() && !opened_at_server().empty(); }));
    return *id;
  }
  std::vector<ChannelOpened> opened_at_client() { return all<ChannelOpened>(link.out_a()); }
  std::vector<ChannelOpened> opened_at_server() { return all<ChannelOpened>(link.out_b()); }
  bool client_sends(ChannelId id, std::string_view text) {
    return client.send(link.now(), id, as_bytes(text), true, link.out_a());
  }
  bool server_sends(ChannelId id, std::string_view text) {
    return server.send(link.now(), id, as_bytes(text), true, link.out_b());
  }

  SeededRng rng_client;
  SeededRng rng_server;
  DataChannels client;
  DataChannels server;
  Link link;
};

TEST(DataChannels, TheClientsChannelOpensAtBothEndsAsItWasAskedFor) {
  Call call;
  const ChannelId id = call.open();
  EXPECT_EQ(id % 2, 0);
  ASSERT_EQ(call.opened_at_client().size(), 1u);
  ASSERT_EQ(call.opened_at_server().size(), 1u);
  const ChannelOpened opened = call.opened_at_server()[0];
  EXPECT_EQ(opened.channel, id);
  EXPECT_EQ(opened.label, "data");
  EXPECT_EQ(opened.config.protocol, "");
  EXPECT_FALSE(opened.config.reliability.ordered);
  EXPECT_EQ(opened.config.reliability.lifetime, 10s);
  EXPECT_TRUE(opened.by_peer);
  EXPECT_FALSE(call.opened_at_client()[0].by_peer);
}

TEST(DataChannels, ServerOpensOddStreams) {
  Call call;
  call.open();
  const auto id = call.server.open(call.link.now(), "from server", {}, call.link.out_b());
  ASSERT_TRUE(id.has_value());
  EXPECT_EQ(*id % 2, 1);
  ASSERT_TRUE(call.link.run(5s, [&] { return call.opened_at_client().size() == 2; }));
  EXPECT_TRUE(call.opened_at_client()[1].config.reliability.ordered);
}

TEST(DataChannels, TextBinaryAndEmptyMessagesKeepTheirKind) {
  Call call;
  const ChannelId id = call.open();
  const Bytes binary{0, 1, 2};
  ASSERT_TRUE(call.server_sends(id, "text"));
  ASSERT_TRUE(call.server_sends(id, ""));
  ASSERT_TRUE(call.server.send(call.link.now(), id, binary, false, call.link.out_b()));
  ASSERT_TRUE(call.server.send(call.link.now(), id, {}, false, call.link.out_b()));
  call.link.run_for(2s);
  const auto got = all<ChannelMessage>(call.link.out_a());
  ASSERT_EQ(got.size(), 4u);
  EXPECT_TRUE(got[0].is_text);
  EXPECT_EQ(as_text(got[0].bytes), "text");
  EXPECT_TRUE(got[1].is_text);
  EXPECT_TRUE(got[1].bytes.empty());
  EXPECT_FALSE(got[2].is_text);
  EXPECT_EQ(got[2].bytes, binary);
  EXPECT_FALSE(got[3].is_text);
  EXPECT_TRUE(got[3].bytes.empty());
}

TEST(DataChannels, OpenAndMessagesSurviveLossAndTheServersStayInOrder) {
  for (uint64_t seed = 0; seed < 60; ++seed) {
    Call call({.loss = 0.25, .duplication = 0.1, .jitter = 40ms}, seed * 10);
    const ChannelId id = call.open();
    for (int i = 0; i < 20; ++i) {
      ASSERT_TRUE(call.client_sends(id, "client " + std::to_string(i)));
      ASSERT_TRUE(call.server_sends(id, "server " + std::to_string(i)));
    }
    ASSERT_TRUE(call.link.run(120s, [&] {
      return all<ChannelMessage>(call.link.out_a()).size() == 20 && all<ChannelMessage>(call.link.out_b()).size() == 20;
    })) << seed;
    const auto got = all<ChannelMessage>(call.link.out_a());
    for (int i = 0; i < 20; ++i) EXPECT_EQ(as_text(got[static_cast<size_t>(i)].bytes), "server " + std::to_string(i));
    EXPECT_EQ(call.opened_at_client().size(), 1u);
    EXPECT_EQ(call.opened_at_server().size(), 1u);
  }
}

TEST(DataChannels, MessagesSentBeforeTheAckDoNotOvertakeTheOpen) {
  for (uint64_t seed = 0; seed < 30; ++seed) {
    Call call({.loss = 0.2, .jitter = 60ms}, seed * 10);
    const auto id = call.client.open(call.link.now(), "data", browser_channel(), call.link.out_a());
    const Reliability unordered{.ordered = false, .max_retransmits = {}, .lifetime = {}};
    const std::string early(1'100, 'x');  // a packet of its own, or the OPEN would be in the same
    for (int i = 0; i < 5; ++i) {
      ASSERT_TRUE(call.client.send(call.link.now(), *id, as_bytes(early), true, call.link.out_a(), unordered));
    }
    call.client.connect(call.link.now(), call.link.out_a());
    ASSERT_TRUE(call.link.run(60s, [&] { return all<ChannelMessage>(call.link.out_b()).size() == 5; })) << seed;
    EXPECT_EQ(call.server.counters().drop_unknown_channel, 0u);
  }
}

// From whichever side, and also at the side that did not open the channel: what is lost is not sent again.
TEST(DataChannels, MessagesAreSentAsTheChannelWasOpened) {
  ChannelConfig once;
  once.reliability.max_retransmits = 0;
  for (const bool from_client : {true, false}) {
    Call call;
    const ChannelId id = call.open("game", once);
    call.link.run_for(1s);
    EXPECT_EQ(call.opened_at_server().at(0).config.reliability.max_retransmits, 0);
    DataChannels& from = from_client ? call.client : call.server;
    auto& out = from_client ? call.link.out_a() : call.link.out_b();
    call.link.set({.loss = 1.0});
    ASSERT_TRUE(from.send_as_opened(call.link.now(), id, as_bytes("lost"), true, out));
    call.link.run_for(100ms);
    call.link.set({});
    call.link.run_for(2s);
    ASSERT_TRUE(from.send_as_opened(call.link.now(), id, as_bytes("next"), true, out));
    call.link.run_for(2s);
    const auto got = all<ChannelMessage>(from_client ? call.link.out_b() : call.link.out_a());
    ASSERT_EQ(got.size(), 1u);
    EXPECT_EQ(as_text(got[0].bytes), "next");
    EXPECT_EQ(from.counters().abandoned_messages, 1u);
  }
}

TEST(DataChannels, MessagesOfAChannelWithALifetimeStillGoReliablyUnlessTheCallerSaysOtherwise) {
  ChannelConfig brief;
  brief.reliability.lifetime = 100ms;
  Call call;
  const ChannelId id = call.open("data", brief);
  call.link.set({.loss = 1.0});
  ASSERT_TRUE(call.server_sends(id, "answer"));
  call.link.run_for(3s);
  call.link.set({});
  call.link.run_for(5s);
  EXPECT_EQ(all<ChannelMessage>(call.link.out_a()).size(), 1u);
}

TEST(DataChannels, LargestMessageGoesBothWaysAndLargerIsRefused) {
  Call call({.loss = 0.05});
  const ChannelId id = call.open();
  const std::string largest(kMaxMessageSize, 'x');
  ASSERT_TRUE(call.client_sends(id, largest));
  ASSERT_TRUE(call.server_sends(id, largest));
  EXPECT_FALSE(call.server_sends(id, largest + "x"));
  ASSERT_TRUE(call.link.run(120s, [&] {
    return all<ChannelMessage>(call.link.out_a()).size() == 1 && all<ChannelMessage>(call.link.out_b()).size() == 1;
  }));
  EXPECT_EQ(as_text(all<ChannelMessage>(call.link.out_a())[0].bytes), largest);
}

TEST(DataChannels, AFullQueueRefusesAndDrains) {
  Call call;
  const ChannelId id = call.open();
  const std::string large(100'000, 'x');
  size_t accepted = 0;
  while (call.server_sends(id, large)) ++accepted;
  EXPECT_LE(call.server.queued_bytes(), kMaxQueuedBytes);
  ASSERT_TRUE(call.link.run(60s, [&] { return count<ChannelMessage>(call.link.out_a()) == accepted; }));
  call.link.run_for(1s);
  EXPECT_EQ(call.server.queued_bytes(), 0u);
}

TEST(DataChannels, CloseDeliversWhatWasSentAndReachesBothEnds) {
  for (uint64_t seed = 0; seed < 40; ++seed) {
    Call call({.loss = 0.2, .jitter = 20ms}, seed * 10);
    const ChannelId id = call.open();
    ASSERT_TRUE(call.client_sends(id, "last"));
    if (seed % 3 != 1) call.client.close(call.link.now(), id, call.link.out_a());
    if (seed % 3 != 0) call.server.close(call.link.now(), id, call.link.out_b());
    ASSERT_TRUE(call.link.run(60s, [&] {
      return all<ChannelClosed>(call.link.out_a()).size() == 1 && all<ChannelClosed>(call.link.out_b()).size() == 1;
    })) << seed;
    EXPECT_EQ(all<ChannelMessage>(call.link.out_b()).size(), 1u);
    EXPECT_FALSE(call.server_sends(id, "too late"));
    call.link.run_for(10s);
    // The stream is free for the next channel.
    const auto again = call.client.open(call.link.now(), "again", {}, call.link.out_a());
    EXPECT_EQ(again, id);
    ASSERT_TRUE(call.link.run(60s, [&] { return call.opened_at_server().size() == 2; })) << seed;
    ASSERT_TRUE(call.client_sends(id, "more"));
    ASSERT_TRUE(call.link.run(60s, [&] { return all<ChannelMessage>(call.link.out_b()).size() == 2; })) << seed;
  }
}

TEST(DataChannels, ChannelsAreLimitedAtBothEnds) {
  Call call;
  call.open();
  for (size_t i = 1; i < kMaxChannels; ++i) {
    ASSERT_TRUE(call.client.open(call.link.now(), "more", {}, call.link.out_a()).has_value());
  }
  EXPECT_FALSE(call.client.open(call.link.now(), "too many", {}, call.link.out_a()).has_value());
  ASSERT_TRUE(call.link.run(5s, [&] { return call.opened_at_server().size() == kMaxChannels; }));
  // The other end is at its limit as well, and refuses by resetting the stream.
  EXPECT_FALSE(call.server.open(call.link.now(), "too many", {}, call.link.out_b()).has_value());
}

// An association whose DCEP the test writes itself: a peer that does not keep the rules.
struct Rogue {
  Rogue() : rng_a(1), rng_b(2), peer({}, rng_a), end({}, DtlsRole::kServer, rng_b), link(peer, end, {}, 3) {
    peer.connect(link.now(), link.out_a());
    EXPECT_TRUE(link.run(5s, [&] { return peer.is_up() && end.is_up(); }));
  }
  void send(uint16_t stream, uint32_t ppid, const Bytes& bytes) {
    ASSERT_TRUE(peer.send(link.now(), stream, ppid, bytes, {}, link.out_a()));
    link.run_for(1s);
  }
  SeededRng rng_a;
  SeededRng rng_b;
  Association peer;
  DataChannels end;
  LossyLink<Association, DataChannels, AssociationOutput, Output> link;
};

TEST(DataChannels, BadDcepIsCountedAndRefused) {
  DcepOpen open;
  open.label = "x";
  Rogue rogue;
  rogue.send(0, 50, Bytes{3, 0});
  EXPECT_EQ(rogue.end.counters().drop_dcep_malformed, 1u);
  rogue.send(1, 50, write_dcep_open(open));  // odd is ours
  EXPECT_EQ(rogue.end.counters().drop_dcep_refused, 1u);
  const auto is_reset = [](const AssociationEvent& event) { return std::holds_alternative<PeerResetStreams>(event); };
  const auto& events = rogue.link.out_a().events;
  EXPECT_EQ(std::count_if(events.begin(), events.end(), is_reset), 1);
  rogue.send(0, 50, write_dcep_open(open));
  EXPECT_EQ(all<ChannelOpened>(rogue.link.out_b()).size(), 1u);
  rogue.send(0, 50, write_dcep_open(open));  // twice
  EXPECT_EQ(rogue.end.counters().drop_dcep_refused, 2u);
  rogue.send(2, 51, Bytes{'x'});
  EXPECT_EQ(rogue.end.counters().drop_unknown_channel, 1u);
  rogue.send(0, 52, Bytes{'x'});  // the deprecated partial kinds of RFC 8831 8
  EXPECT_EQ(rogue.end.counters().drop_unknown_ppid, 1u);
  const std::string long_label(kMaxLabelSize + 1, 'x');
  open.label = long_label;
  rogue.send(4, 50, write_dcep_open(open));
  EXPECT_EQ(rogue.end.counters().drop_dcep_refused, 3u);
  open.label = "x";
  for (uint16_t i = 1; i <= kMaxChannels; ++i) rogue.send(static_cast<uint16_t>(10 + 2 * i), 50, write_dcep_open(open));
  EXPECT_EQ(rogue.end.counters().drop_dcep_refused, 4u);
  EXPECT_EQ(all<ChannelOpened>(rogue.link.out_b()).size(), kMaxChannels);
  EXPECT_TRUE(all<ChannelMessage>(rogue.link.out_b()).empty());
}

TEST(DataChannels, EndOfTheAssociationClosesEveryChannel) {
  Call call;
  call.open();
  call.server.abort(call.link.now(), call.link.out_b());
  call.link.run_for(1s);
  EXPECT_EQ(all<ChannelClosed>(call.link.out_a()).size(), 1u);
  EXPECT_EQ(all<ChannelClosed>(call.link.out_b()).size(), 1u);
  ASSERT_EQ(all<ChannelsDown>(call.link.out_a()).size(), 1u);
  EXPECT_EQ(all<ChannelsDown>(call.link.out_a())[0].reason, DisconnectReason::kPeerAborted);
  EXPECT_EQ(call.client.next_timeout(), kNever);
  EXPECT_FALSE(call.client.open(call.link.now(), "late", {}, call.link.out_a()).has_value());
}

TEST(DataChannels, ShutdownDeliversFirst) {
  Call call({.loss = 0.1}, 5);
  const ChannelId id = call.open();
  ASSERT_TRUE(call.server_sends(id, std::string(50'000, 'x')));
  call.server.shutdown(call.link.now(), call.link.out_b());
  ASSERT_TRUE(call.link.run(60s, [&] { return call.client.is_down() && call.server.is_down(); }));
  EXPECT_EQ(all<ChannelMessage>(call.link.out_a()).size(), 1u);
  EXPECT_EQ(all<ChannelsDown>(call.link.out_b())[0].reason, DisconnectReason::kShutdown);
}

TEST(DataChannels, OneSeedGivesOneTrace) {
  const auto trace = [](uint64_t seed) {
    Call call({.loss = 0.1, .duplication = 0.1, .jitter = 20ms}, seed);
    const ChannelId id = call.open();
    EXPECT_TRUE(call.server_sends(id, std::string(50'000, 'x')));
    call.link.run_for(20s);
    return call.link.trace_hash();
  };
  EXPECT_EQ(trace(1), trace(1));
  EXPECT_NE(trace(1), trace(2));
}

}  // namespace
}  // namespace atm::sctp

#include "core/peer/peer.h"

#include <gtest/gtest.h>

#include <set>

#include "core/peer/call_test.h"
#include "wire/rtp/packet.h"

namespace atm::peer {
namespace {

using negotiation::Direction;
constexpr MediaKind kAudio = MediaKind::kAudio;
constexpr MediaKind kVideo = MediaKind::kVideo;
constexpr uint32_t kClientSsrc = 1'000;

// m-lines: 0 data, 1 video from the client, 2 video to the client.
std::vector<negotiation::OfferMedia> both_ways() {
  return {Call::line(kVideo, Direction::kSendOnly, "up", kClientSsrc),
          Call::line(kVideo, Direction::kRecvOnly, "down")};
}

std::string replace_all(std::string text, const std::string& from, const std::string& to) {
  for (size_t at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size()))
    text.replace(at, from.size(), to);
  return text;
}

struct PeerTest : testing::Test {
  CallWorld world{1};
  Call call{world};

  size_t received_by(const Call::End& end, const std::string& payload) const {
    return static_cast<size_t>(
        std::count_if(end.got.begin(), end.got.end(), [&](const auto& g) { return as_text(g.payload) == payload; }));
  }
  bool media_goes_both_ways(const std::string& what, int64_t sequence) {
    call.send(call.client, 1, sequence, what + " up");
    call.send(call.server, 2, sequence, what + " down");
    call.run(200ms);
    return received_by(call.server, what + " up") == 1 && received_by(call.client, what + " down") == 1;
  }
};

TEST_F(PeerTest, ConnectsOpensTheChannelAndCarriesMediaAndMessages) {
  ASSERT_TRUE(call.connect(both_ways()));
  EXPECT_EQ(call.server.count<Connected>(), 1u);
  EXPECT_EQ(call.server.count<ChannelOpened>(), 1u);
  EXPECT_TRUE(media_goes_both_ways("first", 100));
  Output out = call.client.output();
  ASSERT_TRUE(call.client.peer->send_message(world.now, 0, as_bytes("hello"), true, out));
  call.flush(call.client);
  call.run(100ms);
  EXPECT_EQ(call.server.count<ChannelMessage>(), 1u);
}

TEST_F(PeerTest, ALostPacketIsAskedForAndComesByRtx) {
  ASSERT_TRUE(call.connect(both_ways()));
  for (int64_t sequence = 100; sequence < 110; ++sequence) {
    if (sequence == 105) {
      call.drop = [](bool to_server, const Bytes& d) {
        return !to_server && rtp::classify(d) == rtp::PacketClass::kRtp;
      };
    }
    call.send(call.server, 2, sequence, "packet " + std::to_string(sequence));
    call.drop = nullptr;
    call.run(10ms);
  }
  call.run(300ms);
  EXPECT_EQ(received_by(call.client, "packet 105"), 1u);
  EXPECT_EQ(call.server.peer->counters().rtx_sent, 1u);
}

// RFC 9143 9.2. Media of a new m-line may come before the answer that names its SSRC was applied.
TEST_F(PeerTest, AnSsrcThatTheRemoteDoesNotKnowYetIsFoundByItsMid) {
  auto text = call.answer(call.client.peer->make_offer(both_ways(), {}));
  ASSERT_TRUE(text);
  size_t named = 0;
  for (size_t at; (at = text->find("a=ssrc")) != std::string::npos; ++named)
    text->erase(at, text->find('\n', at) + 1 - at);
  ASSERT_GT(named, 0u);
  ASSERT_TRUE(call.accept(*text));
  call.run(2s);
  EXPECT_TRUE(media_goes_both_ways("unnamed", 100));
}

// The last of RFC 9143 9.2's means, for senders that write neither a=ssrc nor MIDs.
TEST_F(PeerTest, AnSsrcWithoutAMidIsFoundByAPayloadTypeThatOneMLineHas) {
  for (const size_t lines : {1, 2}) {
    Call own{world};
    std::vector<negotiation::OfferMedia> media;
    for (size_t i = 0; i < lines; ++i) {
      media.push_back(Call::line(MediaKind::kVideo, Direction::kSendOnly, "up" + std::to_string(i), 1'000 + 10 * i));
    }
    std::string offer = own.client.peer->make_offer(media, {});
    for (const std::string_view text : {"a=ssrc", "sdes:mid"}) {
      for (size_t at; (at = offer.find(text)) != std::string::npos;) {
        const size_t begin = offer.rfind('\n', at) + 1;
        offer.erase(begin, offer.find('\n', at) + 1 - begin);
      }
    }
    const auto answer = own.answer(offer);
    ASSERT_TRUE(answer);
    ASSERT_TRUE(own.accept(*answer));
    own.run(2s);
    own.send(own.client, 1, 100, "nameless");
    own.run(200ms);
    EXPECT_EQ(received_by(own.server, "nameless"), lines == 1 ? 1u : 0u);
  }
}

TEST_F(PeerTest, TheMidGoesAlongUntilAReportComes) {
  ASSERT_TRUE(call.connect(both_ways()));
  std::vector<size_t> sizes;
  call.watch = [&](bool to_server, const Bytes& d) {
    if (!to_server && rtp::classify(d) == rtp::PacketClass::kRtp) sizes.push_back(d.size());
  };
  for (int i = 0; i < 30; ++i) {
    call.send(call.server, 2, 100 + i, "down");
    call.run(100ms);
  }
  ASSERT_EQ(sizes.size(), 30u);
  EXPECT_GT(sizes.front(), sizes.back());
  EXPECT_EQ(sizes.back(), 12 + 4 + 16u) << "header, payload, tag";
}

TEST_F(PeerTest, AWrongFingerprintIsRefusedByTheHandshake) {
  std::string offer = call.client.peer->make_offer(both_ways(), {});
  const std::string real = call.client.context->certificate().fingerprint();
  std::string wrong = real;
  wrong[0] = wrong[0] == 'A' ? 'B' : 'A';
  const auto answer = call.answer(replace_all(offer, real, wrong));
  ASSERT_TRUE(answer);
  ASSERT_TRUE(call.accept(*answer));
  call.run(5s);
  EXPECT_FALSE(call.server.peer->is_connected());
  EXPECT_EQ(call.server.count<Connected>(), 0u);
  EXPECT_EQ(call.server.count<Failed>(), 1u);
}

TEST_F(PeerTest, AnotherFingerprintWithinASessionIsRefused) {
  ASSERT_TRUE(call.connect(both_ways()));
  const std::string real = call.client.context->certificate().fingerprint();
  std::string other = real;
  other[0] = other[0] == 'A' ? 'B' : 'A';
  EXPECT_FALSE(call.answer(replace_all(call.client.peer->make_offer(both_ways(), {}), real, other)));
  EXPECT_TRUE(media_goes_both_ways("still", 100));
}

TEST_F(PeerTest, ARenegotiationAddsMLinesAndTheOldOnesGoOn) {
  ASSERT_TRUE(call.connect(both_ways()));
  ASSERT_TRUE(media_goes_both_ways("before", 100));
  const uint32_t ssrc = call.server.peer->media(2).ssrc();
  auto more = both_ways();
  more.push_back(Call::line(kAudio, Direction::kRecvOnly, "down-2"));
  more.push_back(Call::line(kAudio, Direction::kSendOnly, "up-2", 2'000));
  ASSERT_TRUE(call.negotiate(more));
  EXPECT_EQ(call.server.peer->media(2).ssrc(), ssrc);
  EXPECT_TRUE(media_goes_both_ways("after", 101));
  call.send(call.server, 3, 50, "new down");
  call.send(call.client, 4, 50, "new up");
  call.run(100ms);
  EXPECT_EQ(received_by(call.client, "new down"), 1u);
  EXPECT_EQ(received_by(call.server, "new up"), 1u);
}

TEST_F(PeerTest, TheSameOfferTwentyTimesRestartsIceOnce) {
  ASSERT_TRUE(call.connect(both_ways()));
  const std::string before = call.server.peer->local_ufrag();
  call.client.peer->restart_ice(world.now);
  const std::string offer = call.client.peer->make_offer(both_ways(), {});
  std::set<std::string> ufrags;
  std::string answer;
  for (int i = 0; i < 20; ++i) {
    const auto result = call.answer(offer);
    ASSERT_TRUE(result);
    answer = *result;
    ufrags.insert(call.server.peer->local_ufrag());
  }
  EXPECT_EQ(ufrags.size(), 1u);
  EXPECT_FALSE(ufrags.contains(before));
  ASSERT_TRUE(call.accept(answer));
  call.run(40s);  // longer than the old credentials are good for
  EXPECT_TRUE(media_goes_both_ways("restarted", 100));
}

TEST_F(PeerTest, ARefusedRestartLeavesTheCredentialsAlone) {
  ASSERT_TRUE(call.connect(both_ways()));
  const std::string before = call.server.peer->local_ufrag();
  std::string offer = call.client.peer->make_offer(both_ways(), {});
  const std::string ufrag = "a=ice-ufrag:" + call.client.peer->local_ufrag();
  offer = replace_all(replace_all(offer, ufrag, "a=ice-ufrag:another"), "a=setup:actpass", "a=setup:passive");
  for (int i = 0; i < 5; ++i) EXPECT_FALSE(call.answer(offer));
  EXPECT_EQ(call.server.peer->local_ufrag(), before);
  call.run(60s);
  EXPECT_TRUE(media_goes_both_ways("unmoved", 100));
}

// --- what one SRTP index may be used for ---

TEST_F(PeerTest, AnMLineKeepsItsSsrcsOverAnInactiveTime) {
  ASSERT_TRUE(call.connect(both_ways()));
  const uint32_t ssrc = call.server.peer->media(2).ssrc();
  const uint32_t rtx_ssrc = call.server.peer->media(2).rtx_ssrc();
  // A rollover counter above zero: under a new SSRC the client could not decrypt this any more.
  for (int64_t sequence = 65'530; sequence < 65'545; ++sequence) call.send(call.server, 2, sequence, "x");
  call.run(100ms);
  for (int i = 0; i < 20; ++i) {
    auto media = both_ways();
    media[1].direction = Direction::kInactive;
    ASSERT_TRUE(call.negotiate(media));
    ASSERT_TRUE(call.negotiate(both_ways()));
    EXPECT_EQ(call.server.peer->media(2).ssrc(), ssrc);
    EXPECT_EQ(call.server.peer->media(2).rtx_ssrc(), rtx_ssrc);
    const std::string lost = "lost " + std::to_string(i);
    call.send(call.server, 2, 65'545 + 3 * i, "again");
    call.drop = [](bool, const Bytes&) { return true; };
    call.send(call.server, 2, 65'546 + 3 * i, lost);
    call.drop = nullptr;
    call.send(call.server, 2, 65'547 + 3 * i, "next " + std::to_string(i));
    call.run(300ms);
    EXPECT_EQ(received_by(call.client, "next " + std::to_string(i)), 1u);
    EXPECT_EQ(received_by(call.client, lost), 1u) << "by RTX";
  }
}

TEST_F(PeerTest, ARecycledMLineGetsOtherSsrcs) {
  ASSERT_TRUE(call.connect(both_ways()));
  call.send(call.server, 2, 100, "old");
  const uint32_t ssrc = call.server.peer->media(2).ssrc();
  auto media = both_ways();
  media[1].mid = "recycled";
  ASSERT_TRUE(call.negotiate(media));
  EXPECT_NE(call.server.peer->media(2).ssrc(), ssrc) << "another stream numbers from its own start";
  for (int64_t sequence = 100; sequence < 110; sequence += 2) {
    call.send(call.server, 2, sequence, "new " + std::to_string(sequence));  // 101, 103 … come by RTX
    call.drop = [](bool, const Bytes&) { return true; };
    call.send(call.server, 2, sequence + 1, "new " + std::to_string(sequence + 1));
    call.drop = nullptr;
  }
  call.send(call.server, 2, 110, "new 110");
  call.run(500ms);
  for (int sequence = 100; sequence <= 110; ++sequence)
    EXPECT_EQ(received_by(call.client, "new " + std::to_string(sequence)), 1u);
}

TEST_F(PeerTest, AnMLineOfAnotherKindUnderItsOldMidGetsOtherSsrcs) {
  ASSERT_TRUE(call.connect(both_ways()));
  const uint32_t ssrc = call.server.peer->media(2).ssrc();
  call.send(call.server, 2, 100, "video");
  EXPECT_EQ(call.server.peer->media(2).next_sequence(), 101);
  auto media = both_ways();
  media[1].kind = kAudio;
  ASSERT_TRUE(call.negotiate(media));
  EXPECT_NE(call.server.peer->media(2).ssrc(), ssrc);
  EXPECT_EQ(call.server.peer->media(2).next_sequence(), 0);
}

TEST_F(PeerTest, AStreamThatIsMadeAnewSaysThatItsNumbersBeganAnew) {
  ASSERT_TRUE(call.connect(both_ways()));
  call.send(call.client, 1, 100, "one");
  call.run(100ms);
  ASSERT_EQ(call.server.got.size(), 1u);
  // The m-line goes inactive and comes back: nothing is remembered of the stream, and its numbers may come again.
  negotiation::Policy nothing_for_video;
  nothing_for_video.codecs = {Codec::kOpus};
  const std::string offer = call.client.peer->make_offer(both_ways(), {});
  ASSERT_TRUE(call.answer(offer, nothing_for_video));
  EXPECT_FALSE(call.server.peer->media(1).is_receiving());
  ASSERT_TRUE(call.answer(offer));
  call.send(call.client, 1, 101, "two");
  call.run(100ms);
  ASSERT_EQ(call.server.got.size(), 2u);
  EXPECT_NE(call.server.got[1].epoch, call.server.got[0].epoch);
}

TEST_F(PeerTest, ManyRepublishingsOfOneMLineDoNotUseItsStreamsUp) {
  ASSERT_TRUE(call.connect(both_ways()));
  for (uint32_t i = 1; i <= 40; ++i) {
    auto media = both_ways();
    media[0].ssrc = kClientSsrc + 10 * i;
    media[0].rtx_ssrc = kClientSsrc + 10 * i + 1;
    ASSERT_TRUE(call.negotiate(media));
    EXPECT_NE(call.server.peer->media(1).find_receive_stream(media[0].ssrc), nullptr) << i;
  }
}

TEST_F(PeerTest, AGapTooLargeToRepairIsToldAtOnce) {
  ASSERT_TRUE(call.connect(both_ways()));
  call.send(call.client, 1, 100, "before");
  call.send(call.client, 1, 1'000, "after");
  call.run(50ms);
  EXPECT_EQ(call.server.count<PictureLost>(), 1u);
}

// --- strangers and garbage ---

TEST_F(PeerTest, MediaCountsFromAValidatedPathOnly) {
  ASSERT_TRUE(call.connect(both_ways()));
  std::vector<Bytes> captured;
  call.drop = [&](bool to_server, const Bytes& datagram) {
    if (to_server) captured.push_back(datagram);
    return to_server;
  };
  call.send(call.client, 1, 100, "authentic");
  call.drop = nullptr;
  ASSERT_EQ(captured.size(), 1u);
  const SocketAddress stranger{IpAddress::v4(203, 0, 113, 9), 9};
  const auto path = call.server.peer->selected_path();
  call.deliver(call.server, stranger, captured[0]);
  EXPECT_EQ(call.server.got.size(), 0u);
  EXPECT_EQ(call.server.peer->counters().drop_not_validated, 1u);
  EXPECT_EQ(call.server.peer->selected_path(), path);
  call.deliver(call.server, call.client.address, captured[0]);
  EXPECT_EQ(call.server.got.size(), 1u);
}

TEST_F(PeerTest, EveryTruncationOfEverythingHasNoEffectOnTheCall) {
  std::vector<Bytes> captured;
  call.watch = [&](bool to_server, const Bytes& datagram) {
    if (to_server && captured.size() < 60) captured.push_back(datagram);
  };
  ASSERT_TRUE(call.connect(both_ways()));
  call.send(call.client, 1, 100, "media");
  call.run(2s);
  call.watch = nullptr;
  for (const Bytes& datagram : captured) {
    for (size_t size = 0; size < datagram.size(); ++size) {
      call.deliver(call.server, call.client.address,
                   Bytes(datagram.begin(), datagram.begin() + static_cast<ptrdiff_t>(size)));
    }
  }
  call.run(1s);
  EXPECT_EQ(call.server.count<Failed>() + call.server.count<RemoteClosed>(), 0u);
  EXPECT_TRUE(media_goes_both_ways("after the storm", 200));
}

TEST_F(PeerTest, RandomDatagramsOfEveryClassHaveNoEffectOnTheCall) {
  ASSERT_TRUE(call.connect(both_ways()));
  SeededRng noise(7);
  for (int i = 0; i < 20'000; ++i) {
    Bytes datagram(noise.below(200));
    noise.fill(datagram);
    constexpr uint8_t kFirst[] = {0, 1, 20, 22, 23, 63, 128, 144, 191, 255};
    if (!datagram.empty()) datagram[0] = kFirst[noise.below(10)];
    if (datagram.size() > 1 && noise.below(2) == 0) datagram[1] = static_cast<uint8_t>(192 + noise.below(32));
    call.deliver(call.server, call.client.address, std::move(datagram));
  }
  EXPECT_EQ(call.server.count<Failed>() + call.server.count<RemoteClosed>(), 0u);
  EXPECT_TRUE(media_goes_both_ways("after the storm", 200));
}

TEST_F(PeerTest, IsNeverDueInThePastForLong) {
  ASSERT_TRUE(call.connect(both_ways()));
  call.drop = [](bool, const Bytes&) { return true; };
  for (int i = 0; i < 20; ++i) call.send(call.client, 1, 100 + 3 * i, "gap");
  for (int turn = 0; turn < 200; ++turn) {
    for (Call::End* end : {&call.server, &call.client}) {
      Output out = end->output();
      end->peer->on_timeout(world.now, out);
      end->out.clear();
      EXPECT_GT(end->peer->next_timeout(), world.now.mono) << "turn " << turn;
    }
    world.set_time(world.now.mono + 337ms);
  }
}

}  // namespace
}  // namespace atm::peer

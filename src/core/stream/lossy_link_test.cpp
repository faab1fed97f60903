// A SendStream and a ReceiveStream over a link that loses, delays and reorders, in virtual time; and the promise that
// neither allocates per packet.
#include <gtest/gtest.h>

#include <cstdlib>
#include <map>
#include <new>
#include <set>

#include "base/rng.h"
#include "core/stream/receive_stream.h"
#include "core/stream/send_stream.h"
#include "core/stream/stream_test_support.h"
#include "wire/rtcp/writer.h"

namespace {
size_t allocations = 0;
}

void* operator new(size_t size) {
  ++allocations;
  if (void* memory = std::malloc(size)) return memory;
  throw std::bad_alloc();
}
void operator delete(void* memory) noexcept {
  std::free(memory);
}
void operator delete(void* memory, size_t) noexcept {
  std::free(memory);
}

namespace atm::stream {
namespace {

constexpr uint32_t kSsrc = 0x1111;
constexpr uint32_t kRtxSsrc = 0x2222;

// 20 ms there and 20 ms back; media lost with `loss_percent`, one packet in twenty delayed by up to 8 ms more.
class Link {
 public:
  Link(uint64_t seed, uint32_t loss_percent) : rng_(seed), loss_percent_(loss_percent) {}

  void run(int packets) {
    const int first = next_;
    for (int64_t us = 0; next_ < first + packets || us < 2'000'000 + packets * 2'000; us += 1'000) {
      clock_ += 1'000us;
      if (us % 2'000 == 0 && next_ < first + packets) send_media();
      deliver();
      if (receiver.next_timeout() <= at(clock_).mono) send_nacks();
    }
  }

  PacketPool pool;
  SendStream sender{{kSsrc, kRtxSsrc, 90'000, kHistoryPackets, 65'530}};
  ReceiveStream receiver{{kSsrc, kRtxSsrc, 90'000, true}};
  std::multiset<int64_t> got;
  uint64_t lost = 0;
  int key_frames_wanted = 0;

 private:
  void send_media() {
    const uint16_t sequence = static_cast<uint16_t>(65'000 + next_);
    SentPacket packet;
    packet.sequence = sequence;
    packet.timestamp = static_cast<uint32_t>(next_ / 5) * 900u;
    packet.marker = next_ % 5 == 4;
    packet.payload_type = 96;
    packet.rtx_payload_type = 97;
    uint8_t payload[300] = {};
    store_u32(payload, static_cast<uint32_t>(next_));
    packet.payload = pool.copy(payload);
    ++next_;
    Bytes out(1'500);
    out.resize(sender.write(out, packet, {}));
    sender.on_sent(at(clock_), packet);
    transmit(std::move(out));
  }
  void transmit(Bytes packet) {
    if (rng_.below(100) < loss_percent_) {
      ++lost;
      return;
    }
    const Duration extra{rng_.below(20) == 0 ? rng_.below(8'000) : 0};
    in_flight_.emplace(at(clock_ + 20ms + extra).mono, std::move(packet));
  }
  void deliver() {
    const Now now = at(clock_);
    while (!in_flight_.empty() && in_flight_.begin()->first <= now.mono) {
      Bytes bytes = std::move(in_flight_.begin()->second);
      in_flight_.erase(in_flight_.begin());
      auto view = rtp::parse(bytes);
      ASSERT_TRUE(view);
      auto via = ReceiveStream::Via::kMedia;
      if (view->ssrc == kRtxSsrc) {
        via = ReceiveStream::Via::kRtx;
        ASSERT_TRUE(receiver.unwrap_rtx(now.mono, *view, 96));
      }
      const auto received = receiver.on_packet(now, now.mono, *view, via);
      if (!received.accepted) continue;
      got.insert(received.sequence);
      // What arrives is what was sent, by whichever way.
      const uint32_t index = load_u32(view->payload.data());
      EXPECT_EQ(static_cast<uint16_t>(65'000 + index), view->sequence);
      EXPECT_EQ(view->timestamp, index / 5 * 900);
      EXPECT_EQ(view->marker, index % 5 == 4);
      EXPECT_EQ(view->payload.size(), 300u);
    }
    while (!nacks_.empty() && nacks_.begin()->first <= now.mono) {
      rtcp::for_each_packet(nacks_.begin()->second, [&](const rtcp::Packet& packet) {
        std::get<rtcp::Nack>(packet).for_each_sequence([&](uint16_t sequence) {
          const SentPacket* again = sender.find_for_retransmission(now, sequence);
          if (again == nullptr) return;
          Bytes out(1'500);
          out.resize(sender.write_rtx(out, *again, {}));
          transmit(std::move(out));
        });
      });
      nacks_.erase(nacks_.begin());
    }
  }
  void send_nacks() {
    std::vector<uint16_t> sequences;
    receiver.collect_nacks(at(clock_), sequences);
    key_frames_wanted += receiver.take_key_frame_wanted();
    if (sequences.empty() || rng_.below(100) < loss_percent_) return;  // feedback is lost too
    Bytes buffer(1'200);
    rtcp::CompoundWriter writer(buffer);
    ASSERT_EQ(writer.nack(1, kSsrc, sequences), sequences.size());
    buffer.resize(writer.size());
    nacks_.emplace(at(clock_ + 20ms).mono, std::move(buffer));
  }

  SeededRng rng_;
  uint32_t loss_percent_;
  Duration clock_{0};
  int next_ = 0;
  std::multimap<Instant, Bytes> in_flight_;
  std::multimap<Instant, Bytes> nacks_;
};

TEST(LossyLink, every_packet_arrives_once_at_ten_percent_loss) {
  for (const uint64_t seed : {1u, 2u, 3u}) {
    Link link(seed, 10);
    link.receiver.set_rtt(40ms);
    link.run(5'000);  // over the wrap of the sequence numbers
    EXPECT_GT(link.lost, 400u);
    EXPECT_EQ(link.got.size(), 5'000u);
    EXPECT_EQ(std::set<int64_t>(link.got.begin(), link.got.end()).size(), 5'000u);
    EXPECT_EQ(*link.got.rbegin() - *link.got.begin(), 4'999);
    EXPECT_EQ(link.key_frames_wanted, 0);
    // Repair costs about what was lost, not a multiple: no request crosses its own answer.
    EXPECT_LT(link.sender.counters().rtx_packets, link.lost * 12 / 10);
    // The report tells the loss of the path, not what RTX made of it.
    const auto block = link.receiver.make_report_block(at(20s));
    EXPECT_GT(block->cumulative_lost, 400);
    EXPECT_LT(block->cumulative_lost, 600);
  }
}

TEST(LossyLink, at_thirty_percent_loss_what_cannot_be_repaired_wants_a_key_frame) {
  Link link(7, 30);
  link.receiver.set_rtt(40ms);
  link.run(5'000);
  EXPECT_GT(link.got.size(), 4'990u);
  EXPECT_EQ(link.got.size(), std::set<int64_t>(link.got.begin(), link.got.end()).size());
  EXPECT_GE(link.got.size() + link.receiver.counters().nacks_requested, 5'000u);
}

TEST(LossyLink, without_loss_nothing_is_asked_for) {
  Link link(4, 0);
  link.run(2'000);
  EXPECT_EQ(link.got.size(), 2'000u);
  EXPECT_EQ(link.receiver.counters().nacks_requested, 0u);  // 8 ms of reordering are within the wait
  EXPECT_EQ(link.sender.counters().rtx_packets, 0u);
}

TEST(LossyLink, neither_side_allocates_per_packet) {
  PacketPool pool;
  SendStream sender({kSsrc, kRtxSsrc, 90'000, kHistoryPackets, 0});
  ReceiveStream receiver({kSsrc, kRtxSsrc, 90'000, true});
  Bytes out(1'500);
  std::vector<uint16_t> sequences;
  sequences.reserve(MissingList::kMaxMissing);
  const Bytes payload(1'000);
  size_t before = 0;
  for (int i = 0; i < 20'000; ++i) {
    if (i == 10'000) before = allocations;
    const Now now = at(i * 1ms);
    SentPacket packet;
    packet.sequence = static_cast<uint16_t>(i);
    packet.payload_type = 96;
    packet.rtx_payload_type = 97;
    packet.payload = pool.copy(payload);
    size_t size = sender.write(out, packet, {});
    sender.on_sent(now, packet);
    if (i % 10 != 3) {
      auto view = rtp::parse(MutByteView(out).first(size));
      receiver.on_packet(now, now.mono, *view);
    }
    sequences.clear();
    receiver.collect_nacks(now, sequences);
    for (const uint16_t sequence : sequences) {
      const SentPacket* again = sender.find_for_retransmission(now, sequence);
      ASSERT_NE(again, nullptr);
      size = sender.write_rtx(out, *again, {});
      auto view = rtp::parse(MutByteView(out).first(size));
      ASSERT_TRUE(receiver.unwrap_rtx(now.mono, *view, 96));
      ASSERT_TRUE(receiver.on_packet(now, now.mono, *view, ReceiveStream::Via::kRtx).accepted);
    }
  }
  EXPECT_EQ(receiver.counters().recovered, 2'000u - 1);
  EXPECT_EQ(allocations - before, 0u);
}

}  // namespace
}  // namespace atm::stream

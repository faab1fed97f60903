// What an endpoint holds for a peer that never completes anything (docs/reliability.md, row 5).
#include "core/sctp/reassembly.h"

#include "core/sctp/association_test.h"

namespace atm::sctp {
namespace {

// Each flood is given whole, however many of its chunks are refused; what is held is read off the window in the SACKs.
struct Flood {
  Flood() { hand.establish(); }
  void give(const DataChunk& data) {
    const auto out = hand.give_data(data);
    delivered += messages(out).size();
    for (const Chunk& chunk : chunks_of(out, ChunkType::kSack)) {
      least_window = std::min<size_t>(least_window, parse_sack(chunk)->receiver_window);
    }
  }
  uint64_t refused() const {
    const Counters& c = hand.end.counters();
    return c.drop_receive_buffer + c.drop_tsn_too_far;
  }
  ByHand hand;
  size_t delivered = 0;
  size_t least_window = kReceiveWindow;
};

TEST(SctpReassembly, IsCappedInBytes) {
  Flood flood;
  const Bytes payload(1'000, 1);
  // A middle without a beginning, and more behind it than any window.
  for (uint32_t tsn = 2; tsn < 5'000; ++tsn) flood.give(ByHand::data(tsn, 0, 0, payload, tsn == 2 ? "B" : ""));
  EXPECT_TRUE(flood.hand.end.is_down());
  EXPECT_EQ(flood.hand.end.counters().abort_message_too_large, 1u);

  Flood many;
  // Messages that each lack their end.
  for (uint32_t tsn = 2; tsn < 8'000; tsn += 2) many.give(ByHand::data(tsn, 0, 0, payload, "BU"));
  EXPECT_TRUE(many.hand.end.is_up());
  EXPECT_GT(many.refused(), 3'000u);
}

TEST(SctpReassembly, IsCappedInUnorderedFragments) {
  Flood flood;
  // One byte each, no two of one message: holes between them, as many as a SACK can name.
  for (uint32_t tsn = 2; tsn < 30'000; tsn += 2) flood.give(ByHand::data(tsn, 0, 0, Bytes{1}, "BU"));
  EXPECT_EQ(14'999u - flood.refused(), kMaxGapRuns);
  EXPECT_TRUE(flood.hand.end.is_up());

  Flood run;
  // One byte each, one message that never begins: as many as the window holds with what each costs.
  for (uint32_t tsn = 2; tsn < 16'000; ++tsn) run.give(ByHand::data(tsn, 0, 0, Bytes{1}, "U"));
  EXPECT_EQ(15'998u - run.refused(), kReceiveWindow / (1 + kHeldOverhead));
  EXPECT_TRUE(run.hand.end.is_up());
  EXPECT_LT(run.least_window, 2 * (1 + kHeldOverhead));
}

TEST(SctpReassembly, IsCappedInStreams) {
  Flood flood;  // which agreed on 100 streams
  uint32_t tsn = 0;
  for (uint32_t stream = 0; stream < 65'536; ++stream) {
    // Number 1 waits for number 0.
    flood.give(ByHand::data(++tsn, static_cast<uint16_t>(stream), 1, Bytes{1}, "BE"));
  }
  EXPECT_TRUE(flood.hand.end.is_up());
  EXPECT_EQ(flood.hand.end.counters().drop_invalid_stream, 65'536u - 100u);
  EXPECT_EQ(flood.delivered, 0u);
  // All 100 are still usable.
  for (uint16_t stream = 0; stream < 100; ++stream) flood.give(ByHand::data(++tsn, stream, 0, Bytes{1}, "BE"));
  EXPECT_EQ(flood.delivered, 200u);
}

TEST(SctpReassembly, IsCappedInOrderedMessagesThatWait) {
  Flood flood;
  uint32_t tsn = 0;
  while (flood.hand.end.is_up() && tsn < 10'000) {
    ++tsn;
    flood.give(ByHand::data(tsn, 0, static_cast<uint16_t>(tsn), Bytes{1}, "BE"));  // number 0 never comes
  }
  EXPECT_EQ(flood.hand.end.counters().abort_reassembly_full, 1u);
  EXPECT_LE(tsn, kReassemblyCap / (1 + kHeldOverhead) + 1);
}

TEST(SctpReassembly, LetsGoOfEverythingWhenMessagesAreDelivered) {
  Counters counters;
  Reassembly reassembly(10'000, counters);
  std::vector<Message> out;
  for (int64_t tsn = 100; tsn > 1; --tsn) {
    const char* flags = tsn == 100 ? "E" : "";
    ASSERT_EQ(reassembly.add(tsn, ByHand::data(static_cast<uint32_t>(tsn), 0, 0, Bytes{2}, flags), out),
              Reassembly::Outcome::kOk);
  }
  EXPECT_EQ(reassembly.held_bytes(), 99 * (1 + kHeldOverhead));
  reassembly.add(1, ByHand::data(1, 0, 0, Bytes{2}, "B"), out);
  ASSERT_EQ(out.size(), 1u);
  EXPECT_EQ(out[0].payload, Bytes(100, 2));
  EXPECT_EQ(reassembly.held_bytes(), 0u);
}

}  // namespace
}  // namespace atm::sctp

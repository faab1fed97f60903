#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>
#include <vector>

#include "base/rng.h"
#include "media/sender/red_reader.h"
#include "media/sender/red_writer.h"

namespace atm::sender {
namespace {

constexpr uint8_t kOpus = 111;
constexpr uint32_t kFrame = 960;  // 20 ms

// TOC of one 20 ms frame, and its number.
Bytes frame_bytes(int64_t number) {
  return {0x78, static_cast<uint8_t>(number >> 16), static_cast<uint8_t>(number >> 8), static_cast<uint8_t>(number)};
}
int64_t number_of(ByteView frame) {
  return frame.size() < 4 ? -1 : int64_t{frame[1]} << 16 | int64_t{frame[2]} << 8 | frame[3];
}
uint32_t time_of(int64_t number) {
  return 50'000 + static_cast<uint32_t>(number) * kFrame;
}

// A publisher's RED packet of frame `number` with copies of so many before it.
Bytes red_bytes(int64_t number, int64_t copies) {
  std::vector<Bytes> frames;
  std::vector<payload::RedBlock> blocks;
  for (int64_t back = copies; back >= 0; --back) frames.push_back(frame_bytes(number - back));
  for (int64_t back = copies; back >= 0; --back) {
    blocks.push_back({kOpus, static_cast<uint16_t>(back * kFrame), frames[static_cast<size_t>(copies - back)]});
  }
  Bytes out(200);
  out.resize(payload::write_red(out, blocks));
  return out;
}

RedReader::Packet place(int64_t number, uint64_t epoch = 1) {
  return {7, epoch, number, time_of(number)};
}

struct Read {
  RedReader reader;
  std::vector<int64_t> sequences;  // in the order in which they are given

  size_t red(int64_t number, int64_t copies) {
    const Bytes bytes = red_bytes(number, copies);
    const auto red = payload::parse_red(bytes);
    EXPECT_TRUE(red);
    return take(reader.on_red(place(number), *red));
  }
  size_t opus(int64_t number) {
    const Bytes bytes = frame_bytes(number);
    return take(reader.on_opus(place(number), bytes));
  }
  size_t take(const RedReader::Frames& frames) {
    for (size_t i = 0; i < frames.count; ++i) {
      const AudioFrame& frame = frames.list[i];
      EXPECT_EQ(number_of(frame.data), frame.sequence) << "the content of its number";
      EXPECT_EQ(frame.timestamp, time_of(frame.sequence));
      sequences.push_back(frame.sequence);
    }
    return frames.count;
  }
};

TEST(RedReader, gives_each_frame_once_under_its_own_number) {
  Read read;
  EXPECT_EQ(read.red(100, 1), 1u) << "what came before the first packet is nobody's";
  EXPECT_EQ(read.red(101, 1), 1u);
  EXPECT_EQ(read.red(103, 1), 2u) << "102 was lost: its copy comes first";
  EXPECT_EQ(read.red(102, 1), 0u) << "and the packet itself, late, is left out";
  EXPECT_EQ(read.sequences, (std::vector<int64_t>{100, 101, 102, 103}));
}

TEST(RedReader, fills_as_much_as_there_are_copies) {
  Read read;
  read.red(100, 2);
  EXPECT_EQ(read.red(104, 2), 3u);
  EXPECT_EQ(read.sequences, (std::vector<int64_t>{100, 102, 103, 104}));
  EXPECT_EQ(read.red(105, 2), 1u);
  EXPECT_EQ(read.opus(101), 1u) << "late, but nobody had it";
}

TEST(RedReader, a_pause_does_not_confuse_the_numbers) {
  // After a silence (DTX) the packet before is a second earlier in time, and one earlier in number.
  RedReader reader;
  const Bytes first = frame_bytes(1), second = frame_bytes(2), third = frame_bytes(3);
  EXPECT_EQ(reader.on_opus({7, 1, 100, 1'000}, first).count, 1u);
  const std::vector<payload::RedBlock> blocks = {{kOpus, 15 * kFrame, second}, {kOpus, 0, third}};
  payload::RedPayload red;
  std::copy(blocks.begin(), blocks.end(), red.blocks.begin());
  red.count = 2;
  const auto frames = reader.on_red({7, 1, 102, 1'000 + 16 * kFrame}, red);
  ASSERT_EQ(frames.count, 2u);
  EXPECT_EQ(frames.list[0].sequence, 101);
  EXPECT_EQ(frames.list[0].timestamp, 1'000 + kFrame);
}

TEST(RedReader, a_copy_with_a_time_that_its_place_cannot_have_is_left_out) {
  RedReader reader;
  const Bytes frame = frame_bytes(1);
  reader.on_opus({7, 1, 100, 10'000}, frame);
  payload::RedPayload red;
  red.blocks[0] = {kOpus, 5'000, frame};  // older than 100
  red.blocks[1] = {kOpus, 0, frame};
  red.count = 2;
  EXPECT_EQ(reader.on_red({7, 1, 102, 10'000 + 2 * kFrame}, red).count, 1u);
}

TEST(RedReader, begins_anew_with_the_numbering) {
  Read read;
  read.red(100, 1);
  const Bytes bytes = frame_bytes(100);
  EXPECT_EQ(read.reader.on_opus(place(100, 2), bytes).count, 1u);
  EXPECT_EQ(read.reader.on_opus(place(100, 2), bytes).count, 0u);
  EXPECT_EQ(read.reader.on_opus({8, 2, 100, 0}, bytes).count, 1u);
}

TEST(RedReader, random_packets_never_give_one_number_twice) {
  SeededRng rng(1);
  for (int round = 0; round < 200; ++round) {
    RedReader reader;
    std::set<int64_t> given;
    for (int i = 0; i < 300; ++i) {
      payload::RedPayload red;
      red.count = 1 + rng.below(payload::kMaxRedBlocks);
      const Bytes frame(1 + rng.below(3), static_cast<uint8_t>(rng.u32()));
      for (size_t b = 0; b < red.count; ++b) red.blocks[b] = {kOpus, static_cast<uint16_t>(rng.below(0x4000)), frame};
      const int64_t sequence = 65'536 + i + rng.below(100);
      const auto frames =
          reader.on_red({7, 1, sequence, static_cast<uint32_t>(sequence) * 960 + rng.below(2'000)}, red);
      for (size_t k = 0; k < frames.count; ++k) EXPECT_TRUE(given.insert(frames.list[k].sequence).second);
    }
  }
}

peer::MediaPacket packet_of(int64_t number, ByteView bytes, PacketPool& pool) {
  peer::MediaPacket packet;
  packet.payload_type = kOpus;
  packet.ssrc = 7;
  packet.epoch = 1;
  packet.sequence = number;
  packet.timestamp = time_of(number);
  packet.payload = pool.copy(bytes);
  return packet;
}

TEST(RedWriter, adds_the_frames_before_under_the_viewers_payload_type) {
  PacketPool pool;
  RedWriter writer;
  std::vector<peer::MediaPacket> packets;
  for (int64_t number = 10; number < 15; ++number) {
    if (number == 12) continue;  // never came
    packets.push_back(packet_of(number, frame_bytes(number), pool));
    writer.add(packets.back());
  }
  const PacketRef made = writer.make(packets.back(), 3, 96, pool);
  const auto red = payload::parse_red(made.bytes());
  ASSERT_TRUE(red);
  ASSERT_EQ(red->count, 4u);
  EXPECT_EQ(number_of(red->blocks[0].data), 10);
  EXPECT_EQ(red->blocks[0].timestamp_offset, 4 * kFrame);
  EXPECT_EQ(number_of(red->blocks[1].data), 11);
  EXPECT_EQ(number_of(red->blocks[2].data), 13);
  EXPECT_EQ(number_of(red->primary().data), 14);
  for (size_t i = 0; i < red->count; ++i) EXPECT_EQ(red->blocks[i].payload_type, 96);
  EXPECT_EQ(writer.make(packets.back(), 3, 96, pool).bytes().data(), made.bytes().data()) << "made once for all";
  EXPECT_NE(writer.make(packets.back(), 1, 96, pool).bytes().data(), made.bytes().data());
}

TEST(RedWriter, leaves_out_what_would_be_too_large_or_too_old) {
  PacketPool pool;
  RedWriter writer;
  for (int64_t number = 1; number <= 2; ++number) writer.add(packet_of(number, Bytes(400), pool));
  auto third = packet_of(3, Bytes(400), pool);
  writer.add(third);
  EXPECT_EQ(payload::parse_red(writer.make(third, 3, kOpus, pool).bytes())->count, 2u) << "1,000 bytes";
  third.timestamp += payload::kMaxRedTimestampOffset + 1;
  third.sequence = 4;
  EXPECT_EQ(payload::parse_red(writer.make(third, 3, kOpus, pool).bytes())->count, 1u);
  const auto whole = packet_of(9, Bytes(PacketBuffer::kCapacity), pool);
  EXPECT_FALSE(writer.make(whole, 1, kOpus, pool)) << "then the frame goes alone";
}

TEST(RedWriter, gives_its_payloads_back) {
  PacketPool pool;
  RedWriter writer;
  for (int64_t number = 0; number < 100; ++number) {
    const auto packet = packet_of(number, frame_bytes(number), pool);
    writer.add(packet);
    writer.make(packet, 2, kOpus, pool);
  }
  EXPECT_LE(pool.buffers_in_use(), 12u);
  writer.clear();
  EXPECT_EQ(pool.buffers_in_use(), 0u);
}

// What a viewer hears of `frames` frames, when each way loses `loss` of its packets: runs of missing frames that are
// longer than 60 ms. In-band FEC, when there is one: a frame carries the one before it.
struct Heard {
  size_t gaps = 0;
  double missing = 0;
};
Heard listen(int64_t frames, double loss, int64_t published_copies, size_t copies_to_viewer, bool has_inband_fec) {
  SeededRng rng(42);
  const auto is_lost = [&] { return rng.below(1'000'000) < loss * 1'000'000; };
  PacketPool pool;
  Read read;
  RedWriter writer;
  std::vector<bool> heard(static_cast<size_t>(frames));
  const auto hear = [&](int64_t number) {
    heard[static_cast<size_t>(number)] = true;
    if (has_inband_fec && number > 0) heard[static_cast<size_t>(number - 1)] = true;
  };
  for (int64_t number = published_copies; number < frames; ++number) {
    if (is_lost()) continue;
    const Bytes bytes = red_bytes(number, published_copies);
    const auto red = payload::parse_red(bytes);
    const auto got = read.reader.on_red(place(number), *red);
    for (size_t i = 0; i < got.count; ++i) {
      const auto packet = packet_of(got.list[i].sequence, got.list[i].data, pool);
      writer.add(packet);
      if (is_lost()) continue;
      if (copies_to_viewer == 0) {
        hear(packet.sequence);
        continue;
      }
      const PacketRef made = writer.make(packet, copies_to_viewer, kOpus, pool);
      const auto sent = payload::parse_red(made.bytes());
      for (size_t b = 0; b < sent->count; ++b) hear(number_of(sent->blocks[b].data));
    }
  }
  Heard out;
  int64_t run = 0;
  for (const bool is_heard : heard) {
    out.missing += !is_heard;
    if (is_heard && run > 3) ++out.gaps;
    run = is_heard ? 0 : run + 1;
  }
  out.missing /= static_cast<double>(frames);
  return out;
}

TEST(Red, audio_goes_on_at_20_percent_loss_on_each_way) {
  constexpr int64_t kSeconds = 4'000;
  const Heard plain = listen(kSeconds * 50, 0.2, 0, 0, false);
  // As Chromium sends it: one copy, and in-band FEC; and as a client that sends two copies.
  const Heard red_and_fec = listen(kSeconds * 50, 0.2, 1, 3, true);
  const Heard two_copies = listen(kSeconds * 50, 0.2, 2, 3, false);
  std::printf("gaps over 60 ms in %lld s: plain %zu, RED with FEC %zu, RED with two copies %zu\n",
              static_cast<long long>(kSeconds), plain.gaps, red_and_fec.gaps, two_copies.gaps);
  EXPECT_GT(plain.gaps, static_cast<size_t>(kSeconds / 10));
  EXPECT_LE(red_and_fec.gaps, static_cast<size_t>(kSeconds / 200));
  EXPECT_LE(two_copies.gaps, static_cast<size_t>(kSeconds / 200));
}

}  // namespace
}  // namespace atm::sender

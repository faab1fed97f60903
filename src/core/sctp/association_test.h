// For the tests of this folder only: two associations over a LossyLink, one association with its other end played by
// hand, and the packets and chunk values that tests write and read.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>
#include <vector>

#include "core/sctp/association.h"
#include "core/sctp/lossy_link.h"

namespace atm::sctp {

using Link = LossyLink<Association, Association, AssociationOutput, AssociationOutput>;

inline Bytes make_payload(size_t size, uint64_t seed) {
  Bytes out(size);
  SeededRng(seed).fill(out);
  return out;
}

template <typename Event>
size_t count(const AssociationOutput& out) {
  return static_cast<size_t>(std::count_if(out.events.begin(), out.events.end(), [](const AssociationEvent& event) {
    return std::holds_alternative<Event>(event);
  }));
}

inline std::vector<Message> messages(const AssociationOutput& out) {
  std::vector<Message> found;
  for (const AssociationEvent& event : out.events) {
    if (const auto* message = std::get_if<Message>(&event)) found.push_back(*message);
  }
  return found;
}

struct Pair {
  explicit Pair(const LinkConfig& link_config = {}, uint64_t seed = 1, const Config& config_b = {})
      : rng_a(seed), rng_b(seed + 1'000), a({}, rng_a), b(config_b, rng_b), link(a, b, link_config, seed + 2'000) {}

  void connect_a() { a.connect(link.now(), link.out_a()); }
  void connect_b() { b.connect(link.now(), link.out_b()); }
  bool run_until_up(Duration limit = 30s) {
    return link.run(limit, [this] { return a.is_up() && b.is_up(); });
  }
  bool up() {
    connect_a();
    return run_until_up();
  }
  bool send_a(uint16_t stream, ByteView payload, const Reliability& how = {}) {
    return a.send(link.now(), stream, 51, payload, how, link.out_a());
  }
  bool send_b(uint16_t stream, ByteView payload, const Reliability& how = {}) {
    return b.send(link.now(), stream, 53, payload, how, link.out_b());
  }

  SeededRng rng_a;
  SeededRng rng_b;
  Association a;
  Association b;
  Link link;
};

// A packet with one chunk as `from`'s peer would get it; the tag is the test's to know.
template <typename Write>
Bytes make_packet(uint32_t tag, Write write, CommonHeader header = {5000, 5000, 0}) {
  std::array<uint8_t, kMaxPacketSize> buffer{};
  header.verification_tag = tag;
  PacketWriter packet(buffer, header);
  write(packet);
  const ByteView bytes = packet.finish();
  return {bytes.begin(), bytes.end()};
}

inline Chunk first_chunk(ByteView packet) {
  return *ChunkReader(parse_packet(packet)->chunks).next();
}

// All chunks of one type in the packets, which must outlive them.
inline std::vector<Chunk> chunks_of(const AssociationOutput& out, ChunkType type) {
  std::vector<Chunk> found;
  for (const Bytes& packet : out.packets) {
    ChunkReader chunks(parse_packet(packet)->chunks);
    while (const std::optional<Chunk> chunk = chunks.next()) {
      if (chunk->type == type) found.push_back(*chunk);
    }
  }
  return found;
}

// The other end played by hand: an association that came up against this test, its tag and TSN known.
struct ByHand {
  explicit ByHand(bool has_forward_tsn = true) : rng(5), end({}, rng) {
    AssociationOutput out;
    InitChunk init;
    init.initiate_tag = 1234;
    init.receiver_window = 1'000'000;
    init.outbound_streams = 100;
    init.inbound_streams = 100;
    init.initial_tsn = 1;
    init.has_forward_tsn = has_forward_tsn;
    init.has_reconfig = true;
    end.on_packet(now, make_packet(0, [&](PacketWriter& p) { write_init(p, ChunkType::kInit, init); }), out);
    const InitChunk answer = *parse_init(first_chunk(out.packets.at(0)));
    tag = answer.initiate_tag;
    tsn = answer.initial_tsn;
    cookie.assign(answer.cookie.begin(), answer.cookie.end());
  }
  void establish() {
    AssociationOutput out;
    end.on_packet(now, make_packet(tag, [&](PacketWriter& p) { p.chunk(ChunkType::kCookieEcho, 0, cookie); }), out);
    EXPECT_TRUE(end.is_up());
  }
  template <typename Write>
  AssociationOutput give(Write write) {
    AssociationOutput out;
    end.on_packet(now, make_packet(tag, write), out);
    return out;
  }
  AssociationOutput give_data(DataChunk data) {
    return give([&](PacketWriter& p) { write_data(p, data); });
  }
  static DataChunk data(uint32_t tsn, uint16_t stream, uint16_t ssn, ByteView payload, const char* flags) {
    DataChunk out;
    out.tsn = tsn;
    out.stream = stream;
    out.ssn = ssn;
    out.ppid = 51;
    const std::string_view f = flags;
    out.begins = f.find('B') != f.npos;
    out.ends = f.find('E') != f.npos;
    out.unordered = f.find('U') != f.npos;
    out.payload = payload;
    return out;
  }
  AssociationOutput give_sack(uint32_t cumulative, std::vector<SackChunk::Gap> gaps = {});
  AssociationOutput send(uint16_t stream, ByteView payload, const Reliability& how = {}) {
    AssociationOutput out;
    EXPECT_TRUE(end.send(now, stream, 51, payload, how, out));
    return out;
  }
  // Time passes until the end's next timer.
  AssociationOutput time_out() {
    AssociationOutput out;
    wait(end.next_timeout() - now.mono);
    end.on_timeout(now, out);
    return out;
  }
  void wait(Duration time) {
    now.mono += time;
    now.wall += time;
  }

  SeededRng rng;
  Now now{Instant(10s), WallTime(1'700'000'000s)};
  Association end;
  uint32_t tag = 0;
  uint32_t tsn = 0;
  Bytes cookie;
};

inline const Bytes kHello{'h', 'e', 'l', 'l', 'o'};

inline Bytes sack_value(uint32_t cumulative, std::vector<SackChunk::Gap> gaps = {}) {
  Bytes value(12 + 4 * gaps.size());
  store_u32(value.data(), cumulative);
  store_u32(value.data() + 4, 1'000'000);
  store_u16(value.data() + 8, static_cast<uint16_t>(gaps.size()));
  for (size_t i = 0; i < gaps.size(); ++i) {
    store_u16(value.data() + 12 + 4 * i, gaps[i].start);
    store_u16(value.data() + 14 + 4 * i, gaps[i].end);
  }
  return value;
}

inline AssociationOutput ByHand::give_sack(uint32_t cumulative, std::vector<SackChunk::Gap> gaps) {
  return give([&](PacketWriter& p) { p.chunk(ChunkType::kSack, 0, sack_value(cumulative, std::move(gaps))); });
}

inline Bytes forward_value(uint32_t tsn, std::vector<std::pair<uint16_t, uint16_t>> skips) {
  Bytes value(4 + 4 * skips.size());
  store_u32(value.data(), tsn);
  for (size_t i = 0; i < skips.size(); ++i) {
    store_u16(value.data() + 4 + 4 * i, skips[i].first);
    store_u16(value.data() + 6 + 4 * i, skips[i].second);
  }
  return value;
}

}  // namespace atm::sctp

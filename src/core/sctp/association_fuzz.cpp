// An established association against a peer that holds the keys: any chunks, and well-formed ones near the numbers in
// use, behind the right tag and checksum, mixed with time and with calls from above. What must hold whatever comes:
// bounded queues and answers, packets that are well formed, timers that do not spin, one end, and silence after it.
// Input: steps, each a byte that names it and its operands; see Harness::step().
#include "core/sctp/association.h"

#include "base/assert.h"

namespace {

using namespace atm;
using namespace atm::sctp;

constexpr uint32_t kPeerTag = 1234;
constexpr uint32_t kPeerTsn = 0xffff'fff0;  // wraps soon
// Answers to one packet, a burst, an acknowledgement or SHUTDOWN, and ABORT.
constexpr size_t kMostPackets = 4 + kMaxBurst + 2;

// All ones: our tag and first TSN can be named by inputs, and TSNs wrap at once.
class FixedRng final : public Rng {
 public:
  void fill(MutByteView out) override {
    for (uint8_t& b : out) b = 0xff;
  }
};

class Harness {
 public:
  Harness() : end_({}, rng_) { establish(); }

  void step(Reader& input) {
    switch (input.u8() % 12) {
      case 0:
      case 1: {  // a list of chunks as it stands
        const ByteView chunks = input.take(std::min<size_t>(input.u8(), input.left()));
        return give([&](PacketWriter& p) { p.value().bytes(chunks); });
      }
      case 2:
      case 3:
        return give_data(input);
      case 4:
        return give_sack(input);
      case 5:
        return give_forward_tsn(input);
      case 6:
        return give_reset(input);
      case 7:
        return pass(std::chrono::milliseconds(20 * input.u8()));
      case 8:
        return send(input);
      case 9:
        end_.reset_stream(now_, input.u8() % 8, out_);
        return check();
      case 10: {  // an empty or tiny chunk of any type
        const auto type = static_cast<ChunkType>(input.u8());
        const uint8_t flags = input.u8();
        const ByteView value = input.take(std::min<size_t>(input.u8() % 32, input.left()));
        return give([&](PacketWriter& p) { p.chunk(type, flags, value); });
      }
      default:
        if (input.u8() % 8 == 0) end_.close(now_, out_);
        return check();
    }
  }

  // The peer is silent from here on: the association comes to rest, or ends.
  void finish() {
    for (int i = 0; i < 200 && end_.next_timeout() != kNever; ++i) {
      now_.mono = std::max(now_.mono, end_.next_timeout());
      time_out();
    }
    ASSERT(end_.next_timeout() == kNever);
    ASSERT(end_.is_down() == (downs_ == 1));
    end_.abort(out_);
    check();
    ASSERT(end_.is_down() && downs_ == 1);
  }

 private:
  template <typename Write>
  void give_from(uint32_t tag, Write write) {
    std::array<uint8_t, 1'500> buffer;
    PacketWriter packet(buffer, {5000, 5000, tag});
    write(packet);
    end_.on_packet(now_, packet.finish(), out_);
  }
  template <typename Write>
  void give(Write write) {
    give_from(tag_, write);
    check();
  }

  void establish() {
    InitChunk init;
    init.initiate_tag = kPeerTag;
    init.receiver_window = 100'000;
    init.outbound_streams = init.inbound_streams = 100;
    init.initial_tsn = kPeerTsn;
    init.has_forward_tsn = init.has_reconfig = true;
    give_from(0, [&](PacketWriter& p) { write_init(p, ChunkType::kInit, init); });
    const InitChunk answer = *parse_init(*ChunkReader(parse_packet(out_.packets.at(0))->chunks).next());
    tag_ = answer.initiate_tag;
    tsn_ = answer.initial_tsn;
    const Bytes cookie(answer.cookie.begin(), answer.cookie.end());
    give_from(tag_, [&](PacketWriter& p) { p.chunk(ChunkType::kCookieEcho, 0, cookie); });
    ASSERT(end_.is_up());
    check();
  }

  // Mostly the next TSN in order, now and then one around it.
  uint32_t near_tsn(Reader& input) {
    const uint8_t offset = input.u8();
    if (offset < 128) return next_tsn_++;
    return next_tsn_ + offset - 192;
  }

  void give_data(Reader& input) {
    DataChunk data;
    data.tsn = near_tsn(input);
    const uint8_t flags = input.u8();
    data.begins = (flags & 1) != 0;
    data.ends = (flags & 2) != 0;
    data.unordered = (flags & 4) != 0;
    data.immediate = (flags & 8) != 0;
    data.stream = (flags >> 4) % 4;
    data.ssn = input.u8() % 8;
    data.ppid = 51;
    const Bytes payload((flags & 0x80) != 0 ? 1'100 : input.u8(), 7);
    data.payload = payload;
    give([&](PacketWriter& p) { write_data(p, data); });
  }

  void give_sack(Reader& input) {
    acked_ += input.u8() % 16;
    const size_t gaps = input.u8() % 4;
    Bytes value(12 + 4 * gaps);
    store_u32(value.data(), tsn_ - 1 + acked_);
    store_u32(value.data() + 4, input.u8() < 32 ? 0 : 100'000);
    store_u16(value.data() + 8, static_cast<uint16_t>(gaps));
    uint16_t at = 1;
    for (size_t i = 0; i < gaps; ++i) {
      at = static_cast<uint16_t>(at + input.u8() % 8);
      store_u16(value.data() + 12 + 4 * i, at);
      at = static_cast<uint16_t>(at + input.u8() % 4);
      store_u16(value.data() + 14 + 4 * i, at);
    }
    give([&](PacketWriter& p) { p.chunk(ChunkType::kSack, 0, value); });
  }

  void give_forward_tsn(Reader& input) {
    const uint32_t to = near_tsn(input);
    std::array<ForwardTsnChunk::Skip, 4> skips;
    const size_t count = input.u8() % 5;
    for (size_t i = 0; i < count; ++i) {
      skips[i].stream = input.u8() % 8;
      skips[i].ssn = input.u8();
    }
    give([&](PacketWriter& p) { write_forward_tsn(p, to, std::span(skips).first(count)); });
  }

  void give_reset(Reader& input) {
    ReconfigParameter parameter;
    const uint8_t kind = input.u8();
    parameter.type = kind % 2 == 0 ? ReconfigType::kOutgoingReset : ReconfigType::kResponse;
    parameter.sequence = (kind % 2 == 0 ? kPeerTsn : tsn_) + input.u8() % 8;
    parameter.result = static_cast<ReconfigResult>(kind / 2 % 8);
    parameter.last_tsn = next_tsn_ + input.u8() % 16 - 8;
    const ByteView streams = input.take(std::min<size_t>(2 * (kind / 16), input.left() & ~size_t{1}));
    parameter.stream_bytes = streams;
    give([&](PacketWriter& p) { write_reconfig(p, parameter); });
  }

  void send(Reader& input) {
    const uint8_t how = input.u8();
    Reliability reliability;
    reliability.ordered = (how & 1) != 0;
    if ((how & 2) != 0) reliability.max_retransmits = static_cast<uint16_t>(how >> 6);
    if ((how & 4) != 0) reliability.lifetime = std::chrono::milliseconds(how);
    const Bytes payload(size_t{40} * input.u8(), 9);
    end_.send(now_, (how >> 3) % 8, 51, payload, reliability, out_);
    check();
  }

  void pass(Duration time) {
    const Instant until = now_.mono + time;
    while (end_.next_timeout() <= until) {
      now_.mono = std::max(now_.mono, end_.next_timeout());
      time_out();
    }
    now_.mono = until;
  }
  void time_out() {
    end_.on_timeout(now_, out_);
    check();
    ASSERT(end_.next_timeout() > now_.mono);  // else its owner would call for ever
  }

  void check() {
    ASSERT(out_.packets.size() <= kMostPackets);
    for (const Bytes& packet : out_.packets) {
      ASSERT(packet.size() <= kMaxPacketSize && has_valid_checksum(packet) && parse_packet(packet));
    }
    for (const AssociationEvent& event : out_.events) {
      ASSERT(downs_ == 0);  // nothing follows the end
      if (std::holds_alternative<AssociationUp>(event)) ASSERT(++ups_ == 1);
      if (std::holds_alternative<AssociationDown>(event)) ++downs_;
      const auto* message = std::get_if<Message>(&event);
      ASSERT(message == nullptr || (!message->payload.empty() && message->payload.size() <= kMaxMessageSize));
    }
    ASSERT(end_.queued_bytes() <= kMaxQueuedBytes);
    ASSERT(end_.held_bytes() <= kReassemblyCap);
    ASSERT(!end_.is_down() || end_.next_timeout() == kNever);
    out_.packets.clear();
    out_.events.clear();
  }

  FixedRng rng_;
  Association end_;
  Now now_{Instant(1s), WallTime(1s)};
  AssociationOutput out_;
  uint32_t tag_ = 0;
  uint32_t tsn_ = 0;  // our association's first
  uint32_t acked_ = 0;
  uint32_t next_tsn_ = kPeerTsn;
  int ups_ = 0;
  int downs_ = 0;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  Harness harness;
  Reader input(ByteView{data, size});
  for (int i = 0; i < 2'000 && input.left() > 0; ++i) harness.step(input);
  harness.finish();
  return 0;
}

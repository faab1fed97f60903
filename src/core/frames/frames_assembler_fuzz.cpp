#include <algorithm>
#include <cstdlib>

#include "core/frames/assembler.h"

// Packets, losses and time as the bytes say, of the codec in the first one. Limits are kept, and frames come in order.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace atm;
  using namespace atm::frames;
  Reader reader({data, size});
  const auto codec = static_cast<Codec>(reader.u8() % 5);
  Assembler assembler({codec});
  Frame frame;
  Instant now{};
  int64_t sequence = 70'000, last = 0, taken = 0;
  uint32_t timestamp = 0;
  while (reader.ok() && reader.left() > 0) {
    const uint8_t what = reader.u8();
    switch (what % 4) {
      case 0:
        assembler.give_up_before(sequence - (what >> 2));
        break;
      case 1:
        now += Duration(int64_t{what} * 10'000);
        if (assembler.next_timeout() <= now) assembler.on_timeout(now);
        break;
      default: {
        // The next one, or up to seven before or behind it; the marker and a new timestamp.
        const int64_t at = sequence + ((what & 0x04) != 0 ? (reader.u8() % 15) - 7 : 0);
        sequence = std::max(sequence, at) + 1;
        const size_t length = std::min<size_t>(reader.u8(), reader.left());
        const bool marker = (what & 0x08) != 0;
        assembler.on_packet({at, timestamp, marker, reader.take(length), now});
        if (marker || (what & 0x10) != 0) timestamp += 3'000;
        if ((what & 0xE0) == 0xE0) sequence += int64_t{what} << 6;
      }
    }
    while (assembler.take(frame)) {
      if (frame.bytes.empty() || frame.first_sequence > frame.last_sequence) std::abort();
      if (codec != Codec::kOpus && frame.first_sequence <= last) std::abort();
      if (frame.first_arrival > frame.last_arrival) std::abort();
      last = frame.last_sequence;
      ++taken;
    }
    if (assembler.held_packets() > kMaxHeldPackets || assembler.held_bytes() > kMaxHeldBytes) std::abort();
    if (assembler.wants_key_frame() && codec == Codec::kOpus) std::abort();
  }
  if (static_cast<uint64_t>(taken) != assembler.counters().frames) std::abort();
  return 0;
}

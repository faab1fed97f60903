#include <cstdlib>

#include "wire/rtcp/packet.h"
#include "wire/rtcp/transport_feedback.h"
#include "wire/rtcp/writer.h"

// The first byte chooses the message. What was read of transport-wide feedback is written and read again.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace atm;
  using namespace atm::rtcp;
  if (size == 0) return 0;
  ByteView body(data + 1, size - 1);
  if (data[0] % 2 == 1) {
    size_t reports = 0;
    while (const auto block = take_congestion_block(body)) {
      for (size_t i = 0; i < block->size(); ++i) reports += (*block)[i].received;
    }
    if (reports > size) std::abort();
    return 0;
  }
  static PacketArrivals read;
  if (!parse_transport_feedback(body, read)) return 0;
  static std::vector<ArrivalTick> ticks;
  ticks.clear();
  for (const Duration at : read.since_base) {
    const bool came = at != PacketArrivals::kNotReceived;
    ticks.push_back(came ? ArrivalTick(read.reference_time * int64_t{256} + at / kFeedbackTick) : std::nullopt);
  }
  uint8_t buffer[1'200];
  CompoundWriter writer(buffer);
  const size_t told = writer.transport_feedback(1, 2, read.base_sequence, read.feedback_count, ticks);
  static PacketArrivals again;
  if (told > 0 && !parse_transport_feedback(ByteView(writer.written()).subspan(12), again)) std::abort();
  if (told > 0 && again.since_base.size() != told) std::abort();
  return 0;
}

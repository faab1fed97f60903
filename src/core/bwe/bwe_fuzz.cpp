#include <algorithm>
#include <cstdlib>

#include "core/bwe/arrivals.h"
#include "core/bwe/controller.h"

// A sender and what it is told, as the bytes say: time, sending, any feedback, REMB, reports, arrivals at a builder.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace atm;
  bwe::Controller controller({});
  bwe::TransportFeedbackBuilder builder;
  Now now{Instant{} + 1s, {}};
  uint16_t sequence = 0;
  Reader reader({data, size});
  while (reader.ok() && reader.left() > 0) {
    const uint8_t what = reader.u8();
    now.mono += Duration(int64_t{reader.u8()} * 500);
    switch (what % 6) {
      case 0:
        for (int i = 0; i < what / 6; ++i) {
          sequence = controller.next_sequence();
          const auto probe = controller.take_probe();
          controller.on_sent(now, sequence, 1'200, probe ? std::optional(probe->id) : std::nullopt);
        }
        break;
      case 1:
        controller.on_feedback(now, {1, 2, reader.take(std::min<size_t>(reader.u8(), reader.left()))});
        break;
      case 2:
        controller.on_remb(now, reader.u32());
        break;
      case 3:
        controller.on_loss_report(now, reader.u8());
        break;
      case 4:
        if (controller.next_timeout() <= now.mono) controller.on_timeout(now);
        break;
      default: {
        builder.on_packet(now.mono, static_cast<uint16_t>(sequence - reader.u8()), 1'200);
        uint8_t buffer[300];
        rtcp::CompoundWriter writer(buffer);
        if (!builder.is_due(now.mono)) break;
        builder.write(now.mono, 1, 2, writer);
        rtcp::for_each_packet(writer.written(), [&](const rtcp::Packet& packet) {
          if (const auto* read = std::get_if<rtcp::TransportFeedback>(&packet)) controller.on_feedback(now, *read);
        });
      }
    }
    if (controller.target_bps() < 30'000 || controller.target_bps() > 50'000'000) std::abort();
  }
  return 0;
}

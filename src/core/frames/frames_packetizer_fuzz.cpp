#include <cstdlib>

#include "core/frames/assembler.h"
#include "core/frames/av1_configuration.h"
#include "core/frames/packetizer.h"

// A frame of any bytes: payloads keep their limit, and what is a key frame is put together again.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace atm;
  using namespace atm::frames;
  Reader reader({data, size});
  const uint8_t what = reader.u8();
  PacketizerConfig config{.codec = static_cast<Codec>(what % 5), .max_payload = 64u + (what >> 5) * 40u};
  config.h264_format = (what & 0x10) != 0 ? H264Format::kAvc : H264Format::kAnnexB;
  config.is_vp9_flexible = (what & 0x08) != 0;
  const ByteView bytes = reader.rest();
  make_av1_configuration(bytes);
  read_frame_size(config.codec, bytes, config.h264_format);
  SeededRng rng(1);
  Packetizer packetizer(config, rng);
  PacketizedFrame out;
  Assembler assembler({config.codec});
  Frame frame;
  int64_t sequence = 1;
  for (uint32_t round = 0; round < 2; ++round) {
    if (!packetizer.packetize({.bytes = bytes}, out)) {
      if (out.count() != 0) std::abort();
      continue;
    }
    for (size_t i = 0; i < out.count(); ++i) {
      if (out.payload(i).empty() || out.payload(i).size() > config.max_payload) std::abort();
      assembler.on_packet({sequence++, round * 3'000, out.marker(i), out.payload(i), Instant{}});
    }
    while (assembler.take(frame)) {
      if (out.is_key() && !frame.is_key) std::abort();
    }
  }
  return 0;
}

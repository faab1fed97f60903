// A clip of tests/layers as RTP packets, and the frames that an Assembler makes of them.
#pragma once

#include <vector>

#include "clip.h"
#include "core/frames/assembler.h"
#include "core/frames/packetizer.h"
#include "packetizer.h"

namespace atm::frames {

struct SentPacket {
  int64_t sequence = 0;
  size_t picture = 0;
  bool marker = false;
  Bytes payload;
};

struct Received {
  size_t picture = 0;
  Frame frame;
};

// Pictures as an encoder gives them out and a decoder takes them.
Bytes picture_of(const layers::Clip& clip, size_t number);
// With start codes of four bytes all over, which is what the assembler writes.
Bytes normal(const layers::Clip& clip, const Bytes& picture);

PacketizerConfig config_of(const layers::Clip& clip, size_t max_payload, bool is_flexible = true);
// By ours, and by the one of tests/layers.
std::vector<SentPacket> packetize(const layers::Clip& clip, const PacketizerConfig& config, Rng& rng);
std::vector<SentPacket> packetize_layers(const layers::Clip& clip, layers::Vp9Mode mode, Rng& rng);
MediaPacket packet_of(const SentPacket& packet, Instant at);
void take_all(Assembler& assembler, std::vector<Received>& out);

}  // namespace atm::frames

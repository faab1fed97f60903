#include "sent_packets.h"

#include <gtest/gtest.h>

namespace atm::frames {

using layers::Clip;
using layers::ClipFrame;

Bytes picture_of(const Clip& clip, size_t number) {
  Bytes out;
  for (const ClipFrame& frame : clip.picture(number)) out.insert(out.end(), frame.bytes.begin(), frame.bytes.end());
  return out;
}

Bytes normal(const Clip& clip, const Bytes& picture) {
  if (clip.codec != Codec::kH264) return picture;
  Bytes out;
  for (const ByteView unit : layers::split_nal_units(picture)) {
    out.insert(out.end(), {0, 0, 0, 1});
    out.insert(out.end(), unit.begin(), unit.end());
  }
  return out;
}

std::vector<SentPacket> packetize(const Clip& clip, const PacketizerConfig& config, Rng& rng) {
  Packetizer packetizer(config, rng);
  PacketizedFrame parts;
  std::vector<SentPacket> out;
  for (size_t i = 0; i < clip.pictures(); ++i) {
    const Bytes bytes = picture_of(clip, i);
    const ClipFrame& base = clip.picture(i)[0];
    EncodedFrame frame{.bytes = bytes};
    if (clip.temporal_layers > 1 && clip.codec != Codec::kAv1) frame.temporal_layer = base.temporal;
    frame.is_layer_sync = base.is_switch;
    frame.references = base.back;
    EXPECT_TRUE(packetizer.packetize(frame, parts)) << clip.name << " " << i;
    EXPECT_EQ(parts.is_key(), base.is_key) << clip.name << " " << i;
    for (size_t k = 0; k < parts.count(); ++k) {
      EXPECT_LE(parts.payload(k).size(), config.max_payload);
      EXPECT_EQ(parts.marker(k), k + 1 == parts.count());
      out.push_back({70'000 + static_cast<int64_t>(out.size()),
                     i,
                     parts.marker(k),
                     {parts.payload(k).begin(), parts.payload(k).end()}});
    }
  }
  return out;
}

std::vector<SentPacket> packetize_layers(const Clip& clip, layers::Vp9Mode mode, Rng& rng) {
  layers::Packetizer packetizer(clip, mode, rng);
  std::vector<SentPacket> out;
  for (size_t i = 0; i < clip.pictures(); ++i) {
    for (layers::Part& part : packetizer.put(i)) {
      out.push_back({70'000 + static_cast<int64_t>(out.size()), i, part.marker, std::move(part.payload)});
    }
  }
  return out;
}

MediaPacket packet_of(const SentPacket& packet, Instant at) {
  const auto timestamp = static_cast<uint32_t>(0xFFFFF000 + packet.picture * 6'000);
  return {packet.sequence, timestamp, packet.marker, packet.payload, at};
}

void take_all(Assembler& assembler, std::vector<Received>& out) {
  for (Frame frame; assembler.take(frame);) {
    const size_t picture = static_cast<uint32_t>(frame.timestamp - 0xFFFFF000) / 6'000;
    out.push_back({picture, frame});
  }
}

PacketizerConfig config_of(const Clip& clip, size_t max_payload, bool is_flexible) {
  PacketizerConfig out{.codec = clip.codec, .max_payload = max_payload};
  out.is_vp9_flexible = is_flexible;
  return out;
}

}  // namespace atm::frames

#include "wire/rtp/packet.h"

namespace atm::rtp {
namespace {

constexpr uint8_t kVersion = 2;  // RFC 3550 5.1

struct HeaderShape {
  size_t size = 0;  // 0: malformed
  size_t csrc_count = 0;
  uint16_t profile = 0;
  ByteView extension;
};

HeaderShape shape_of(ByteView packet) {
  if (packet.size() < kFixedHeaderSize || packet[0] >> 6 != kVersion) return {};
  HeaderShape shape;
  shape.csrc_count = packet[0] & 0x0F;
  size_t size = kFixedHeaderSize + 4 * shape.csrc_count;
  if (packet[0] & 0x10) {
    if (packet.size() < size + 4) return {};
    shape.profile = load_u16(packet.data() + size);
    const size_t extension_size = size_t{load_u16(packet.data() + size + 2)} * 4;
    size += 4;
    if (packet.size() - size < extension_size) return {};
    shape.extension = packet.subspan(size, extension_size);
    size += extension_size;
  }
  if (size > packet.size()) return {};
  shape.size = size;
  return shape;
}

}  // namespace

std::optional<View> parse(MutByteView packet) {
  const HeaderShape shape = shape_of(packet);
  if (shape.size == 0) return std::nullopt;
  View view;
  view.marker = (packet[1] & 0x80) != 0;
  view.payload_type = packet[1] & 0x7F;
  view.sequence = load_u16(packet.data() + 2);
  view.timestamp = load_u32(packet.data() + 4);
  view.ssrc = load_u32(packet.data() + 8);
  view.csrc_count = static_cast<uint8_t>(shape.csrc_count);
  view.extension_profile = shape.profile;
  view.extension = shape.extension;
  view.header_size = shape.size;
  view.packet = packet;
  view.payload = packet.subspan(shape.size);
  if (packet[0] & 0x20) {
    // RFC 3550 A.1: the count at the end includes itself and cannot reach into the header.
    if (view.payload.empty()) return std::nullopt;
    const size_t padding = view.payload.back();
    if (padding == 0 || padding > view.payload.size()) return std::nullopt;
    view.padding_size = padding;
    view.payload = view.payload.first(view.payload.size() - padding);
  }
  return view;
}

size_t header_length(ByteView packet) {
  return shape_of(packet).size;
}

std::optional<ByteView> find_extension(const View& view, uint8_t id) {
  if (id == 0) return std::nullopt;
  std::optional<ByteView> found;
  for_each_extension(view, [&](uint8_t element, ByteView value) {
    if (element == id && !found) found = value;
  });
  return found;
}

PacketClass classify(ByteView datagram) {
  if (datagram.size() < 2) return PacketClass::kUnknown;
  const uint8_t first = datagram[0];
  if (first <= 3) return PacketClass::kStun;
  if (first >= 20 && first <= 63) return PacketClass::kDtls;
  if (first >= 128 && first <= 191) {
    // RFC 5761 4: RTCP packet types 192 to 223 are what RTP payload types 64 to 95 with a marker would look like.
    return datagram[1] >= 192 && datagram[1] <= 223 ? PacketClass::kRtcp : PacketClass::kRtp;
  }
  return PacketClass::kUnknown;  // ZRTP 16 to 19, TURN channels 64 to 79, and what nobody has assigned
}

}  // namespace atm::rtp

#include "wire/payload/picture_size.h"

#include <algorithm>

#include "wire/payload/av1.h"
#include "wire/payload/h264.h"
#include "wire/payload/vp8.h"
#include "wire/payload/vp9.h"

namespace atm::payload {
namespace {

PictureSizes one(uint32_t width, uint32_t height) {
  PictureSizes out;
  if (width == 0 || height == 0) return out;
  out.count = 1;
  out.layers[0] = {width, height};
  return out;
}

PictureSizes read_vp8(ByteView payload) {
  const auto descriptor = parse_vp8(payload);
  if (!descriptor || !descriptor->is_key_frame) return {};
  // RFC 6386 9.1: three bytes of frame tag, the start code, then width and height of 14 bits, the lower byte first.
  const ByteView header = payload.subspan(descriptor->size);
  if (header.size() < 10 || header[3] != 0x9d || header[4] != 0x01 || header[5] != 0x2a) return {};
  return one(header[6] | (header[7] & 0x3Fu) << 8, header[8] | (header[9] & 0x3Fu) << 8);
}

PictureSizes read_vp9(ByteView payload) {
  const auto descriptor = parse_vp9(payload);
  PictureSizes out;
  if (!descriptor || !descriptor->has_structure || !descriptor->has_resolutions) return out;
  // A higher layer than are told apart counts as the highest.
  for (size_t i = 0; i < descriptor->spatial_layers; ++i) {
    out.count = std::min(i + 1, out.layers.size());
    out.layers[out.count - 1] = {descriptor->resolutions[i].width, descriptor->resolutions[i].height};
  }
  return out;
}

PictureSizes read_h264(ByteView payload) {
  const auto packet = parse_h264(payload);
  if (!packet || packet->sps.empty()) return {};
  const auto sps = parse_h264_sps(packet->sps);
  return sps ? one(sps->width, sps->height) : PictureSizes{};
}

PictureSizes read_av1(ByteView payload) {
  const auto packet = parse_av1(payload);
  if (!packet) return {};
  for (size_t i = 0; i < packet->count; ++i) {
    const Av1Element& element = packet->elements[i];
    if (element.is_continuation || element.type != static_cast<uint8_t>(ObuType::kSequenceHeader)) continue;
    const auto header = parse_av1_sequence_header(element.content);
    return header ? one(header->width, header->height) : PictureSizes{};
  }
  return {};
}

}  // namespace

PictureSizes read_picture_sizes(Codec codec, ByteView payload) {
  switch (codec) {
    case Codec::kVp8:
      return read_vp8(payload);
    case Codec::kVp9:
      return read_vp9(payload);
    case Codec::kH264:
      return read_h264(payload);
    case Codec::kAv1:
      return read_av1(payload);
    default:
      return {};
  }
}

}  // namespace atm::payload

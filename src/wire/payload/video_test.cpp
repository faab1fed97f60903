#include <gtest/gtest.h>

#include <vector>

#include "wire/payload/av1.h"
#include "wire/payload/bit_reader.h"
#include "wire/payload/dependency_descriptor.h"
#include "wire/payload/h264.h"
#include "wire/payload/key_frame.h"
#include "wire/payload/picture_size.h"
#include "wire/payload/vp8.h"
#include "wire/payload/vp9.h"

namespace atm::payload {
namespace {

// Writes what the parsers read, from the tables of the specifications.
class BitWriter {
 public:
  BitWriter& bits(unsigned count, uint32_t value) {
    for (unsigned i = count; i-- > 0;) push((value >> i & 1) != 0);
    return *this;
  }
  BitWriter& golomb(uint32_t value) {
    unsigned width = 0;
    while ((value + 1) >> (width + 1) != 0) ++width;
    return bits(width, 0).bits(width + 1, value + 1);
  }
  const Bytes& bytes() const { return bytes_; }

 private:
  void push(bool bit) {
    if (at_ % 8 == 0) bytes_.push_back(0);
    if (bit) bytes_.back() |= static_cast<uint8_t>(0x80 >> at_ % 8);
    ++at_;
  }
  Bytes bytes_;
  size_t at_ = 0;
};

// Constrained baseline of 1280x720 as libwebrtc's encoder writes it: cropping none, order count type 2.
Bytes sps_720p() {
  BitWriter w;
  w.bits(8, 0x67).bits(8, 0x42).bits(8, 0xE0).bits(8, 0x1F);
  w.golomb(0).golomb(0).golomb(2).golomb(1).bits(1, 0).golomb(79).golomb(44).bits(1, 1).bits(1, 1).bits(1, 0).bits(2,
                                                                                                                   2);
  return w.bytes();
}
// High of 1920x1080: 1088 lines cropped by 8, with chroma information.
Bytes sps_1080p() {
  BitWriter w;
  w.bits(8, 0x67).bits(8, 0x64).bits(8, 0x00).bits(8, 0x28);
  w.golomb(0).golomb(1).golomb(0).golomb(0).bits(1, 0).bits(1, 0);
  w.golomb(0).golomb(0).golomb(4).golomb(4).bits(1, 0).golomb(119).golomb(67).bits(1, 1).bits(1, 1);
  w.bits(1, 1).golomb(0).golomb(0).golomb(0).golomb(4).bits(2, 2);
  return w.bytes();
}

TEST(H264Sps, tells_profile_and_size) {
  const auto small = parse_h264_sps(sps_720p());
  ASSERT_TRUE(small);
  EXPECT_EQ(small->profile_idc, 0x42);
  EXPECT_EQ(small->constraint_flags, 0xE0);
  EXPECT_EQ(small->level_idc, 0x1F);
  EXPECT_EQ(small->width, 1'280u);
  EXPECT_EQ(small->height, 720u);
  const auto large = parse_h264_sps(sps_1080p());
  ASSERT_TRUE(large);
  EXPECT_EQ(large->width, 1'920u);
  EXPECT_EQ(large->height, 1'080u);
}

TEST(H264Sps, bytes_that_keep_start_codes_out_are_no_content) {
  // 0x000003 in the middle stands for 0x0000.
  BitWriter w;
  w.bits(8, 0x67).bits(8, 0x42).bits(8, 0x00).bits(8, 0x00);
  Bytes plain = w.golomb(0)
                    .golomb(0)
                    .golomb(2)
                    .golomb(1)
                    .bits(1, 0)
                    .golomb(39)
                    .golomb(29)
                    .bits(1, 1)
                    .bits(1, 1)
                    .bits(1, 0)
                    .bits(2, 2)
                    .bytes();
  Bytes escaped = plain;
  escaped.insert(escaped.begin() + 4, 0x03);
  ASSERT_TRUE(parse_h264_sps(escaped));
  EXPECT_EQ(parse_h264_sps(escaped)->width, 640u);
  EXPECT_EQ(parse_h264_sps(escaped)->height, 480u);
}

TEST(H264, finds_parameter_sets_and_fragments) {
  const Bytes sps = sps_720p();
  Bytes stap = {0x78, 0, static_cast<uint8_t>(sps.size())};
  stap.insert(stap.end(), sps.begin(), sps.end());
  stap.insert(stap.end(), {0, 2, 0x68, 0xCE, 0, 3, 0x65, 0x88, 0x84});
  const auto packet = parse_h264(stap);
  ASSERT_TRUE(packet);
  EXPECT_EQ(packet->units, 3u);
  EXPECT_TRUE(packet->has_sps && packet->has_pps && packet->has_idr);
  EXPECT_EQ(Bytes(packet->sps.begin(), packet->sps.end()), sps);
  const auto middle = parse_h264(Bytes{0x7C, 0x05, 0x88});
  ASSERT_TRUE(middle);
  EXPECT_TRUE(middle->is_fragment);
  EXPECT_EQ(middle->units, 0u);
  EXPECT_FALSE(parse_h264(Bytes{0x7C, 0xC5, 0x88})) << "a fragment is not all of it";
  EXPECT_FALSE(parse_h264(Bytes{0x7C}));
  EXPECT_FALSE(parse_h264(Bytes{0x78}));
  EXPECT_FALSE(parse_h264(Bytes{0x78, 0, 0, 0, 1, 0x67})) << "an empty unit";
  EXPECT_FALSE(parse_h264(Bytes{0x79, 0, 0})) << "STAP-B";
  EXPECT_FALSE(parse_h264(Bytes{0x60, 0})) << "type 0";
}

TEST(H264, an_aggregation_has_at_most_so_many_units) {
  Bytes stap = {0x78};
  for (size_t i = 0; i < kMaxNalUnits; ++i) stap.insert(stap.end(), {0, 1, 0x41});
  EXPECT_TRUE(parse_h264(stap));
  stap.insert(stap.end(), {0, 1, 0x67});
  EXPECT_FALSE(parse_h264(stap));
}

Bytes sequence_header(uint32_t width, uint32_t height) {
  BitWriter w;
  w.bits(3, 0).bits(1, 0).bits(1, 0).bits(1, 0).bits(1, 0).bits(5, 0).bits(12, 0).bits(5, 5);
  w.bits(4, 10).bits(4, 9).bits(11, width - 1).bits(10, height - 1).bits(8, 0);
  return w.bytes();
}

Bytes av1_key_packet() {
  const Bytes sequence = sequence_header(1'280, 720);
  Bytes out = {0x28, static_cast<uint8_t>(sequence.size() + 1), 0x08};  // W = 2, N
  out.insert(out.end(), sequence.begin(), sequence.end());
  out.insert(out.end(), {0x34, 0x20, 0x11, 0x22});  // a frame of temporal layer 1
  return out;
}

TEST(Av1, reads_elements_and_the_sequence_header) {
  const Bytes bytes = av1_key_packet();
  const auto packet = parse_av1(bytes);
  ASSERT_TRUE(packet);
  EXPECT_TRUE(packet->starts_sequence);
  ASSERT_EQ(packet->count, 2u);
  EXPECT_EQ(packet->elements[0].type, 1);
  EXPECT_EQ(packet->elements[1].type, 6);
  EXPECT_TRUE(packet->elements[1].has_layers);
  EXPECT_EQ(packet->elements[1].temporal_layer, 1);
  const auto header = parse_av1_sequence_header(packet->elements[0].content);
  ASSERT_TRUE(header);
  EXPECT_EQ(header->width, 1'280u);
  EXPECT_EQ(header->height, 720u);
  EXPECT_EQ(header->level, 5);
}

TEST(Av1, a_continuation_has_no_header_and_starts_no_sequence) {
  const auto packet = parse_av1(Bytes{0x90, 0xFF, 0xFF});
  ASSERT_TRUE(packet);
  EXPECT_TRUE(packet->elements[0].is_continuation);
  EXPECT_FALSE(parse_av1(Bytes{0x98, 0xFF})) << "Z and N";
  EXPECT_FALSE(parse_av1(Bytes{0x10, 0xB0})) << "the forbidden bit";
  EXPECT_FALSE(parse_av1(Bytes{0x20, 0x01, 0x30})) << "W says two";
  EXPECT_FALSE(parse_av1(Bytes{0x00, 0x80, 0x80, 0x80, 0x80, 0x01})) << "a size of five bytes";
}

// Three templates of one spatial and two temporal layers (L1T2), two decode targets, one chain, a resolution.
Bytes descriptor_of_key_frame() {
  BitWriter w;
  w.bits(1, 1).bits(1, 0).bits(6, 0).bits(16, 0x1234);
  w.bits(1, 1).bits(4, 0);
  w.bits(6, 0).bits(5, 1);
  w.bits(2, 0).bits(2, 1).bits(2, 3);                 // T0, T0, T1
  w.bits(4, 0b1010).bits(4, 0b1010).bits(4, 0b0001);  // switch switch, switch switch, - discardable
  w.bits(1, 0).bits(1, 1).bits(4, 1).bits(1, 0).bits(1, 1).bits(4, 0).bits(1, 0);
  w.bits(1, 1).bits(1, 0);  // ns(3): one chain is "10"
  w.bits(4, 0).bits(4, 2).bits(4, 1);
  w.bits(1, 1).bits(16, 1'279).bits(16, 719);
  return w.bytes();
}

TEST(DependencyDescriptor, brings_a_structure_that_later_frames_use) {
  std::optional<DependencyStructure> structure;
  EXPECT_FALSE(parse_dependency_descriptor(Bytes{0xC2, 0x12, 0x35}, structure)) << "before any key frame";
  const auto key = parse_dependency_descriptor(descriptor_of_key_frame(), structure);
  ASSERT_TRUE(key && structure);
  EXPECT_TRUE(key->starts_frame && key->has_structure && !key->ends_frame);
  EXPECT_EQ(key->frame_number, 0x1234);
  EXPECT_EQ(key->active_decode_targets, 3u);
  EXPECT_EQ(key->frame.difference_count, 0);
  EXPECT_EQ(structure->template_count, 3);
  EXPECT_EQ(structure->decode_targets, 2);
  EXPECT_EQ(structure->chains, 1);
  EXPECT_EQ(structure->max_temporal_layer, 1);
  EXPECT_EQ(structure->resolutions[0].width, 1'280u);
  EXPECT_EQ(structure->resolutions[0].height, 720u);
  const auto delta = parse_dependency_descriptor(Bytes{0xC2, 0x12, 0x35}, structure);
  ASSERT_TRUE(delta);
  EXPECT_EQ(delta->frame.temporal_layer, 1);
  EXPECT_EQ(delta->frame.difference_count, 1);
  EXPECT_EQ(delta->frame.differences[0], 1);
  EXPECT_EQ(delta->frame.chain_differences[0], 1);
  EXPECT_EQ(delta->frame.indications[0], DecodeTargetIndication::kNotPresent);
  EXPECT_EQ(delta->frame.indications[1], DecodeTargetIndication::kDiscardable);
  EXPECT_FALSE(parse_dependency_descriptor(Bytes{0xC3, 0x12, 0x35}, structure)) << "no such template";
}

TEST(DependencyDescriptor, a_frame_may_say_its_own) {
  std::optional<DependencyStructure> structure;
  ASSERT_TRUE(parse_dependency_descriptor(descriptor_of_key_frame(), structure));
  BitWriter w;
  w.bits(1, 1).bits(1, 1).bits(6, 1).bits(16, 7);
  w.bits(1, 0).bits(1, 1).bits(1, 1).bits(1, 1).bits(1, 1);
  w.bits(2, 1);  // only the first target
  w.bits(4, 0b1100).bits(2, 3).bits(12, 299).bits(2, 1).bits(4, 3).bits(2, 0).bits(8, 200);
  const auto frame = parse_dependency_descriptor(w.bytes(), structure);
  ASSERT_TRUE(frame);
  EXPECT_EQ(frame->active_decode_targets, 1u);
  EXPECT_EQ(frame->frame.indications[0], DecodeTargetIndication::kRequired);
  EXPECT_EQ(frame->frame.indications[1], DecodeTargetIndication::kNotPresent);
  ASSERT_EQ(frame->frame.difference_count, 2);
  EXPECT_EQ(frame->frame.differences[0], 300);
  EXPECT_EQ(frame->frame.differences[1], 4);
  EXPECT_EQ(frame->frame.chain_differences[0], 200);
}

TEST(DependencyDescriptor, its_head_is_read_without_a_structure) {
  const auto head = parse_dependency_head(descriptor_of_key_frame());
  ASSERT_TRUE(head);
  EXPECT_TRUE(head->has_structure);
  EXPECT_EQ(head->frame_number, 0x1234);
  EXPECT_FALSE(parse_dependency_head(Bytes{0x80, 0, 1})->has_structure);
  EXPECT_FALSE(parse_dependency_head(Bytes{0x80, 0}));
}

TEST(DependencyDescriptor, a_broken_one_leaves_the_structure_as_it_was) {
  std::optional<DependencyStructure> structure;
  ASSERT_TRUE(parse_dependency_descriptor(descriptor_of_key_frame(), structure));
  Bytes cut = descriptor_of_key_frame();
  cut.resize(cut.size() - 2);
  EXPECT_FALSE(parse_dependency_descriptor(cut, structure));
  ASSERT_TRUE(structure);
  EXPECT_EQ(structure->template_count, 3);
}

TEST(BitReader, numbers_of_unusual_shape) {
  BitWriter w;
  w.golomb(0).golomb(7).golomb(65'534).bits(2, 0b10).bits(1, 1);
  BitReader reader(w.bytes());
  EXPECT_EQ(reader.exp_golomb(), 0u);
  EXPECT_EQ(reader.exp_golomb(), 7u);
  EXPECT_EQ(reader.exp_golomb(), 65'534u);
  EXPECT_EQ(reader.one_of(3), 1u) << "of three: 0, 10, 11";
  EXPECT_TRUE(reader.ok());
  const Bytes nothing(8);
  BitReader zeros(nothing);
  zeros.exp_golomb();
  EXPECT_FALSE(zeros.ok());
  EXPECT_EQ(BitReader(ByteView{}).one_of(1), 0u);
}

// Under a sanitizer this shows that nothing is read beyond the end; each copy is exactly as long as what is left.
void try_all(const Bytes& bytes) {
  static std::optional<DependencyStructure> known = [] {
    std::optional<DependencyStructure> structure;
    parse_dependency_descriptor(descriptor_of_key_frame(), structure);
    return structure;
  }();
  parse_vp8(bytes);
  parse_vp9(bytes);
  for (const Codec codec : {Codec::kVp8, Codec::kVp9, Codec::kH264, Codec::kAv1}) read_picture_sizes(codec, bytes);
  if (const auto packet = parse_h264(bytes); packet && !packet->sps.empty()) parse_h264_sps(packet->sps);
  parse_h264_sps(bytes);
  if (const auto packet = parse_av1(bytes)) {
    for (size_t i = 0; i < packet->count; ++i) parse_av1_sequence_header(packet->elements[i].content);
  }
  parse_av1_sequence_header(bytes);
  std::optional<DependencyStructure> none, some = known;
  parse_dependency_descriptor(bytes, none);
  parse_dependency_descriptor(bytes, some);
  for (const Codec codec : {Codec::kVp8, Codec::kVp9, Codec::kH264, Codec::kAv1}) is_key_frame_start(codec, bytes);
}

TEST(PictureSize, stands_in_the_header_of_a_key_frame) {
  // VP8: 640 x 360, with a scale in the upper two bits of each (RFC 6386 9.1).
  const Bytes vp8 = {0x10, 0x10, 0x00, 0x00, 0x9d, 0x01, 0x2a, 0x80, 0x42, 0x68, 0x81, 0x00};
  PictureSizes sizes = read_picture_sizes(Codec::kVp8, vp8);
  ASSERT_EQ(sizes.count, 1u);
  EXPECT_EQ(sizes.layers[0], (PictureSize{640, 360}));
  Bytes delta = vp8;
  delta[1] |= 1;
  EXPECT_EQ(read_picture_sizes(Codec::kVp8, delta).count, 0u);
  Bytes encrypted = vp8;
  encrypted[4] = 0x77;
  EXPECT_EQ(read_picture_sizes(Codec::kVp8, encrypted).count, 0u);

  // VP9: B, V; two layers with sizes (RFC 9628 4.2.1).
  const Bytes vp9 = {0x0a, 0x30, 0x01, 0x40, 0x00, 0xb4, 0x02, 0x80, 0x01, 0x68};
  sizes = read_picture_sizes(Codec::kVp9, vp9);
  ASSERT_EQ(sizes.count, 2u);
  EXPECT_EQ(sizes.layers[0], (PictureSize{320, 180}));
  EXPECT_EQ(sizes.layers[1], (PictureSize{640, 360}));

  EXPECT_EQ(read_picture_sizes(Codec::kH264, sps_720p()).layers[0], (PictureSize{1'280, 720}));
  EXPECT_EQ(read_picture_sizes(Codec::kH264, Bytes{0x65, 0x88}).count, 0u);

  const Bytes av1 = av1_key_packet();
  EXPECT_EQ(read_picture_sizes(Codec::kAv1, av1).layers[0], (PictureSize{1'280, 720}));
  EXPECT_EQ(read_picture_sizes(Codec::kOpus, av1).count, 0u);
}

TEST(Video, every_sample_is_safe_cut_at_every_byte_and_with_every_byte_changed) {
  Bytes own = {0xC1, 0, 7, 0x7C, 0xF0, 0x12, 0xB1, 0x0C, 0x80};
  const std::vector<Bytes> samples = {sps_720p(),
                                      sps_1080p(),
                                      av1_key_packet(),
                                      sequence_header(1'280, 720),
                                      descriptor_of_key_frame(),
                                      own,
                                      {0x78, 0, 2, 0x67, 0x42, 0, 2, 0x68, 0xCE},
                                      {0x7C, 0x85, 0x88},
                                      {0xB3, 0xF0, 0x92, 0x34, 0x56, 0xBF, 0x00},
                                      {0xF8, 0x05, 0x55, 0x03, 0x05, 0x02, 0xAA}};
  for (const Bytes& sample : samples) {
    for (size_t size = 0; size <= sample.size(); ++size) {
      try_all(Bytes(sample.begin(), sample.begin() + static_cast<std::ptrdiff_t>(size)));
    }
    for (size_t at = 0; at < sample.size(); ++at) {
      Bytes changed = sample;
      for (unsigned value = 0; value < 256; ++value) {
        changed[at] = static_cast<uint8_t>(value);
        try_all(changed);
      }
    }
  }
}

}  // namespace
}  // namespace atm::payload

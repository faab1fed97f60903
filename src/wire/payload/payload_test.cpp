#include <gtest/gtest.h>

#include "wire/payload/key_frame.h"
#include "wire/payload/vp8.h"
#include "wire/payload/vp9.h"

namespace atm::payload {
namespace {

struct Sample {
  const char* name;
  Codec codec;
  bool starts;
  Bytes bytes;
};

const Sample kSamples[] = {
    {"vp8 key, no extension", Codec::kVp8, true, {0x10, 0x90, 0x01, 0x00, 0x9D, 0x01, 0x2A}},
    {"vp8 delta", Codec::kVp8, false, {0x10, 0x91, 0x01, 0x00}},
    {"vp8 key, 15-bit picture id, tl0, tid", Codec::kVp8, true, {0x90, 0xE0, 0x81, 0x02, 0x05, 0x20, 0x50}},
    {"vp8 key's second packet", Codec::kVp8, false, {0x80, 0xE0, 0x81, 0x02, 0x05, 0x20, 0x50}},
    {"vp8 key's second partition", Codec::kVp8, false, {0x11, 0x50}},
    {"vp8 descriptor alone", Codec::kVp8, false, {0x10}},
    {"vp9 key, non-flexible, structure",
     Codec::kVp9,
     true,
     {0x8A | 0x20, 0x81, 0x02, 0x00, 0x07, 0x38, 0x02, 0x80, 0x01, 0xE0, 0x05, 0x00, 0x02, 0xD0, 0x02, 0x00, 0x14, 0x01,
      0xAA}},
    {"vp9 key's upper spatial layer", Codec::kVp9, false, {0xA8, 0x81, 0x02, 0x03, 0x07, 0xAA}},
    {"vp9 delta", Codec::kVp9, false, {0xE8, 0x81, 0x02, 0x00, 0x07, 0xAA}},
    {"vp9 key's second packet", Codec::kVp9, false, {0xA0, 0x81, 0x02, 0x00, 0x07, 0xAA}},
    {"vp9 flexible delta with references", Codec::kVp9, false, {0xF8, 0x05, 0x00, 0x03, 0x05, 0x02, 0xAA}},
    {"h264 single IDR", Codec::kH264, true, {0x65, 0x88}},
    {"h264 SPS", Codec::kH264, true, {0x67, 0x42}},
    {"h264 slice", Codec::kH264, false, {0x41, 0x9A}},
    {"h264 PPS", Codec::kH264, false, {0x68, 0xCE}},
    {"h264 STAP-A SPS PPS", Codec::kH264, true, {0x78, 0, 2, 0x67, 0x42, 0, 2, 0x68, 0xCE}},
    {"h264 STAP-A AUD SEI SPS", Codec::kH264, true, {0x78, 0, 2, 0x09, 0xF0, 0, 1, 0x06, 0, 1, 0x67}},
    {"h264 STAP-A slices", Codec::kH264, false, {0x78, 0, 1, 0x41, 0, 1, 0x41}},
    {"h264 FU-A IDR start", Codec::kH264, true, {0x7C, 0x85, 0x88}},
    {"h264 FU-A IDR middle", Codec::kH264, false, {0x7C, 0x05, 0x88}},
    {"h264 FU-A slice start", Codec::kH264, false, {0x7C, 0x81, 0x88}},
    {"av1 N", Codec::kAv1, true, {0x18, 0x0A, 0x01}},
    {"av1 sequence header without N", Codec::kAv1, true, {0x20, 0x02, 0x08, 0x00, 0x30}},
    {"av1 delimiter, sequence header", Codec::kAv1, true, {0x00, 0x01, 0x10, 0x02, 0x08, 0x00, 0x01, 0x30}},
    {"av1 frame", Codec::kAv1, false, {0x10, 0x30, 0x00}},
    {"av1 continuation", Codec::kAv1, false, {0x90, 0x08, 0x00}},
    {"opus", Codec::kOpus, true, {0x78}},
};

TEST(KeyFrame, starts_where_each_format_says) {
  for (const Sample& sample : kSamples) {
    EXPECT_EQ(is_key_frame_start(sample.codec, sample.bytes), sample.starts) << sample.name;
  }
}

// Under a sanitizer this shows that no descriptor is read beyond its end; each copy is exactly as long as what is left.
TEST(KeyFrame, every_sample_is_safe_cut_at_every_byte_and_with_every_byte_changed) {
  for (const Sample& sample : kSamples) {
    for (size_t size = 0; size <= sample.bytes.size(); ++size) {
      const Bytes cut(sample.bytes.begin(), sample.bytes.begin() + static_cast<std::ptrdiff_t>(size));
      for (const Codec codec : {Codec::kVp8, Codec::kVp9, Codec::kH264, Codec::kAv1}) is_key_frame_start(codec, cut);
    }
    for (size_t at = 0; at < sample.bytes.size(); ++at) {
      Bytes changed = sample.bytes;
      for (unsigned value = 0; value < 256; ++value) {
        changed[at] = static_cast<uint8_t>(value);
        is_key_frame_start(sample.codec, changed);
      }
    }
  }
}

TEST(Vp8, reads_the_whole_descriptor) {
  const Bytes bytes = {0xB3, 0xF0, 0x92, 0x34, 0x56, 0xBF, 0x00};
  const auto descriptor = parse_vp8(bytes);
  ASSERT_TRUE(descriptor);
  EXPECT_EQ(descriptor->size, 6u);
  EXPECT_TRUE(descriptor->is_non_reference);
  EXPECT_TRUE(descriptor->starts_partition);
  EXPECT_EQ(descriptor->partition, 3);
  EXPECT_EQ(descriptor->picture_id, 0x1234);
  EXPECT_TRUE(descriptor->picture_id_is_long);
  EXPECT_EQ(descriptor->picture_id_at, 2);
  EXPECT_EQ(descriptor->tl0_picture_index, 0x56);
  EXPECT_EQ(descriptor->tl0_picture_index_at, 4);
  EXPECT_EQ(descriptor->temporal_layer, 2);
  EXPECT_TRUE(descriptor->is_layer_sync);
  EXPECT_EQ(descriptor->key_index, 0x1F);
  EXPECT_FALSE(descriptor->is_key_frame);  // partition 3
  for (size_t size = 0; size < 6; ++size) EXPECT_FALSE(parse_vp8(ByteView(bytes).first(size))) << size;
}

TEST(Vp8, short_picture_id_and_key_index_alone) {
  const auto short_id = parse_vp8(Bytes{0x80, 0x80, 0x7F, 0x00});
  ASSERT_TRUE(short_id);
  EXPECT_EQ(short_id->picture_id, 0x7F);
  EXPECT_FALSE(short_id->picture_id_is_long);
  EXPECT_EQ(short_id->size, 3u);
  const auto key_index = parse_vp8(Bytes{0x80, 0x10, 0xE3, 0x00});
  ASSERT_TRUE(key_index);
  EXPECT_FALSE(key_index->temporal_layer);
  EXPECT_EQ(key_index->key_index, 3);
}

TEST(Vp9, reads_layers_index_and_structure) {
  const Bytes& bytes = kSamples[6].bytes;
  const auto descriptor = parse_vp9(bytes);
  ASSERT_TRUE(descriptor);
  EXPECT_EQ(descriptor->size, bytes.size() - 1);
  EXPECT_EQ(descriptor->picture_id, 0x0102);
  EXPECT_EQ(descriptor->picture_id_at, 1);
  EXPECT_EQ(descriptor->tl0_picture_index, 7);
  EXPECT_EQ(descriptor->tl0_picture_index_at, 4);
  EXPECT_TRUE(descriptor->has_structure);
  EXPECT_EQ(descriptor->spatial_layers, 2);
  EXPECT_EQ(descriptor->resolutions[0].width, 640);
  EXPECT_EQ(descriptor->resolutions[1].height, 720);
  for (size_t size = 0; size < descriptor->size; ++size) EXPECT_FALSE(parse_vp9(ByteView(bytes).first(size))) << size;
}

TEST(Vp9, reads_layer_bits_and_references_and_refuses_a_fourth) {
  const auto descriptor = parse_vp9(Bytes{0xF8, 0x05, 0x55, 0x03, 0x05, 0x02, 0xAA});
  ASSERT_TRUE(descriptor);
  EXPECT_EQ(descriptor->temporal_layer, 2);
  EXPECT_TRUE(descriptor->is_switching_up_point);
  EXPECT_EQ(descriptor->spatial_layer, 2);
  EXPECT_TRUE(descriptor->is_inter_layer_predicted);
  EXPECT_FALSE(descriptor->tl0_picture_index);
  EXPECT_EQ(descriptor->reference_count, 3);
  EXPECT_EQ(descriptor->references[1], 2);
  EXPECT_FALSE(parse_vp9(Bytes{0xF8, 0x05, 0x55, 0x03, 0x05, 0x03, 0x02, 0xAA}));
}

}  // namespace
}  // namespace atm::payload

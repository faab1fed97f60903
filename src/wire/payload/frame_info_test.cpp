#include "wire/payload/frame_info.h"

#include <gtest/gtest.h>

namespace atm::payload {
namespace {

FrameInfo read(Codec codec, const Bytes& payload, FrameStructure& structure, const Bytes& descriptor = {}) {
  return read_frame_info(codec, payload, false, descriptor, structure);
}
FrameInfo read(Codec codec, const Bytes& payload) {
  FrameStructure structure;
  return read(codec, payload, structure);
}
bool needs(const FrameInfo& info, unsigned spatial, unsigned temporal) {
  return (info.needed_by & target_bit(spatial, temporal)) != 0;
}

TEST(FrameInfo, Vp8TellsTemporalLayerAndWhereToGoUp) {
  const FrameInfo info = read(Codec::kVp8, {0x90, 0xE0, 0x92, 0x34, 7, 0x60, 0x01, 0});
  EXPECT_EQ(info.temporal_layer, 1);
  EXPECT_TRUE(info.starts_frame && info.is_layered && info.closes_picture_ids && !info.is_key_frame);
  EXPECT_FALSE(needs(info, 0, 0));
  EXPECT_TRUE(needs(info, 0, 1) && needs(info, 3, 7));
  EXPECT_EQ(info.rule, SwitchRule::kFromBelow);
  EXPECT_EQ(info.switches_to & targets_of(0, 0, 0), target_bit(0, 1));
  EXPECT_TRUE(read(Codec::kVp8, {0x90, 0xE0, 0x92, 0x34, 7, 0x00, 0x00, 0}).is_key_frame);
  EXPECT_EQ(read(Codec::kVp8, {0x10, 0x01}).needed_by, kAllTargets) << "no layers";
}

TEST(FrameInfo, Vp9TellsWhichTargetsNeedALayerFrame) {
  FrameStructure structure;
  // I P L F B E V Z; a key picture's lowest layer, with a structure of three layers.
  FrameInfo info = read(Codec::kVp9, {0xAA, 0x81, 0x00, 0x10, 5, 0x40, 7}, structure);
  EXPECT_TRUE(info.is_key_frame && info.starts_frame && !info.ends_frame);
  EXPECT_EQ(info.top_spatial_layer, 2);
  EXPECT_TRUE(needs(info, 0, 0) && needs(info, 3, 7));
  EXPECT_EQ(info.rule, SwitchRule::kNextPicture);
  // Layer 1 of a picture of temporal layer 2, that no upper layer refers to (K-SVC).
  info = read(Codec::kVp9, {0xE9, 0x81, 0x01, 0x42, 5, 7}, structure);
  EXPECT_EQ(info.spatial_layer, 1);
  EXPECT_EQ(info.temporal_layer, 2);
  EXPECT_TRUE(needs(info, 1, 2) && !needs(info, 1, 1) && !needs(info, 2, 2) && !needs(info, 0, 2));
  // The highest one is for all that want as much or more.
  info = read(Codec::kVp9, {0xE9, 0x81, 0x01, 0x44, 5, 7}, structure);
  EXPECT_TRUE(needs(info, 2, 2) && needs(info, 3, 2) && !needs(info, 1, 2));
}

TEST(FrameInfo, H264TellsKeyFramesBehindADelimiter) {
  EXPECT_TRUE(read(Codec::kH264, {0x78, 0, 2, 0x09, 0x10, 0, 2, 0x06, 1, 0, 2, 0x67, 0x42}).is_key_frame);
  EXPECT_TRUE(read(Codec::kH264, {0x7C, 0x85, 1}).is_key_frame) << "first fragment of an IDR slice";
  EXPECT_FALSE(read(Codec::kH264, {0x7C, 0x05, 1}).is_key_frame);
  EXPECT_FALSE(read(Codec::kH264, {0x61, 1}).is_key_frame);
}

TEST(FrameInfo, AnH264KeyFrameStartsWithItsParameterSets) {
  const Bytes sps{0x67, 0x42, 0}, idr{0x65, 1}, slice{0x61, 1};
  const auto starts = [](const Bytes& payload, bool marker, FrameStructure& structure) {
    return read_frame_info(Codec::kH264, payload, marker, {}, structure).starts_frame;
  };
  FrameStructure structure;
  EXPECT_FALSE(starts(idr, true, structure)) << "the SPS is late or lost";
  EXPECT_TRUE(starts(sps, false, structure)) << "and comes";
  EXPECT_FALSE(starts(slice, true, structure));
  EXPECT_FALSE(starts(idr, false, structure));
  EXPECT_TRUE(starts(sps, false, structure)) << "out of order";
  EXPECT_FALSE(starts(slice, true, structure));
  FrameStructure out_of_band;
  EXPECT_FALSE(starts(idr, true, out_of_band));
  EXPECT_TRUE(starts(idr, true, out_of_band)) << "there was none with the first key frame either";
  EXPECT_FALSE(starts(slice, true, out_of_band));
  EXPECT_TRUE(starts(idr, false, out_of_band));
}

// L1T2: two decode targets, templates T0, T0 and T1 (AV1 RTP specification A.8).
const Bytes kDescriptor = {0x80, 0x12, 0x34, 0x80, 0x01, 0x1E, 0xA8, 0x51, 0x41, 0x01, 0x0C, 0x13, 0xFC, 0x0B, 0x3C};

TEST(FrameInfo, ADependencyDescriptorTellsIt) {
  FrameStructure structure;
  FrameInfo info = read(Codec::kAv1, {0x10, 0x30}, structure, kDescriptor);
  EXPECT_TRUE(info.is_key_frame && info.starts_frame && info.is_layered);
  EXPECT_EQ(info.needed_by, kAllTargets);
  info = read(Codec::kAv1, {0x10, 0x30}, structure, {0xC2, 0x12, 0x35});
  EXPECT_EQ(info.temporal_layer, 1);
  EXPECT_TRUE(info.is_discardable && info.ends_frame && !info.is_key_frame);
  EXPECT_TRUE(!needs(info, 0, 0) && needs(info, 0, 1) && needs(info, 3, 7) && !needs(info, 3, 0));
  EXPECT_EQ(info.switches_to, 0u);
  ASSERT_EQ(info.reference_count, 1);
  EXPECT_EQ(info.references[0], 1);
  info = read(Codec::kAv1, {0x10, 0x30}, structure, {0xC1, 0x12, 0x36});
  EXPECT_EQ(info.rule, SwitchRule::kReferences);
  EXPECT_EQ(info.switches_to, kAllTargets) << "the base layer's frames are switch points for both targets";
}

TEST(FrameInfo, ADescriptorThatCannotBeReadIsNeededByAll) {
  FrameStructure structure;
  const FrameInfo info = read(Codec::kAv1, {0x10, 0x30}, structure, {0xC2, 0x12, 0x35});
  EXPECT_EQ(info.needed_by, kAllTargets);
  EXPECT_TRUE(info.has_frame_number);
  EXPECT_EQ(info.frame_number, 0x1235);
  EXPECT_EQ(read(Codec::kVp9, {}).needed_by, kAllTargets);
  EXPECT_EQ(read(Codec::kVp8, {0x90, 0xE0}).needed_by, kAllTargets);
}

TEST(PatchPictureIds, WritesIdsInTheirWidth) {
  const Bytes wide = {0x90, 0xE0, 0x92, 0x34, 7, 0x60, 0x01, 0};
  IdPatch patch = patch_picture_ids(read(Codec::kVp8, wide), wide, 0x7ABC, 9);
  EXPECT_EQ(patch.at, 2);
  ASSERT_EQ(patch.size, 3);
  EXPECT_EQ(patch.bytes[0], 0xFA);
  EXPECT_EQ(patch.bytes[1], 0xBC);
  EXPECT_EQ(patch.bytes[2], 9);
  const Bytes narrow = {0x90, 0x80, 0x12, 0x01, 0};
  patch = patch_picture_ids(read(Codec::kVp8, narrow), narrow, 0x7ABC, 9);
  ASSERT_EQ(patch.size, 1);
  EXPECT_EQ(patch.bytes[0], 0x3C);
  const Bytes vp9 = {0xE9, 0x81, 0x01, 0x42, 5, 7};
  patch = patch_picture_ids(read(Codec::kVp9, vp9), vp9, 0x102, 6);
  EXPECT_EQ(patch.at, 1);
  ASSERT_EQ(patch.size, 4);
  EXPECT_EQ(patch.bytes[2], 0x42) << "the layers between stay";
  EXPECT_EQ(patch.bytes[3], 6);
  EXPECT_EQ(patch_picture_ids(read(Codec::kVp9, vp9), vp9, 0x101, 5).size, 0) << "they are these already";
  EXPECT_EQ(patch_picture_ids(read(Codec::kH264, {0x61, 1}), vp9, 1, 1).size, 0);
}

}  // namespace
}  // namespace atm::payload

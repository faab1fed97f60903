// What is written is what is read, and what a viewer gets differs from that in nothing but what it has to.
#include "wire/payload/dependency_descriptor.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "base/rng.h"
#include "wire/payload/carried_descriptor.h"

namespace atm::payload {
namespace {

using Dti = DecodeTargetIndication;

FrameDependencies made_of(uint8_t spatial, uint8_t temporal, const char* indications, std::vector<uint16_t> differences,
                          std::vector<uint8_t> chains) {
  FrameDependencies out;
  out.spatial_layer = spatial;
  out.temporal_layer = temporal;
  for (size_t i = 0; indications[i] != 0; ++i) {
    out.indications[i] = static_cast<Dti>(std::string_view("-DSR").find(indications[i]));
  }
  for (const uint16_t difference : differences) out.differences[out.difference_count++] = difference;
  std::copy(chains.begin(), chains.end(), out.chain_differences.begin());
  return out;
}

DependencyStructure made_of(uint8_t targets, std::vector<uint8_t> protected_by,
                            std::vector<FrameDependencies> templates) {
  DependencyStructure out;
  out.decode_targets = targets;
  std::copy(protected_by.begin(), protected_by.end(), out.protected_by.begin());
  for (const uint8_t chain : protected_by) out.chains = std::max<uint8_t>(out.chains, static_cast<uint8_t>(chain + 1));
  for (const FrameDependencies& frame : templates) {
    out.templates[out.template_count++] = frame;
    out.max_spatial_layer = std::max(out.max_spatial_layer, frame.spatial_layer);
    out.max_temporal_layer = std::max(out.max_temporal_layer, frame.temporal_layer);
  }
  return out;
}

// The AV1 RTP specification's examples (A.10), with the templates of libwebrtc's encoder.
DependencyStructure l1t3() {
  return made_of(3, {0, 0, 0},
                 {made_of(0, 0, "SSS", {}, {0}), made_of(0, 0, "SSS", {4}, {4}), made_of(0, 1, "-DS", {2}, {2}),
                  made_of(0, 2, "--D", {1}, {1}), made_of(0, 2, "--D", {1}, {3})});
}
DependencyStructure l2t1() {
  DependencyStructure out = made_of(2, {0, 1},
                                    {made_of(0, 0, "SR", {2}, {2, 1}), made_of(0, 0, "SS", {}, {0, 0}),
                                     made_of(1, 0, "-S", {2, 1}, {1, 1}), made_of(1, 0, "-S", {1}, {1, 1})});
  out.has_resolutions = true;
  out.resolutions[0] = {320, 180};
  out.resolutions[1] = {640, 360};
  return out;
}
// K-SVC: below the highest layer only key frames are needed.
DependencyStructure l2t2_key() {
  return made_of(
      4, {0, 0, 1, 1},
      {made_of(0, 0, "SSSS", {}, {0, 0}), made_of(0, 0, "SS--", {4}, {4, 3}), made_of(0, 1, "-D--", {2}, {2, 1}),
       made_of(1, 0, "--SS", {1}, {1, 1}), made_of(1, 0, "--SS", {4}, {1, 4}), made_of(1, 1, "---D", {2}, {3, 2})});
}

DependencyDescriptor frame_of(const DependencyStructure& structure, size_t index, uint16_t number,
                              bool is_key = false) {
  DependencyDescriptor out;
  out.starts_frame = true;
  out.template_id = static_cast<uint8_t>((structure.template_id_offset + index) % 64);
  out.frame_number = number;
  out.has_structure = is_key;
  out.frame = structure.templates[index];
  return out;
}

Bytes written(const DependencyDescriptor& descriptor, const DependencyStructure& structure) {
  Bytes out(kMaxWrittenDescriptor);
  out.resize(write_dependency_descriptor(descriptor, structure, out));
  return out;
}

// Bit by bit from the syntax tables of A.8.2 and A.8.3.
TEST(DependencyDescriptorWriter, WritesTheExamplesOfTheSpecification) {
  EXPECT_EQ(written(frame_of(l1t3(), 0, 0x1234, true), l1t3()),
            (Bytes{0x80, 0x12, 0x34, 0x80, 0x02, 0x14, 0xEA, 0xA8, 0x60, 0x41, 0x4D, 0x14, 0x10, 0x20, 0x84, 0x26}));
  EXPECT_EQ(written(frame_of(l2t1(), 1, 7, true), l2t1()),
            (Bytes{0x81, 0x00, 0x07, 0x80, 0x01, 0x23, 0xBA, 0x22, 0x89, 0x18, 0x20, 0xD2,
                   0x10, 0x01, 0x11, 0x18, 0x09, 0xF8, 0x05, 0x98, 0x13, 0xF8, 0x0B, 0x38}));
  EXPECT_EQ(written(frame_of(l1t3(), 3, 0x1235), l1t3()), (Bytes{0x83, 0x12, 0x35}));
  DependencyDescriptor own = frame_of(l1t3(), 3, 1);
  own.active_decode_targets = 0b011;
  own.frame.differences[0] = 17;
  // 0 1 0 1 0, 011, 10 00010000 00
  EXPECT_EQ(written(own, l1t3()), (Bytes{0x83, 0x00, 0x01, 0x53, 0x84, 0x00}));
}

TEST(DependencyDescriptorWriter, RefusesWhatCannotBeSaid) {
  const DependencyStructure structure = l1t3();
  DependencyDescriptor wrong = frame_of(structure, 0, 1, true);
  Bytes out(kMaxWrittenDescriptor);
  const auto size = [&](const DependencyDescriptor& d, const DependencyStructure& s) {
    return write_dependency_descriptor(d, s, out);
  };
  EXPECT_EQ(write_dependency_descriptor(wrong, structure, MutByteView(out).first(15)), 0u) << "no room";
  EXPECT_EQ(size(wrong, {}), 0u) << "no templates";
  wrong.template_id = 5;
  EXPECT_EQ(size(wrong, structure), 0u) << "no such template";
  wrong.template_id = 3;
  EXPECT_EQ(size(wrong, structure), 0u) << "of another layer";
  wrong = frame_of(structure, 3, 1);
  wrong.frame.differences[0] = 4'097;
  EXPECT_EQ(size(wrong, structure), 0u) << "too far back";
  DependencyStructure jumps = made_of(1, {}, {made_of(0, 0, "S", {}, {}), made_of(0, 2, "S", {}, {})});
  EXPECT_EQ(size(frame_of(jumps, 0, 1, true), jumps), 0u) << "a layer is left out";
}

TEST(DependencyDescriptorWriter, FindsTheTemplateOfAFrame) {
  DependencyStructure structure = l1t3();
  structure.template_id_offset = 62;
  EXPECT_EQ(find_dependency_template(structure, structure.templates[4]), 2);
  FrameDependencies own = structure.templates[4];
  own.differences[0] = 9;
  EXPECT_EQ(find_dependency_template(structure, own), 1) << "the first of its layer";
  own.spatial_layer = 1;
  EXPECT_FALSE(find_dependency_template(structure, own));
}

// A frame as it may come, by chance.
DependencyDescriptor any_frame(const DependencyStructure& structure, Rng& rng) {
  DependencyDescriptor out =
      frame_of(structure, rng.below(structure.template_count), static_cast<uint16_t>(rng.u32()), rng.below(4) == 0);
  out.starts_frame = out.has_structure || rng.below(2) == 0;
  out.ends_frame = rng.below(2) == 0;
  const uint32_t all = static_cast<uint32_t>((uint64_t{1} << structure.decode_targets) - 1);
  if (rng.below(3) == 0) out.active_decode_targets = rng.u32() & all;
  if (rng.below(4) == 0) {
    for (size_t t = 0; t < structure.decode_targets; ++t) out.frame.indications[t] = static_cast<Dti>(rng.below(4));
  }
  if (rng.below(4) == 0) {
    out.frame.difference_count = static_cast<uint8_t>(rng.below(kMaxFrameDifferences + 1));
    for (auto& difference : out.frame.differences) difference = static_cast<uint16_t>(1 + rng.below(4'096));
  }
  if (rng.below(4) == 0) {
    for (size_t c = 0; c < structure.chains; ++c) out.frame.chain_differences[c] = static_cast<uint8_t>(rng.u32());
  }
  return out;
}

void expect_same(const DependencyStructure& structure, const FrameDependencies& a, const FrameDependencies& b) {
  EXPECT_EQ(a.spatial_layer, b.spatial_layer);
  EXPECT_EQ(a.temporal_layer, b.temporal_layer);
  EXPECT_TRUE(
      std::equal(a.indications.begin(), a.indications.begin() + structure.decode_targets, b.indications.begin()));
  ASSERT_EQ(a.difference_count, b.difference_count);
  EXPECT_TRUE(std::equal(a.differences.begin(), a.differences.begin() + a.difference_count, b.differences.begin()));
  EXPECT_TRUE(std::equal(a.chain_differences.begin(), a.chain_differences.begin() + structure.chains,
                         b.chain_differences.begin()));
}

TEST(DependencyDescriptorWriter, WhatItWritesIsReadBack) {
  SeededRng rng(1);
  for (const DependencyStructure& structure : {l1t3(), l2t1(), l2t2_key()}) {
    std::optional<DependencyStructure> known;
    ASSERT_TRUE(parse_dependency_descriptor(written(frame_of(structure, 0, 1, true), structure), known));
    EXPECT_EQ(known->chains, structure.chains);
    EXPECT_EQ(known->resolutions[1].width, structure.resolutions[1].width);
    for (int i = 0; i < 2'000; ++i) {
      const DependencyDescriptor frame = any_frame(structure, rng);
      const auto read = parse_dependency_descriptor(written(frame, structure), known);
      ASSERT_TRUE(read);
      EXPECT_EQ(read->frame_number, frame.frame_number);
      EXPECT_EQ(read->starts_frame, frame.starts_frame);
      EXPECT_EQ(read->ends_frame, frame.ends_frame);
      EXPECT_EQ(read->has_structure, frame.has_structure);
      if (frame.active_decode_targets) {
        EXPECT_EQ(read->active_decode_targets, frame.active_decode_targets);
      }
      expect_same(structure, read->frame, frame.frame);
    }
  }
}

// --- on its way to viewers

struct Way {
  Bytes carried(const Bytes& value) {
    read_frame_info(Codec::kAv1, {}, false, value, structure);
    Bytes out(kMaxCarriedSize);
    out.resize(carry_descriptor(value, structure, out));
    return out;
  }
  static Bytes to_viewer(const Bytes& carried, unsigned spatial, unsigned temporal, uint16_t number = 9,
                         bool is_said = false) {
    const DescriptorPatch patch{number, static_cast<uint8_t>(spatial * kTemporalLayers + temporal), true, is_said};
    Bytes out(kMaxWrittenDescriptor);
    out.resize(write_carried_descriptor(carried, patch, out));
    return out;
  }
  FrameStructure structure;
};

TEST(CarriedDescriptor, OnlyTheFrameNumberIsAnotherWhereAllLayersGo) {
  Way way;
  const Bytes key = written(frame_of(l1t3(), 0, 0x1234, true), l1t3());
  Bytes expected = key;
  store_u16(expected.data() + 1, 0xABCD);
  EXPECT_EQ(Way::to_viewer(way.carried(key), 3, 7, 0xABCD), expected);
  EXPECT_EQ(Way::to_viewer(way.carried({0x83, 0x12, 0x35}), 0, 2, 0xABCE), (Bytes{0x83, 0xAB, 0xCE}));
}

TEST(CarriedDescriptor, SaysWhichDecodeTargetsAViewerGets) {
  Way way;
  const Bytes key = way.carried(written(frame_of(l1t3(), 0, 1, true), l1t3()));
  std::optional<DependencyStructure> seen;
  EXPECT_EQ(parse_dependency_descriptor(Way::to_viewer(key, 0, 1), seen)->active_decode_targets, 0b011u);
  EXPECT_EQ(parse_dependency_descriptor(Way::to_viewer(key, 0, 0), seen)->active_decode_targets, 0b001u);
  ASSERT_TRUE(seen);
  const Bytes base = way.carried({0x81, 0x00, 0x05});
  // 0 1 0 0 0, 001
  EXPECT_EQ(Way::to_viewer(base, 0, 0), (Bytes{0x81, 0x00, 0x09, 0x41}));
  EXPECT_EQ(Way::to_viewer(base, 0, 2, 9, true), (Bytes{0x81, 0x00, 0x09, 0x47})) << "after a change all of them, too";
  // What the publisher does not send now nobody gets.
  DependencyDescriptor less = frame_of(l1t3(), 1, 6);
  less.active_decode_targets = 0b011;
  const Bytes two = way.carried(written(less, l1t3()));
  EXPECT_EQ(parse_dependency_descriptor(Way::to_viewer(two, 0, 2), seen)->active_decode_targets, 0b011u);
  EXPECT_EQ(parse_dependency_descriptor(Way::to_viewer(two, 0, 0), seen)->active_decode_targets, 0b001u);
  EXPECT_EQ(Way::to_viewer(way.carried({0x81, 0x00, 0x06}), 0, 2), (Bytes{0x81, 0x00, 0x09})) << "known already";
}

TEST(CarriedDescriptor, OfKeySvcAViewerGetsOneSpatialLayerWhole) {
  Way way;
  std::optional<DependencyStructure> seen;
  const auto active = [&](unsigned spatial, unsigned temporal) {
    const Bytes key = way.carried(written(frame_of(l2t2_key(), 0, 1, true), l2t2_key()));
    return parse_dependency_descriptor(Way::to_viewer(key, spatial, temporal), seen)->active_decode_targets;
  };
  EXPECT_EQ(active(0, 0), 0b0001u);
  EXPECT_EQ(active(0, 7), 0b0011u);
  EXPECT_EQ(active(1, 0), 0b0100u);
  EXPECT_EQ(active(3, 7), 0b1100u);
  const Bytes full = way.carried(written(frame_of(l2t1(), 1, 1, true), l2t1()));
  EXPECT_EQ(parse_dependency_descriptor(Way::to_viewer(full, 0, 7), seen)->active_decode_targets, 0b01u);
  EXPECT_EQ(parse_dependency_descriptor(Way::to_viewer(full, 1, 0), seen)->active_decode_targets, 0b11u);
}

TEST(CarriedDescriptor, AllElseStaysAsItIs) {
  SeededRng rng(2);
  for (const DependencyStructure& structure : {l1t3(), l2t1(), l2t2_key()}) {
    Way way;
    std::optional<DependencyStructure> seen;
    for (int i = 0; i < 3'000; ++i) {
      DependencyDescriptor frame = i == 0 ? frame_of(structure, 0, 1, true) : any_frame(structure, rng);
      const Bytes value = written(frame, structure);
      const unsigned target = rng.below(kSpatialLayers * kTemporalLayers);
      const bool is_said = rng.below(2) == 0;
      const Bytes out = Way::to_viewer(way.carried(value), target / 8, target % 8, static_cast<uint16_t>(i), is_said);
      EXPECT_LE(out.size(), value.size() + kDescriptorGrowth);
      const auto read = parse_dependency_descriptor(out, seen);
      ASSERT_TRUE(read);
      EXPECT_EQ(read->frame_number, static_cast<uint16_t>(i));
      EXPECT_EQ(read->starts_frame, frame.starts_frame);
      EXPECT_EQ(read->ends_frame, frame.ends_frame);
      EXPECT_EQ(read->has_structure, frame.has_structure);
      if (read->active_decode_targets) {
        EXPECT_EQ(*read->active_decode_targets & ~way.structure.active_targets, 0u);
      }
      EXPECT_TRUE(read->active_decode_targets || !is_said);
      expect_same(structure, read->frame, frame.frame);
    }
  }
}

TEST(CarriedDescriptor, WhatCannotBeReadGetsNothingButItsNumber) {
  Way way;
  EXPECT_EQ(Way::to_viewer(way.carried({0xC2, 0x12, 0x35, 0x40, 0xFF}), 0, 0), (Bytes{0xC2, 0x00, 0x09, 0x40, 0xFF}));
  EXPECT_TRUE(way.carried({0xC2, 0x12}).empty());
  EXPECT_TRUE(way.carried(Bytes(kMaxCarriedDescriptor + 1)).empty());
  const Bytes longest = way.carried(Bytes(kMaxCarriedDescriptor));
  EXPECT_EQ(Way::to_viewer(longest, 3, 7).size(), kMaxCarriedDescriptor);
  const Bytes key = way.carried(written(frame_of(l1t3(), 0, 1, true), l1t3()));
  Bytes out(kMaxWrittenDescriptor);
  for (size_t size = 0; size < key.size(); ++size) {
    write_carried_descriptor(ByteView(key).first(size), {9, 0, true, false}, out);
  }
  EXPECT_EQ(write_carried_descriptor(key, {9, 0, true, false}, MutByteView(out).first(10)), 0u) << "no room";
}

}  // namespace
}  // namespace atm::payload

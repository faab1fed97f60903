#include "media/forward/layer_selector.h"

#include <gtest/gtest.h>

#include "media/forward/layer_test_support.h"

namespace atm::forward {
namespace {

struct Case {
  const char* name;
  Mode mode;
  int ssrcs;
};
constexpr Case kCases[] = {
    {"Vp8", Mode::kVp8, 1},
    {"Vp8Simulcast", Mode::kVp8, 3},
    {"H264", Mode::kH264, 1},
    {"H264Simulcast", Mode::kH264, 3},
    {"Vp9Flexible", Mode::kVp9Flexible, 1},
    {"Vp9Fixed", Mode::kVp9Fixed, 1},
    {"Vp9Key", Mode::kVp9Key, 1},
    {"Av1L1T3", Mode::kAv1L1, 1},
    {"Av1Simulcast", Mode::kAv1L1, 3},
    {"Av1L3T3", Mode::kAv1Full, 1},
    {"Av1L3T3Key", Mode::kAv1Key, 1},
};

class EveryMode : public testing::TestWithParam<Case> {};
INSTANTIATE_TEST_SUITE_P(, EveryMode, testing::ValuesIn(kCases), [](const auto& one) { return one.param.name; });

Scene scene_of(const Case& c, uint64_t seed) {
  Scene scene;
  scene.mode = c.mode;
  scene.ssrcs = c.ssrcs;
  scene.seed = seed;
  return scene;
}

TEST_P(EveryMode, WithoutLossAllThatIsForwardedCanBeDecoded) {
  for (uint64_t seed = 1; seed <= 20; ++seed) {
    const Faults faults = scene_of(GetParam(), seed).run();
    EXPECT_EQ(faults.all() + faults.gaps + faults.cut, 0) << "seed " << seed << ": " << faults.text();
    EXPECT_GT(faults.pictures, 100);
  }
}

TEST_P(EveryMode, WithPacketsOutOfOrderToo) {
  for (uint64_t seed = 1; seed <= 20; ++seed) {
    Scene scene = scene_of(GetParam(), seed);
    scene.reorders = true;
    const Faults faults = scene.run();
    EXPECT_EQ(faults.all(), 0) << "seed " << seed << ": " << faults.text();
  }
}

// Up to 200 ms late, that is over several pictures, and also such that nothing of a picture came before newer ones did.
TEST_P(EveryMode, PacketsThatAreRecoveredLateFindTheirPlace) {
  for (uint64_t seed = 1; seed <= 20; ++seed) {
    Scene scene = scene_of(GetParam(), seed);
    scene.delays = true;
    const Faults faults = scene.run();
    EXPECT_EQ(faults.undecodable + faults.sequence + faults.timestamp + faults.marker, 0)
        << "seed " << seed << ": " << faults.text();
    // A picture of a dropped layer for which the viewer was left an id cannot be undone.
    if (GetParam().mode != Mode::kVp8) {
      EXPECT_EQ(faults.picture_id, 0) << faults.text();
    }
  }
}

// The decode targets of TestEncoder: layer by layer.
uint32_t active_targets(const Case& c, unsigned spatial, unsigned temporal) {
  const unsigned layers = c.mode == Mode::kAv1L1 ? 1 : 3;
  if (layers == 1) spatial = 0;
  uint32_t out = 0;
  for (unsigned s = c.mode == Mode::kAv1Key ? spatial : 0; s <= spatial; ++s) {
    for (unsigned t = 0; t <= temporal; ++t) out |= 1u << (s * 3 + t);
  }
  return out;
}

TEST_P(EveryMode, ReachesItsTargetAndStaysThere) {
  const Case c = GetParam();
  for (uint8_t spatial = 0; spatial < 3; ++spatial) {
    for (uint8_t temporal = 0; temporal < 3; ++temporal) {
      Scene scene = scene_of(c, 7);
      scene.changes = false;
      scene.pictures = 60;
      scene.run([&](Viewer& viewer) { viewer.selector.set_target({{spatial, temporal}}); });
      ASSERT_TRUE(scene.reached);
      EXPECT_EQ(scene.reached->temporal, temporal);
      EXPECT_EQ(scene.reached->spatial, spatial);
      if (c.mode < Mode::kAv1L1) continue;
      EXPECT_EQ(scene.active_targets, active_targets(c, spatial, temporal)) << +spatial << +temporal;
    }
  }
}

TEST(LayerSelector, AViewerWithoutDescriptorsGetsOneSpatialLayer) {
  for (const Mode mode : {Mode::kAv1Full, Mode::kAv1Key}) {
    Scene scene = scene_of({"", mode, 1}, 3);
    const Faults faults = scene.run([](Viewer& viewer) {
      viewer.selector.set_takes_descriptor(false);
      viewer.break_output = [](Got& got) { EXPECT_EQ(got.info.spatial_layer, 0); };
    });
    EXPECT_EQ(faults.all() + faults.gaps + faults.cut, 0) << faults.text();
    EXPECT_GT(faults.pictures, 100);
  }
}

// Descriptors are what publishers say, and may say anything.
TEST(LayerSelector, AnythingMayCome) {
  for (uint64_t seed = 1; seed <= 50; ++seed) {
    SeededRng rng(seed);
    LayerSelector selector;
    StreamRewriter rewriter(90'000, 0, rng);
    selector.attach(1 + rng.below(5));
    std::set<int64_t> used;
    for (int i = 0; i < 5'000; ++i) {
      const Now now{Instant{} + std::chrono::milliseconds(i * 5), {}};
      if (rng.below(40) == 0) {
        selector.set_target(
            {{static_cast<uint8_t>(rng.u32()), static_cast<uint8_t>(rng.u32())}, rng.below(4) == 0, rng.below(2) == 0});
      }
      payload::FrameStructure structure;
      Bytes payload(rng.below(12));
      rng.fill(payload);
      payload::FrameInfo info =
          payload::read_frame_info(static_cast<Codec>(1 + rng.below(4)), payload, false, {}, structure);
      if (rng.below(2) == 0) info.needed_by = rng.u32();
      if (rng.below(2) == 0) info.switches_to = rng.u32();
      info.rule = static_cast<payload::SwitchRule>(rng.below(4));
      info.spatial_layer = static_cast<uint8_t>(rng.below(payload::kSpatialLayers));
      info.has_frame_number = rng.below(2) == 0;
      info.frame_number = static_cast<uint16_t>(rng.below(8) == 0 ? rng.u32() : static_cast<uint32_t>(i));
      const LayeredPacket packet{static_cast<uint8_t>(rng.below(6)), false, 70'000 + i - rng.below(20),
                                 static_cast<uint32_t>(i / 4 * 3'000) - rng.below(9) * 3'000, payload};
      const Decision decision = selector.on_packet(now, info, packet);
      ASSERT_LE(size_t{decision.patch.at} + decision.patch.size, payload.size());
      if (decision.restarts) rewriter.restart();
      if (decision.action == Decision::Action::kIgnore) continue;
      const auto place = decision.action == Decision::Action::kForward
                             ? rewriter.rewrite(now.mono, packet.sequence, packet.timestamp)
                             : rewriter.drop(decision.drop_from, packet.sequence, packet.timestamp);
      if (place) {
        ASSERT_TRUE(used.insert(place->sequence).second);
      }
    }
    selector.restart();
    EXPECT_FALSE(selector.current());
  }
}

TEST(LayerSelector, IsSmall) {
  EXPECT_LE(sizeof(LayerSelector), 1'400u) << sizeof(LayerSelector);
  EXPECT_LE(sizeof(StreamRewriter), 400u) << sizeof(StreamRewriter);
  RecordProperty("selector", static_cast<int>(sizeof(LayerSelector)));
  RecordProperty("rewriter", static_cast<int>(sizeof(StreamRewriter)));
}

// What the judge has to find when it is broken by hand. Each of them in one mode where it does harm.
struct Bug {
  const char* name;
  Mode mode;
  int ssrcs;
  bool reorders;
  int Faults::* found;
  void (*breaks)(Viewer&);
};

// A target of K-SVC that is followed at the next picture, as if the layer below had been forwarded all the time.
void go_down_at_once(Viewer& viewer) {
  viewer.break_decision = [&viewer](Decision& decision, const TestPacket& packet, bool) {
    const bool is_low = packet.info.spatial_layer == 0 && packet.sequence % 2'000 < 200;
    if (is_low && decision.action == Decision::Action::kDrop && viewer.selector.is_forwarding()) {
      decision.action = Decision::Action::kForward;
    }
  };
}

const Bug kBugs[] = {
    {"WrongKeyFrameAccepted", Mode::kH264, 3, false, &Faults::undecodable,
     [](Viewer& v) {
       v.break_info = [](payload::FrameInfo& info, const TestPacket& packet) {
         if (packet.index == 0) info.is_key_frame = info.starts_frame = true;
       };
     }},
    {"PictureIdGap", Mode::kVp8, 1, false, &Faults::picture_id,
     [](Viewer& v) {
       v.break_info = [](payload::FrameInfo& info, const TestPacket&) { info.closes_picture_ids = false; };
     }},
    {"WrongMarker", Mode::kVp9Fixed, 1, false, &Faults::marker,
     [](Viewer& v) {
       v.break_decision = [](Decision& d, const TestPacket& packet, bool) { d.marker = packet.marker; };
     }},
    {"Tl0NotRewritten", Mode::kVp8, 3, false, &Faults::tl0,
     [](Viewer& v) {
       v.break_decision = [](Decision& d, const TestPacket& packet, bool) {
         if (d.patch.size > 0) d.patch.bytes[d.patch.size - 1u] = packet.info.tl0_picture_index;
       };
     }},
    {"SequenceGapLeft", Mode::kVp8, 1, false, &Faults::gaps, [](Viewer& v) { v.tells_rewriter_of_drops = false; }},
    {"TemporalUpAnywhere", Mode::kVp8, 1, false, &Faults::undecodable,
     [](Viewer& v) {
       v.break_info = [](payload::FrameInfo& info, const TestPacket&) {
         info.rule = payload::SwitchRule::kFromBelow;
         info.switches_to = info.needed_by;
       };
     }},
    {"SpatialDownInsideAPicture", Mode::kVp9Flexible, 1, false, &Faults::marker,
     [](Viewer& v) {
       v.break_decision = [](Decision& d, const TestPacket& packet, bool) {
         if (packet.sequence % 100 < 3 && packet.info.spatial_layer > 0) d.action = Decision::Action::kDrop;
       };
     }},
    {"LatePacketOfADroppedFrame", Mode::kVp9Fixed, 1, true, &Faults::undecodable,
     [](Viewer& v) {
       v.break_decision = [](Decision& d, const TestPacket&, bool is_late) {
         if (is_late && d.action == Decision::Action::kDrop) d.action = Decision::Action::kForward;
       };
     }},
    {"KeySvcTakenForFullSvc", Mode::kVp9Key, 1, false, &Faults::undecodable, go_down_at_once},
    {"TimestampGoesBack", Mode::kH264, 1, false, &Faults::timestamp,
     [](Viewer& v) {
       v.break_output = [](Got& got) {
         if (got.sequence % 97 == 0) got.timestamp -= 9'000;
       };
     }},
};

const Bug kDescriptorBugs[] = {
    {"FrameNumberNotRewritten", Mode::kAv1L1, 3, false, &Faults::frame_number,
     [](Viewer& v) {
       v.break_decision = [](Decision& d, const TestPacket& packet, bool) {
         d.descriptor.frame_number = packet.info.frame_number;
       };
     }},
    {"FrameNumbersClosed", Mode::kAv1L1, 1, false, &Faults::descriptor,
     [](Viewer& v) {
       v.break_decision = [number = uint16_t{0}, last = -1](Decision& d, const TestPacket& packet, bool) mutable {
         if (d.action != Decision::Action::kForward) return;
         if (packet.frame != last) ++number;
         last = packet.frame;
         d.descriptor.frame_number = number;
       };
     }},
    {"StructureNotPassedOn", Mode::kAv1Full, 1, false, &Faults::descriptor,
     [](Viewer& v) {
       v.break_output = [](Got& got) {
         if (got.descriptor.size() > 30) got.descriptor.resize(3);
       };
     }},
    {"DescriptorStripped", Mode::kAv1Key, 1, false, &Faults::descriptor,
     [](Viewer& v) {
       v.break_decision = [](Decision& d, const TestPacket& packet, bool) {
         d.descriptor.is_set = packet.sequence % 97 != 0;
       };
     }},
    {"BackToAllTargetsUnsaid", Mode::kAv1L1, 1, false, &Faults::descriptor,
     [](Viewer& v) { v.break_decision = [](Decision& d, const TestPacket&, bool) { d.descriptor.is_said = false; }; }},
    {"TargetsOfAnotherLayer", Mode::kAv1Full, 1, false, &Faults::descriptor,
     [](Viewer& v) { v.break_decision = [](Decision& d, const TestPacket&, bool) { d.descriptor.target = 0; }; }},
    {"SwitchPointsIgnored", Mode::kAv1L1, 1, false, &Faults::undecodable,
     [](Viewer& v) {
       v.break_info = [](payload::FrameInfo& info, const TestPacket&) {
         info.switches_to = info.needed_by;
         info.reference_count = 0;
       };
     }},
    {"KeyTargetsTakenForFull", Mode::kAv1Key, 1, false, &Faults::undecodable,
     [](Viewer& v) {
       v.break_info = [](payload::FrameInfo& info, const TestPacket&) {
         info.needed_by |= payload::targets_of(info.spatial_layer, 3, info.temporal_layer);
         info.switches_to |= payload::targets_of(info.spatial_layer, 3, info.temporal_layer);
       };
     }},
};

TEST(Judge, FindsWhatIsBrokenByHandWithDescriptors) {
  for (const Bug& bug : kDescriptorBugs) {
    int found = 0, clean = 0;
    for (uint64_t seed = 1; seed <= 5; ++seed) {
      const Scene scene = scene_of({bug.name, bug.mode, bug.ssrcs}, seed);
      found += Scene(scene).run(bug.breaks).*bug.found;
      clean += Scene(scene).run().all();
    }
    EXPECT_GT(found, 0) << bug.name;
    EXPECT_EQ(clean, 0) << bug.name;
  }
}

TEST(Judge, FindsWhatIsBrokenByHand) {
  for (const Bug& bug : kBugs) {
    int found = 0, clean = 0;
    for (uint64_t seed = 1; seed <= 5; ++seed) {
      Scene scene = scene_of({bug.name, bug.mode, bug.ssrcs}, seed);
      scene.reorders = bug.reorders;
      found += scene.run(bug.breaks).*bug.found;
      clean += scene.run().*bug.found;
    }
    EXPECT_GT(found, 0) << bug.name;
    EXPECT_EQ(clean, 0) << bug.name;
  }
}

}  // namespace
}  // namespace atm::forward

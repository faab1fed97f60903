// What is forwarded is decoded: every codec and mode of layers through the real server, over links that lose, to
// viewers whose limits change, and then through ffmpeg. ATM0S_LAYERS=all (`./dev sim layers`) takes more networks and
// seeds; the table says what came of each.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <memory>
#include <set>

#include "bugs.h"
#include "decoder.h"

namespace atm::layers {
namespace {

bool is_long() {
  const char* wanted = std::getenv("ATM0S_LAYERS");
  return wanted != nullptr && std::string_view(wanted) == "all";
}

const std::vector<Network>& networks() {
  static const std::vector<Network> kAll{{"no loss"}, {"1 %", 0.01}, {"5 %", 0.05}, {"2 % late", 0, 0.02}};
  static const std::vector<Network> kShort{{"no loss"}, {"5 %", 0.05}};
  return is_long() ? kAll : kShort;
}

// Of the pictures that a viewer is to get, so many it gets: what is not repaired within FrameReceiver::kPatience costs
// all up to the next key frame.
constexpr double kLeastWithLoss = 0.9;

void print_head() {
  static const bool once = [] {
    std::printf("%-18s %-10s %-9s %6s %9s %8s %6s %6s %9s %6s %6s\n", "mode", "network", "viewer", "sent", "forwarded",
                "decoded", "errors", "missed", "switches", "faults", "wishes");
    return true;
  }();
  static_cast<void>(once);
}

void print_row(const Scene& scene, const View& view, const Verdict& verdict) {
  std::printf("%-18s %-10s %-9s %6zu %9zu %8zu %6zu %6zu %9zu %6zu %3zu/%zu\n", scene.mode.name, scene.network.name,
              view.name.c_str(), scene.source->sent().size(), view.video->pictures_that_came(), verdict.decoded,
              verdict.errors.size(), verdict.missed, verdict.switches, verdict.faults, verdict.reached, verdict.wishes);
  for (const std::string& fault : view.video->receiver.faults()) std::printf("    %s\n", fault.c_str());
}

class EveryMode : public testing::TestWithParam<Mode> {};
INSTANTIATE_TEST_SUITE_P(, EveryMode, testing::ValuesIn(modes()), [](const auto& one) {
  std::string name = one.param.name;
  std::erase_if(name, [](char c) { return c == ' ' || c == '_'; });
  return name;
});

TEST_P(EveryMode, IsDecodedToThePicturesOfTheSource) {
  print_head();
  for (const Network& network : networks()) {
    for (uint64_t seed = 1; seed <= (is_long() && network.has_loss() ? 3 : 1); ++seed) {
      Scene scene(GetParam(), network, seed);
      ASSERT_TRUE(scene.run(usual_schedules()));
      for (const View& view : scene.views) {
        const Verdict verdict = scene.judge(view);
        print_row(scene, view, verdict);
        EXPECT_TRUE(verdict.errors.empty()) << network.name << ", " << view.name << verdict.text();
        EXPECT_EQ(verdict.decoded, verdict.written);
        EXPECT_GE(static_cast<double>(verdict.written), kLeastWithLoss * static_cast<double>(verdict.expected));
      }
    }
  }
}

// The pictures that one stands on by what the clip tells, and itself, in order.
std::vector<size_t> pictures_under(const Clip& clip, size_t picture, uint8_t spatial) {
  std::vector<size_t> out{picture};
  for (size_t i = 0; i < out.size(); ++i) {
    for (const uint8_t back : clip.picture(out[i])[spatial].back) {
      const size_t under = out[i] - back;
      if (std::find(out.begin(), out.end(), under) == out.end()) out.push_back(under);
    }
  }
  std::sort(out.begin(), out.end());
  return out;
}

std::vector<std::string> names_of_clips() {
  std::set<std::string> out;
  for (const Mode& mode : modes()) out.insert(mode.clips.begin(), mode.clips.end());
  return {out.begin(), out.end()};
}

// The clips are what viewers' pictures are held against, so they are held to what they tell themselves.
class EveryClip : public testing::TestWithParam<std::string> {};
INSTANTIATE_TEST_SUITE_P(, EveryClip, testing::ValuesIn(names_of_clips()), [](const auto& one) {
  std::string name = one.param;
  std::erase_if(name, [](char c) { return c == '-' || c == '_'; });
  return name;
});

TEST_P(EveryClip, NeedsNothingButWhatItTellsThatItRefersTo) {
  const Clip& clip = find_clip(GetParam());
  for (uint8_t spatial = 0; spatial < clip.spatial_layers; ++spatial) {
    std::vector<Bytes> pictures;
    std::vector<size_t> last;  // of each picture's own ones: begins with a key picture, which forgets those before it
    for (size_t picture = 0; picture < clip.pictures(); ++picture) {
      for (const size_t each : pictures_under(clip, picture, spatial)) {
        pictures.push_back(picture_bytes(clip.codec, clip.needed(each, spatial)));
      }
      last.push_back(pictures.size() - 1);
    }
    const Decoding decoding = decode("alone-" + clip.name + "-" + std::to_string(spatial), clip.codec,
                                     std::vector<ByteView>(pictures.begin(), pictures.end()));
    EXPECT_EQ(decoding.errors, "");
    ASSERT_EQ(decoding.pictures.size(), pictures.size());
    for (size_t picture = 0; picture < clip.pictures(); ++picture) {
      EXPECT_EQ(decoding.pictures[last[picture]].md5, expected_pictures(clip, spatial)[picture].md5)
          << "picture " << picture << ", spatial layer " << int{spatial};
    }
  }
}

// The call of a mode without loss; several bugs are put into what it brought.
const Scene& clean_scene(const std::string& mode) {
  static std::map<std::string, std::unique_ptr<Scene>> scenes;
  std::unique_ptr<Scene>& scene = scenes[mode];
  if (scene == nullptr) {
    scene = std::make_unique<Scene>(find_mode(mode), Network{"bugs"}, 7);
    EXPECT_TRUE(scene->run(usual_schedules()));
  }
  return *scene;
}

class EveryBug : public testing::TestWithParam<Bug> {};
INSTANTIATE_TEST_SUITE_P(, EveryBug, testing::ValuesIn(bugs()), [](const auto& one) { return one.param.name; });

TEST_P(EveryBug, IsFound) {
  const Bug& bug = GetParam();
  const Scene& scene = clean_scene(bug.mode);
  const View& view = scene.views[bug.view];
  const auto judge = [&](const std::vector<ViewedPacket>& packets, const char* name) {
    FrameReceiver receiver(scene.source->clips()[0]->codec);
    for (const ViewedPacket& packet : packets) receiver.on_packet(packet);
    return scene.judge(view, receiver, std::string(" ") + name);
  };
  const Verdict clean = judge(view.video->packets, "clean");
  EXPECT_TRUE(clean.errors.empty()) << clean.text();
  std::vector<ViewedPacket> packets = view.video->packets;
  const size_t done = bug.put_in(packets, scene);
  ASSERT_GT(done, 0u);
  const Verdict broken = judge(packets, bug.name);
  EXPECT_FALSE(broken.errors.empty());
  std::printf("%-26s %-18s put in %3zu times:", bug.name, bug.mode, done);
  for (const std::string& error : broken.errors) std::printf(" %s;", error.substr(0, error.find('\n')).c_str());
  std::printf("\n");
}

}  // namespace
}  // namespace atm::layers

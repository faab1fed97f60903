// What is forwarded is decoded: every codec and mode of layers through the real server, over links that lose, to
// viewers whose limits change, and then through ffmpeg. ATM0S_LAYERS=all (`./dev sim layers`) takes more networks and
// seeds; the table says what came of each.
#include <gtest/gtest.h>

#include <cstdio>
#include <cstdlib>

#include "scene.h"

namespace atm0s::layers {
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

}  // namespace
}  // namespace atm0s::layers

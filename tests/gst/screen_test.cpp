// A screen as a source and a window as a sink, on an X server that shows nothing.
#include "call.h"
#include "child.h"

namespace atm0s::test {
namespace {

// Far from those of people.
const std::string kDisplay = ":9173";

TEST(Screen, IsPublishedAndShownInAWindow) {
  Child server({"Xvfb", kDisplay, "-screen", "0", "640x360x24", "-nolisten", "tcp"});
  Result<gst::Source> screen = Error{};
  ASSERT_TRUE(until([&] {
    screen = gst::Source::screen(kDisplay, small());
    return screen.ok();
  })) << screen.error().message;
  EXPECT_TRUE(screen->sender("screen").screen);
  const std::string room = new_room();
  Publishing ann(room, {{"screen", *screen}});
  Viewing bob(room);
  auto window = gst::Player::open(bob.view("screen"), {}, {.video_sink = "ximagesink display=" + kDisplay});
  ASSERT_TRUE(window.ok()) << window.error().message;
  EXPECT_TRUE(until([&] { return window->video_frames() >= 15; }));
  EXPECT_FALSE(window->error());
  window->close();
  screen->stop();
}

}  // namespace
}  // namespace atm0s::test

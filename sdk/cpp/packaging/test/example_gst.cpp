// The same as example.cpp with atm0s::gst: a test picture is published, and played into nothing.
#include <atm0s/gst.h>

#include <cstdio>

#include "server.h"

namespace {

int fail(const char* what, const atm0s::Error& error) {
  std::printf("%s: %s: %s\n", what, std::string(to_text(error.code)).c_str(), error.message.c_str());
  return 1;
}

}  // namespace

int main() {
  auto picture = atm0s::gst::Source::test_video({.width = 320, .height = 180, .max_framerate = 15});
  if (!picture) return fail("source", picture.error());
  atm0s::SessionConfig publishing = uses::config(0);
  publishing.senders = {picture->sender("video_main")};
  atm0s::Session publisher({uses::url()}, publishing);
  if (auto connected = publisher.connect(); !connected) return fail("publisher", connected.error());
  if (auto started = picture->start(); !started) return fail("start", started.error());

  atm0s::SessionConfig viewing = uses::config(1);
  viewing.receivers.video = 1;
  atm0s::Session viewer({uses::url()}, viewing);
  if (auto connected = viewer.connect(); !connected) return fail("viewer", connected.error());
  atm0s::Receiver receiver = viewer.take_receiver(atm0s::MediaKind::kVideo);
  auto player = atm0s::gst::Player::open(receiver, {}, {.video_sink = "fakesink"});
  if (!player) return fail("player", player.error());
  if (auto viewed = receiver.switch_to({"a", "video_main"}).wait(); !viewed) return fail("view", viewed.error());
  for (int i = 0; i < 1'000 && player->video_frames() < 10; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  if (player->video_frames() < 10) return 1;
  std::printf("10 pictures\n");
}

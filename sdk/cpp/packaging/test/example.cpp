// What a user of the installed library writes first: one session publishes, another one views.
#include <atm0s/session.h>

#include <cstdio>

#include "server.h"

namespace {

int fail(const char* what, const atm0s::Error& error) {
  std::printf("%s: %s: %s\n", what, std::string(to_text(error.code)).c_str(), error.message.c_str());
  return 1;
}

}  // namespace

int main() {
  auto camera = std::make_shared<atm0s::EncodedVideoSource>(atm0s::Codec::kVp8);
  atm0s::SessionConfig publishing = uses::config(0);
  publishing.senders = {{.name = "video_main", .kind = atm0s::MediaKind::kVideo, .source = camera}};
  atm0s::Session publisher({uses::url()}, publishing);
  if (auto connected = publisher.connect(); !connected) return fail("publisher", connected.error());
  const uses::Camera pictures(camera);

  atm0s::SessionConfig viewing = uses::config(1);
  viewing.receivers.video = 1;
  atm0s::Session viewer({uses::url()}, viewing);
  if (auto connected = viewer.connect(); !connected) return fail("viewer", connected.error());
  atm0s::Receiver receiver = viewer.take_receiver(atm0s::MediaKind::kVideo);
  if (auto viewed = receiver.switch_to({"a", "video_main"}).wait(); !viewed) return fail("view", viewed.error());
  for (int frames = 0; frames < 10; ++frames) {
    const auto frame = receiver.read_video(std::chrono::seconds(10));
    if (!frame) return fail("frame", frame.error());
  }
  const auto took = viewer.ping();
  if (!took) return fail("ping", took.error());
  std::printf("10 frames, a ping of %lld us\n", static_cast<long long>(took->count()));
}

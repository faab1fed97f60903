// A participant that is always there: publishes a moving test picture in three layers and a small song, says who comes
// and goes, and joins anew for as long as it runs. Until it is interrupted.
//   bot URL ROOM PEER TOKEN
//   bot http://localhost:3000 demo bot $(atm0s token --room demo --peer bot)
#include <atm0s/session.h>

#include <atomic>
#include <csignal>
#include <cstdio>
#include <thread>

#include "test_source/test_source.h"

using namespace atm0s;

namespace {

std::atomic<bool> is_over = false;

void tell(const Event& event) {
  if (const auto* peer = std::get_if<PeerChanged>(&event); peer != nullptr && peer->change != Presence::kUpdated) {
    std::printf("%s has %s\n", peer->peer.c_str(), peer->change == Presence::kAdded ? "come" : "gone");
  }
  const auto* state = std::get_if<StateChanged>(&event);
  if (state == nullptr) return;
  if (state->state == SessionState::kConnected) std::printf("connected\n");
  // A lost connection is found again by the session itself, for RuntimeOptions::give_up_after.
  if (state->state == SessionState::kReconnecting) std::printf("reconnecting\n");
}

// Until the session ends or the bot does.
void stay(char** argv, const test_source::TestSource& source) {
  SessionConfig config{.room_id = argv[2], .peer_id = argv[3], .token = argv[4]};
  config.senders = {
      {.name = "video_main", .kind = MediaKind::kVideo, .source = source.video(), .simulcast = true, .label = "test"},
      {.name = "audio_main", .kind = MediaKind::kAudio, .source = source.audio(), .label = "test"}};
  config.codecs = {Codec::kOpus, Codec::kVp8};
  Session session({argv[1]}, config);
  if (auto connected = session.connect(); !connected) {
    std::fprintf(stderr, "bot: %s\n", connected.error().message.c_str());
    return;
  }
  while (!is_over && session.state() != SessionState::kDisconnected) {
    if (auto event = session.wait_event(std::chrono::milliseconds(200))) tell(*event);
  }
  static_cast<void>(session.disconnect().wait());
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 5) return std::fputs("usage: bot URL ROOM PEER TOKEN\n", stderr), 2;
  std::setvbuf(stdout, nullptr, _IOLBF, 0);
  for (const int signal : {SIGINT, SIGTERM}) std::signal(signal, [](int) { is_over = true; });
  test_source::TestSource source;
  source.start();
  while (!is_over) {
    stay(argv, source);
    for (int i = 0; i < 20 && !is_over; ++i) std::this_thread::sleep_for(std::chrono::milliseconds(100));
  }
}

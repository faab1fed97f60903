// Publishes files at their own pace, once: .ivf as the peer's video, .ogg, .opus or .wav (48 kHz) as its sound.
//   publish_file URL ROOM PEER TOKEN FILE…
//   publish_file http://localhost:3000 demo file $(atm0s token --room demo --peer file) clip.ivf clip.ogg
#include <atm0s/files.h>

#include <cstdio>
#include <thread>

using namespace atm0s;

namespace {

int fail(const Error& error) {
  std::fprintf(stderr, "publish_file: %s\n", error.message.c_str());
  return 1;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 6) return std::fputs("usage: publish_file URL ROOM PEER TOKEN FILE…\n", stderr), 2;
  SessionConfig config{.room_id = argv[2], .peer_id = argv[3], .token = argv[4]};
  std::vector<FilePlayer> players;
  for (int i = 5; i < argc; ++i) {
    auto player = FilePlayer::open(argv[i]);
    if (!player) return fail(player.error());
    SenderConfig sender{.name = std::string(to_text(player->kind())) + "_" + std::to_string(i - 5),
                        .kind = player->kind(),
                        .source = player->source(),
                        .label = argv[i]};
    // The file's codec is the one that counts: nothing is encoded here.
    if (player->kind() == MediaKind::kVideo) sender.preferred_codecs = {player->codec()};
    config.senders.push_back(std::move(sender));
    players.push_back(std::move(*player));
  }
  Session session({argv[1]}, config);
  if (auto connected = session.connect(); !connected) return fail(connected.error());
  for (FilePlayer& player : players) player.start();
  for (const FilePlayer& player : players) {
    while (!player.wait_end(std::chrono::milliseconds(200))) {
      if (session.state() == SessionState::kDisconnected) return fail({ErrorCode::kClosed, "the session has ended"});
    }
    std::printf("published %llu frames\n", static_cast<unsigned long long>(player.frames()));
  }
  // What has just been pushed is on its way.
  std::this_thread::sleep_for(std::chrono::milliseconds(200));
  static_cast<void>(session.disconnect().wait());
}

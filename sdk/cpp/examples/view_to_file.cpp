// Records a peer's picture and sound, video_main and audio_main, into one file: .webm (VP8, VP9, AV1; Opus).
//   view_to_file URL ROOM PEER TOKEN OF_PEER FILE SECONDS
//   view_to_file http://localhost:3000 demo eve $(atm0s token --room demo --peer eve) bot seen.webm 10
#include <atm0s/files.h>

#include <cstdio>
#include <cstdlib>
#include <thread>

using namespace atm0s;

namespace {

int fail(const Error& error) {
  std::fprintf(stderr, "view_to_file: %s\n", error.message.c_str());
  return 1;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 8) return std::fputs("usage: view_to_file URL ROOM PEER TOKEN OF_PEER FILE SECONDS\n", stderr), 2;
  SessionConfig config{.room_id = argv[2], .peer_id = argv[3], .token = argv[4]};
  config.receivers = {.audio = 1, .video = 1};    // there from the start: viewing needs no renegotiation
  config.latency_mode = LatencyMode::kSmooth500;  // nobody waits for a file: rather late than with a gap
  Session session({argv[1]}, config);
  if (auto connected = session.connect(); !connected) return fail(connected.error());

  ConsumerPair peer = session.create_consumer_pair(argv[5]);
  if (auto viewed = peer.view("file").wait(); !viewed) return fail(viewed.error());
  auto recorder = FileRecorder::open(argv[6], peer.video().receiver(), peer.audio().receiver());
  if (!recorder) return fail(recorder.error());

  const auto end = Clock::now() + std::chrono::milliseconds(static_cast<int64_t>(std::atof(argv[7]) * 1000));
  while (Clock::now() < end && session.state() != SessionState::kDisconnected) {
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
  }
  if (auto closed = recorder->close(); !closed) return fail(closed.error());
  std::printf("recorded %llu pictures and %llu packets of sound\n",
              static_cast<unsigned long long>(recorder->video_frames()),
              static_cast<unsigned long long>(recorder->audio_frames()));
  static_cast<void>(session.disconnect().wait());
}

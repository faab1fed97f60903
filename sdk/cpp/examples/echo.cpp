// Sends back whatever a peer publishes, frame by frame, without decoding any: an echo for trying out a way through the
// network, and the least that a program which changes streams has to do. Until it is interrupted.
//   echo URL ROOM PEER TOKEN OF_PEER
//   echo http://localhost:3000 demo echo $(atm0s token --room demo --peer echo) anna
#include <atm0s/session.h>

#include <atomic>
#include <csignal>
#include <cstdio>
#include <map>

using namespace atm0s;

namespace {

std::atomic<bool> is_over = false;

// One stream, in and out again. Its sender comes with the first frame, which tells the codec.
struct Line {
  Receiver receiver;
  std::shared_ptr<EncodedVideoSource> video = {};
  std::shared_ptr<EncodedAudioSource> audio = {};
  std::optional<Sender> sender = {};

  void send(Session& session, SenderConfig config) {
    auto made = session.create_sender(std::move(config));
    if (made) sender = *made;
    if (!made) std::fprintf(stderr, "echo: %s\n", made.error().message.c_str());
  }
  void on_video(Session& session, const std::string& name, const VideoFrame& frame) {
    if (!video) {
      video = std::make_shared<EncodedVideoSource>(frame.codec);
      send(session, {.name = name, .kind = MediaKind::kVideo, .source = video, .preferred_codecs = {frame.codec}});
    }
    static_cast<void>(video->push({.bytes = frame.bytes}));
    // Whoever views the echo waits for a key frame that the peer has to make.
    if (video->take_key_frame_request()) receiver.request_key_frame();
  }
  void on_audio(Session& session, const std::string& name, const AudioFrame& frame) {
    if (frame.action != AudioFrame::Action::kDecode) return;  // lost: what is missing is for the listeners to conceal
    if (!audio) {
      audio = std::make_shared<EncodedAudioSource>();
      send(session, {.name = name, .kind = MediaKind::kAudio, .source = audio});
    }
    static_cast<void>(audio->push({.bytes = frame.bytes}));
  }
};

void begin(Session& session, Line& line, const StreamInfo& stream) {
  const std::string name = stream.key.name;
  line.receiver.on_video([&, name](const VideoFrame& frame) { line.on_video(session, name, frame); });
  line.receiver.on_audio([&, name](const AudioFrame& frame) { line.on_audio(session, name, frame); });
  static_cast<void>(line.receiver.switch_to(stream.key));
  std::printf("echoes %s/%s\n", stream.key.peer.c_str(), name.c_str());
}

void end(Session& session, Line& line) {
  line.receiver.on_video(nullptr);
  line.receiver.on_audio(nullptr);
  session.back_receiver(line.receiver);
  if (line.sender) static_cast<void>(line.sender->stop());
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 6) return std::fputs("usage: echo URL ROOM PEER TOKEN OF_PEER\n", stderr), 2;
  std::setvbuf(stdout, nullptr, _IOLBF, 0);
  for (const int signal : {SIGINT, SIGTERM}) std::signal(signal, [](int) { is_over = true; });
  std::map<StreamKey, Line> lines;  // outlives the session, whose handlers use them
  Session session({argv[1]}, {.room_id = argv[2], .peer_id = argv[3], .token = argv[4], .receivers = {1, 1}});
  if (auto connected = session.connect(); !connected) {
    return std::fprintf(stderr, "echo: %s\n", connected.error().message.c_str()), 1;
  }
  while (!is_over && session.state() != SessionState::kDisconnected) {
    const auto event = session.wait_event(std::chrono::milliseconds(100));
    const auto* changed = event ? std::get_if<StreamChanged>(&*event) : nullptr;
    if (changed == nullptr || changed->is_own || changed->stream.key.peer != argv[5]) continue;
    const auto it = lines.find(changed->stream.key);
    if (changed->change == Presence::kAdded && it == lines.end()) {
      auto& line = lines.emplace(changed->stream.key, Line{session.take_receiver(changed->stream.kind)}).first->second;
      begin(session, line, changed->stream);
    } else if (changed->change == Presence::kRemoved && it != lines.end()) {
      end(session, it->second);
      std::printf("%s/%s has gone\n", it->first.peer.c_str(), it->first.name.c_str());
    }
  }
  static_cast<void>(session.disconnect().wait());
}

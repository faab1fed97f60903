#include "join.h"

#include <atomic>
#include <csignal>
#include <cstdio>
#include <filesystem>
#include <map>

#include "atm0s/files.h"

namespace atm0s::tool {

namespace {

std::atomic<bool> is_interrupted = false;

// Names of peers and streams come from others: nothing of them may leave the folder.
std::string file_name(const StreamKey& key, MediaKind kind, Codec codec) {
  std::string name = key.peer + "-" + key.name;
  for (char& c : name) {
    const bool is_plain = std::isalnum(static_cast<unsigned char>(c)) || c == '-' || c == '_';
    if (!is_plain) c = '_';
  }
  if (kind == MediaKind::kAudio) return name + ".ogg";
  return name + (codec == Codec::kH264 ? ".h264" : ".ivf");
}

struct Viewed {
  Receiver receiver;
  std::optional<FileRecorder> recorder;
  std::shared_ptr<std::atomic<uint64_t>> frames = std::make_shared<std::atomic<uint64_t>>(0);
};

class Joined {
 public:
  explicit Joined(JoinOptions& options) : options_(options), session_({options.url}, options.config, options.runtime) {}

  int run(std::vector<FilePlayer>& players) {
    if (auto connected = session_.connect(); !connected) {
      std::fprintf(stderr, "atm0s: %s\n", connected.error().message.c_str());
      return 1;
    }
    std::fprintf(stderr, "joined room \"%s\" as \"%s\"\n", options_.config.room_id.c_str(),
                 options_.config.peer_id.c_str());
    for (FilePlayer& player : players) player.start();
    const auto end = Clock::now() + std::chrono::milliseconds(static_cast<int64_t>(options_.seconds * 1000));
    auto tell_at = Clock::now();
    while (!is_interrupted && (options_.seconds <= 0 || Clock::now() < end) && !has_ended_) {
      while (auto event = session_.wait_event(std::chrono::milliseconds(100))) on_event(*event);
      if (Clock::now() >= tell_at) {
        tell(players);
        tell_at = Clock::now() + std::chrono::seconds(1);
      }
    }
    if (options_.is_terminal) std::fputc('\n', stderr);
    if (options_.tells_stats) {
      if (auto stats = session_.stats()) std::printf("%s\n", to_json(*stats).c_str());
    }
    for (auto& [key, viewed] : viewed_) {
      if (!viewed.recorder) continue;
      if (auto closed = viewed.recorder->close(); !closed) {
        std::fprintf(stderr, "atm0s: %s\n", closed.error().message.c_str());
        return 1;
      }
    }
    static_cast<void>(session_.disconnect().wait());
    return has_ended_ ? 1 : 0;
  }

 private:
  void on_event(const Event& event) {
    if (const auto* stream = std::get_if<StreamChanged>(&event); stream && !stream->is_own) on_stream(*stream);
    if (const auto* state = std::get_if<StateChanged>(&event)) {
      if (state->why) std::fprintf(stderr, "%s\n", state->why->message.c_str());
      has_ended_ |= state->state == SessionState::kDisconnected;
    }
    if (const auto* failure = std::get_if<Failure>(&event))
      std::fprintf(stderr, "%s\n", failure->error.message.c_str());
  }
  bool wants(const StreamKey& key) const {
    for (const std::string& one : options_.view) {
      if (one == "all" || one == key.peer + "/" + key.name) return true;
    }
    return false;
  }
  void on_stream(const StreamChanged& changed) {
    const StreamKey& key = changed.stream.key;
    if (changed.change == Presence::kRemoved) {
      const auto it = viewed_.find(key);
      if (it == viewed_.end()) return;
      if (it->second.recorder) static_cast<void>(it->second.recorder->close());
      session_.back_receiver(it->second.receiver);
      viewed_.erase(it);
      std::fprintf(stderr, "%s/%s has gone\n", key.peer.c_str(), key.name.c_str());
      return;
    }
    if (!wants(key) || viewed_.contains(key)) return;
    Viewed viewed{session_.take_receiver(changed.stream.kind), {}};
    if (options_.out.empty())
      count(viewed);
    else
      record(key, viewed);
    static_cast<void>(viewed.receiver.switch_to(key));
    std::fprintf(stderr, "viewing %s/%s\n", key.peer.c_str(), key.name.c_str());
    viewed_.emplace(key, std::move(viewed));
  }
  static void count(Viewed& viewed) {
    const auto frames = viewed.frames;
    if (viewed.receiver.kind() == MediaKind::kVideo)
      viewed.receiver.on_video([frames](const VideoFrame&) { ++*frames; });
    else
      viewed.receiver.on_audio([frames](const AudioFrame& f) { *frames += f.action == AudioFrame::Action::kDecode; });
  }
  // Which file depends on the codec, which the first frame tells.
  void record(const StreamKey& key, Viewed& viewed) {
    std::filesystem::create_directories(options_.out);
    const auto path = [&](Codec codec) { return options_.out + "/" + file_name(key, viewed.receiver.kind(), codec); };
    const bool is_video = viewed.receiver.kind() == MediaKind::kVideo;
    const bool is_h264 = options_.config.codecs == std::vector<Codec>{Codec::kH264};
    auto recorder = is_video ? FileRecorder::open(path(is_h264 ? Codec::kH264 : Codec::kVp8), viewed.receiver)
                             : FileRecorder::open(path(Codec::kOpus), {}, viewed.receiver);
    if (recorder)
      viewed.recorder.emplace(std::move(*recorder));
    else
      std::fprintf(stderr, "atm0s: %s\n", recorder.error().message.c_str());
  }
  void tell(const std::vector<FilePlayer>& players) {
    uint64_t sent = 0, received = 0;
    for (const FilePlayer& player : players) sent += player.frames();
    for (const auto& [key, viewed] : viewed_) {
      received +=
          viewed.recorder ? viewed.recorder->video_frames() + viewed.recorder->audio_frames() : viewed.frames->load();
    }
    std::fprintf(stderr, "%ssent %llu frames, received %llu of %zu streams%s", options_.is_terminal ? "\r" : "",
                 static_cast<unsigned long long>(sent), static_cast<unsigned long long>(received), viewed_.size(),
                 options_.is_terminal ? "  " : "\n");
  }

  JoinOptions& options_;
  Session session_;
  std::map<StreamKey, Viewed> viewed_;
  bool has_ended_ = false;
};

}  // namespace

int join(JoinOptions options) {
  std::vector<FilePlayer> players;
  for (const std::string& path : options.publish) {
    auto player = FilePlayer::open(path, {.loop = options.loops, .skips_to_key_frames = options.loops});
    if (!player) {
      std::fprintf(stderr, "atm0s: %s\n", player.error().message.c_str());
      return 1;
    }
    const bool is_video = player->kind() == MediaKind::kVideo;
    size_t number = 0;
    for (const FilePlayer& other : players) number += other.kind() == player->kind();
    std::string name = is_video ? "video_main" : "audio_main";
    if (number > 0) name += "_" + std::to_string(number);
    SenderConfig sender{.name = name, .kind = player->kind(), .source = player->source()};
    if (is_video) sender.preferred_codecs = {player->codec()};
    options.config.senders.push_back(std::move(sender));
    players.push_back(std::move(*player));
  }
  std::signal(SIGINT, [](int) { is_interrupted = true; });
  std::signal(SIGTERM, [](int) { is_interrupted = true; });
  Joined joined(options);
  return joined.run(players);
}

}  // namespace atm0s::tool

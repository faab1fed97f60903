#include "join.h"

#include <atomic>
#include <csignal>
#include <cstdio>
#include <filesystem>
#include <map>
#include <thread>

#include "atm0s/files.h"
#include "test_source/test_source.h"

namespace atm0s::tool {

namespace {

constexpr auto kRejoinAfter = std::chrono::seconds(2);

std::atomic<bool> is_interrupted = false;

// What is published; stays while sessions come and go.
struct Sources {
  std::vector<FilePlayer> players;
  std::unique_ptr<test_source::TestSource> test;

  void start() {
    for (FilePlayer& player : players) player.start();
    if (test) test->start();
  }
  uint64_t frames() const {
    uint64_t sum = test ? test->pictures() : 0;
    for (const FilePlayer& player : players) sum += player.frames();
    return sum;
  }
};

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

  // False: it could not join.
  bool connect() {
    if (auto connected = session_.connect(); !connected) {
      std::fprintf(stderr, "atm0s: %s\n", connected.error().message.c_str());
      return false;
    }
    if (options_.is_quiet) return true;
    std::fprintf(stderr, "joined room \"%s\" as \"%s\"\n", options_.config.room_id.c_str(),
                 options_.config.peer_id.c_str());
    return true;
  }

  // The exit code.
  int stay(const Sources& sources) {
    const auto end = Clock::now() + std::chrono::milliseconds(static_cast<int64_t>(options_.seconds * 1000));
    auto tell_at = Clock::now();
    while (!is_interrupted && (options_.seconds <= 0 || Clock::now() < end) && !has_ended_) {
      while (auto event = session_.wait_event(std::chrono::milliseconds(100))) on_event(*event);
      if (Clock::now() >= tell_at) {
        if (!options_.is_quiet) tell(sources);
        tell_at = Clock::now() + std::chrono::seconds(1);
      }
    }
    if (options_.is_terminal && !options_.is_quiet) std::fputc('\n', stderr);
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
      if (!options_.is_quiet) std::fprintf(stderr, "%s/%s has gone\n", key.peer.c_str(), key.name.c_str());
      return;
    }
    if (!wants(key) || viewed_.contains(key)) return;
    Viewed viewed{session_.take_receiver(changed.stream.kind), {}};
    if (options_.out.empty())
      count(viewed);
    else
      record(key, viewed);
    static_cast<void>(viewed.receiver.switch_to(key));
    if (!options_.is_quiet) std::fprintf(stderr, "viewing %s/%s\n", key.peer.c_str(), key.name.c_str());
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
  void tell(const Sources& sources) {
    uint64_t received = 0;
    for (const auto& [key, viewed] : viewed_) {
      received +=
          viewed.recorder ? viewed.recorder->video_frames() + viewed.recorder->audio_frames() : viewed.frames->load();
    }
    std::fprintf(stderr, "%ssent %llu frames, received %llu of %zu streams%s", options_.is_terminal ? "\r" : "",
                 static_cast<unsigned long long>(sources.frames()), static_cast<unsigned long long>(received),
                 viewed_.size(), options_.is_terminal ? "  " : "\n");
  }

  JoinOptions& options_;
  Session session_;
  std::map<StreamKey, Viewed> viewed_;
  bool has_ended_ = false;
};

// "video_main", and "video_main_1" for the next one.
std::string name_of(MediaKind kind, const std::vector<SenderConfig>& others) {
  size_t number = 0;
  for (const SenderConfig& other : others) number += other.kind == kind;
  const std::string name = kind == MediaKind::kVideo ? "video_main" : "audio_main";
  return number == 0 ? name : name + "_" + std::to_string(number);
}

// Opens what is to be published, a sender of the configuration for each.
Result<Sources> open_sources(JoinOptions& options) {
  Sources out;
  const auto add = [&senders = options.config.senders](std::shared_ptr<MediaSource> source) -> SenderConfig& {
    const MediaKind kind = source->kind();
    senders.push_back({.name = name_of(kind, senders), .kind = kind, .source = std::move(source)});
    return senders.back();
  };
  for (const std::string& path : options.publish) {
    if (path == kTestName) {
      if (out.test) return Error{ErrorCode::kInvalidRequest, "--publish test: once is enough"};
      out.test = std::make_unique<test_source::TestSource>();
      SenderConfig& video = add(out.test->video());
      video.preferred_codecs = {Codec::kVp8};
      video.simulcast = true;
      video.label = "test picture";
      add(out.test->audio()).label = "test song";
      continue;
    }
    auto player = FilePlayer::open(path, {.loop = options.loops, .skips_to_key_frames = options.loops});
    if (!player) return player.error();
    SenderConfig& sender = add(player->source());
    if (player->kind() == MediaKind::kVideo) sender.preferred_codecs = {player->codec()};
    out.players.push_back(std::move(*player));
  }
  return out;
}

// One session. The exit code.
int join_once(JoinOptions& options, Sources& sources, bool& is_started) {
  if (options.make_token) {
    auto token = options.make_token();
    if (!token) return std::fprintf(stderr, "atm0s: %s\n", token.error().message.c_str()), 1;
    options.config.token = std::move(*token);
  }
  Joined joined(options);
  if (!joined.connect()) return 1;
  if (!std::exchange(is_started, true)) sources.start();
  return joined.stay(sources);
}

}  // namespace

int join(JoinOptions options) {
  auto sources = open_sources(options);
  if (!sources) {
    std::fprintf(stderr, "atm0s: %s\n", sources.error().message.c_str());
    return 1;
  }
  std::signal(SIGINT, [](int) { is_interrupted = true; });
  std::signal(SIGTERM, [](int) { is_interrupted = true; });
  for (bool is_started = false;;) {
    const int code = join_once(options, *sources, is_started);
    if (!options.rejoins || is_interrupted || code == 0) return code;
    const auto again_at = Clock::now() + kRejoinAfter;
    while (!is_interrupted && Clock::now() < again_at) std::this_thread::sleep_for(std::chrono::milliseconds(100));
    if (is_interrupted) return 0;
  }
}

}  // namespace atm0s::tool

// The native end of a call with a browser, by nothing but the public API: publishes a file of frames, writes what it
// views into files. Driven by tests/e2e/harness/cpp_peer.mjs: options on the command line, "go" on standard input
// begins to publish, the end of standard input ends it; each line of its output is a JSON object.
//   sdk_peer --url U --room R --peer P --token T [--publish NAME CODEC FILE FPS]… [--view PEER NAME CODEC FILE]…
//     [--latency MODE]
#include <atomic>
#include <cstdio>
#include <cstring>
#include <iostream>
#include <mutex>
#include <thread>

#include "atm0s/session.h"
#include "media_files.h"

namespace atm0s::test {
namespace {

std::mutex output_mutex;

// The fields of an object.
void say(const std::string& fields) {
  const std::lock_guard lock(output_mutex);
  std::cout << "{" << fields << "}" << std::endl;
}

std::optional<Codec> codec_of(const std::string& name) {
  for (const Codec codec : {Codec::kOpus, Codec::kVp8, Codec::kVp9, Codec::kH264, Codec::kAv1}) {
    if (to_text(codec) == name) return codec;
  }
  return std::nullopt;
}
MediaKind kind_of(Codec codec) {
  return codec == Codec::kOpus ? MediaKind::kAudio : MediaKind::kVideo;
}

// Frames of a file, at their rate.
struct Published {
  std::string name;
  Codec codec;
  std::vector<Frame> frames;
  double frames_per_second;
  std::shared_ptr<MediaSource> source;

  Result<void> push(const Frame& frame, Clock::time_point at) const {
    if (codec == Codec::kOpus) {
      return std::static_pointer_cast<EncodedAudioSource>(source)->push(
          {.bytes = frame, .captured_at = at, .level = -10});
    }
    return std::static_pointer_cast<EncodedVideoSource>(source)->push({.bytes = frame, .captured_at = at});
  }
  void run(const std::atomic<bool>& is_ending) const {
    const auto began = Clock::now();
    size_t count = 0;
    for (; count < frames.size() && !is_ending; ++count) {
      const auto at = began + std::chrono::duration_cast<Clock::duration>(
                                  std::chrono::duration<double>(static_cast<double>(count) / frames_per_second));
      std::this_thread::sleep_until(at);
      if (const auto pushed = push(frames[count], at); !pushed) {
        say("\"refused\":\"" + std::string(to_text(pushed.error().code)) + "\"");
      }
    }
    say("\"published\":\"" + name + "\",\"frames\":" + std::to_string(count));
  }
};

struct Viewed {
  Viewed(StreamKey stream, Codec its_codec, const std::string& path)
      : key(std::move(stream)), codec(its_codec), writer(path, codec) {}
  StreamKey key;
  Codec codec;
  FrameWriter writer;
  uint64_t keys = 0, gaps = 0, others = 0;
  std::optional<uint64_t> last;

  void on_video(const VideoFrame& frame) {
    if (frame.codec != codec) ++others;
    if (last && frame.number != *last + 1) ++gaps;
    last = frame.number;
    keys += frame.is_key;
    writer.write(frame.bytes, frame.rtp_timestamp);
    tell();
  }
  void on_audio(const AudioFrame& frame) {
    if (frame.action != AudioFrame::Action::kDecode) {
      ++others;
      return;
    }
    writer.write(frame.bytes, frame.rtp_timestamp);
    tell();
  }
  void tell() {
    constexpr uint64_t kEvery = 25;
    if (writer.written() % kEvery == 1) say(digest());
  }
  std::string digest() const {
    return "\"viewed\":\"" + key.name + "\",\"frames\":" + std::to_string(writer.written()) +
           ",\"keys\":" + std::to_string(keys) + ",\"gaps\":" + std::to_string(gaps) +
           ",\"others\":" + std::to_string(others);
  }
};

struct Options {
  std::string url;
  SessionConfig config;
  std::vector<Published> published;
  std::vector<std::unique_ptr<Viewed>> viewed;
};

bool parse(int count, char** arguments, Options& out) {
  const std::vector<std::string> all(arguments + 1, arguments + count);
  for (size_t i = 0; i < all.size();) {
    const std::string& name = all[i];
    const size_t wanted = name == "--publish" || name == "--view" ? 4 : 1;
    if (all.size() - i <= wanted) return false;
    const auto value = [&](size_t at) -> const std::string& { return all[i + at]; };
    if (name == "--url") out.url = value(1);
    if (name == "--room") out.config.room_id = value(1);
    if (name == "--peer") out.config.peer_id = value(1);
    if (name == "--token") out.config.token = value(1);
    if (name == "--publish") {
      const auto codec = codec_of(value(2));
      if (!codec) return false;
      Published one{value(1), *codec, read_frames(value(3), *codec), std::stod(value(4)), nullptr};
      if (*codec == Codec::kOpus) {
        one.source = std::make_shared<EncodedAudioSource>();
      } else {
        one.source = std::make_shared<EncodedVideoSource>(*codec);
      }
      SenderConfig sender{.name = one.name, .kind = kind_of(*codec), .source = one.source};
      sender.preferred_codecs = {*codec};
      out.config.senders.push_back(sender);
      out.published.push_back(std::move(one));
    }
    if (name == "--view") {
      const auto codec = codec_of(value(3));
      if (!codec) return false;
      StreamKey key{value(1), value(2)};
      out.viewed.push_back(std::make_unique<Viewed>(std::move(key), *codec, value(4)));
      ++(*codec == Codec::kOpus ? out.config.receivers.audio : out.config.receivers.video);
    }
    i += wanted + 1;
  }
  return true;
}

int run(const Options& options) {
  Session session({options.url}, options.config);
  session.on_event([](const Event& event) {
    if (const auto* changed = std::get_if<StateChanged>(&event)) {
      say("\"state\":" + std::to_string(static_cast<int>(changed->state)));
    }
    if (const auto* failure = std::get_if<Failure>(&event)) say("\"failure\":\"" + failure->error.message + "\"");
  });
  std::vector<Receiver> receivers;
  for (const auto& one : options.viewed) {
    Receiver receiver = session.take_receiver(kind_of(one->codec));
    receiver.on_video([viewed = one.get()](const VideoFrame& frame) { viewed->on_video(frame); });
    receiver.on_audio([viewed = one.get()](const AudioFrame& frame) { viewed->on_audio(frame); });
    static_cast<void>(receiver.switch_to(one->key));
    receivers.push_back(receiver);
  }
  if (const auto connected = session.connect(); !connected) {
    say("\"error\":\"" + std::string(to_text(connected.error().code)) + "\"");
    return 1;
  }
  say("\"connected\":true");
  std::atomic<bool> is_ending = false;
  std::vector<std::thread> threads;
  for (std::string line; std::getline(std::cin, line);) {
    if (line != "go") continue;
    for (const Published& one : options.published) threads.emplace_back([&] { one.run(is_ending); });
  }
  is_ending = true;
  for (auto& thread : threads) thread.join();
  static_cast<void>(session.disconnect().wait());
  for (auto& receiver : receivers) {
    receiver.on_video(nullptr);
    receiver.on_audio(nullptr);
  }
  return 0;
}

}  // namespace
}  // namespace atm0s::test

int main(int count, char** arguments) {
  using namespace atm0s::test;
  Options options;
  if (!parse(count, arguments, options)) {
    std::fprintf(stderr, "sdk_peer: wrong arguments (see the head of peer.cpp)\n");
    return 2;
  }
  const int code = run(options);
  for (const auto& one : options.viewed) say(one->digest());
  return code;  // the files are complete when the process has ended
}

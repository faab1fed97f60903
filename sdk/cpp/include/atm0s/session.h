// The native C++ SDK of Atm0s: a session in a room, streams out of it and into it.
//
//   atm0s::SessionConfig config{.room_id = "demo", .peer_id = "robot", .token = token};
//   auto camera = std::make_shared<atm0s::EncodedVideoSource>(atm0s::Codec::kH264);
//   config.senders = {{.name = "video_main", .kind = atm0s::MediaKind::kVideo, .source = camera}};
//   atm0s::Session session({"https://media.example.org"}, config);
//   if (auto connected = session.connect(); !connected) return fail(connected.error());
//   while (running) camera->push({.bytes = encoder.next(camera->take_key_frame_request())});
//
// Names are the browser SDK's (docs/cpp-sdk.md has the table). Threads: every method of every class may be called from
// any thread, and in handlers; none holds a lock while a handler runs. Objects are handles: copies mean the same thing,
// and a handle outlives its session, after which its methods answer CLOSED. Destructors return in bounded time, also in
// handlers. Calls that need the server return an Operation; waiting for it, in a handler too, stops nothing but the
// thread that waits. Nothing throws.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "atm0s/config.h"
#include "atm0s/events.h"
#include "atm0s/media.h"
#include "atm0s/result.h"
#include "atm0s/stats.h"

namespace atm0s {

// A request under way. Dropping it cancels nothing.
class ATM0S_API Operation {
 public:
  // Until it is done, at most so long; then TIMEOUT, and it goes on.
  Result<void> wait(std::chrono::milliseconds timeout = std::chrono::seconds(15)) const;
  bool is_done() const;
  // Called once, on the session's executor; soon, if it is done already.
  void on_done(std::function<void(Result<void>)> handler) const;

  class Impl;
  explicit Operation(std::shared_ptr<Impl> impl) : impl_(std::move(impl)) {}

 private:
  std::shared_ptr<Impl> impl_;
};

// Up to which layer of a stream a receiver wants it, and what it yields to. Layers count from 0, the lowest.
struct ReceiverLimit {
  uint32_t priority = 50;  // among the session's receivers; higher ones first
  uint32_t max_spatial = 2;
  uint32_t max_temporal = 2;
  uint32_t min_spatial = 0;
  uint32_t min_temporal = 0;
};

// One stream that is sent. (In the browser SDK: StreamSender.)
class ATM0S_API Sender {
 public:
  const std::string& name() const;
  MediaKind kind() const;
  SenderState state() const;
  // Another source from now on; none: viewers see the stream inactive.
  Operation switch_to(std::shared_ptr<MediaSource> source, std::optional<std::string> label = {});
  // Ends the stream for good.
  Operation stop();

  class Impl;
  explicit Sender(std::shared_ptr<Impl> impl) : impl_(std::move(impl)) {}

 private:
  std::shared_ptr<Impl> impl_;
};

// A sender that is there while there is something to send: it comes into being with the first source that is switched
// to, and goes with stop(). A source after that publishes anew. (In the browser SDK: StreamPublisher.)
class ATM0S_API Publisher {
 public:
  const std::string& name() const;
  MediaKind kind() const;
  SenderState state() const;  // kCreated before the first source
  // Another source from now on; none: viewers see the stream inactive.
  Operation switch_to(std::shared_ptr<MediaSource> source, std::optional<std::string> label = {});
  // Ends the stream: viewers are told that it is gone.
  Operation stop();
  // While there is one.
  std::optional<Sender> sender() const;

  class Impl;
  explicit Publisher(std::shared_ptr<Impl> impl) : impl_(std::move(impl)) {}

 private:
  std::shared_ptr<Impl> impl_;
};

// A place into which a remote stream comes; one of the receivers that SessionConfig::receivers counts, or one more.
class ATM0S_API Receiver {
 public:
  const std::string& id() const;  // "video_0"
  MediaKind kind() const;
  ReceiverState state() const;

  // Views that stream from now on, in place of another one: no renegotiation, no gap longer than a key frame takes.
  Operation switch_to(StreamKey stream, uint32_t priority = 50);
  Operation limit(const ReceiverLimit& limit);
  Operation disconnect();
  void request_key_frame();

  // Frames as they are due: called on the session's executor, or, without handlers, read: waits for at most `timeout`;
  // TIMEOUT when none came. A reader that is behind loses the oldest frames (stats().frames_unread).
  void on_video(std::function<void(const VideoFrame&)> handler);
  void on_audio(std::function<void(const AudioFrame&)> handler);
  void on_pcm(std::function<void(const PcmFrame&)> handler);
  Result<VideoFrame> read_video(std::chrono::milliseconds timeout);
  Result<AudioFrame> read_audio(std::chrono::milliseconds timeout);
  Result<PcmFrame> read_pcm(std::chrono::milliseconds timeout);

  class Impl;
  explicit Receiver(std::shared_ptr<Impl> impl) : impl_(std::move(impl)) {}
  const std::shared_ptr<Impl>& impl() const { return impl_; }

 private:
  std::shared_ptr<Impl> impl_;
};

// A stream of another peer. (In the browser SDK: StreamRemote.)
class ATM0S_API RemoteStream {
 public:
  const StreamKey& key() const;
  MediaKind kind() const;
  StreamInfo info() const;
  bool is_closed() const;  // its peer has taken it away

  class Impl;
  explicit RemoteStream(std::shared_ptr<Impl> impl) : impl_(std::move(impl)) {}

 private:
  std::shared_ptr<Impl> impl_;
};

// Views of one remote stream under several keys (a thumbnail, a full picture): they share one receiver, which is taken
// with the first view and given back with the last; of their limits the largest win.
class ATM0S_API Consumer {
 public:
  Operation view(const std::string& key, const ReceiverLimit& limit = {});
  Operation limit(const std::string& key, const ReceiverLimit& limit);
  Operation unview(const std::string& key);
  // While it is viewed.
  std::optional<Receiver> receiver() const;

  class Impl;
  explicit Consumer(std::shared_ptr<Impl> impl) : impl_(std::move(impl)) {}

 private:
  std::shared_ptr<Impl> impl_;
};

// The audio and the video of one peer, viewed together.
class ATM0S_API ConsumerPair {
 public:
  Operation view(const std::string& key, const ReceiverLimit& limit = {});
  Operation unview(const std::string& key);
  Consumer audio() const { return audio_; }
  Consumer video() const { return video_; }

  ConsumerPair(Consumer audio, Consumer video) : audio_(std::move(audio)), video_(std::move(video)) {}

 private:
  Consumer audio_, video_;
};

// The loudest others in three slots, mixed by nobody: each slot is a receiver.
class ATM0S_API MixMinusAudio {
 public:
  std::vector<Receiver> slots() const;
  // With MixMinusMode::kManualAudioStreams: who may be heard.
  Operation add_source(StreamKey stream);
  Operation remove_source(StreamKey stream);
  Operation toggle(bool enable);

  class Impl;
  explicit MixMinusAudio(std::shared_ptr<Impl> impl) : impl_(std::move(impl)) {}

 private:
  std::shared_ptr<Impl> impl_;
};

class ATM0S_API Session {
 public:
  // `urls`: of servers; the first that answers is taken, and the others when it is lost.
  Session(std::vector<std::string> urls, SessionConfig config, RuntimeOptions options = {});
  // Disconnects. No handler begins after it; one that runs on another thread is waited for, at most a second.
  ~Session();
  Session(Session&&) noexcept;
  Session& operator=(Session&&) noexcept;
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  // Waits until the session is up. The same as connect_async().wait(); a session connects once.
  Result<void> connect(std::chrono::milliseconds timeout = std::chrono::seconds(20));
  Operation connect_async();
  Operation disconnect();
  // To the server and back, over the data channel.
  Result<std::chrono::microseconds> ping(std::chrono::milliseconds timeout = std::chrono::seconds(1));
  Operation restart_ice();
  // A new token, before the old one expires.
  Operation set_token(std::string token);

  SessionState state() const;
  std::string url() const;  // of the server in use

  // Events in their order: the next one if there is one; the next one within `timeout`; or all to a handler, on the
  // session's executor. With a handler the other two give nothing.
  std::optional<Event> poll_event();
  std::optional<Event> wait_event(std::chrono::milliseconds timeout);
  void on_event(std::function<void(const Event&)> handler);

  // --- what is sent
  // Of the configuration, or of create_sender().
  std::optional<Sender> sender(const std::string& name) const;
  Result<Sender> create_sender(SenderConfig config);
  // With a source in `config` its sender is made at once.
  Result<Publisher> create_publisher(SenderConfig config);

  // --- what is viewed
  std::vector<RemoteStream> remote_streams() const;
  std::optional<RemoteStream> remote_stream(const StreamKey& key) const;
  // One more receiver; take_receiver() gives one that is free, and makes one if there is none. Give it back with
  // back_receiver() for the next who takes one.
  Receiver create_receiver(MediaKind kind);
  Receiver take_receiver(MediaKind kind);
  void back_receiver(const Receiver& receiver);
  Consumer create_consumer(const StreamKey& stream, MediaKind kind);
  ConsumerPair create_consumer_pair(const std::string& peer, const std::string& audio = "audio_main",
                                    const std::string& video = "video_main");
  std::optional<MixMinusAudio> mix_minus_audio() const;

  // With RuntimeOptions::subscribe_scope kManual.
  Operation subscribe(const std::string& peer);
  Operation unsubscribe(const std::string& peer);

  // W3C webrtc-stats, as of now.
  Result<SessionStats> stats();

  class Impl;

 private:
  std::shared_ptr<Impl> impl_;
};

}  // namespace atm0s

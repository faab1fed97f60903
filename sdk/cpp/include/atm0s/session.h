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
// thread that waits. What is asked for without a connection, before it or while the session reconnects, succeeds at
// once, and the server is told when there is one. Nothing throws.
//
// Errors that every Operation may have: CLOSED, the session has ended; TIMEOUT; FORBIDDEN, TOO_MANY, BUSY and
// SERVER_ERROR of the server. Further ones are told at the calls.
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
  // Whether wait() would not wait.
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
  uint32_t priority = 50;     // among the session's receivers; higher ones have more
  uint32_t max_spatial = 2;   // pictures no larger than this layer; simulcast layers count as spatial ones
  uint32_t max_temporal = 2;  // no more frames than this layer has
  uint32_t min_spatial = 0;   // paused where not even this layer fits
  uint32_t min_temporal = 0;  // paused where not even this layer fits
};

// One stream that is sent. (In the browser SDK: StreamSender.)
class ATM0S_API Sender {
 public:
  const std::string& name() const;  // SenderConfig::name
  MediaKind kind() const;           // SenderConfig::kind
  SenderState state() const;        // as of now
  // Another source from now on; none: viewers see the stream inactive. `label`: nothing, it stays. INVALID_REQUEST: a
  // source of the other kind.
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
  const std::string& name() const;  // SenderConfig::name
  MediaKind kind() const;           // SenderConfig::kind
  SenderState state() const;        // kCreated before the first source
  // As Sender::switch_to(); the first source publishes the stream, and is refused as by Session::create_sender().
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
  const std::string& id() const;  // "video_0"; in events too
  MediaKind kind() const;         // of what comes
  ReceiverState state() const;    // as of now

  // Views that stream from now on, in place of another one: no renegotiation, no gap longer than a key frame takes. Of
  // a stream that is not there yet as well: it comes when it comes.
  Operation switch_to(StreamKey stream, uint32_t priority = 50);
  // Of this stream and of those that it is switched to later.
  Operation limit(const ReceiverLimit& limit);
  // Views nothing any more.
  Operation disconnect();
  // Of the publisher, for a decoder that is stuck: asked for at most twice a second. What is lost on the way is asked
  // for without it.
  void request_key_frame();

  // --- frames, as they are due
  // To a handler, on the session's executor; none: they wait to be read.
  void on_video(std::function<void(const VideoFrame&)> handler);
  // To a handler, still encoded, and what to do where one is lost; none: they wait to be read.
  void on_audio(std::function<void(const AudioFrame&)> handler);
  // To a handler, decoded; none: they wait to be read.
  void on_pcm(std::function<void(const PcmFrame&)> handler);
  // The next frame, waited for at most so long. TIMEOUT: none came. INVALID_REQUEST: a receiver of audio. At most 256
  // frames wait: a reader that is behind loses the oldest ones, and InboundStats::frames_unread counts them.
  Result<VideoFrame> read_video(std::chrono::milliseconds timeout);
  // As read_video().
  Result<AudioFrame> read_audio(std::chrono::milliseconds timeout);
  // As read_video(); of the same frames as read_audio(), decoded by the thread that reads.
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
  const StreamKey& key() const;  // which one it is
  MediaKind kind() const;        // what it is
  StreamInfo info() const;       // as of now
  bool is_closed() const;        // its peer has taken it away

  class Impl;
  explicit RemoteStream(std::shared_ptr<Impl> impl) : impl_(std::move(impl)) {}

 private:
  std::shared_ptr<Impl> impl_;
};

// Views of one remote stream under several keys (a thumbnail, a full picture): they share one receiver, which is taken
// with the first view and given back with the last; of their limits the largest win. When the last copy of a Consumer
// goes, so do its views.
class ATM0S_API Consumer {
 public:
  // One more view; with a key that is there, its limit.
  Operation view(const std::string& key, const ReceiverLimit& limit = {});
  // NOT_FOUND: no view has that key.
  Operation limit(const std::string& key, const ReceiverLimit& limit);
  // One view less; of a key that is not there, nothing.
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
  // Both, under that key; done when the video is. Of the limit the audio has the priority alone.
  Operation view(const std::string& key, const ReceiverLimit& limit = {});
  // Both.
  Operation unview(const std::string& key);
  Consumer audio() const { return audio_; }  // its receiver is where the sound comes
  Consumer video() const { return video_; }  // its receiver is where the pictures come

  // Of any two; Session::create_consumer_pair() makes it by names.
  ConsumerPair(Consumer audio, Consumer video) : audio_(std::move(audio)), video_(std::move(video)) {}

 private:
  Consumer audio_, video_;
};

// The loudest others in three slots, mixed by nobody: each slot is a receiver.
class ATM0S_API MixMinusAudio {
 public:
  // Always the same three; who is in them MixMinusChanged tells.
  std::vector<Receiver> slots() const;
  // One more who may be heard. NOT_SUPPORTED: not in MixMinusMode::kManualAudioStreams. TOO_MANY: of docs/limits.md.
  Operation add_source(StreamKey stream);
  // One less. NOT_SUPPORTED as add_source().
  Operation remove_source(StreamKey stream);
  // Off: nobody is heard until it is on again.
  Operation toggle(bool enable);

  class Impl;
  explicit MixMinusAudio(std::shared_ptr<Impl> impl) : impl_(std::move(impl)) {}

 private:
  std::shared_ptr<Impl> impl_;
};

// A stay in a room: it begins with connect() and ends, once, with kDisconnected. It owns all that is made by it;
// threads are shared by all sessions of the process.
class ATM0S_API Session {
 public:
  // `urls`: of servers, "https://host:port"; the first that answers is taken, and the others when it is lost. Nothing
  // is sent before connect().
  Session(std::vector<std::string> urls, SessionConfig config, RuntimeOptions options = {});
  // Disconnects. No handler begins after it; one that runs on another thread is waited for, at most a second.
  ~Session();
  Session(Session&&) noexcept;             // what is left behind is for nobody
  Session& operator=(Session&&) noexcept;  // ends the one that was here, as the destructor does
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  // Waits until the session is up, at most so long; then TIMEOUT, and it goes on. INVALID_TOKEN, FORBIDDEN,
  // DUPLICATE_PEER: the server refuses. INVALID_REQUEST, TOO_MANY: something of the configuration is wrong, or it is
  // the second call. NETWORK_ERROR: no server was reached; the message says why not.
  Result<void> connect(std::chrono::milliseconds timeout = std::chrono::seconds(20));
  // The same without waiting.
  Operation connect_async();
  // Ends the session; never fails.
  Operation disconnect();
  // To the server and back, over the data channel: how long that took. CLOSED: there is no connection.
  Result<std::chrono::microseconds> ping(std::chrono::milliseconds timeout = std::chrono::seconds(1));
  // Looks for paths to the server anew; the session goes on. The SDK does it by itself where it notices that it has to.
  // CLOSED: there is no connection.
  Operation restart_ice();
  // A new token, before the old one expires. INVALID_TOKEN: that one is none, or of another room or peer.
  Operation set_token(std::string token);

  SessionState state() const;  // as of now
  std::string url() const;     // of the server in use

  // --- events, in their order
  // The next one, if there is one. At most 4,096 wait; beyond that the oldest are lost.
  std::optional<Event> poll_event();
  // The next one, waited for at most so long.
  std::optional<Event> wait_event(std::chrono::milliseconds timeout);
  // All to a handler, those that wait first, on the session's executor; the other two give nothing then. None: they
  // wait again.
  void on_event(std::function<void(const Event&)> handler);

  // --- what is sent
  // Of the configuration, or of create_sender(); one that was stopped is none.
  std::optional<Sender> sender(const std::string& name) const;
  // Publishes one more stream. INVALID_REQUEST: the configuration is wrong, or the name is taken. What the server says
  // to it comes as an event: SenderStateChanged, or Failure.
  Result<Sender> create_sender(SenderConfig config);
  // With a source in `config` its sender is made at once; errors as of create_sender().
  Result<Publisher> create_publisher(SenderConfig config);

  // --- what is viewed
  // Those of others that are there now.
  std::vector<RemoteStream> remote_streams() const;
  // That one, if it is there now.
  std::optional<RemoteStream> remote_stream(const StreamKey& key) const;
  // One more receiver, which takes a renegotiation.
  Receiver create_receiver(MediaKind kind);
  // One that is free, or one more if there is none.
  Receiver take_receiver(MediaKind kind);
  // Free again, for the next who takes one: it views nothing any more and has no handlers.
  void back_receiver(const Receiver& receiver);
  // Views of one stream under keys.
  Consumer create_consumer(const StreamKey& stream, MediaKind kind);
  // Of one peer, by the names of its streams.
  ConsumerPair create_consumer_pair(const std::string& peer, const std::string& audio = "audio_main",
                                    const std::string& video = "video_main");
  // Nothing: SessionConfig::mix_minus_audio is kDisabled.
  std::optional<MixMinusAudio> mix_minus_audio() const;

  // With RuntimeOptions::subscribe_scope kManual: be told of that peer and its streams. NOT_SUPPORTED: another scope.
  Operation subscribe(const std::string& peer);
  // Be told no more.
  Operation unsubscribe(const std::string& peer);

  // W3C webrtc-stats, as of now. CLOSED: before connect(), or after the end.
  Result<SessionStats> stats();

  class Impl;

 private:
  std::shared_ptr<Impl> impl_;
};

}  // namespace atm0s

// One session between the application's threads and the network thread. What the first see is guarded by a mutex that
// no handler is called under; the engine, its sockets and its calls are the network thread's alone.
#pragma once

#include <condition_variable>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <vector>

#include "atm0s/session.h"
#include "client/receiver_ids.h"
#include "client/session.h"
#include "ice_streams.h"
#include "io/http/client.h"
#include "io/udp/socket.h"
#include "operation.h"
#include "runtime.h"
#include "source.h"

namespace atm0s {

// What a step of audio sounds like; nothing when it cannot be decoded.
std::optional<PcmFrame> decode(Receiver::Impl& receiver, const AudioFrame& frame);

// On the network thread.
SessionStats collect_stats(const atm::client::Session& engine, Session::Impl& session);

// Events, and frames of one receiver, that wait for a reader. Beyond that the oldest go.
inline constexpr size_t kMaxQueuedEvents = 4'096;
inline constexpr size_t kMaxQueuedFrames = 256;

class ATM0S_LOCAL Sender::Impl final : public FrameSink, public std::enable_shared_from_this<Sender::Impl> {
 public:
  Impl(std::weak_ptr<Session::Impl> session, size_t index, const SenderConfig& config);
  void push(PushedFrame frame) override;
  Operation switch_to(std::shared_ptr<MediaSource> source, std::optional<std::string> label);
  Operation stop();
  SenderState state_now();
  std::shared_ptr<MediaSource> source_now();

  const size_t index;
  const std::string name;
  const MediaKind kind;
  // Guarded by the session's mutex.
  SenderState state = SenderState::kCreated;
  std::shared_ptr<MediaSource> source;

 private:
  friend class Session::Impl;
  std::weak_ptr<Session::Impl> session_;
};

class ATM0S_LOCAL Receiver::Impl : public std::enable_shared_from_this<Receiver::Impl> {
 public:
  Impl(std::weak_ptr<Session::Impl> session, size_t index, std::string id, MediaKind kind);

  // The next of `queue`, which is one of the two below.
  template <typename Frame>
  Result<Frame> read(std::deque<Frame>& queue, std::chrono::milliseconds timeout);

  const size_t index;
  const std::string id;
  const MediaKind kind;
  std::weak_ptr<Session::Impl> session;
  // Guarded by the session's mutex.
  ReceiverState state = ReceiverState::kNoSource;
  bool is_closed = false;
  std::condition_variable changed;
  std::deque<VideoFrame> video;
  std::deque<AudioFrame> audio;
  uint64_t unread = 0;
  std::function<void(const VideoFrame&)> video_handler;
  std::function<void(const AudioFrame&)> audio_handler;
  std::function<void(const PcmFrame&)> pcm_handler;
  // Of whoever reads PCM, under its own lock: decoding is in the order of reading.
  std::mutex decoder_mutex;
  std::shared_ptr<class PcmDecoder> decoder;
};

class ATM0S_LOCAL RemoteStream::Impl {
 public:
  std::mutex mutex;
  StreamKey key;
  StreamInfo info;
  bool is_closed = false;
};

class ATM0S_LOCAL Session::Impl final : public atm::io::Loop::Machine,
                                        public std::enable_shared_from_this<Session::Impl> {
 public:
  Impl(std::vector<std::string> urls, SessionConfig config, RuntimeOptions options);
  ~Impl() override;
  void begin();  // once it is owned
  void shut();   // the session's end, from any thread

  // What runs on the network thread: the engine, at the time, with its output.
  using Work = std::function<void(atm::client::Session&, atm::Now, atm::client::Output&)>;
  void post(Work work);
  // A request of the engine by that id.
  Operation ask(std::function<void(atm::client::Session&, atm::Now, uint64_t, atm::client::Output&)> work);
  Operation connect();
  Operation disconnect();
  bool has_ended();

  std::optional<Event> poll_event();
  std::optional<Event> wait_event(std::chrono::milliseconds timeout);
  void on_event(std::function<void(const Event&)> handler);

  Result<Sender> create_sender(SenderConfig config);
  std::shared_ptr<Receiver::Impl> create_receiver(MediaKind kind);
  std::shared_ptr<Receiver::Impl> take_receiver(MediaKind kind);
  Operation back_receiver(const std::shared_ptr<Receiver::Impl>& receiver);

  // Loop::Machine
  atm::Instant next_timeout() const override;
  void on_timeout(atm::Now now) override;

  // Shared state.
  const SessionConfig config;
  std::mutex mutex;
  std::condition_variable changed;
  std::shared_ptr<Strand> strand;
  SessionState state = SessionState::kCreated;
  std::string url;
  std::deque<Event> events;
  std::function<void(const Event&)> handler;
  std::vector<std::shared_ptr<Sender::Impl>> senders;
  std::vector<std::shared_ptr<Receiver::Impl>> receivers;
  std::vector<size_t> slots;        // receivers of mix-minus
  std::set<size_t> free_receivers;  // that nobody has taken
  std::map<StreamKey, std::shared_ptr<RemoteStream::Impl>> remotes;
  std::map<StreamKey, std::weak_ptr<Consumer::Impl>> consumers;
  uint64_t events_lost = 0;

 private:
  friend class Receiver;
  void log(LogLevel level, const std::string& text);
  std::vector<atm::IpAddress> own_addresses() const;
  atm::io::UdpSocket* socket_of(bool is_v4);
  void look_at_addresses(atm::Now now);
  void say_last_word();
  void end_last_word(atm::Now now);
  void run(const Work& work);
  void flush();
  void call(const atm::client::HttpCall& call);
  IceStreams::Hooks stream_hooks();
  void resolve(const std::string& host);
  bool on_network_event(const atm::client::Event& event);
  void dispatch(atm::client::Event event);
  void on_state(const atm::client::StateChanged& changed);
  void on_stream(const StreamChanged& changed);
  void on_frame(atm::client::FrameReceived frame);
  void push_event(Event event);
  void add_receiver(MediaKind kind);
  void close_on_loop();
  void close_handles();
  void receive(size_t socket);
  // Under the mutex.
  bool is_over() const { return is_shut_ || state == SessionState::kDisconnected; }
  void finish_operation(uint64_t id, std::optional<atm::Error> error);

  const RuntimeOptions options_;
  const std::vector<std::string> urls_;
  std::shared_ptr<Runtime> runtime_;
  // Guarded by the mutex.
  std::map<uint64_t, std::shared_ptr<Operation::Impl>> operations_;
  uint64_t next_operation_ = 1;
  std::shared_ptr<Operation::Impl> connecting_;
  std::vector<std::shared_ptr<Operation::Impl>> disconnecting_;
  bool is_connect_asked_ = false;
  bool is_shut_ = false;
  bool is_closed_on_loop_ = false;
  atm::client::ReceiverIds receiver_ids_;
  // The network thread's.
  std::unique_ptr<atm::dtls::Context> dtls_;
  std::unique_ptr<atm::client::Session> engine_;
  std::shared_ptr<atm::io::HttpClient> http_;
  std::vector<std::unique_ptr<atm::io::UdpSocket>> sockets_;
  std::vector<atm::IpAddress> addresses_;
  atm::Instant addresses_due_ = atm::kNever;
  atm::Instant last_word_due_ = atm::kNever;
  std::shared_ptr<Impl> lingering_;  // itself, until the last word was said
  std::unique_ptr<IceStreams> streams_;
  atm::SendBatch batch_;
  std::vector<atm::client::HttpCall> calls_;
  std::vector<atm::client::Event> engine_events_;
};

}  // namespace atm0s

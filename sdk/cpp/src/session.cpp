// The public classes of session.h: handles on what session_impl.h keeps.
#include "atm0s/session.h"

#include <algorithm>

#include "convert.h"
#include "session_impl.h"
#include "taken.h"

namespace atm0s {

namespace {

const Error kEnded{ErrorCode::kClosed, "the session has ended"};

atm::contract::ReceiverLimit to_engine(const ReceiverLimit& limit) {
  return {limit.priority, limit.min_spatial, limit.max_spatial, limit.min_temporal, limit.max_temporal};
}

}  // namespace

// --- Sender -----------------------------------------------------------------------------------------------------

Sender::Impl::Impl(std::weak_ptr<Session::Impl> session, size_t at, const SenderConfig& config)
    : index(at), name(config.name), kind(config.kind), source(config.source), session_(std::move(session)) {}

void Sender::Impl::push(PushedFrame frame) {
  const auto session = session_.lock();
  if (!session) return;
  session->post([self = shared_from_this(), frame = std::move(frame)](atm::client::Session& engine, atm::Now now,
                                                                      atm::client::Output& out) mutable {
    frame.frame.bytes = *frame.bytes;
    const auto sent = engine.send_frame(now, self->index, frame.frame, out);
    const auto its_source = sent ? nullptr : self->source_now();
    if (its_source) its_source->impl()->set_error(to_public(sent.error()));
  });
}

Operation Sender::Impl::switch_to(std::shared_ptr<MediaSource> wanted, std::optional<std::string> label) {
  const auto session = session_.lock();
  if (!session) return Operation::Impl::make_done(kEnded);
  if (wanted && wanted->kind() != kind) {
    return Operation::Impl::make_done(Error{ErrorCode::kInvalidRequest, "a source of the other kind"}, session->strand);
  }
  std::shared_ptr<MediaSource> before;
  {
    const std::lock_guard lock(session->mutex);
    before = std::exchange(source, wanted);
  }
  if (before) before->impl()->detach(this);
  if (wanted) wanted->impl()->attach(shared_from_this(), session->strand);
  return session->ask([index = index, has_track = wanted != nullptr, label = std::move(label)](
                          atm::client::Session& engine, atm::Now now, uint64_t id, atm::client::Output& out) {
    engine.set_track(now, index, has_track, label, id, out);
  });
}

Operation Sender::Impl::stop() {
  const auto session = session_.lock();
  if (!session) return Operation::Impl::make_done(kEnded);
  std::shared_ptr<MediaSource> before;
  {
    const std::lock_guard lock(session->mutex);
    before = std::exchange(source, nullptr);
    state = SenderState::kClosed;
  }
  if (before) before->impl()->detach(this);
  return session->ask([index = index](atm::client::Session& engine, atm::Now now, uint64_t id,
                                      atm::client::Output& out) { engine.stop_sender(now, index, id, out); });
}

const std::string& Sender::name() const {
  return impl_->name;
}
MediaKind Sender::kind() const {
  return impl_->kind;
}
SenderState Sender::state() const {
  return impl_->state_now();
}
Operation Sender::switch_to(std::shared_ptr<MediaSource> source, std::optional<std::string> label) {
  return impl_->switch_to(std::move(source), std::move(label));
}
Operation Sender::stop() {
  return impl_->stop();
}

std::shared_ptr<MediaSource> Sender::Impl::source_now() {
  const auto session = session_.lock();
  if (!session) return nullptr;
  const std::lock_guard lock(session->mutex);
  return source;
}

SenderState Sender::Impl::state_now() {
  const auto session = session_.lock();
  if (!session) return SenderState::kClosed;
  const std::lock_guard lock(session->mutex);
  return session->state == SessionState::kDisconnected ? SenderState::kClosed : state;
}

// --- Receiver ---------------------------------------------------------------------------------------------------

Receiver::Impl::Impl(std::weak_ptr<Session::Impl> owner, size_t at, std::string name, MediaKind its_kind)
    : index(at), id(std::move(name)), kind(its_kind), session(std::move(owner)) {}

const std::string& Receiver::id() const {
  return impl_->id;
}
MediaKind Receiver::kind() const {
  return impl_->kind;
}
ReceiverState Receiver::state() const {
  const auto session = impl_->session.lock();
  if (!session) return ReceiverState::kNoSource;
  const std::lock_guard lock(session->mutex);
  return impl_->state;
}

Operation Receiver::switch_to(StreamKey stream, uint32_t priority) {
  const auto session = impl_->session.lock();
  if (!session) return Operation::Impl::make_done(kEnded);
  return session->ask([index = impl_->index, stream = std::move(stream), priority](
                          atm::client::Session& engine, atm::Now now, uint64_t id, atm::client::Output& out) {
    engine.view(now, index, {stream.peer, stream.name}, priority, id, out);
  });
}
Operation Receiver::limit(const ReceiverLimit& limit) {
  const auto session = impl_->session.lock();
  if (!session) return Operation::Impl::make_done(kEnded);
  return session->ask([index = impl_->index, limit = to_engine(limit)](atm::client::Session& engine, atm::Now now,
                                                                       uint64_t id, atm::client::Output& out) {
    engine.limit(now, index, limit, id, out);
  });
}
Operation Receiver::disconnect() {
  const auto session = impl_->session.lock();
  if (!session) return Operation::Impl::make_done(kEnded);
  return session->ask([index = impl_->index](atm::client::Session& engine, atm::Now now, uint64_t id,
                                             atm::client::Output& out) { engine.unview(now, index, id, out); });
}
void Receiver::request_key_frame() {
  const auto session = impl_->session.lock();
  if (!session) return;
  session->post([index = impl_->index](atm::client::Session& engine, atm::Now now, atm::client::Output& out) {
    engine.request_key_frame(now, index, out);
  });
}

void Receiver::on_video(std::function<void(const VideoFrame&)> handler) {
  const auto session = impl_->session.lock();
  if (!session) return;
  const std::lock_guard lock(session->mutex);
  impl_->video_handler = std::move(handler);
  if (impl_->video_handler) impl_->video.clear();
}
void Receiver::on_audio(std::function<void(const AudioFrame&)> handler) {
  const auto session = impl_->session.lock();
  if (!session) return;
  const std::lock_guard lock(session->mutex);
  impl_->audio_handler = std::move(handler);
  if (impl_->audio_handler) impl_->audio.clear();
}
void Receiver::on_pcm(std::function<void(const PcmFrame&)> handler) {
  const auto session = impl_->session.lock();
  if (!session) return;
  const std::lock_guard lock(session->mutex);
  impl_->pcm_handler = std::move(handler);
  if (impl_->pcm_handler) impl_->audio.clear();
}

template <typename Frame>
Result<Frame> Receiver::Impl::read(std::deque<Frame>& queue, std::chrono::milliseconds timeout) {
  const auto owner = session.lock();
  if (!owner) return kEnded;
  std::unique_lock lock(owner->mutex);
  changed.wait_for(lock, timeout, [&] { return !queue.empty() || is_closed; });
  if (queue.empty()) return is_closed ? kEnded : Error{ErrorCode::kTimeout, "no frame in time"};
  Frame frame = std::move(queue.front());
  queue.pop_front();
  return frame;
}

Result<VideoFrame> Receiver::read_video(std::chrono::milliseconds timeout) {
  if (kind() != MediaKind::kVideo) return Error{ErrorCode::kInvalidRequest, "a receiver of audio"};
  return impl_->read(impl_->video, timeout);
}
Result<AudioFrame> Receiver::read_audio(std::chrono::milliseconds timeout) {
  if (kind() != MediaKind::kAudio) return Error{ErrorCode::kInvalidRequest, "a receiver of video"};
  return impl_->read(impl_->audio, timeout);
}
Result<PcmFrame> Receiver::read_pcm(std::chrono::milliseconds timeout) {
  auto frame = read_audio(timeout);
  if (!frame) return frame.error();
  auto pcm = decode(*impl_, *frame);
  if (!pcm) return Error{ErrorCode::kMediaError, "a packet that is no Opus"};
  return std::move(*pcm);
}

// --- RemoteStream -----------------------------------------------------------------------------------------------

const StreamKey& RemoteStream::key() const {
  return impl_->key;
}
MediaKind RemoteStream::kind() const {
  return info().kind;
}
StreamInfo RemoteStream::info() const {
  const std::lock_guard lock(impl_->mutex);
  return impl_->info;
}
bool RemoteStream::is_closed() const {
  const std::lock_guard lock(impl_->mutex);
  return impl_->is_closed;
}

// --- Consumer ---------------------------------------------------------------------------------------------------

class ATM0S_LOCAL Consumer::Impl {
 public:
  Impl(std::weak_ptr<Session::Impl> session, StreamKey stream, MediaKind kind)
      : session_(std::move(session)), stream_(std::move(stream)), kind_(kind) {}
  ~Impl() {
    const auto session = session_.lock();
    if (receiver_ && session) session->back_receiver(receiver_);
  }

  Operation view(const std::string& key, const ReceiverLimit& limit) {
    const auto session = session_.lock();
    if (!session) return Operation::Impl::make_done(kEnded);
    bool is_first = false;
    std::shared_ptr<Receiver::Impl> receiver;
    {
      const std::lock_guard lock(mutex_);
      views_[key] = limit;
      is_first = !receiver_;
      if (is_first) receiver_ = session->take_receiver(kind_);
      receiver = receiver_;
    }
    Operation limited = apply();
    if (!is_first) return limited;
    return Receiver(receiver).switch_to(stream_, largest().priority);
  }
  Operation limit(const std::string& key, const ReceiverLimit& limit) {
    {
      const std::lock_guard lock(mutex_);
      const auto it = views_.find(key);
      if (it == views_.end()) {
        return Operation::Impl::make_done(Error{ErrorCode::kNotFound, "no view \"" + key + "\""});
      }
      it->second = limit;
    }
    return apply();
  }
  Operation unview(const std::string& key) {
    std::shared_ptr<Receiver::Impl> given_back;
    {
      const std::lock_guard lock(mutex_);
      views_.erase(key);
      if (views_.empty()) given_back = std::move(receiver_);
    }
    const auto session = session_.lock();
    if (!session) return Operation::Impl::make_done(kEnded);
    return given_back ? session->back_receiver(given_back) : apply();
  }
  std::shared_ptr<Receiver::Impl> receiver_now() {
    const std::lock_guard lock(mutex_);
    return receiver_;
  }

 private:
  // Of all views the largest of each limit.
  ReceiverLimit largest() {
    const std::lock_guard lock(mutex_);
    ReceiverLimit out{0, 0, 0, 0, 0};
    for (const auto& [key, limit] : views_) {
      out.priority = std::max(out.priority, limit.priority);
      out.max_spatial = std::max(out.max_spatial, limit.max_spatial);
      out.max_temporal = std::max(out.max_temporal, limit.max_temporal);
      out.min_spatial = std::max(out.min_spatial, limit.min_spatial);
      out.min_temporal = std::max(out.min_temporal, limit.min_temporal);
    }
    return out;
  }
  Operation apply() {
    const auto receiver = receiver_now();
    if (!receiver) return Operation::Impl::make_done({});
    return Receiver(receiver).limit(largest());
  }

  std::weak_ptr<Session::Impl> session_;
  const StreamKey stream_;
  const MediaKind kind_;
  std::mutex mutex_;
  std::map<std::string, ReceiverLimit> views_;
  std::shared_ptr<Receiver::Impl> receiver_;
};

Operation Consumer::view(const std::string& key, const ReceiverLimit& limit) {
  return impl_->view(key, limit);
}
Operation Consumer::limit(const std::string& key, const ReceiverLimit& limit) {
  return impl_->limit(key, limit);
}
Operation Consumer::unview(const std::string& key) {
  return impl_->unview(key);
}
std::optional<Receiver> Consumer::receiver() const {
  auto receiver = impl_->receiver_now();
  return receiver ? std::optional(Receiver(std::move(receiver))) : std::nullopt;
}

Operation ConsumerPair::view(const std::string& key, const ReceiverLimit& limit) {
  static_cast<void>(audio_.view(key, {limit.priority}));
  return video_.view(key, limit);
}
Operation ConsumerPair::unview(const std::string& key) {
  static_cast<void>(audio_.unview(key));
  return video_.unview(key);
}

// --- MixMinusAudio ----------------------------------------------------------------------------------------------

class ATM0S_LOCAL MixMinusAudio::Impl {
 public:
  explicit Impl(std::weak_ptr<Session::Impl> owner) : session(std::move(owner)) {}
  const std::weak_ptr<Session::Impl> session;
};

std::vector<Receiver> MixMinusAudio::slots() const {
  std::vector<Receiver> out;
  const auto session = impl_->session.lock();
  if (!session) return out;
  const std::lock_guard lock(session->mutex);
  for (const size_t slot : session->slots) out.push_back(Receiver(session->receivers[slot]));
  return out;
}

namespace {

Operation change_source(const std::weak_ptr<Session::Impl>& owner, StreamKey stream, bool add) {
  const auto session = owner.lock();
  if (!session) return Operation::Impl::make_done(kEnded);
  return session->ask([stream = std::move(stream), add](atm::client::Session& engine, atm::Now now, uint64_t id,
                                                        atm::client::Output& out) {
    engine.mix_minus_source(now, {stream.peer, stream.name}, add, id, out);
  });
}

}  // namespace

Operation MixMinusAudio::add_source(StreamKey stream) {
  return change_source(impl_->session, std::move(stream), true);
}
Operation MixMinusAudio::remove_source(StreamKey stream) {
  return change_source(impl_->session, std::move(stream), false);
}
Operation MixMinusAudio::toggle(bool enable) {
  const auto session = impl_->session.lock();
  if (!session) return Operation::Impl::make_done(kEnded);
  return session->ask([enable](atm::client::Session& engine, atm::Now now, uint64_t id, atm::client::Output& out) {
    engine.mix_minus_toggle(now, enable, id, out);
  });
}

// --- Session ----------------------------------------------------------------------------------------------------

Session::Session(std::vector<std::string> urls, SessionConfig config, RuntimeOptions options)
    : impl_(std::make_shared<Impl>(std::move(urls), taken(std::move(config)), std::move(options))) {
  impl_->begin();
}
Session::~Session() {
  if (impl_) impl_->shut();
}
Session::Session(Session&&) noexcept = default;
Session& Session::operator=(Session&& other) noexcept {
  if (this == &other) return *this;
  if (impl_) impl_->shut();
  impl_ = std::move(other.impl_);
  return *this;
}

Result<void> Session::connect(std::chrono::milliseconds timeout) {
  return connect_async().wait(timeout);
}
Operation Session::connect_async() {
  return impl_->connect();
}
Operation Session::disconnect() {
  return impl_->disconnect();
}

Result<std::chrono::microseconds> Session::ping(std::chrono::milliseconds timeout) {
  const auto began = Clock::now();
  const Operation done = impl_->ask([](atm::client::Session& engine, atm::Now now, uint64_t id,
                                       atm::client::Output& out) { engine.ping(now, id, out); });
  if (auto result = done.wait(timeout); !result) return result.error();
  return std::chrono::duration_cast<std::chrono::microseconds>(Clock::now() - began);
}
Operation Session::restart_ice() {
  return impl_->ask([](atm::client::Session& engine, atm::Now now, uint64_t id, atm::client::Output& out) {
    engine.restart_ice(now, id, out);
  });
}
Operation Session::set_token(std::string token) {
  return impl_->ask([token = std::move(token)](atm::client::Session& engine, atm::Now now, uint64_t id,
                                               atm::client::Output& out) { engine.set_token(now, id, token, out); });
}

SessionState Session::state() const {
  const std::lock_guard lock(impl_->mutex);
  return impl_->state;
}
std::string Session::url() const {
  const std::lock_guard lock(impl_->mutex);
  return impl_->url;
}
std::optional<Event> Session::poll_event() {
  return impl_->poll_event();
}
std::optional<Event> Session::wait_event(std::chrono::milliseconds timeout) {
  return impl_->wait_event(timeout);
}
void Session::on_event(std::function<void(const Event&)> handler) {
  impl_->on_event(std::move(handler));
}

std::optional<Sender> Session::sender(const std::string& name) const {
  const std::lock_guard lock(impl_->mutex);
  for (const auto& sender : impl_->senders) {
    if (sender->name == name && sender->state != SenderState::kClosed) return Sender(sender);
  }
  return std::nullopt;
}
Result<Sender> Session::create_sender(SenderConfig config) {
  return impl_->create_sender(taken(std::move(config)));
}

std::vector<RemoteStream> Session::remote_streams() const {
  std::vector<RemoteStream> out;
  const std::lock_guard lock(impl_->mutex);
  for (const auto& [key, remote] : impl_->remotes) out.push_back(RemoteStream(remote));
  return out;
}
std::optional<RemoteStream> Session::remote_stream(const StreamKey& key) const {
  const std::lock_guard lock(impl_->mutex);
  const auto it = impl_->remotes.find(key);
  return it == impl_->remotes.end() ? std::nullopt : std::optional(RemoteStream(it->second));
}

Receiver Session::create_receiver(MediaKind kind) {
  return Receiver(impl_->create_receiver(kind));
}
Receiver Session::take_receiver(MediaKind kind) {
  return Receiver(impl_->take_receiver(kind));
}
void Session::back_receiver(const Receiver& receiver) {
  impl_->back_receiver(receiver.impl());
}
Consumer Session::create_consumer(const StreamKey& stream, MediaKind kind) {
  return Consumer(std::make_shared<Consumer::Impl>(impl_, stream, kind));
}
ConsumerPair Session::create_consumer_pair(const std::string& peer, const std::string& audio,
                                           const std::string& video) {
  return {create_consumer({peer, audio}, MediaKind::kAudio), create_consumer({peer, video}, MediaKind::kVideo)};
}
std::optional<MixMinusAudio> Session::mix_minus_audio() const {
  if (impl_->config.mix_minus_audio == MixMinusMode::kDisabled) return std::nullopt;
  return MixMinusAudio(std::make_shared<MixMinusAudio::Impl>(impl_));
}

namespace {

Operation subscribe_to(Session::Impl& session, const std::string& peer, bool subscribe) {
  return session.ask([peer, subscribe](atm::client::Session& engine, atm::Now now, uint64_t id,
                                       atm::client::Output& out) { engine.subscribe(now, peer, subscribe, id, out); });
}

}  // namespace

Operation Session::subscribe(const std::string& peer) {
  return subscribe_to(*impl_, peer, true);
}
Operation Session::unsubscribe(const std::string& peer) {
  return subscribe_to(*impl_, peer, false);
}

Result<SessionStats> Session::stats() {
  constexpr auto kPatience = std::chrono::seconds(2);
  const auto stats = std::make_shared<SessionStats>();
  const Operation done =
      impl_->ask([stats, impl = impl_](atm::client::Session& engine, atm::Now, uint64_t id, atm::client::Output& out) {
        *stats = collect_stats(engine, *impl);
        out.events.emplace_back(atm::client::RequestDone{id, {}});
      });
  if (auto result = done.wait(kPatience); !result) return result.error();
  return *stats;
}

}  // namespace atm0s

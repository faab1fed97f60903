#include "session_impl.h"

#include <algorithm>
#include <utility>

#include "convert.h"

namespace atm0s {

namespace {

constexpr auto kShutPatience = std::chrono::seconds(1);
// For a session that ends while it connects, from its end: until the server has answered and was told. Within
// kShutPatience, and without the server's answer an end does not take longer than this.
constexpr atm::Duration kLastWord = std::chrono::milliseconds(300);

}  // namespace

// --- the application's side ---------------------------------------------------------------------------------------

Session::Impl::Impl(std::vector<std::string> urls, SessionConfig wanted, RuntimeOptions options)
    : config(std::move(wanted)), options_(std::move(options)), urls_(std::move(urls)), runtime_(Runtime::get()) {
  strand = std::make_shared<Strand>(options_.executor ? options_.executor : runtime_->executor());
}

Session::Impl::~Impl() = default;

void Session::Impl::begin() {
  const auto self = shared_from_this();
  for (size_t i = 0; i < config.senders.size(); ++i) {
    senders.push_back(std::make_shared<Sender::Impl>(self, i, config.senders[i]));
    if (config.senders[i].source) config.senders[i].source->impl()->attach(senders.back(), strand);
  }
  // In the order in which the engine makes them.
  for (uint32_t i = 0; i < config.receivers.video; ++i) add_receiver(MediaKind::kVideo);
  for (uint32_t i = 0; i < config.receivers.audio; ++i) add_receiver(MediaKind::kAudio);
  for (const auto& receiver : receivers) free_receivers.insert(receiver->index);
  if (config.mix_minus_audio == MixMinusMode::kDisabled) return;
  for (size_t i = 0; i < atm::client::kMixMinusSlots; ++i) {
    slots.push_back(receivers.size());
    add_receiver(MediaKind::kAudio);
  }
}

void Session::Impl::add_receiver(MediaKind kind) {
  std::string id = receiver_ids_.next(to_engine(kind));
  receivers.push_back(std::make_shared<Receiver::Impl>(weak_from_this(), receivers.size(), std::move(id), kind));
}

void Session::Impl::post(Work work) {
  runtime_->loop().post([self = shared_from_this(), work = std::move(work)] { self->run(work); });
}

void Session::Impl::finish_operation(uint64_t id, std::optional<atm::Error> error) {
  std::shared_ptr<Operation::Impl> operation;
  {
    const std::lock_guard lock(mutex);
    const auto it = operations_.find(id);
    if (it == operations_.end()) return;
    operation = std::move(it->second);
    operations_.erase(it);
  }
  operation->finish(error ? Result<void>(to_public(*error)) : Result<void>());
}

Operation Session::Impl::ask(
    std::function<void(atm::client::Session&, atm::Now, uint64_t, atm::client::Output&)> work) {
  const auto operation = std::make_shared<Operation::Impl>(strand);
  uint64_t id = 0;
  {
    // With the look at the state: whoever ends the session finds the operation.
    const std::lock_guard lock(mutex);
    if (!is_over()) operations_[id = next_operation_++] = operation;
  }
  if (id == 0) {
    operation->finish(Error{ErrorCode::kClosed, "the session has ended"});
    return Operation(operation);
  }
  post([id, work = std::move(work)](atm::client::Session& engine, atm::Now now, atm::client::Output& out) {
    work(engine, now, id, out);
  });
  return Operation(operation);
}

Operation Session::Impl::connect() {
  if (urls_.empty()) return Operation::Impl::make_done(Error{ErrorCode::kInvalidRequest, "no url of a server"}, strand);
  if (auto checked = check(config); !checked) return Operation::Impl::make_done(checked, strand);
  const auto operation = std::make_shared<Operation::Impl>(strand);
  {
    const std::lock_guard lock(mutex);
    if (is_connect_asked_ || is_shut_) {
      operation->finish(Error{ErrorCode::kInvalidRequest, "a session connects once"});
      return Operation(operation);
    }
    is_connect_asked_ = true;
    connecting_ = operation;
  }
  post([](atm::client::Session& engine, atm::Now now, atm::client::Output& out) { engine.connect(now, out); });
  return Operation(operation);
}

Operation Session::Impl::disconnect() {
  const auto operation = std::make_shared<Operation::Impl>(strand);
  {
    const std::lock_guard lock(mutex);
    if (is_over()) {
      operation->finish({});
      return Operation(operation);
    }
    disconnecting_.push_back(operation);
  }
  post([](atm::client::Session& engine, atm::Now now, atm::client::Output& out) { engine.disconnect(now, out); });
  return Operation(operation);
}

bool Session::Impl::has_ended() {
  const std::lock_guard lock(mutex);
  return is_over();
}

std::optional<Event> Session::Impl::poll_event() {
  const std::lock_guard lock(mutex);
  if (events.empty()) return std::nullopt;
  Event event = std::move(events.front());
  events.pop_front();
  return event;
}

std::optional<Event> Session::Impl::wait_event(std::chrono::milliseconds timeout) {
  std::unique_lock lock(mutex);
  changed.wait_for(lock, timeout, [this] { return !events.empty() || is_shut_; });
  if (events.empty()) return std::nullopt;
  Event event = std::move(events.front());
  events.pop_front();
  return event;
}

void Session::Impl::on_event(std::function<void(const Event&)> wanted) {
  bool is_owed = false;
  {
    const std::lock_guard lock(mutex);
    handler.swap(wanted);
    if (!handler) return;
    for (Event& event : events) {
      is_owed |= strand->add([handler = handler, event = std::move(event)] { handler(event); });
    }
    events.clear();
  }
  if (is_owed) strand->schedule();
}

Result<Sender> Session::Impl::create_sender(SenderConfig wanted) {
  if (auto checked = check(wanted); !checked) return checked.error();
  std::shared_ptr<Sender::Impl> sender;
  {
    const std::lock_guard lock(mutex);
    if (is_over()) return Error{ErrorCode::kClosed, "the session has ended"};
    for (const auto& known : senders) {
      if (known->name == wanted.name && known->state != SenderState::kClosed) {
        return Error{ErrorCode::kInvalidRequest, "there is a sender \"" + wanted.name + "\" already"};
      }
    }
    sender = std::make_shared<Sender::Impl>(weak_from_this(), senders.size(), wanted);
    senders.push_back(sender);
    // Under the lock: the engine counts them in the same order.
    post([config = to_engine(wanted)](atm::client::Session& engine, atm::Now now, atm::client::Output&) {
      engine.add_sender(now, config);
    });
  }
  if (wanted.source) wanted.source->impl()->attach(sender, strand);
  return Sender(sender);
}

std::shared_ptr<Receiver::Impl> Session::Impl::create_receiver(MediaKind kind) {
  const std::lock_guard lock(mutex);
  add_receiver(kind);
  post([kind](atm::client::Session& engine, atm::Now now, atm::client::Output&) {
    engine.add_receiver(now, to_engine(kind));
  });
  return receivers.back();
}

std::shared_ptr<Receiver::Impl> Session::Impl::take_receiver(MediaKind kind) {
  {
    const std::lock_guard lock(mutex);
    for (const size_t index : free_receivers) {
      if (receivers[index]->kind != kind) continue;
      free_receivers.erase(index);
      receivers[index]->video.clear();  // what was under way when it was given back
      receivers[index]->audio.clear();
      return receivers[index];
    }
  }
  return create_receiver(kind);
}

Operation Session::Impl::back_receiver(const std::shared_ptr<Receiver::Impl>& receiver) {
  Operation done = Receiver(receiver).disconnect();
  const std::lock_guard lock(mutex);
  receiver->video_handler = nullptr;
  receiver->audio_handler = nullptr;
  receiver->pcm_handler = nullptr;
  receiver->video.clear();
  receiver->audio.clear();
  free_receivers.insert(receiver->index);
  return done;
}

void Session::Impl::shut() {
  {
    const std::lock_guard lock(mutex);
    if (is_shut_) return;
    is_shut_ = true;
    changed.notify_all();
  }
  strand->close();
  // Kept for as long as this call: the network thread must not be the last to let go of itself.
  const std::shared_ptr<Runtime> runtime = runtime_;
  if (runtime->loop().is_own_thread()) return close_on_loop();
  runtime->loop().post([self = shared_from_this()] { self->say_last_word(); });
  std::unique_lock lock(mutex);
  changed.wait_for(lock, kShutPatience, [this] { return is_closed_on_loop_; });
}

// --- the end, on the network thread -------------------------------------------------------------------------------

// Under the mutex: what the application holds on to is of a session that has ended.
void Session::Impl::close_handles() {
  for (const auto& receiver : receivers) {
    receiver->is_closed = true;
    receiver->state = ReceiverState::kNoSource;
    receiver->changed.notify_all();
  }
  for (const auto& [key, remote] : remotes) {
    const std::lock_guard lock(remote->mutex);
    remote->is_closed = true;
  }
  remotes.clear();
}

// Of a session that is let go of while it connects: the connection that the answer brings would stay on the server.
void Session::Impl::say_last_word() {
  if (engine_) {
    const atm::Now now = atm::io::read_clocks();
    atm::client::Output out{batch_, calls_, engine_events_};
    engine_->disconnect(now, out);
    flush();
    if (engine_ && engine_->owes_last_word()) {
      last_word_due_ = now.mono + kLastWord;
      lingering_ = shared_from_this();
      return;
    }
  }
  close_on_loop();
}

void Session::Impl::end_last_word(atm::Now now) {
  if (last_word_due_ == atm::kNever || (now.mono < last_word_due_ && engine_->owes_last_word())) return;
  const auto self = std::exchange(lingering_, nullptr);
  close_on_loop();
}

void Session::Impl::close_on_loop() {
  last_word_due_ = addresses_due_ = atm::kNever;
  if (engine_) {
    const atm::Now now = atm::io::read_clocks();
    atm::client::Output out{batch_, calls_, engine_events_};
    engine_->disconnect(now, out);
    flush();
    runtime_->loop().remove(*this);
    for (auto& socket : sockets_) runtime_->loop().unwatch(socket->fd());
    sockets_.clear();
    streams_.reset();
    http_.reset();
    engine_.reset();
  }
  for (const auto& sender : senders) {
    std::shared_ptr<MediaSource> source;
    {
      const std::lock_guard lock(mutex);
      source = std::move(sender->source);
    }
    if (source) source->impl()->detach(sender.get());
  }
  std::shared_ptr<Operation::Impl> connecting;
  std::vector<std::shared_ptr<Operation::Impl>> disconnecting;
  std::map<uint64_t, std::shared_ptr<Operation::Impl>> operations;
  {
    const std::lock_guard lock(mutex);
    state = SessionState::kDisconnected;
    connecting.swap(connecting_);
    disconnecting.swap(disconnecting_);
    operations.swap(operations_);
    close_handles();
  }
  const Error closed{ErrorCode::kClosed, "the session has ended"};
  if (connecting) connecting->finish(closed);
  for (const auto& operation : disconnecting) operation->finish({});
  for (const auto& [id, operation] : operations) operation->finish(closed);
  const std::lock_guard lock(mutex);
  is_closed_on_loop_ = true;
  changed.notify_all();
}

void Session::Impl::log(LogLevel level, const std::string& text) {
  if (options_.log) options_.log(level, text);
}

}  // namespace atm0s

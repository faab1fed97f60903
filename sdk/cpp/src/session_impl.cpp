#include "session_impl.h"

#include <algorithm>
#include <utility>

#include "convert.h"
#include "io/udp/interfaces.h"

namespace atm0s {

namespace {

constexpr auto kShutPatience = std::chrono::seconds(1);
// For a session that ends while it connects, from its end: until the server has answered and was told. Within
// kShutPatience, and without the server's answer an end does not take longer than this.
constexpr atm::Duration kLastWord = std::chrono::milliseconds(300);
// How often this host's addresses are looked at: another network is seen within it.
constexpr atm::Duration kAddressInterval = std::chrono::seconds(2);

atm::Duration clock_offset(atm::Now now) {
  return now.mono.time_since_epoch() - now.wall.time_since_epoch();
}

// A server on this host is reached from loopback addresses, too.
bool is_on_this_host(const std::string& url) {
  return url.find("://127.") != std::string::npos || url.find("://localhost") != std::string::npos ||
         url.find("://[::1]") != std::string::npos;
}

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

// --- the network thread -------------------------------------------------------------------------------------------

std::vector<atm::IpAddress> Session::Impl::own_addresses() const {
  std::vector<atm::IpAddress> addresses;
  for (const std::string& text : options_.interfaces) {
    if (const auto ip = atm::IpAddress::parse(text)) addresses.push_back(*ip);
  }
  if (!options_.interfaces.empty()) return addresses;
  addresses = atm::io::local_addresses();
  if (std::any_of(urls_.begin(), urls_.end(), is_on_this_host)) {
    const auto loopback = atm::IpAddress::v4(127, 0, 0, 1);
    if (std::find(addresses.begin(), addresses.end(), loopback) == addresses.end()) addresses.push_back(loopback);
  }
  return addresses;
}

// At all addresses of its family: one that the host gets later has it already.
atm::io::UdpSocket* Session::Impl::socket_of(bool is_v4) {
  for (const auto& socket : sockets_) {
    if (socket->is_v4() == is_v4) return socket.get();
  }
  auto socket = atm::io::UdpSocket::bind({is_v4 ? atm::IpAddress::v4(0, 0, 0, 0) : atm::IpAddress(), 0});
  if (!socket) {
    log(LogLevel::kWarning, "no UDP socket: " + socket.error().why);
    return nullptr;
  }
  sockets_.push_back(std::move(*socket));
  runtime_->loop().watch(sockets_.back()->fd(), false, [weak = weak_from_this(), i = sockets_.size() - 1] {
    if (const auto self = weak.lock()) self->receive(i);
  });
  return sockets_.back().get();
}

// The engine is told of those that have come and gone.
void Session::Impl::look_at_addresses(atm::Now now) {
  addresses_due_ = options_.interfaces.empty() ? now.mono + kAddressInterval : atm::kNever;
  std::vector<atm::IpAddress> addresses = own_addresses();
  if (addresses == addresses_) return;
  addresses_ = std::move(addresses);
  std::vector<atm::SocketAddress> candidates;
  for (const bool is_v4 : {true, false}) {
    for (const atm::IpAddress& ip : addresses_) {
      if (ip.is_v4() != is_v4) continue;
      if (const atm::io::UdpSocket* socket = socket_of(is_v4)) candidates.push_back({ip, socket->port()});
    }
  }
  atm::client::Output out{batch_, calls_, engine_events_};
  engine_->set_addresses(now, std::move(candidates), out);
}

void Session::Impl::run(const Work& work) {
  const atm::Now now = atm::io::read_clocks();
  if (is_closed_on_loop_) return;
  if (!engine_) {
    dtls_ = std::make_unique<atm::dtls::Context>(atm::dtls::Certificate::make(now, runtime_->rng()));
    engine_ = std::make_unique<atm::client::Session>(to_engine(urls_, config, options_), *dtls_, runtime_->rng());
    http_ = runtime_->http(options_.tls_ca_file, options_.tls_verify);
    streams_ =
        std::make_unique<IceStreams>(runtime_->loop(), options_.tls_ca_file, options_.tls_verify, stream_hooks());
    look_at_addresses(now);
    runtime_->loop().add(*this);
  }
  atm::client::Output out{batch_, calls_, engine_events_};
  work(*engine_, now, out);
  flush();
  end_last_word(now);
}

atm::Instant Session::Impl::next_timeout() const {
  return std::min({engine_->next_timeout(), streams_->next_timeout(), addresses_due_, last_word_due_});
}

void Session::Impl::on_timeout(atm::Now now) {
  const auto self = shared_from_this();  // a handler that the executor calls in place may destroy the session
  atm::client::Output out{batch_, calls_, engine_events_};
  if (engine_->next_timeout() <= now.mono) engine_->on_timeout(now, out);
  if (addresses_due_ <= now.mono) look_at_addresses(now);
  flush();
  if (streams_ && streams_->next_timeout() <= now.mono) streams_->on_timeout(now);
  end_last_word(now);
}

// --- servers for STUN and TURN

IceStreams::Hooks Session::Impl::stream_hooks() {
  const auto tell = [this](auto what) {
    if (!engine_) return;
    const atm::Now now = atm::io::read_clocks();
    atm::client::Output out{batch_, calls_, engine_events_};
    what(now, out);
    flush();
  };
  return {
      [=, this](uint16_t stream) { tell([&](atm::Now now, auto& out) { engine_->on_stream_open(now, stream, out); }); },
      [=, this](uint16_t stream, atm::MutByteView bytes) {
        tell([&](atm::Now now, auto& out) { engine_->on_stream_bytes(now, stream, bytes, out); });
      },
      [=, this](uint16_t stream, const std::string& why) {
        tell([&](atm::Now now, auto& out) { engine_->on_stream_closed(now, stream, why, out); });
      }};
}

void Session::Impl::resolve(const std::string& host) {
  const auto answer = [weak = weak_from_this(), host](const std::vector<atm::IpAddress>& addresses) {
    const auto self = weak.lock();
    if (!self) return;
    self->post([host, addresses](atm::client::Session& engine, atm::Now now, atm::client::Output& out) {
      engine.on_resolved(now, host, addresses, out);
    });
  };
  const auto id = runtime_->resolver().resolve(
      host, [answer](atm::Result<atm::io::Addresses> found) { answer(found ? *found : atm::io::Addresses{}); });
  if (!id) answer({});
}

// What the engine wants of the network; false: it is another event.
bool Session::Impl::on_network_event(const atm::client::Event& event) {
  if (const auto* wanted = std::get_if<atm::client::ResolveWanted>(&event)) {
    resolve(wanted->host);
  } else if (const auto* stream = std::get_if<atm::client::StreamWanted>(&event)) {
    streams_->open(atm::io::read_clocks(), *stream);
  } else if (const auto* unwanted = std::get_if<atm::client::StreamUnwanted>(&event)) {
    streams_->close(unwanted->stream);
  } else if (const auto* failed = std::get_if<atm::client::ServerFailed>(&event)) {
    push_event(Failure{{ErrorCode::kIceServerError, failed->url + ": " + failed->why}});
  } else {
    return false;
  }
  return true;
}

void Session::Impl::receive(size_t index) {
  constexpr int kBatchesPerTurn = 8;
  for (int i = 0; i < kBatchesPerTurn && engine_; ++i) {
    const atm::Now now = atm::io::read_clocks();
    const auto datagrams = sockets_[index]->receive(now.mono, clock_offset(now));
    atm::client::Output out{batch_, calls_, engine_events_};
    for (const atm::Datagram& datagram : datagrams) engine_->on_datagram(now, datagram, out);
    const bool may_have_more = sockets_[index]->may_have_more();
    flush();
    if (!may_have_more) break;
  }
}

// Everything that the engine said: to the network, to the server, to the application.
void Session::Impl::flush() {
  if (!batch_.empty()) {
    for (auto& socket : sockets_) socket->send(batch_);
    if (streams_) streams_->send(batch_);
    batch_.clear();
  }
  std::vector<atm::client::HttpCall> calls;
  calls.swap(calls_);
  for (const auto& one : calls) call(one);
  std::vector<atm::client::Event> happened;
  happened.swap(engine_events_);
  for (auto& event : happened) {
    dispatch(std::move(event));
    if (!engine_) return;  // a handler that the executor called in place has destroyed the session
  }
  happened.clear();
  engine_events_.swap(happened);
}

void Session::Impl::call(const atm::client::HttpCall& call) {
  atm::io::HttpRequest request;
  request.method = call.method == atm::client::HttpCall::Method::kPost ? "POST" : "DELETE";
  request.url = call.url;
  request.body = call.body;
  request.timeout = call.timeout;
  if (!call.body.empty()) request.headers.emplace_back("Content-Type", "application/json");
  http_->request(std::move(request), [weak = weak_from_this(), id = call.id](auto response) {
    const auto self = weak.lock();
    if (!self) return;
    atm::Result<std::string> body =
        response ? atm::Result<std::string>(std::move(response->body)) : tl::unexpected(response.error());
    self->post([id, body = std::move(body)](atm::client::Session& engine, atm::Now now, atm::client::Output& out) {
      engine.on_reply(now, id, body, out);
    });
  });
}

void Session::Impl::dispatch(atm::client::Event event) {
  if (on_network_event(event)) return;
  if (auto* changed_state = std::get_if<atm::client::StateChanged>(&event)) return on_state(*changed_state);
  if (auto* done = std::get_if<atm::client::RequestDone>(&event)) {
    return finish_operation(done->request, std::move(done->error));
  }
  if (auto* frame = std::get_if<atm::client::FrameReceived>(&event)) return on_frame(std::move(*frame));
  if (auto* refused = std::get_if<atm::client::Refused>(&event)) return push_event(Failure{to_public(refused->error)});
  if (auto* wanted = std::get_if<atm::client::KeyFrameWanted>(&event)) {
    std::shared_ptr<MediaSource> source;
    {
      const std::lock_guard lock(mutex);
      source = senders[wanted->sender]->source;
    }
    if (source) source->impl()->want_key_frame(wanted->layer);
    return;
  }
  if (auto* target = std::get_if<atm::client::TargetChanged>(&event)) {
    std::shared_ptr<MediaSource> source;
    {
      const std::lock_guard lock(mutex);
      source = senders[target->sender]->source;
    }
    if (source) source->impl()->set_targets(target->layer_bps);
    return;
  }
  const auto* said = std::get_if<atm::contract::Event>(&event);
  if (said == nullptr) return;
  auto told = to_public(*said, config.peer_id);
  if (!told) return;
  if (const auto* stream = std::get_if<StreamChanged>(&*told)) on_stream(*stream);
  if (const auto* sender_state = std::get_if<SenderStateChanged>(&*told)) {
    const std::lock_guard lock(mutex);
    for (const auto& sender : senders) {
      if (sender->name == sender_state->name && sender->state != SenderState::kClosed)
        sender->state = sender_state->state;
    }
  }
  if (const auto* receiver_state = std::get_if<ReceiverStateChanged>(&*told)) {
    const std::lock_guard lock(mutex);
    for (const auto& receiver : receivers) {
      if (receiver->id == receiver_state->id) receiver->state = receiver_state->state;
    }
  }
  push_event(std::move(*told));
}

void Session::Impl::on_state(const atm::client::StateChanged& changed_state) {
  StateChanged event;
  event.state = static_cast<SessionState>(changed_state.state);
  if (changed_state.why) event.why = to_public(*changed_state.why);
  std::shared_ptr<Operation::Impl> connecting;
  std::vector<std::shared_ptr<Operation::Impl>> disconnecting, others;
  {
    const std::lock_guard lock(mutex);
    state = event.state;
    url = engine_->url();
    if (state == SessionState::kConnected || state == SessionState::kDisconnected) connecting.swap(connecting_);
    if (state == SessionState::kDisconnected) {
      disconnecting.swap(disconnecting_);
      for (auto& [id, operation] : operations_) others.push_back(std::move(operation));
      operations_.clear();
      close_handles();
    }
  }
  const Error closed{ErrorCode::kClosed, "the session has ended"};
  if (connecting) {
    connecting->finish(event.state == SessionState::kConnected ? Result<void>()
                                                               : Result<void>(event.why.value_or(closed)));
  }
  for (const auto& operation : disconnecting) operation->finish({});
  for (const auto& operation : others) operation->finish(closed);
  log(LogLevel::kInfo, event.why ? event.why->message : "state " + std::to_string(static_cast<int>(event.state)));
  push_event(std::move(event));
}

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

void Session::Impl::on_stream(const StreamChanged& stream) {
  if (stream.is_own) return;
  const std::lock_guard lock(mutex);
  auto& remote = remotes[stream.stream.key];
  if (!remote) {
    remote = std::make_shared<RemoteStream::Impl>();
    remote->key = stream.stream.key;
  }
  {
    const std::lock_guard remote_lock(remote->mutex);
    remote->is_closed = stream.change == Presence::kRemoved;
    if (!remote->is_closed) remote->info = stream.stream;
  }
  if (stream.change == Presence::kRemoved) remotes.erase(stream.stream.key);
}

void Session::Impl::on_frame(atm::client::FrameReceived frame) {
  const std::shared_ptr<Receiver::Impl> receiver = [&] {
    const std::lock_guard lock(mutex);
    return receivers[frame.receiver];
  }();
  const auto keep = [&](auto& queue, auto out) {
    if (queue.size() >= kMaxQueuedFrames) {
      queue.pop_front();
      ++receiver->unread;
    }
    queue.push_back(std::move(out));
    receiver->changed.notify_all();
  };
  if (receiver->kind == MediaKind::kVideo) {
    VideoFrame out;
    out.codec = to_public(frame.codec);
    out.is_key = frame.is_key;
    out.rtp_timestamp = frame.timestamp;
    out.render_at = to_public(frame.render_at);
    out.number = frame.number;
    out.bytes = std::move(frame.bytes);
    std::unique_lock lock(mutex);
    if (!receiver->video_handler) return keep(receiver->video, std::move(out));
    const bool is_owed = strand->add([handler = receiver->video_handler, out = std::move(out)] { handler(out); });
    lock.unlock();
    if (is_owed) strand->schedule();
    return;
  }
  AudioFrame out;
  out.action = static_cast<AudioFrame::Action>(frame.audio);
  out.rtp_timestamp = frame.timestamp;
  out.play_at = to_public(frame.render_at);
  out.length = frame.length;
  out.bytes = std::move(frame.bytes);
  bool is_owed = false;
  {
    const std::lock_guard lock(mutex);
    if (receiver->audio_handler) {
      is_owed |= strand->add([handler = receiver->audio_handler, out] { handler(out); });
    }
    if (receiver->pcm_handler) {
      is_owed |= strand->add([handler = receiver->pcm_handler, receiver, out = std::move(out)] {
        if (auto pcm = decode(*receiver, out)) handler(*pcm);
      });
    } else if (!receiver->audio_handler) {
      keep(receiver->audio, std::move(out));
    }
  }
  if (is_owed) strand->schedule();
}

void Session::Impl::push_event(Event event) {
  std::unique_lock lock(mutex);
  if (handler) {
    const bool is_owed = strand->add([handler = handler, event = std::move(event)] { handler(event); });
    lock.unlock();
    if (is_owed) strand->schedule();
    return;
  }
  if (events.size() >= kMaxQueuedEvents) {
    events.pop_front();
    ++events_lost;
  }
  events.push_back(std::move(event));
  changed.notify_all();
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

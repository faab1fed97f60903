// What the engine says on the network thread, for the application: states, streams, frames, events.
#include "convert.h"
#include "session_impl.h"

namespace atm0s {

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

}  // namespace atm0s

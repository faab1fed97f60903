// Publisher (session.h): a sender that is made for the first source.
#include "convert.h"
#include "session_impl.h"

namespace atm0s {

class ATM0S_LOCAL Publisher::Impl {
 public:
  Impl(std::weak_ptr<Session::Impl> session, SenderConfig config)
      : name(config.name), kind(config.kind), session_(std::move(session)), config_(std::move(config)) {
    config_.source = nullptr;
  }

  Operation switch_to(std::shared_ptr<MediaSource> source, std::optional<std::string> label) {
    const auto session = session_.lock();
    if (!session) return Operation::Impl::make_done(Error{ErrorCode::kClosed, "the session has ended"});
    std::optional<Sender> sender;
    Result<void> refused;
    {
      // Held while the sender is made, so that two threads make one. No handler runs meanwhile.
      const std::lock_guard lock(mutex_);
      is_stopped_ = false;
      if (sender_ && sender_->state() == SenderState::kClosed) sender_.reset();  // somebody stopped it by its handle
      if (!sender_ && source) {
        auto made = make_sender(*session, source, label);
        if (!made) {
          refused = made.error();
        } else {
          sender_ = std::move(*made);
        }
      }
      sender = sender_;
    }
    if (!sender) return Operation::Impl::make_done(refused, session->strand);
    // Of a new sender too: it is done when the server knows of it.
    return sender->switch_to(std::move(source), std::move(label));
  }

  Operation stop() {
    std::optional<Sender> sender;
    {
      const std::lock_guard lock(mutex_);
      is_stopped_ = true;
      sender.swap(sender_);
    }
    if (sender) return sender->stop();
    const auto session = session_.lock();
    return Operation::Impl::make_done({}, session ? session->strand : nullptr);
  }

  SenderState state() const {
    const auto session = session_.lock();
    const std::lock_guard lock(mutex_);
    if (sender_) return sender_->state();
    return is_stopped_ || !session || session->has_ended() ? SenderState::kClosed : SenderState::kCreated;
  }

  std::optional<Sender> sender() const {
    const std::lock_guard lock(mutex_);
    return sender_;
  }

  const std::string name;
  const MediaKind kind;

 private:
  Result<Sender> make_sender(Session::Impl& session, const std::shared_ptr<MediaSource>& source,
                             const std::optional<std::string>& label) const {
    SenderConfig config = config_;
    config.source = source;
    if (label) config.label = *label;
    return session.create_sender(std::move(config));
  }

  const std::weak_ptr<Session::Impl> session_;
  mutable std::mutex mutex_;
  SenderConfig config_;  // without a source: who publishes nothing keeps none alive
  std::optional<Sender> sender_;
  bool is_stopped_ = false;
};

const std::string& Publisher::name() const {
  return impl_->name;
}
MediaKind Publisher::kind() const {
  return impl_->kind;
}
SenderState Publisher::state() const {
  return impl_->state();
}
Operation Publisher::switch_to(std::shared_ptr<MediaSource> source, std::optional<std::string> label) {
  return impl_->switch_to(std::move(source), std::move(label));
}
Operation Publisher::stop() {
  return impl_->stop();
}
std::optional<Sender> Publisher::sender() const {
  return impl_->sender();
}

Result<Publisher> Session::create_publisher(SenderConfig config) {
  if (auto checked = check(config); !checked) return checked.error();
  const std::shared_ptr<MediaSource> source = config.source;
  const auto impl = std::make_shared<Publisher::Impl>(impl_, std::move(config));
  if (!source) return Publisher(impl);
  const Operation published = impl->switch_to(source, {});
  // A name that is taken is known at once; what the server says to it comes later.
  if (!impl->sender()) return published.wait(std::chrono::milliseconds(0)).error();
  return Publisher(impl);
}

}  // namespace atm0s

#include "source.h"

#include <algorithm>

#include "convert.h"

namespace atm0s {

namespace {

// Before the network has said what it carries.
constexpr uint64_t kFirstTarget = 300'000;

}  // namespace

Result<void> MediaSource::Impl::push(PushedFrame frame, std::span<const uint8_t> bytes) {
  if (bytes.empty()) return Error{ErrorCode::kInvalidRequest, "an empty frame"};
  std::vector<std::shared_ptr<FrameSink>> sinks;
  std::optional<Error> error;
  {
    const std::lock_guard lock(mutex_);
    for (const auto& sink : sinks_) {
      if (auto alive = sink.lock()) sinks.push_back(std::move(alive));
    }
    error.swap(error_);
  }
  if (!sinks.empty()) {
    frame.bytes = std::make_shared<const std::vector<uint8_t>>(bytes.begin(), bytes.end());
    for (const auto& sink : sinks) sink->push(frame);
  }
  if (error) return std::move(*error);
  return {};
}

bool MediaSource::Impl::take_key_frame_request(uint8_t layer) {
  const std::lock_guard lock(mutex_);
  return layer < key_wanted_.size() && std::exchange(key_wanted_[layer], false);
}

uint64_t MediaSource::Impl::target_bitrate(uint8_t layer) {
  const std::lock_guard lock(mutex_);
  if (layer >= targets_.size()) return 0;
  return has_targets_ ? targets_[layer] : kFirstTarget;
}

void MediaSource::Impl::on_demand_changed(std::function<void()> handler) {
  const std::lock_guard lock(mutex_);
  demand_handler_ = std::move(handler);
}

void MediaSource::Impl::attach(const std::shared_ptr<FrameSink>& sink, const std::shared_ptr<Strand>& strand) {
  const std::lock_guard lock(mutex_);
  std::erase_if(sinks_, [](const auto& known) { return known.expired(); });
  sinks_.push_back(sink);
  strand_ = strand;
  key_wanted_.fill(true);  // whoever looks begins with one
}

void MediaSource::Impl::detach(const FrameSink* sink) {
  const std::lock_guard lock(mutex_);
  std::erase_if(sinks_, [sink](const auto& known) {
    const auto alive = known.lock();
    return !alive || alive.get() == sink;
  });
}

void MediaSource::Impl::want_key_frame(uint8_t layer) {
  {
    const std::lock_guard lock(mutex_);
    if (layer < key_wanted_.size()) key_wanted_[layer] = true;
  }
  tell_demand();
}

void MediaSource::Impl::set_targets(const std::vector<uint64_t>& layer_bps) {
  {
    const std::lock_guard lock(mutex_);
    targets_.fill(0);
    std::copy_n(layer_bps.begin(), std::min(layer_bps.size(), targets_.size()), targets_.begin());
    has_targets_ = true;
  }
  tell_demand();
}

void MediaSource::Impl::set_error(std::optional<Error> error) {
  const std::lock_guard lock(mutex_);
  error_ = std::move(error);
}

void MediaSource::Impl::tell_demand() {
  std::shared_ptr<Strand> strand;
  std::function<void()> handler;
  {
    const std::lock_guard lock(mutex_);
    strand = strand_.lock();
    handler = demand_handler_;
  }
  if (strand && handler) strand->post(std::move(handler));
}

// --- the public classes -----------------------------------------------------------------------------------------

MediaSource::MediaSource(std::shared_ptr<Impl> impl) : impl_(std::move(impl)) {}
MediaSource::~MediaSource() = default;
MediaKind MediaSource::kind() const {
  return impl_->kind();
}

EncodedVideoSource::EncodedVideoSource(Codec codec) : MediaSource(std::make_shared<Impl>(MediaKind::kVideo, codec)) {}
EncodedVideoSource::~EncodedVideoSource() = default;
Codec EncodedVideoSource::codec() const {
  return impl_->codec();
}
bool EncodedVideoSource::take_key_frame_request(uint8_t layer) {
  return impl_->take_key_frame_request(layer);
}
uint64_t EncodedVideoSource::target_bitrate(uint8_t layer) const {
  return impl_->target_bitrate(layer);
}
void EncodedVideoSource::on_demand_changed(std::function<void()> handler) {
  impl_->on_demand_changed(std::move(handler));
}

namespace {

atm::Instant instant_of(Clock::time_point captured_at) {
  return to_engine(captured_at == Clock::time_point{} ? Clock::now() : captured_at);
}

}  // namespace

Result<void> EncodedVideoSource::push(const EncodedVideoFrame& frame) {
  PushedFrame out;
  out.frame.codec = to_engine(impl_->codec());
  out.frame.layer = frame.layer;
  out.frame.is_key = frame.is_key;
  out.frame.temporal_layer = frame.temporal_layer;
  out.frame.captured_at = instant_of(frame.captured_at);
  return impl_->push(std::move(out), frame.bytes);
}

EncodedAudioSource::EncodedAudioSource() : MediaSource(std::make_shared<Impl>(MediaKind::kAudio, Codec::kOpus)) {}
EncodedAudioSource::~EncodedAudioSource() = default;

Result<void> EncodedAudioSource::push(const EncodedAudioFrame& frame) {
  PushedFrame out;
  out.frame.codec = atm::Codec::kOpus;
  out.frame.captured_at = instant_of(frame.captured_at);
  if (frame.level) out.frame.audio_level = static_cast<uint8_t>(std::clamp(-*frame.level, 0, 127));
  return impl_->push(std::move(out), frame.bytes);
}

}  // namespace atm0s

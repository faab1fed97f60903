// Player: frames of receivers with their playout times into a pipeline with sinks that keep them.
#include <gst/app/gstappsrc.h>

#include <cstdlib>

#include "atm0s/gst.h"
#include "decoder.h"
#include "parts.h"
#include "pipeline.h"

namespace atm0s::gst {

namespace {

// Of sinks of sound: what the sound card has in advance, microseconds. GStreamer's 200 ms are for films.
constexpr gint64 kSoundBuffer = 80'000;
// A piece of sound that is due this near to the end of the one before follows it without a gap.
constexpr GstClockTimeDiff kLeastGap = 20 * GST_MSECOND;

std::string describe(bool has_video, bool has_audio, const PlayerOptions& options) {
  std::string out;
  if (has_video) out += "videoconvert name=atm0s-picture ! " + options.video_sink + " ";
  if (has_audio) {
    out +=
        "appsrc name=atm0s-sound is-live=true format=time max-bytes=0 max-buffers=50 leaky-type=downstream "
        "caps=\"audio/x-raw,format=S16LE,rate=48000,channels=2,layout=interleaved\" min-latency=" +
        std::to_string(options.latency.count() * 1'000'000) + " ! audioconvert ! audioresample ! " + options.audio_sink;
  }
  return out;
}

void shorten_buffer(GstBin*, GstBin*, GstElement* element, gpointer) {
  if (g_object_class_find_property(G_OBJECT_GET_CLASS(element), "buffer-time") != nullptr) {
    g_object_set(element, "buffer-time", kSoundBuffer, nullptr);
  }
}

}  // namespace

class Player::Impl : public std::enable_shared_from_this<Player::Impl> {
 public:
  Impl(std::shared_ptr<Pipeline> pipeline, std::optional<Receiver> video, std::optional<Receiver> audio,
       std::chrono::milliseconds latency)
      : pipeline_(std::move(pipeline)), video_(std::move(video)), audio_(std::move(audio)), latency_(latency) {
    g_signal_connect(pipeline_->element(), "deep-element-added", G_CALLBACK(shorten_buffer), nullptr);
  }
  ~Impl() { close(); }

  Result<void> begin() {
    if (auto opened = pipeline_->open(); !opened) return opened;
    if (video_) {
      picture_ = pipeline_->find("atm0s-picture");
      add_probe(pad_of(picture_.get(), "sink").get(), GST_PAD_PROBE_TYPE_BUFFER,
                [pictures = pictures_](GstPadProbeInfo*) { return ++*pictures, GST_PAD_PROBE_OK; });
    }
    if (audio_) sound_ = pipeline_->find("atm0s-sound");
    if (auto played = pipeline_->play(); !played) return played;
    const std::weak_ptr<Impl> weak = weak_from_this();
    if (video_) {
      video_->on_video([weak](const VideoFrame& frame) {
        if (auto self = weak.lock()) self->on_video(frame);
      });
    }
    if (audio_) {
      audio_->on_pcm([weak](const PcmFrame& frame) {
        if (auto self = weak.lock()) self->on_pcm(frame);
      });
    }
    return {};
  }
  void close() {
    if (video_) video_->on_video(nullptr);
    if (audio_) audio_->on_pcm(nullptr);
    {
      const std::lock_guard lock(mutex_);
      if (std::exchange(is_closed_, true)) return;
      decoder_.reset();
    }
    pipeline_->stop();
  }
  uint64_t pictures() const { return *pictures_; }
  uint64_t sounds() const { return sounds_; }
  Pipeline& pipeline() const { return *pipeline_; }

 private:
  GstClockTime running_time(Clock::time_point at) const {
    return at > pipeline_->base() ? static_cast<GstClockTime>((at - pipeline_->base()).count()) : 0;
  }
  void on_video(const VideoFrame& frame) {
    const std::lock_guard lock(mutex_);
    if (is_closed_) return;
    if (!decoder_ || decoder_->codec() != frame.codec) {
      if (!frame.is_key) return;
      decoder_.reset();
      const Held<GstPad> to = pad_of(picture_.get(), "sink");
      auto made = Decoder::make(frame.codec, GST_BIN(pipeline_->element()), to.get(), latency_,
                                [receiver = *video_]() mutable { receiver.request_key_frame(); });
      if (!made) return pipeline_->report(made.error());
      decoder_ = std::move(*made);
    }
    if (!decoder_->push(frame, running_time(frame.render_at))) video_->request_key_frame();
  }
  void on_pcm(const PcmFrame& frame) {
    const std::lock_guard lock(mutex_);
    if (is_closed_) return;
    const std::span bytes(reinterpret_cast<const uint8_t*>(frame.samples.data()), frame.samples.size() * 2);
    GstClockTime at = running_time(frame.play_at);
    const auto gap = static_cast<GstClockTimeDiff>(at - sound_end_);
    if (gap > -kLeastGap && gap < kLeastGap) at = sound_end_;
    GstBuffer* buffer = buffer_of(bytes, at);
    GST_BUFFER_DURATION(buffer) = frame.samples.size() / 2 * GST_SECOND / 48'000;
    sound_end_ = at + GST_BUFFER_DURATION(buffer);
    gst_app_src_push_buffer(GST_APP_SRC(sound_.get()), buffer);
    ++sounds_;
  }

  const std::shared_ptr<Pipeline> pipeline_;
  std::optional<Receiver> video_, audio_;
  const std::chrono::milliseconds latency_;
  std::mutex mutex_;
  bool is_closed_ = false;
  Held<GstElement> picture_, sound_;
  std::unique_ptr<Decoder> decoder_;
  GstClockTime sound_end_ = 0;
  const std::shared_ptr<std::atomic<uint64_t>> pictures_ = std::make_shared<std::atomic<uint64_t>>(0);
  std::atomic<uint64_t> sounds_ = 0;
};

Result<Player> Player::open(std::optional<Receiver> video, std::optional<Receiver> audio,
                            const PlayerOptions& options) {
  if (!video && !audio) return Error{ErrorCode::kInvalidRequest, "no receiver"};
  if ((video && video->kind() != MediaKind::kVideo) || (audio && audio->kind() != MediaKind::kAudio)) {
    return Error{ErrorCode::kInvalidRequest, "a receiver of the other kind"};
  }
  if (options.latency.count() < 0) return Error{ErrorCode::kInvalidRequest, "a latency below 0"};
  // autovideosink would go on to look for a console of its own, which takes long where there is none.
  if (video && options.video_sink == "autovideosink" && !std::getenv("DISPLAY") && !std::getenv("WAYLAND_DISPLAY")) {
    return Error{ErrorCode::kNotFound, "no such display: neither DISPLAY nor WAYLAND_DISPLAY is set"};
  }
  auto pipeline = Pipeline::parse(describe(video.has_value(), audio.has_value(), options));
  if (!pipeline) return pipeline.error();
  auto impl = std::make_shared<Impl>(*pipeline, std::move(video), std::move(audio), options.latency);
  if (auto begun = impl->begin(); !begun) return begun.error();
  return Player(std::move(impl));
}

uint64_t Player::video_frames() const {
  return impl_->pictures();
}
uint64_t Player::audio_frames() const {
  return impl_->sounds();
}
void Player::close() {
  impl_->close();
}
void Player::on_error(std::function<void(const Error&)> handler) {
  impl_->pipeline().on_error(std::move(handler));
}
std::optional<Error> Player::error() const {
  return impl_->pipeline().error();
}

}  // namespace atm0s::gst

// Source: a pipeline of the application's, and behind it encoders and appsinks that feed a MediaSource.
#include <algorithm>
#include <vector>

#include "atm0s/gst.h"
#include "branches.h"
#include "parts.h"
#include "pipeline.h"

namespace atm0s::gst {

namespace {

// As a string within a description.
std::string quoted(const std::string& text) {
  std::string out = "\"";
  for (const char letter : text) {
    if (letter == '"' || letter == '\\') out += '\\';
    out += letter;
  }
  return out + '"';
}

}  // namespace

class Source::Impl {
 public:
  Impl(std::shared_ptr<Pipeline> pipeline, MediaKind kind) : pipeline_(std::move(pipeline)), arrival_(new Arrival) {
    config_.kind = kind;
  }
  ~Impl() { pipeline_->stop(); }

  void feed_video(const VideoOptions& options) {
    auto source = std::make_shared<EncodedVideoSource>(options.codec);
    video_ = connect_video(GST_BIN(pipeline_->element()), options, source);
    config_.source = source;
    config_.preferred_codecs = {options.codec};
    config_.simulcast = options.simulcast;
    config_.max_bitrate = options.max_bitrate;
    config_.content_hint = options.content_hint;
    arrival_->least_interval = GST_SECOND / static_cast<GstClockTime>(options.max_framerate);
    watch_arrival();
  }
  void feed_audio() {
    auto source = std::make_shared<EncodedAudioSource>();
    audio_ = connect_audio(GST_BIN(pipeline_->element()), source);
    config_.source = source;
    watch_arrival();
  }
  void set_screen() { config_.screen = true; }

  Result<void> start() {
    // What a device gives is as old as it is; a file has to be held back.
    if (pipeline_->is_live()) g_object_set(pipeline_->find("atm0s-pace").get(), "sync", FALSE, nullptr);
    auto played = pipeline_->play();
    if (!played) return played;
    arrival_->wait(*pipeline_);
    if (auto error = pipeline_->error()) return *error;
    return {};
  }
  uint64_t frames(uint8_t layer) const {
    if (audio_) return layer == 0 ? audio_->frames() : 0;
    return layer < video_.size() ? video_[layer]->frames() : 0;
  }
  Pipeline& pipeline() const { return *pipeline_; }
  const SenderConfig& config() const { return config_; }

 private:
  // Of raw pictures or sound.
  struct Arrival {
    std::mutex mutex;
    std::condition_variable changed;
    bool has_begun = false;
    // Of the streaming thread.
    GstClockTime least_interval = 0, next = 0;

    // For the first one, or an error in its place.
    void wait(const Pipeline& pipeline) {
      const auto end = Clock::now() + std::chrono::seconds(1);
      std::unique_lock lock(mutex);
      while (!has_begun && !pipeline.error() && Clock::now() < end) {
        changed.wait_for(lock, std::chrono::milliseconds(20));
      }
    }
    // Whether the buffer is one of max_framerate.
    bool fits(GstBuffer* buffer) {
      if (!std::exchange(is_known, true)) {
        const std::lock_guard lock(mutex);
        has_begun = true;
        changed.notify_all();
      }
      const GstClockTime at = GST_BUFFER_PTS(buffer);
      if (least_interval == 0 || !GST_CLOCK_TIME_IS_VALID(at)) return true;
      if (at + least_interval / 4 < next && next - at < 2 * least_interval) return false;
      // A camera that is a little early now is late another time.
      next = (next > at && next - at < least_interval ? next : at) + least_interval;
      return true;
    }

   private:
    bool is_known = false;
  };

  void watch_arrival() {
    const Held<GstPad> in = pad_of(pipeline_->find("atm0s-raw").get(), "sink");
    add_probe(in.get(), GST_PAD_PROBE_TYPE_BUFFER, [arrival = arrival_](GstPadProbeInfo* info) {
      return arrival->fits(gst_pad_probe_info_get_buffer(info)) ? GST_PAD_PROBE_OK : GST_PAD_PROBE_DROP;
    });
  }

  const std::shared_ptr<Pipeline> pipeline_;
  const std::shared_ptr<Arrival> arrival_;
  std::vector<std::shared_ptr<VideoFeed>> video_;
  std::shared_ptr<AudioFeed> audio_;
  SenderConfig config_;
};

namespace {

// Held back to its own pace, if it is a file's.
Result<std::shared_ptr<Pipeline>> parse(const std::string& raw, const Result<std::string>& branches) {
  if (!branches) return branches.error();
  return Pipeline::parse(raw + " ! clocksync name=atm0s-pace ! " + *branches);
}

}  // namespace

Result<Source> Source::video(const std::string& pipeline, const VideoOptions& options) {
  if (auto started = start_gstreamer(); !started) return started.error();
  if (auto checked = check(options); !checked) return checked.error();
  auto parsed = parse(pipeline, describe_video(options, false));
  if (!parsed) return parsed.error();
  auto impl = std::make_shared<Impl>(*parsed, MediaKind::kVideo);
  impl->feed_video(options);
  if (auto opened = (*parsed)->open(); !opened) return opened.error();
  return Source(std::move(impl));
}

Result<Source> Source::audio(const std::string& pipeline, const AudioOptions& options) {
  if (auto started = start_gstreamer(); !started) return started.error();
  if (auto checked = check(options); !checked) return checked.error();
  auto parsed = parse(pipeline, describe_audio(options, false));
  if (!parsed) return parsed.error();
  auto impl = std::make_shared<Impl>(*parsed, MediaKind::kAudio);
  impl->feed_audio();
  if (auto opened = (*parsed)->open(); !opened) return opened.error();
  return Source(std::move(impl));
}

Result<Source> Source::camera(const std::string& device, const VideoOptions& options) {
  // In the size that is wanted if the camera has it, raw or as JPEG; else as it likes.
  const std::string rate = "framerate=(fraction)[1/1," + std::to_string(std::max(options.max_framerate, 1)) + "/1]";
  const std::string size =
      options.width == 0 ? ""
                         : "width=" + std::to_string(options.width) + ",height=" + std::to_string(options.height) + ",";
  const std::string wanted = "video/x-raw," + size + rate + ";image/jpeg," + size + rate + ";video/x-raw;image/jpeg";
  return video("v4l2src device=" + quoted(device) + " ! capsfilter caps=" + quoted(wanted) + " ! decodebin", options);
}

Result<Source> Source::screen(const std::string& display, const VideoOptions& options) {
  const std::string which = display.empty() ? "" : " display-name=" + quoted(display);
  auto out = video("ximagesrc use-damage=false" + which +
                       " ! video/x-raw,framerate=" + std::to_string(std::max(options.max_framerate, 1)) + "/1",
                   options);
  if (out) out->impl_->set_screen();
  return out;
}

Result<Source> Source::test_video(const VideoOptions& options) {
  return video("videotestsrc is-live=true horizontal-speed=2 ! video/x-raw,framerate=" +
                   std::to_string(std::max(options.max_framerate, 1)) + "/1" + size_caps(options, 1),
               options);
}

Result<Source> Source::microphone(const std::string& device, const AudioOptions& options) {
  if (device.empty()) {
    auto of_desktop = audio("pulsesrc", options);
    if (of_desktop || of_desktop.error().code == ErrorCode::kInvalidRequest) return of_desktop;
    auto of_kernel = audio("alsasrc", options);
    return of_kernel ? of_kernel : of_desktop;
  }
  const bool is_alsa = device.starts_with("hw:") || device.starts_with("plughw:");
  return audio((is_alsa ? "alsasrc" : "pulsesrc") + (" device=" + quoted(device)), options);
}

Result<Source> Source::test_audio(const AudioOptions& options) {
  return audio("audiotestsrc is-live=true samplesperbuffer=480 volume=0.2 ! audio/x-raw,rate=48000", options);
}

SenderConfig Source::sender(const std::string& name) const {
  SenderConfig out = impl_->config();
  out.name = name;
  return out;
}
std::shared_ptr<MediaSource> Source::source() const {
  return impl_->config().source;
}
MediaKind Source::kind() const {
  return impl_->config().kind;
}
Result<void> Source::start() {
  return impl_->start();
}
void Source::stop() {
  impl_->pipeline().stop();
}
bool Source::wait_end(std::chrono::milliseconds timeout) const {
  return impl_->pipeline().wait_end(timeout);
}
uint64_t Source::frames(uint8_t layer) const {
  return impl_->frames(layer);
}
void Source::on_error(std::function<void(const Error&)> handler) {
  impl_->pipeline().on_error(std::move(handler));
}
std::optional<Error> Source::error() const {
  return impl_->pipeline().error();
}

}  // namespace atm0s::gst

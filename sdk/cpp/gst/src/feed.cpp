#include "feed.h"

#include <span>

#include "io/opus/audio_level.h"
#include "parts.h"

namespace atm0s::gst {

namespace {

template <typename Feed>
GstFlowReturn on_sample(GstAppSink* sink, gpointer data) {
  (*static_cast<std::shared_ptr<Feed>*>(data))->push(sink);
  return GST_FLOW_OK;
}

template <typename Feed>
void take_samples(const std::shared_ptr<Feed>& feed, GstAppSink* sink) {
  GstAppSinkCallbacks callbacks{};
  callbacks.new_sample = on_sample<Feed>;
  gst_app_sink_set_callbacks(sink, &callbacks, new std::shared_ptr<Feed>(feed),
                             [](gpointer data) { delete static_cast<std::shared_ptr<Feed>*>(data); });
}

// The bytes of a buffer as long as this is there.
class Mapped {
 public:
  explicit Mapped(GstBuffer* buffer)
      : buffer_(buffer), is_mapped_(buffer != nullptr && gst_buffer_map(buffer, &info_, GST_MAP_READ) != 0) {}
  ~Mapped() {
    if (is_mapped_) gst_buffer_unmap(buffer_, &info_);
  }
  Mapped(const Mapped&) = delete;
  Mapped& operator=(const Mapped&) = delete;
  std::span<const uint8_t> bytes() const {
    return is_mapped_ ? std::span<const uint8_t>(info_.data, info_.size) : std::span<const uint8_t>();
  }

 private:
  GstBuffer* const buffer_;
  GstMapInfo info_{};
  const bool is_mapped_;
};

}  // namespace

Clock::time_point captured_at(GstElement* element, GstSample* sample) {
  GstBuffer* buffer = gst_sample_get_buffer(sample);
  if (buffer == nullptr || !GST_BUFFER_PTS_IS_VALID(buffer)) return {};
  const GstClockTime running =
      gst_segment_to_running_time(gst_sample_get_segment(sample), GST_FORMAT_TIME, GST_BUFFER_PTS(buffer));
  if (!GST_CLOCK_TIME_IS_VALID(running)) return {};
  const GstClockTime at = gst_element_get_base_time(element) + running;
  const Held<GstClock> clock(gst_element_get_clock(element));
  GstClockType type = GST_CLOCK_TYPE_OTHER;
  if (clock && GST_IS_SYSTEM_CLOCK(clock.get())) g_object_get(clock.get(), "clock-type", &type, nullptr);
  // That clock is ours, so layers of one picture get exactly the same time.
  if (type == GST_CLOCK_TYPE_MONOTONIC) return Clock::time_point(std::chrono::nanoseconds(at));
  if (!clock) return {};
  const auto age = static_cast<GstClockTimeDiff>(gst_clock_get_time(clock.get()) - at);
  return Clock::now() - std::chrono::nanoseconds(age);
}

// --- video --------------------------------------------------------------------------------------------------------

void VideoFeed::control(const std::shared_ptr<VideoFeed>& feed, GstPad* raw, GstElement* encoder) {
  add_probe(raw, GST_PAD_PROBE_TYPE_BUFFER,
            [feed, control = std::make_shared<EncoderControl>(encoder)](GstPadProbeInfo*) {
              return feed->ask(*control) ? GST_PAD_PROBE_OK : GST_PAD_PROBE_DROP;
            });
}

void VideoFeed::take(const std::shared_ptr<VideoFeed>& feed, GstAppSink* sink) {
  take_samples(feed, sink);
}

bool VideoFeed::ask(EncoderControl& encoder) {
  const uint64_t bitrate = source_->target_bitrate(layer_);
  const bool was_wanted = std::exchange(is_wanted_, bitrate != 0);
  if (!is_wanted_) return false;
  // Who comes back to a layer has none of the pictures that the next one would stand on.
  encoder.before_picture(bitrate, source_->take_key_frame_request(layer_) || !was_wanted);
  return true;
}

void VideoFeed::push(GstAppSink* sink) {
  const HeldMini<GstSample> sample(gst_app_sink_pull_sample(sink));
  if (!sample) return;
  const Mapped mapped(gst_sample_get_buffer(sample.get()));
  EncodedVideoFrame frame;
  frame.bytes = mapped.bytes();
  frame.layer = layer_;
  frame.captured_at = captured_at(GST_ELEMENT(sink), sample.get());
  // Refused when the session did not agree on the codec: its matter, the session tells of it.
  if (source_->push(frame)) ++frames_;
}

// --- audio --------------------------------------------------------------------------------------------------------

void AudioFeed::measure(const std::shared_ptr<AudioFeed>& feed, GstPad* raw) {
  add_probe(raw, GST_PAD_PROBE_TYPE_BUFFER, [feed](GstPadProbeInfo* info) {
    feed->measure(gst_pad_probe_info_get_buffer(info));
    return GST_PAD_PROBE_OK;
  });
}

void AudioFeed::take(const std::shared_ptr<AudioFeed>& feed, GstAppSink* sink) {
  take_samples(feed, sink);
}

void AudioFeed::measure(GstBuffer* buffer) {
  const Mapped mapped(buffer);
  const std::span samples(reinterpret_cast<const int16_t*>(mapped.bytes().data()), mapped.bytes().size() / 2);
  if (!samples.empty()) level_ = atm::io::audio_level(samples);
}

void AudioFeed::push(GstAppSink* sink) {
  const HeldMini<GstSample> sample(gst_app_sink_pull_sample(sink));
  if (!sample) return;
  const Mapped mapped(gst_sample_get_buffer(sample.get()));
  EncodedAudioFrame frame;
  frame.bytes = mapped.bytes();
  frame.captured_at = captured_at(GST_ELEMENT(sink), sample.get());
  if (const int level = level_; level != kNoLevel) frame.level = level;
  if (source_->push(frame)) ++frames_;
}

}  // namespace atm0s::gst

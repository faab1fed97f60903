// The end of a pipeline at which a source of a session begins: encoders are told what viewers want before each picture,
// and frames leave appsinks into the source with the time at which they were captured. For Source and for atm0ssink.
// Runs on threads of GStreamer's.
#pragma once

#include <gst/app/gstappsink.h>
#include <gst/gst.h>

#include <atomic>
#include <memory>

#include "atm0s/media.h"
#include "encoder.h"
#include "handle.h"

namespace atm0s::gst {

// When a sample was captured, whatever clock its pipeline has; zero: it has no time.
Clock::time_point captured_at(GstElement* element, GstSample* sample);

// One layer of video.
class VideoFeed {
 public:
  VideoFeed(std::shared_ptr<EncodedVideoSource> source, uint8_t layer) : source_(std::move(source)), layer_(layer) {}

  // What arrives at `raw`, a pad before the encoder, is encoded while somebody wants the layer, and else left out.
  static void control(const std::shared_ptr<VideoFeed>& feed, GstPad* raw, GstElement* encoder);
  // Frames of `sink` into the source.
  static void take(const std::shared_ptr<VideoFeed>& feed, GstAppSink* sink);

  // Before a picture is encoded; false: nobody wants it.
  bool ask(EncoderControl& encoder);
  void push(GstAppSink* sink);
  uint64_t frames() const { return frames_; }
  const std::shared_ptr<EncodedVideoSource>& source() const { return source_; }

 private:
  const std::shared_ptr<EncodedVideoSource> source_;
  const uint8_t layer_;
  bool is_wanted_ = true;
  std::atomic<uint64_t> frames_ = 0;
};

class AudioFeed {
 public:
  explicit AudioFeed(std::shared_ptr<EncodedAudioSource> source) : source_(std::move(source)) {}

  // `raw`: a pad with 16 bit samples before the encoder, of which the audio level is measured.
  static void measure(const std::shared_ptr<AudioFeed>& feed, GstPad* raw);
  static void take(const std::shared_ptr<AudioFeed>& feed, GstAppSink* sink);

  void measure(GstBuffer* samples);
  void push(GstAppSink* sink);
  uint64_t frames() const { return frames_; }

 private:
  static constexpr int kNoLevel = 1;
  const std::shared_ptr<EncodedAudioSource> source_;
  std::atomic<int> level_ = kNoLevel;
  std::atomic<uint64_t> frames_ = 0;
};

}  // namespace atm0s::gst

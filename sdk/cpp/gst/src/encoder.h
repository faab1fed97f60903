// The encoders of GStreamer that are used, each as a piece of a pipeline, tuned for calls, and how one is told at
// runtime what viewers want. For Source and for the element atm0ssink.
#pragma once

#include <gst/gst.h>

#include <optional>
#include <string>

#include "atm0s/config.h"
#include "atm0s/result.h"
#include "handle.h"

namespace atm0s::gst {

// From raw pictures to frames as EncodedVideoSource wants them. `name`: of the encoder's element. NOT_SUPPORTED: a
// plugin is missing.
Result<std::string> video_encoder(Codec codec, ContentHint hint, const std::string& name);

struct OpusSettings {
  uint64_t bitrate = 32'000;
  bool dtx = false, fec = true, music = false;
};
std::string audio_encoder(const OpusSettings& settings);

// An encoder that runs. Any thread.
class EncoderControl {
 public:
  explicit EncoderControl(GstElement* encoder);  // takes a reference
  // Whether it has a property for the bitrate that is known here.
  bool has_bitrate() const { return property_ != nullptr; }
  // bit/s. Small differences are not passed on.
  void set_bitrate(uint64_t bitrate);
  // The next picture becomes a key frame.
  void force_key_frame();

 private:
  const Held<GstElement> encoder_;
  const char* property_ = nullptr;
  uint64_t unit_ = 1;  // bit/s
  uint64_t bitrate_ = 0;
};

// The codec of caps of encoded video or audio; nothing: another one, or raw.
std::optional<Codec> codec_of(const GstCaps& caps);

}  // namespace atm0s::gst

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

// An encoder that runs. One thread, that of its pictures.
class EncoderControl {
 public:
  explicit EncoderControl(GstElement* encoder);  // takes a reference
  // What viewers want of the next picture: `bitrate`, of which small differences are not passed on, 0: as it was; and
  // whether it has to be a key frame.
  void before_picture(uint64_t bitrate, bool wants_key_frame);

 private:
  void set_bitrate(uint64_t bitrate);
  void force_key_frame();

  const Held<GstElement> encoder_;
  const char* property_ = nullptr;  // of the bitrate; NULL: none that is known here
  uint64_t unit_ = 1;               // bit/s
  uint64_t bitrate_ = 0;
  bool is_av1enc_ = false, is_forcing_ = false;
};

// The codec of caps of encoded video or audio; nothing: another one, or raw.
std::optional<Codec> codec_of(const GstCaps& caps);

}  // namespace atm0s::gst

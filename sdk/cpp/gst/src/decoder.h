// From frames of a receiver to raw pictures: an appsrc and a decoder, as a bin in somebody's pipeline, which makes
// place for another one when the stream's codec changes. And caps of what receivers give. For Player and for atm0ssrc.
#pragma once

#include <gst/app/gstappsrc.h>
#include <gst/gst.h>

#include <functional>
#include <memory>
#include <string>

#include "atm0s/media.h"
#include "atm0s/result.h"
#include "handle.h"

namespace atm0s::gst {

// Of an appsrc that gives frames of that codec.
std::string caps_of(Codec codec);
// Bytes for an appsrc. `at`: their running time, nanoseconds.
GstBuffer* buffer_of(std::span<const uint8_t> bytes, GstClockTime at);
// A frame of video, likewise; of AV1 with the temporal delimiter that RTP leaves out.
GstBuffer* buffer_of(const VideoFrame& frame, GstClockTime at);

class Decoder {
 public:
  // Adds itself to `pipeline` and links itself to `to`, a sink pad of that pipeline. `on_loss`: called on a thread of
  // GStreamer's when the decoder needs a key frame. NOT_SUPPORTED: a plugin is missing.
  static Result<std::unique_ptr<Decoder>> make(Codec codec, GstBin* pipeline, GstPad* to,
                                               std::chrono::milliseconds latency, std::function<void()> on_loss);
  // Takes itself out of the pipeline.
  ~Decoder();
  Decoder(const Decoder&) = delete;
  Decoder& operator=(const Decoder&) = delete;

  Codec codec() const { return codec_; }
  // False: so many frames wait that it was left out; until the next key frame the others are, too.
  bool push(const VideoFrame& frame, GstClockTime at);

 private:
  Decoder(Codec codec, GstBin* pipeline, Held<GstElement> bin);

  const Codec codec_;
  GstBin* const pipeline_;  // its owner outlives this
  const Held<GstElement> bin_;
  Held<GstElement> in_;
  bool is_skipping_ = false;
};

}  // namespace atm0s::gst

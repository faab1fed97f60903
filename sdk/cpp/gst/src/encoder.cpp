#include "encoder.h"

#include <gst/video/video.h>

#include <algorithm>
#include <string_view>
#include <utility>

#include "parts.h"
#include "problem.h"

namespace atm0s::gst {

namespace {

// An encoder reconfigures itself at each change, so only what makes a difference is passed on.
constexpr double kLeastChange = 0.03;
// Viewers ask for key frames when they need them; none comes by itself but one in about five minutes.
constexpr int kKeyFrameDistance = 9'000;

struct Property {
  std::string_view element;
  const char* name;
  uint64_t unit;  // bit/s
};
constexpr Property kBitrates[] = {
    {"vp8enc", "target-bitrate", 1}, {"vp9enc", "target-bitrate", 1},    {"av1enc", "target-bitrate", 1'000},
    {"x264enc", "bitrate", 1'000},   {"openh264enc", "bitrate", 1},      {"vah264enc", "bitrate", 1'000},
    {"opusenc", "bitrate", 1},       {"vaapih264enc", "bitrate", 1'000},
};

// Constant bitrate with half a second of buffer, no frames ahead, frames left out rather than late.
std::string vpx(const std::string& element, const std::string& name, const std::string& more) {
  return element + " name=" + name +
         " deadline=1 lag-in-frames=0 end-usage=cbr target-bitrate=300000 buffer-size=1000 buffer-initial-size=500 "
         "buffer-optimal-size=600 undershoot=95 overshoot=15 min-quantizer=4 max-quantizer=56 dropframe-threshold=30 "
         "error-resilient=default auto-alt-ref=false keyframe-max-dist=" +
         std::to_string(kKeyFrameDistance) + " " + more;
}

}  // namespace

Result<std::string> video_encoder(Codec codec, ContentHint hint, const std::string& name) {
  const bool is_screen = hint == ContentHint::kDetail;
  switch (codec) {
    case Codec::kVp8: {
      if (auto there = check_elements({"vp8enc"}); !there) return there.error();
      return vpx("vp8enc", name,
                 "cpu-used=8 threads=2 max-intra-bitrate=600 static-threshold=" + std::string(is_screen ? "100" : "0"));
    }
    case Codec::kVp9: {
      if (auto there = check_elements({"vp9enc"}); !there) return there.error();
      return vpx("vp9enc", name, "cpu-used=8 threads=2 row-mt=true aq-mode=cyclic-refresh");
    }
    case Codec::kH264: {
      if (auto there = check_elements({"x264enc"}); !there) return there.error();
      return "x264enc name=" + name +
             " tune=zerolatency speed-preset=superfast bitrate=300 vbv-buf-capacity=600 bframes=0 byte-stream=true "
             "aud=false key-int-max=" +
             std::to_string(kKeyFrameDistance) +
             " ! video/x-h264,stream-format=byte-stream,alignment=au,profile=constrained-baseline";
    }
    case Codec::kAv1: {
      if (auto there = check_elements({"av1enc"}); !there) return there.error();
      return "av1enc name=" + name +
             " usage-profile=realtime cpu-used=10 end-usage=cbr target-bitrate=300 lag-in-frames=0 buf-sz=1000 "
             "buf-initial-sz=500 buf-optimal-sz=600 min-quantizer=10 max-quantizer=58 row-mt=true threads=2 "
             "drop-frame=30 keyframe-max-dist=" +
             std::to_string(kKeyFrameDistance);
    }
    case Codec::kOpus:
      break;
  }
  return Error{ErrorCode::kInvalidRequest, "no codec of video"};
}

std::string audio_encoder(const OpusSettings& settings) {
  const auto flag = [](bool is_on) { return is_on ? "true" : "false"; };
  return "opusenc bitrate=" + std::to_string(settings.bitrate) + " dtx=" + flag(settings.dtx) +
         " inband-fec=" + flag(settings.fec) + " packet-loss-percentage=" + (settings.fec ? "10" : "0") +
         " audio-type=" + (settings.music ? "generic" : "voice") + " frame-size=20";
}

EncoderControl::EncoderControl(GstElement* encoder) : encoder_(GST_ELEMENT(gst_object_ref(encoder))) {
  const GstElementFactory* factory = gst_element_get_factory(encoder);
  const std::string_view name = factory == nullptr ? "" : GST_OBJECT_NAME(factory);
  for (const auto& one : kBitrates) {
    if (one.element == name) property_ = one.name, unit_ = one.unit;
  }
  is_av1enc_ = name == "av1enc";
}

void EncoderControl::before_picture(uint64_t bitrate, bool wants_key_frame) {
  set_bitrate(bitrate);
  if (std::exchange(is_forcing_, false)) g_object_set(encoder_.get(), "keyframe-max-dist", kKeyFrameDistance, nullptr);
  if (wants_key_frame) force_key_frame();
}

void EncoderControl::set_bitrate(uint64_t bitrate) {
  if (property_ == nullptr || bitrate == 0) return;
  const double change = static_cast<double>(bitrate) - static_cast<double>(bitrate_);
  if (bitrate_ != 0 && std::abs(change) < kLeastChange * static_cast<double>(bitrate_)) return;
  bitrate_ = bitrate;
  const auto value = std::to_string(std::max<uint64_t>(bitrate / unit_, 1));
  gst_util_set_object_arg(G_OBJECT(encoder_.get()), property_, value.c_str());  // whatever type of number it has
}

void EncoderControl::force_key_frame() {
  if (is_av1enc_) {  // GStreamer 1.22's takes no notice of the event, but of a distance of 0 for one picture
    g_object_set(encoder_.get(), "keyframe-max-dist", 0, nullptr);
    is_forcing_ = true;
    return;
  }
  GstEvent* event = gst_video_event_new_upstream_force_key_unit(GST_CLOCK_TIME_NONE, TRUE, 0);
  if (const Held<GstPad> out = pad_of(encoder_.get(), "src"))
    gst_pad_send_event(out.get(), event);
  else
    gst_event_unref(event);
}

std::optional<Codec> codec_of(const GstCaps& caps) {
  if (gst_caps_get_size(&caps) == 0) return std::nullopt;
  const std::string_view name = gst_structure_get_name(gst_caps_get_structure(&caps, 0));
  if (name == "video/x-vp8") return Codec::kVp8;
  if (name == "video/x-vp9") return Codec::kVp9;
  if (name == "video/x-h264") return Codec::kH264;
  if (name == "video/x-av1") return Codec::kAv1;
  if (name == "audio/x-opus") return Codec::kOpus;
  return std::nullopt;
}

}  // namespace atm0s::gst

#include "decoder.h"

#include <gst/video/video.h>

#include "parts.h"
#include "problem.h"

namespace atm0s::gst {

namespace {

// Of frames before the decoder: more than two seconds of them are of no use.
constexpr guint64 kMostWaiting = 64;

Result<std::string> describe(Codec codec) {
  // A broken picture is shown rather than the end; the decoder asks for a key frame.
  const std::string patient = " max-errors=-1 automatic-request-sync-points=true";
  switch (codec) {
    case Codec::kVp8:
      if (auto there = check_elements({"vp8dec"}); !there) return there.error();
      return "vp8dec" + patient;
    case Codec::kVp9:
      if (auto there = check_elements({"vp9dec"}); !there) return there.error();
      return "vp9dec" + patient;
    case Codec::kAv1:
      if (auto there = check_elements({"av1dec"}); !there) return there.error();
      return "av1dec" + patient;
    case Codec::kH264:
      if (auto there = check_elements({"h264parse", "avdec_h264"}); !there) return there.error();
      return "h264parse ! avdec_h264 max-threads=1" + patient;  // one thread: no frame is kept back
    case Codec::kOpus:
      break;
  }
  return Error{ErrorCode::kInvalidRequest, "no codec of video"};
}

}  // namespace

std::string caps_of(Codec codec) {
  switch (codec) {
    case Codec::kVp8:
      return "video/x-vp8";
    case Codec::kVp9:
      return "video/x-vp9";
    case Codec::kH264:
      return "video/x-h264,stream-format=byte-stream,alignment=au";
    case Codec::kAv1:
      return "video/x-av1,stream-format=obu-stream,alignment=tu";
    case Codec::kOpus:
      return "audio/x-opus,rate=48000,channels=2,channel-mapping-family=0,stream-count=1,coupled-count=1";
  }
  return "";
}

GstBuffer* buffer_of(std::span<const uint8_t> bytes, GstClockTime at) {
  GstBuffer* buffer = gst_buffer_new_memdup(bytes.data(), bytes.size());
  GST_BUFFER_PTS(buffer) = at;
  return buffer;
}

GstBuffer* buffer_of(const VideoFrame& frame, GstClockTime at) {
  // AV1 specification 7.5: a temporal unit begins with a delimiter; AV1 RTP payload format 5: which is not sent.
  constexpr uint8_t kDelimiter[] = {0x12, 0x00};
  constexpr uint8_t kTypeBits = 0x78;
  GstBuffer* buffer = buffer_of(frame.bytes, at);
  const bool lacks_delimiter =
      frame.codec == Codec::kAv1 && !frame.bytes.empty() && (frame.bytes[0] & kTypeBits) != (kDelimiter[0] & kTypeBits);
  if (lacks_delimiter) {
    buffer = gst_buffer_append(gst_buffer_new_memdup(kDelimiter, sizeof(kDelimiter)), buffer);
    GST_BUFFER_PTS(buffer) = at;
  }
  if (!frame.is_key) GST_BUFFER_FLAG_SET(buffer, GST_BUFFER_FLAG_DELTA_UNIT);
  return buffer;
}

Result<std::unique_ptr<Decoder>> Decoder::make(Codec codec, GstBin* pipeline, GstPad* to,
                                               std::chrono::milliseconds latency, std::function<void()> on_loss) {
  const auto decoder = describe(codec);
  if (!decoder) return decoder.error();
  const std::string description = "appsrc name=in is-live=true format=time max-bytes=0 caps=\"" + caps_of(codec) +
                                  "\" min-latency=" + std::to_string(latency.count() * 1'000'000) + " ! " + *decoder;
  auto parsed = parse_bin(description);
  if (!parsed) return parsed.error();
  std::unique_ptr<Decoder> out(new Decoder(codec, pipeline, std::move(*parsed)));
  add_probe(pad_of(out->in_.get(), "src").get(), GST_PAD_PROBE_TYPE_EVENT_UPSTREAM,
            [on_loss = std::move(on_loss)](GstPadProbeInfo* info) {
              if (gst_video_event_is_force_key_unit(gst_pad_probe_info_get_event(info)) != 0) on_loss();
              return GST_PAD_PROBE_OK;
            });
  GstElement* bin = out->bin_.get();
  gst_bin_add(pipeline, bin);
  if (gst_pad_link(pad_of(bin, "src").get(), to) != GST_PAD_LINK_OK)
    return Error{ErrorCode::kMediaError, "the sink takes no raw video"};
  gst_element_sync_state_with_parent(bin);
  return out;
}

Decoder::Decoder(Codec codec, GstBin* pipeline, Held<GstElement> bin)
    : codec_(codec), pipeline_(pipeline), bin_(std::move(bin)), in_(gst_bin_get_by_name(GST_BIN(bin_.get()), "in")) {}

Decoder::~Decoder() {
  gst_element_set_locked_state(bin_.get(), TRUE);
  gst_element_set_state(bin_.get(), GST_STATE_NULL);
  if (GST_OBJECT_PARENT(bin_.get()) == GST_OBJECT(pipeline_)) gst_bin_remove(pipeline_, bin_.get());
}

bool Decoder::push(const VideoFrame& frame, GstClockTime at) {
  auto* in = GST_APP_SRC(in_.get());
  if (gst_app_src_get_current_level_buffers(in) >= kMostWaiting) is_skipping_ = true;
  if (is_skipping_ && !(frame.is_key && gst_app_src_get_current_level_buffers(in) == 0)) return false;
  is_skipping_ = false;
  gst_app_src_push_buffer(in, buffer_of(frame, at));
  return true;
}

}  // namespace atm0s::gst

#include "view.h"

#include "connection.h"
#include "decoder.h"
#include "parts.h"

namespace atm0s::gst {

namespace {

// What follows the appsrc, so that muxers are told what they ask for: sizes and profiles.
std::string parser_of(Codec codec) {
  switch (codec) {
    case Codec::kVp9:
      return " ! vp9parse";
    case Codec::kH264:
      return " ! h264parse";
    case Codec::kAv1:
      return " ! av1parse";
    default:
      return "";
  }
}

// RFC 6386 9.1: behind a start code, 14 bits each.
std::string vp8_size(const VideoFrame& frame) {
  if (frame.codec != Codec::kVp8 || frame.bytes.size() < 10) return "";
  const auto side = [&](size_t at) { return std::to_string((frame.bytes[at] | frame.bytes[at + 1] << 8) & 0x3fff); };
  return ",width=" + side(6) + ",height=" + side(8);
}

}  // namespace

void View::begin(const StreamKey& stream) {
  const std::weak_ptr<View> weak = weak_from_this();
  if (receiver_.kind() == MediaKind::kVideo) {
    receiver_.on_video([weak](const VideoFrame& frame) {
      if (const auto self = weak.lock()) self->on_video(frame);
    });
  } else {
    receiver_.on_audio([weak](const AudioFrame& frame) {
      if (const auto self = weak.lock()) self->on_audio(frame);
    });
  }
  static_cast<void>(receiver_.switch_to(stream));
}

void View::end() {
  close();
  if (in_) gst_app_src_end_of_stream(GST_APP_SRC(in_.get()));
}

void View::close() {
  receiver_.on_video(nullptr);
  receiver_.on_audio(nullptr);
  const std::lock_guard lock(mutex_);
  is_closed_ = true;
}

// Before that there is no time that a frame could be given.
bool View::is_playing() const {
  return GST_STATE(element_) == GST_STATE_PLAYING;
}

GstClockTime View::running_time(Clock::time_point at) const {
  const Held<GstClock> clock(gst_element_get_clock(element_));
  if (!clock) return GST_CLOCK_TIME_NONE;
  const auto in = std::chrono::nanoseconds(at - Clock::now()).count();
  const auto out = static_cast<GstClockTimeDiff>(gst_clock_get_time(clock.get())) + in -
                   static_cast<GstClockTimeDiff>(gst_element_get_base_time(element_));
  return static_cast<GstClockTime>(std::max<GstClockTimeDiff>(out, 0));
}

void View::on_video(const VideoFrame& frame) {
  const std::lock_guard lock(mutex_);
  if (is_closed_) return;
  if (!is_playing() || (!in_ && !frame.is_key)) return receiver_.request_key_frame();
  if (!in_) {
    codec_ = frame.codec;
    // Muxers want a framerate: 0/1, as they come.
    make_pad(parser_of(frame.codec), caps_of(frame.codec) + ",framerate=0/1" + vp8_size(frame));
    if (!in_) return;
  }
  if (*codec_ != frame.codec) {
    is_closed_ = true;
    return post_error(element_, {ErrorCode::kNotSupported, "the publisher has changed the codec"});
  }
  push(buffer_of(frame, running_time(frame.render_at)));
}

void View::on_audio(const AudioFrame& frame) {
  const std::lock_guard lock(mutex_);
  if (is_closed_ || !is_playing() || frame.action != AudioFrame::Action::kDecode) return;
  if (!in_) make_pad("", caps_of(Codec::kOpus));
  if (in_) push(buffer_of(frame.bytes, running_time(frame.play_at)));
}

void View::make_pad(const std::string& description, const std::string& caps) {
  const std::string whole =
      "appsrc name=in is-live=true format=time max-bytes=0 max-buffers=500 leaky-type=downstream caps=\"" + caps +
      "\"" + (description.empty() ? " ! identity" : description);
  const auto parsed = parse_bin(whole);
  if (!parsed) {
    is_closed_ = true;
    return post_error(element_, parsed.error());
  }
  GstElement* bin = parsed->get();
  in_.reset(gst_bin_get_by_name(GST_BIN(bin), "in"));
  gst_bin_add(GST_BIN(element_), bin);
  const Held<GstPad> inner = pad_of(bin, "src");
  GstPad* pad = gst_ghost_pad_new_from_template(
      pad_.c_str(), inner.get(),
      gst_element_class_get_pad_template(GST_ELEMENT_GET_CLASS(element_), pad_[0] == 'v' ? "video_%u" : "audio_%u"));
  gst_pad_set_active(pad, TRUE);
  gst_element_add_pad(element_, pad);
  gst_element_sync_state_with_parent(bin);
}

void View::push(GstBuffer* buffer) {
  gst_app_src_push_buffer(GST_APP_SRC(in_.get()), buffer);
}

}  // namespace atm0s::gst

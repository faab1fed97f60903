// One stream that atm0ssrc views: its receiver, and an appsrc with a pad of the element once its first frame tells what
// it is. Its handlers run on the session's executor.
#pragma once

#include <gst/gst.h>

#include <memory>
#include <mutex>
#include <string>

#include "atm0s/session.h"
#include "handle.h"

namespace atm0s::gst {

class View : public std::enable_shared_from_this<View> {
 public:
  // `pad`: its name, video_0 for example.
  View(GstElement* element, Receiver receiver, std::string pad)
      : element_(element), receiver_(std::move(receiver)), pad_(std::move(pad)) {}

  void begin(const StreamKey& stream);
  // The stream is gone: what is behind the pad comes to its end.
  void end();
  // Nothing more is given; before the element goes.
  void close();
  const Receiver& receiver() const { return receiver_; }

 private:
  void on_video(const VideoFrame& frame);
  void on_audio(const AudioFrame& frame);
  bool is_playing() const;
  GstClockTime running_time(Clock::time_point at) const;
  void make_pad(const std::string& description, const std::string& caps);
  void push(GstBuffer* buffer);

  GstElement* const element_;  // outlives this: close() comes before
  Receiver receiver_;
  const std::string pad_;
  std::mutex mutex_;
  bool is_closed_ = false;
  std::optional<Codec> codec_;
  Held<GstElement> in_;
};

}  // namespace atm0s::gst

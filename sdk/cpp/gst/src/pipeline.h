// A GStreamer pipeline and the thread that changes its state and hears its bus, so that a device that hangs holds up
// that thread and no other. For Source and Player. Times are told by the monotonic clock, which is atm0s::Clock: the
// running time of a buffer plus base() is when it was captured, or is to be shown.
#pragma once

#include <gst/gst.h>

#include <chrono>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "atm0s/media.h"
#include "atm0s/result.h"
#include "handle.h"

namespace atm0s::gst {

// Once in the process; an error when GStreamer cannot be used.
Result<void> start_gstreamer();

class Pipeline : public std::enable_shared_from_this<Pipeline> {
 public:
  // Devices are opened and closed by bounded calls; what takes longer goes on alone.
  static constexpr auto kOpenTime = std::chrono::seconds(5);
  static constexpr auto kStopTime = std::chrono::seconds(1);

  // Parsed, not opened.
  static Result<std::shared_ptr<Pipeline>> parse(const std::string& description);
  explicit Pipeline(GstElement* pipeline);
  ~Pipeline();
  Pipeline(const Pipeline&) = delete;
  Pipeline& operator=(const Pipeline&) = delete;

  GstElement* element() const { return pipeline_.get(); }
  Held<GstElement> find(const std::string& name) const;
  Clock::time_point base() const { return base_; }  // once it plays

  // Opens the devices. TIMEOUT: one of them hangs.
  Result<void> open();
  // Whether what comes is as old as it is, a device's; of an open one.
  bool is_live() const;
  // From here on buffers flow.
  Result<void> play();
  // Ends it, at most kStopTime; from any thread, also that of the handlers.
  void stop();

  // An error that was not the answer of open() or play() goes to the handler, on the pipeline's thread.
  void on_error(std::function<void(const Error&)> handler);
  std::optional<Error> error() const;
  bool wait_end(std::chrono::milliseconds timeout) const;
  // The pipeline fails by something that its bus does not know of. Soon, on its thread; any lock may be held.
  void report(Error error);

 private:
  enum class Step : uint8_t { kNone, kOpen, kPlay, kStop };

  void run();
  void take_step(Step step);
  bool change_state(GstState state);
  void hear(GstMessage* message);
  void fail(Error error);
  Result<void> ask(Step step);
  void begin_step(Step step);

  const Held<GstElement> pipeline_;
  const Held<GstBus> bus_;
  Clock::time_point base_;

  mutable std::mutex mutex_;
  mutable std::condition_variable changed_;
  std::thread thread_;
  Step wanted_ = Step::kNone, done_ = Step::kNone;
  bool is_over_ = false, is_ended_ = false, is_answering_ = false;
  std::optional<Error> error_, reported_;
  std::function<void(const Error&)> handler_;
};

}  // namespace atm0s::gst

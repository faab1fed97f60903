#include "pipeline.h"

#include "problem.h"

namespace atm0s::gst {

Result<void> start_gstreamer() {
  static const std::optional<Error> problem = []() -> std::optional<Error> {
    GError* error = nullptr;
    if (gst_init_check(nullptr, nullptr, &error) != 0) return std::nullopt;
    Error out{ErrorCode::kNotSupported, "GStreamer does not start"};
    if (error != nullptr) {
      out.message += ": " + std::string(error->message);
      g_error_free(error);
    }
    return out;
  }();
  if (problem) return *problem;
  return {};
}

Result<std::shared_ptr<Pipeline>> Pipeline::parse(const std::string& description) {
  if (auto started = start_gstreamer(); !started) return started.error();
  GError* error = nullptr;
  const std::unique_ptr<GstParseContext, decltype(&gst_parse_context_free)> context(gst_parse_context_new(),
                                                                                    &gst_parse_context_free);
  GstElement* element = gst_parse_launch_full(description.c_str(), context.get(), GST_PARSE_FLAG_FATAL_ERRORS, &error);
  if (element != nullptr) gst_object_ref_sink(element);
  Held<GstElement> held(element);
  if (error != nullptr) {
    Error out = problem_of_description(*error, context.get());
    g_error_free(error);
    return out;
  }
  if (!held || !GST_IS_PIPELINE(held.get())) return Error{ErrorCode::kInvalidRequest, "pipeline: it is none"};
  return std::make_shared<Pipeline>(held.release());
}

Pipeline::Pipeline(GstElement* pipeline) : pipeline_(pipeline), bus_(gst_pipeline_get_bus(GST_PIPELINE(pipeline))) {
  const Held<GstClock> clock(gst_system_clock_obtain());  // monotonic, as atm0s::Clock
  gst_pipeline_use_clock(GST_PIPELINE(pipeline), clock.get());
  gst_element_set_start_time(pipeline, GST_CLOCK_TIME_NONE);  // the base is set here
}

Pipeline::~Pipeline() = default;

Held<GstElement> Pipeline::find(const std::string& name) const {
  return Held<GstElement>(gst_bin_get_by_name(GST_BIN(pipeline_.get()), name.c_str()));
}

Result<void> Pipeline::open() {
  return ask(Step::kOpen);
}

bool Pipeline::is_live() const {
  GstIterator* sources = gst_bin_iterate_sources(GST_BIN(pipeline_.get()));
  const auto is_device = [](gconstpointer value, gconstpointer) {
    auto* source = static_cast<GstElement*>(g_value_get_object(static_cast<const GValue*>(value)));
    return gst_element_get_state(source, nullptr, nullptr, 0) == GST_STATE_CHANGE_NO_PREROLL ? 0 : 1;
  };
  GValue found = G_VALUE_INIT;
  const bool is_found = gst_iterator_find_custom(sources, is_device, &found, nullptr) != 0;
  if (is_found) g_value_unset(&found);
  gst_iterator_free(sources);
  return is_found;
}

Result<void> Pipeline::play() {
  {
    const std::lock_guard lock(mutex_);
    if (error_) return *error_;
    if (wanted_ != Step::kOpen) return Error{ErrorCode::kInvalidRequest, "it has been started, or stopped"};
  }
  return ask(Step::kPlay);
}

// Waits for the answer of the pipeline's thread.
Result<void> Pipeline::ask(Step step) {
  std::unique_lock lock(mutex_);
  begin_step(step);
  is_answering_ = true;
  const bool is_done =
      changed_.wait_for(lock, kOpenTime, [&] { return done_ >= step || error_ || wanted_ == Step::kStop || is_over_; });
  is_answering_ = false;
  if (error_) return *error_;
  if (!is_done) return Error{ErrorCode::kTimeout, "the device does not answer"};
  if (wanted_ == Step::kStop) return Error{ErrorCode::kClosed, "it has been stopped"};
  return {};
}

// With the lock.
void Pipeline::begin_step(Step step) {
  if (wanted_ == Step::kStop) return;
  wanted_ = step;
  if (!thread_.joinable()) {
    thread_ = std::thread([self = shared_from_this()] { self->run(); });
  }
  gst_bus_post(bus_.get(), gst_message_new_application(nullptr, gst_structure_new_empty("step")));
}

void Pipeline::stop() {
  std::thread thread;
  std::function<void(const Error&)> handler;  // what it holds may end, too: without the lock
  {
    std::unique_lock lock(mutex_);
    handler.swap(handler_);
    if (!thread_.joinable()) return;  // never begun, or another one stops it
    begin_step(Step::kStop);
    changed_.notify_all();
    thread = std::move(thread_);
    if (thread.get_id() != std::this_thread::get_id()) {
      if (!changed_.wait_for(lock, kStopTime, [this] { return is_over_; })) return thread.detach();
    }
  }
  if (thread.get_id() == std::this_thread::get_id())
    thread.detach();
  else
    thread.join();
}

void Pipeline::on_error(std::function<void(const Error&)> handler) {
  const std::lock_guard lock(mutex_);
  handler_.swap(handler);  // the old one ends after the lock
}

std::optional<Error> Pipeline::error() const {
  const std::lock_guard lock(mutex_);
  return error_;
}

void Pipeline::report(Error error) {
  const std::lock_guard lock(mutex_);
  reported_ = std::move(error);
  gst_bus_post(bus_.get(), gst_message_new_application(nullptr, gst_structure_new_empty("report")));
}

bool Pipeline::wait_end(std::chrono::milliseconds timeout) const {
  std::unique_lock lock(mutex_);
  return changed_.wait_for(lock, timeout, [this] { return is_ended_ || error_ || is_over_; });
}

// --- the pipeline's thread ----------------------------------------------------------------------------------------

void Pipeline::run() {
  for (Step last = Step::kNone; last != Step::kStop;) {
    Step step;
    std::optional<Error> reported;
    {
      const std::lock_guard lock(mutex_);
      step = wanted_;
      reported.swap(reported_);
    }
    if (reported) fail(std::move(*reported));
    if (step != last) {
      take_step(step);
      last = step;
      continue;
    }
    if (const HeldMini<GstMessage> message{gst_bus_timed_pop(bus_.get(), GST_CLOCK_TIME_NONE)}) hear(message.get());
  }
  const std::lock_guard lock(mutex_);
  is_over_ = true;
  changed_.notify_all();
}

void Pipeline::take_step(Step step) {
  bool is_done = false;
  if (step == Step::kOpen) {
    is_done = change_state(GST_STATE_READY) && change_state(GST_STATE_PAUSED);
  } else if (step == Step::kPlay) {
    // Known from now on, also while a sink waits for its first frame.
    base_ = Clock::now();
    gst_element_set_base_time(pipeline_.get(), static_cast<GstClockTime>(base_.time_since_epoch().count()));
    is_done = change_state(GST_STATE_PLAYING);
  } else {
    gst_element_set_state(pipeline_.get(), GST_STATE_NULL);
  }
  const std::lock_guard lock(mutex_);
  if (is_done) done_ = step;
  changed_.notify_all();
}

// False: it failed, and error_ says why.
bool Pipeline::change_state(GstState state) {
  const GstStateChangeReturn changed = gst_element_set_state(pipeline_.get(), state);
  while (const HeldMini<GstMessage> message{gst_bus_pop(bus_.get())}) hear(message.get());
  if (changed == GST_STATE_CHANGE_FAILURE) fail({ErrorCode::kMediaError, "the pipeline does not start"});
  const std::lock_guard lock(mutex_);
  return !error_;
}

void Pipeline::hear(GstMessage* message) {
  if (auto problem = problem_of(message)) return fail(std::move(*problem));
  if (GST_MESSAGE_TYPE(message) == GST_MESSAGE_LATENCY) {
    gst_bin_recalculate_latency(GST_BIN(pipeline_.get()));
  } else if (GST_MESSAGE_TYPE(message) == GST_MESSAGE_EOS) {
    const std::lock_guard lock(mutex_);
    is_ended_ = true;
    changed_.notify_all();
  }
}

void Pipeline::fail(Error error) {
  std::function<void(const Error&)> handler;
  {
    const std::lock_guard lock(mutex_);
    if (error_) return;  // the first says most
    error_ = error;
    if (!is_answering_) handler = handler_;
    changed_.notify_all();
  }
  if (handler) handler(error);
}

}  // namespace atm0s::gst

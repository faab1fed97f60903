#include "problem.h"

#include <array>
#include <memory>
#include <utility>

#include "handle.h"

namespace atm0s::gst {

namespace {

// Debian 12. What gstreamer1.0-plugins-base and the library have is always there: they are dependencies.
constexpr std::pair<std::string_view, std::string_view> kPackages[] = {
    {"vp8enc", "gstreamer1.0-plugins-good"},
    {"vp8dec", "gstreamer1.0-plugins-good"},
    {"vp9enc", "gstreamer1.0-plugins-good"},
    {"vp9dec", "gstreamer1.0-plugins-good"},
    {"v4l2src", "gstreamer1.0-plugins-good"},
    {"ximagesrc", "gstreamer1.0-plugins-good"},
    {"pulsesrc", "gstreamer1.0-plugins-good"},
    {"pulsesink", "gstreamer1.0-plugins-good"},
    {"autovideosink", "gstreamer1.0-plugins-good"},
    {"autoaudiosink", "gstreamer1.0-plugins-good"},
    {"autovideosrc", "gstreamer1.0-plugins-good"},
    {"autoaudiosrc", "gstreamer1.0-plugins-good"},
    {"jpegdec", "gstreamer1.0-plugins-good"},
    {"webmmux", "gstreamer1.0-plugins-good"},
    {"x264enc", "gstreamer1.0-plugins-ugly"},
    {"avdec_h264", "gstreamer1.0-libav"},
    {"av1enc", "gstreamer1.0-plugins-bad"},
    {"av1dec", "gstreamer1.0-plugins-bad"},
    {"av1parse", "gstreamer1.0-plugins-bad"},
    {"vp9parse", "gstreamer1.0-plugins-bad"},
    {"h264parse", "gstreamer1.0-plugins-bad"},
    {"openh264dec", "gstreamer1.0-plugins-bad"},
    {"ximagesink", "gstreamer1.0-x"},
    {"xvimagesink", "gstreamer1.0-x"},
    {"alsasrc", "gstreamer1.0-alsa"},
    {"alsasink", "gstreamer1.0-alsa"},
    {"pipewiresrc", "gstreamer1.0-pipewire"},
    {"glimagesink", "gstreamer1.0-gl"},
    {"opusenc", "gstreamer1.0-plugins-base"},
    {"videotestsrc", "gstreamer1.0-plugins-base"},
    {"audiotestsrc", "gstreamer1.0-plugins-base"},
    {"decodebin", "gstreamer1.0-plugins-base"},
    {"videoconvert", "gstreamer1.0-plugins-base"},
    {"audioconvert", "gstreamer1.0-plugins-base"},
};

std::string missing(std::string_view element) {
  std::string text = "there is no GStreamer element " + std::string(element);
  const auto package = package_of(element);
  if (!package.empty()) text += "; on Debian, install " + std::string(package);
  return text;
}

bool is_a(GstObject* object, std::string_view start) {
  if (!GST_IS_ELEMENT(object)) return false;
  const GstElementFactory* factory = gst_element_get_factory(GST_ELEMENT(object));
  return factory != nullptr && std::string_view(GST_OBJECT_NAME(factory)).starts_with(start);
}

// "/dev/video7", "hw:3": the device of the element that complains, or of one that it is in.
std::string device_of(GstObject* object) {
  for (const char* name : {"device", "display-name", "location"}) {
    const GParamSpec* property = g_object_class_find_property(G_OBJECT_GET_CLASS(object), name);
    if (property == nullptr || property->value_type != G_TYPE_STRING) continue;
    gchar* value = nullptr;
    g_object_get(object, name, &value, nullptr);
    const Text held(value);
    if (value != nullptr) return std::string(" ") + value;
  }
  return "";
}

std::string_view thing_of(GstObject* object) {
  if (is_a(object, "v4l2")) return "camera";
  if (is_a(object, "autoaudiosrc") || is_a(object, "pulsesrc") || is_a(object, "alsasrc")) return "microphone";
  if (is_a(object, "autoaudiosink") || is_a(object, "pulsesink") || is_a(object, "alsasink")) return "speakers";
  if (is_a(object, "autovideosrc")) return "camera";
  if (is_a(object, "ximage") || is_a(object, "xvimage") || is_a(object, "autovideosink")) return "display";
  return "device or file";
}

ErrorCode code_of(const GError& error) {
  if (error.domain == GST_RESOURCE_ERROR) {
    if (error.code == GST_RESOURCE_ERROR_BUSY) return ErrorCode::kBusy;
    return ErrorCode::kNotFound;
  }
  if (error.domain == GST_CORE_ERROR && error.code == GST_CORE_ERROR_MISSING_PLUGIN) return ErrorCode::kNotSupported;
  if (error.domain == GST_STREAM_ERROR && error.code == GST_STREAM_ERROR_CODEC_NOT_FOUND) {
    return ErrorCode::kNotSupported;
  }
  return ErrorCode::kMediaError;
}

Error error_of(GstObject* from, const GError& error, const char* debug) {
  const ErrorCode code = code_of(error);
  std::string text;
  if (code == ErrorCode::kNotFound || code == ErrorCode::kBusy) {
    text = (code == ErrorCode::kBusy ? "busy: " : "no such ") + std::string(thing_of(from)) + device_of(from) + ": ";
  }
  text += error.message;
  // Which element, and its own words for it: "gstbasesrc.c(3132): function: /path:\nreason not-negotiated (-4)".
  text += " (" + std::string(GST_OBJECT_NAME(from));
  if (debug != nullptr) {
    const std::string_view all(debug);
    const auto last = all.rfind('\n');
    if (last != std::string_view::npos) text += ": " + std::string(all.substr(last + 1));
  }
  return {code, text + ")"};
}

}  // namespace

std::string_view package_of(std::string_view element) {
  for (const auto& [name, package] : kPackages) {
    if (name == element) return package;
  }
  return "";
}

Result<void> check_elements(std::initializer_list<std::string_view> elements) {
  for (const auto element : elements) {
    const Held<GstElementFactory> factory(gst_element_factory_find(std::string(element).c_str()));
    if (!factory) return Error{ErrorCode::kNotSupported, missing(element)};
  }
  return {};
}

Error problem_of_description(const GError& error, GstParseContext* context) {
  if (error.domain == GST_PARSE_ERROR && error.code == GST_PARSE_ERROR_NO_SUCH_ELEMENT) {
    gchar** names = context == nullptr ? nullptr : gst_parse_context_get_missing_elements(context);
    const std::unique_ptr<gchar*, decltype(&g_strfreev)> held(names, &g_strfreev);
    if (names != nullptr && names[0] != nullptr) return {ErrorCode::kNotSupported, missing(names[0])};
    return {ErrorCode::kNotSupported, error.message};
  }
  return {ErrorCode::kInvalidRequest, "pipeline: " + std::string(error.message)};
}

std::optional<Error> problem_of(GstMessage* message) {
  const bool is_error = GST_MESSAGE_TYPE(message) == GST_MESSAGE_ERROR;
  if (!is_error && GST_MESSAGE_TYPE(message) != GST_MESSAGE_WARNING) return std::nullopt;
  GError* error = nullptr;
  gchar* debug = nullptr;
  if (is_error)
    gst_message_parse_error(message, &error, &debug);
  else
    gst_message_parse_warning(message, &error, &debug);
  const std::unique_ptr<GError, decltype(&g_error_free)> held(error, &g_error_free);
  const Text held_debug(debug);
  GstObject* from = GST_MESSAGE_SRC(message);
  // autovideosink and its like go on with a fake device, and only warn.
  if (!is_error && !(is_a(from, "auto") && error->domain == GST_RESOURCE_ERROR)) return std::nullopt;
  return error_of(from, *error, debug);
}

}  // namespace atm0s::gst

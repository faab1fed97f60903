#include "parts.h"

#include "problem.h"

namespace atm0s::gst {

Result<Held<GstElement>> parse_bin(const std::string& description) {
  GError* error = nullptr;
  GstElement* bin = gst_parse_bin_from_description(description.c_str(), TRUE, &error);
  if (bin != nullptr) gst_object_ref_sink(bin);
  Held<GstElement> out(bin);
  if (error == nullptr) return out;
  const Error problem = problem_of_description(*error, nullptr);
  g_error_free(error);
  return problem;
}

Held<GstPad> pad_of(GstElement* element, const char* name) {
  return Held<GstPad>(gst_element_get_static_pad(element, name));
}

void add_probe(GstPad* pad, GstPadProbeType type, std::function<GstPadProbeReturn(GstPadProbeInfo*)> on_probe) {
  using OnProbe = std::function<GstPadProbeReturn(GstPadProbeInfo*)>;
  const auto call = [](GstPad*, GstPadProbeInfo* info, gpointer data) { return (*static_cast<OnProbe*>(data))(info); };
  gst_pad_add_probe(pad, type, call, new OnProbe(std::move(on_probe)),
                    [](gpointer data) { delete static_cast<OnProbe*>(data); });
}

}  // namespace atm0s::gst

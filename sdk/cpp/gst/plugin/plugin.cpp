// The plugin of GStreamer: atm0ssink and atm0ssrc, for gst-launch-1.0 and any other program with pipelines.
#include <gst/gst.h>

#include "sink.h"
#include "src.h"

namespace {

gboolean register_elements(GstPlugin* plugin) {
  return static_cast<gboolean>(gst_element_register(plugin, "atm0ssink", GST_RANK_NONE, atm0s::gst::sink_type()) != 0 &&
                               gst_element_register(plugin, "atm0ssrc", GST_RANK_NONE, atm0s::gst::src_type()) != 0);
}

}  // namespace

#define PACKAGE "atm0s"
GST_PLUGIN_DEFINE(GST_VERSION_MAJOR, GST_VERSION_MINOR, atm0s, "Rooms and streams of Atm0s", register_elements,
                  ATM0S_VERSION, "MIT/X11", "atm0s", "https://example.org/atm0s-cpp")

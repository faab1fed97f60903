// What pipelines are put together of: bins that are described as text, pads, and looks at what passes through them.
#pragma once

#include <gst/gst.h>

#include <functional>
#include <string>

#include "atm0s/result.h"
#include "handle.h"

namespace atm0s::gst {

// A bin with the loose ends as its pads. NOT_SUPPORTED: an element is missing; INVALID_REQUEST: it cannot be read.
Result<Held<GstElement>> parse_bin(const std::string& description);

// One that the element always has; NULL: it has not.
Held<GstPad> pad_of(GstElement* element, const char* name);

// Called for all of that type that passes, on threads of GStreamer's, until the pad goes.
void add_probe(GstPad* pad, GstPadProbeType type, std::function<GstPadProbeReturn(GstPadProbeInfo*)> on_probe);

}  // namespace atm0s::gst

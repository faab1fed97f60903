// atm0ssink: what comes into its pads is published in a room.
#pragma once

#include <gst/gst.h>

namespace atm0s::gst {

GType sink_type();

}  // namespace atm0s::gst

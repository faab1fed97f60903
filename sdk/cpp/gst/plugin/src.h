// atm0ssrc: the streams that others publish in a room, as pads.
#pragma once

#include <gst/gst.h>

namespace atm0s::gst {

GType src_type();

}  // namespace atm0s::gst

// References of GStreamer that give themselves back.
#pragma once

#include <gst/gst.h>

#include <memory>

namespace atm0s::gst {

struct Unref {
  void operator()(void* object) const { gst_object_unref(object); }
};
// Of an element, a pad, a bus, …: what derives from GstObject.
template <typename T>
using Held = std::unique_ptr<T, Unref>;

struct MiniUnref {
  void operator()(GstMessage* object) const { gst_message_unref(object); }
  void operator()(GstSample* object) const { gst_sample_unref(object); }
  void operator()(GstCaps* object) const { gst_caps_unref(object); }
};
// Of a message, a sample, caps: what derives from GstMiniObject.
template <typename T>
using HeldMini = std::unique_ptr<T, MiniUnref>;

struct Free {
  void operator()(gchar* text) const { g_free(text); }
};
using Text = std::unique_ptr<gchar, Free>;

}  // namespace atm0s::gst

// What atm0ssink and atm0ssrc have in common: the properties that say where and as whom, and the session that is opened
// with them when the element comes to PAUSED. Any thread.
#pragma once

#include <gst/gst.h>

#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "atm0s/session.h"

namespace atm0s::gst {

// A name like "anna,bob" in parts.
std::vector<std::string> split(const std::string& text);

// --- classes of elements

// Of properties that say how a session is opened: none changes while there is one.
inline constexpr auto kPropertyFlags =
    static_cast<GParamFlags>(G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | GST_PARAM_MUTABLE_READY);
// "" for no text.
std::string text_of(const GValue* value);
// video_%u and audio_%u.
void add_pad_templates(GstElementClass* element_class, GstPadDirection direction, GstPadPresence presence,
                       const char* video_caps, const char* audio_caps);
// A bin that is GST_ELEMENT_FLAG_SINK or _SOURCE itself, whatever is in it.
void set_kind(GstBin* bin, GstElementFlags kind);

// An element that handlers of the session speak of, which may be gone.
class ElementRef {
 public:
  explicit ElementRef(GstElement* element) { g_weak_ref_init(&ref_, element); }
  ~ElementRef() { g_weak_ref_clear(&ref_); }
  ElementRef(const ElementRef&) = delete;
  ElementRef& operator=(const ElementRef&) = delete;
  // A reference of the caller's; NULL: it is gone.
  GstElement* get() { return static_cast<GstElement*>(g_weak_ref_get(&ref_)); }

 private:
  GWeakRef ref_;
};

class Connection {
 public:
  // Ids of the properties begin here; those of an element follow kPropertyEnd.
  enum Property : guint { kUrl = 1, kRoom, kPeer, kToken, kTlsVerify, kTlsCaFile, kPropertyEnd };
  static void install_properties(GObjectClass* object_class);
  // False: it is none of these.
  bool set_property(guint id, const GValue* value);
  bool get_property(guint id, GValue* value);

  // Connects; on failure the element has told of it on the bus. Events go to `on_event`, until close().
  std::shared_ptr<Session> open(GstElement* element, ReceiverCounts receivers,
                                std::function<void(const Event&)> on_event);
  // The session, while there is one.
  std::shared_ptr<Session> session();
  void close();

 private:
  std::mutex mutex_;
  std::string url_ = "http://127.0.0.1:3000", room_ = "demo", peer_, token_, tls_ca_file_;
  bool tls_verify_ = true;
  std::shared_ptr<Session> session_;
};

// An error of the session's, on the bus of its element.
void post_error(GstElement* element, const Error& error);

}  // namespace atm0s::gst

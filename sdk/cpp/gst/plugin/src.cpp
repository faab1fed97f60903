#include "src.h"

#include <map>

#include "connection.h"
#include "view.h"

namespace atm0s::gst {

namespace {

constexpr const char* kVideoCaps = "video/x-vp8; video/x-vp9; video/x-h264; video/x-av1";
constexpr const char* kAudioCaps = "audio/x-opus";

enum Property : guint { kFromPeer = Connection::kPropertyEnd, kStream };

// What the element has beyond a bin; made with it, destroyed with it.
struct SrcState {
  Connection connection;
  std::mutex mutex;
  std::string from_peer, stream;
  guint video_pads = 0, audio_pads = 0;
  std::map<StreamKey, std::shared_ptr<View>> views;

  bool is_wanted(const StreamKey& key) const {
    return (from_peer.empty() || from_peer == key.peer) && (stream.empty() || stream == key.name);
  }
};

struct Atm0sSrc {
  GstBin parent;
  SrcState* state;
};
struct Atm0sSrcClass {
  GstBinClass parent;
};

G_DEFINE_TYPE(Atm0sSrc, src, GST_TYPE_BIN)

Atm0sSrc* as_src(gpointer object) {
  return static_cast<Atm0sSrc*>(object);
}

void set_property(GObject* object, guint id, const GValue* value, GParamSpec* spec) {
  SrcState& state = *as_src(object)->state;
  if (state.connection.set_property(id, value)) return;
  const std::lock_guard lock(state.mutex);
  switch (id) {
    case kFromPeer:
      state.from_peer = text_of(value);
      break;
    case kStream:
      state.stream = text_of(value);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, spec);
  }
}

void get_property(GObject* object, guint id, GValue* value, GParamSpec* spec) {
  SrcState& state = *as_src(object)->state;
  if (state.connection.get_property(id, value)) return;
  const std::lock_guard lock(state.mutex);
  switch (id) {
    case kFromPeer:
      g_value_set_string(value, state.from_peer.c_str());
      break;
    case kStream:
      g_value_set_string(value, state.stream.c_str());
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, spec);
  }
}

// In the session's handlers: streams come and go.
void on_event(Atm0sSrc* self, const Event& event) {
  SrcState& state = *self->state;
  const auto* changed = std::get_if<StreamChanged>(&event);
  if (changed == nullptr || changed->is_own) return;
  const StreamKey& key = changed->stream.key;
  std::shared_ptr<View> view;
  const auto session = state.connection.session();
  if (changed->change == Presence::kRemoved) {
    {
      const std::lock_guard lock(state.mutex);
      const auto found = state.views.find(key);
      if (found == state.views.end()) return;
      view = std::move(found->second);
      state.views.erase(found);
    }
    view->end();
    if (session) session->back_receiver(view->receiver());
    return;
  }
  if (!session) return;
  {
    const std::lock_guard lock(state.mutex);
    if (!state.is_wanted(key) || state.views.contains(key)) return;
    const bool is_video = changed->stream.kind == MediaKind::kVideo;
    guint& count = is_video ? state.video_pads : state.audio_pads;
    std::string pad = (is_video ? "video_" : "audio_") + std::to_string(count++);
    view = std::make_shared<View>(GST_ELEMENT(self), session->take_receiver(changed->stream.kind), std::move(pad));
    state.views[key] = view;
  }
  view->begin(key);
}

void close(SrcState& state) {
  std::map<StreamKey, std::shared_ptr<View>> views;
  {
    const std::lock_guard lock(state.mutex);
    views.swap(state.views);
  }
  for (const auto& [key, view] : views) view->close();
  state.connection.close();
}

GstStateChangeReturn change_state(GstElement* element, GstStateChange transition) {
  SrcState& state = *as_src(element)->state;
  if (transition == GST_STATE_CHANGE_READY_TO_PAUSED) {
    Atm0sSrc* self = as_src(element);  // close() ends the handler before the element goes
    if (!state.connection.open(element, {1, 1}, [self](const Event& event) { on_event(self, event); })) {
      return GST_STATE_CHANGE_FAILURE;
    }
  }
  if (transition == GST_STATE_CHANGE_PAUSED_TO_READY) close(state);
  const auto result = GST_ELEMENT_CLASS(src_parent_class)->change_state(element, transition);
  if (result == GST_STATE_CHANGE_FAILURE) return result;
  // Live: there is nothing before PLAYING.
  const bool is_live_step =
      transition == GST_STATE_CHANGE_READY_TO_PAUSED || transition == GST_STATE_CHANGE_PLAYING_TO_PAUSED;
  return is_live_step ? GST_STATE_CHANGE_NO_PREROLL : result;
}

void dispose(GObject* object) {
  if (SrcState* state = as_src(object)->state) close(*state);
  G_OBJECT_CLASS(src_parent_class)->dispose(object);
}

void finalize(GObject* object) {
  delete as_src(object)->state;
  G_OBJECT_CLASS(src_parent_class)->finalize(object);
}

void src_class_init(Atm0sSrcClass* self_class) {
  auto* object_class = G_OBJECT_CLASS(self_class);
  object_class->set_property = set_property;
  object_class->get_property = get_property;
  object_class->dispose = dispose;
  object_class->finalize = finalize;
  Connection::install_properties(object_class);
  g_object_class_install_property(
      object_class, kFromPeer,
      g_param_spec_string("from-peer", "From peer", "Whose streams are viewed; empty: everybody's", "",
                          kPropertyFlags));
  g_object_class_install_property(
      object_class, kStream,
      g_param_spec_string("stream", "Stream", "Name of the streams that are viewed, video_main for example; empty: all",
                          "", kPropertyFlags));
  auto* element_class = GST_ELEMENT_CLASS(self_class);
  element_class->change_state = change_state;
  add_pad_templates(element_class, GST_PAD_SRC, GST_PAD_SOMETIMES, kVideoCaps, kAudioCaps);
  gst_element_class_set_static_metadata(element_class, "Atm0s viewer", "Source/Network/WebRTC",
                                        "Views the streams of a room of an Atm0s media server",
                                        "The authors of atm0s-cpp");
}

void src_init(Atm0sSrc* self) {
  self->state = new SrcState;
  set_kind(GST_BIN(self), GST_ELEMENT_FLAG_SOURCE);
}

}  // namespace

GType src_type() {
  return src_get_type();
}

}  // namespace atm0s::gst

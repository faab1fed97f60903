#include "sink.h"

#include <cstring>
#include <map>

#include "connection.h"
#include "publication.h"

namespace atm0s::gst {

namespace {

constexpr const char* kVideoCaps = "video/x-vp8; video/x-vp9; video/x-h264; video/x-av1; video/x-raw";
constexpr const char* kAudioCaps = "audio/x-opus, channel-mapping-family=(int)0; audio/x-raw";

enum Property : guint {
  kVideoNames = Connection::kPropertyEnd,
  kAudioNames,
  kLabel,
  kCodec,
  kSimulcast,
  kMaxBitrate,
  kControlEncoder,
};

// What the element has beyond a bin; made with it, destroyed with it.
struct SinkState {
  Connection connection;
  std::mutex mutex;
  std::string video_names = "video_main", audio_names = "audio_main", label, codec = "vp8";
  bool simulcast = false, control_encoder = true;
  guint max_bitrate = 0;
  guint video_pads = 0, audio_pads = 0;  // made so far
  std::map<GstPad*, std::unique_ptr<Publication>> publications;

  // "video_main", then "video_1", "video_2" where no name is given.
  std::string name_of(MediaKind kind, guint number) {
    const auto names = split(kind == MediaKind::kVideo ? video_names : audio_names);
    if (number < names.size()) return names[number];
    return (kind == MediaKind::kVideo ? "video_" : "audio_") + std::to_string(number);
  }
  PublicationOptions options(MediaKind kind, guint number) {
    const std::lock_guard lock(mutex);
    PublicationOptions out;
    out.sender.name = name_of(kind, number);
    out.sender.kind = kind;
    out.sender.label = label;
    if (kind == MediaKind::kVideo) {
      out.sender.simulcast = simulcast;
      out.sender.max_bitrate = max_bitrate;
    }
    out.codec = codec == "vp9"    ? Codec::kVp9
                : codec == "h264" ? Codec::kH264
                : codec == "av1"  ? Codec::kAv1
                                  : Codec::kVp8;
    out.controls_encoder = control_encoder;
    return out;
  }
};

struct Atm0sSink {
  GstBin parent;
  SinkState* state;
};
struct Atm0sSinkClass {
  GstBinClass parent;
};

G_DEFINE_TYPE(Atm0sSink, sink, GST_TYPE_BIN)

Atm0sSink* as_sink(gpointer object) {
  return static_cast<Atm0sSink*>(object);
}

void set_property(GObject* object, guint id, const GValue* value, GParamSpec* spec) {
  SinkState& state = *as_sink(object)->state;
  if (state.connection.set_property(id, value)) return;
  const std::lock_guard lock(state.mutex);
  switch (id) {
    case kVideoNames:
      state.video_names = text_of(value);
      break;
    case kAudioNames:
      state.audio_names = text_of(value);
      break;
    case kLabel:
      state.label = text_of(value);
      break;
    case kCodec:
      state.codec = text_of(value);
      break;
    case kSimulcast:
      state.simulcast = g_value_get_boolean(value) != 0;
      break;
    case kMaxBitrate:
      state.max_bitrate = g_value_get_uint(value);
      break;
    case kControlEncoder:
      state.control_encoder = g_value_get_boolean(value) != 0;
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, spec);
  }
}

void get_property(GObject* object, guint id, GValue* value, GParamSpec* spec) {
  SinkState& state = *as_sink(object)->state;
  if (state.connection.get_property(id, value)) return;
  const std::lock_guard lock(state.mutex);
  switch (id) {
    case kVideoNames:
      g_value_set_string(value, state.video_names.c_str());
      break;
    case kAudioNames:
      g_value_set_string(value, state.audio_names.c_str());
      break;
    case kLabel:
      g_value_set_string(value, state.label.c_str());
      break;
    case kCodec:
      g_value_set_string(value, state.codec.c_str());
      break;
    case kSimulcast:
      g_value_set_boolean(value, state.simulcast);
      break;
    case kMaxBitrate:
      g_value_set_uint(value, state.max_bitrate);
      break;
    case kControlEncoder:
      g_value_set_boolean(value, state.control_encoder);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, spec);
  }
}

// On a streaming thread: the first frame is near.
bool publish(Atm0sSink* self, SenderConfig sender) {
  const auto session = self->state->connection.session();
  if (!session) return false;
  auto created = session->create_sender(std::move(sender));
  if (!created) post_error(GST_ELEMENT(self), created.error());
  return created.ok();
}

GstPad* request_pad(GstElement* element, GstPadTemplate* pad_template, const gchar* wanted, const GstCaps*) {
  Atm0sSink* self = as_sink(element);
  SinkState& state = *self->state;
  const char* name_template = GST_PAD_TEMPLATE_NAME_TEMPLATE(pad_template);
  const MediaKind kind = std::strncmp(name_template, "video", 5) == 0 ? MediaKind::kVideo : MediaKind::kAudio;
  guint number = 0;
  {
    const std::lock_guard lock(state.mutex);
    guint& count = kind == MediaKind::kVideo ? state.video_pads : state.audio_pads;
    if (wanted != nullptr && std::strlen(wanted) > 6 && std::strchr(wanted, '%') == nullptr)
      number = static_cast<guint>(g_ascii_strtoull(wanted + 6, nullptr, 10));
    else
      number = count;
    count = std::max(count, number + 1);
  }
  const std::string name = (kind == MediaKind::kVideo ? "video_" : "audio_") + std::to_string(number);
  if (const Held<GstPad> known{gst_element_get_static_pad(element, name.c_str())}) return nullptr;
  auto publication = std::make_unique<Publication>(
      GST_BIN(element), [self, kind, number] { return self->state->options(kind, number); },
      [self](SenderConfig sender) { return publish(self, std::move(sender)); });
  GstPad* pad = gst_ghost_pad_new_from_template(name.c_str(), publication->entry().get(), pad_template);
  gst_pad_set_active(pad, TRUE);
  gst_element_add_pad(element, pad);
  {
    const std::lock_guard lock(state.mutex);
    state.publications[pad] = std::move(publication);
  }
  return pad;
}

void release_pad(GstElement* element, GstPad* pad) {
  SinkState& state = *as_sink(element)->state;
  std::unique_ptr<Publication> publication;
  std::string name;
  {
    const std::lock_guard lock(state.mutex);
    const auto found = state.publications.find(pad);
    if (found == state.publications.end()) return;
    publication = std::move(found->second);
    state.publications.erase(found);
    guint number = static_cast<guint>(g_ascii_strtoull(GST_PAD_NAME(pad) + 6, nullptr, 10));
    name = state.name_of(GST_PAD_NAME(pad)[0] == 'v' ? MediaKind::kVideo : MediaKind::kAudio, number);
  }
  gst_pad_set_active(pad, FALSE);
  publication.reset();
  if (const auto session = state.connection.session()) {
    if (auto sender = session->sender(name)) static_cast<void>(sender->stop());
  }
  gst_element_remove_pad(element, pad);
}

GstStateChangeReturn change_state(GstElement* element, GstStateChange transition) {
  SinkState& state = *as_sink(element)->state;
  if (transition == GST_STATE_CHANGE_READY_TO_PAUSED) {
    if (!state.connection.open(element, {}, [](const Event&) {})) return GST_STATE_CHANGE_FAILURE;
  }
  const auto result = GST_ELEMENT_CLASS(sink_parent_class)->change_state(element, transition);
  if (transition == GST_STATE_CHANGE_PAUSED_TO_READY) state.connection.close();
  return result;
}

void finalize(GObject* object) {
  delete as_sink(object)->state;
  G_OBJECT_CLASS(sink_parent_class)->finalize(object);
}

// Its elements are there until the bin goes, the publications' are a part of them.
void dispose(GObject* object) {
  if (SinkState* state = as_sink(object)->state) {
    state->connection.close();
    state->publications.clear();
  }
  G_OBJECT_CLASS(sink_parent_class)->dispose(object);
}

void install_own_properties(GObjectClass* object_class) {
  const auto add = [object_class](guint id, GParamSpec* spec) {
    g_object_class_install_property(object_class, id, spec);
  };
  add(kVideoNames, g_param_spec_string("video-names", "Names of video",
                                       "Names under which the video pads are published, with commas between; further "
                                       "ones are called video_1, video_2, …",
                                       "video_main", kPropertyFlags));
  add(kAudioNames, g_param_spec_string("audio-names", "Names of audio",
                                       "Names under which the audio pads are published, with commas between; further "
                                       "ones are called audio_1, audio_2, …",
                                       "audio_main", kPropertyFlags));
  add(kLabel, g_param_spec_string("label", "Label", "What viewers are told of the streams", "", kPropertyFlags));
  add(kCodec,
      g_param_spec_string("codec", "Codec", "Of video that comes raw: vp8, vp9, h264 or av1", "vp8", kPropertyFlags));
  add(kSimulcast, g_param_spec_boolean("simulcast", "Simulcast", "Encode video that comes raw in three sizes", FALSE,
                                       kPropertyFlags));
  add(kMaxBitrate, g_param_spec_uint("max-bitrate", "Maximum bitrate", "bit/s of each video; 0: no cap", 0, G_MAXUINT,
                                     0, kPropertyFlags));
  add(kControlEncoder,
      g_param_spec_boolean("control-encoder", "Control encoder",
                           "Set the bitrate of the encoder in front of a video pad to what viewers can receive", TRUE,
                           kPropertyFlags));
}

void sink_class_init(Atm0sSinkClass* self_class) {
  auto* object_class = G_OBJECT_CLASS(self_class);
  object_class->set_property = set_property;
  object_class->get_property = get_property;
  object_class->dispose = dispose;
  object_class->finalize = finalize;
  Connection::install_properties(object_class);
  install_own_properties(object_class);
  auto* element_class = GST_ELEMENT_CLASS(self_class);
  element_class->request_new_pad = request_pad;
  element_class->release_pad = release_pad;
  element_class->change_state = change_state;
  add_pad_templates(element_class, GST_PAD_SINK, GST_PAD_REQUEST, kVideoCaps, kAudioCaps);
  gst_element_class_set_static_metadata(element_class, "Atm0s publisher", "Sink/Network/WebRTC",
                                        "Publishes audio and video in a room of an Atm0s media server",
                                        "The authors of atm0s-cpp");
}

void sink_init(Atm0sSink* self) {
  self->state = new SinkState;
  set_kind(GST_BIN(self), GST_ELEMENT_FLAG_SINK);
}

}  // namespace

GType sink_type() {
  return sink_get_type();
}

}  // namespace atm0s::gst

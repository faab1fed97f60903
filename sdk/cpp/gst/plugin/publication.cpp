#include "publication.h"

#include <gst/video/video.h>

#include <mutex>

#include "branches.h"
#include "connection.h"
#include "parts.h"
#include "problem.h"

namespace atm0s::gst {

namespace {

// Elements between us and an encoder that may be looked through.
constexpr int kMostHops = 16;

bool is_encoder(GstElement* element) {
  const char* what = gst_element_get_metadata(element, GST_ELEMENT_METADATA_KLASS);
  return what != nullptr && std::string_view(what).find("Encoder/Video") != std::string_view::npos;
}

// The pad that feeds `pad`, through the borders of bins.
Held<GstPad> real_peer(GstPad* pad) {
  Held<GstPad> peer(gst_pad_get_peer(pad));
  while (peer) {
    if (GST_IS_GHOST_PAD(peer.get())) {
      peer.reset(gst_ghost_pad_get_target(GST_GHOST_PAD(peer.get())));
    } else if (GST_IS_PROXY_PAD(peer.get())) {  // the inside of a ghost pad of a bin that we are in
      const Held<GstProxyPad> outside(gst_proxy_pad_get_internal(GST_PROXY_PAD(peer.get())));
      peer.reset(outside ? gst_pad_get_peer(GST_PAD(outside.get())) : nullptr);
    } else {
      break;
    }
  }
  return peer;
}

// The encoder in front of `pad`, a sink pad; behind parsers, filters and queues. NULL: there is none.
Held<GstElement> encoder_before(GstPad* pad) {
  Held<GstPad> at(GST_PAD(gst_object_ref(pad)));
  for (int i = 0; i < kMostHops && at; ++i) {
    const Held<GstPad> peer = real_peer(at.get());
    if (!peer) break;
    Held<GstElement> element(gst_pad_get_parent_element(peer.get()));
    if (!element) break;
    if (is_encoder(element.get())) return element;
    at = pad_of(element.get(), "sink");
  }
  return nullptr;
}

std::string parser_of(Codec codec) {
  if (codec == Codec::kH264) {
    return "h264parse config-interval=-1 ! video/x-h264,stream-format=byte-stream,alignment=au ! ";
  }
  if (codec == Codec::kAv1) return "av1parse ! video/x-av1,stream-format=obu-stream,alignment=tu ! ";
  return "";
}

}  // namespace

class Publication::State : public std::enable_shared_from_this<State> {
 public:
  State(GstBin* bin, std::function<PublicationOptions()> options, Publish publish)
      : bin_(bin),
        options_(std::move(options)),
        publish_(std::move(publish)),
        queue_(gst_element_factory_make("queue", nullptr)) {
    gst_object_ref(queue_.get());  // the bin takes the floating one
    gst_bin_add(bin_, queue_.get());
    gst_element_sync_state_with_parent(queue_.get());
  }
  void watch() {
    const Held<GstPad> out = pad_of(queue_.get(), "src");
    const std::weak_ptr<State> weak = weak_from_this();
    add_probe(out.get(), GST_PAD_PROBE_TYPE_EVENT_DOWNSTREAM, [weak](GstPadProbeInfo* info) {
      GstEvent* event = gst_pad_probe_info_get_event(info);
      const auto self = weak.lock();
      if (!self || GST_EVENT_TYPE(event) != GST_EVENT_CAPS) return GST_PAD_PROBE_OK;
      GstCaps* caps = nullptr;
      gst_event_parse_caps(event, &caps);
      // What is linked now gets all sticky events anew, this one in its place behind those before it.
      return self->on_caps(*caps) ? GST_PAD_PROBE_DROP : GST_PAD_PROBE_OK;
    });
    add_probe(out.get(), GST_PAD_PROBE_TYPE_BUFFER, [weak](GstPadProbeInfo*) {
      if (const auto self = weak.lock()) self->pass_demand_on();
      return GST_PAD_PROBE_OK;
    });
  }
  void remove() {
    for (GstElement* element : {queue_.get(), tail_.get()}) {
      if (element == nullptr) continue;
      gst_element_set_locked_state(element, TRUE);
      gst_element_set_state(element, GST_STATE_NULL);
      gst_bin_remove(bin_, element);
    }
  }
  GstElement* queue() const { return queue_.get(); }

 private:
  void fail(const Error& error) { post_error(GST_ELEMENT(bin_), error); }

  // In the queue's thread: what follows it is made for these caps. False: nothing was made.
  bool on_caps(const GstCaps& caps) {
    if (tail_) return false;  // raw or a codec: what is there takes other sizes as well
    PublicationOptions options = options_();
    const bool is_raw = !codec_of(caps).has_value();
    const bool is_video = options.sender.kind == MediaKind::kVideo;
    auto description = is_video ? video_tail(options, caps) : audio_tail(is_raw);
    if (!description) return fail(description.error()), false;
    auto tail = parse_bin(*description);
    if (!tail) return fail(tail.error()), false;
    tail_ = std::move(*tail);
    connect(options, is_raw);
    gst_bin_add(bin_, tail_.get());
    if (gst_element_link(queue_.get(), tail_.get()) == 0) {
      return fail({ErrorCode::kMediaError, "what comes in is of no use"}), false;
    }
    gst_element_sync_state_with_parent(tail_.get());
    gst_element_post_message(GST_ELEMENT(bin_), gst_message_new_latency(GST_OBJECT(bin_)));
    return publish_(std::move(options.sender));
  }
  Result<std::string> video_tail(PublicationOptions& options, const GstCaps& caps) {
    if (const auto codec = codec_of(caps)) {
      options.codec = *codec;
      options.sender.simulcast = false;
      if (*codec == Codec::kH264) {
        if (auto there = check_elements({"h264parse"}); !there) return there.error();
      }
      if (*codec == Codec::kAv1) {
        if (auto there = check_elements({"av1parse"}); !there) return there.error();
      }
      return parser_of(*codec) + "appsink name=atm0s-sink-0 async=false max-buffers=100";
    }
    // As large as the pictures come.
    VideoOptions video{.codec = options.codec, .width = 0, .height = 0, .simulcast = options.sender.simulcast};
    if (video.simulcast) {
      const GstStructure* structure = gst_caps_get_structure(&caps, 0);
      gst_structure_get_int(structure, "width", &video.width);
      gst_structure_get_int(structure, "height", &video.height);
    }
    return describe_video(video, true);
  }
  Result<std::string> audio_tail(bool is_raw) {
    if (!is_raw) return std::string("appsink name=atm0s-sink-0 async=false max-buffers=100");
    return describe_audio({.channels = 2, .bitrate = 64'000, .music = true}, true);
  }
  void connect(PublicationOptions& options, bool is_raw) {
    auto* tail = GST_BIN(tail_.get());
    const Held<GstElement> sink(gst_bin_get_by_name(tail, "atm0s-sink-0"));
    if (options.sender.kind == MediaKind::kAudio) {
      auto source = std::make_shared<EncodedAudioSource>();
      if (is_raw)
        connect_audio(tail, source);
      else
        AudioFeed::take(std::make_shared<AudioFeed>(source), GST_APP_SINK(sink.get()));
      options.sender.source = source;
      return;
    }
    auto source = std::make_shared<EncodedVideoSource>(options.codec);
    if (is_raw) {
      connect_video(tail, {.codec = options.codec, .simulcast = options.sender.simulcast}, source);
    } else {
      VideoFeed::take(std::make_shared<VideoFeed>(source, uint8_t{0}), GST_APP_SINK(sink.get()));
      video_ = source;
      const Held<GstPad> in = pad_of(queue_.get(), "sink");
      const Held<GstElement> encoder = options.controls_encoder ? encoder_before(in.get()) : nullptr;
      if (encoder) encoder_.emplace(encoder.get());
    }
    options.sender.source = source;
    options.sender.preferred_codecs = {options.codec};
  }
  // Of frames that come encoded: what viewers want, to whoever encodes them. In the queue's thread.
  void pass_demand_on() {
    if (!video_) return;
    const bool wants_key_frame = video_->take_key_frame_request();
    if (encoder_) return encoder_->before_picture(video_->target_bitrate(), wants_key_frame);
    if (!wants_key_frame) return;
    gst_pad_push_event(pad_of(queue_.get(), "sink").get(),
                       gst_video_event_new_upstream_force_key_unit(GST_CLOCK_TIME_NONE, TRUE, 0));
  }

  GstBin* const bin_;  // owns the pad that owns this
  const std::function<PublicationOptions()> options_;
  const Publish publish_;
  const Held<GstElement> queue_;
  Held<GstElement> tail_;
  std::shared_ptr<EncodedVideoSource> video_;  // of frames that come encoded
  std::optional<EncoderControl> encoder_;
};

Publication::Publication(GstBin* bin, std::function<PublicationOptions()> options, Publish publish)
    : state_(std::make_shared<State>(bin, std::move(options), std::move(publish))) {
  state_->watch();
}

Publication::~Publication() {
  state_->remove();
}

Held<GstPad> Publication::entry() const {
  return pad_of(state_->queue(), "sink");
}

}  // namespace atm0s::gst

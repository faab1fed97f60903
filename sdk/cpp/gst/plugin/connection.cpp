#include "connection.h"

#include <sstream>
#include <utility>

#include "handle.h"

namespace atm0s::gst {

namespace {

constexpr auto kConnectTime = std::chrono::seconds(10);

constexpr auto kSecretFlags = static_cast<GParamFlags>(kPropertyFlags & ~G_PARAM_READABLE);

void install_string(GObjectClass* object_class, guint id, const char* name, const char* nick, const char* about,
                    const char* initial, GParamFlags flags = kPropertyFlags) {
  g_object_class_install_property(object_class, id, g_param_spec_string(name, nick, about, initial, flags));
}

}  // namespace

std::string text_of(const GValue* value) {
  const char* text = g_value_get_string(value);
  return text == nullptr ? "" : text;
}

void add_pad_templates(GstElementClass* element_class, GstPadDirection direction, GstPadPresence presence,
                       const char* video_caps, const char* audio_caps) {
  for (const auto& [name, text] : {std::pair{"video_%u", video_caps}, std::pair{"audio_%u", audio_caps}}) {
    const HeldMini<GstCaps> caps(gst_caps_from_string(text));
    gst_element_class_add_pad_template(element_class, gst_pad_template_new(name, direction, presence, caps.get()));
  }
}

void set_kind(GstBin* bin, GstElementFlags kind) {
  GST_OBJECT_FLAG_SET(bin, kind);
  gst_bin_set_suppressed_flags(bin, static_cast<GstElementFlags>(GST_ELEMENT_FLAG_SINK | GST_ELEMENT_FLAG_SOURCE));
}

std::vector<std::string> split(const std::string& text) {
  std::vector<std::string> out;
  std::istringstream in(text);
  for (std::string part; std::getline(in, part, ',');) {
    if (!part.empty()) out.push_back(part);
  }
  return out;
}

void Connection::install_properties(GObjectClass* object_class) {
  install_string(object_class, kUrl, "url", "URL",
                 "Address of the server; several with commas between, of which the first that answers is used",
                 "http://127.0.0.1:3000");
  install_string(object_class, kRoom, "room", "Room", "Room that is joined", "demo");
  install_string(object_class, kPeer, "peer", "Peer", "Own name in the room, which no other participant has", "");
  install_string(object_class, kToken, "token", "Token", "Right to join that room as that peer: atm0s token makes one",
                 "", kSecretFlags);
  install_string(object_class, kTlsCaFile, "tls-ca-file", "TLS authorities",
                 "File of authorities (PEM) for https; empty: the system's", "");
  g_object_class_install_property(
      object_class, kTlsVerify,
      g_param_spec_boolean("tls-verify", "TLS verify", "Whether the certificate of an https server has to be good",
                           TRUE, kPropertyFlags));
}

bool Connection::set_property(guint id, const GValue* value) {
  const std::lock_guard lock(mutex_);
  switch (id) {
    case kUrl:
      url_ = text_of(value);
      return true;
    case kRoom:
      room_ = text_of(value);
      return true;
    case kPeer:
      peer_ = text_of(value);
      return true;
    case kToken:
      token_ = text_of(value);
      return true;
    case kTlsCaFile:
      tls_ca_file_ = text_of(value);
      return true;
    case kTlsVerify:
      tls_verify_ = g_value_get_boolean(value) != 0;
      return true;
    default:
      return false;
  }
}

bool Connection::get_property(guint id, GValue* value) {
  const std::lock_guard lock(mutex_);
  switch (id) {
    case kUrl:
      g_value_set_string(value, url_.c_str());
      return true;
    case kRoom:
      g_value_set_string(value, room_.c_str());
      return true;
    case kPeer:
      g_value_set_string(value, peer_.c_str());
      return true;
    case kTlsCaFile:
      g_value_set_string(value, tls_ca_file_.c_str());
      return true;
    case kTlsVerify:
      g_value_set_boolean(value, tls_verify_);
      return true;
    default:
      return false;
  }
}

std::shared_ptr<Session> Connection::open(GstElement* element, ReceiverCounts receivers,
                                          std::function<void(const Event&)> on_event) {
  std::shared_ptr<Session> session;
  {
    const std::lock_guard lock(mutex_);
    SessionConfig config{.room_id = room_, .peer_id = peer_, .token = token_, .receivers = receivers};
    RuntimeOptions options;
    options.tls_ca_file = tls_ca_file_;
    options.tls_verify = tls_verify_;
    session = std::make_shared<Session>(split(url_), config, options);
    session_ = session;
  }
  session->on_event([on_event = std::move(on_event), ref = std::make_shared<ElementRef>(element)](const Event& event) {
    const auto* changed = std::get_if<StateChanged>(&event);
    if (changed != nullptr && changed->state == SessionState::kDisconnected && changed->why) {
      if (GstElement* alive = ref->get()) {
        post_error(alive, *changed->why);
        gst_object_unref(alive);
      }
    }
    on_event(event);
  });
  if (auto connected = session->connect(kConnectTime); !connected) {
    post_error(element, connected.error());
    close();
    return nullptr;
  }
  return session;
}

std::shared_ptr<Session> Connection::session() {
  const std::lock_guard lock(mutex_);
  return session_;
}

void Connection::close() {
  std::shared_ptr<Session> session;
  const std::lock_guard lock(mutex_);
  session.swap(session_);  // destroyed after the lock is given back
}

void post_error(GstElement* element, const Error& error) {
  const std::string text = std::string(to_text(error.code)) + ": " + error.message;
  const bool is_argument = error.code == ErrorCode::kInvalidToken || error.code == ErrorCode::kForbidden ||
                           error.code == ErrorCode::kInvalidRequest;
  if (is_argument)
    GST_ELEMENT_ERROR(element, RESOURCE, NOT_AUTHORIZED, ("%s", text.c_str()), (nullptr));
  else
    GST_ELEMENT_ERROR(element, RESOURCE, OPEN_READ_WRITE, ("%s", text.c_str()), (nullptr));
}

}  // namespace atm0s::gst

#include "scene.h"

#include <cstdlib>

namespace atm0s::test {

Scene::Scene() : id_(new_room()), url_(atm0s::test::url()) {
  setenv("ATM0S_TEST_TOKEN", any_token().c_str(), 1);
}

SessionConfig Scene::config(const std::string& peer) const {
  return {.room_id = id_, .peer_id = peer + "-" + id_, .token = any_token()};
}

std::unique_ptr<Session> Scene::connect(SessionConfig config) const {
  auto session = std::make_unique<Session>(std::vector{url_}, std::move(config), options);
  const auto connected = session->connect();
  EXPECT_TRUE(connected.ok()) << connected.error().message;
  return session;
}

Publisher Scene::publish(SessionConfig config, SenderConfig sender, Codec codec, int level) const {
  Publisher out;
  out.session = connect(std::move(config));
  add(out, std::move(sender), codec, level);
  return out;
}

Publisher Scene::publish(SenderConfig sender, Codec codec) const {
  return publish(config("ann"), std::move(sender), codec);
}

Publisher Scene::publisher() const {
  Publisher out;
  out.peer = "ann-" + id_;
  out.name = "stream-" + id_;
  out.label = "label-" + id_;
  return out;
}

void Scene::add(Publisher& out, SenderConfig sender, Codec codec, int level) const {
  out.peer = "ann-" + id_;
  if (sender.name.empty()) sender.name = "stream-" + id_;
  if (sender.label.empty()) sender.label = "label-" + id_;
  out.name = sender.name;
  out.label = sender.label;
  if (codec == Codec::kOpus) {
    sender.kind = MediaKind::kAudio;
    sender.source = out.audio = std::make_shared<EncodedAudioSource>();
    out.pump = std::make_unique<Pump>(out.audio, level);
  } else {
    sender.kind = MediaKind::kVideo;
    sender.source = out.video = std::make_shared<EncodedVideoSource>(codec);
    out.pump = std::make_unique<Pump>(out.video, sender.simulcast ? 3 : 1);
  }
  auto made = out.session->create_sender(sender);
  ASSERT_TRUE(made.ok()) << made.error().message;
  out.sender = *made;
  EXPECT_OK(out.sender->switch_to(sender.source).wait());
}

bool Scene::is_of(const StreamInfo& info, const Publisher& publisher) {
  const int same =
      (info.key.peer == publisher.peer) + (info.key.name == publisher.name) + (info.label == publisher.label);
  return same >= 2;
}

std::optional<StreamInfo> Scene::known(Session& viewer, const Publisher& publisher) {
  for (const RemoteStream& remote : viewer.remote_streams()) {
    const StreamInfo info = remote.info();
    if (is_of(info, publisher)) return info;
  }
  return std::nullopt;
}

StreamInfo Scene::find(Session& viewer, const Publisher& publisher) {
  std::optional<StreamInfo> info;
  EXPECT_TRUE(until([&] { return (info = known(viewer, publisher)).has_value(); })) << "it is not announced";
  return info.value_or(StreamInfo{});
}

Receiver Scene::view(Session& viewer, const Publisher& publisher) {
  const StreamInfo info = find(viewer, publisher);
  Receiver receiver = viewer.take_receiver(info.kind);
  EXPECT_OK(receiver.switch_to(info.key).wait());
  return receiver;
}

std::optional<Codec> Scene::seen(Receiver receiver, std::chrono::milliseconds patience) {
  const auto frame = receiver.read_video(patience);
  return frame && read_mark(frame->bytes) ? std::optional(frame->codec) : std::nullopt;
}

bool Scene::is_heard(Receiver receiver, std::chrono::milliseconds patience) {
  return until(
      [&] {
        const auto frame = receiver.read_audio(100ms);
        return frame && read_mark(frame->bytes).has_value();
      },
      patience);
}

}  // namespace atm0s::test

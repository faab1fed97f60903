// Properties of a session: who it is, what it has from the start, which codecs, the mixer.
#include <algorithm>

#include "scene.h"

namespace atm0s::test {

namespace {

// On nothing does this hang.
void call(Scene& run) {
  const Publisher ann = run.publish({});
  const auto bob = run.viewer();
  EXPECT_EQ(Scene::seen(Scene::view(*bob, ann)), Codec::kVp8);
}

// ---- the session ----------------------------------------------------------------------------------------------------

void room_id(Scene& run) {
  SessionConfig elsewhere = run.config("stranger");
  elsewhere.room_id += "-elsewhere";
  const auto stranger = run.viewer(elsewhere);
  const Publisher ann = run.publish({});
  const auto bob = run.viewer();
  Scene::find(*bob, ann);
  std::this_thread::sleep_for(200ms);
  EXPECT_FALSE(Scene::known(*stranger, ann)) << "another room knows of it";
}

void peer_id(Scene& run) {
  const Publisher ann = run.publish({});
  EXPECT_EQ(Scene::find(*run.viewer(), ann).key.peer, ann.peer);
}

void token_of_another_room(Scene& run) {
  SessionConfig config = run.config("ann");
  config.token = token("elsewhere", "");
  Session session({url()}, config);
  EXPECT_FAILS(ErrorCode::kInvalidToken, session.connect());
}

void senders(Scene& run) {
  Publisher ann = run.publisher();
  ann.video = std::make_shared<EncodedVideoSource>(Codec::kVp8);
  ann.pump = std::make_unique<Pump>(ann.video);
  SessionConfig config = run.config("ann");
  config.senders = {{.name = ann.name, .kind = MediaKind::kVideo, .source = ann.video, .label = ann.label}};
  Session session({url()}, config);
  if (auto sender = session.sender(ann.name)) static_cast<void>(sender->switch_to(ann.video));
  EXPECT_OK(session.connect());
  EXPECT_EQ(Scene::seen(Scene::view(*run.viewer(), ann)), Codec::kVp8);
}

size_t count(const std::string& text, const std::string& what) {
  size_t found = 0;
  for (size_t at = text.find(what); at != std::string::npos; at = text.find(what, at + 1)) ++found;
  return found;
}

// What the server has of receivers when the session has just been opened.
void receivers(Scene& run) {
  SessionConfig config = run.config("viewer");
  config.receivers = {.audio = 2, .video = 1};
  const auto session = run.viewer(config);
  for (const std::string& room : {run.id(), std::string("ignored")}) {
    const std::string body = admin("/admin/rooms/" + room);
    if (body.find("viewer-" + run.id()) == std::string::npos) continue;
    EXPECT_EQ(count(body, R"("id":"audio_)"), 2u) << body;
    EXPECT_EQ(count(body, R"("id":"video_)"), 1u) << body;
    return;
  }
  ADD_FAILURE() << "it is in no room";
}

// The session goes on with that codec, and with no other: what is pushed in it is refused.
void expect_codec(Scene& run, SessionConfig config, SenderConfig sender, Codec codec, Codec other) {
  Publisher ann = run.publish(std::move(config), std::move(sender), codec);
  const auto bob = run.viewer();
  EXPECT_EQ(Scene::seen(Scene::view(*bob, ann)), codec);
  EXPECT_EQ(ann.pump->refused(), 0u);
  auto refused = std::make_shared<EncodedVideoSource>(other);
  EXPECT_OK(ann.sender->switch_to(refused).wait());
  Result<void> pushed;
  until(
      [&] {
        pushed = refused->push({.bytes = make_video(other, true, 0, 100)});
        return !pushed.ok();
      },
      1s);
  EXPECT_FAILS(ErrorCode::kUnsupportedCodec, pushed);
}

void codecs(Scene& run, Codec codec, Codec other) {
  SessionConfig config = run.config("ann");
  config.codecs = {Codec::kOpus, codec};
  expect_codec(run, config, {}, codec, other);
}

void codecs_opus(Scene& run) {
  SessionConfig config = run.config("ann");
  config.codecs = {Codec::kOpus, Codec::kVp8};
  const Publisher ann = run.publish(config, {}, Codec::kOpus);
  EXPECT_TRUE(Scene::is_heard(Scene::view(*run.viewer(), ann)));
}

void preferred_codecs(Scene& run, Codec codec, Codec other) {
  expect_codec(run, run.config("ann"), {.name = {}, .preferred_codecs = {codec}}, codec, other);
}

void preferred_opus(Scene& run) {
  const Publisher ann = run.publish(run.config("ann"), {.name = {}, .preferred_codecs = {Codec::kOpus}}, Codec::kOpus);
  EXPECT_TRUE(Scene::is_heard(Scene::view(*run.viewer(), ann)));
}

// ---- the mixer ------------------------------------------------------------------------------------------------------

bool hears(Session& session, std::chrono::milliseconds patience) {
  const auto mixer = session.mix_minus_audio();
  if (!mixer) return false;
  auto slots = mixer->slots();
  return until(
      [&] {
        return std::any_of(slots.begin(), slots.end(), [](Receiver& slot) { return Scene::is_heard(slot, 50ms); });
      },
      patience);
}

Publisher talker(Scene& run, const std::string& peer) {
  Publisher out = run.publish(
      run.config(peer), {.name = peer + "-stream-" + run.id(), .label = peer + "-label-" + run.id()}, Codec::kOpus);
  out.peer = peer + "-" + run.id();
  return out;
}

void mix_all(Scene& run) {
  SessionConfig config = run.config("viewer");
  config.mix_minus_audio = MixMinusMode::kAllAudioStreams;
  const auto session = run.viewer(config);
  const Publisher ann = talker(run, "ann");
  EXPECT_TRUE(hears(*session, 3s));
}

void mix_manual(Scene& run) {
  SessionConfig config = run.config("viewer");
  config.mix_minus_audio = MixMinusMode::kManualAudioStreams;
  const auto session = run.viewer(config);
  const Publisher ann = talker(run, "ann");
  const StreamInfo info = Scene::find(*session, ann);
  EXPECT_FALSE(hears(*session, 1s)) << "one is heard who was not named";
  auto mixer = session->mix_minus_audio();
  ASSERT_TRUE(mixer);
  EXPECT_OK(mixer->add_source(info.key).wait());
  EXPECT_TRUE(hears(*session, 3s));
}

void mix_disabled(Scene& run) {
  const auto session = run.viewer();
  const Publisher ann = talker(run, "ann");
  Scene::find(*session, ann);
  EXPECT_FALSE(session->mix_minus_audio());
  EXPECT_FALSE(hears(*session, 500ms));
}

}  // namespace

std::vector<Property> session_properties() {
  std::vector<Property> all{
      {"smoke", {}, call},
      {"room_id", {"room_id"}, room_id},
      {"peer_id", {"peer_id"}, peer_id},
      {"token", {"token"}, token_of_another_room},
      {"senders", {"senders"}, senders},
      {"receivers", {"receivers", "mix_minus_audio=disabled"}, receivers},
      {"codecs_opus", {"codecs=OPUS"}, codecs_opus},
      {"mix_minus_all", {"mix_minus_audio", "mix_minus_audio=all"}, mix_all},
      {"mix_minus_manual", {"mix_minus_audio", "mix_minus_audio=manual"}, mix_manual},
      {"mix_minus_disabled", {"mix_minus_audio=disabled"}, mix_disabled},
      {"preferred_opus", {}, preferred_opus},  // the only audio codec that there is
  };
  const std::pair<Codec, Codec> video[] = {
      {Codec::kVp8, Codec::kVp9}, {Codec::kVp9, Codec::kVp8}, {Codec::kH264, Codec::kVp8}, {Codec::kAv1, Codec::kVp8}};
  for (const auto& [codec, other] : video) {
    const std::string text(to_text(codec));
    all.push_back({"codecs_" + text, {"codecs", "codecs=" + text}, [codec = codec, other = other](Scene& run) {
                     codecs(run, codec, other);
                   }});
    all.push_back({"preferred_" + text,
                   {"preferred_codecs", "preferred_codecs=" + text},
                   [codec = codec, other = other](Scene& run) { preferred_codecs(run, codec, other); }});
  }
  return all;
}

}  // namespace atm0s::test

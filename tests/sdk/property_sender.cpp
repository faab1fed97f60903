// Properties of a sender, but its codecs and rates.
#include "scene.h"

namespace atm0s::test {

namespace {

void name(Scene& run) {
  const Publisher ann = run.publish({.name = "named-" + run.id()});
  EXPECT_EQ(Scene::find(*run.viewer(), ann).key.name, "named-" + run.id());
}

void label(Scene& run) {
  const Publisher ann = run.publish({.name = {}, .label = "my camera of " + run.id()});
  EXPECT_EQ(Scene::find(*run.viewer(), ann).label, "my camera of " + run.id());
}

// Without a source nothing but the configuration says which kind it is.
void kind(Scene& run, MediaKind kind) {
  Publisher ann = run.publisher();
  ann.session = run.connect(run.config("ann"));
  auto sender = ann.session->create_sender({.name = ann.name, .kind = kind, .label = ann.label});
  ASSERT_TRUE(sender.ok());
  EXPECT_EQ(Scene::find(*run.viewer(), ann).kind, kind);
}

void source(Scene& run) {
  Publisher ann = run.publisher();
  ann.session = run.connect(run.config("ann"));
  ann.video = std::make_shared<EncodedVideoSource>(Codec::kVp8);
  ann.pump = std::make_unique<Pump>(ann.video);
  auto sender = ann.session->create_sender(
      {.name = ann.name, .kind = MediaKind::kVideo, .source = ann.video, .label = ann.label});
  ASSERT_TRUE(sender.ok());
  EXPECT_EQ(Scene::seen(Scene::view(*run.viewer(), ann)), Codec::kVp8);
}

// A viewer gets the layer that it asks for.
void simulcast(Scene& scene) {
  const Publisher ann = scene.publish({.name = {}, .simulcast = true});
  const auto bob = scene.viewer();
  EXPECT_TRUE(until([&] { return Scene::find(*bob, ann).scaling == StreamScaling::kSimulcast; }));
  Receiver receiver = Scene::view(*bob, ann);
  for (const uint32_t layer : {0u, 2u, 1u}) {
    EXPECT_OK(receiver.limit({.max_spatial = layer}).wait());
    const bool is_shown = until([&] {
      const auto frame = receiver.read_video(50ms);
      const auto mark = frame ? read_mark(frame->bytes) : std::nullopt;
      return mark && mark->number % kMaxLayers == layer;
    });
    EXPECT_TRUE(is_shown) << "layer " << layer;
  }
}

// A still picture: of a screen that is no fault, of a camera the viewer's quality falls.
void screen(Scene& run) {
  Publisher ann = run.publish({.name = {}, .screen = true});
  const auto bob = run.viewer();
  Receiver receiver = Scene::view(*bob, ann);
  EXPECT_TRUE(Scene::seen(receiver));
  ann.pump.reset();
  std::this_thread::sleep_for(1s);
  while (bob->poll_event()) continue;
  const auto quality = wait_for<ReceiverQuality>(*bob, [&](const auto& e) { return e.id == receiver.id(); }, 6s);
  ASSERT_TRUE(quality);
  constexpr double kGood = 2;
  EXPECT_GT(quality->mos, kGood);
}

}  // namespace

std::vector<Property> sender_properties() {
  return {
      {"name", {"name"}, name},
      {"label", {"label"}, label},
      {"kind_audio", {"kind", "kind=audio"}, [](Scene& run) { kind(run, MediaKind::kAudio); }},
      {"kind_video", {"kind", "kind=video"}, [](Scene& run) { kind(run, MediaKind::kVideo); }},
      {"source", {"source"}, source},
      {"simulcast", {"simulcast"}, simulcast},
      {"screen", {"screen"}, screen},
  };
}

}  // namespace atm0s::test

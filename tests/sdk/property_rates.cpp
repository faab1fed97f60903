// max_bitrate, bitrate_control_mode and content_hint: what is sent and what comes, in bits and frames.
#include "gate.h"
#include "scene.h"

namespace atm0s::test {

namespace {

// What comes in at the viewer, bit/s.
double rate_of(Receiver receiver, std::chrono::milliseconds time) {
  const auto end = Clock::now() + time;
  size_t bytes = 0;
  while (Clock::now() < end) {
    if (const auto frame = receiver.read_video(50ms)) bytes += frame->bytes.size();
  }
  return static_cast<double>(bytes) * 8 / std::chrono::duration<double>(time).count();
}

void max_bitrate(Scene& run) {
  constexpr uint64_t kMost = 400'000;
  const Publisher ann = run.publish({.name = {}, .max_bitrate = kMost});
  const auto bob = run.viewer();
  Receiver receiver = Scene::view(*bob, ann);
  rate_of(receiver, 3s);
  EXPECT_NEAR(rate_of(receiver, 2s), static_cast<double>(kMost), kMost / 10.0);
}

// Two streams of a session that may send kTogether: what their encoders are told while nobody views, and when one is
// viewed.
struct Told {
  uint64_t idle = 0, viewed = 0, beside = 0;
};
constexpr uint64_t kTogether = 600'000;
constexpr uint64_t kIdle = 100'000;  // of docs/policies.md, of all streams that nobody views

Told told_in(Scene& scene, BitrateControlMode mode) {
  SessionConfig config = scene.config("ann");
  config.bitrate_control_mode = mode;
  config.token = any_token(kTogether);
  Publisher first = scene.publish(config, {});
  Publisher second;
  second.session = std::move(first.session);
  scene.add(second, {.name = "second-" + scene.id(), .label = "second label-" + scene.id()});
  std::this_thread::sleep_for(2s);
  Told out;
  out.idle = first.video->target_bitrate() + second.video->target_bitrate();
  const auto bob = scene.viewer();
  Scene::view(*bob, first).on_video([](const VideoFrame&) {});
  std::this_thread::sleep_for(2s);
  out.viewed = first.video->target_bitrate();
  out.beside = second.video->target_bitrate();
  std::printf("%s: idle %lu, viewed %lu, beside it %lu bit/s\n", std::string(to_text(mode)).c_str(), out.idle,
              out.viewed, out.beside);
  second.pump.reset();
  return out;
}

// The viewed one gets nearly all; the other has what is left.
void by_client(Scene& scene) {
  const Told told = told_in(scene, BitrateControlMode::kSumBitrateWithClientSide);
  EXPECT_LT(told.idle, 250'000u);
  EXPECT_GT(told.viewed, kTogether * 8 / 10);
  EXPECT_LT(told.beside, kIdle / 2);
}
// Whether somebody views them is nothing to it.
void by_sum(Scene& scene) {
  const Told told = told_in(scene, BitrateControlMode::kSumBitrateOnly);
  EXPECT_GT(told.idle, kTogether * 6 / 10);
  EXPECT_GT(told.beside, kTogether * 4 / 10);
  EXPECT_LT(told.viewed + told.beside, kTogether * 11 / 10);
}
// Each has a limit of its own: they share in proportion to that.
void by_stream(Scene& scene) {
  const Told told = told_in(scene, BitrateControlMode::kPerStream);
  EXPECT_LT(told.idle, 250'000u);
  EXPECT_GT(told.viewed, kTogether * 7 / 10);
  EXPECT_GT(told.beside, kIdle * 6 / 10);
  EXPECT_LT(told.beside, kIdle * 11 / 10);
}

// ---- content_hint ---------------------------------------------------------------------------------------------------

// Bytes of a frame by layer of simulcast and temporal layer, 25 of each a second: all of the middle picture takes
// 200 kbit/s, half of the frames of the large one 300 kbit/s, and all of it far more than the link has.
constexpr size_t kFrameSizes[3][2] = {{100, 100}, {300, 700}, {1'500, 9'000}};
constexpr uint64_t kNarrow = 1'200'000;

struct Shown {
  double frames[kMaxLayers] = {};  // a second, by layer of simulcast
};

Shown shown_with(Scene& scene, ContentHint hint) {
  const Gate gate(gated_server().media_port(), {.rate = kNarrow});
  scene.move_to(gated_server().url());
  Publisher ann = scene.publisher();
  ann.session = scene.connect(scene.config("ann"));
  ann.video = std::make_shared<EncodedVideoSource>(Codec::kVp8);
  const SenderConfig sender{.name = ann.name,
                            .kind = MediaKind::kVideo,
                            .source = ann.video,
                            .simulcast = true,
                            .content_hint = hint,
                            .label = ann.label};
  const auto made = ann.session->create_sender(sender);
  EXPECT_OK(made);
  ann.sender = *made;
  EXPECT_OK(ann.sender->switch_to(ann.video).wait());
  ann.pump = std::make_unique<Pump>([video = ann.video](uint64_t number) {
    const auto at = Clock::now();
    const auto temporal = static_cast<uint8_t>(number % 2);
    for (uint8_t layer = 0; layer < 3; ++layer) {
      const bool is_key = temporal == 0 && (video->take_key_frame_request(layer) || number == 0);
      const auto bytes = make_video(Codec::kVp8, is_key, number * kMaxLayers + layer, kFrameSizes[layer][temporal]);
      static_cast<void>(video->push({.bytes = bytes, .layer = layer, .temporal_layer = temporal, .captured_at = at}));
    }
    return Result<void>();
  });
  const auto bob = scene.viewer();
  Receiver receiver = Scene::view(*bob, ann);
  constexpr auto kSettle = 6s, kMeasure = 2s;
  Shown out;
  for (const auto begin = Clock::now(); Clock::now() < begin + kSettle + kMeasure;) {
    const auto frame = receiver.read_video(50ms);
    const auto mark = frame ? read_mark(frame->bytes) : std::nullopt;
    if (mark && Clock::now() > begin + kSettle) out.frames[mark->number % kMaxLayers] += 1.0 / kMeasure.count();
  }
  std::printf("hint %d: %.1f, %.1f, %.1f frames a second by layer\n", static_cast<int>(hint), out.frames[0],
              out.frames[1], out.frames[2]);
  return out;
}

// All of its frames, of a smaller picture. (For a moment the estimate may say something else.)
void motion(Scene& scene) {
  const Shown shown = shown_with(scene, ContentHint::kMotion);
  EXPECT_GT(shown.frames[1], 28);
  EXPECT_LT(shown.frames[2], shown.frames[1] / 2);
}
// The large picture, half as often.
void pixels(Scene& scene, ContentHint hint) {
  const Shown shown = shown_with(scene, hint);
  EXPECT_GT(shown.frames[2], 12);
  EXPECT_LT(shown.frames[1], shown.frames[2] / 2);
}

}  // namespace

std::vector<Property> rate_properties() {
  return {
      {"max_bitrate", {"max_bitrate"}, max_bitrate},
      // What all may be together is the token's.
      {"bitrate_by_client", {"bitrate_control_mode=SumBitrateWithClientSide", "token"}, by_client},
      {"bitrate_by_sum", {"bitrate_control_mode", "bitrate_control_mode=SumBitrateOnly", "token"}, by_sum},
      {"bitrate_by_stream", {"bitrate_control_mode", "bitrate_control_mode=PerStream"}, by_stream},
      // Without simulcast there is no choice.
      {"content_hint_motion", {"content_hint", "content_hint=motion", "simulcast"}, motion},
      {"content_hint_detail",
       {"content_hint=detail", "simulcast"},
       [](Scene& run) { pixels(run, ContentHint::kDetail); }},
      {"content_hint_none", {"content_hint=none", "simulcast"}, [](Scene& run) { pixels(run, ContentHint::kNone); }},
  };
}

}  // namespace atm0s::test

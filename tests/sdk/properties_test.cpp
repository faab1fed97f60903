// One test for each property of a configuration, and for each value of those that are chosen from a list, measured on
// the other side. Behind its name stands with which switches (ignoring/ignored.cpp) it has to fail: the property, where
// its value differs from what is without it, and the value. No test hangs on another property than its own: whoever is
// looked for is known by two of peer, name and label; senders and receivers are made after the session. matrix.mjs
// proves all that.
#include <algorithm>
#include <cstdlib>
#include <map>
#include <span>

#include "synthetic.h"
#include "world.h"

namespace atm0s::test {
namespace {

struct Publisher {
  std::string peer, name, label;
  std::unique_ptr<Session> session;
  std::optional<Sender> sender;
  std::shared_ptr<EncodedVideoSource> video;
  std::shared_ptr<EncodedAudioSource> audio;
  std::unique_ptr<Pump> pump;
};

// What one test has.
class Scene {
 public:
  Scene() : id_(new_room()) { setenv("ATM0S_TEST_TOKEN", any_token().c_str(), 1); }

  SessionConfig config(const std::string& peer) const {
    return {.room_id = id_, .peer_id = peer + "-" + id_, .token = any_token()};
  }
  std::unique_ptr<Session> connect(SessionConfig config) const {
    auto session = std::make_unique<Session>(std::vector{url()}, std::move(config));
    const auto connected = session->connect();
    EXPECT_TRUE(connected.ok()) << connected.error().message;
    return session;
  }
  std::unique_ptr<Session> viewer(SessionConfig config) const { return connect(std::move(config)); }
  std::unique_ptr<Session> viewer() const { return connect(config("viewer")); }

  // A session with one sender that goes on by itself.
  Publisher publish(SessionConfig config, SenderConfig sender, Codec codec = Codec::kVp8, int level = -20) const {
    Publisher out;
    out.session = connect(std::move(config));
    add(out, std::move(sender), codec, level);
    return out;
  }
  Publisher publish(SenderConfig sender, Codec codec = Codec::kVp8) const {
    return publish(config("ann"), std::move(sender), codec);
  }
  void add(Publisher& out, SenderConfig sender, Codec codec = Codec::kVp8, int level = -20) const {
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

  static bool is_of(const StreamInfo& info, const Publisher& publisher) {
    const int same =
        (info.key.peer == publisher.peer) + (info.key.name == publisher.name) + (info.label == publisher.label);
    return same >= 2;
  }
  static std::optional<StreamInfo> known(Session& viewer, const Publisher& publisher) {
    for (const RemoteStream& remote : viewer.remote_streams()) {
      const StreamInfo info = remote.info();
      if (is_of(info, publisher)) return info;
    }
    return std::nullopt;
  }
  static StreamInfo find(Session& viewer, const Publisher& publisher) {
    std::optional<StreamInfo> info;
    EXPECT_TRUE(until([&] { return (info = known(viewer, publisher)).has_value(); })) << "it is not announced";
    return info.value_or(StreamInfo{});
  }
  static Receiver view(Session& viewer, const Publisher& publisher) {
    const StreamInfo info = find(viewer, publisher);
    Receiver receiver = viewer.take_receiver(info.kind);
    EXPECT_OK(receiver.switch_to(info.key).wait());
    return receiver;
  }
  // The codec of what comes.
  static std::optional<Codec> seen(Receiver receiver, std::chrono::milliseconds patience = 2s) {
    const auto frame = receiver.read_video(patience);
    return frame && read_mark(frame->bytes) ? std::optional(frame->codec) : std::nullopt;
  }
  static bool is_heard(Receiver receiver, std::chrono::milliseconds patience = 2s) {
    return until(
        [&] {
          const auto frame = receiver.read_audio(100ms);
          return frame && read_mark(frame->bytes).has_value();
        },
        patience);
  }

  const std::string& id() const { return id_; }

 private:
  const std::string id_;
};

struct Property {
  std::string name;
  std::vector<std::string> switches;
  std::function<void(Scene&)> body;
};

// ---- a call that hangs on none of them ------------------------------------------------------------------------------

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

void token(Scene& run) {
  SessionConfig config = run.config("ann");
  config.token = atm0s::test::token("elsewhere", "");
  Session session({url()}, config);
  EXPECT_FAILS(ErrorCode::kInvalidToken, session.connect());
}

void senders(Scene& run) {
  Publisher ann;
  ann.peer = "ann-" + run.id(), ann.name = "stream-" + run.id(), ann.label = "label-" + run.id();
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

// ---- latency --------------------------------------------------------------------------------------------------------

struct Delay {
  double video_ms = 0, audio_ms = 0;
  int video_frames = 0, audio_frames = 0;
};

// Of all modes at the same time, measured once: from the moment in which a frame was made until it is handed out, in
// the middle of the frames that come after the first second.
const std::map<LatencyMode, Delay>& delays() {
  static std::map<LatencyMode, Delay> all;
  if (!all.empty()) return all;
  constexpr auto kSettle = 2500ms, kMeasure = 1500ms;
  Scene run;
  const Publisher video = run.publish({});
  SessionConfig second = run.config("eve");
  Publisher audio =
      run.publish(second, {.name = "audio-" + run.id(), .label = "audio label-" + run.id()}, Codec::kOpus);
  audio.peer = "eve-" + run.id();
  struct Viewing {
    std::unique_ptr<Session> session;
    std::vector<double> video, audio;
  };
  std::vector<std::pair<LatencyMode, std::unique_ptr<Viewing>>> viewings;
  const auto from = Clock::now() + kSettle;
  const auto note = [from](std::vector<double>& out, std::span<const uint8_t> bytes) {
    const auto now = Clock::now();
    const auto mark = read_mark(bytes);
    if (mark && now > from) out.push_back(std::chrono::duration<double, std::milli>(now - mark->made_at).count());
  };
  for (int i = 0; i <= static_cast<int>(LatencyMode::kSmooth2000); ++i) {
    const auto mode = static_cast<LatencyMode>(i);
    auto viewing = std::make_unique<Viewing>();
    SessionConfig config = run.config("viewer-" + std::to_string(i));
    config.latency_mode = mode;
    viewing->session = run.connect(config);
    Scene::view(*viewing->session, video).on_video([note, viewing = viewing.get()](const VideoFrame& frame) {
      note(viewing->video, frame.bytes);
    });
    Scene::view(*viewing->session, audio).on_audio([note, viewing = viewing.get()](const AudioFrame& frame) {
      note(viewing->audio, frame.bytes);
    });
    viewings.emplace_back(mode, std::move(viewing));
  }
  std::this_thread::sleep_until(from + kMeasure);
  const auto middle = [](std::vector<double>& values) {
    if (values.empty()) return 0.0;
    std::nth_element(values.begin(), values.begin() + static_cast<ptrdiff_t>(values.size() / 2), values.end());
    return values[values.size() / 2];
  };
  for (auto& [mode, viewing] : viewings) {
    viewing->session.reset();  // no handler runs any more
    Delay& delay = all[mode];
    delay = {middle(viewing->video), middle(viewing->audio), static_cast<int>(viewing->video.size()),
             static_cast<int>(viewing->audio.size())};
    std::printf("%-11s video %7.1f ms (%d frames), audio %7.1f ms (%d packets)\n", std::string(to_text(mode)).c_str(),
                delay.video_ms, delay.video_frames, delay.audio_ms, delay.audio_frames);
  }
  return all;
}

void expect_delay(LatencyMode mode, double wanted_ms) {
  const Delay& delay = delays().at(mode);
  EXPECT_GT(delay.video_frames, 30);
  EXPECT_GT(delay.audio_frames, 30);
  EXPECT_NEAR(delay.video_ms, wanted_ms, wanted_ms / 5);
  EXPECT_NEAR(delay.audio_ms, wanted_ms, wanted_ms / 5);
}

void ultra_low(Scene&) {
  constexpr double kMostMs = 60;
  const Delay& delay = delays().at(LatencyMode::kUltraLow);
  EXPECT_GT(delay.video_frames, 30);
  EXPECT_LT(delay.video_ms, kMostMs);
  EXPECT_LT(delay.audio_ms, kMostMs);
}

void default_latency(Scene&) {
  constexpr double kMostMs = 200;
  const Delay& delay = delays().at(LatencyMode::kDefault);
  EXPECT_GT(delay.video_frames, 30);
  EXPECT_LT(delay.video_ms, kMostMs);
  EXPECT_LT(delay.audio_ms, kMostMs);
}

// ---- rates ----------------------------------------------------------------------------------------------------------

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

// ---- a sender -------------------------------------------------------------------------------------------------------

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
  Publisher ann;
  ann.peer = "ann-" + run.id(), ann.name = "stream-" + run.id(), ann.label = "label-" + run.id();
  ann.session = run.connect(run.config("ann"));
  auto sender = ann.session->create_sender({.name = ann.name, .kind = kind, .label = ann.label});
  ASSERT_TRUE(sender.ok());
  EXPECT_EQ(Scene::find(*run.viewer(), ann).kind, kind);
}

void source(Scene& run) {
  Publisher ann;
  ann.peer = "ann-" + run.id(), ann.name = "stream-" + run.id(), ann.label = "label-" + run.id();
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

// ---- all of them ----------------------------------------------------------------------------------------------------

std::vector<Property> all_properties() {
  std::vector<Property> all{
      {"smoke", {}, call},
      {"room_id", {"room_id"}, room_id},
      {"peer_id", {"peer_id"}, peer_id},
      {"token", {"token"}, token},
      {"senders", {"senders"}, senders},
      {"receivers", {"receivers"}, receivers},
      {"codecs_opus", {"codecs=OPUS"}, codecs_opus},
      {"latency_ultra_low", {}, ultra_low},  // on a link without jitter the default is nearly as quick
      {"latency_default", {"latency_mode=default"}, default_latency},
      {"mix_minus_all", {"mix_minus_audio", "mix_minus_audio=all"}, mix_all},
      {"mix_minus_manual", {"mix_minus_audio", "mix_minus_audio=manual"}, mix_manual},
      {"mix_minus_disabled", {"mix_minus_audio=disabled"}, mix_disabled},
      {"bitrate_by_client", {"bitrate_control_mode=SumBitrateWithClientSide"}, by_client},
      {"bitrate_by_sum", {"bitrate_control_mode", "bitrate_control_mode=SumBitrateOnly"}, by_sum},
      {"bitrate_by_stream", {"bitrate_control_mode", "bitrate_control_mode=PerStream"}, by_stream},
      {"name", {"name"}, name},
      {"label", {"label"}, label},
      {"kind_audio", {"kind", "kind=audio"}, [](Scene& run) { kind(run, MediaKind::kAudio); }},
      {"kind_video", {"kind", "kind=video"}, [](Scene& run) { kind(run, MediaKind::kVideo); }},
      {"source", {"source"}, source},
      {"max_bitrate", {"max_bitrate"}, max_bitrate},
      {"simulcast", {"simulcast"}, simulcast},
      {"screen", {"screen"}, screen},
      {"preferred_opus", {}, preferred_opus},  // the only audio codec that there is
  };
  const std::pair<LatencyMode, double> smooth[] = {{LatencyMode::kSmooth200, 200},
                                                   {LatencyMode::kSmooth500, 500},
                                                   {LatencyMode::kSmooth800, 800},
                                                   {LatencyMode::kSmooth1000, 1000},
                                                   {LatencyMode::kSmooth2000, 2000}};
  for (const auto& [mode, ms] : smooth) {
    const std::string text(to_text(mode));
    all.push_back({"latency_" + std::to_string(static_cast<int>(ms)),
                   {"latency_mode", "latency_mode=" + text},
                   [mode = mode, ms = ms](Scene&) { expect_delay(mode, ms); }});
  }
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

class Properties : public testing::TestWithParam<Property> {};

TEST_P(Properties, Hold) {
  Scene run;
  GetParam().body(run);
}

INSTANTIATE_TEST_SUITE_P(Each, Properties, testing::ValuesIn(all_properties()),
                         [](const auto& one) { return one.param.name; });

// For matrix.mjs: which test has to fail with which switch.
TEST(PropertyTable, IsKnown) {
  const bool is_asked = std::getenv("ATM0S_TEST_TABLE") != nullptr;
  for (const Property& property : all_properties()) {
    for (const std::string& one : property.switches) {
      if (is_asked) std::printf("switch %s %s\n", one.c_str(), property.name.c_str());
    }
  }
}

}  // namespace
}  // namespace atm0s::test

// latency_mode: from the moment in which a frame was made until it is handed out.
#include <algorithm>
#include <map>
#include <span>

#include "gate.h"
#include "scene.h"

namespace atm0s::test {

namespace {

struct Delay {
  double video_ms = 0, audio_ms = 0;
  int video_frames = 0, audio_frames = 0;
};

void note(std::vector<double>& out, std::span<const uint8_t> bytes, Clock::time_point from) {
  const auto now = Clock::now();
  const auto mark = read_mark(bytes);
  if (mark && now > from) out.push_back(std::chrono::duration<double, std::milli>(now - mark->made_at).count());
}

double middle_of(std::vector<double>& values) {
  if (values.empty()) return 0;
  std::nth_element(values.begin(), values.begin() + static_cast<ptrdiff_t>(values.size() / 2), values.end());
  return values[values.size() / 2];
}

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
  for (int i = 0; i <= static_cast<int>(LatencyMode::kSmooth2000); ++i) {
    const auto mode = static_cast<LatencyMode>(i);
    auto viewing = std::make_unique<Viewing>();
    SessionConfig config = run.config("viewer-" + std::to_string(i));
    config.latency_mode = mode;
    viewing->session = run.connect(config);
    Scene::view(*viewing->session, video).on_video([from, viewing = viewing.get()](const VideoFrame& frame) {
      note(viewing->video, frame.bytes, from);
    });
    Scene::view(*viewing->session, audio).on_audio([from, viewing = viewing.get()](const AudioFrame& frame) {
      note(viewing->audio, frame.bytes, from);
    });
    viewings.emplace_back(mode, std::move(viewing));
  }
  std::this_thread::sleep_until(from + kMeasure);
  for (auto& [mode, viewing] : viewings) {
    viewing->session.reset();  // no handler runs any more
    Delay& delay = all[mode];
    delay = {middle_of(viewing->video), middle_of(viewing->audio), static_cast<int>(viewing->video.size()),
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

// Over a way whose delay varies: the default waits until nearly all of a frame's time are there, ultra-low for nothing.
void ultra_low_with_jitter(Scene& run) {
  constexpr auto kJitter = 60ms;
  constexpr auto kSettle = 4s, kMeasure = 3s;
  const Gate gate(gated_server().media_port(), {.jitter = kJitter});
  run.move_to(gated_server().url());
  Publisher ann = run.publish({});
  ann.pump.reset();
  ann.pump = std::make_unique<Pump>([video = ann.video](uint64_t number) {
    constexpr size_t kFrameSize = 400;  // one packet, and no rate that anything would have to be done about
    const bool is_key = video->take_key_frame_request() || number == 0;
    return video->push({.bytes = make_video(Codec::kVp8, is_key, number, kFrameSize)});
  });
  struct Viewing {
    std::unique_ptr<Session> session;
    std::vector<double> delays;
  };
  Viewing viewings[2];
  const auto from = Clock::now() + kSettle;
  for (const LatencyMode mode : {LatencyMode::kUltraLow, LatencyMode::kDefault}) {
    Viewing& viewing = viewings[mode == LatencyMode::kDefault];
    SessionConfig config = run.config("viewer-" + std::string(to_text(mode)));
    config.latency_mode = mode;
    viewing.session = run.connect(config);
    Scene::view(*viewing.session, ann).on_video([from, &viewing](const VideoFrame& frame) {
      note(viewing.delays, frame.bytes, from);
    });
  }
  std::this_thread::sleep_until(from + kMeasure);
  double middles[2];
  for (int i = 0; i < 2; ++i) {
    viewings[i].session.reset();  // no handler runs any more
    EXPECT_GT(viewings[i].delays.size(), 100u);
    middles[i] = middle_of(viewings[i].delays);
  }
  std::printf("with jitter of %d ms: ultra-low %.1f ms, default %.1f ms\n", static_cast<int>(kJitter.count()),
              middles[0], middles[1]);
  EXPECT_LT(middles[0] * 4 / 3, middles[1]);
}

}  // namespace

std::vector<Property> latency_properties() {
  std::vector<Property> all{
      {"latency_ultra_low", {}, ultra_low},  // on a link without jitter the default is nearly as quick
      {"latency_ultra_low_jitter", {"latency_mode", "latency_mode=ultra-low"}, ultra_low_with_jitter},
      {"latency_default", {"latency_mode=default"}, default_latency},
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
  return all;
}

}  // namespace atm0s::test

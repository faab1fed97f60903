#include "scene.h"

#include <algorithm>
#include <set>

#include "base/assert.h"

namespace atm::layers {
namespace {

constexpr Duration kPatience = 20s;  // for a connection and the first news of the stream

sim::LinkConfig link_of(const Network& network) {
  sim::LinkConfig link{20ms, 0ms, network.loss};
  link.reordering = network.reordering;
  return link;
}

std::string file_name(std::string text) {
  std::replace(text.begin(), text.end(), ' ', '-');
  return text;
}

}  // namespace

const std::vector<Mode>& modes() {
  static const std::vector<Mode> kModes{
      {"VP8 L1T1", {"vp8-L1T1"}},
      {"VP8 L1T2", {"vp8-L1T2"}},
      {"VP8 L1T3", {"vp8-L1T3-f"}},
      {"VP8 simulcast", {"vp8-L1T3-q", "vp8-L1T3-h", "vp8-L1T3-f"}},
      {"H264 L1T1", {"h264-L1T1-f"}},
      {"H264 simulcast", {"h264-L1T1-q", "h264-L1T1-h", "h264-L1T1-f"}},
      {"VP9 L1T1", {"vp9-L1T1"}, Vp9Mode::kGroup},
      {"VP9 L1T3", {"vp9-L1T3-f"}, Vp9Mode::kGroup},
      {"VP9 L1T3 flexible", {"vp9-L1T3-f"}},
      {"VP9 simulcast", {"vp9-L1T3-q", "vp9-L1T3-h", "vp9-L1T3-f"}, Vp9Mode::kGroup},
      {"VP9 L3T3", {"vp9-L3T3"}, Vp9Mode::kGroup},
      {"VP9 L3T3 flexible", {"vp9-L3T3"}},
      {"VP9 L3T3_KEY", {"vp9-L3T3_KEY"}},
      {"AV1 L1T1", {"av1-L1T1-f"}},
      {"AV1 simulcast", {"av1-L1T1-q", "av1-L1T1-h", "av1-L1T1-f"}},
      {"AV1 L1T3", {"av1-L1T3"}},
      {"AV1 L3T3", {"av1-L3T3"}},
      {"AV1 L3T3_KEY", {"av1-L3T3_KEY"}},
  };
  return kModes;
}

const Mode& find_mode(const std::string& name) {
  const auto found = std::find_if(modes().begin(), modes().end(), [&](const Mode& mode) { return mode.name == name; });
  ASSERT(found != modes().end());
  return *found;
}

const std::vector<std::vector<Wish>>& usual_schedules() {
  static const std::vector<std::vector<Wish>> kSchedules{
      {{}},
      {{0, 0, 0}, {0, 2, 2}, {0, 1, 1}, {0, 2, 0}, {0, 0, 2}, {0, 2, 1}, {0, 1, 2}, {0, 2, 2}},
  };
  return kSchedules;
}

bool ClipViewer::on_packet(Now now, const peer::MediaLine& line, const peer::ReceivedPacket& packet) {
  ViewedPacket viewed;
  viewed.sequence = packet.sequence;
  viewed.timestamp = packet.view.timestamp;
  viewed.marker = packet.view.marker;
  viewed.payload.assign(packet.view.payload.begin(), packet.view.payload.end());
  const uint8_t id = line.extensions().id_of(rtp::Extension::kDependencyDescriptor);
  const ByteView descriptor = rtp::find_extension(packet.view, id).value_or(ByteView{});
  viewed.descriptor.assign(descriptor.begin(), descriptor.end());
  viewed.at = now.mono;
  packets.push_back(viewed);
  return receiver.on_packet(viewed);
}

size_t ClipViewer::pictures_that_came() const {
  std::set<uint32_t> timestamps;
  for (const ViewedPacket& packet : packets) timestamps.insert(packet.timestamp);
  return timestamps.size();
}

Scene::Scene(const Mode& m, const Network& n, uint64_t s) : mode(m), network(n), seed(s), rng(s) {
  std::vector<const Clip*> clips;
  for (const char* name : mode.clips) clips.push_back(&find_clip(name));
  source = std::make_unique<ClipSender>(clips, mode.vp9, rng);
}

// Null when it is refused.
sim::Client* Scene::join(sim::World& world, const std::string& name, sim::OwnVideo& video, bool is_source) {
  sim::ClientConfig config;
  config.peer = name;
  config.sends_audio = false;
  config.sends_video = is_source;
  config.sends_simulcast = is_source && mode.clips.size() > 1;
  config.audio_receivers = 0;
  config.video_receivers = is_source ? 0 : 1;
  config.own_video = &video;
  // What is tested is the choice by limits; an estimate would begin with a low layer.
  config.gives_feedback = is_source;
  sim::Client& client = world.add_client(config);
  return world.connect(client) ? &client : nullptr;
}

bool Scene::run(const std::vector<std::vector<Wish>>& schedules) {
  sim::World world(seed, link_of(network));
  if (join(world, "source", *source, true) == nullptr) return false;
  std::vector<sim::Client*> viewers;
  size_t turns = 0;
  for (const std::vector<Wish>& schedule : schedules) {
    View& view = views.emplace_back();
    view.name = views.size() == 1 ? "top" : "changing";
    view.video = std::make_unique<ClipViewer>(source->clips()[0]->codec);
    viewers.push_back(join(world, view.name, *view.video, false));
    if (viewers.back() == nullptr) return false;
    turns = std::max(turns, schedule.size());
  }
  const auto is_told = [&] {
    return std::all_of(viewers.begin(), viewers.end(), [](sim::Client* v) { return v->streams().size() == 1; });
  };
  if (!world.run_until(is_told, kPatience)) return false;
  for (sim::Client* viewer : viewers) world.view(*viewer, "video_0", "source", "video_main");
  for (size_t turn = 0; turn < turns; ++turn) {
    for (size_t i = 0; i < schedules.size(); ++i) {
      if (turn >= schedules[i].size()) continue;
      Wish wish = schedules[i][turn];
      wish.tick = source->sent().size();
      views[i].wishes.push_back(wish);
      contract::ReceiverLimit limit;
      limit.max_spatial = wish.spatial;
      limit.max_temporal = wish.temporal;
      world.request(*viewers[i], contract::ReceiverSetLimit{"video_0", limit});
    }
    world.run_for(kWishLasts);
  }
  return true;
}

Verdict Scene::judge(const View& view, const FrameReceiver& receiver, const std::string& suffix) const {
  const Judge judge{*source, network.has_loss()};
  return judge.judge(file_name(std::string(mode.name) + " " + network.name + " " + view.name + suffix), receiver,
                     view.wishes);
}

}  // namespace atm::layers

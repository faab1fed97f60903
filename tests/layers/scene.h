// One call in virtual time through the real server: a publisher of clips, viewers with limits that change, links that
// lose. What comes out is what every viewer's decoder would be given.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "clip_sender.h"
#include "frame_receiver.h"
#include "judge.h"
#include "world.h"

namespace atm::layers {

// A codec and its layers; the names of clips are those of tests/layers/clips, lowest simulcast layer first.
struct Mode {
  const char* name;
  std::vector<const char*> clips;
  Vp9Mode vp9 = Vp9Mode::kFlexible;
};
const std::vector<Mode>& modes();
const Mode& find_mode(const std::string& name);

struct Network {
  const char* name;
  // On each link.
  double loss = 0;
  double reordering = 0;
  bool has_loss() const { return loss > 0 || reordering > 0; }
};

class ClipViewer : public sim::OwnVideo {
 public:
  explicit ClipViewer(Codec codec) : receiver(codec) {}
  Instant send(Now, peer::Peer&, size_t, SendBatch&) override { return kNever; }
  void on_key_frame_wanted(uint32_t) override {}
  void on_rtcp(Now, peer::Peer&, size_t, ByteView, SendBatch&) override {}
  bool on_packet(Now now, const peer::MediaLine& line, const peer::ReceivedPacket& packet) override;

  FrameReceiver receiver;
  std::vector<ViewedPacket> packets;  // all that came, as it came
  size_t pictures_that_came() const;  // whole or not
};

struct View {
  std::string name;
  std::unique_ptr<ClipViewer> video;
  std::vector<Wish> wishes;
};

struct Scene {
  Scene(const Mode& m, const Network& n, uint64_t s);
  // Viewers that wish each of these in turn, each for kWishLasts. False when somebody does not connect.
  static constexpr Duration kWishLasts = 2s;
  bool run(const std::vector<std::vector<Wish>>& schedules);
  // Of a view of this scene: what came, or what came of `receiver` instead.
  Verdict judge(const View& view, const FrameReceiver& receiver, const std::string& suffix = {}) const;
  Verdict judge(const View& view) const { return judge(view, view.video->receiver); }

  const Mode& mode;
  Network network;
  uint64_t seed;
  SeededRng rng;
  std::unique_ptr<ClipSender> source;
  std::vector<View> views;

 private:
  sim::Client* join(sim::World& world, const std::string& name, sim::OwnVideo& video, bool is_source);
};

// The top all the time; and up and down, spatial and temporal.
const std::vector<std::vector<Wish>>& usual_schedules();

}  // namespace atm::layers

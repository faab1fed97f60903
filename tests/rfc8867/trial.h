// One case in virtual time: each media flow is a real server Peer that sends to a real client Peer, through ICE, DTLS,
// SRTP, feedback and repair, over the hops that they share. The camera follows the server's estimate.
// The same seed gives the same run.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/peer/call_test.h"
#include "meter.h"
#include "path.h"
#include "scenario.h"
#include "video.h"

namespace atm::rfc8867 {

class Trial {
 public:
  Trial(const Scenario& scenario, uint64_t seed);
  // False: a call could not be made.
  bool play();
  Figures figures() { return meter_.close(); }
  std::string csv() const { return meter_.csv_header() + meter_.csv(); }

 private:
  struct Flow {
    Flow(peer::CallWorld& world, uint64_t seed) : call(world, true), camera(seed) {}
    peer::Call call;
    Camera camera;
    Screen screen;
    Instant next_frame = kNever;
    bool wants_key_frame = true;
    bool was_active = false;
    int64_t frame = 0;
    int64_t sequence = 1'000;
    uint32_t timestamp = 0;
  };

  Instant now() const { return world_.now.mono; }
  Duration elapsed() const { return now() - origin_; }
  Instant next_event() const;
  void step();
  void deliver(Packet&& packet);
  void look_at(size_t flow);
  void time_out(peer::Call& call, peer::Call::End& end);
  void film(size_t flow);
  void tick();

  const Scenario& scenario_;
  uint64_t seed_;
  peer::CallWorld world_;
  std::vector<std::unique_ptr<Flow>> flows_;
  std::vector<Packet> arrived_;
  Meter meter_;
  std::optional<Path> path_;  // of meter_; from origin_ on
  Instant origin_{};
  Instant next_tick_{};
};

}  // namespace atm::rfc8867

// Simulated flows over one bottleneck in virtual time, for the tests of congestion control: each flow is a Controller
// and a Builder with a paced source of media, the bottleneck is a rate, a queue bounded in time, a delay and a loss.
// Steps of a quarter of a millisecond; all randomness from one seed.
#pragma once

#include <algorithm>
#include <cstdint>
#include <deque>
#include <memory>
#include <utility>
#include <vector>

#include "base/rng.h"
#include "core/bwe/arrivals.h"
#include "core/bwe/controller.h"

namespace atm::bwe {

inline constexpr size_t kPacketSize = 1'200;
inline constexpr Duration kStep = 250us;
inline const Instant kBegin{100s};

struct LinkSettings {
  uint64_t bps = 4'000'000;
  Duration delay = 50ms;  // one way
  Duration longest_queue = 300ms;
  unsigned lost_per_mille = 0;
  uint64_t feedback_bps = 0;  // of the way back; 0: feedback is not held up
  Duration feedback_queue = 300ms;
  bool is_dark = false;  // nothing gets through, either way
};

struct Flow {
  explicit Flow(const Config& config) : controller(config) {}
  Controller controller;
  TransportFeedbackBuilder builder;
  uint64_t most_bps = UINT64_MAX;  // the source makes min(target, that)
  Instant starts = kBegin;
  double owed_bytes = 0;  // of media
  double paced_bytes = 0;
  Duration frame_every{};  // media comes in frames; 0: evenly
  Instant next_frame = kBegin;
  bool goes_in_bursts = false;  // a frame leaves at once
  bool tells_turns = false;     // and says how early its packets are
  double queued_bytes = 0;      // behind the pacer
  bool plays_probes = true;     // else as a sender without padding
  std::optional<ProbeCluster> probe;
  size_t probe_packets = 0;
  size_t probe_bytes = 0;
  Instant probe_began{};
  uint64_t arrived_bytes = 0;
  uint64_t marked_bytes = 0;  // at the last mark()

  double mark(Duration elapsed) {
    const double bps = static_cast<double>(arrived_bytes - marked_bytes) * 8e6 / static_cast<double>(elapsed.count());
    marked_bytes = arrived_bytes;
    return bps;
  }
};

class Bottleneck {
 public:
  explicit Bottleneck(const LinkSettings& settings, uint64_t seed = 1) : link(settings), rng_(seed) {}

  Flow& add(const Config& config = {}) {
    flows.push_back(std::make_unique<Flow>(config));
    return *flows.back();
  }

  void run(Duration length) {
    for (const Instant end = now + length; now < end; now += kStep) step();
  }

  // Of the packets since the last clear_delays().
  double p95_queue_ms() {
    if (delays_.empty()) return 0;
    const size_t at = delays_.size() * 95 / 100;
    std::nth_element(delays_.begin(), delays_.begin() + static_cast<std::ptrdiff_t>(at), delays_.end());
    return static_cast<double>(delays_[at].count()) / 1'000;
  }
  void clear_delays() { delays_.clear(); }
  Now time() const { return {now, WallTime{} + now.time_since_epoch()}; }

  LinkSettings link;
  std::vector<std::unique_ptr<Flow>> flows;
  Instant now = kBegin;

 private:
  struct InFlight {
    Instant at;
    Flow* flow;
    uint16_t sequence;
    size_t bytes;
  };
  struct Feedback {
    Instant at;
    Flow* flow;
    Bytes bytes;
  };

  void send(Flow& flow, std::optional<uint32_t> cluster, Duration ahead = {}) {
    const uint16_t sequence = flow.controller.next_sequence();
    flow.controller.on_sent(time(), sequence, kPacketSize, cluster, ahead);
    if (link.is_dark || rng_.below(1'000) < link.lost_per_mille) return;
    const Instant begins = std::max(now, free_at_);
    const Duration waits = begins - now;
    if (waits > link.longest_queue) return;
    free_at_ = begins + Duration(static_cast<int64_t>(kPacketSize * 8'000'000 / link.bps));
    delays_.push_back(waits);
    on_way_.push_back({free_at_ + link.delay, &flow, sequence, kPacketSize});
  }

  void produce(Flow& flow) {
    Controller& controller = flow.controller;
    if (now >= controller.next_timeout()) controller.on_timeout(time());
    const double step_s = static_cast<double>(kStep.count()) / 1e6;
    flow.owed_bytes += static_cast<double>(std::min(controller.target_bps(), flow.most_bps)) * step_s / 8;
    if (now >= flow.next_frame) {
      flow.next_frame = now + flow.frame_every;
      flow.queued_bytes += std::exchange(flow.owed_bytes, 0);
    }
    flow.paced_bytes += static_cast<double>(controller.pacing_bps()) * step_s / 8;
    flow.paced_bytes = std::min(flow.paced_bytes, 2.0 * kPacketSize);
    const bool was_probing = flow.probe.has_value();
    while (flow.queued_bytes >= kPacketSize && (flow.paced_bytes >= kPacketSize || flow.goes_in_bursts) &&
           !flow.probe) {
      const double early = std::max(kPacketSize - flow.paced_bytes, 0.0);
      const auto ahead = static_cast<int64_t>(early * 8e6 / static_cast<double>(controller.pacing_bps()));
      flow.queued_bytes -= kPacketSize;
      flow.paced_bytes -= kPacketSize;
      send(flow, std::nullopt, flow.tells_turns ? Duration(ahead) : Duration{});
    }
    if (!flow.probe) flow.probe = controller.take_probe();
    if (!flow.plays_probes) flow.probe.reset();
    if (flow.probe && !was_probing) {
      flow.probe_packets = flow.probe_bytes = 0;
      flow.probe_began = now;
    }
    while (flow.probe && static_cast<double>(flow.probe_bytes) * 8e6 / static_cast<double>(flow.probe->bps) <=
                             static_cast<double>((now - flow.probe_began).count())) {
      send(flow, flow.probe->id);
      if (flow.queued_bytes >= kPacketSize) flow.queued_bytes -= kPacketSize;
      flow.probe_bytes += kPacketSize;
      if (++flow.probe_packets >= flow.probe->min_packets && flow.probe_bytes >= flow.probe->min_bytes) {
        flow.probe.reset();
      }
    }
  }

  void answer(Flow& flow) {
    while (flow.builder.is_due(now)) {
      Bytes bytes(1'180);
      rtcp::CompoundWriter writer(bytes);
      flow.builder.write(now, 1, 2, writer);
      if (writer.empty()) return;
      bytes.resize(writer.size());
      if (link.is_dark) continue;
      Instant arrives = now;
      if (link.feedback_bps > 0) {
        const Instant begins = std::max(now, feedback_free_at_);
        if (begins - now > link.feedback_queue) continue;
        feedback_free_at_ =
            begins + Duration(static_cast<int64_t>((bytes.size() + 60) * 8'000'000 / link.feedback_bps));
        arrives = feedback_free_at_;
      }
      if (rng_.below(1'000) < link.lost_per_mille) continue;
      feedback_.push_back({arrives + link.delay, &flow, std::move(bytes)});
    }
  }

  void step() {
    for (const auto& flow : flows) {
      if (now >= flow->starts) produce(*flow);
    }
    for (; !on_way_.empty() && on_way_.front().at <= now; on_way_.pop_front()) {
      const InFlight& packet = on_way_.front();
      packet.flow->arrived_bytes += packet.bytes;
      packet.flow->builder.on_packet(now, packet.sequence, packet.bytes);
    }
    for (const auto& flow : flows) answer(*flow);
    for (; !feedback_.empty() && feedback_.front().at <= now; feedback_.pop_front()) {
      const Feedback& feedback = feedback_.front();
      rtcp::for_each_packet(feedback.bytes, [&](const rtcp::Packet& packet) {
        const auto* read = std::get_if<rtcp::TransportFeedback>(&packet);
        if (read) feedback.flow->controller.on_feedback(time(), *read);
      });
    }
  }

  SeededRng rng_;
  Instant free_at_ = kBegin;
  Instant feedback_free_at_ = kBegin;
  std::deque<InFlight> on_way_;
  std::deque<Feedback> feedback_;
  std::vector<Duration> delays_;
};

}  // namespace atm::bwe

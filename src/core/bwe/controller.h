// How fast one remote may be sent to: told of each packet sent and of all feedback, says a target, a pacing rate and
// which probes to play. For core/peer, for a server's sending and a client's alike; it sends nothing itself.
// Google congestion control as deployed: draft-ietf-rmcat-gcc-02, with the parts of libwebrtc's GoogCcNetworkController
// that each file names. Without transport-wide feedback: REMB and receiver reports (reported_rate.h).
// Rates are bit/s. No allocation for a packet once as many have been under way as ever are.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "base/time.h"
#include "core/bwe/acknowledged_rate.h"
#include "core/bwe/app_limited.h"
#include "core/bwe/arriving_rate.h"
#include "core/bwe/loss_bound.h"
#include "core/bwe/packet_groups.h"
#include "core/bwe/probe_plan.h"
#include "core/bwe/probe_rate.h"
#include "core/bwe/queue_delay.h"
#include "core/bwe/rate_control.h"
#include "core/bwe/reported_rate.h"
#include "core/bwe/sent_packets.h"
#include "core/bwe/silence.h"
#include "core/bwe/trendline.h"
#include "wire/rtcp/packet.h"
#include "wire/rtcp/transport_feedback.h"

namespace atm::bwe {

struct Config {
  uint64_t start_bps = 1'000'000;
  uint64_t min_bps = 30'000;
  uint64_t max_bps = 50'000'000;
};

struct Counters {
  uint64_t feedbacks = 0;
  uint64_t malformed = 0;  // feedback that could not be read
  uint64_t unknown = 0;    // packets in it that were never sent, or too long ago
  uint64_t arrived = 0;
  uint64_t lost = 0;      // without those that came after all
  uint64_t overuses = 0;  // feedbacks after which queues were found growing
  uint64_t probes = 0;
  uint64_t probe_results = 0;
  uint64_t silences = 0;  // cuts because no feedback came
};

class Controller {
 public:
  explicit Controller(const Config& config);

  // The transport-wide number of the next packet: one for each sent.
  uint16_t next_sequence() { return static_cast<uint16_t>(next_++); }
  // `bytes`: the whole datagram; that of IP and UDP may be added, always or never. `probe_cluster`: its
  // ProbeCluster::id. `ahead`: how long before its turn it went, with others in one go. The trend of the delay is of
  // turns: a frame that goes at once would be one group, and half as many groups tell half as soon that queues grow.
  void on_sent(Now now, uint16_t transport_sequence, size_t bytes, std::optional<uint32_t> probe_cluster,
               Duration ahead = {});
  void on_feedback(Now now, const rtcp::TransportFeedback& feedback);
  // A cap that is forgotten when it is not repeated for kRembLife.
  void on_remb(Now now, uint64_t bps);
  // From a receiver report; counts only while no transport-wide feedback ever came.
  void on_loss_report(Now now, uint8_t fraction_lost);
  void on_rtt(Duration rtt);
  // What all streams could use at most, with headroom: nothing faster is probed for. At first the maximum.
  void set_demand(uint64_t wanted_bps) { plan_.set_demand(wanted_bps); }
  void on_timeout(Now now);
  Instant next_timeout() const;

  // What the way carries...
  uint64_t estimate_bps() const { return estimate_bps_; }
  // ...and what to make now, which is less while a queue of ours is drained: for an encoder that follows at once.
  // Layers, which take time to change, are chosen by the estimate; the pacing rate sees to the rest.
  uint64_t target_bps() const { return target_bps_; }
  uint64_t pacing_bps() const;
  bool has_probe() const { return plan_.has_pending(); }
  // One probe to play now: its packets are handed to on_sent() with its id.
  std::optional<ProbeCluster> take_probe();
  bool has_feedback() const { return counters_.feedbacks > 0; }
  // The target is measured: by feedback, or by the receiver (REMB).
  bool is_informed() const { return has_feedback() || remb_bps_.has_value(); }
  // Nothing ever told how sending goes, though something was sent kFirstWord ago: the target is a mere guess.
  bool is_unanswered() const { return is_unanswered_; }
  // More is wanted than the target: something has to go out, or nobody would ever tell that it fits.
  bool is_short() const { return target_bps_ < plan_.most_bps(); }
  // The sender clearly sends less than the target.
  bool is_app_limited() const { return static_cast<bool>(app_limited_); }
  std::optional<uint64_t> remb_bps() const { return remb_bps_; }
  std::optional<Duration> rtt() const { return rtt_; }
  std::optional<uint64_t> acknowledged_bps() const { return acknowledged_.bps(); }
  double loss() const { return loss_.loss(); }
  const Counters& counters() const { return counters_; }

  static constexpr Duration kRembLife = 5s;
  // A remote that gives feedback does so every 50 to 250 ms (libwebrtc), and a way takes a second at most.
  static constexpr Duration kFirstWord = 1500ms;

 private:
  struct Arrival {
    int64_t sequence;
    Duration at;
    Instant sent;
    uint32_t bytes;
    uint32_t cluster;
    Duration ahead;
  };
  void collect_arrivals(Instant now);
  void measure_rtt(Instant now);
  void control(Instant now, std::optional<uint64_t> probed);
  void update_target(Instant now);
  double drain() const;
  Instant silence_at() const;
  Instant unanswered_at() const;

  Config config_;
  int64_t next_ = 1;  // unwrapped; what fits a sender that begins with 1, as libwebrtc
  SentPackets sent_;
  rtcp::PacketArrivals read_;
  std::vector<Arrival> arrivals_;
  PacketGroups groups_;
  Trendline trend_;
  AcknowledgedRate acknowledged_;
  AppLimited app_limited_;
  RateControl rate_;
  LossBound loss_;
  ReportedRate reported_;
  Silence silence_;
  ProbePlan plan_;
  ProbeRate probe_rate_;
  std::optional<Duration> rtt_;
  QueueDelay queue_;
  ArrivingRate arriving_;
  int64_t next_told_ = 0;       // the packet that the next feedback should begin with
  Instant newest_lost_sent_{};  // when that packet was sent
  int64_t lost_now_ = 0;        // packets that the feedback being read tells lost
  std::optional<uint64_t> remb_bps_;
  Instant remb_at_{};
  std::optional<int64_t> reference_;  // unwrapped reference time of the newest feedback
  Instant last_sent_{};
  Instant last_feedback_{};
  Instant last_cut_{};  // because of silence
  Instant first_sent_{};
  bool has_sent_ = false;
  bool is_unanswered_ = false;
  bool waits_ = false;  // something was sent after the last feedback
  uint64_t target_bps_;
  uint64_t estimate_bps_;
  Counters counters_;
};

}  // namespace atm::bwe

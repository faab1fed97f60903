#include "core/bwe/controller.h"

#include <algorithm>

namespace atm::bwe {
namespace {

constexpr Duration kDefaultRtt = 200ms;     // until one is known (libwebrtc)
constexpr int64_t kReferenceUs = 64'000;    // draft-holmer 3.1: reference time
constexpr double kPacingFactor = 1.5;       // of the target; libwebrtc has 2.5, see the queueing figures of the tests
constexpr Duration kStandingQueue = 100ms;  // with loss a full one
constexpr Duration kShortQueue = 50ms;      // a longer one of ours is drained
constexpr Duration kCalmQueue = 25ms;       // nobody disturbs a probe, and it disturbs nobody
constexpr double kDrainPerSecond = 5;       // of the rate, for each second that the queue is longer
constexpr double kLeastDrain = 0.5;
constexpr double kDrainingFactor = 0.9;  // of the target then, retransmissions with it
constexpr Duration kSilence = 1s;        // without feedback while packets go, and three round trips
constexpr Duration kBetweenSilenceCuts = 500ms;
// So many packets in a row, over so long, and none got through: the way was not there. A full queue or a policer loses
// many, but lets some through all the time, so that is no sign of congestion.
constexpr Duration kLeastOutage = 300ms;
constexpr int64_t kLeastOutagePackets = 10;

struct Outages {
  void on_lost(Instant sent) {
    if (in_row == 0) began = sent;
    ++in_row;
    last = sent;
  }
  void close() {
    if (in_row >= kLeastOutagePackets && last - began >= kLeastOutage) lost += in_row;
    in_row = 0;
  }
  int64_t lost = 0;  // packets
  int64_t in_row = 0;
  Instant began{};
  Instant last{};
};

}  // namespace

Controller::Controller(const Config& config)
    : config_(config),
      rate_(config.start_bps, config.min_bps, config.max_bps),
      reported_(config.start_bps, config.min_bps, config.max_bps),
      plan_(config.max_bps),
      target_bps_(config.start_bps),
      estimate_bps_(config.start_bps) {}

void Controller::on_sent(Now now, uint16_t transport_sequence, size_t bytes, std::optional<uint32_t> probe_cluster,
                         Duration ahead) {
  const int64_t newest = next_ - 1;
  const int64_t sequence = newest + static_cast<int16_t>(transport_sequence - static_cast<uint16_t>(newest));
  sent_.put(sequence, {now.mono, static_cast<uint32_t>(bytes), probe_cluster.value_or(0), SentPacket::State::kUnderWay,
                       static_cast<uint32_t>(std::max(ahead, Duration(0)).count())});
  if (!has_sent_) {
    has_sent_ = true;
    first_sent_ = now.mono;
    plan_.start(now.mono, config_.start_bps);
  }
  if (!waits_) last_feedback_ = std::max(last_feedback_, now.mono);  // silence counts from when something waits
  waits_ = true;
  last_sent_ = now.mono;
  app_limited_.on_sent(now.mono, bytes, target_bps_);
}

void Controller::on_feedback(Now now, const rtcp::TransportFeedback& feedback) {
  if (!rtcp::parse_transport_feedback(feedback.body, read_)) {
    ++counters_.malformed;
    return;
  }
  ++counters_.feedbacks;
  is_unanswered_ = false;
  last_feedback_ = now.mono;
  waits_ = false;
  collect_arrivals(now.mono);
  if (arrivals_.empty()) {
    update_target(now.mono);
    return;
  }
  if (silence_.end(now.mono)) {
    // As libwebrtc's DelayBasedBwe after its stream time-out: what came before does not make a line with what comes
    // now.
    groups_.reset();
    trend_.reset();
    plan_.on_return(now.mono, rate_.bps());
  }
  measure_rtt(now.mono);
  std::optional<uint64_t> probed;
  for (const Arrival& arrival : arrivals_) {
    acknowledged_.add(arrival.at, arrival.bytes, is_app_limited());
    if (const auto delta = groups_.add(arrival.sent + arrival.ahead, arrival.at))
      trend_.add(now.mono, *delta, arrival.at);
    if (arrival.cluster == 0) continue;
    if (const auto bps = probe_rate_.add(arrival.cluster, arrival.sent, arrival.at, arrival.bytes)) probed = bps;
  }
  control(now.mono, probed);
}

void Controller::collect_arrivals(Instant now) {
  arrivals_.clear();
  // 24 bits signed that wrap: the value nearest to the last one.
  const int64_t circle = int64_t{1} << 24;
  int64_t reference = read_.reference_time;
  if (reference_) {
    const int64_t ahead = ((reference - *reference_) % circle + circle + circle / 2) % circle - circle / 2;
    reference = *reference_ + ahead;
  }
  reference_ = reference;
  const int64_t newest = next_ - 1;
  int64_t sequence = newest + static_cast<int16_t>(read_.base_sequence - static_cast<uint16_t>(newest));
  if (sequence > next_told_) arriving_.clear();
  next_told_ = std::max(next_told_, sequence + static_cast<int64_t>(read_.since_base.size()));
  int64_t lost = 0;
  int64_t total = 0;
  Outages outages;
  for (const Duration since_base : read_.since_base) {
    SentPacket* packet = sent_.find(sequence++);
    if (!packet) {
      ++counters_.unknown;
      continue;
    }
    if (since_base == rtcp::PacketArrivals::kNotReceived) {
      if (packet->state != SentPacket::State::kUnderWay) continue;
      packet->state = SentPacket::State::kLost;
      outages.on_lost(packet->sent);
      newest_lost_sent_ = std::max(newest_lost_sent_, packet->sent);
      ++lost;
      ++total;
      ++counters_.lost;
      continue;
    }
    outages.close();
    if (packet->state == SentPacket::State::kArrived) continue;  // told twice
    if (packet->state == SentPacket::State::kLost) {
      --lost;
      --counters_.lost;
    } else {
      ++total;
    }
    packet->state = SentPacket::State::kArrived;
    ++counters_.arrived;
    const Duration at = Duration(reference * kReferenceUs) + since_base;
    arrivals_.push_back({sequence - 1, at, packet->sent, packet->bytes, packet->cluster, Duration(packet->ahead_us)});
  }
  std::sort(arrivals_.begin(), arrivals_.end(),
            [](const Arrival& a, const Arrival& b) { return a.at != b.at ? a.at < b.at : a.sequence < b.sequence; });
  outages.close();
  const int64_t no_sign = silence_.is_silent() ? std::max<int64_t>(lost, 0) : outages.lost;
  lost_now_ = lost - no_sign;
  const bool stands = queue_.delay() > kStandingQueue && !queue_.competes();
  loss_.add(now, lost_now_, total - no_sign, estimate_bps_, rtt_.value_or(kDefaultRtt),
            stands ? arriving_.bps() : std::nullopt);
}

// While a queue of ours stands less is sent, so that it goes within about a second.
double Controller::drain() const {
  if (queue_.competes() || queue_.delay() <= kShortQueue) return 1;
  const double over_s = static_cast<double>((queue_.delay() - kShortQueue).count()) / 1e6;
  return std::max(1 - over_s * kDrainPerSecond, kLeastDrain);
}

// As libwebrtc: from sending to feedback, less how long the receiver kept it back at least.
void Controller::measure_rtt(Instant now) {
  Duration least = Duration::max();
  for (const Arrival& arrival : arrivals_) {
    least = std::min(least, now - arrival.sent - (arrivals_.back().at - arrival.at));
  }
  if (least < Duration(0)) return;
  on_rtt(least);
  Duration one_way = Duration::max();
  size_t bytes = 0;
  for (const Arrival& arrival : arrivals_) {
    one_way = std::min(one_way, arrival.at - arrival.sent.time_since_epoch());
    bytes += arrival.bytes;
  }
  queue_.add(now, one_way);
  arriving_.add(arrivals_.front().at, arrivals_.back().at, bytes, arrivals_.front().bytes);
}

void Controller::on_rtt(Duration rtt) {
  if (rtt < Duration(0)) return;
  rtt_ = rtt_ ? (*rtt_ * 7 + rtt) / 8 : rtt;  // RFC 6298 2.3
}

void Controller::control(Instant now, std::optional<uint64_t> probed) {
  Usage usage = trend_.usage();
  if (usage == Usage::kUnderusing && queue_.delay() < kCalmQueue) usage = Usage::kNormal;  // nothing is left to drain
  const uint64_t before = rate_.bps();
  if (usage == Usage::kOverusing) ++counters_.overuses;
  if (probed && usage != Usage::kOverusing && !queue_.competes()) {
    ++counters_.probe_results;
    // libwebrtc takes lower results too; one short of what arrives anyway was disturbed by others' packets.
    if (*probed > rate_.bps() || !acknowledged_.bps() || *probed > *acknowledged_.bps()) {
      rate_.on_probe(now, *probed);
      silence_.lift();
      acknowledged_.expect_fast_change();  // what arrives will jump; an overuse is not to be judged by the old rate
      plan_.on_result(now, *probed);
      loss_.on_probe(*probed);
    }
  } else if (queue_.competes()) {
    rate_.compete(now, lost_now_ > 0 ? newest_lost_sent_ : Instant{}, rtt_.value_or(kDefaultRtt), acknowledged_.bps());
  } else {
    std::optional<uint64_t> acknowledged = acknowledged_.bps();
    // What comes out of a queue that stands is what the way carries, now.
    if (usage == Usage::kOverusing && queue_.delay() > kShortQueue && arriving_.bps()) acknowledged = arriving_.bps();
    rate_.update(now, usage, acknowledged, rtt_.value_or(kDefaultRtt), is_app_limited());
  }
  if (usage == Usage::kOverusing && rate_.bps() < before) plan_.on_cut(now, rate_.bps());
  if (usage != Usage::kOverusing) silence_.grow(now, rtt_.value_or(kDefaultRtt), rate_.bps());
  update_target(now);
}

void Controller::update_target(Instant now) {
  uint64_t target = has_feedback() ? rate_.bps() : reported_.bps();
  if (const auto bound = loss_.bps(); bound && has_feedback() && !queue_.competes()) target = std::min(target, *bound);
  if (remb_bps_ && now - remb_at_ >= kRembLife) remb_bps_.reset();
  if (remb_bps_) target = std::min(target, *remb_bps_);
  if (const auto bound = silence_.bps()) target = std::min(target, *bound);
  estimate_bps_ = std::clamp(target, config_.min_bps, config_.max_bps);
  target = static_cast<uint64_t>(static_cast<double>(target) * drain());
  target_bps_ = std::clamp(target, config_.min_bps, config_.max_bps);
  const bool is_calm = trend_.usage() != Usage::kOverusing && queue_.delay() < kCalmQueue && !queue_.competes();
  plan_.update(now, {target_bps_, is_app_limited(), app_limited_.since(), is_calm});
}

void Controller::on_remb(Now now, uint64_t bps) {
  remb_bps_ = bps;
  is_unanswered_ = false;
  remb_at_ = now.mono;
  reported_.on_remb(now.mono, bps);
  update_target(now.mono);
}

void Controller::on_loss_report(Now now, uint8_t fraction_lost) {
  if (has_feedback()) return;
  reported_.on_loss(now.mono, fraction_lost, rtt_.value_or(kDefaultRtt));
  update_target(now.mono);
}

// Feedback has come before and now it does not, though packets are sent.
Instant Controller::silence_at() const {
  if (!has_feedback() || !waits_) return kNever;
  return std::max(last_feedback_ + kSilence + 3 * rtt_.value_or(kDefaultRtt), last_cut_ + kBetweenSilenceCuts);
}

Instant Controller::unanswered_at() const {
  return has_sent_ && !is_informed() && !is_unanswered_ ? first_sent_ + kFirstWord : kNever;
}

void Controller::on_timeout(Now now) {
  if (now.mono >= unanswered_at()) is_unanswered_ = true;
  if (now.mono >= silence_at() && now.mono - last_sent_ < kSilence) {
    ++counters_.silences;
    silence_.cut(target_bps_, rate_.bps());
    last_cut_ = now.mono;
  } else if (now.mono >= silence_at()) {
    waits_ = false;  // nothing is sent any more: nothing is waited for
  }
  update_target(now.mono);
}

Instant Controller::next_timeout() const {
  const Instant remb = remb_bps_ ? remb_at_ + kRembLife : kNever;
  return std::min({silence_at(), unanswered_at(), remb, plan_.next_timeout()});
}

uint64_t Controller::pacing_bps() const {
  const bool drains = queue_.delay() > kShortQueue && !queue_.competes();
  return static_cast<uint64_t>(static_cast<double>(target_bps_) * (drains ? kDrainingFactor : kPacingFactor));
}

std::optional<ProbeCluster> Controller::take_probe() {
  const std::optional<ProbeCluster> cluster = plan_.take();
  if (!cluster) return cluster;
  probe_rate_.begin(*cluster);
  ++counters_.probes;
  return cluster;
}

}  // namespace atm::bwe

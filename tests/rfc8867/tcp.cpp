#include "tcp.h"

#include <algorithm>
#include <cmath>

namespace atm::rfc8867 {
namespace {

constexpr double kLeastRtoSeconds = 0.2;  // Linux; RFC 6298 has 1 s
constexpr int64_t kReordering = 3;        // RFC 6675: DupThresh

}  // namespace

Tcp::Tcp(const TcpConfig& config, size_t flow, Instant origin, uint64_t seed)
    : config_(config), flow_(flow), origin_(origin), rng_(seed), starts_at_(origin + config.start) {
  if (config.is_short && config.thinks_first) starts_at_ += think();
}

Duration Tcp::think() {
  return Duration(static_cast<int64_t>(-std::log(uniform(rng_)) * static_cast<double>(config_.mean_pause.count())));
}

void Tcp::begin(Instant now) {
  is_active_ = true;
  starts_at_ = kNever;
  if (config_.is_short) {
    const double size = static_cast<double>(config_.least_bytes) +
                        uniform(rng_) * static_cast<double>(config_.most_bytes - config_.least_bytes);
    end_ = next_ + static_cast<int64_t>(std::ceil(size / kSegment));
    window_ = 10;
    threshold_ = 1e9;
  }
  timer_ = now + 1s;
}

Instant Tcp::next_timeout() const {
  return std::min(starts_at_, is_active_ ? timer_ : kNever);
}

void Tcp::on_timeout(Instant now, std::vector<Packet>& out) {
  if (now >= origin_ + config_.stop) {
    is_active_ = false;
    starts_at_ = kNever;
    return;
  }
  if (now >= starts_at_) {
    begin(now);
    send_more(now, out);
  } else if (is_active_ && now >= timer_) {
    // RFC 5681 3.1: all that is out is taken for lost.
    threshold_ = std::max(static_cast<double>(under_way_) / 2, 2.0);
    window_ = 1;
    recover_ = next_;
    for (auto& [number, segment] : out_) segment = {segment.sent, true, false};
    under_way_ = 0;
    ++backoff_;
    send_more(now, out);
  }
}

void Tcp::sample(Duration rtt) {
  const double r = static_cast<double>(rtt.count()) / 1e6;
  if (srtt_s_ == 0) {
    srtt_s_ = r;
    rttvar_s_ = r / 2;
    return;
  }
  rttvar_s_ = 0.75 * rttvar_s_ + 0.25 * std::fabs(srtt_s_ - r);
  srtt_s_ = 0.875 * srtt_s_ + 0.125 * r;
}

Packet Tcp::on_segment(Instant now, const Packet& segment) {
  received_bytes_ += segment.size;
  if (segment.number == expected_) {
    ++expected_;
    for (; early_.erase(expected_) > 0; ++expected_) continue;
  } else if (segment.number > expected_) {
    early_.insert(segment.number);
  }
  Packet ack;
  ack.flow = flow_;
  ack.kind = Kind::kTcpAck;
  ack.is_forward = !config_.is_forward;
  ack.size = kHeaders;
  ack.delay = config_.delay;
  ack.sent = now;
  ack.number = segment.number;
  ack.cumulative = expected_;
  return ack;
}

void Tcp::on_ack(Instant now, const Packet& ack, std::vector<Packet>& out) {
  highest_acked_ = std::max(highest_acked_, ack.number);
  size_t acked = 0;
  const auto forget = [&](std::map<int64_t, Segment>::iterator it) {
    if (!it->second.is_lost) --under_way_;
    ++acked;
    return out_.erase(it);
  };
  if (const auto it = out_.find(ack.number); it != out_.end()) {
    if (!it->second.is_repaired) sample(now - it->second.sent);  // RFC 6298 3: Karn
    forget(it);
  }
  while (!out_.empty() && out_.begin()->first < ack.cumulative) forget(out_.begin());
  if (acked > 0) {
    backoff_ = 0;
    timer_ = now + Duration(static_cast<int64_t>(std::max(srtt_s_ + 4 * rttvar_s_, kLeastRtoSeconds) * 1e6));
  }
  if (ack.cumulative > recover_) {
    for (size_t i = 0; i < acked; ++i) window_ += window_ < threshold_ ? 1 : 1 / window_;
  }
  find_losses();
  if (out_.empty() && next_ >= end_) {
    is_active_ = false;
    starts_at_ = now + think();
    return;
  }
  send_more(now, out);
}

void Tcp::find_losses() {
  bool has_lost = false;
  for (auto& [number, segment] : out_) {
    if (number + kReordering > highest_acked_) break;
    if (segment.is_lost || segment.is_repaired) continue;
    segment.is_lost = true;
    --under_way_;
    has_lost |= number >= recover_;
  }
  if (!has_lost) return;
  threshold_ = std::max((static_cast<double>(under_way_) + 1) / 2, 2.0);
  window_ = threshold_;
  recover_ = next_;
}

void Tcp::transmit(Instant now, int64_t number, std::vector<Packet>& out) {
  Packet packet;
  packet.flow = flow_;
  packet.kind = Kind::kTcp;
  packet.is_forward = config_.is_forward;
  packet.size = static_cast<size_t>(kSegment) + kHeaders;
  packet.delay = config_.delay;
  packet.sent = now;
  packet.number = number;
  out.push_back(std::move(packet));
  ++under_way_;
}

void Tcp::send_more(Instant now, std::vector<Packet>& out) {
  if (!is_active_ || now >= origin_ + config_.stop) return;
  for (auto& [number, segment] : out_) {
    if (static_cast<double>(under_way_) >= window_) break;
    if (!segment.is_lost) continue;
    segment = {now, false, true};
    transmit(now, number, out);
  }
  while (static_cast<double>(under_way_) < window_ && next_ < end_) {
    out_[next_] = {now, false, false};
    transmit(now, next_++, out);
  }
  const double rto = srtt_s_ == 0 ? 1 : std::max(srtt_s_ + 4 * rttvar_s_, kLeastRtoSeconds);
  timer_ = now + Duration(static_cast<int64_t>(std::min(rto * std::exp2(backoff_), 60.0) * 1e6));
}

}  // namespace atm::rfc8867

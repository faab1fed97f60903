#include "meter.h"

#include <algorithm>
#include <cstdio>

namespace atm::rfc8867 {
namespace {

constexpr double kOver = 1.1;            // a drop is followed when that much of the new capacity is sent at most
constexpr Duration kShortQueue = 100ms;  // and the queue is that short again
constexpr double kTickSeconds = 0.05;

double ms(Duration d) {
  return static_cast<double>(d.count()) / 1e3;
}

double seconds(Duration d) {
  return static_cast<double>(d.count()) / 1e6;
}

}  // namespace

std::string Figures::text() const {
  char line[160];
  std::snprintf(line, sizeof line, "%.2f %.1f %.1f %.3f %.4f %.2f %.2f", use, p50_ms, p95_ms, loss, jain.value_or(-1),
                follow_s.value_or(-1), freeze_s);
  return line;
}

std::optional<Figures> Figures::read(const std::string& text) {
  Figures f;
  double jain = -1;
  double follow = -1;
  if (std::sscanf(text.c_str(), "%lf %lf %lf %lf %lf %lf %lf", &f.use, &f.p50_ms, &f.p95_ms, &f.loss, &jain, &follow,
                  &f.freeze_s) != 7) {
    return std::nullopt;
  }
  if (jain >= 0) f.jain = jain;
  if (follow >= 0) f.follow_s = follow;
  return f;
}

Verdict judge(const Scenario& scenario, const Figures& figures) {
  Verdict v;
  v.floor = figures.use >= 75;
  v.aim = figures.use >= (scenario.is_alone ? 85 : 75) && (!scenario.tcp.empty() || figures.p95_ms < 100) &&
          figures.follow_s.value_or(0) <= 5 && figures.freeze_s <= 1 && figures.jain.value_or(1) >= 0.9;
  return v;
}

void Meter::on_received(size_t flow, size_t bytes, bool is_media, Duration waited) {
  if (is_media) flows_[flow].received += bytes;
  waits_.push_back(waited);
  Duration& longest = longest_wait_[scenario_.media[flow].is_forward ? 1 : 0];
  longest = std::max(longest, waited);
}

void Meter::tick(Duration at) {
  const Duration middle = at - kTick / 2;
  for (size_t i = 0; i < flows_.size(); ++i) {
    Flow& flow = flows_[i];
    const MediaConfig& config = scenario_.media[i];
    const double bits = static_cast<double>(flow.received) * 8;
    const double fair = scenario_.fair_share(config.is_forward, middle, active_tcp_[config.is_forward ? 1 : 0]);
    if (config.is_active(middle)) {
      flow.sum += bits;
      flow.fair += fair * kTickSeconds;
      if (scenario_.fair_from && middle >= *scenario_.fair_from) {
        flow.fair_sum += bits;
        flow.fair_share += fair * kTickSeconds;
      }
    }
    flow.row_received += flow.received;
    flow.last_sent[ticks_ % kWindow] = flow.sent;
    flow.sent = flow.received = 0;
  }
  row_wait_ = std::max({row_wait_, longest_wait_[0], longest_wait_[1]});
  ++ticks_;
  if (scenario_.changes_in_steps) follow(at);
  longest_wait_[0] = longest_wait_[1] = {};
  if (ticks_ % 2 == 0) write_row(at);
}

void Meter::follow(Duration at) {
  for (const bool is_forward : {false, true}) {
    const double capacity = scenario_.capacity(is_forward, at - kTick / 2);
    double& previous = previous_[is_forward ? 1 : 0];
    if (capacity < previous) drops_.push_back({at - kTick, is_forward, std::nullopt});
    previous = capacity;
    double sent = 0;
    for (size_t i = 0; i < flows_.size(); ++i) {
      if (scenario_.media[i].is_forward != is_forward) continue;
      for (const uint64_t bytes : flows_[i].last_sent) sent += static_cast<double>(bytes) * 8;
    }
    const double bps = sent / (kTickSeconds * kWindow);
    for (Drop& drop : drops_) {
      if (drop.is_forward != is_forward || drop.followed || at - drop.at < kTick * kWindow) continue;
      if (bps <= kOver * capacity && longest_wait_[is_forward ? 1 : 0] < kShortQueue) drop.followed = at - drop.at;
    }
  }
}

std::string Meter::csv_header() const {
  std::string line = "seconds,capacity_kbps,fair_kbps,queue_ms,other_kbps";
  for (size_t i = 0; i < flows_.size(); ++i) {
    line += ",target" + std::to_string(i + 1) + "_kbps,received" + std::to_string(i + 1) + "_kbps";
  }
  return line + "\n";
}

void Meter::write_row(Duration at) {
  const double per_kbps = 2 * kTickSeconds * 1'000 / 8;
  char text[160];
  std::snprintf(text, sizeof text, "%.1f,%.0f,%.0f,%.1f,%.0f", seconds(at), scenario_.capacity(true, at - kTick) / 1e3,
                scenario_.fair_share(true, at - kTick, active_tcp_[1]) / 1e3, ms(row_wait_),
                static_cast<double>(other_) / per_kbps);
  csv_ += text;
  for (Flow& flow : flows_) {
    std::snprintf(text, sizeof text, ",%.0f,%.0f", static_cast<double>(flow.target_bps) / 1e3,
                  static_cast<double>(flow.row_received) / per_kbps);
    csv_ += text;
    flow.row_received = 0;
  }
  csv_ += "\n";
  other_ = 0;
  row_wait_ = {};
}

Figures Meter::close() {
  Figures f;
  double got = 0;
  double fair = 0;
  double sum = 0;
  double squares = 0;
  for (const Flow& flow : flows_) {
    got += flow.sum;
    fair += flow.fair;
    const double share = flow.fair_share > 0 ? flow.fair_sum / flow.fair_share : 0;
    sum += share;
    squares += share * share;
  }
  f.use = fair > 0 ? 100 * got / fair : 0;
  if (scenario_.fair_from && squares > 0) f.jain = sum * sum / (static_cast<double>(flows_.size()) * squares);
  std::sort(waits_.begin(), waits_.end());
  const auto at = [&](double share) {
    return waits_.empty() ? 0 : ms(waits_[static_cast<size_t>(static_cast<double>(waits_.size() - 1) * share)]);
  };
  f.p50_ms = at(0.5);
  f.p95_ms = at(0.95);
  f.loss = packets_ > 0 ? 100 * static_cast<double>(dropped_) / static_cast<double>(packets_) : 0;
  for (const Drop& drop : drops_) {
    f.follow_s = std::max(f.follow_s.value_or(0), seconds(drop.followed.value_or(scenario_.length)));
  }
  f.freeze_s = seconds(freeze_);
  return f;
}

}  // namespace atm::rfc8867

#include <algorithm>
#include <cmath>

#include "scenario.h"
#include "video.h"

namespace atm::rfc8867 {
namespace {

// RFC 8867 4.2: a drop-tail queue of 300 ms and jitter of at most 30 ms; by RFC 8868 4.5.2 and 4.5.3 without
// reordering, 5 ms, three deviations.
constexpr Duration kJitter = 5ms;

HopConfig wired(Capacity capacity, Duration queue = 300ms, Duration jitter = kJitter) {
  HopConfig hop;
  hop.capacity = std::move(capacity);
  hop.queue = queue;
  hop.jitter_sd = jitter;
  return hop;
}

HopConfig wifi(uint64_t phy_bps, Duration mean_more) {
  HopConfig hop;
  hop.wifi.phy_bps = phy_bps;
  hop.wifi.mean_more = mean_more;
  return hop;
}

constexpr uint64_t kPlenty = 100'000'000;

Scenario make(std::string id, std::string title, Duration length, HopConfig forward,
              HopConfig backward = wired(kPlenty)) {
  Scenario s;
  s.id = std::move(id);
  s.title = std::move(title);
  s.length = length;
  s.forward = {std::move(forward)};
  s.backward = {std::move(backward)};
  return s;
}

std::vector<Scenario> of_capacity() {
  std::vector<Scenario> all;
  for (const Duration delay : {50ms, 100ms}) {
    Scenario& s =
        all.emplace_back(make(delay == 50ms ? "8867-5.1" : "8867-5.1-100ms", "variable capacity, one flow", 100s,
                              wired(Capacity({{0s, 1'000'000}, {40s, 2'500'000}, {60s, 600'000}, {80s, 1'000'000}}))));
    s.media = {{.delay = delay}};
    s.is_alone = s.changes_in_steps = true;
  }
  Scenario& two = all.emplace_back(make(
      "8867-5.2", "variable capacity, two flows", 125s,
      wired(Capacity({{0s, 4'000'000}, {25s, 2'000'000}, {50s, 3'500'000}, {75s, 1'000'000}, {100s, 2'000'000}}))));
  two.media = {{}, {}};
  two.fair_from = 5s;
  two.changes_in_steps = true;
  Scenario& both =
      all.emplace_back(make("8867-5.3", "congested feedback, a flow each way", 100s,
                            wired(Capacity({{0s, 2'000'000}, {20s, 1'000'000}, {40s, 500'000}, {60s, 2'000'000}})),
                            wired(Capacity({{0s, 2'000'000}, {35s, 800'000}, {70s, 2'000'000}}))));
  both.media = {{}, {.is_forward = false}};
  both.is_alone = both.changes_in_steps = true;
  return all;
}

std::vector<Scenario> of_competition() {
  std::vector<Scenario> all;
  Scenario& same = all.emplace_back(make("8867-5.4", "three flows, one after another", 120s, wired(3'500'000)));
  same.media = {{}, {.start = 20s}, {.start = 40s}};
  same.fair_from = 60s;
  Scenario& rtt = all.emplace_back(make("8867-5.5", "round trips of 20 to 300 ms", 300s, wired(4'000'000)));
  for (const auto& [start, delay] : {std::pair{0s, 10ms}, {10s, 25ms}, {20s, 50ms}, {30s, 100ms}, {40s, 150ms}}) {
    rtt.media.push_back({.start = start, .delay = delay});
  }
  rtt.fair_from = 100s;
  for (const Duration queue : {300ms, 1'000ms}) {
    Scenario& s = all.emplace_back(
        make(queue == 300ms ? "8867-5.6" : "8867-5.6-1s",
             queue == 300ms ? "against a long TCP flow, queue of 300 ms" : "against a long TCP flow, queue of 1 s",
             120s, wired(2'000'000, queue)));
    s.media = {{.start = 5s}};
    s.tcp = {{}};
  }
  Scenario& brief = all.emplace_back(make("8867-5.7", "two flows against ten short TCP flows", 300s, wired(2'000'000)));
  brief.media = {{.start = 5s}, {.start = 5s}};
  brief.tcp.assign(10, {.is_short = true});
  for (const size_t i : {0, 1}) brief.tcp[i].thinks_first = false;
  brief.fair_from = 20s;
  Scenario& pause = all.emplace_back(make("8867-5.8", "three flows, one pauses and resumes", 120s, wired(3'500'000)));
  pause.media = {{}, {.pause = 40s, .resume = 60s}, {}};
  pause.fair_from = 70s;
  return all;
}

// RFC 8869 2 asks for a simulator of a cellular network, or traces. This is a trace made up here: a cell of 8 Mbit/s,
// of which as many users as are there get equal parts, and slow and fast fading in dB with the given deviations.
Capacity cellular(double cell_bps, double mean_users, double slow_db, double fast_db, Duration length, uint64_t seed) {
  SeededRng rng(seed);
  constexpr Duration kStep = 50ms;
  const double step_s = 0.05;
  std::vector<Capacity::Step> steps;
  double slow = 0;
  double fast = 0;
  size_t users = static_cast<size_t>(mean_users);
  for (Duration at{}; at < length; at += kStep) {
    // Users come and stay for 20 s on average.
    if (uniform(rng) < mean_users / 20 * step_s) ++users;
    for (size_t i = users; i > 0; --i) users -= uniform(rng) < step_s / 20 ? 1 : 0;
    const double keep_slow = std::exp(-step_s / 5);
    const double keep_fast = std::exp(-step_s / 0.3);
    slow = keep_slow * slow + std::sqrt(1 - keep_slow * keep_slow) * slow_db * gaussian(rng);
    fast = keep_fast * fast + std::sqrt(1 - keep_fast * keep_fast) * fast_db * gaussian(rng);
    const double bps = cell_bps / static_cast<double>(users + 1) * std::pow(10, std::min(slow + fast, 3.0) / 10);
    steps.push_back({at, static_cast<uint64_t>(std::max(bps, 100'000.0))});
  }
  return {std::move(steps)};
}

std::vector<Scenario> of_cells() {
  std::vector<Scenario> all;
  // Base stations keep long queues.
  Scenario& load = all.emplace_back(make("8869-2.1", "cellular, varying load", 120s,
                                         wired(cellular(8e6, 4, 1, 0.5, 120s, 31), 1s, 2ms), wired(kPlenty, 1s, 2ms)));
  load.media = {{}};
  Scenario& edge = all.emplace_back(make("8869-2.2", "cellular, bad coverage", 120s,
                                         wired(cellular(3e6, 2, 2, 1, 120s, 32), 1s, 2ms), wired(kPlenty, 1s, 2ms)));
  edge.media = {{}};
  return all;
}

// RFC 8869 3.1.3 and 3.2.3; letters count their scenarios. They do not say how much the UDP flows send.
std::vector<Scenario> of_wifi() {
  std::vector<Scenario> all;
  const auto behind = [&](std::string id, std::string title) -> Scenario& {
    Scenario s = make("8869-3.1-" + id, std::move(title), 120s, wifi(52'000'000, 1ms), wired(1'000'000));
    s.forward.push_back(wired(1'000'000));  // up; the other way is down
    s.backward.push_back(wifi(52'000'000, 1ms));
    s.media = {{}, {.is_forward = false}};
    return all.emplace_back(std::move(s));
  };
  Scenario& up = behind("a", "Wi-Fi behind a wired 1 Mbit/s, one flow up");
  up.media = {{}};
  up.is_alone = true;
  behind("b", "the same, a flow each way").is_alone = true;
  behind("c", "the same, and 300 kbit/s of UDP up until 60 s").fill = {{.stop = 60s, .bps = 300'000}};
  behind("d", "the same, and 300 kbit/s of UDP up from 60 s on").fill = {{.start = 60s, .stop = 119s, .bps = 300'000}};
  Scenario& tcp = behind("e", "the same, one flow up against a TCP flow up");
  tcp.media = {{}};
  tcp.tcp = {{.stop = 119s}};
  const auto within = [&](std::string id, std::string title) -> Scenario& {
    // 20 Mbit/s are left of the 52 by waiting for turns.
    Scenario s = make("8869-3.2-" + id, std::move(title), 120s, wired(kPlenty));
    s.forward.push_back(wifi(52'000'000, 7'700us));
    s.media.assign(16, {});
    s.fair_from = 20s;
    return all.emplace_back(std::move(s));
  };
  within("a", "sixteen flows down in a busy Wi-Fi cell");
  within("d", "the same, and 5 Mbit/s of UDP until 60 s").fill = {{.stop = 60s, .bps = 5'000'000}};
  within("e", "the same, and 5 Mbit/s of UDP from 61 s on").fill = {{.start = 61s, .stop = 120s, .bps = 5'000'000}};
  return all;
}

}  // namespace

double Scenario::capacity(bool is_forward, Duration at) const {
  double least = 1e12;
  for (const HopConfig& hop : is_forward ? forward : backward) {
    const uint64_t bps = hop.wifi.phy_bps > 0 ? hop.wifi.saturated_bps() : hop.capacity.bps(at);
    least = std::min(least, static_cast<double>(bps));
  }
  return least;
}

double Scenario::fair_share(bool is_forward, Duration at, size_t active_tcp) const {
  double left = capacity(is_forward, at);
  for (const FillConfig& f : fill) {
    if (f.is_forward == is_forward && at >= f.start && at < f.stop) left -= static_cast<double>(f.bps);
  }
  size_t flows = active_tcp;
  for (const MediaConfig& m : media) flows += m.is_forward == is_forward && m.is_active(at) ? 1 : 0;
  return std::min(left / static_cast<double>(std::max<size_t>(flows, 1)), static_cast<double>(Camera::kMostBps));
}

std::vector<Scenario> scenarios() {
  std::vector<Scenario> all;
  for (const auto& part : {of_capacity(), of_competition(), of_cells(), of_wifi()}) {
    all.insert(all.end(), part.begin(), part.end());
  }
  return all;
}

}  // namespace atm::rfc8867

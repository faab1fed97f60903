// Senders, a network and a viewer's devices in virtual time, for the tests of playout: lists of what is sent when and
// comes when, the loop that shows what is due, and a sound device that asks every 10 ms. Everything follows from a
// seed.
#pragma once

#include <algorithm>
#include <cmath>
#include <functional>
#include <optional>
#include <utility>
#include <vector>

#include "base/rng.h"
#include "core/playout/audio_playout.h"
#include "core/playout/video_playout.h"

namespace atm::playout {

inline const Instant kBegin{1'000s};

// The network: how long what is sent at that time takes; nothing when it is lost.
using Network = std::function<std::optional<Duration>(Duration since_begin)>;

inline Network clean(Duration delay) {
  return [delay](Duration) { return delay; };
}
// Exponentially distributed on top of the delay.
inline Network jittery(Duration delay, Duration mean, uint64_t seed) {
  return [delay, mean, rng = SeededRng(seed)](Duration) mutable {
    const double u = (rng.below(1'000'000) + 1) / 1e6;
    return delay + Duration(static_cast<int64_t>(-std::log(u) * static_cast<double>(mean.count())));
  };
}

struct Sent {
  Instant captured{};
  Instant arrives{};
  uint32_t timestamp = 0;
  uint16_t sequence = 0;
};

struct SourceSettings {
  uint32_t clock_rate = 90'000;
  Duration every = 33'333us;
  uint32_t first_timestamp = 3'000'000'000;  // unsigned: it wraps in a test that is long enough
  uint16_t first_sequence = 65'000;
  double ppm = 0;        // the sender's media clock is so much faster than ours
  bool in_order = true;  // a frame is decodable after the one before
};

inline std::vector<Sent> send(Duration length, Network network, const SourceSettings& source = {},
                              Instant begin = kBegin) {
  std::vector<Sent> sent;
  Instant latest{};
  for (int64_t i = 0;; ++i) {
    const double media = static_cast<double>(i * source.every.count());
    const Duration since(std::llround(media / (1 + source.ppm / 1e6)));
    if (since >= length) break;
    const auto took = network(since);
    if (!took) continue;
    const double ticks = media * source.clock_rate / 1e6;
    Instant arrives = begin + since + *took;
    if (source.in_order) arrives = latest = std::max(latest, arrives);
    sent.push_back({begin + since, arrives, source.first_timestamp + static_cast<uint32_t>(std::llround(ticks)),
                    static_cast<uint16_t>(source.first_sequence + i)});
  }
  std::stable_sort(sent.begin(), sent.end(), [](const Sent& a, const Sent& b) { return a.arrives < b.arrives; });
  return sent;
}

struct Shown {
  Sent sent;
  Instant at{};
  bool is_late = false;
  Duration delay() const { return at - sent.captured; }
};

// How many have come before then.
inline size_t come_before(const std::vector<Sent>& sent, Instant end) {
  return static_cast<size_t>(std::count_if(sent.begin(), sent.end(), [end](const Sent& s) { return s.arrives < end; }));
}

// Pushes what comes before `end`, from `first` on, and shows what is due, exactly at next_timeout().
inline std::vector<Shown> show(VideoPlayout& playout, const std::vector<Sent>& sent, Instant end = Instant::max(),
                               size_t first = 0) {
  std::vector<Shown> shown;
  std::vector<DueFrame> due;
  size_t next = first;
  while (true) {
    const Instant arrives = next < sent.size() ? sent[next].arrives : kNever;
    const Instant now = std::min(arrives, std::max(playout.next_timeout(), kBegin));
    if (now >= end) break;
    if (now == arrives) {
      playout.push({sent[next].timestamp, now, now, next % 300 == 0, next, {}});
      ++next;
    }
    due.clear();
    playout.take_due(now, due);
    for (const DueFrame& frame : due) shown.push_back({sent[frame.frame.tag], frame.render_at, frame.is_late});
  }
  return shown;
}

struct Heard {
  AudioAction action{};
  Sent sent;             // of kPlay and kSkip
  Instant at{};          // when it comes out of the device
  uint32_t samples = 0;  // after `speed`
  Duration delay() const { return at - sent.captured; }
};

// A device of 10 ms, and the samples that are decoded and not yet played.
class Device {
 public:
  explicit Device(AudioPlayout& playout, Instant begin = kBegin) : playout_(playout), now_(begin) {}

  // `prepare` fills in what is not in Sent.
  void run(const std::vector<Sent>& sent, Instant end, const std::function<void(AudioPacket&)>& prepare = {}) {
    for (; now_ < end; now_ += 10ms) {
      for (; next_ < sent.size() && sent[next_].arrives <= now_; ++next_) {
        AudioPacket packet{sent[next_].sequence, sent[next_].timestamp, sent[next_].arrives, 960};
        packet.payload.assign(4, 0);
        store_u32(packet.payload.data(), static_cast<uint32_t>(next_));
        if (prepare) prepare(packet);
        playout_.push(std::move(packet));
      }
      while (samples_ < 480) pull(sent);
      samples_ -= 480;
    }
  }

  std::vector<Heard> heard;
  Instant now() const { return now_; }

 private:
  void pull(const std::vector<Sent>& sent) {
    AudioStep step;
    playout_.pull(now_, step);
    Heard& h = heard.emplace_back();
    h.action = step.action;
    h.at = now_ + Duration(samples_ * 1'000 / 48);
    h.samples = static_cast<uint32_t>(std::lround(step.samples / step.speed));
    if (step.packet.payload.size() == 4) h.sent = sent[load_u32(step.packet.payload.data())];
    samples_ += h.samples;
  }

  AudioPlayout& playout_;
  Instant now_;
  size_t next_ = 0;
  int64_t samples_ = 0;
};

inline std::vector<double> delays_ms(const std::vector<Shown>& shown, Instant from, Instant to = Instant::max()) {
  std::vector<double> delays;
  for (const Shown& s : shown) {
    if (s.at >= from && s.at < to) delays.push_back(static_cast<double>(s.delay().count()) / 1e3);
  }
  return delays;
}
inline std::vector<double> delays_ms(const std::vector<Heard>& heard, Instant from, Instant to = Instant::max()) {
  std::vector<double> delays;
  for (const Heard& h : heard) {
    if (h.action == AudioAction::kPlay && h.at >= from && h.at < to) {
      delays.push_back(static_cast<double>(h.delay().count()) / 1e3);
    }
  }
  return delays;
}
// `share` of them are at most this; 0.5 is the median, 1 the largest.
inline double quantile(std::vector<double> values, double share) {
  if (values.empty()) return -1;
  std::sort(values.begin(), values.end());
  return values[std::min(values.size() - 1, static_cast<size_t>(share * static_cast<double>(values.size())))];
}

}  // namespace atm::playout

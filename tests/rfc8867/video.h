// A camera and a screen without pictures, for tests/rfc8867: the rates and times of video are real, its contents are
// not.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <map>
#include <vector>

#include "base/bytes.h"
#include "base/rng.h"
#include "base/time.h"
#include "hop.h"

namespace atm::rfc8867 {

// What goes around a payload: IPv4 and UDP, RTP with the transport-wide number, the tag of SRTP.
inline constexpr size_t kAroundPayload = 28 + 12 + 8 + 10;
inline constexpr size_t kMostPayload = 1'100;

// RFC 8593 5, the statistical model: 30 frames a second, sizes around the mean by a Laplace distribution, the rate
// follows what is asked for with a lag. Key frames are larger, and the next ones pay for them.
class Camera {
 public:
  static constexpr uint64_t kLeastBps = 150'000;  // RFC 8593: R_min and R_max
  static constexpr uint64_t kMostBps = 1'500'000;
  static constexpr Duration kInterval = 33'333us;
  static constexpr double kLagSeconds = 0.2;  // tau_v
  static constexpr double kScale = 0.15;      // SCALE_B
  static constexpr double kKeyFrame = 4;      // of the mean

  explicit Camera(uint64_t seed) : rng_(seed) {}

  // Bytes of the next frame, with all that goes around them.
  size_t next(uint64_t wanted_bps, bool is_key_frame) {
    const double wanted = static_cast<double>(std::clamp(wanted_bps, kLeastBps, kMostBps));
    bps_ += (wanted - bps_) * (1 - std::exp(-static_cast<double>(kInterval.count()) / 1e6 / kLagSeconds));
    const double mean = bps_ * static_cast<double>(kInterval.count()) / 8e6;
    const double u = uniform(rng_) - 0.5;
    const double noise = -kScale * std::copysign(std::log(1 - 2 * std::fabs(u)), u);
    const double share = is_key_frame ? kKeyFrame : std::clamp(1 + noise, 0.3, 3.0);
    const double size = std::max(mean * share - owed_ * (is_key_frame ? 0 : 0.1), mean * 0.3);
    owed_ += size - mean;
    return static_cast<size_t>(size);
  }

 private:
  SeededRng rng_;
  double bps_ = 300'000;  // as libwebrtc begins
  double owed_ = 0;       // bytes over the mean so far
};

// Which frames could be shown, and when: a frame needs the one before it unless it is a key frame.
class Screen {
 public:
  // Nothing is expected while the camera pauses.
  void expect(Instant now) { last_shown_ = now; }
  void ignore() { last_shown_ = kNever; }
  // True: a frame has been shown by this packet.
  void on_packet(Instant now, int64_t frame, size_t packets, bool is_key_frame);
  // Frames are there that cannot be shown, and that for a while.
  bool wants_key_frame(Instant now);
  void close(Instant now) { note_gap(now); }

  Duration longest_freeze() const { return longest_; }
  uint64_t shown() const { return shown_; }

 private:
  struct Part {
    size_t have = 0;
    size_t packets = 0;
    bool is_key_frame = false;
  };
  void note_gap(Instant now) {
    if (last_shown_ != kNever) longest_ = std::max(longest_, now - last_shown_);
  }
  std::map<int64_t, Part> parts_;
  int64_t last_frame_ = -1;
  Instant last_shown_ = kNever;
  Instant asked_at_{};
  Duration longest_{};
  uint64_t shown_ = 0;
};

// The payload of a packet says what it is part of.
struct Mark {
  int64_t frame = 0;
  uint32_t packets = 0;
  bool is_key_frame = false;
};
Bytes make_payload(const Mark& mark, size_t size);
Mark read_payload(ByteView payload);

}  // namespace atm::rfc8867

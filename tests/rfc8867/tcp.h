// A TCP sender and its receiver as far as they fill a queue: slow start and congestion avoidance (RFC 5681), losses
// found by selective acknowledgements and repaired (RFC 6675), a time-out (RFC 6298), one acknowledgement for each
// segment. NewReno's window, which RFC 8867 5.6 and 5.7 allow. For tests/rfc8867.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <vector>

#include "base/rng.h"
#include "base/time.h"
#include "hop.h"

namespace atm::rfc8867 {

struct TcpConfig {
  Duration start{};
  Duration stop = 1h;
  bool is_short = false;  // RFC 8868 5.1: fetches one file after another, thinking in between
  bool thinks_first = true;
  int64_t least_bytes = 30'000;  // of a file
  int64_t most_bytes = 50'000;
  Duration mean_pause = 10s;  // exponential
  bool is_forward = true;
  Duration delay = 50ms;
};

class Tcp {
 public:
  Tcp(const TcpConfig& config, size_t flow, Instant origin, uint64_t seed);

  const TcpConfig& config() const { return config_; }
  bool is_active() const { return is_active_; }
  Instant next_timeout() const;
  // What is to be sent is appended to `out`.
  void on_timeout(Instant now, std::vector<Packet>& out);
  // A segment has come to the receiver: its acknowledgement.
  Packet on_segment(Instant now, const Packet& segment);
  void on_ack(Instant now, const Packet& ack, std::vector<Packet>& out);
  uint64_t received_bytes() const { return received_bytes_; }

 private:
  static constexpr int64_t kSegment = 1'448;
  static constexpr size_t kHeaders = 52;

  struct Segment {
    Instant sent{};
    bool is_lost = false;
    bool is_repaired = false;
  };
  Duration think();
  void begin(Instant now);
  void send_more(Instant now, std::vector<Packet>& out);
  void find_losses();
  void transmit(Instant now, int64_t number, std::vector<Packet>& out);
  void sample(Duration rtt);

  TcpConfig config_;
  size_t flow_;
  Instant origin_;
  SeededRng rng_;
  bool is_active_ = false;
  Instant starts_at_;
  int64_t end_ = INT64_MAX;  // of the file
  // sender
  std::map<int64_t, Segment> out_;  // not acknowledged
  size_t under_way_ = 0;            // of these, not taken for lost
  int64_t next_ = 0;
  int64_t highest_acked_ = -1;
  double window_ = 10;  // segments, RFC 6928
  double threshold_ = 1e9;
  int64_t recover_ = -1;
  double srtt_s_ = 0;
  double rttvar_s_ = 0;
  Instant timer_ = kNever;
  int backoff_ = 0;
  // receiver
  int64_t expected_ = 0;
  std::set<int64_t> early_;
  uint64_t received_bytes_ = 0;
};

}  // namespace atm::rfc8867

// Lets packets go no faster than the way takes them, in the order audio, retransmissions, video, padding. For
// core/peer; what a Packet is, is the owner's: it is moved in and out and never looked at.
// Packets go in bursts, so that one system call can send them (UDP GSO). While less is sent than the rate allows, a
// burst of kRoomyBurst goes as it comes, unqueued (pass), and says of each packet how long it is before its turn. Else
// what kBurst of the rate allows, at least kLeastBurstBytes, leaves at once, then nothing for as long as that took.
// Audio and what the receiver misses already never wait, but are charged. Bounded in time, by going faster when the
// queue would take over kLongestQueue, and in packets: the oldest video goes. No allocation once the rings have grown
// to what ever waited.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "base/time.h"

namespace atm::pace {

enum class Class : uint8_t { kAudio, kRetransmission, kVideo, kPadding };
inline constexpr size_t kClasses = 4;

// Of bwe::ProbeCluster, which this module does not know.
struct Probe {
  uint32_t id = 0;
  uint64_t bps = 0;
  size_t min_packets = 0;
  size_t min_bytes = 0;
};

struct Counters {
  uint64_t sent = 0;
  uint64_t dropped_video = 0;  // the queue held kMaxQueuedPackets
  uint64_t dropped_other = 0;  // nothing but other classes waited then
  uint64_t probes_played = 0;
  uint64_t probes_given_up = 0;  // nothing was there to play it with
};

// A queue in a ring that grows to the largest it ever was.
template <typename T>
class Ring {
 public:
  bool empty() const { return size_ == 0; }
  size_t size() const { return size_; }
  T& front() { return slots_[begin_]; }
  const T& front() const { return slots_[begin_]; }
  void push(T&& value) {
    if (size_ == slots_.size()) grow();
    slots_[(begin_ + size_++) & (slots_.size() - 1)] = std::move(value);
  }
  // So that it has `i` before it.
  void insert(size_t i, T&& value) {
    push(std::move(value));
    for (size_t j = size_ - 1; j > i; --j) std::swap(at(j), at(j - 1));
  }
  T& at(size_t i) { return slots_[(begin_ + i) & (slots_.size() - 1)]; }
  T pop() {
    T value = std::move(slots_[begin_]);
    slots_[begin_] = T{};
    begin_ = (begin_ + 1) & (slots_.size() - 1);
    --size_;
    return value;
  }

 private:
  void grow() {
    std::vector<T> larger(slots_.empty() ? 16 : slots_.size() * 2);
    for (size_t i = 0; i < size_; ++i) larger[i] = std::move(slots_[(begin_ + i) & (slots_.size() - 1)]);
    slots_.swap(larger);
    begin_ = 0;
  }
  std::vector<T> slots_;
  size_t begin_ = 0;
  size_t size_ = 0;
};

template <typename Packet>
class Pacer {
 public:
  // Of the rate, in one go: 5 ms are 3 kB at 5 Mbit/s, so a burst's own queueing stays below what is noticed as delay.
  static constexpr Duration kBurst = 5ms;
  // A few packets go together at any rate: at 1 Mbit/s they take 29 ms of it.
  static constexpr size_t kLeastBurstBytes = 3'600;
  // Where there is room: a frame of six packets at 2.5 Mbit/s in one piece (Chromium: 40 ms, 63 kB).
  static constexpr Duration kRoomyBurst = 15ms;
  static constexpr size_t kMostRoomyBytes = 16'000;      // beyond that, kBurst
  static constexpr uint64_t kLeastRoomyBps = 3'000'000;  // a target of 2 Mbit/s
  // What would wait longer raises the rate (libwebrtc's queue time limit).
  static constexpr Duration kLongestQueue = 2s;
  static constexpr size_t kMaxQueuedPackets = 4'096;
  // A probe that finds nothing to play it with is given up after that.
  static constexpr Duration kProbeLife = 1s;

  // Rate before the first is set.
  explicit Pacer(uint64_t bps) : bps_(bps) {}

  // `has_room`: for a while less has been sent than the rate allows. On a slow way a burst is too long all the same.
  void set_pacing_rate(uint64_t bps, bool has_room = false) {
    bps_ = std::max<uint64_t>(bps, 1);
    has_room_ = has_room && bps_ >= kLeastRoomyBps;
  }

  // May the packet go now, past the queue? Then the owner sends it, it is charged, and this is how long before its turn
  // it goes, were all sent evenly. Nothing: it has to be enqueued.
  std::optional<Duration> pass(Instant now, Class kind, size_t bytes) {
    Duration ahead{};
    if (kind == Class::kAudio || kind == Class::kRetransmission) {
      for (size_t before = 0; before <= static_cast<size_t>(kind); ++before) {
        if (!queues_[before].empty()) return std::nullopt;
      }
      settle(now);
    } else {
      if (!has_room_ || packets_ > 0 || probe_) return std::nullopt;
      settle(now);
      if (debt_ >= roomy_burst_bytes(now)) return std::nullopt;
      ahead = time_of(debt_, now);
    }
    add_debt(now, bytes);
    ++counters_.sent;
    return ahead;
  }

  // The packet is queued; release() gives it out, audio with the next one in any case.
  void enqueue(Instant now, Class kind, size_t bytes, Packet&& packet) {
    make_room(kind, bytes);
    queue_of(kind).push({now, bytes, std::move(packet)});
  }

  // Video that came behind later packets of its stream goes before those of them that wait: is_later(const Packet&)
  // tells which.
  template <typename IsLater>
  void enqueue_before(Instant now, size_t bytes, Packet&& packet, IsLater&& is_later) {
    make_room(Class::kVideo, bytes);
    Ring<Queued>& video = queue_of(Class::kVideo);
    size_t first = 0;
    while (first < video.size() && !is_later(video.at(first).packet)) ++first;
    video.insert(first, {now, bytes, std::move(packet)});
  }

  // So many bytes have gone past the queue.
  void charge(Instant now, size_t bytes) {
    settle(now);
    add_debt(now, bytes);
  }

  // send(Packet&&, Class, size_t bytes, std::optional<uint32_t> probe_cluster) for each that may go now.
  template <typename Send>
  void release(Instant now, Send&& send) {
    settle(now);
    for (const Class kind : {Class::kAudio, Class::kRetransmission}) {
      while (!queue_of(kind).empty()) give(now, kind, std::nullopt, send);
    }
    play(now, send);
    if (probe_) return;  // until it is over nothing else goes: its timing is what is measured
    if (debt_ > 0) return;
    const double burst = burst_bytes(now);
    while (packets_ > 0 && debt_ < burst) give(now, next_class(), std::nullopt, send);
  }

  // The next cluster; refused while one is being played.
  bool play_probe(Instant now, const Probe& probe) {
    if (probe_ || probe.bps == 0) return false;
    probe_ = probe;
    probe_began_ = now;
    probe_packets_ = probe_bytes_ = 0;
    return true;
  }
  // Bytes of padding that the owner should enqueue now, so that the probe can be played without waiting for media.
  size_t padding_wanted() const {
    if (!probe_) return 0;
    const size_t left = probe_->min_bytes > probe_bytes_ ? probe_->min_bytes - probe_bytes_ : 1;
    return left > bytes_ ? left - bytes_ : 0;
  }
  bool is_probing() const { return probe_.has_value(); }

  Instant next_timeout() const {
    if (!queue_of(Class::kAudio).empty() || !queue_of(Class::kRetransmission).empty()) return Instant::min();
    if (probe_) return std::min(packets_ > 0 ? probe_at() : kNever, probe_began_ + kProbeLife);
    if (packets_ == 0) return kNever;
    if (debt_ <= 0) return Instant::min();
    return settled_at_ + time_of(debt_, settled_at_) + 1us;
  }

  size_t queued_packets() const { return packets_; }
  size_t queued_bytes() const { return bytes_; }
  // How long the oldest packet has waited.
  Duration queue_time(Instant now) const {
    Duration longest{};
    for (const auto& queue : queues_) {
      if (!queue.empty()) longest = std::max(longest, now - queue.front().queued_at);
    }
    return longest;
  }
  const Counters& counters() const { return counters_; }

 private:
  struct Queued {
    Instant queued_at{};
    size_t bytes = 0;
    Packet packet{};
  };
  Ring<Queued>& queue_of(Class kind) { return queues_[static_cast<size_t>(kind)]; }
  const Ring<Queued>& queue_of(Class kind) const { return queues_[static_cast<size_t>(kind)]; }

  // The rate, or what lets the queue go before its oldest packet has waited kLongestQueue.
  uint64_t rate(Instant now) const {
    const Duration left = std::max<Duration>(kLongestQueue - queue_time(now), 1ms);
    return std::max(bps_, static_cast<uint64_t>(static_cast<double>(bytes_) * 8e6 / static_cast<double>(left.count())));
  }
  Duration time_of(double bytes, Instant now) const {
    return Duration(static_cast<int64_t>(bytes * 8e6 / static_cast<double>(rate(now))));
  }
  static double bytes_in(Duration time, uint64_t bps) {
    return static_cast<double>(bps) * static_cast<double>(time.count()) / 8e6;
  }
  double burst_bytes(Instant now) const {
    return std::max(bytes_in(kBurst, rate(now)), static_cast<double>(kLeastBurstBytes));
  }
  double roomy_burst_bytes(Instant now) const {
    const double most = std::min(bytes_in(kRoomyBurst, rate(now)), static_cast<double>(kMostRoomyBytes));
    return std::max(most, burst_bytes(now));
  }
  void settle(Instant now) {
    if (now > settled_at_) {
      debt_ -= static_cast<double>(rate(now)) * static_cast<double>((now - settled_at_).count()) / 8e6;
      settled_at_ = now;
    }
    debt_ = std::max(debt_, 0.0);
  }
  Class next_class() const {
    for (size_t kind = 0; kind < kClasses; ++kind) {
      if (!queues_[kind].empty()) return static_cast<Class>(kind);
    }
    return Class::kPadding;
  }
  template <typename Send>
  size_t give(Instant now, Class kind, std::optional<uint32_t> cluster, Send&& send) {
    Queued queued = queue_of(kind).pop();
    bytes_ -= queued.bytes;
    --packets_;
    add_debt(now, queued.bytes);
    ++counters_.sent;
    send(std::move(queued.packet), kind, queued.bytes, cluster);
    return queued.bytes;
  }
  // Audio is charged too, but a flood of it does not hold video up for more than a second.
  void add_debt(Instant now, size_t bytes) {
    debt_ = std::min(debt_ + static_cast<double>(bytes), std::max(static_cast<double>(bps_) / 8, burst_bytes(now)));
  }
  Instant probe_at() const {
    return probe_began_ +
           Duration(static_cast<int64_t>(static_cast<double>(probe_bytes_) * 8e6 / static_cast<double>(probe_->bps)));
  }
  template <typename Send>
  void play(Instant now, Send&& send) {
    if (!probe_) return;
    while (packets_ > 0 && now >= probe_at()) {
      if (probe_packets_ == 0) probe_began_ = now;  // the time of a probe begins with its first packet
      probe_bytes_ += give(now, next_class(), probe_->id, send);
      if (++probe_packets_ >= probe_->min_packets && probe_bytes_ >= probe_->min_bytes) {
        ++counters_.probes_played;
        probe_.reset();
        // What media took the place of.
        while (!queue_of(Class::kPadding).empty()) drop(Class::kPadding);
        return;
      }
    }
    if (now - probe_began_ >= kProbeLife) {
      ++counters_.probes_given_up;
      probe_.reset();
    }
  }
  void drop(Class kind) {
    bytes_ -= queue_of(kind).pop().bytes;
    --packets_;
  }
  // Counts a packet that is about to be queued.
  void make_room(Class kind, size_t bytes) {
    if (packets_ >= kMaxQueuedPackets) drop_oldest(kind);
    bytes_ += bytes;
    ++packets_;
  }
  void drop_oldest(Class incoming) {
    Class kind = Class::kVideo;
    if (queue_of(kind).empty()) kind = Class::kPadding;
    if (queue_of(kind).empty()) kind = Class::kRetransmission;
    if (queue_of(kind).empty()) kind = incoming;
    if (queue_of(kind).empty()) kind = next_class();
    drop(kind);
    ++(kind == Class::kVideo ? counters_.dropped_video : counters_.dropped_other);
  }

  std::array<Ring<Queued>, kClasses> queues_;
  size_t packets_ = 0;
  size_t bytes_ = 0;
  uint64_t bps_;
  bool has_room_ = false;
  double debt_ = 0;  // bytes sent that the rate has not yet made up for
  Instant settled_at_{};
  std::optional<Probe> probe_;
  Instant probe_began_{};
  size_t probe_packets_ = 0;
  size_t probe_bytes_ = 0;
  Counters counters_;
};

}  // namespace atm::pace

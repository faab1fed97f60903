#include "core/stream/reception.h"

#include <algorithm>
#include <cstdlib>

namespace atm::stream {
namespace {

constexpr int64_t kCumulativeLostMax = 0x7FFFFF;  // RFC 3550 A.3: 24 bits signed, clamped
constexpr int64_t kCumulativeLostMin = -0x800000;

// The arrival in timestamp units, modulo 2^32; split so that no product overflows.
uint32_t in_units(Instant at, uint32_t clock_rate) {
  const int64_t us = at.time_since_epoch().count();
  const int64_t seconds = us / 1'000'000;
  const int64_t rest = us % 1'000'000;
  return static_cast<uint32_t>(static_cast<uint64_t>(seconds) * clock_rate +
                               static_cast<uint64_t>(rest * clock_rate / 1'000'000));
}

}  // namespace

void Reception::restart(int64_t sequence) {
  started_ = true;
  base_ = sequence;
  highest_ = sequence - 1;
  received_ = 0;
  expected_prior_ = 0;
  received_prior_ = 0;
  has_transit_ = false;
  jitter_ = 0;
}

void Reception::on_packet(Instant arrived, int64_t sequence, uint32_t timestamp) {
  if (!started_) restart(sequence);
  highest_ = std::max(highest_, sequence);
  ++received_;
  update_jitter(arrived, timestamp);
}

// RFC 3550 A.8, in the integer form that it gives.
void Reception::update_jitter(Instant arrived, uint32_t timestamp) {
  const uint32_t transit = in_units(arrived, clock_rate_) - timestamp;
  if (has_transit_) {
    const int64_t d = std::abs(int64_t{static_cast<int32_t>(transit - transit_)});
    jitter_ += d - ((jitter_ + 8) >> 4);
  }
  has_transit_ = true;
  transit_ = transit;
}

void Reception::on_sender_report(Instant arrived, uint64_t ntp) {
  last_sr_ = static_cast<uint32_t>(ntp >> 16);
  last_sr_arrived_ = arrived;
}

int64_t Reception::cumulative_lost() const {
  if (!started_) return 0;
  return std::clamp(expected() - static_cast<int64_t>(received_), kCumulativeLostMin, kCumulativeLostMax);
}

std::optional<rtcp::ReportBlock> Reception::make_report_block(Instant now) {
  if (!started_) return std::nullopt;
  rtcp::ReportBlock block;
  block.ssrc = ssrc_;
  // RFC 3550 A.3
  const int64_t expected_interval = expected() - expected_prior_;
  const int64_t received_interval = static_cast<int64_t>(received_ - received_prior_);
  const int64_t lost_interval = expected_interval - received_interval;
  expected_prior_ = expected();
  received_prior_ = received_;
  if (expected_interval > 0 && lost_interval > 0) {
    block.fraction_lost = static_cast<uint8_t>(std::min<int64_t>((lost_interval << 8) / expected_interval, 255));
  }
  block.cumulative_lost = static_cast<int32_t>(cumulative_lost());
  // RFC 3550 6.4.1: cycles count from the circle of the first packet.
  block.highest_sequence = static_cast<uint32_t>(highest_ - (base_ & ~int64_t{0xFFFF}));
  block.jitter = jitter();
  if (last_sr_ != 0) {
    block.last_sr = last_sr_;
    const int64_t us = std::max<int64_t>(to_us(now - last_sr_arrived_), 0);
    const uint64_t delay =
        static_cast<uint64_t>(us) / 1'000'000 * 65'536 + static_cast<uint64_t>(us) % 1'000'000 * 65'536 / 1'000'000;
    block.delay_since_last_sr = static_cast<uint32_t>(std::min<uint64_t>(delay, 0xFFFFFFFF));
  }
  return block;
}

}  // namespace atm::stream

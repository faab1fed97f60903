// The receiving side of transport-wide feedback: which packets came when, and when that is told. For core/peer.
// Bounded: kWindow packet numbers. What comes late, behind what was told, makes the feedback begin there again, so it
// is told after all; what is older than the window is ignored, and so is a repeat.
// draft-holmer-rmcat-transport-wide-cc-extensions-01 4, as libwebrtc's RemoteEstimatorProxy.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/sequence.h"
#include "base/time.h"
#include "wire/rtcp/writer.h"

namespace atm::bwe {

class TransportFeedbackBuilder {
 public:
  // Packet numbers held: two full feedbacks.
  static constexpr size_t kWindow = 2'048;

  // `bytes` of the datagram: feedback takes at most 5 % of what comes.
  void on_packet(Instant now, uint16_t transport_sequence, size_t bytes);
  // kNever while there is nothing to tell. Due now when many have gathered.
  Instant next_timeout() const { return due_; }
  bool is_due(Instant now) const { return now >= due_; }
  // Appends one feedback of all that fits. True: something is left, call again with another datagram. False: all told,
  // or `writer` was too full for any (next_timeout() stays then).
  bool write(Instant now, uint32_t sender_ssrc, uint32_t media_ssrc, rtcp::CompoundWriter& writer);

 private:
  rtcp::ArrivalTick& at(int64_t sequence) { return ring_[static_cast<size_t>(sequence) % kWindow]; }
  Duration interval() const;

  SequenceUnwrapper unwrapper_;
  std::vector<rtcp::ArrivalTick> ring_;  // made with the first packet
  std::vector<rtcp::ArrivalTick> line_;  // what is told, in one piece
  int64_t begin_ = 0;                    // first that is told next
  int64_t end_ = 0;                      // behind the newest
  uint8_t count_ = 0;
  uint64_t bytes_ = 0;  // since told_at_
  uint64_t bps_ = 0;    // before told_at_; 0: not known
  Instant told_at_{};
  Instant due_ = kNever;
};

}  // namespace atm::bwe

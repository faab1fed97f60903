// Stream reconfiguration as data channels need it (RFC 6525, RFC 8831 6.7): the peer's outgoing resets are performed
// when all data before them has come, and ours go out when all data of the stream has been acknowledged.
// Called by Association. Promises one request of ours at a time, sent again until answered.
// Declines the other requests: incoming, SSN/TSN and adding streams.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <vector>

#include "base/time.h"
#include "core/sctp/data_receiver.h"
#include "core/sctp/data_sender.h"
#include "wire/sctp/chunk.h"

namespace atm::sctp {

class StreamReset {
 public:
  StreamReset(DataSender& sender, DataReceiver& receiver) : sender_(sender), receiver_(receiver) {}

  // RFC 6525 4.1: both sides' request numbers begin at their initial TSNs.
  void start(uint32_t local_initial_tsn, uint32_t peer_initial_tsn);

  struct Done {
    std::optional<ReconfigParameter> response;            // to be sent
    std::optional<std::vector<uint16_t>> reset_by_peer;   // empty list: all streams
    std::optional<std::vector<uint16_t>> outgoing_reset;  // ours, answered (whatever the answer)
  };
  Done on_parameter(const ReconfigParameter& parameter);
  // After data has come: performs a reset that waited for it.
  Done on_data();

  // Wants the numbers of our `stream` to begin again; nothing may be sent on it until that is reported done.
  void reset(uint16_t stream) { wanted_.insert(stream); }
  bool is_resetting(uint16_t stream) const;
  // Writes the request when one is due: a new one, or the last one again after a timeout.
  bool write_request(Now now, PacketWriter& packet);
  bool has_request_due(Now now) const;
  Instant next_timeout() const { return request_.empty() ? kNever : resend_at_; }
  // The requests that were sent in vain; the peer that never answers one is given up.
  uint32_t tries() const { return tries_; }

 private:
  Done on_outgoing_reset(const ReconfigParameter& request);
  Done on_response(const ReconfigParameter& response);
  Done perform();
  ReconfigParameter answer(uint32_t sequence, ReconfigResult result) const;

  // given
  DataSender& sender_;
  DataReceiver& receiver_;
  // state: theirs
  uint32_t expected_ = 0;
  ReconfigResult last_result_ = ReconfigResult::kNothingToDo;
  struct Deferred {
    uint32_t sequence;
    uint32_t last_tsn;
    std::vector<uint16_t> streams;
  };
  std::optional<Deferred> deferred_;
  // state: ours
  std::set<uint16_t> wanted_;
  std::vector<uint16_t> request_;  // streams of the request on the way
  uint32_t next_sequence_ = 0;
  uint32_t request_last_tsn_ = 0;
  Instant resend_at_ = kNever;
  uint32_t tries_ = 0;
};

}  // namespace atm::sctp

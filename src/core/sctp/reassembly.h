// From DATA chunks to messages: joins fragments, puts ordered messages into their stream's order, lets FORWARD-TSN and
// stream resets skip. Called by DataReceiver with each TSN once. Every held byte is counted, with an overhead per
// chunk, so that its owner can bound it (held_bytes()).
// Does not know windows, SACKs or the wire's 32-bit TSNs.
#pragma once

#include <cstdint>
#include <map>
#include <vector>

#include "base/bytes.h"
#include "core/sctp/counters.h"
#include "wire/sctp/chunk.h"

namespace atm::sctp {

struct Message {
  uint16_t stream = 0;
  uint32_t ppid = 0;
  bool unordered = false;
  Bytes payload;
};

class Reassembly {
 public:
  enum class Outcome : uint8_t {
    kOk,
    kViolation,  // fragments of one message that disagree, or that no sender could have made
    kTooLarge,   // a message above the limit
  };

  Reassembly(size_t max_message_size, Counters& counters) : max_message_size_(max_message_size), counters_(counters) {}

  // A chunk that was not given before. Messages that it completes or lets go are appended to `out`.
  Outcome add(int64_t tsn, const DataChunk& data, std::vector<Message>& out);
  // RFC 3758 3.6: fragments up to `tsn` will not be completed.
  void skip_to(int64_t tsn);
  // RFC 3758 3.6: ordered messages of `stream` up to `ssn` are given up, those that are complete are delivered.
  void skip_ssn(uint16_t stream, uint16_t ssn, std::vector<Message>& out);
  // RFC 6525 5.2.2: the streams' next message has number 0 again. No stream listed: all.
  void reset_streams(const std::vector<uint16_t>& streams);

  void clear();

  size_t held_bytes() const { return held_bytes_; }

 private:
  struct Fragment {
    DataChunk header;  // its payload view is not used
    Bytes payload;
  };
  // Consecutive TSNs of one message, as far as it is known (RFC 9260 6.9: fragments have consecutive TSNs).
  struct Run {
    int64_t last = 0;
    size_t bytes = 0;
    bool begins = false;
    bool ends = false;
  };
  struct Stream {
    int64_t next_ssn = 0;
    std::map<int64_t, Message> waiting;  // complete, by unwrapped number, above next_ssn
  };
  using Runs = std::map<int64_t, Run>;

  bool is_orphan(int64_t tsn, const DataChunk& data);
  bool join(Runs::iterator left, Runs::iterator right);
  void deliver(Runs::iterator run, std::vector<Message>& out);
  void deliver_ordered(uint16_t ssn, Message message, std::vector<Message>& out);
  void deliver_waiting(Stream& stream, std::vector<Message>& out);
  void drop_run(Runs::iterator run);

  // given
  size_t max_message_size_;
  Counters& counters_;
  // state
  std::map<int64_t, Fragment> fragments_;
  Runs runs_;  // by first TSN
  std::map<uint16_t, Stream> streams_;
  size_t held_bytes_ = 0;
  int64_t skipped_to_ = -1;  // fragments that continue from here have lost their beginning
};

}  // namespace atm::sctp

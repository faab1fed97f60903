// One request on its way to a STUN or TURN server: its bytes, and when to send them again (RFC 8489 6.2.1), or over a
// stream, which loses nothing, when to give up (6.2.2). Owned by the clients of core/turn. Knows no attributes.
#pragma once

#include "base/bytes.h"
#include "base/time.h"
#include "wire/stun/message.h"

namespace atm::turn {

inline constexpr Duration kRto = 500ms;              // RFC 8489 6.2.1
inline constexpr int kRequestSends = 7;              // Rc
inline constexpr int kLastWaitRtos = 16;             // Rm
inline constexpr Duration kReliableWait = 39'500ms;  // Ti, RFC 8489 6.2.2: as long as the above together
// Bytes of a request: user name, realm and nonce of their greatest lengths, and all else.
inline constexpr size_t kMaxRequestSize = 2'304;

class Transaction {
 public:
  enum class Due : uint8_t { kNothing, kSendAgain, kGivenUp };

  // `request`: kept, and its buffer used again for the next one. `sends`: fewer for what is not worth so many.
  void begin(Instant now, const stun::TransactionId& id, ByteView request, bool is_reliable, int sends = kRequestSends);
  void end() { is_open_ = false; }

  bool is_open() const { return is_open_; }
  bool owns(const stun::TransactionId& id) const { return is_open_ && id == id_; }
  ByteView request() const { return request_; }
  // With kSendAgain the caller sends request(); with kGivenUp it is over.
  Due on_timeout(Instant now);
  Instant next_timeout() const { return is_open_ ? due_ : kNever; }

 private:
  stun::TransactionId id_;
  Bytes request_;
  bool is_open_ = false;
  bool is_reliable_ = false;
  int sends_left_ = 0;
  Duration rto_{};
  Instant due_ = kNever;
};

}  // namespace atm::turn

#include "core/turn/transaction.h"

namespace atm::turn {

void Transaction::begin(Instant now, const stun::TransactionId& id, ByteView request, bool is_reliable, int sends) {
  id_ = id;
  request_.assign(request.begin(), request.end());
  is_open_ = true;
  is_reliable_ = is_reliable;
  sends_left_ = is_reliable ? 0 : sends - 1;
  rto_ = kRto;
  due_ = now + (is_reliable ? kReliableWait : rto_);
}

Transaction::Due Transaction::on_timeout(Instant now) {
  if (now < next_timeout()) return Due::kNothing;
  if (sends_left_ == 0) {
    is_open_ = false;
    return Due::kGivenUp;
  }
  --sends_left_;
  rto_ *= 2;
  due_ = now + (sends_left_ == 0 ? kLastWaitRtos * kRto : rto_);
  return Due::kSendAgain;
}

}  // namespace atm::turn

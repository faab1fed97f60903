#include "core/turn/stun_client.h"

#include "core/ice/remote_agent.h"

namespace atm::turn {

void StunClient::ask(Now now, SendBatch& out) {
  next_at_ = kNever;
  failure_.clear();
  const stun::TransactionId id = ice::make_transaction_id(rng_);
  uint8_t buffer[stun::kHeaderSize + 8];
  stun::MessageWriter writer(buffer, stun::Class::kRequest, id);
  writer.fingerprint();
  transaction_.begin(now.mono, id, {buffer, writer.finish()}, false);
  ++counters_.requests_sent;
  out.append(path_, transaction_.request());
}

bool StunClient::on_datagram(Now now, const Datagram& datagram, SendBatch& out) {
  if (datagram.path.remote != path_.remote || datagram.path.local != path_.local) return false;
  if (!stun::is_stun(datagram.bytes)) return false;
  const auto message = stun::parse_message(datagram.bytes);
  if (!message || message->method != stun::kBinding || !transaction_.owns(message->id)) return false;
  if (message->fingerprint == stun::Fingerprint::kWrong) {
    ++counters_.malformed;
    return true;
  }
  if (message->message_class != stun::Class::kSuccess && message->message_class != stun::Class::kError) return false;
  transaction_.end();
  if (message->message_class == stun::Class::kError) {
    on_error(now, *message, out);
    return true;
  }
  ++counters_.responses;
  next_at_ = now.mono + kBindingKeepAlive;
  failure_.clear();
  if (message->xor_mapped_address && message->xor_mapped_address->port != 0) {
    mapped_ = message->xor_mapped_address;
  } else {
    fail("gave no address");
  }
  return true;
}

void StunClient::on_error(Now now, const stun::Message& message, SendBatch& out) {
  ++counters_.errors_received;
  const uint16_t code = message.error ? message.error->code : uint16_t{0};
  const auto value = message.find(stun::Attribute::kAlternateServer);
  const auto other = value ? stun::parse_plain_address(*value) : std::nullopt;
  // RFC 8489 10: once, so that two servers cannot send us to and fro.
  if (code == 300 && other && other->port != 0 && other->ip.is_v4() == path_.remote.ip.is_v4() && !was_redirected_) {
    was_redirected_ = true;
    path_.remote = *other;
    return ask(now, out);
  }
  fail("answered with error " + std::to_string(code));
}

void StunClient::on_timeout(Now now, SendBatch& out) {
  switch (transaction_.on_timeout(now.mono)) {
    case Transaction::Due::kSendAgain:
      ++counters_.requests_sent;
      out.append(path_, transaction_.request());
      break;
    case Transaction::Due::kGivenUp:
      ++counters_.timeouts;
      fail("does not answer");
      next_at_ = now.mono + kBindingKeepAlive;  // it may come back, or the network
      break;
    case Transaction::Due::kNothing:
      break;
  }
  if (now.mono >= next_at_) ask(now, out);
}

}  // namespace atm::turn

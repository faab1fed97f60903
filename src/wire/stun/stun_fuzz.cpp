// libFuzzer entry of the STUN parser: no input may crash it, and what it accepts must hold what message.h promises.
#include "base/assert.h"
#include "wire/stun/message.h"
#include "wire/stun/message_writer.h"

namespace {

// What was parsed and written again must parse to the same values.
void write_again(const atm::stun::Message& message) {
  using namespace atm;
  uint8_t buffer[4096];
  stun::MessageWriter writer(buffer, message.message_class, message.id, message.method);
  if (message.username) writer.username(*message.username);
  if (message.xor_mapped_address) writer.xor_mapped_address(*message.xor_mapped_address);
  if (message.error) writer.error(message.error->code, message.error->reason);
  if (message.priority) writer.priority(*message.priority);
  if (message.use_candidate) writer.use_candidate();
  if (message.ice_controlling) writer.ice_controlling(*message.ice_controlling);
  writer.integrity_room();
  writer.fingerprint();
  const size_t size = writer.finish();
  ASSERT(size > 0);
  const auto again = stun::parse_message({buffer, size});
  ASSERT(again && again->fingerprint == stun::Fingerprint::kRight && again->integrity);
  ASSERT(again->message_class == message.message_class && again->method == message.method && again->id == message.id);
  ASSERT(again->username == message.username && again->priority == message.priority);
  ASSERT(again->xor_mapped_address == message.xor_mapped_address && again->ice_controlling == message.ice_controlling);
  ASSERT(again->error.has_value() == message.error.has_value());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace atm;
  const ByteView datagram(data, size);
  const auto username = stun::peek_username(datagram);
  const auto message = stun::parse_message(datagram);
  if (!message) return 0;
  ASSERT(stun::is_stun(datagram));
  if (message->message_class == stun::Class::kRequest && message->method == stun::kBinding) {
    ASSERT(username == message->username);
  }
  if (message->integrity) ASSERT(message->integrity->mac.size() == stun::kIntegritySize);
  message->find(stun::Attribute::kNonce);
  write_again(*message);
  return 0;
}

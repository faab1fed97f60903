// Every parser of wire/sctp over arbitrary bytes: as a packet, as each chunk and as a DCEP message. Whatever parses is
// read to its end through its accessors, so that a view that leaves its bounds is seen.
#include "wire/sctp/chunk.h"
#include "wire/sctp/dcep.h"
#include "wire/sctp/packet.h"

namespace {

using namespace atm;
using namespace atm::sctp;

uint32_t sum(ByteView bytes) {
  uint32_t total = 0;
  for (const uint8_t b : bytes) total += b;
  return total;
}

uint32_t read_all(const Chunk& chunk) {
  uint32_t total = 0;
  if (const auto data = parse_data(chunk)) total += sum(data->payload);
  if (const auto init = parse_init(chunk)) {
    total += sum(init->cookie);
    for (size_t i = 0; i < init->reported_count; ++i) total += sum(init->reported[i]);
  }
  if (const auto sack = parse_sack(chunk)) {
    for (size_t i = 0; i < sack->gap_count(); ++i) total += sack->gap(i).start;
    for (size_t i = 0; i < sack->duplicate_count(); ++i) total += sack->duplicate(i);
  }
  if (const auto forward = parse_forward_tsn(chunk)) {
    for (size_t i = 0; i < forward->skip_count(); ++i) total += forward->skip(i).ssn;
  }
  if (const auto reconfig = parse_reconfig(chunk)) {
    for (size_t p = 0; p < reconfig->count; ++p) {
      for (size_t i = 0; i < reconfig->parameters[p].stream_count(); ++i) total += reconfig->parameters[p].stream(i);
    }
  }
  if (const auto tsn = parse_shutdown(chunk)) total += *tsn;
  if (const auto cause = first_cause(chunk)) total += sum(cause->whole);
  return total;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const ByteView bytes{data, size};
  volatile uint32_t total = has_valid_checksum(bytes) ? 1 : 0;
  if (const auto packet = parse_packet(bytes)) {
    ChunkReader chunks(packet->chunks);
    while (const auto chunk = chunks.next()) total = total + read_all(*chunk);
  }
  if (const auto open = parse_dcep_open(bytes))
    total = total + sum(as_bytes(open->label)) + sum(as_bytes(open->protocol));
  total = total + (is_dcep_ack(bytes) ? 1 : 0);
  return 0;
}

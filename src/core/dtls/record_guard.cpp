#include "core/dtls/record_guard.h"

#include <algorithm>

namespace atm::dtls {
namespace {

// RFC 6347 4.1: type, version, epoch, sequence number, length.
constexpr size_t kRecordHeader = 13;
constexpr uint8_t kHandshake = 22;
constexpr uint8_t kApplicationData = 23;

// RFC 6347 4.2.2, RFC 5246 7.4.
constexpr size_t kFragmentHeader = 12;
constexpr uint8_t kClientHello = 1;
constexpr uint8_t kCertificate = 11;

size_t max_size_of(uint8_t type) {
  switch (type) {
    case kClientHello:
      return kMaxHelloSize;
    case kCertificate:
      return kMaxCertificateChain;
    default:
      return kMaxOtherMessage;
  }
}

uint32_t load_u24(const uint8_t* at) {
  return uint32_t{at[0]} << 16 | uint32_t{at[1]} << 8 | at[2];
}

}  // namespace

size_t RecordGuard::admit(ByteView datagram, MutByteView out, bool has_read_keys, Counters& counters) {
  size_t at = 0;
  while (at < datagram.size()) {
    const ByteView rest = datagram.subspan(at);
    const size_t size = rest.size() < kRecordHeader ? 0 : load_u16(&rest[11]);
    if (size == 0 || size > rest.size() - kRecordHeader) {  // RFC 5246 6.2.1: none is empty before the keys
      ++counters.bad_record;
      break;
    }
    const uint8_t type = rest[0];
    const uint16_t epoch = load_u16(&rest[3]);
    if (epoch == 0) {
      if (type == kHandshake && !admits_fragments(rest.subspan(kRecordHeader, size), counters)) break;
    } else if (size < kLeastGcmRecord) {
      ++counters.bad_record;
      break;
    } else if (!admits_encrypted(type, epoch, has_read_keys)) {
      ++counters.early_record;
      break;
    }
    std::copy_n(rest.begin(), kRecordHeader + size, out.begin() + static_cast<ptrdiff_t>(at));
    if (epoch == 0) {
      store_u16(&out[at + 5], 0);
      store_u32(&out[at + 7], next_number_++);
    }
    at += kRecordHeader + size;
  }
  return at;
}

size_t RecordGuard::admit_connected(ByteView datagram, size_t least_encrypted, Counters& counters) {
  size_t at = 0;
  while (datagram.size() - at > kRecordHeader) {
    const size_t size = load_u16(&datagram[at + 11]);
    if (load_u16(&datagram[at + 3]) > 0 && size < least_encrypted) {
      ++counters.bad_record;
      break;
    }
    at = std::min(at + kRecordHeader + size, datagram.size());
  }
  return at;
}

// There is no renegotiation, so no epoch but the first two. What is kept for later: a handshake record before its keys,
// application data between them and the Finished.
bool RecordGuard::admits_encrypted(uint8_t type, uint16_t epoch, bool has_read_keys) {
  if (epoch > 1 || (!has_read_keys && type == kApplicationData)) return false;
  if (has_read_keys && type != kApplicationData) return true;
  return early_records_++ < kMaxEarlyRecords;
}

bool RecordGuard::admits_fragments(ByteView record, Counters& counters) {
  while (!record.empty()) {
    if (record.size() < kFragmentHeader) {
      ++counters.bad_fragment;
      return false;
    }
    const uint8_t type = record[0];
    const size_t size = load_u24(&record[1]);
    const size_t sequence = load_u16(&record[4]);
    const size_t offset = load_u24(&record[6]);
    const size_t fragment = load_u24(&record[9]);
    // An empty fragment of a message that is not brings nothing; as the first of its message it would be read as one
    // that is cut off.
    if (fragment > record.size() - kFragmentHeader || offset + fragment > size || (fragment == 0 && size > 0)) {
      ++counters.bad_fragment;
      return false;
    }
    if (!admits_message(sequence, type, size)) {
      ++counters.message_too_large;
      return false;
    }
    Message& message = messages_[sequence];
    if (message.is_known && (message.type != type || message.size != size)) {
      ++counters.bad_fragment;
      return false;
    }
    message = {true, type, size};
    record = record.subspan(kFragmentHeader + fragment);
  }
  return true;
}

// There is one ClientHello and one Certificate, so that of the large ones there are two at most.
bool RecordGuard::admits_message(size_t sequence, uint8_t type, size_t size) const {
  if (sequence >= kMaxHandshakeMessages || size > max_size_of(type)) return false;
  if (size <= kMaxOtherMessage) return true;
  for (size_t i = 0; i < kMaxHandshakeMessages; ++i) {
    if (i != sequence && messages_[i].is_known && messages_[i].type == type && messages_[i].size > kMaxOtherMessage) {
      return false;
    }
  }
  return true;
}

}  // namespace atm::dtls

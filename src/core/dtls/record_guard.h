// Stands before an SSL, above all while its handshake goes on, and keeps from it the records that would cost it memory
// or its life. OpenSSL reserves the whole length that any fragment of a handshake message claims, for ten messages
// ahead (170 kB); keeps up to a hundred 16 kB buffers of records that it cannot decrypt yet (1.7 MB); and ends the
// handshake at a fragment that makes no sense, where RFC 6347 4.1.2.7 wants it dropped. Behind this, what strangers can
// make a session hold is under 64 kB. It also numbers the records of the first epoch anew: their numbers prove nothing,
// and one high number would have all the client's own taken for replays. Owned by Transport. Knows no state machine and
// no cryptography: whole, well-formed messages that are forged pass, and only ICE's check of the path is against them.
#pragma once

#include <array>

#include "base/bytes.h"
#include "core/dtls/counters.h"

namespace atm::dtls {

inline constexpr size_t kMaxHelloSize = 8 * 1024;         // bytes of a ClientHello: a post-quantum one has about 2 kB
inline constexpr size_t kMaxCertificateChain = 6 * 1024;  // bytes of a peer's certificates: WebRTC's have under 1 kB
inline constexpr size_t kMaxOtherMessage = 2 * 1024;      // bytes of any other handshake message; they have under 600
// Handshake messages of one side: five, or six after a HelloVerifyRequest (RFC 6347 4.2.4).
inline constexpr size_t kMaxHandshakeMessages = 8;
// Records kept until there are keys: a Finished that overtook the rest of its flight, and one more. 16 kB each.
inline constexpr size_t kMaxEarlyRecords = 2;
// An encrypted record of AES-GCM has a nonce of 8 bytes and a tag of 16 (RFC 5288 3), one of ChaCha20 a tag alone
// (RFC 7905 2). At a shorter one OpenSSL 3.0 ends the association with an internal error, where RFC 6347 4.1.2.7 wants
// it dropped.
inline constexpr size_t kLeastGcmRecord = 24;
inline constexpr size_t kLeastChachaRecord = 16;

class RecordGuard {
 public:
  // Copies to `out`, which is no smaller, what of `datagram` the SSL may read: all, or what comes before the first
  // record that it must not see. `has_read_keys`: the peer's ChangeCipherSpec has been taken, encrypted records can be
  // read. The size of the copy.
  size_t admit(ByteView datagram, MutByteView out, bool has_read_keys, Counters& counters);
  // Once the handshake is over: how much of `datagram` the SSL may read.
  static size_t admit_connected(ByteView datagram, size_t least_encrypted, Counters& counters);

 private:
  struct Message {
    bool is_known = false;
    uint8_t type = 0;
    size_t size = 0;
  };
  bool admits_encrypted(uint8_t type, uint16_t epoch, bool has_read_keys);
  bool admits_fragments(ByteView record, Counters& counters);
  bool admits_message(size_t sequence, uint8_t type, size_t size) const;

  std::array<Message, kMaxHandshakeMessages> messages_{};  // by message_seq, as its first fragment claimed it
  size_t early_records_ = 0;
  uint32_t next_number_ = 0;
};

}  // namespace atm::dtls

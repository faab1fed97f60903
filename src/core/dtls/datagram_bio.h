// The BIO between an SSL and our datagrams: one datagram in by reference, any number out, boundaries kept.
// OpenSSL's memory BIO is a stream and would join datagrams; its datagram BIO wants a socket. Used by Transport alone.
// Outside a call of Transport there is neither inbound nor outbound: reads say "retry", writes are dropped.
#pragma once

#include <vector>

#include "base/bytes.h"

struct bio_st;

namespace atm::dtls {

// What one SSL reads from and writes to during one call.
struct Wire {
  ByteView inbound;
  std::vector<Bytes>* outbound = nullptr;
};

// A BIO over `wire`, which must outlive it. The caller (an SSL) owns the BIO.
bio_st* make_datagram_bio(Wire* wire);

}  // namespace atm::dtls

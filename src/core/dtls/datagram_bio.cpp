#include "core/dtls/datagram_bio.h"

#include <openssl/bio.h>

#include <algorithm>
#include <cstring>

#include "base/assert.h"

namespace atm::dtls {
namespace {

int read_datagram(BIO* bio, char* out, int size) {
  Wire* wire = static_cast<Wire*>(BIO_get_data(bio));
  BIO_clear_retry_flags(bio);
  if (wire->inbound.empty() || size <= 0) {
    BIO_set_retry_read(bio);
    return -1;
  }
  // Like recv on a datagram socket: what does not fit is lost. OpenSSL's buffer holds the largest record (16 kB).
  const size_t n = std::min(wire->inbound.size(), static_cast<size_t>(size));
  std::memcpy(out, wire->inbound.data(), n);
  wire->inbound = {};
  return static_cast<int>(n);
}

int write_datagram(BIO* bio, const char* data, int size) {
  Wire* wire = static_cast<Wire*>(BIO_get_data(bio));
  BIO_clear_retry_flags(bio);
  if (size <= 0) return 0;
  if (wire->outbound) {
    const auto* bytes = reinterpret_cast<const uint8_t*>(data);
    wire->outbound->emplace_back(bytes, bytes + size);
  }
  return size;
}

long control(BIO*, int command, long, void*) {
  switch (command) {
    case BIO_CTRL_FLUSH:
      return 1;
    // The MTU that Transport sets is that of the UDP payload already.
    case BIO_CTRL_DGRAM_GET_MTU_OVERHEAD:
      return 0;
    default:
      return 0;
  }
}

int create(BIO* bio) {
  BIO_set_init(bio, 1);
  return 1;
}

const BIO_METHOD* datagram_method() {
  static const BIO_METHOD* const method = [] {
    BIO_METHOD* m = BIO_meth_new(BIO_TYPE_SOURCE_SINK | BIO_get_new_index(), "atm0s datagram");
    ASSERT(m);
    BIO_meth_set_create(m, create);
    BIO_meth_set_read(m, read_datagram);
    BIO_meth_set_write(m, write_datagram);
    BIO_meth_set_ctrl(m, control);
    return m;
  }();
  return method;
}

}  // namespace

bio_st* make_datagram_bio(Wire* wire) {
  BIO* bio = BIO_new(datagram_method());
  ASSERT(bio);
  BIO_set_data(bio, wire);
  return bio;
}

}  // namespace atm::dtls

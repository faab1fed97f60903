// Puts OpenSSL under the control of a test or simulation: its clock follows virtual time, its randomness comes from an
// Rng, so that one seed gives the same handshake bytes and the same retransmissions on every run. For test programs
// only: including it (in any number of their .cpp) replaces gettimeofday() for the whole program, which is the only
// clock that OpenSSL's DTLS reads; DTLS_set_timer_cb does not reach it. While no VirtualOpenssl lives, the time stands
// at the last value and OpenSSL has its own randomness again. One at a time; not for several threads.
#pragma once

#ifndef OPENSSL_SUPPRESS_DEPRECATED
#define OPENSSL_SUPPRESS_DEPRECATED  // RAND_set_rand_method: the only way to replace it without writing a provider
#endif
#include <openssl/rand.h>
#include <sys/time.h>

#include "base/assert.h"
#include "base/rng.h"
#include "base/time.h"

namespace atm::dtls {

class VirtualOpenssl {
 public:
  explicit VirtualOpenssl(Rng& rng) {
    ASSERT(!rng_);
    rng_ = &rng;
    static const RAND_METHOD kMethod = {nullptr, fill, nullptr, nullptr, fill, status};
    ASSERT(RAND_set_rand_method(&kMethod) == 1);
  }
  ~VirtualOpenssl() {
    RAND_set_rand_method(nullptr);
    rng_ = nullptr;
  }
  VirtualOpenssl(const VirtualOpenssl&) = delete;
  VirtualOpenssl& operator=(const VirtualOpenssl&) = delete;

  // To be called whenever virtual time moves, before any engine is called with that Now.
  static void set_time(Now now) { wall_us_ = now.wall.time_since_epoch().count(); }
  static int64_t wall_us() { return wall_us_; }

 private:
  static int fill(unsigned char* out, int size) {
    rng_->fill({out, static_cast<size_t>(size)});
    return 1;
  }
  static int status() { return 1; }

  static inline Rng* rng_ = nullptr;
  static inline int64_t wall_us_ = 0;
};

}  // namespace atm::dtls

// Weak, so that several .cpp of one program may hold it; it still comes before the C library's, which is a shared
// object.
extern "C" __attribute__((weak, used, visibility("default"))) int gettimeofday(timeval* out, void*) noexcept {
  const int64_t us = atm::dtls::VirtualOpenssl::wall_us();
  out->tv_sec = us / 1'000'000;
  out->tv_usec = us % 1'000'000;
  return 0;
}

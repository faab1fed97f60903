// The source of randomness that is given to every engine, so that one seed replays a whole call.
// SystemRng (io/runtime) reads the operating system's generator and is the only one fit for secrets;
// SeededRng is for tests and simulations. Not thread-safe: one per worker.
#pragma once

#include <cstdint>
#include <string>

#include "base/bytes.h"

namespace atm {

class Rng {
 public:
  virtual ~Rng() = default;
  virtual void fill(MutByteView out) = 0;

  uint32_t u32();
  uint64_t u64();
  // Uniform in [0, bound); bound > 0.
  uint32_t below(uint32_t bound);
  // `length` characters of ice-char (RFC 8839 5.4: ALPHA / DIGIT / "+" / "/"): 6 bits each.
  std::string ice_chars(size_t length);
  // `bytes` random bytes in lower-case hexadecimal.
  std::string hex(size_t bytes);
};

// xoshiro256** by Blackman and Vigna (public domain), seeded through SplitMix64. Deterministic; never for secrets.
class SeededRng final : public Rng {
 public:
  explicit SeededRng(uint64_t seed);
  void fill(MutByteView out) override;
  uint64_t next();

 private:
  uint64_t state_[4];
};

}  // namespace atm

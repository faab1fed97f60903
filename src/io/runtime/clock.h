// The real clocks and the operating system's randomness: the only places where time and chance enter the product.
// For io loops and apps; logic is given a Now and an Rng&.
#pragma once

#include "base/rng.h"
#include "base/time.h"

namespace atm::io {

Now read_clocks();

// Fit for secrets: OpenSSL's generator, seeded by the operating system.
class SystemRng final : public Rng {
 public:
  void fill(MutByteView out) override;
};

}  // namespace atm::io

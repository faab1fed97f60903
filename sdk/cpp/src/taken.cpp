#include "taken.h"

namespace atm0s {

[[gnu::weak]] SessionConfig taken(SessionConfig config) {
  return config;
}
[[gnu::weak]] SenderConfig taken(SenderConfig config) {
  return config;
}

}  // namespace atm0s

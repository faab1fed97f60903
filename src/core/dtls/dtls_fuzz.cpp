// A server fed with length-prefixed datagrams: whatever a stranger sends, it neither crashes nor connects.
// Two bytes before each datagram say its length, so one input is a whole conversation.
#include <algorithm>
#include <cstddef>
#include <new>

#include "core/dtls/transport.h"
#include "core/dtls/virtual_openssl_test.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace atm;
  // Never destroyed: OpenSSL cleans up at exit before they would be. Not on the heap what nothing refers to afterwards:
  // a compiler drops the reference, and the leak checker then finds a byte of nobody's.
  static SeededRng& rng = *new SeededRng(1);
  alignas(dtls::VirtualOpenssl) static std::byte place[sizeof(dtls::VirtualOpenssl)];
  [[maybe_unused]] static const auto* openssl = new (place) dtls::VirtualOpenssl(rng);
  Now now{Instant{1s}, WallTime{1'790'000'000s}};
  dtls::VirtualOpenssl::set_time(now);
  static const auto& context = *new dtls::Context(dtls::Certificate::make(now, rng));
  dtls::Transport server(context, dtls::Role::kServer);
  server.set_remote_fingerprint("sha-256 " + context.certificate().fingerprint());
  dtls::Output out;
  Reader reader({data, size});
  while (reader.left() > 2) {
    const size_t length = reader.u16() % 2'200;
    server.on_datagram(now, reader.take(std::min(length, reader.left())), out);
    now.mono += 20ms;
    now.wall += 20ms;
    dtls::VirtualOpenssl::set_time(now);
    server.on_timeout(now, out);
    out.clear();
  }
  ASSERT(server.state() != dtls::State::kConnected && !server.srtp_keys());
  return 0;
}

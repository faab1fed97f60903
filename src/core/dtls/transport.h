// One DTLS 1.2 association over datagrams (RFC 6347) with the keys for SRTP (RFC 5764) and application data (RFC 8261).
// Called by core/peer with every datagram of RFC 7983's DTLS range. Promises: never connected, and no key exported,
// unless the peer's certificate matches the fingerprint that was set; retransmits until answered; datagrams of at most
// kMtu bytes. Does not choose the path (ICE), does not parse SCTP. An SSL keeps about 75 kB (SSL_MODE_RELEASE_BUFFERS
// has no effect on DTLS); the association must live on after the handshake, since a lost last flight is sent again from
// it. OpenSSL reads the wall clock for its retransmission timer: virtual time needs virtual_openssl_test.h.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/srtp_profile.h"
#include "base/time.h"
#include "core/dtls/context.h"
#include "core/dtls/counters.h"

namespace atm::dtls {

// UDP payload of the largest datagram that we make, bytes: the project's 1,200-byte budget.
inline constexpr size_t kMtu = 1'200;
// What a record adds to application data with AES-GCM: header 13, explicit nonce 8, tag 16 (RFC 6347 4.1, RFC 5288 3).
inline constexpr size_t kRecordOverhead = 37;
// The application's (SCTP's) largest packet that stays within kMtu.
inline constexpr size_t kApplicationMtu = kMtu - kRecordOverhead;
// Larger datagrams than this are dropped unread. Peers send up to 1,500; a little more for odd links.
inline constexpr size_t kMaxInboundSize = 2'048;

enum class Role : uint8_t { kServer, kClient };  // a=setup:passive, a=setup:active (RFC 5763 5)
enum class State : uint8_t { kNew, kConnecting, kConnected, kClosed, kFailed };

struct Output {
  std::vector<Bytes> datagrams;    // to the peer, in order
  std::vector<Bytes> application;  // from the peer, decrypted, boundaries kept

  void clear() {
    datagrams.clear();
    application.clear();
  }
};

struct SrtpKeys {
  SrtpProfile profile;
  Bytes local_key, local_salt;    // for what we send
  Bytes remote_key, remote_salt;  // for what we receive
};

class Transport {
 public:
  Transport(const Context& context, Role role);
  Transport(Transport&&) noexcept;
  Transport& operator=(Transport&&) noexcept;
  ~Transport();

  // The value of the peer's a=fingerprint, "sha-256 AB:CD:…". False (and nothing changes) when it is malformed or of an
  // unknown function. Must come before start; until then datagrams are dropped (the peer sends them again).
  bool set_remote_fingerprint(std::string_view algorithm_and_hex);

  // A client sends its ClientHello; a server gets ready (its first datagram does the same).
  void start(Now now, Output& out);
  void on_datagram(Now now, ByteView datagram, Output& out);
  void on_timeout(Now now, Output& out);
  Instant next_timeout() const { return next_timeout_; }

  // Application data, one record and one datagram. False when not connected, empty, or larger than a datagram may be.
  bool send(Now now, ByteView data, Output& out);
  // Sends close_notify when connected.
  void close(Now now, Output& out);

  State state() const { return state_; }
  Role role() const { return role_; }
  // Nothing unless connected, or when the peer has none of our profiles (then there is a data channel, but no media).
  std::optional<SrtpKeys> srtp_keys() const;
  // Why the state is kFailed, for a log; empty otherwise.
  const std::string& failure() const { return failure_; }
  const Counters& counters() const { return counters_; }

 private:
  struct Session;
  void advance(Now now, Output& out);
  void handshake();
  void read_application(Output& out);
  void end(State state, const char* fallback);
  void cache_timeout(Now now);

  std::unique_ptr<Session> session_;
  Role role_;
  State state_ = State::kNew;
  Instant next_timeout_ = kNever;
  std::string failure_;
  Counters counters_;
};

}  // namespace atm::dtls

#include "core/dtls/transport.h"

#include <openssl/err.h>
#include <openssl/ssl.h>

#include <algorithm>
#include <cstdlib>  // struct timeval, without a header of sys/
#include <cstring>

#include "base/assert.h"
#include "base/datagram.h"
#include "core/dtls/datagram_bio.h"
#include "core/dtls/fingerprint.h"
#include "core/dtls/record_guard.h"

namespace atm::dtls {
namespace {

// RFC 6347 4.2.4.1 says 1 s, RFC 9147 5.8.2 lets real-time uses go lower: a lost flight must not cost a second of black
// screen. Doubles up to the maximum. OpenSSL gives up at the 13th, 21 s after the first flight.
constexpr unsigned int kFirstTimeoutUs = 50'000;
constexpr unsigned int kMaxTimeoutUs = 3'000'000;

unsigned int next_timeout_us(SSL*, unsigned int previous_us) {
  return previous_us == 0 ? kFirstTimeoutUs : std::min(previous_us * 2, kMaxTimeoutUs);
}

std::optional<SrtpProfile> negotiated_profile(SSL* ssl) {
  const SRTP_PROTECTION_PROFILE* profile = SSL_get_selected_srtp_profile(ssl);
  if (!profile) return std::nullopt;
  switch (profile->id) {
    case SRTP_AEAD_AES_128_GCM:
      return SrtpProfile::kAeadAes128Gcm;
    case SRTP_AEAD_AES_256_GCM:
      return SrtpProfile::kAeadAes256Gcm;
    case SRTP_AES128_CM_SHA1_80:
      return SrtpProfile::kAes128CmHmacSha1_80;
    default:
      return std::nullopt;
  }
}

// The peer's ChangeCipherSpec has been taken and its Finished has not come yet.
bool has_read_keys(const SSL* ssl) {
  const OSSL_HANDSHAKE_STATE state = SSL_get_state(ssl);
  return state == TLS_ST_SR_CHANGE || state == TLS_ST_CR_CHANGE;
}

size_t least_encrypted(const SSL* ssl) {
  const SSL_CIPHER* cipher = SSL_get_current_cipher(ssl);
  const bool is_chacha = cipher != nullptr && SSL_CIPHER_get_cipher_nid(cipher) == NID_chacha20_poly1305;
  return is_chacha ? kLeastChachaRecord : kLeastGcmRecord;
}

struct SslFree {
  void operator()(SSL* ssl) const { SSL_free(ssl); }
};

}  // namespace

// On the heap: OpenSSL keeps pointers to these while the Transport may move.
struct Transport::Session {
  Wire wire;
  RecordGuard guard;
  std::optional<Fingerprint> expected;
  std::unique_ptr<SSL, SslFree> ssl;  // last, so that it is freed first
};

Transport::Transport(const Context& context, Role role) : session_(std::make_unique<Session>()), role_(role) {
  SSL* ssl = SSL_new(context.ssl_ctx());
  ASSERT(ssl);
  session_->ssl.reset(ssl);
  BIO* bio = make_datagram_bio(&session_->wire);
  SSL_set_bio(ssl, bio, bio);  // one reference serves both directions
  ASSERT(DTLS_set_link_mtu(ssl, kMtu) == 1);
  DTLS_set_timer_cb(ssl, next_timeout_us);
  if (role == Role::kClient) {
    SSL_set_connect_state(ssl);
  } else {
    SSL_set_accept_state(ssl);
  }
}

Transport::Transport(Transport&&) noexcept = default;
Transport& Transport::operator=(Transport&&) noexcept = default;
Transport::~Transport() = default;

bool Transport::set_remote_fingerprint(std::string_view algorithm_and_hex) {
  auto parsed = parse_fingerprint(algorithm_and_hex);
  if (!parsed || state_ != State::kNew) return false;
  session_->expected = std::move(parsed);
  SSL_set_app_data(session_->ssl.get(), &*session_->expected);
  return true;
}

void Transport::start(Now now, Output& out) {
  if (state_ != State::kNew) return;
  ASSERT(session_->expected);
  state_ = State::kConnecting;
  advance(now, out);
}

void Transport::on_datagram(Now now, ByteView datagram, Output& out) {
  if (datagram.empty() || datagram[0] < 20 || datagram[0] > 63) {  // RFC 7983 7
    ++counters_.not_dtls;
    return;
  }
  if (datagram.size() > kMaxInboundSize) {
    ++counters_.too_large;
    return;
  }
  if (state_ == State::kClosed || state_ == State::kFailed) {
    ++counters_.too_late;
    return;
  }
  if (state_ == State::kNew) {
    if (role_ == Role::kClient || !session_->expected) {
      ++counters_.too_early;
      return;
    }
    state_ = State::kConnecting;
  }
  uint8_t admitted[kMaxInboundSize];
  if (state_ == State::kConnecting) {
    const size_t size = session_->guard.admit(datagram, admitted, has_read_keys(session_->ssl.get()), counters_);
    if (size == 0) return;
    datagram = {admitted, size};
  } else {
    const size_t size = RecordGuard::admit_connected(datagram, least_encrypted(session_->ssl.get()), counters_);
    if (size == 0) return;
    datagram = datagram.first(size);
  }
  session_->wire.inbound = datagram;
  advance(now, out);
  session_->wire.inbound = {};
}

void Transport::on_timeout(Now now, Output& out) {
  if (now.mono < next_timeout_) return;
  session_->wire.outbound = &out.datagrams;
  ERR_clear_error();
  // 0: not due by OpenSSL's own clock; 1: the last flight is sent again; below: given up.
  if (DTLSv1_handle_timeout(session_->ssl.get()) < 0) end(State::kFailed, "the peer does not answer");
  session_->wire.outbound = nullptr;
  cache_timeout(now);
}

// Reads on after the handshake, always: a peer that lost our last flight repeats its own, and OpenSSL answers that from
// inside SSL_read.
void Transport::advance(Now now, Output& out) {
  session_->wire.outbound = &out.datagrams;
  if (state_ == State::kConnecting) handshake();
  if (state_ == State::kConnected) read_application(out);
  session_->wire.outbound = nullptr;
  cache_timeout(now);
}

void Transport::handshake() {
  SSL* ssl = session_->ssl.get();
  ERR_clear_error();
  const int result = SSL_do_handshake(ssl);
  if (result == 1) {
    state_ = State::kConnected;
    return;
  }
  if (SSL_get_error(ssl, result) != SSL_ERROR_WANT_READ) end(State::kFailed, "the handshake failed");
}

void Transport::read_application(Output& out) {
  SSL* ssl = session_->ssl.get();
  uint8_t record[SSL3_RT_MAX_PLAIN_LENGTH];
  while (state_ == State::kConnected) {
    ERR_clear_error();
    const int size = SSL_read(ssl, record, sizeof record);
    if (size > 0) {
      out.application.emplace_back(record, record + size);
      continue;
    }
    switch (SSL_get_error(ssl, size)) {
      case SSL_ERROR_WANT_READ:
        return;
      case SSL_ERROR_ZERO_RETURN:  // RFC 5246 7.2.1: answer a close_notify with our own
        SSL_shutdown(ssl);
        end(State::kClosed, "");
        return;
      default:
        end(State::kFailed, "the association failed");
        return;
    }
  }
}

bool Transport::send(Now now, ByteView data, Output& out) {
  if (state_ != State::kConnected || data.empty() || data.size() > kMaxDatagramSize - kRecordOverhead) {
    ++counters_.unsent;
    return false;
  }
  SSL* ssl = session_->ssl.get();
  session_->wire.outbound = &out.datagrams;
  ERR_clear_error();
  const int written = SSL_write(ssl, data.data(), static_cast<int>(data.size()));
  session_->wire.outbound = nullptr;
  if (written <= 0) {
    ++counters_.unsent;
    end(State::kFailed, "the association failed");
  }
  cache_timeout(now);
  return written > 0;
}

void Transport::close(Now, Output& out) {
  if (state_ == State::kClosed || state_ == State::kFailed) return;
  if (state_ == State::kConnected) {
    session_->wire.outbound = &out.datagrams;
    ERR_clear_error();
    SSL_shutdown(session_->ssl.get());
    session_->wire.outbound = nullptr;
  }
  end(State::kClosed, "");
}

void Transport::end(State state, const char* fallback) {
  state_ = state;
  next_timeout_ = kNever;
  if (state == State::kFailed) {
    const char* reason = ERR_reason_error_string(ERR_peek_error());
    failure_ = reason ? reason : fallback;
  }
  ERR_clear_error();  // the queue belongs to the thread: leave nothing to the next session
}

void Transport::cache_timeout(Now now) {
  next_timeout_ = kNever;
  if (state_ != State::kConnecting && state_ != State::kConnected) return;
  timeval left{};
  if (DTLSv1_get_timeout(session_->ssl.get(), &left) != 1) return;
  next_timeout_ = now.mono + std::chrono::seconds(left.tv_sec) + std::chrono::microseconds(left.tv_usec);
}

std::optional<SrtpKeys> Transport::srtp_keys() const {
  if (state_ != State::kConnected) return std::nullopt;
  SSL* ssl = session_->ssl.get();
  const auto profile = negotiated_profile(ssl);
  if (!profile) return std::nullopt;

  // RFC 5764 4.2: client key, server key, client salt, server salt.
  static constexpr char kLabel[] = "EXTRACTOR-dtls_srtp";
  const size_t key = srtp_key_size(*profile);
  const size_t salt = srtp_salt_size(*profile);
  Bytes material(2 * (key + salt));
  if (SSL_export_keying_material(ssl, material.data(), material.size(), kLabel, sizeof kLabel - 1, nullptr, 0, 0) !=
      1) {
    return std::nullopt;
  }
  Reader reader(material);
  const auto take = [&reader](size_t size) {
    const ByteView b = reader.take(size);
    return Bytes(b.begin(), b.end());
  };
  Bytes client_key = take(key), server_key = take(key);
  Bytes client_salt = take(salt), server_salt = take(salt);
  OPENSSL_cleanse(material.data(), material.size());
  if (role_ == Role::kClient) {
    return SrtpKeys{*profile, std::move(client_key), std::move(client_salt), std::move(server_key),
                    std::move(server_salt)};
  }
  return SrtpKeys{*profile, std::move(server_key), std::move(server_salt), std::move(client_key),
                  std::move(client_salt)};
}

}  // namespace atm::dtls

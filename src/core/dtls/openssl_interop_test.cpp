// OpenSSL's own client and server as the other end of DTLS-SRTP, with stock BIOs and their own SSL_CTX: the same
// profile, the same keys, application data both ways.
#include "core/dtls/virtual_openssl_test.h"

#include <gtest/gtest.h>
#include <openssl/ssl.h>

#include <memory>

#include "base/rng.h"
#include "core/dtls/transport.h"

namespace atm::dtls {
namespace {

struct SslFree {
  void operator()(SSL* ssl) const { SSL_free(ssl); }
  void operator()(SSL_CTX* ctx) const { SSL_CTX_free(ctx); }
};

int accept_any(X509_STORE_CTX*, void*) {
  return 1;
}

struct Stock {
  Stock(Role role, const Certificate& certificate, const char* profiles)
      : ctx(SSL_CTX_new(role == Role::kClient ? DTLS_client_method() : DTLS_server_method())) {
    SSL_CTX_use_certificate(ctx.get(), certificate.x509());
    SSL_CTX_use_PrivateKey(ctx.get(), certificate.key());
    SSL_CTX_set_verify(ctx.get(), SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
    SSL_CTX_set_cert_verify_callback(ctx.get(), accept_any, nullptr);
    SSL_CTX_set_options(ctx.get(), SSL_OP_NO_QUERY_MTU);
    EXPECT_EQ(SSL_CTX_set_tlsext_use_srtp(ctx.get(), profiles), 0);
    ssl.reset(SSL_new(ctx.get()));
    in = BIO_new(BIO_s_mem());
    out = BIO_new(BIO_s_mem());
    BIO_set_mem_eof_return(in, -1);
    SSL_set_bio(ssl.get(), in, out);
    DTLS_set_link_mtu(ssl.get(), 1'200);
    role == Role::kClient ? SSL_set_connect_state(ssl.get()) : SSL_set_accept_state(ssl.get());
  }
  void take(ByteView datagram) {
    BIO_write(in, datagram.data(), static_cast<int>(datagram.size()));
    advance();
  }
  void advance() {
    if (!SSL_is_init_finished(ssl.get())) SSL_do_handshake(ssl.get());
    char buffer[2'048];
    const int size = SSL_read(ssl.get(), buffer, sizeof buffer);
    if (size > 0) received.append(buffer, static_cast<size_t>(size));
  }
  // A flight comes as one piece: records of DTLS may share a datagram (RFC 6347 4.1.1).
  Bytes give() {
    Bytes flight(static_cast<size_t>(BIO_pending(out)));
    if (!flight.empty()) BIO_read(out, flight.data(), static_cast<int>(flight.size()));
    return flight;
  }

  std::unique_ptr<SSL_CTX, SslFree> ctx;
  std::unique_ptr<SSL, SslFree> ssl;
  BIO* in = nullptr;
  BIO* out = nullptr;
  std::string received;
};

struct Interop : testing::Test {
  Interop() : openssl(rng) { VirtualOpenssl::set_time(now); }

  void connect(Role stock_role, const char* profiles) {
    ours_certificate.emplace(Certificate::make(now, rng));
    stock_certificate.emplace(Certificate::make(now, rng));
    context.emplace(*ours_certificate);
    ours.emplace(*context, stock_role == Role::kClient ? Role::kServer : Role::kClient);
    ASSERT_TRUE(ours->set_remote_fingerprint("sha-256 " + stock_certificate->fingerprint()));
    stock.emplace(stock_role, *stock_certificate, profiles);
    ours->start(now, out);
    stock->advance();
    for (int round = 0; round < 20; ++round) exchange();
  }
  void exchange() {
    const Bytes flight = stock->give();
    // Ours takes no datagram above its limit; a stock flight stays below it, or is cut at its records.
    for (size_t at = 0; at + 13 <= flight.size();) {
      const size_t record = 13 + load_u16(&flight[at + 11]);
      ours->on_datagram(now, ByteView(flight).subspan(at, record), out);
      at += record;
    }
    std::vector<Bytes> datagrams = std::move(out.datagrams);
    out.datagrams.clear();
    for (const Bytes& datagram : datagrams) stock->take(datagram);
  }
  void expect_same_keys(SrtpProfile profile, unsigned long id) {
    ASSERT_EQ(ours->state(), State::kConnected) << ours->failure();
    const auto keys = ours->srtp_keys();
    ASSERT_TRUE(keys);
    EXPECT_EQ(keys->profile, profile);
    const SRTP_PROTECTION_PROFILE* theirs = SSL_get_selected_srtp_profile(stock->ssl.get());
    ASSERT_NE(theirs, nullptr);
    EXPECT_EQ(theirs->id, id);
    // RFC 5764 4.2: client key, server key, client salt, server salt.
    const size_t key = srtp_key_size(profile), salt = srtp_salt_size(profile);
    Bytes material(2 * (key + salt));
    constexpr char kLabel[] = "EXTRACTOR-dtls_srtp";
    ASSERT_EQ(SSL_export_keying_material(stock->ssl.get(), material.data(), material.size(), kLabel, sizeof kLabel - 1,
                                         nullptr, 0, 0),
              1);
    const bool is_client = ours->role() == Role::kClient;
    Bytes joined = is_client ? keys->local_key : keys->remote_key;
    for (const Bytes* part :
         {is_client ? &keys->remote_key : &keys->local_key, is_client ? &keys->local_salt : &keys->remote_salt,
          is_client ? &keys->remote_salt : &keys->local_salt}) {
      joined.insert(joined.end(), part->begin(), part->end());
    }
    EXPECT_EQ(joined, material);

    ASSERT_TRUE(ours->send(now, as_bytes("from ours"), out));
    SSL_write(stock->ssl.get(), "from stock", 10);
    for (int round = 0; round < 3; ++round) exchange();
    EXPECT_EQ(stock->received, "from ours");
    ASSERT_EQ(out.application.size(), 1u);
    EXPECT_EQ(as_text(out.application[0]), "from stock");
  }

  SeededRng rng{7};
  VirtualOpenssl openssl;
  Now now{Instant{5s}, WallTime{1'790'000'005s}};
  std::optional<Certificate> ours_certificate, stock_certificate;
  std::optional<Context> context;
  std::optional<Transport> ours;
  std::optional<Stock> stock;
  Output out;
};

TEST_F(Interop, AStockClientWithAes128Gcm) {
  connect(Role::kClient, "SRTP_AEAD_AES_128_GCM");
  expect_same_keys(SrtpProfile::kAeadAes128Gcm, SRTP_AEAD_AES_128_GCM);
}
TEST_F(Interop, AStockClientWithAes256Gcm) {
  connect(Role::kClient, "SRTP_AEAD_AES_256_GCM");
  expect_same_keys(SrtpProfile::kAeadAes256Gcm, SRTP_AEAD_AES_256_GCM);
}
TEST_F(Interop, AStockClientWithAesCm) {
  connect(Role::kClient, "SRTP_AES128_CM_SHA1_80");
  expect_same_keys(SrtpProfile::kAes128CmHmacSha1_80, SRTP_AES128_CM_SHA1_80);
}
TEST_F(Interop, OfAllThatAStockClientOffersOursPrefersAes128Gcm) {
  connect(Role::kClient, "SRTP_AES128_CM_SHA1_80:SRTP_AEAD_AES_256_GCM:SRTP_AEAD_AES_128_GCM");
  expect_same_keys(SrtpProfile::kAeadAes128Gcm, SRTP_AEAD_AES_128_GCM);
}
TEST_F(Interop, AStockServerChoosesItsOwn) {
  connect(Role::kServer, "SRTP_AES128_CM_SHA1_80");
  expect_same_keys(SrtpProfile::kAes128CmHmacSha1_80, SRTP_AES128_CM_SHA1_80);
}
TEST_F(Interop, AStockClientWithAProfileThatWeDoNotHaveGetsNoMedia) {
  connect(Role::kClient, "SRTP_AES128_CM_SHA1_32");
  EXPECT_EQ(ours->state(), State::kConnected);
  EXPECT_FALSE(ours->srtp_keys());
}

}  // namespace
}  // namespace atm::dtls

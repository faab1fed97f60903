// libsrtp2 as a judge: what one of us protects the other must take, byte for byte, over random packets.
#include <gtest/gtest.h>
#include <srtp2/srtp.h>

#include <map>

#include "core/srtp/packet_test.h"
#include "core/srtp/receive_context.h"
#include "core/srtp/send_context.h"

namespace atm::srtp {
namespace {

struct Foreign {
  Foreign(SrtpProfile profile, Bytes master, srtp_ssrc_type_t direction) : key(std::move(master)) {
    static const srtp_err_status_t initialised = srtp_init();
    EXPECT_EQ(initialised, srtp_err_status_ok);
    srtp_policy_t policy{};
    if (profile == SrtpProfile::kAeadAes128Gcm) {
      srtp_crypto_policy_set_aes_gcm_128_16_auth(&policy.rtp);
      srtp_crypto_policy_set_aes_gcm_128_16_auth(&policy.rtcp);
    } else if (profile == SrtpProfile::kAes128CmHmacSha1_80) {
      srtp_crypto_policy_set_aes_cm_128_hmac_sha1_80(&policy.rtp);
      srtp_crypto_policy_set_aes_cm_128_hmac_sha1_80(&policy.rtcp);
    } else {
      srtp_crypto_policy_set_aes_gcm_256_16_auth(&policy.rtp);
      srtp_crypto_policy_set_aes_gcm_256_16_auth(&policy.rtcp);
    }
    policy.ssrc.type = direction;
    policy.key = key.data();
    policy.window_size = 1'024;
    EXPECT_EQ(srtp_create(&session, &policy), srtp_err_status_ok) << "this libsrtp2 was built without AES-GCM";
  }
  ~Foreign() { srtp_dealloc(session); }

  Bytes key;
  srtp_t session = nullptr;
};

struct Pair {
  explicit Pair(SrtpProfile profile, uint64_t seed = 1)
      : rng(seed),
        key(random_bytes(rng, srtp_key_size(profile))),
        salt(random_bytes(rng, srtp_salt_size(profile))),
        sender(profile, key, salt),
        receiver(profile, key, salt),
        foreign_sender(profile, joined(), ssrc_any_outbound),
        foreign_receiver(profile, joined(), ssrc_any_inbound) {}

  Bytes joined() const {
    Bytes out = key;
    out.insert(out.end(), salt.begin(), salt.end());
    return out;
  }

  SeededRng rng;
  Bytes key, salt;
  SendContext sender;
  ReceiveContext receiver;
  Foreign foreign_sender, foreign_receiver;
};

class Libsrtp : public testing::TestWithParam<SrtpProfile> {};

TEST_P(Libsrtp, TakesOurRtpAndWeTakeItsAcrossTheWrap) {
  Pair pair(GetParam());
  const uint32_t ssrcs[] = {1, 0xdeadbeef, 0x12345678};
  std::map<uint32_t, uint64_t> next = {{1, 0}, {0xdeadbeef, 65'000}, {0x12345678, 30'000}};
  for (int i = 0; i < 6'000; ++i) {
    const uint32_t ssrc = ssrcs[pair.rng.below(3)];
    // Losses of up to 99 packets: each stream goes around several times.
    const uint64_t index = next[ssrc] += 1 + pair.rng.below(100);
    const Bytes plain = random_rtp(pair.rng, ssrc, static_cast<uint16_t>(index));

    Bytes ours = plain;
    ours.resize(plain.size() + kRtpOverhead);
    ours.resize(pair.sender.protect_rtp(ours, plain.size(), index));
    ASSERT_GT(ours.size(), plain.size());
    Bytes theirs = plain;
    theirs.resize(plain.size() + SRTP_MAX_TRAILER_LEN);
    int size = static_cast<int>(plain.size());
    ASSERT_EQ(srtp_protect(pair.foreign_sender.session, theirs.data(), &size), srtp_err_status_ok);
    theirs.resize(static_cast<size_t>(size));
    ASSERT_EQ(ours, theirs) << "packet " << i;

    const auto opened = pair.receiver.unprotect_rtp(theirs);
    ASSERT_TRUE(opened) << "packet " << i;
    ASSERT_EQ(Bytes(opened->begin(), opened->end()), plain);
    size = static_cast<int>(ours.size());
    ASSERT_EQ(srtp_unprotect(pair.foreign_receiver.session, ours.data(), &size), srtp_err_status_ok);
    ours.resize(static_cast<size_t>(size));
    ASSERT_EQ(ours, plain);
  }
  EXPECT_GT(next[0xdeadbeef], 130'000u);
}

TEST_P(Libsrtp, TakesOurRtcpAndWeTakeIts) {
  Pair pair(GetParam());
  for (int i = 0; i < 1'000; ++i) {
    const Bytes plain = random_rtcp(pair.rng, 1 + pair.rng.below(3));
    Bytes ours = plain;
    ours.resize(plain.size() + kRtcpOverhead);
    ours.resize(pair.sender.protect_rtcp(ours, plain.size()));
    ASSERT_GT(ours.size(), plain.size());
    int size = static_cast<int>(ours.size());
    ASSERT_EQ(srtp_unprotect_rtcp(pair.foreign_receiver.session, ours.data(), &size), srtp_err_status_ok) << i;
    ours.resize(static_cast<size_t>(size));
    ASSERT_EQ(ours, plain);

    Bytes theirs = plain;
    theirs.resize(plain.size() + SRTP_MAX_TRAILER_LEN + 4);
    size = static_cast<int>(plain.size());
    ASSERT_EQ(srtp_protect_rtcp(pair.foreign_sender.session, theirs.data(), &size), srtp_err_status_ok);
    theirs.resize(static_cast<size_t>(size));
    const auto opened = pair.receiver.unprotect_rtcp(theirs);
    ASSERT_TRUE(opened) << i;
    ASSERT_EQ(Bytes(opened->begin(), opened->end()), plain);
  }
}

INSTANTIATE_TEST_SUITE_P(Profiles, Libsrtp,
                         testing::Values(SrtpProfile::kAeadAes128Gcm, SrtpProfile::kAeadAes256Gcm,
                                         SrtpProfile::kAes128CmHmacSha1_80),
                         [](const auto& profile) {
                           return std::string(profile.param == SrtpProfile::kAeadAes128Gcm   ? "Gcm128"
                                              : profile.param == SrtpProfile::kAeadAes256Gcm ? "Gcm256"
                                                                                             : "Cm128");
                         });

}  // namespace
}  // namespace atm::srtp

#include "core/srtp/key_derivation.h"

#include <openssl/evp.h>

#include <algorithm>
#include <memory>

#include "base/assert.h"

namespace atm::srtp {
namespace {

constexpr size_t kBlock = 16;
constexpr size_t kMasterSaltSize = 14;  // RFC 3711 4.3.3: 112 bits
constexpr size_t kLabelAt = 7;          // key_id = label || 48 bits of index, right-aligned in the 112 bits

struct ContextFree {
  void operator()(EVP_CIPHER_CTX* ctx) const { EVP_CIPHER_CTX_free(ctx); }
};

}  // namespace

Bytes derive_key(ByteView master_key, ByteView master_salt, KeyLabel label, size_t size) {
  ASSERT(master_key.size() == 16 || master_key.size() == 32);
  ASSERT(master_salt.size() <= kMasterSaltSize);
  const EVP_CIPHER* cipher = master_key.size() == 16 ? EVP_aes_128_ctr() : EVP_aes_256_ctr();

  // RFC 3711 4.3.3: the key stream of AES-CM with the initial value (key_id XOR master_salt) * 2^16. The index divided
  // by a derivation rate of 0 is 0, so key_id is the label alone. The last two bytes count blocks: AES-CTR does just
  // that.
  uint8_t iv[kBlock] = {};
  std::copy(master_salt.begin(), master_salt.end(), iv);
  iv[kLabelAt] ^= static_cast<uint8_t>(label);

  const std::unique_ptr<EVP_CIPHER_CTX, ContextFree> ctx(EVP_CIPHER_CTX_new());
  Bytes out(size, 0);
  int written = 0;
  ASSERT(ctx && EVP_EncryptInit_ex(ctx.get(), cipher, nullptr, master_key.data(), iv) == 1);
  ASSERT(EVP_EncryptUpdate(ctx.get(), out.data(), &written, out.data(), static_cast<int>(size)) == 1);
  ASSERT(static_cast<size_t>(written) == size);
  return out;
}

SessionKeys derive_session_keys(SrtpProfile profile, ByteView master_key, ByteView master_salt) {
  const size_t key = srtp_key_size(profile);
  const size_t salt = srtp_salt_size(profile);
  ASSERT(master_key.size() == key && master_salt.size() == salt);
  const auto derive = [&](KeyLabel label, size_t size) { return derive_key(master_key, master_salt, label, size); };
  SessionKeys keys{derive(KeyLabel::kRtpEncryption, key), derive(KeyLabel::kRtpSalt, salt),
                   derive(KeyLabel::kRtcpEncryption, key), derive(KeyLabel::kRtcpSalt, salt)};
  if (profile == SrtpProfile::kAes128CmHmacSha1_80) {  // GCM authenticates with the encryption key
    constexpr size_t kAuthenticationKeySize = 20;      // RFC 3711 8.2: n_a = 160 bits
    keys.rtp_authentication = derive(KeyLabel::kRtpAuthentication, kAuthenticationKeySize);
    keys.rtcp_authentication = derive(KeyLabel::kRtcpAuthentication, kAuthenticationKeySize);
  }
  return keys;
}

}  // namespace atm::srtp

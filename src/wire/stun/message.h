// STUN messages (RFC 8489) as ICE and TURN use them: the view of a received message, and what tells STUN from
// everything else. Called by core/ice for every datagram that is_stun(), by core/turn for what its servers send, by the
// node for the USERNAME of a datagram from a stranger. parse_message copies nothing: a Message points into the
// datagram. It promises that every known attribute is well formed, that MESSAGE-INTEGRITY covers all of what it shows,
// and that FINGERPRINT, where there is one, has been compared. It computes no HMAC (wire knows no cryptography) and
// judges no role: that is core/ice.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "base/address.h"
#include "base/bytes.h"

namespace atm::stun {

inline constexpr size_t kHeaderSize = 20;             // RFC 8489 5
inline constexpr uint32_t kMagicCookie = 0x2112A442;  // RFC 8489 5
inline constexpr size_t kIntegritySize = 20;          // bytes of an HMAC-SHA1, RFC 8489 14.5
inline constexpr size_t kIntegritySha256Size = 32;    // bytes of an HMAC-SHA256; 16 at least arrive, RFC 8489 14.6
inline constexpr size_t kMaxUsernameSize = 513;       // bytes; ICE: two fragments of 256 and the colon, RFC 8839 5.4
inline constexpr size_t kMaxTextSize = 763;           // bytes of SOFTWARE, REALM, NONCE, a reason; RFC 8489 14.8
inline constexpr size_t kMaxAttributes = 64;          // a browser sends about ten; a message with more is dropped
inline constexpr size_t kMaxUnknownAttributes = 8;    // remembered for a 420; further ones are left out of it

// RFC 8489 5: the two class bits of the message type.
enum class Class : uint8_t { kRequest, kIndication, kSuccess, kError };

inline constexpr uint16_t kBinding = 0x001;  // the only method of ICE, RFC 8489 18.2
// TURN's, RFC 8656 17.
inline constexpr uint16_t kAllocate = 0x003;
inline constexpr uint16_t kRefresh = 0x004;
inline constexpr uint16_t kSendIndication = 0x006;
inline constexpr uint16_t kDataIndication = 0x007;
inline constexpr uint16_t kCreatePermission = 0x008;
inline constexpr uint16_t kChannelBind = 0x009;

// RFC 8489 18.3, RFC 8445 16.1, RFC 8656 18. Types below 0x8000 must be understood by the receiver.
enum class Attribute : uint16_t {
  kMappedAddress = 0x0001,
  kUsername = 0x0006,
  kMessageIntegrity = 0x0008,
  kErrorCode = 0x0009,
  kUnknownAttributes = 0x000A,
  kChannelNumber = 0x000C,
  kLifetime = 0x000D,
  kXorPeerAddress = 0x0012,
  kData = 0x0013,
  kRealm = 0x0014,
  kNonce = 0x0015,
  kXorRelayedAddress = 0x0016,
  kRequestedAddressFamily = 0x0017,
  kRequestedTransport = 0x0019,
  kMessageIntegritySha256 = 0x001C,
  kPasswordAlgorithm = 0x001D,
  kUserhash = 0x001E,
  kXorMappedAddress = 0x0020,
  kPriority = 0x0024,
  kUseCandidate = 0x0025,
  kPasswordAlgorithms = 0x8002,
  kSoftware = 0x8022,
  kAlternateServer = 0x8023,
  kFingerprint = 0x8028,
  kIceControlled = 0x8029,
  kIceControlling = 0x802A,
};

struct TransactionId {
  std::array<uint8_t, 12> bytes{};
  auto operator<=>(const TransactionId&) const = default;
};

struct ErrorValue {
  uint16_t code = 0;  // 300 to 699
  std::string_view reason;
};

// What MESSAGE-INTEGRITY, or MESSAGE-INTEGRITY-SHA256, is computed over, in two pieces because the header's length is
// another one there (RFC 8489 14.5: as if the message ended after that attribute), and the value to compare with.
struct IntegrityCheck {
  std::array<uint8_t, 4> head{};  // type and adjusted length
  ByteView body;                  // cookie, transaction id, attributes before MESSAGE-INTEGRITY
  ByteView mac;                   // kIntegritySize bytes; of SHA-256 16 to kIntegritySha256Size
};

enum class Fingerprint : uint8_t { kAbsent, kRight, kWrong };

struct Message {
  Class message_class = Class::kRequest;
  uint16_t method = 0;
  TransactionId id;

  std::optional<std::string_view> username;
  std::optional<std::string_view> software;
  std::optional<ErrorValue> error;
  std::optional<SocketAddress> xor_mapped_address;
  std::optional<uint32_t> priority;
  std::optional<uint64_t> ice_controlled;   // tie-breaker
  std::optional<uint64_t> ice_controlling;  // tie-breaker
  bool use_candidate = false;

  std::optional<IntegrityCheck> integrity;
  std::optional<IntegrityCheck> integrity_sha256;
  Fingerprint fingerprint = Fingerprint::kAbsent;

  // Types of attributes that had to be understood and are not, for UNKNOWN-ATTRIBUTES of a 420. TURN's are among them:
  // for ICE they are unknown.
  std::span<const uint16_t> unknown() const { return {unknown_types.data(), unknown_count}; }
  // The value of the first attribute of that type among those that the integrity covers: for what has no field above.
  std::optional<ByteView> find(Attribute type) const;
  // Of one that has the form of XOR-MAPPED-ADDRESS; nothing too when it is malformed.
  std::optional<SocketAddress> find_xor_address(Attribute type) const;

  std::array<uint16_t, kMaxUnknownAttributes> unknown_types{};
  size_t unknown_count = 0;
  ByteView covered_attributes;
};

// RFC 7983 7: STUN is what begins with 0 to 3; RFC 8489 5: and has the magic cookie. Says nothing about the rest.
bool is_stun(ByteView datagram);

// Nothing for what is no STUN message of exactly this size, or has a known attribute that is malformed.
std::optional<Message> parse_message(ByteView datagram);

// The value of an attribute in the form of MAPPED-ADDRESS (RFC 8489 14.1): ALTERNATE-SERVER.
std::optional<SocketAddress> parse_plain_address(ByteView value);

// The USERNAME of a Binding request and nothing else, for finding the session of a datagram from an unknown address.
// Proves nothing about the sender.
std::optional<std::string_view> peek_username(ByteView datagram);

// The value of FINGERPRINT for a message whose bytes before that attribute are `covered` (RFC 8489 14.7).
uint32_t fingerprint_of(ByteView covered);

}  // namespace atm::stun

// A remote whose SRTP keys a test knows: it protects any plaintext, well formed or not, as an authentic peer would. For
// tests and fuzzing of what is behind authentication.
#pragma once

#include <memory>

#include "core/peer/call_test.h"
#include "wire/rtcp/writer.h"
#include "wire/rtp/header.h"

namespace atm::peer {

struct PeerTestAccess {
  // From now on the peer receives with these keys.
  static void receive_with(Peer& peer, SrtpProfile profile, ByteView key, ByteView salt) {
    peer.srtp_in_ = std::make_unique<srtp::ReceiveContext>(profile, key, salt);
  }
  static size_t ssrcs_received(const Peer& peer) { return peer.received_.size(); }
  // Where a client of a test protects packets of SSRCs that its m-lines do not know.
  static srtp::SendContext& srtp_out(Peer& peer) { return *peer.srtp_out_; }
  // Key frames that are asked for of such an SSRC are told, too.
  static void know_sent_ssrc(Peer& peer, size_t media, uint32_t ssrc) {
    if (peer.sent_.find(ssrc) == nullptr) peer.sent_.add({ssrc, peer.media_[media].get(), nullptr});
  }
  // Where a client of a test puts in SCTP packets of its own making, and asks for the keys that it shares.
  static dtls::Transport& dtls(Peer& peer) { return peer.dtls_; }
};

// The client of a call, with keys of the test's own towards the server.
class KnownKeys {
 public:
  explicit KnownKeys(Call& call) : call_(call) {
    PeerTestAccess::receive_with(*call.server.peer, kProfile, key_, salt_);
  }

  // Any bytes as RTP; their own sequence number with `rollover` is the SRTP index.
  void send_rtp(ByteView plain, uint64_t rollover = 0) {
    // Made anew: debug builds refuse an index that is used twice, and a hostile peer does not.
    srtp::SendContext context(kProfile, key_, salt_);
    const uint64_t sequence = plain.size() >= 4 ? load_u16(plain.data() + 2) : 0;
    send(plain,
         [&](MutByteView buffer, size_t size) { return context.protect_rtp(buffer, size, rollover << 16 | sequence); });
  }
  void send_rtcp(ByteView plain) {
    send(plain, [&](MutByteView buffer, size_t size) { return rtcp_->protect_rtcp(buffer, size); });
  }
  template <typename Write>
  void write_rtcp(Write write) {
    Bytes bytes(kMaxRtcpSize);
    rtcp::CompoundWriter writer(bytes);
    write(writer);
    bytes.resize(writer.size());
    send_rtcp(bytes);
  }
  static Bytes make_rtp(const rtp::Header& header, std::span<const rtp::ExtensionValue> extensions,
                        std::string_view payload) {
    Bytes out(kMaxDatagramSize);
    const size_t size = rtp::write_header(out, header, extensions);
    out.resize(size);
    out.insert(out.end(), payload.begin(), payload.end());
    return out;
  }

 private:
  static constexpr SrtpProfile kProfile = SrtpProfile::kAeadAes128Gcm;

  template <typename Protect>
  void send(ByteView plain, Protect protect) {
    Bytes bytes(plain.begin(), plain.end());
    bytes.resize(plain.size() + srtp::kRtcpOverhead);
    const size_t size = protect(bytes, plain.size());
    if (size == 0) return;  // shorter than any header: nothing that authentication lets through
    bytes.resize(size);
    call_.deliver(call_.server, call_.client.address, std::move(bytes));
  }
  Call& call_;
  Bytes key_ = Bytes(16, 0x5a), salt_ = Bytes(12, 0xa5);
  std::unique_ptr<srtp::SendContext> rtcp_ = std::make_unique<srtp::SendContext>(kProfile, key_, salt_);
};

}  // namespace atm::peer

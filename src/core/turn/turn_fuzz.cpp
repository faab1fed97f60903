// libFuzzer entry of the gatherer and the clients under it, stateful: the input is a list of steps by servers that know
// the password, so that what is behind the integrity is reached, by others that do not, by streams in any cut, and by
// the session that sends and loses addresses. Holds what gatherer.h promises.
#include <openssl/evp.h>

#include <algorithm>

#include "base/assert.h"
#include "core/turn/gatherer.h"
#include "wire/stun/message_writer.h"

namespace {

using namespace atm;
using stun::Attribute;

constexpr std::string_view kRealm = "r";

class Harness {
 public:
  explicit Harness(uint8_t how)
      : is_sha256_((how & 1) != 0), rng_(how), gatherer_({(how & 2) != 0, (how & 4) != 0}, rng_) {
    gatherer_.add_host(now_, host(0), out_);
    using enum turn::Protocol;
    if ((how & 8) != 0) gatherer_.add_server(now_, {{turn::ServerKind::kStun, kUdp, "s", 1}, server(0), "", ""}, out_);
    gatherer_.add_server(now_, {{turn::ServerKind::kTurn, kUdp, "t", 1}, server(1), "u", "p"}, out_);
    gatherer_.add_server(now_, {{turn::ServerKind::kTurn, kTcp, "t", 1}, server(2), "u", "p"}, out_);
    sent();
  }

  void step(Reader& in) {
    switch (in.u8() % 12) {
      case 0:
      case 1:
        return answer(in);
      case 2:
        return indication(in);
      case 3:
        return channel_data(in);
      case 4:
        return send(in);
      case 5:
        return pass(1ms * in.u16());
      case 6:
        return pass(1s * in.u8());
      case 7:
        return raw(in);
      case 8:
        return stream(in);
      case 9:
        return hosts(in);
      case 10:
        gatherer_.regather(now_, out_);
        return sent();
      default:
        if (in.u8() < 250) return;  // rare: little happens afterwards
        gatherer_.close(now_, out_);
        return sent();
    }
  }

 private:
  struct Asked {
    stun::TransactionId id;
    uint16_t method = 0;
    Path path;
  };

  static SocketAddress host(uint8_t which) { return {IpAddress::v4(10, 0, 0, which), 5'000}; }
  static SocketAddress server(uint8_t which) { return {IpAddress::v4(192, 0, 2, which), 3'478}; }
  static SocketAddress peer(uint8_t which) {
    return {IpAddress::v4(203, 0, 113, static_cast<uint8_t>(which >> 4)), static_cast<uint16_t>(1 + which % 16)};
  }

  // Bytes of a server, over what the request came by.
  void give(Reader& in, const Path& path, Bytes bytes) {
    const uint8_t changes = in.u8();
    if (changes > 250 && !bytes.empty()) bytes[in.u16() % bytes.size()] ^= static_cast<uint8_t>(1 + in.u8() % 255);
    if (path.transport == Transport::kTcp) {
      bytes.resize((bytes.size() + 3) / 4 * 4);
      const size_t cut = bytes.empty() ? 0 : in.u8() % (bytes.size() + 1);
      const MutByteView all(bytes);
      gatherer_.on_stream_bytes(now_, path.local_port, all.first(cut), out_);
      took();
      gatherer_.on_stream_bytes(now_, path.local_port, all.subspan(cut), out_);
    } else {
      gatherer_.on_datagram(now_, {path, now_.mono, bytes}, out_);
    }
    sent();
  }

  void answer(Reader& in) {
    const uint8_t which = in.u8(), has = in.u8(), how = in.u8();
    const Asked asked = asked_[which % asked_.size()];
    const auto kind = (how & 1) != 0 ? stun::Class::kSuccess : stun::Class::kError;
    Bytes out(512);
    stun::MessageWriter writer(out, kind, asked.id, asked.method);
    static constexpr uint16_t kCodes[] = {300, 400, 401, 403, 437, 438, 441, 508};
    if ((has & 1) != 0) writer.error(kCodes[in.u8() % std::size(kCodes)], "");
    if ((has & 2) != 0) writer.xor_address(Attribute::kXorMappedAddress, peer(in.u8()));
    if ((has & 4) != 0) writer.xor_address(Attribute::kXorRelayedAddress, {server(1).ip, in.u16()});
    if ((has & 8) != 0) writer.number(Attribute::kLifetime, in.u16());
    if ((has & 16) != 0) writer.text(Attribute::kRealm, kRealm);
    if ((has & 32) != 0) writer.text(Attribute::kNonce, is_sha256_ ? "obMatJos2AAABx" : "x");
    const uint8_t algorithms[] = {0, 9, 0, 3, 1, 2, 3, 0, 0, 2, 0, 0};
    if ((has & 64) != 0) writer.bytes(Attribute::kPasswordAlgorithms, algorithms);
    const uint8_t other[] = {0, 1, 0x0d, 0x96, 192, 0, 2, in.u8()};
    if ((has & 128) != 0) writer.bytes(Attribute::kAlternateServer, other);
    if ((how & 2) != 0) sign(writer, (how & 4) == 0 ? "u:r:p" : "u:r:wrong");
    out.resize(writer.finish());
    give(in, asked.path, std::move(out));
  }
  void sign(stun::MessageWriter& writer, std::string_view text) const {
    using Hash = ice::Integrity::Hash;
    uint8_t key[EVP_MAX_MD_SIZE];
    unsigned size = 0;
    EVP_Digest(text.data(), text.size(), key, &size, is_sha256_ ? EVP_sha256() : EVP_md5(), nullptr);
    const auto room =
        writer.integrity_room(is_sha256_ ? Attribute::kMessageIntegritySha256 : Attribute::kMessageIntegrity);
    ice::Integrity(as_text({key, size}), is_sha256_ ? Hash::kSha256 : Hash::kSha1).sign(*room);
  }
  Path server_path(Reader& in) const {
    return in.u8() % 2 == 0 ? Path{server(1), host(0).ip} : Path{server(2), {}, Transport::kTcp, 1};
  }
  void indication(Reader& in) {
    const Path path = server_path(in);
    const uint8_t from = in.u8();
    Bytes out(256);
    stun::MessageWriter writer(out, stun::Class::kIndication, {}, stun::kDataIndication);
    writer.xor_address(Attribute::kXorPeerAddress, peer(from));
    writer.bytes(Attribute::kData, in.take(std::min<size_t>(from % 64, in.left())));
    out.resize(writer.finish());
    give(in, path, std::move(out));
  }
  void channel_data(Reader& in) {
    const Path path = server_path(in);
    uint8_t buffer[128];
    Writer writer(buffer);
    writer.u16(static_cast<uint16_t>(turn::kFirstChannel + in.u8() % 8));
    const ByteView data = in.take(std::min<size_t>(in.u8() % 64, in.left()));
    writer.u16(static_cast<uint16_t>(data.size() + (in.u8() > 250 ? 1 : 0)));
    writer.bytes(data);
    give(in, path, Bytes(buffer, buffer + writer.size()));
  }
  void send(Reader& in) {
    const uint8_t to = in.u8(), from = in.u8();
    SendBatch batch;
    const Bytes bytes(in.u8(), from);  // a first byte of 0 to 3 is no STUN yet
    const auto& candidates = gatherer_.candidates();
    if (candidates.empty()) return;
    const ice::Base base = ice::base_of(candidates[from % candidates.size()]);
    batch.append({peer(to), base.ip, Transport::kUdp, base.local_port}, bytes);
    gatherer_.route(now_, batch, out_);
    sent();
  }
  void raw(Reader& in) {
    const Path path = server_path(in);
    Bytes bytes(in.take(std::min<size_t>(in.u8(), in.left())).size());
    for (uint8_t& byte : bytes) byte = in.u8();
    give(in, path, std::move(bytes));
  }
  void stream(Reader& in) {
    const uint8_t what = in.u8();
    if (what % 2 == 0) {
      gatherer_.on_stream_open(now_, 1, out_);
    } else {
      gatherer_.on_stream_closed(now_, 1, "closed", out_);
    }
    sent();
  }
  void hosts(Reader& in) {
    const uint8_t what = in.u8();
    if (what % 2 == 0) {
      gatherer_.add_host(now_, host(what % 16 / 2), out_);
    } else {
      gatherer_.remove_host(now_, host(what % 16 / 2), out_);
    }
    sent();
  }
  void pass(Duration duration) {
    const Instant end = now_.mono + duration;
    for (int turns = 0; gatherer_.next_timeout() <= end; ++turns) {
      ASSERT(turns < 5'000);
      now_.mono = std::max(now_.mono, gatherer_.next_timeout());
      gatherer_.on_timeout(now_, out_);
      sent();
    }
    now_.mono = end;
  }
  void took() {
    for (const Datagram& datagram : received_) {
      // What a stream brought before it ended may be of a relay that has gone with it.
      bool is_known = std::find(relays_.begin(), relays_.end(), ice::base_of(datagram.path)) != relays_.end();
      for (const ice::Candidate& candidate : gatherer_.candidates()) {
        is_known |=
            candidate.type == ice::CandidateType::kRelayed && ice::base_of(candidate) == ice::base_of(datagram.path);
      }
      ASSERT(is_known && datagram.path.transport == Transport::kUdp);
      volatile uint8_t sum = 0;
      for (const uint8_t byte : datagram.bytes) sum = static_cast<uint8_t>(sum + byte);
    }
    received_.clear();
  }
  void sent() {
    took();
    events_.clear();
    ASSERT(gatherer_.candidates().size() <= turn::kMaxHostAddresses + turn::kMaxReflexive + turn::kMaxSources);
    for (const auto& entry : batch_.entries()) {
      ASSERT(entry.path.transport == Transport::kUdp || entry.size % 4 == 0);
      const auto message = stun::parse_message(batch_.bytes(entry));
      if (!message || message->message_class != stun::Class::kRequest) continue;
      for (size_t i = asked_.size() - 1; i > 0; --i) asked_[i] = asked_[i - 1];
      asked_[0] = {message->id, message->method, entry.path};
    }
    batch_.clear();
    relays_.clear();
    for (const ice::Candidate& candidate : gatherer_.candidates()) {
      if (candidate.type == ice::CandidateType::kRelayed) relays_.push_back(ice::base_of(candidate));
    }
  }

  const bool is_sha256_;
  SeededRng rng_;
  turn::Gatherer gatherer_;
  Now now_{Instant{} + 1h, WallTime{}};
  SendBatch batch_;
  std::vector<Datagram> received_;
  std::vector<turn::Event> events_;
  turn::Output out_{batch_, received_, events_};
  std::array<Asked, 8> asked_{};   // the newest first
  std::vector<ice::Base> relays_;  // before this step
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  Reader in({data, size});
  Harness harness(in.u8());
  for (int steps = 0; in.left() > 0 && steps < 400; ++steps) harness.step(in);
  return 0;
}

// A STUN and TURN server for tests, sans-IO (RFC 8489, RFC 8656): long-term credentials, nonces that grow stale,
// allocations, permissions and channels that really end, and errors on demand. Strict where a client must be right.
#pragma once

#include <algorithm>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include <openssl/evp.h>

#include "base/rng.h"
#include "core/ice/integrity.h"
#include "core/turn/stream_frames.h"
#include "wire/stun/message_writer.h"

namespace atm::turn {

class TestServer {
 public:
  struct Options {
    SocketAddress address{IpAddress::v4(198, 51, 100, 9), 3'478};
    std::string user = "ann", password = "secret", realm = "example.org";
    bool asks_credentials = true;
    bool has_sha256 = false;  // RFC 8489 9.2: password algorithms
    Duration nonce_life = 1h;
    Duration lifetime = 10min;
    bool is_stream = false;  // ChannelData is padded
    IpAddress relay_ip = IpAddress::v4(198, 51, 100, 9);
    // An error for this method, instead of an answer; 0: none. May call itself off.
    std::function<uint16_t(uint16_t method)> error = [](uint16_t) { return uint16_t{0}; };
    std::optional<SocketAddress> alternate = {};
    std::function<bool(const IpAddress&)> forbids = [](const IpAddress&) { return false; };
  };
  struct Sent {
    SocketAddress from, to;
    Bytes bytes;
  };

  explicit TestServer(Options given) : options(std::move(given)) {}

  // What a client sent from there to options.address: a datagram, or a frame of its stream.
  void on_client(Now now, const SocketAddress& client, ByteView bytes) {
    if (is_channel_data(bytes)) return on_channel_data(now, client, bytes);
    const auto message = stun::parse_message(bytes);
    if (!message) {
      ++malformed;
      return;
    }
    ++requests[message->method];
    if (message->message_class == stun::Class::kIndication) return on_send(now, client, *message);
    if (message->message_class != stun::Class::kRequest) return;
    if (message->method == stun::kBinding) return answer_binding(client, *message);
    if (authenticates(now, client, *message)) on_request(now, client, *message);
  }
  // A datagram of a peer to a relayed address.
  void on_peer(Now now, const SocketAddress& relayed, const SocketAddress& peer, ByteView bytes) {
    for (auto& [client, allocation] : allocations_) {
      if (allocation.relayed != relayed || allocation.ends_at <= now.mono) continue;
      if (!is_permitted(now, allocation, peer.ip)) {
        ++unpermitted;
        return;
      }
      for (const auto& [number, channel] : allocation.channels) {
        if (channel.peer == peer && channel.ends_at > now.mono) return send_channel_data(client, number, bytes);
      }
      Bytes out(bytes.size() + 64);
      stun::MessageWriter writer(out, stun::Class::kIndication, {}, stun::kDataIndication);
      writer.xor_address(stun::Attribute::kXorPeerAddress, peer);
      writer.bytes(stun::Attribute::kData, bytes);
      out.resize(writer.finish());
      sent.push_back({options.address, client, std::move(out)});
    }
  }
  bool relays(const SocketAddress& address) const {
    return address.ip == options.relay_ip && address.port >= kFirstPort;
  }
  size_t allocation_count(Now now) const {
    return static_cast<size_t>(std::count_if(allocations_.begin(), allocations_.end(),
                                             [&](const auto& entry) { return entry.second.ends_at > now.mono; }));
  }
  void forget_allocations() { allocations_.clear(); }

  Options options;
  std::vector<Sent> sent;
  std::map<uint16_t, size_t> requests;  // by method
  size_t malformed = 0, unpermitted = 0, bad_integrity = 0, stale = 0, sha256_signed = 0, channel_data = 0;

 private:
  static constexpr uint16_t kFirstPort = 49'152;
  struct Channel {
    SocketAddress peer;
    Instant ends_at;
  };
  struct Allocation {
    SocketAddress relayed;
    Instant ends_at;
    std::map<IpAddress, Instant> permissions;
    std::map<uint16_t, Channel> channels;
  };
  using Write = std::function<void(stun::MessageWriter&)>;

  static bool is_permitted(Now now, const Allocation& allocation, const IpAddress& ip) {
    const auto at = allocation.permissions.find(ip);
    return at != allocation.permissions.end() && at->second > now.mono;
  }
  Allocation* find(Now now, const SocketAddress& client) {
    const auto at = allocations_.find(client);
    return at == allocations_.end() || at->second.ends_at <= now.mono ? nullptr : &at->second;
  }
  ice::Integrity key() const {
    const std::string text = options.user + ':' + options.realm + ':' + options.password;
    uint8_t out[EVP_MAX_MD_SIZE];
    unsigned size = 0;
    EVP_Digest(text.data(), text.size(), out, &size, options.has_sha256 ? EVP_sha256() : EVP_md5(), nullptr);
    return ice::Integrity(as_text({out, size}),
                          options.has_sha256 ? ice::Integrity::Hash::kSha256 : ice::Integrity::Hash::kSha1);
  }
  std::string nonce_of(Instant now) const {
    const auto age = now.time_since_epoch() / options.nonce_life;
    return (options.has_sha256 ? "obMatJos2AAAB" : "n") + std::to_string(age);
  }

  void reply(const SocketAddress& client, const stun::Message& request, stun::Class answer, bool is_signed,
             const Write& write) {
    Bytes out(1'024);
    stun::MessageWriter writer(out, answer, request.id, request.method);
    write(writer);
    const auto type =
        options.has_sha256 ? stun::Attribute::kMessageIntegritySha256 : stun::Attribute::kMessageIntegrity;
    if (is_signed && options.asks_credentials) {
      if (const auto room = writer.integrity_room(type)) key().sign(*room);
    }
    out.resize(writer.finish());
    sent.push_back({options.address, client, std::move(out)});
  }
  void refuse(const SocketAddress& client, const stun::Message& request, uint16_t code, bool is_signed = true) {
    reply(client, request, stun::Class::kError, is_signed, [&](stun::MessageWriter& writer) {
      writer.error(code, "because");
      if (code == 300 && options.alternate) {
        uint8_t value[8] = {0, 1};
        store_u16(value + 2, options.alternate->port);
        std::memcpy(value + 4, options.alternate->ip.bytes().data() + 12, 4);
        writer.bytes(stun::Attribute::kAlternateServer, value);
      }
    });
  }
  void challenge(Now now, const SocketAddress& client, const stun::Message& request, uint16_t code) {
    reply(client, request, stun::Class::kError, false, [&](stun::MessageWriter& writer) {
      writer.error(code, "");
      writer.text(stun::Attribute::kRealm, options.realm);
      writer.text(stun::Attribute::kNonce, nonce_of(now.mono));
      const uint8_t algorithms[] = {0, 2, 0, 0, 0, 1, 0, 0};
      if (options.has_sha256) writer.bytes(stun::Attribute::kPasswordAlgorithms, algorithms);
    });
  }
  bool authenticates(Now now, const SocketAddress& client, const stun::Message& request) {
    if (!options.asks_credentials) return true;
    if (!request.integrity && !request.integrity_sha256) {
      challenge(now, client, request, 401);
      return false;
    }
    const auto nonce = request.find(stun::Attribute::kNonce);
    if (!nonce || as_text(*nonce) != nonce_of(now.mono)) {
      ++stale;
      challenge(now, client, request, 438);
      return false;
    }
    if (request.username != options.user || !key().verifies(request)) {
      ++bad_integrity;
      challenge(now, client, request, 401);
      return false;
    }
    sha256_signed += request.integrity_sha256.has_value();
    return true;
  }

  void answer_binding(const SocketAddress& client, const stun::Message& request) {
    if (const uint16_t code = options.error(stun::kBinding)) return refuse(client, request, code, false);
    Bytes out(128);
    stun::MessageWriter writer(out, stun::Class::kSuccess, request.id);
    writer.xor_mapped_address(client);
    writer.fingerprint();
    out.resize(writer.finish());
    sent.push_back({options.address, client, std::move(out)});
  }

  void on_request(Now now, const SocketAddress& client, const stun::Message& request) {
    if (const uint16_t code = options.error(request.method)) {
      return code == 438 ? challenge(now, client, request, code) : refuse(client, request, code);
    }
    if (request.method == stun::kAllocate) return allocate(now, client, request);
    Allocation* allocation = find(now, client);
    const auto number = request.find(stun::Attribute::kLifetime);
    if (allocation == nullptr && request.method == stun::kRefresh && number && load_u32(number->data()) == 0) {
      return reply(client, request, stun::Class::kSuccess, true, [](stun::MessageWriter&) {});
    }
    if (allocation == nullptr) return refuse(client, request, 437);
    if (request.method == stun::kRefresh) return refresh(now, client, request, *allocation);
    const auto peer = request.find_xor_address(stun::Attribute::kXorPeerAddress);
    if (!peer) return refuse(client, request, 400);
    if (options.forbids(peer->ip)) return refuse(client, request, 403);
    if (request.method == stun::kChannelBind) {
      const auto channel = request.find(stun::Attribute::kChannelNumber);
      if (!channel || channel->size() != 4) return refuse(client, request, 400);
      const uint16_t id = load_u16(channel->data());
      auto& place = allocation->channels[id];
      if (id < 0x4000 || id > 0x4fff || (place.ends_at > now.mono && place.peer != *peer)) {
        return refuse(client, request, 400);
      }
      place = {*peer, now.mono + 10min};
    }
    allocation->permissions[peer->ip] = now.mono + 5min;
    reply(client, request, stun::Class::kSuccess, true, [](stun::MessageWriter&) {});
  }
  void allocate(Now now, const SocketAddress& client, const stun::Message& request) {
    if (find(now, client) != nullptr) return refuse(client, request, 437);
    const auto transport = request.find(stun::Attribute::kRequestedTransport);
    if (!transport || (*transport)[0] != 17) return refuse(client, request, 442);
    Allocation& allocation = allocations_[client];
    allocation = {{options.relay_ip, next_port_++}, now.mono + options.lifetime, {}, {}};
    reply(client, request, stun::Class::kSuccess, true, [&](stun::MessageWriter& writer) {
      writer.xor_address(stun::Attribute::kXorRelayedAddress, allocation.relayed);
      writer.xor_mapped_address(client);
      writer.number(stun::Attribute::kLifetime, static_cast<uint32_t>(options.lifetime / 1s));
    });
  }
  void refresh(Now now, const SocketAddress& client, const stun::Message& request, Allocation& allocation) {
    const auto number = request.find(stun::Attribute::kLifetime);
    const bool is_end = number && load_u32(number->data()) == 0;
    allocation.ends_at = is_end ? now.mono : now.mono + options.lifetime;
    reply(client, request, stun::Class::kSuccess, true, [&](stun::MessageWriter& writer) {
      writer.number(stun::Attribute::kLifetime, is_end ? 0 : static_cast<uint32_t>(options.lifetime / 1s));
    });
  }

  void on_send(Now now, const SocketAddress& client, const stun::Message& message) {
    const auto peer = message.find_xor_address(stun::Attribute::kXorPeerAddress);
    const auto data = message.find(stun::Attribute::kData);
    if (message.method == stun::kSendIndication && peer && data) relay(now, client, *peer, *data);
  }
  void on_channel_data(Now now, const SocketAddress& client, ByteView bytes) {
    ++channel_data;
    const Allocation* allocation = find(now, client);
    if (allocation == nullptr) return;
    const auto channel = allocation->channels.find(load_u16(bytes.data()));
    if (channel == allocation->channels.end() || channel->second.ends_at <= now.mono) return;
    relay(now, client, channel->second.peer, bytes.subspan(4, load_u16(bytes.data() + 2)));
  }
  void relay(Now now, const SocketAddress& client, const SocketAddress& peer, ByteView data) {
    const Allocation* allocation = find(now, client);
    if (allocation == nullptr || !is_permitted(now, *allocation, peer.ip)) {
      ++unpermitted;
      return;
    }
    sent.push_back({allocation->relayed, peer, Bytes(data.begin(), data.end())});
  }
  void send_channel_data(const SocketAddress& client, uint16_t number, ByteView bytes) {
    Bytes out(4);
    store_u16(out.data(), number);
    store_u16(out.data() + 2, static_cast<uint16_t>(bytes.size()));
    out.insert(out.end(), bytes.begin(), bytes.end());
    if (options.is_stream) out.resize((out.size() + 3) / 4 * 4);
    sent.push_back({options.address, client, std::move(out)});
  }

  std::map<SocketAddress, Allocation> allocations_;
  uint16_t next_port_ = kFirstPort;
};

}  // namespace atm::turn

// Two peers, server and client, over a link of 10 ms in virtual time: what the tests of this folder and of media/
// drive.
#pragma once

#include <algorithm>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/dtls/virtual_openssl_test.h"
#include "core/peer/peer.h"

namespace atm::peer {

// One random source and one clock for all calls of a test.
struct CallWorld {
  explicit CallWorld(uint64_t seed) : rng(seed), openssl(rng) { set_time(Instant{5s}); }
  void set_time(Instant t) {
    now = {t, WallTime{1'790'000'000s + t.time_since_epoch()}};
    dtls::VirtualOpenssl::set_time(now);
  }
  SeededRng rng;
  dtls::VirtualOpenssl openssl;
  PacketPool pool;
  Now now{};
};

class Call {
 public:
  static constexpr Duration kOneWay = 10ms;

  struct Got {
    size_t media;
    int64_t sequence;
    uint64_t epoch;
    Bytes payload;
    std::optional<payload::PlayoutDelay> playout_delay;
    uint32_t timestamp = 0;
  };
  struct End {
    SocketAddress address;
    std::unique_ptr<dtls::Context> context;
    std::unique_ptr<Peer> peer;
    std::vector<ReceivedPacket> packets;
    std::vector<Event> events;
    std::vector<Got> got;
    SendBatch out;

    Output output() { return {out, packets, events}; }
    template <typename T>
    size_t count() const {
      return static_cast<size_t>(
          std::count_if(events.begin(), events.end(), [](const Event& e) { return std::holds_alternative<T>(e); }));
    }
  };

  // `paces`: both ends send by transport-wide feedback.
  // `playout_delay`: of what the server sends.
  explicit Call(CallWorld& call_world, bool paces = false, std::optional<Duration> playout_delay = {})
      : world(call_world), paces_(paces), playout_delay_(playout_delay) {
    make(server, Role::kServer, {IpAddress::v4(192, 0, 2, 1), 20'000});
    make(client, Role::kClient, {IpAddress::v4(198, 51, 100, 1), 40'000});
    client.peer->open_channel_when_connected("data");
  }

  // An m-line of the client; the data channel's is the one in front of all.
  static negotiation::OfferMedia line(MediaKind kind, negotiation::Direction direction, const std::string& mid,
                                      uint32_t ssrc = 0) {
    negotiation::OfferMedia media;
    media.kind = kind;
    media.direction = direction;
    media.mid = mid;
    media.stream_id = media.track_id = "track-" + mid;
    media.ssrc = ssrc;
    if (kind == MediaKind::kVideo && ssrc != 0) media.rtx_ssrc = ssrc + 1;
    return media;
  }

  // The server sends on what the client receives, and the other way round.
  static std::vector<negotiation::LocalMedia> decide(const PendingOffer& offer) {
    std::vector<negotiation::LocalMedia> out;
    for (const auto& media : offer.offer.media) {
      negotiation::LocalMedia decision;
      decision.direction = negotiation::reversed(media.direction);
      decision.stream_id = decision.track_id = "id-" + media.mid;
      out.push_back(decision);
    }
    return out;
  }

  Result<std::string> answer(const std::string& offer, const negotiation::Policy& policy = {}) {
    TRY(pending, server.peer->read_offer(offer));
    return server.peer->answer_offer(world.now, pending, decide(pending), policy);
  }
  bool negotiate(const std::vector<negotiation::OfferMedia>& media, const negotiation::Policy& policy = {}) {
    const auto text = answer(client.peer->make_offer(media, {}), policy);
    return text && accept(*text);
  }
  bool accept(const std::string& text) {
    Output out = client.output();
    const bool accepted = client.peer->accept_answer(world.now, text, out).has_value();
    flush(client);
    return accepted;
  }

  bool send(End& from, size_t media, int64_t sequence, const std::string& payload, uint32_t timestamp = 0) {
    MediaPacket packet;
    packet.payload = world.pool.copy(as_bytes(payload));
    const auto& codecs = from.peer->media(media).negotiated().codecs;
    const bool sent =
        from.peer->send_media(world.now, media, packet, {sequence, timestamp, codecs[0].payload_type}, from.out);
    flush(from);
    return sent;
  }

  // As it came from `from`, at once.
  void deliver(End& to, const SocketAddress& from, Bytes bytes) {
    Output out = to.output();
    to.peer->on_datagram(world.now, {{from, to.address.ip}, world.now.mono, bytes}, out);
    for (const ReceivedPacket& packet : to.packets) {
      const uint8_t delay_id = to.peer->media(packet.media).extensions().id_of(rtp::Extension::kPlayoutDelay);
      const auto delay = rtp::find_extension(packet.view, delay_id);
      to.got.push_back({packet.media, packet.sequence, packet.epoch,
                        Bytes(packet.view.payload.begin(), packet.view.payload.end()),
                        delay ? payload::parse_playout_delay(*delay) : std::nullopt, packet.view.timestamp});
    }
    to.packets.clear();
    flush(to);
  }

  void run(Duration length) {
    const Instant deadline = world.now.mono + length;
    for (;;) {
      const Instant arrival = link.empty() ? kNever : link.begin()->first;
      const Instant next = std::min({arrival, server.peer->next_timeout(), client.peer->next_timeout()});
      if (next > deadline) break;
      world.set_time(std::max(next, world.now.mono));
      while (!link.empty() && link.begin()->first <= world.now.mono) {
        auto [to_server, bytes] = std::move(link.begin()->second);
        link.erase(link.begin());
        deliver(to_server ? server : client, (to_server ? client : server).address, std::move(bytes));
      }
      for (End* end : {&server, &client}) {
        if (end->peer->next_timeout() > world.now.mono) continue;
        Output out = end->output();
        end->peer->on_timeout(world.now, out);
        flush(*end);
      }
    }
    world.set_time(deadline);
  }
  bool connect(const std::vector<negotiation::OfferMedia>& media, const negotiation::Policy& policy = {}) {
    if (!negotiate(media, policy)) return false;
    run(2s);
    return server.peer->is_connected() && client.peer->is_connected() && client.count<ChannelOpened>() == 1;
  }

  void flush(End& from) {
    const bool to_server = &from == &client;
    for (const auto& entry : from.out.entries()) {
      const ByteView bytes = from.out.bytes(entry);
      Bytes copy(bytes.begin(), bytes.end());
      if (watch) watch(to_server, copy);
      if (drop && drop(to_server, copy)) continue;
      link.emplace(world.now.mono + kOneWay, std::pair(to_server, std::move(copy)));
    }
    from.out.clear();
  }

  CallWorld& world;
  End server, client;
  std::function<bool(bool to_server, const Bytes& datagram)> drop;
  std::function<void(bool to_server, const Bytes& datagram)> watch;
  std::multimap<Instant, std::pair<bool, Bytes>> link;

 private:
  bool paces_;
  std::optional<Duration> playout_delay_;
  void make(End& end, Role role, const SocketAddress& address) {
    end.address = address;
    end.context = std::make_unique<dtls::Context>(dtls::Certificate::make(world.now, world.rng));
    Config config;
    config.role = role;
    config.dtls = end.context.get();
    config.addresses = config.local_addresses = {address};
    config.paces_media = paces_;
    if (role == Role::kServer) config.playout_delay = playout_delay_;
    end.peer = std::make_unique<Peer>(config, world.rng);
  }
};

}  // namespace atm::peer

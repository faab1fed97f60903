// A worker with a finished handshake, whose client holds the keys and is hostile: any RTP, RTCP, SCTP packet and
// request, edited offers, datagrams of strangers, commands, and time in between. An honest viewer is in the same room.
// Input: steps, each a byte of what and a byte of length (times four for texts) with that many bytes. Afterwards the
// viewer is still served, and nothing has grown beyond its limit.
#include "base/assert.h"
#include "contract/json/compression.h"
#include "contract/json/rpc.h"
#include "core/peer/known_keys_test.h"
#include "node/worker.h"
#include "wire/sctp/packet.h"

namespace {

using namespace atm;
using negotiation::Direction;
using peer::PeerTestAccess;

const SocketAddress kWorker{IpAddress::v4(192, 0, 2, 1), 20'000};
constexpr uint32_t kVideoSsrc = 1'000;

struct World {
  World() : openssl(rng) {
    set_time(Instant{5s});
    node::Config config;
    config.addresses = config.local_addresses = {kWorker};
    worker.emplace(config, now, rng);
  }
  void set_time(Instant t) {
    now = {t, WallTime{1'790'000'000s + t.time_since_epoch()}};
    dtls::VirtualOpenssl::set_time(now);
  }
  // A command's reply, if it has one.
  std::optional<contract::Reply> command(auto body) {
    worker->on_command(now, {1, std::move(body)}, out);
    if (worker->replies().empty()) return std::nullopt;
    contract::Reply reply = std::move(worker->replies().front());
    worker->replies().clear();
    return reply;
  }
  void give(const SocketAddress& from, ByteView bytes) {
    Bytes copy(bytes.begin(), bytes.end());
    Datagram datagram{{from, kWorker.ip}, now.mono, copy};
    worker->on_datagrams(now, {&datagram, 1}, out);
    while (worker->has_slow_work()) worker->do_slow_step(now, out);
  }

  SeededRng rng{1};
  dtls::VirtualOpenssl openssl;
  Now now{};
  std::optional<node::Worker> worker;
  SendBatch out;
};

// One participant; its datagrams and the worker's reach each other at once.
struct Participant {
  Participant(World& the_world, std::string its_name, uint8_t number)
      : world(the_world), name(std::move(its_name)), address{IpAddress::v4(198, 51, 100, number), 40'000} {
    dtls.emplace(dtls::Certificate::make(world.now, world.rng));
    peer::Config config;
    config.role = peer::Role::kClient;
    config.dtls = &*dtls;
    config.addresses = config.local_addresses = {address};
    peer.emplace(config, world.rng);
    peer->open_channel_when_connected("data");
    for (const auto direction : {Direction::kSendOnly, Direction::kRecvOnly}) {
      negotiation::OfferMedia media;
      media.kind = MediaKind::kVideo;
      media.direction = direction;
      media.mid = std::to_string(lines.size());
      media.stream_id = media.track_id = "track";
      if (direction == Direction::kSendOnly) media.ssrc = kVideoSsrc, media.rtx_ssrc = kVideoSsrc + 1;
      lines.push_back(media);
    }
  }
  contract::PeerUpdateSdp update() {
    return {peer->make_offer(lines, {}), {{MediaKind::kVideo, "video_main", "track", "cam"}}, {0, 1}};
  }
  bool connect() {
    contract::ConnectRequest request;
    auto [sdp, senders, receivers] = update();
    request.room = "room";
    request.peer = name;
    request.sdp = sdp;
    request.senders = senders;
    request.receivers = receivers;
    const auto reply = world.command(contract::Connect{request});
    const auto* done = reply ? std::get_if<contract::ConnectDone>(&reply->body) : nullptr;
    if (done == nullptr) return false;
    conn_id = done->conn_id;
    peer::Output peer_out{out, packets, events};
    return peer->accept_answer(world.now, done->sdp, peer_out).has_value();
  }
  void on_datagram(ByteView bytes) {
    Bytes copy(bytes.begin(), bytes.end());
    peer::Output peer_out{out, packets, events};
    peer->on_datagram(world.now, {{kWorker, address.ip}, world.now.mono, copy}, peer_out);
    packets.clear();
    for (const peer::Event& event : events) {
      if (const auto* opened = std::get_if<peer::ChannelOpened>(&event)) channel = opened->channel;
      if (const auto* message = std::get_if<peer::ChannelMessage>(&event)) {
        const auto read = json::parse_server_message(message->bytes, message->is_text);
        answers += read && std::holds_alternative<contract::RpcAnswer>(*read);
      }
    }
    events.clear();
  }
  void send(ByteView message, bool is_text) {
    peer::Output peer_out{out, packets, events};
    if (channel) peer->send_message(world.now, *channel, message, is_text, peer_out);
  }

  World& world;
  std::string name;
  SocketAddress address;
  std::optional<dtls::Context> dtls;
  std::optional<peer::Peer> peer;
  std::vector<negotiation::OfferMedia> lines;
  std::vector<peer::ReceivedPacket> packets;
  std::vector<peer::Event> events;
  std::optional<uint16_t> channel;
  std::string conn_id;
  size_t answers = 0;
  SendBatch out;
};

struct Room {
  Room() : mallory(world, "mallory", 1), viewer(world, "viewer", 2) {
    ASSERT(mallory.connect() && viewer.connect());
    run(500ms);
    ASSERT(mallory.channel && viewer.channel);
    viewer.send(as_bytes(json::to_json({0, contract::ReceiverSwitch{"video_0", 50, {"mallory", "video_main"}}})), true);
    run(50ms);
    ASSERT(viewer.answers == 1);
    keys = *PeerTestAccess::dtls(*mallory.peer).srtp_keys();
    rtcp.emplace(keys.profile, keys.local_key, keys.local_salt);
  }
  // Everything that is under way, until all are still; each round trip costs no time.
  void exchange() {
    for (int round = 0; round < 50; ++round) {
      bool is_still = true;
      for (Participant* each : {&mallory, &viewer}) {
        SendBatch batch;
        std::swap(batch, each->out);
        for (const auto& entry : batch.entries()) world.give(each->address, batch.bytes(entry));
        is_still &= batch.empty();
      }
      SendBatch batch;
      std::swap(batch, world.out);
      for (const auto& entry : batch.entries()) {
        if (entry.path.remote == mallory.address) mallory.on_datagram(batch.bytes(entry));
        if (entry.path.remote == viewer.address) viewer.on_datagram(batch.bytes(entry));
      }
      if (is_still && batch.empty()) return;
    }
  }
  void run(Duration length) {
    const Instant end = world.now.mono + length;
    exchange();
    for (;;) {
      const Instant next =
          std::min({world.worker->next_timeout(), mallory.peer->next_timeout(), viewer.peer->next_timeout()});
      if (next > end) break;
      world.set_time(std::max(next, world.now.mono + 1ms));
      if (world.worker->next_timeout() <= world.now.mono) world.worker->on_timeout(world.now, world.out);
      for (Participant* each : {&mallory, &viewer}) {
        peer::Output out{each->out, each->packets, each->events};
        if (each->peer->next_timeout() <= world.now.mono) each->peer->on_timeout(world.now, out);
      }
      exchange();
    }
    world.set_time(std::max(end, world.now.mono));
  }

  void rtp(Bytes plain) {
    srtp::SendContext context(keys.profile, keys.local_key, keys.local_salt);  // anew: a hostile peer repeats an index
    const uint64_t sequence = plain.size() >= 4 ? load_u16(&plain[2]) : 0;
    protected_as(plain, [&](MutByteView buffer, size_t size) { return context.protect_rtp(buffer, size, sequence); });
  }
  void send_rtcp(Bytes plain) {
    protected_as(plain, [&](MutByteView buffer, size_t size) { return rtcp->protect_rtcp(buffer, size); });
  }
  template <typename Protect>
  void protected_as(Bytes& plain, Protect protect) {
    const size_t size = plain.size();
    plain.resize(size + srtp::kRtcpOverhead);
    plain.resize(protect(plain, size));
    if (!plain.empty()) world.give(mallory.address, plain);
  }
  void sctp_packet(const Bytes& packet) {
    dtls::Output records;
    PeerTestAccess::dtls(*mallory.peer).send(world.now, packet, records);
    for (const Bytes& datagram : records.datagrams) world.give(mallory.address, datagram);
  }
  // On which the worker sends to mallory; nothing is there before it has an m-line for that.
  uint32_t our_ssrc() {
    const size_t line = 2;  // after the data channel and what mallory sends
    if (mallory.peer->media_count() <= line) return 0;
    const auto& ssrcs = mallory.peer->media(line).negotiated().remote_ssrcs;
    return ssrcs.empty() ? 0 : ssrcs.front().ssrc;
  }
  void take(uint8_t what, ByteView bytes);

  World world;
  Participant mallory, viewer;
  dtls::SrtpKeys keys;
  std::optional<srtp::SendContext> rtcp;
};

enum Step : uint8_t {
  kRtp,
  kRtpOfTheStream,
  kRtcp,
  kRtcpAboutOurs,
  kSctpPacket,
  kText,
  kBinary,
  kDeflated,
  kEditedOffer,
  kStranger,
  kOwnAddress,
  kIceRemote,
  kIceRestart,
  kOpenChannel,
  kWait,
  kStepCount
};

// Pairs of a place and a byte, written over an offer that is whole.
std::string edited(std::string offer, ByteView edits) {
  for (; edits.size() >= 3 && !offer.empty(); edits = edits.subspan(3)) {
    offer[load_u16(edits.data()) % offer.size()] = static_cast<char>(edits[2]);
  }
  return offer;
}

void Room::take(uint8_t what, ByteView bytes) {
  Bytes plain(bytes.begin(), bytes.end());
  switch (what % kStepCount) {
    case kRtp:
      return rtp(plain);
    case kRtpOfTheStream:
      if (plain.size() < 12) return;
      plain[0] = static_cast<uint8_t>(0x80 | (plain[0] & 0x3f));
      store_u32(&plain[8], kVideoSsrc + plain[8] % 3);
      return rtp(plain);
    case kRtcp:
      return send_rtcp(plain);
    case kRtcpAboutOurs:
      if (plain.size() >= 12) store_u32(&plain[8], our_ssrc());
      return send_rtcp(plain);
    case kSctpPacket:
      return sctp_packet(plain);
    case kText:
    case kBinary:
      return mallory.send(plain, what % kStepCount == kText);
    case kDeflated:
      return mallory.send(json::deflate(as_text(plain)), false);
    case kEditedOffer: {
      auto update = mallory.update();
      update.sdp = edited(update.sdp, bytes);
      return mallory.send(as_bytes(json::to_json({1, update})), true);
    }
    case kStranger:
      return world.give({IpAddress::v4(203, 0, 113, 5), 9}, plain);
    case kOwnAddress:
      return world.give(mallory.address, plain);
    case kIceRemote:
      world.command(contract::IceRemote{mallory.conn_id, std::string(as_text(bytes)), ""});
      return;
    case kIceRestart:
      world.command(contract::IceRestart{mallory.conn_id, edited(mallory.update().sdp, bytes)});
      return;
    case kOpenChannel: {
      peer::Output out{mallory.out, mallory.packets, mallory.events};
      mallory.peer->open_channel(world.now, as_text(bytes), out);
      return;
    }
    case kWait:
      return run(plain.empty() ? 1ms : plain[0] * 10ms);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size > 8'000) return 0;
  Room room;
  ByteView left(data, size);
  for (int steps = 0; steps < 40 && left.size() >= 2; ++steps) {
    const uint8_t what = left[0];
    const bool is_text = what % kStepCount == kText || what % kStepCount == kDeflated;
    const size_t length = std::min<size_t>(left[1] * (is_text ? 4u : 1u), left.size() - 2);
    room.take(what, left.subspan(2, length));
    room.exchange();
    left = left.subspan(2 + length);
  }
  room.run(20ms);
  // Whatever one participant did, the other one is there and is answered.
  const size_t answers = room.viewer.answers;
  room.viewer.send(as_bytes(json::to_json({7, contract::PeerPing{}})), true);
  room.run(100ms);
  ASSERT(room.viewer.answers == answers + 1);
  ASSERT(room.world.worker->session_count() <= 2 && room.world.worker->room_count() == 1);
  return 0;
}

#include "trial.h"

#include <algorithm>
#include <utility>

namespace atm0s::rfc8867 {
namespace {

constexpr size_t kVideo = 1;  // the m-line
constexpr size_t kFillSize = 1'000;

bool is_rtp(const Bytes& bytes) {
  return bytes.size() >= 12 && bytes[0] >= 128 && bytes[0] < 192 && (bytes[1] < 192 || bytes[1] > 223);
}

bool is_padding(const Bytes& bytes) {
  return (bytes[0] & 0x20) != 0;
}

}  // namespace

Trial::Trial(const Scenario& scenario, uint64_t seed)
    : scenario_(scenario), seed_(seed), world_(seed), meter_(scenario) {}

bool Trial::play() {
  for (size_t i = 0; i < scenario_.media.size(); ++i) {
    auto flow = std::make_unique<Flow>(world_, seed_ * 1'000 + i);
    peer::Call& call = flow->call;
    if (!call.connect({peer::Call::line(MediaKind::kVideo, negotiation::Direction::kRecvOnly, "1")})) return false;
    call.server.peer->set_send_demand(Camera::kMostBps + Camera::kMostBps / 5);
    flows_.push_back(std::move(flow));
  }
  origin_ = now();
  next_tick_ = origin_ + Meter::kTick;
  for (const bool is_forward : {false, true}) {
    for (const HopConfig& hop : is_forward ? scenario_.forward : scenario_.backward) {
      auto& hops = hops_[is_forward ? 1 : 0];
      hops.push_back(std::make_unique<Hop>(hop, origin_, seed_ * 10 + hops.size() + (is_forward ? 5 : 0)));
    }
  }
  for (size_t i = 0; i < flows_.size(); ++i) {
    flows_[i]->call.drop = [this, i](bool to_server, const Bytes& bytes) {
      on_datagram(i, to_server, bytes);
      return true;
    };
    flows_[i]->next_frame = origin_ + scenario_.media[i].start;
  }
  for (size_t i = 0; i < scenario_.tcp.size(); ++i) {
    tcp_.emplace_back(scenario_.tcp[i], flows_.size() + i, origin_, seed_ * 100 + i);
  }
  for (const FillConfig& fill : scenario_.fill) next_fill_.push_back(origin_ + fill.start);
  while (now() < origin_ + scenario_.length) step();
  for (const auto& flow : flows_) {
    flow->screen.close(now());
    meter_.on_freeze(flow->screen.longest_freeze());
    flow->call.drop = nullptr;
  }
  return true;
}

Instant Trial::next_event() const {
  Instant next = next_tick_;
  for (const auto& hops : hops_) {
    for (const auto& hop : hops) next = std::min(next, hop->next_event());
  }
  for (const auto& flow : flows_) {
    next = std::min(
        {next, flow->next_frame, flow->call.server.peer->next_timeout(), flow->call.client.peer->next_timeout()});
  }
  for (const Tcp& tcp : tcp_) next = std::min(next, tcp.next_timeout());
  for (const Instant fill : next_fill_) next = std::min(next, fill);
  return next;
}

void Trial::step() {
  world_.set_time(std::max(next_event(), now()));
  carry(true);
  carry(false);
  for (size_t i = 0; i < flows_.size(); ++i) {
    Flow& flow = *flows_[i];
    time_out(flow.call, flow.call.server);
    time_out(flow.call, flow.call.client);
    look_at(i);
    if (flow.next_frame <= now()) film(i);
  }
  for (Tcp& tcp : tcp_) {
    if (tcp.next_timeout() <= now()) tcp.on_timeout(now(), tcp_out_);
  }
  send_tcp(tcp_out_);
  for (size_t i = 0; i < next_fill_.size(); ++i) {
    if (next_fill_[i] > now()) continue;
    const FillConfig& fill = scenario_.fill[i];
    Packet packet;
    packet.flow = flows_.size() + tcp_.size() + i;
    packet.kind = Kind::kFill;
    packet.is_forward = fill.is_forward;
    packet.size = kFillSize;
    put(0, std::move(packet));
    next_fill_[i] += Duration(static_cast<int64_t>(kFillSize * 8'000'000 / fill.bps));
    if (next_fill_[i] >= origin_ + fill.stop) next_fill_[i] = kNever;
  }
  if (next_tick_ <= now()) tick();
}

void Trial::time_out(peer::Call& call, peer::Call::End& end) {
  if (end.peer->next_timeout() > now()) return;
  peer::Output out = end.output();
  end.peer->on_timeout(world_.now, out);
  call.flush(end);
}

void Trial::on_datagram(size_t flow, bool to_server, const Bytes& bytes) {
  const MediaConfig& config = scenario_.media[flow];
  Packet packet;
  packet.flow = flow;
  packet.is_forward = to_server != config.is_forward;
  packet.size = bytes.size() + 28;
  packet.delay = config.delay;
  packet.sent = now();
  packet.number = to_server ? 1 : 0;
  packet.bytes = bytes;
  if (!to_server && is_rtp(bytes)) meter_.on_sent(flow, packet.size);
  put(0, std::move(packet));
}

void Trial::put(size_t hop, Packet&& packet) {
  auto& hops = hops_[packet.is_forward ? 1 : 0];
  const bool counts = packet.kind == Kind::kMedia && packet.number == 0 && is_rtp(packet.bytes);
  if (!hops[hop]->put(now(), std::move(packet)) && counts) meter_.on_dropped();
}

void Trial::carry(bool is_forward) {
  auto& hops = hops_[is_forward ? 1 : 0];
  for (size_t h = 0; h < hops.size(); ++h) {
    come_out_.clear();
    hops[h]->take(now(), come_out_);
    for (Packet& packet : come_out_) {
      if (h + 1 < hops.size())
        put(h + 1, std::move(packet));
      else
        deliver(std::move(packet));
    }
  }
}

void Trial::deliver(Packet&& packet) {
  if (packet.kind == Kind::kFill || packet.kind == Kind::kTcp) {
    if (packet.is_forward) meter_.on_other(packet.size);
    if (packet.kind == Kind::kFill) return;
    tcp_out_.push_back(tcp_[packet.flow - flows_.size()].on_segment(now(), packet));
    return;
  }
  if (packet.kind == Kind::kTcpAck) return tcp_[packet.flow - flows_.size()].on_ack(now(), packet, tcp_out_);
  peer::Call& call = flows_[packet.flow]->call;
  const bool to_server = packet.number == 1;
  if (!to_server && is_rtp(packet.bytes)) {
    meter_.on_received(packet.flow, packet.size, !is_padding(packet.bytes), packet.waited);
  }
  call.deliver(to_server ? call.server : call.client, (to_server ? call.client : call.server).address,
               std::move(packet.bytes));
  look_at(packet.flow);
}

// What has come of the last datagrams and timeouts.
void Trial::look_at(size_t index) {
  Flow& flow = *flows_[index];
  peer::Call& call = flow.call;
  for (const peer::Call::Got& got : call.client.got) {
    const Mark mark = read_payload(got.payload);
    flow.screen.on_packet(now(), mark.frame, mark.packets, mark.is_key_frame);
  }
  call.client.got.clear();
  bool wants_key_frame = flow.screen.wants_key_frame(now());
  for (const peer::Event& event : call.client.events) {
    wants_key_frame |= std::holds_alternative<peer::PictureLost>(event);
  }
  for (const peer::Event& event : call.server.events) {
    flow.wants_key_frame |= std::holds_alternative<peer::KeyFrameWanted>(event);
  }
  call.client.events.clear();
  call.server.events.clear();
  if (!wants_key_frame) return;
  call.client.peer->request_key_frame(world_.now, kVideo, call.client.out);
  call.flush(call.client);
}

void Trial::film(size_t index) {
  Flow& flow = *flows_[index];
  const MediaConfig& config = scenario_.media[index];
  flow.next_frame += Camera::kInterval;
  flow.timestamp += 3'000;
  const bool is_active = config.is_active(elapsed());
  if (is_active != std::exchange(flow.was_active, is_active)) {
    if (is_active)
      flow.screen.expect(now() + config.delay);
    else
      flow.screen.ignore();
  }
  if (!is_active) return;
  peer::Call& call = flow.call;
  const uint64_t target = call.server.peer->estimate_bps().value_or(300'000);
  const bool is_key_frame = std::exchange(flow.wants_key_frame, false);
  const size_t size = flow.camera.next(target, is_key_frame);
  const size_t packets =
      std::max<size_t>((size + kMostPayload + kAroundPayload - 1) / (kMostPayload + kAroundPayload), 1);
  const Mark mark{flow.frame++, static_cast<uint32_t>(packets), is_key_frame};
  const size_t share = size / packets > kAroundPayload ? size / packets - kAroundPayload : 1;
  const Bytes payload = make_payload(mark, share);
  for (size_t i = 0; i < packets; ++i) {
    peer::MediaPacket packet;
    packet.payload = world_.pool.copy(payload);
    peer::Outgoing outgoing{flow.sequence++, flow.timestamp,
                            call.server.peer->media(kVideo).negotiated().codecs[0].payload_type, i + 1 == packets};
    call.server.peer->send_media(world_.now, kVideo, packet, outgoing, call.server.out);
  }
  call.flush(call.server);
}

void Trial::send_tcp(std::vector<Packet>& packets) {
  for (Packet& packet : packets) put(0, std::move(packet));
  packets.clear();
}

void Trial::tick() {
  size_t active[2] = {0, 0};
  for (const Tcp& tcp : tcp_) active[tcp.config().is_forward ? 1 : 0] += tcp.is_active() ? 1 : 0;
  meter_.set_active_tcp(active[1], active[0]);
  for (size_t i = 0; i < flows_.size(); ++i) {
    meter_.set_target(i, flows_[i]->call.server.peer->estimate_bps().value_or(0));
  }
  meter_.tick(next_tick_ - origin_);
  next_tick_ += Meter::kTick;
}

}  // namespace atm0s::rfc8867

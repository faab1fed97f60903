#include "trial.h"

#include <algorithm>
#include <utility>

namespace atm::rfc8867 {
namespace {

constexpr size_t kVideo = 1;  // the m-line

}  // namespace

Trial::Trial(const Scenario& scenario, uint64_t seed)
    : scenario_(scenario), seed_(seed), world_(seed), meter_(scenario) {}

bool Trial::play() {
  for (size_t i = 0; i < scenario_.media.size(); ++i) {
    auto flow = std::make_unique<Flow>(world_, seed_ * 1'000 + i);
    peer::Call& call = flow->call;
    for (const auto& earlier : flows_) earlier->call.run(0s);  // time has passed: RFC 7675
    if (!call.connect({peer::Call::line(MediaKind::kVideo, negotiation::Direction::kRecvOnly, "1")})) return false;
    call.server.peer->set_send_demand(Camera::kMostBps + Camera::kMostBps / 5);
    flows_.push_back(std::move(flow));
  }
  origin_ = now();
  next_tick_ = origin_ + Meter::kTick;
  path_.emplace(scenario_, origin_, seed_, meter_);
  for (size_t i = 0; i < flows_.size(); ++i) {
    flows_[i]->call.drop = [this, i](bool to_server, const Bytes& bytes) {
      path_->put(now(), i, !to_server, bytes);
      return true;
    };
    flows_[i]->next_frame = origin_ + scenario_.media[i].start;
  }
  while (now() < origin_ + scenario_.length) step();
  for (const auto& flow : flows_) {
    flow->screen.close(now());
    meter_.on_freeze(flow->screen.longest_freeze());
    flow->call.drop = nullptr;
  }
  return true;
}

Instant Trial::next_event() const {
  Instant next = std::min(next_tick_, path_->next_event());
  for (const auto& flow : flows_) {
    next = std::min(
        {next, flow->next_frame, flow->call.server.peer->next_timeout(), flow->call.client.peer->next_timeout()});
  }
  return next;
}

void Trial::step() {
  world_.set_time(std::max(next_event(), now()));
  for (const bool is_forward : {true, false}) {
    arrived_.clear();
    path_->carry(now(), is_forward, arrived_);
    for (Packet& packet : arrived_) deliver(std::move(packet));
  }
  for (size_t i = 0; i < flows_.size(); ++i) {
    Flow& flow = *flows_[i];
    time_out(flow.call, flow.call.server);
    time_out(flow.call, flow.call.client);
    look_at(i);
    if (flow.next_frame <= now()) film(i);
  }
  path_->on_timeout(now());
  if (next_tick_ <= now()) tick();
}

void Trial::time_out(peer::Call& call, peer::Call::End& end) {
  if (end.peer->next_timeout() > now()) return;
  peer::Output out = end.output();
  end.peer->on_timeout(world_.now, out);
  call.flush(end);
}

void Trial::deliver(Packet&& packet) {
  peer::Call& call = flows_[packet.flow]->call;
  const bool to_server = !Path::came_from_sender(packet);
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
  const uint64_t target = call.server.peer->target_bps().value_or(300'000);
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

void Trial::tick() {
  path_->tell_active_tcp();
  for (size_t i = 0; i < flows_.size(); ++i) {
    meter_.set_target(i, flows_[i]->call.server.peer->target_bps().value_or(0));
  }
  meter_.tick(next_tick_ - origin_);
  next_tick_ += Meter::kTick;
}

}  // namespace atm::rfc8867

#include "path.h"

#include <algorithm>
#include <utility>

namespace atm::rfc8867 {
namespace {

constexpr size_t kFillSize = 1'000;
constexpr size_t kIpUdp = 28;

bool is_rtp(const Bytes& bytes) {
  return bytes.size() >= 12 && bytes[0] >= 128 && bytes[0] < 192 && (bytes[1] < 192 || bytes[1] > 223);
}

bool is_padding(const Bytes& bytes) {
  return (bytes[0] & 0x20) != 0;
}

}  // namespace

Path::Path(const Scenario& scenario, Instant origin, uint64_t seed, Meter& meter)
    : scenario_(scenario), origin_(origin), meter_(meter) {
  for (const bool is_forward : {false, true}) {
    for (const HopConfig& hop : is_forward ? scenario.forward : scenario.backward) {
      auto& hops = hops_[is_forward ? 1 : 0];
      hops.push_back(std::make_unique<Hop>(hop, origin, seed * 10 + hops.size() + (is_forward ? 5 : 0)));
    }
  }
  for (size_t i = 0; i < scenario.tcp.size(); ++i) {
    tcp_.emplace_back(scenario.tcp[i], scenario.media.size() + i, origin, seed * 100 + i);
  }
  for (const FillConfig& fill : scenario.fill) next_fill_.push_back(origin + fill.start);
}

Instant Path::next_event() const {
  Instant next = kNever;
  for (const auto& hops : hops_) {
    for (const auto& hop : hops) next = std::min(next, hop->next_event());
  }
  for (const Tcp& tcp : tcp_) next = std::min(next, tcp.next_timeout());
  for (const Instant fill : next_fill_) next = std::min(next, fill);
  return next;
}

void Path::put(Instant now, size_t flow, bool is_from_sender, const Bytes& bytes) {
  const MediaConfig& config = scenario_.media[flow];
  Packet packet;
  packet.flow = flow;
  packet.is_forward = is_from_sender == config.is_forward;
  packet.size = bytes.size() + kIpUdp;
  packet.delay = config.delay;
  packet.sent = now;
  packet.number = is_from_sender ? 0 : 1;
  packet.bytes = bytes;
  if (is_from_sender && is_rtp(bytes)) meter_.on_sent(flow, packet.size);
  put(now, 0, std::move(packet));
}

void Path::put(Instant now, size_t hop, Packet&& packet) {
  auto& hops = hops_[packet.is_forward ? 1 : 0];
  const bool counts = packet.kind == Kind::kMedia && came_from_sender(packet) && is_rtp(packet.bytes);
  if (!hops[hop]->put(now, std::move(packet)) && counts) meter_.on_dropped();
}

void Path::carry(Instant now, bool is_forward, std::vector<Packet>& out) {
  auto& hops = hops_[is_forward ? 1 : 0];
  for (size_t h = 0; h < hops.size(); ++h) {
    come_out_.clear();
    hops[h]->take(now, come_out_);
    for (Packet& packet : come_out_) {
      if (h + 1 < hops.size())
        put(now, h + 1, std::move(packet));
      else
        arrive(now, std::move(packet), out);
    }
  }
}

void Path::arrive(Instant now, Packet&& packet, std::vector<Packet>& out) {
  if (packet.kind == Kind::kFill || packet.kind == Kind::kTcp) {
    if (packet.is_forward) meter_.on_other(packet.size);
    if (packet.kind == Kind::kFill) return;
    tcp_out_.push_back(tcp_[packet.flow - scenario_.media.size()].on_segment(now, packet));
    return;
  }
  if (packet.kind == Kind::kTcpAck) return tcp_[packet.flow - scenario_.media.size()].on_ack(now, packet, tcp_out_);
  if (came_from_sender(packet) && is_rtp(packet.bytes)) {
    meter_.on_received(packet.flow, packet.size, !is_padding(packet.bytes), packet.waited);
  }
  out.push_back(std::move(packet));
}

void Path::on_timeout(Instant now) {
  for (Tcp& tcp : tcp_) {
    if (tcp.next_timeout() <= now) tcp.on_timeout(now, tcp_out_);
  }
  for (Packet& packet : tcp_out_) put(now, 0, std::move(packet));
  tcp_out_.clear();
  for (size_t i = 0; i < next_fill_.size(); ++i) {
    if (next_fill_[i] > now) continue;
    const FillConfig& fill = scenario_.fill[i];
    Packet packet;
    packet.flow = scenario_.media.size() + tcp_.size() + i;
    packet.kind = Kind::kFill;
    packet.is_forward = fill.is_forward;
    packet.size = kFillSize;
    put(now, 0, std::move(packet));
    next_fill_[i] += Duration(static_cast<int64_t>(kFillSize * 8'000'000 / fill.bps));
    if (next_fill_[i] >= origin_ + fill.stop) next_fill_[i] = kNever;
  }
}

void Path::tell_active_tcp() {
  size_t active[2] = {0, 0};
  for (const Tcp& tcp : tcp_) active[tcp.config().is_forward ? 1 : 0] += tcp.is_active() ? 1 : 0;
  meter_.set_active_tcp(active[1], active[0]);
}

}  // namespace atm::rfc8867

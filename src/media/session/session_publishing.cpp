// Session: what the client's video may take, by its mode and its viewers, and how the client is told: REMB for all
// together, remote_stream_{name}_limit for each stream, b=TIAS in answers.
#include <algorithm>

#include "media/session/session.h"

namespace atm::session {

// Of the server, or of the token where that says less; 0: none.
uint64_t Session::max_video_bps() const {
  const uint64_t of_token = admission_.grant().max_bitrate_bps;
  if (server_max_bps_ == 0 || of_token == 0) return std::max(server_max_bps_, of_token);
  return std::min(server_max_bps_, of_token);
}

peer::Config Session::limited(peer::Config config) const {
  config.max_incoming_video_bps = max_video_bps();
  return config;
}

// Every offer says anew what each sender may take.
void Session::take_max_bitrates(const std::vector<contract::SenderInfo>& senders) {
  for (const contract::SenderInfo& info : senders) {
    const auto it = senders_.find(info.name);
    if (it == senders_.end()) continue;
    it->second.info.max_bitrate_bps = info.max_bitrate_bps;
    it->second.published.max_bitrate_bps = info.max_bitrate_bps;
    if (it->second.source != nullptr) it->second.source->has_new_demand = info.kind == MediaKind::kVideo;
  }
}

void Session::write_max_bitrates(LineBindings::Plan& plan, const std::vector<contract::SenderInfo>& senders) const {
  for (size_t i = 0; i < plan.lines.size(); ++i) {
    const LineBindings::Line& line = plan.lines[i];
    if (line.use != LineBindings::Use::kSender || line.kind != MediaKind::kVideo) continue;
    const auto is_its = [&line](const contract::SenderInfo& info) { return info.name == line.name; };
    const auto sender = std::find_if(senders.begin(), senders.end(), is_its);
    if (sender == senders.end()) continue;
    plan.decisions[i].max_receive_bps = publisher_limit_.tias_bps(sender->max_bitrate_bps);
  }
}

Instant Session::limit_due() const {
  for (const auto& [name, sender] : senders_) {
    if (sender.source != nullptr && sender.source->has_new_demand) return Instant{};
  }
  return limit_due_;
}

void Session::limit_publishing(Now now, Output& out) {
  published_.clear();
  for (auto& [name, sender] : senders_) {
    if (sender.source == nullptr || sender.info.kind != MediaKind::kVideo) continue;
    share::Demand& demand = sender.published.demand = room_.take_demand(now, *sender.source);
    if (request_.applies_stream_limits) demand.most_bps = demand.way_bps;  // what `layers` says needs no REMB
    sender.published.rises_after_picture = !request_.applies_stream_limits && sender.source->simulcast_layers > 1;
    sender.published.key_frame_at = sender.source->key_frame_at;
    published_.push_back(sender.published);
  }
  publisher_limit_.update(now.mono, published_);
  const uint64_t sum =
      request_.applies_stream_limits ? publisher_limit_.sum_beside_limits_bps() : publisher_limit_.sum_bps();
  peer_.limit_incoming_video(sum, out.datagrams);
  size_t next = 0;
  for (auto& [name, sender] : senders_) {
    if (sender.source == nullptr || sender.info.kind != MediaKind::kVideo) continue;
    sender.published = published_[next++];
    if (sender.published.changed) tell_limit(sender, out);
  }
  limit_due_ = published_.empty() ? kNever : std::min(now.mono + kLimitInterval, publisher_limit_.next_timeout());
  out.touched.push_back(id_);
}

void Session::tell_limit(const Sender& sender, Output& out) {
  if (request_.bitrate_control_mode == contract::BitrateControlMode::kSumBitrateOnly) return;  // it has none
  const share::StreamLimit& limit = sender.published.limit;
  contract::StreamLimitEvent event{sender.info.name, limit.max_bitrate_bps, {}};
  for (uint8_t layer = 0; layer < share::kSpatialLayers; ++layer) {
    if ((limit.layers & 1u << layer) != 0) event.layers.push_back(layer);
  }
  out.events.emplace_back(id_, std::move(event));
}

}  // namespace atm::session

// Session: what the admin API is told of it.
#include "media/session/session.h"

namespace atm::session {
namespace {

// Rates are measured where a source's packets come by, so a copy is asked: reading must not move the window.
void add_layers(Now now, const room::Source& source, std::vector<contract::LayerReport>& out) {
  share::LayerRates rates = source.rates;
  const share::RateTable table = rates.table(now.mono, source.scaling);
  for (uint8_t spatial = 0; spatial < share::kSpatialLayers; ++spatial) {
    for (uint8_t temporal = 0; temporal < share::kTemporalLayers; ++temporal) {
      const uint64_t bps = table.bps[spatial][temporal];
      if (bps == 0) continue;
      const payload::PictureSize size = source.sizes[spatial];
      out.push_back({spatial, temporal, bps, size.width, size.height});
    }
  }
}

}  // namespace

contract::PeerReport Session::report(Now now) const {
  contract::PeerReport out;
  out.peer = request_.peer;
  using contract::PeerStatus;
  out.status = is_reconnecting_ ? PeerStatus::kReconnecting
               : is_present_    ? PeerStatus::kConnected
                                : PeerStatus::kConnecting;
  out.version = request_.client_version;
  out.metadata = metadata();
  out.publish = admission_.may_publish();
  out.subscribe = admission_.may_subscribe();
  out.token_expires_at = admission_.grant().expires_at;
  out.token_id = admission_.grant().token_id;
  if (const auto path = peer_.selected_path()) out.address = path->remote.to_string();
  out.age_ms = static_cast<uint64_t>(to_ms(now.mono - started_at_));
  const auto& trips = peer_.round_trips();
  if (const auto trip = trips.as_sender ? trips.as_sender : trips.as_receiver) {
    out.round_trip_ms = static_cast<uint64_t>(to_ms(*trip));
  }
  out.estimate_bps = peer_.estimate_bps();
  for (const auto& [name, sender] : senders_) {
    if (sender.source == nullptr) continue;
    const room::Source& source = *sender.source;
    contract::StreamReport& stream = out.streams.emplace_back();
    stream.name = name;
    stream.label = source.label;
    stream.kind = source.kind;
    if (!source.codecs.empty()) stream.codec = source.codecs.front().codec;
    stream.scaling = source.told_scaling();
    stream.active = source.active;
    stream.muted = muted_.contains(name);
    stream.viewers = room_.viewers_of(source);
    if (source.tells_level) stream.level_dbov = source.loudness.dbov(now.mono);
    if (source.kind == MediaKind::kVideo) add_layers(now, source, stream.layers);
  }
  for (const auto& [id, entry] : receivers_) {
    const receiver::Receiver& receiver = *entry.receiver;
    contract::ReceiverReport& shown = out.receivers.emplace_back();
    shown.id = id;
    shown.kind = receiver.kind();
    shown.state = receiver.state();
    shown.remote = receiver.remote();
    shown.limit = receiver.limit();
    if (receiver.kind() != MediaKind::kVideo) continue;
    if (const auto layer = receiver.current()) shown.spatial = layer->spatial, shown.temporal = layer->temporal;
  }
  return out;
}

}  // namespace atm::session

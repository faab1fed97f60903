#include "core/sctp/data_channels.h"

#include <array>
#include <utility>

namespace atm::sctp {
namespace {

DcepOpen to_dcep(std::string_view label, const ChannelConfig& config) {
  DcepOpen open;
  open.unordered = !config.reliability.ordered;
  open.priority = 256;  // RFC 8831 6.4 "normal"
  open.label = label;
  open.protocol = config.protocol;
  if (config.reliability.max_retransmits) {
    open.limit = DcepOpen::Limit::kRetransmits;
    open.reliability = *config.reliability.max_retransmits;
  } else if (config.reliability.lifetime) {
    open.limit = DcepOpen::Limit::kLifetime;
    open.reliability = static_cast<uint32_t>(to_ms(*config.reliability.lifetime));
  }
  return open;
}

ChannelConfig from_dcep(const DcepOpen& open) {
  ChannelConfig config;
  config.protocol = open.protocol;
  config.reliability.ordered = !open.unordered;
  switch (open.limit) {
    case DcepOpen::Limit::kReliable:
      break;
    case DcepOpen::Limit::kRetransmits:
      config.reliability.max_retransmits = static_cast<uint16_t>(std::min<uint32_t>(open.reliability, UINT16_MAX));
      break;
    case DcepOpen::Limit::kLifetime:
      config.reliability.lifetime = std::chrono::milliseconds(open.reliability);
      break;
  }
  return config;
}

}  // namespace

DataChannels::DataChannels(const Config& config, DtlsRole role, Rng& rng) : role_(role), association_(config, rng) {}

// --- calls ----------------------------------------------------------------------------------------------------------

void DataChannels::connect(Now now, Output& out) {
  association_.connect(now, pending_);
  handle_events(now, out);
}

void DataChannels::on_packet(Now now, ByteView bytes, Output& out) {
  association_.on_packet(now, bytes, pending_);
  handle_events(now, out);
}

void DataChannels::on_timeout(Now now, Output& out) {
  association_.on_timeout(now, pending_);
  handle_events(now, out);
}

std::optional<ChannelId> DataChannels::open(Now now, std::string_view label, const ChannelConfig& config, Output& out) {
  if (channels_.size() >= kMaxChannels || label.size() > kMaxLabelSize || config.protocol.size() > kMaxLabelSize) {
    return std::nullopt;
  }
  ChannelId id = role_ == DtlsRole::kClient ? 0 : 1;
  while (channels_.contains(id)) id += 2;
  // RFC 8832 6: OPEN goes ordered and reliable.
  const Bytes message = write_dcep_open(to_dcep(label, config));
  if (!association_.send(now, id, static_cast<uint32_t>(Ppid::kDcep), message, {}, pending_)) return std::nullopt;
  Channel channel;
  channel.label = label;
  channel.config = config;
  channels_.emplace(id, std::move(channel));
  handle_events(now, out);
  return id;
}

bool DataChannels::send(Now now, ChannelId id, ByteView bytes, bool is_text, Output& out,
                        const Reliability& reliability) {
  const auto it = channels_.find(id);
  if (it == channels_.end() || it->second.closes_outgoing) return false;
  // RFC 8832 6: until the peer has confirmed, messages must not overtake the OPEN.
  Reliability how = reliability;
  if (!it->second.is_confirmed) how.ordered = true;
  // RFC 8831 6.6: SCTP has no empty messages, so that one byte with a kind of its own stands for one.
  constexpr std::array<uint8_t, 1> kEmpty{0};
  const bool is_empty = bytes.empty();
  const Ppid ppid =
      is_text ? (is_empty ? Ppid::kEmptyText : Ppid::kText) : (is_empty ? Ppid::kEmptyBinary : Ppid::kBinary);
  if (!association_.send(now, id, static_cast<uint32_t>(ppid), is_empty ? ByteView(kEmpty) : bytes, how, pending_)) {
    return false;
  }
  handle_events(now, out);
  return true;
}

bool DataChannels::send_as_opened(Now now, ChannelId id, ByteView bytes, bool is_text, Output& out) {
  const auto it = channels_.find(id);
  return it != channels_.end() && send(now, id, bytes, is_text, out, Reliability(it->second.config.reliability));
}

void DataChannels::close(Now now, ChannelId id, Output& out) {
  const auto it = channels_.find(id);
  if (it == channels_.end()) return;
  close_outgoing(now, id, it->second);
  forget_if_done(it, out);
  handle_events(now, out);
}

void DataChannels::shutdown(Now now, Output& out) {
  association_.close(now, pending_);
  handle_events(now, out);
}

void DataChannels::abort(Now now, Output& out) {
  association_.abort(pending_);
  handle_events(now, out);
}

// --- events of the association --------------------------------------------------------------------------------------

// Events may cause further ones (an answer to OPEN), which are appended while this runs.
void DataChannels::handle_events(Now now, Output& out) {
  for (size_t i = 0; i < pending_.events.size(); ++i) {
    AssociationEvent event = std::move(pending_.events[i]);
    on_event(now, event, out);
  }
  pending_.events.clear();
  for (Bytes& packet : pending_.packets) out.packets.push_back(std::move(packet));
  pending_.packets.clear();
}

void DataChannels::on_event(Now now, AssociationEvent& event, Output& out) {
  if (auto* message = std::get_if<Message>(&event)) {
    on_message(now, *message, out);
  } else if (std::holds_alternative<AssociationUp>(event)) {
    out.events.emplace_back(ChannelsUp{});
  } else if (const auto* peer_reset = std::get_if<PeerResetStreams>(&event)) {
    on_peer_reset(now, *peer_reset, out);
  } else if (const auto* reset = std::get_if<StreamsReset>(&event)) {
    on_reset_done(*reset, out);
  } else if (const auto* down = std::get_if<AssociationDown>(&event)) {
    for (auto& [id, channel] : channels_) report_closed(id, channel, out);
    channels_.clear();
    out.events.emplace_back(ChannelsDown{down->reason});
  }
}

void DataChannels::on_message(Now now, Message& message, Output& out) {
  const Ppid ppid = static_cast<Ppid>(message.ppid);
  if (ppid == Ppid::kDcep) return on_dcep(now, message, out);
  const bool is_text = ppid == Ppid::kText || ppid == Ppid::kEmptyText;
  const bool is_empty = ppid == Ppid::kEmptyText || ppid == Ppid::kEmptyBinary;
  if (!is_text && !is_empty && ppid != Ppid::kBinary) {
    ++association_.counters().drop_unknown_ppid;
    return;
  }
  const auto it = channels_.find(message.stream);
  if (it == channels_.end() || it->second.incoming_is_reset || it->second.is_reported_closed) {
    ++association_.counters().drop_unknown_channel;
    return;
  }
  // RFC 8832 6: an unordered message may overtake the ACK, and says the same.
  confirm(it->first, it->second, false, out);
  if (is_empty) message.payload.clear();
  out.events.emplace_back(ChannelMessage{message.stream, is_text, std::move(message.payload)});
}

void DataChannels::on_dcep(Now now, const Message& message, Output& out) {
  if (is_dcep_ack(message.payload)) {
    const auto it = channels_.find(message.stream);
    if (it != channels_.end()) confirm(it->first, it->second, false, out);
    return;
  }
  const std::optional<DcepOpen> open = parse_dcep_open(message.payload);
  if (!open) {
    ++association_.counters().drop_dcep_malformed;
    return;
  }
  on_open(now, message.stream, *open, out);
}

void DataChannels::on_open(Now now, ChannelId id, const DcepOpen& open, Output& out) {
  const bool is_taken = channels_.contains(id);
  if (is_ours(id) || is_taken || channels_.size() >= kMaxChannels || open.label.size() > kMaxLabelSize ||
      open.protocol.size() > kMaxLabelSize) {
    ++association_.counters().drop_dcep_refused;
    // RFC 8832 6: what cannot be opened is closed, by resetting our direction of it.
    if (!is_taken && association_.can_reset_streams()) association_.reset_stream(now, id, pending_);
    return;
  }
  Channel& channel = channels_[id];
  channel.label = open.label;
  channel.config = from_dcep(open);
  association_.send(now, id, static_cast<uint32_t>(Ppid::kDcep), write_dcep_ack(), {}, pending_);
  confirm(id, channel, true, out);
}

void DataChannels::confirm(ChannelId id, Channel& channel, bool by_peer, Output& out) {
  if (channel.is_confirmed || channel.is_reported_closed) return;
  channel.is_confirmed = true;
  out.events.emplace_back(ChannelOpened{id, channel.label, channel.config, by_peer});
}

// --- closing (RFC 8831 6.7): each side resets its outgoing stream; the channel is gone when both have --------------

void DataChannels::close_outgoing(Now now, ChannelId id, Channel& channel) {
  if (channel.closes_outgoing) return;
  channel.closes_outgoing = true;
  if (association_.is_up() && !association_.can_reset_streams()) {
    channel.outgoing_is_reset = true;  // RFC 6525 is not to be had: what is left is to forget it
    channel.incoming_is_reset = true;
    return;
  }
  association_.reset_stream(now, id, pending_);
}

void DataChannels::on_peer_reset(Now now, const PeerResetStreams& reset, Output& out) {
  const auto close_one = [&](Channels::iterator it) {
    it->second.incoming_is_reset = true;
    close_outgoing(now, it->first, it->second);
    report_closed(it->first, it->second, out);
    forget_if_done(it, out);
  };
  if (reset.streams.empty()) {
    for (auto it = channels_.begin(); it != channels_.end();) close_one(it++);
    return;
  }
  for (const uint16_t id : reset.streams) {
    const auto it = channels_.find(id);
    if (it != channels_.end()) close_one(it);
  }
}

void DataChannels::on_reset_done(const StreamsReset& reset, Output& out) {
  for (const uint16_t id : reset.streams) {
    const auto it = channels_.find(id);
    if (it == channels_.end()) continue;
    it->second.outgoing_is_reset = true;
    forget_if_done(it, out);
  }
}

void DataChannels::report_closed(ChannelId id, Channel& channel, Output& out) {
  if (channel.is_reported_closed) return;
  channel.is_reported_closed = true;
  out.events.emplace_back(ChannelClosed{id});
}

void DataChannels::forget_if_done(Channels::iterator it, Output& out) {
  if (!it->second.incoming_is_reset || !it->second.outgoing_is_reset) return;
  report_closed(it->first, it->second, out);
  channels_.erase(it);
}

}  // namespace atm::sctp

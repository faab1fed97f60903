#include "core/peer/peer.h"

#include <algorithm>

#include "base/assert.h"

namespace atm::peer {
namespace {

// RFC 3550 6.2 allows one report per second and more for sessions of this bandwidth; libwebrtc's video sends them so.
constexpr Duration kReportInterval = 1s;

ice::Role ice_role(Role role) {
  return role == Role::kServer ? ice::Role::kLite : ice::Role::kControlling;
}
dtls::Role dtls_role(Role role) {
  return role == Role::kServer ? dtls::Role::kServer : dtls::Role::kClient;
}

}  // namespace

Peer::Peer(const Config& config, Rng& rng)
    : config_(config),
      rng_(rng),
      ice_(ice_role(config.role), ice::make_credentials(rng), rng),
      dtls_(*config.dtls, dtls_role(config.role)),
      channels_({}, config.role == Role::kServer ? sctp::DtlsRole::kServer : sctp::DtlsRole::kClient, rng),
      cname_(rng.ice_chars(16)),
      session_id_(rng.u64() >> 2) {
  if (config_.playout_delay) {
    playout_delay_ = payload::write_playout_delay({*config_.playout_delay, *config_.playout_delay});
  }
  estimator_.set_demand(kDefaultDemand);
  for (size_t i = 0; i < config_.local_addresses.size(); ++i) {
    ice_.add_local_candidate(ice::make_host_candidate(config_.local_addresses[i], static_cast<uint16_t>(65'535 - i)));
  }
}

void Peer::set_addresses(const std::vector<SocketAddress>& addresses) {
  const auto has = [](const std::vector<SocketAddress>& all, const SocketAddress& one) {
    return std::find(all.begin(), all.end(), one) != all.end();
  };
  for (const SocketAddress& old : config_.local_addresses) {
    if (!has(addresses, old)) ice_.remove_local_candidate(ice::make_host_candidate(old));
  }
  for (size_t i = 0; i < addresses.size(); ++i) {
    if (has(config_.local_addresses, addresses[i])) continue;
    ice_.add_local_candidate(ice::make_host_candidate(addresses[i], static_cast<uint16_t>(65'535 - i)));
  }
  config_.addresses = config_.local_addresses = addresses;
}

// --- datagrams --------------------------------------------------------------------------------------------------

void Peer::on_datagram(Now now, const Datagram& datagram, Output& out) {
  switch (rtp::classify(datagram.bytes)) {
    case rtp::PacketClass::kStun:
      if (ice_.on_datagram(now, datagram.path, datagram.bytes, out.datagrams)) on_authenticated(now, out);
      if (!ice_.selected()) return;
      note_path(out);
      if (!dtls_parked_.empty()) flush_dtls(now, out);
      return;
    case rtp::PacketClass::kDtls:
      if (!ice_.is_validated(datagram.path)) break;
      return on_dtls(now, datagram, out);
    case rtp::PacketClass::kRtp:
    case rtp::PacketClass::kRtcp:
      if (!ice_.is_validated(datagram.path)) break;
      if (datagram.bytes.size() > kMaxDatagramSize) {
        // No path of the internet carries it whole, so it is nobody's media; it costs no decryption.
        ++counters_.drop_oversized;
        return;
      }
      if (srtp_in_ == nullptr) {
        ++counters_.drop_not_ready;
        return;
      }
      return rtp::classify(datagram.bytes) == rtp::PacketClass::kRtp ? on_rtp(now, datagram, out)
                                                                     : on_rtcp(now, datagram, out);
    case rtp::PacketClass::kUnknown:
      ++counters_.drop_unknown_class;
      return;
  }
  // Injected media and handshakes from elsewhere have no effect: only a path that ICE has validated counts.
  ++counters_.drop_not_validated;
}

// Something came that only the remote can have made.
void Peer::on_authenticated(Now now, Output& out) {
  const bool was_away = was_connected_ && now.mono - last_authenticated_ >= kAwayAfter;
  last_authenticated_ = now.mono;
  if (was_away) renew_way(out);
}

// ICE may have chosen another one.
void Peer::note_path(Output& out) {
  if (!was_connected_ || !ice_.selected() || ice_.selected() == path_) return;
  const bool is_first = !path_;
  path_ = ice_.selected();
  if (!is_first) renew_way(out);
}

void Peer::renew_way(Output& out) {
  for (const auto& line : media_) {
    if (line->kind() != MediaKind::kVideo) continue;
    for (const auto& stream : line->receive_streams()) stream->on_interruption();
  }
  out.events.push_back(WayRenewed{});
}

void Peer::on_dtls(Now now, const Datagram& datagram, Output& out) {
  dtls_.on_datagram(now, datagram.bytes, dtls_out_);
  if (!dtls_out_.application.empty()) on_authenticated(now, out);
  after_dtls(now, out);
}

void Peer::after_dtls(Now now, Output& out) {
  if (!is_closed_ && !was_connected_ && dtls_.state() == dtls::State::kConnected) on_connected(now, out);
  for (const Bytes& packet : dtls_out_.application) channels_.on_packet(now, packet, sctp_out_);
  dtls_out_.application.clear();
  flush_sctp(now, out);
  flush_dtls(now, out);
  if (is_closed_) return;
  if (dtls_.state() == dtls::State::kFailed) {
    is_closed_ = true;
    out.events.push_back(Failed{"DTLS failed"});
  } else if (dtls_.state() == dtls::State::kClosed) {
    is_closed_ = true;
    out.events.push_back(RemoteClosed{});
  }
}

void Peer::on_connected(Now now, Output& out) {
  was_connected_ = true;
  last_authenticated_ = now.mono;
  path_ = ice_.selected();
  if (const auto keys = dtls_.srtp_keys()) {
    srtp_out_ = std::make_unique<srtp::SendContext>(keys->profile, keys->local_key, keys->local_salt);
    srtp_in_ = std::make_unique<srtp::ReceiveContext>(keys->profile, keys->remote_key, keys->remote_salt);
  }
  next_report_ = now.mono + kReportInterval;
  out.events.push_back(Connected{});
  if (config_.role == Role::kClient && has_data_channel_) {
    channels_.connect(now, sctp_out_);
    if (!channel_label_.empty()) channels_.open(now, channel_label_, {}, sctp_out_);
  }
}

void Peer::flush_dtls(Now, Output& out) {
  const auto& path = ice_.selected();
  if (!path) {
    // Before ICE has a path: a handful of handshake datagrams wait; the rest comes again by DTLS's own timer.
    for (Bytes& datagram : dtls_out_.datagrams) {
      if (dtls_parked_.size() < kMaxParkedDatagrams) dtls_parked_.push_back(std::move(datagram));
    }
    dtls_out_.datagrams.clear();
    return;
  }
  for (const Bytes& datagram : dtls_parked_) out.datagrams.append(*path, datagram);
  dtls_parked_.clear();
  for (const Bytes& datagram : dtls_out_.datagrams) out.datagrams.append(*path, datagram);
  dtls_out_.datagrams.clear();
}

void Peer::flush_sctp(Now now, Output& out) {
  for (const Bytes& packet : sctp_out_.packets) dtls_.send(now, packet, dtls_out_);
  sctp_out_.packets.clear();
  for (sctp::ChannelEvent& event : sctp_out_.events) {
    if (const auto* opened = std::get_if<sctp::ChannelOpened>(&event)) {
      out.events.push_back(ChannelOpened{opened->channel, opened->label});
    } else if (auto* message = std::get_if<sctp::ChannelMessage>(&event)) {
      out.events.push_back(ChannelMessage{message->channel, message->is_text, std::move(message->bytes)});
    } else if (const auto* closed = std::get_if<sctp::ChannelClosed>(&event)) {
      out.events.push_back(ChannelClosed{closed->channel});
    } else if (std::holds_alternative<sctp::ChannelsDown>(event)) {
      out.events.push_back(RemoteClosed{});
    }
  }
  sctp_out_.events.clear();
}

bool Peer::open_channel(Now now, std::string_view label, Output& out) {
  const bool opened = channels_.open(now, label, {}, sctp_out_).has_value();
  flush_sctp(now, out);
  flush_dtls(now, out);
  return opened;
}

bool Peer::send_message(Now now, uint16_t channel, ByteView bytes, bool is_text, Output& out) {
  const bool sent = channels_.send(now, channel, bytes, is_text, sctp_out_);
  if (!sent) ++counters_.rpc_send_failed;
  flush_sctp(now, out);
  flush_dtls(now, out);
  return sent;
}

void Peer::close(Now now, Output& out) {
  if (is_closed_) return;
  is_closed_ = true;
  if (was_connected_) {
    // RFC 9260 9.1: an ABORT closes the page's data channel at once. Chromium 156 takes close_notify alone for a peer
    // that went silent, and says so only when ICE has failed.
    channels_.abort(now, sctp_out_);
    sctp_out_.events.clear();
    flush_sctp(now, out);
  }
  dtls_.close(now, dtls_out_);
  flush_dtls(now, out);
}

// --- time -------------------------------------------------------------------------------------------------------

Instant Peer::next_timeout() const {
  Instant due = std::min({ice_.next_timeout(), dtls_.next_timeout(), next_report_});
  if (was_connected_) due = std::min(due, channels_.next_timeout());
  if (srtp_out_ != nullptr && ice_.selected()) due = std::min(due, arrivals_.next_timeout());
  if (is_paced()) due = std::min({due, pacer_.next_timeout(), estimator_.next_timeout(), next_sign_of_life()});
  return std::min(due, next_nack_);
}

void Peer::on_timeout(Now now, Output& out) {
  if (ice_.next_timeout() <= now.mono) ice_.on_timeout(now, out.datagrams);
  note_path(out);
  if (ice_.selected() && !dtls_parked_.empty()) flush_dtls(now, out);
  if (dtls_.next_timeout() <= now.mono) {
    dtls_.on_timeout(now, dtls_out_);
    after_dtls(now, out);
  }
  if (was_connected_ && channels_.next_timeout() <= now.mono) {
    channels_.on_timeout(now, sctp_out_);
    flush_sctp(now, out);
    flush_dtls(now, out);
  }
  if (next_nack_ <= now.mono) send_nacks(now, out);
  if (arrivals_.is_due(now.mono)) send_feedback(now, out.datagrams);
  if (is_paced()) {
    if (estimator_.next_timeout() <= now.mono) estimator_.on_timeout(now);
    pace(now, out.datagrams);
    if (next_sign_of_life() <= now.mono) send_padding(now, 1, std::nullopt, out.datagrams);
  }
  if (next_report_ <= now.mono) {
    send_reports(now, out.datagrams);
    next_report_ = now.mono + kReportInterval;
  }
}

}  // namespace atm::peer

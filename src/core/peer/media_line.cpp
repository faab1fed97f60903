#include "core/peer/media_line.h"

#include <algorithm>

namespace atm::peer {

void MediaLine::negotiate(const negotiation::NegotiatedMedia& media, uint16_t first_rtx_sequence) {
  ++version_;
  if (media.mid != negotiated_.mid || media.kind != negotiated_.kind) recycle();
  is_active_ = true;
  negotiated_ = media;
  by_payload_type_.fill(-1);
  for (size_t i = 0; i < negotiated_.codecs.size(); ++i) {
    const negotiation::NegotiatedCodec& codec = negotiated_.codecs[i];
    by_payload_type_[codec.payload_type & 0x7f] = static_cast<int8_t>(i);
    if (codec.red_payload_type) by_payload_type_[*codec.red_payload_type & 0x7f] = static_cast<int8_t>(i);
  }
  if (is_receiving()) {
    insert_named_streams();
  } else {
    remove_receive_streams();
  }
  if (is_sending()) make_send_stream(first_rtx_sequence);
}

void MediaLine::deactivate() {
  ++version_;
  is_active_ = false;
  remove_receive_streams();
}

// RFC 9429 5.2.2: under another mid, or of another kind, it is another m-line in the same place.
void MediaLine::recycle() {
  remove_receive_streams();
  send_stream_.reset();
  local_ssrc_ = local_rtx_ssrc_ = 0;
  next_sequence_ = next_unsent_ = 0;
}

void MediaLine::remove_receive_streams() {
  if (!receive_streams_.empty()) ++removals_;
  receive_streams_.clear();
}

void MediaLine::insert_named_streams() {
  const auto& named = negotiated_.remote_ssrcs;
  const bool is_new_named =
      std::any_of(named.begin(), named.end(), [&](const auto& n) { return !find_receive_stream(n.ssrc); });
  // What an offer names counts more than what earlier ones named: a publisher that began anew often enough.
  if (is_new_named && receive_streams_.size() + named.size() > kMaxReceiveStreams) remove_receive_streams();
  for (const negotiation::RemoteSsrc& remote : named) {
    if (find_receive_stream(remote.ssrc) == nullptr) insert(remote.ssrc, remote.rtx_ssrc);
  }
}

void MediaLine::make_send_stream(uint16_t first_rtx_sequence) {
  // A stream lives on over renegotiations: its history and its counts belong to its SSRC.
  if (send_stream_ != nullptr && send_stream_->config().ssrc == negotiated_.local_ssrc) return;
  local_ssrc_ = negotiated_.local_ssrc;
  local_rtx_ssrc_ = negotiated_.local_rtx_ssrc;
  stream::SendConfig config;
  config.ssrc = local_ssrc_;
  if (local_rtx_ssrc_ != 0) config.rtx_ssrc = local_rtx_ssrc_;
  config.clock_rate = clock_rate();
  config.first_rtx_sequence = first_rtx_sequence;
  send_stream_ = std::make_unique<stream::SendStream>(config);
  rtx_unwrapper_ = {};  // of another SSRC: its rollover counter is zero again
}

const negotiation::NegotiatedCodec* MediaLine::find_codec(uint8_t payload_type) const {
  const int8_t i = by_payload_type_[payload_type & 0x7f];
  return i < 0 ? nullptr : &negotiated_.codecs[static_cast<size_t>(i)];
}

const negotiation::NegotiatedCodec* MediaLine::find_codec_by_rtx(uint8_t payload_type) const {
  for (const auto& codec : negotiated_.codecs) {
    if (codec.rtx_payload_type == payload_type) return &codec;
  }
  return nullptr;
}

const negotiation::NegotiatedCodec* MediaLine::find_same_format(const negotiation::NegotiatedCodec& codec) const {
  for (const auto& own : negotiated_.codecs) {
    if (negotiation::is_same_format(codec, own)) return &own;
  }
  return nullptr;
}

stream::ReceiveStream* MediaLine::find_receive_stream(uint32_t ssrc) {
  for (const auto& stream : receive_streams_) {
    if (stream->config().ssrc == ssrc || stream->config().rtx_ssrc == ssrc) return stream.get();
  }
  return nullptr;
}

stream::ReceiveStream* MediaLine::add_receive_stream(Instant now, uint32_t ssrc, std::string_view rid) {
  const auto& rids = negotiated_.rids;
  if (!rid.empty() && !rids.empty() && std::find(rids.begin(), rids.end(), rid) == rids.end()) return nullptr;
  if (is_full() && !evict_silent(now)) return nullptr;
  stream::ReceiveStream* added = insert(ssrc, std::nullopt);
  if (added != nullptr && !rid.empty()) {
    for (const auto& stream : receive_streams_) {
      if (stream->config().rid == rid) stream->set_rid({});
    }
    added->set_rid(std::string(rid));
  }
  return added;
}

stream::ReceiveStream* MediaLine::attach_rtx(uint32_t rtx_ssrc, std::string_view repaired_rid) {
  stream::ReceiveStream* repaired = nullptr;
  for (const auto& stream : receive_streams_) {
    if (!repaired_rid.empty()) {
      if (stream->config().rid == repaired_rid) repaired = stream.get();
    } else if (!stream->config().rtx_ssrc) {
      // Nothing names it: it can only be told apart when there is one stream that it can repair.
      if (repaired != nullptr) return nullptr;
      repaired = stream.get();
    }
  }
  if (repaired != nullptr) repaired->set_rtx_ssrc(rtx_ssrc);
  return repaired;
}

size_t MediaLine::simulcast_layers() const {
  if (kind() != MediaKind::kVideo) return 1;
  const size_t count = negotiated_.rids.empty() ? negotiated_.remote_ssrcs.size() : negotiated_.rids.size();
  return std::clamp<size_t>(count, 1, kMaxSimulcastLayers);
}

uint8_t MediaLine::simulcast_layer_of(uint32_t ssrc) const {
  const size_t layers = simulcast_layers();
  if (layers == 1) return 0;
  const auto clamped = [layers](auto place) {
    return static_cast<uint8_t>(std::min(static_cast<size_t>(place), layers - 1));
  };
  const auto& rids = negotiated_.rids;
  for (const auto& stream : receive_streams_) {
    if (stream->config().ssrc != ssrc || stream->config().rid.empty()) continue;
    const auto it = std::find(rids.begin(), rids.end(), stream->config().rid);
    if (it != rids.end()) return clamped(it - rids.begin());
  }
  // Firefox names the SSRCs of its rids in the same order.
  const auto& named = negotiated_.remote_ssrcs;
  const auto it = std::find_if(named.begin(), named.end(), [ssrc](const auto& n) { return n.ssrc == ssrc; });
  return it == named.end() ? uint8_t{0} : clamped(it - named.begin());
}

bool MediaLine::is_named(uint32_t ssrc) const {
  return std::any_of(negotiated_.remote_ssrcs.begin(), negotiated_.remote_ssrcs.end(),
                     [&](const auto& named) { return named.ssrc == ssrc; });
}

bool MediaLine::evict_silent(Instant now) {
  auto oldest = receive_streams_.end();
  for (auto at = receive_streams_.begin(); at != receive_streams_.end(); ++at) {
    const auto arrival = (*at)->last_arrival();
    if (is_named((*at)->config().ssrc) || !arrival) continue;
    if (!(*at)->has_ended() && now - *arrival < kSilentStream) continue;
    if (oldest == receive_streams_.end() || *arrival < *(*oldest)->last_arrival()) oldest = at;
  }
  if (oldest == receive_streams_.end()) return false;
  receive_streams_.erase(oldest);
  ++removals_;
  ++evictions_;
  return true;
}

bool MediaLine::has_nack() const {
  return std::any_of(negotiated_.codecs.begin(), negotiated_.codecs.end(),
                     [](const auto& codec) { return codec.nack; });
}

stream::ReceiveStream* MediaLine::insert(uint32_t ssrc, std::optional<uint32_t> rtx_ssrc) {
  if (receive_streams_.size() >= kMaxReceiveStreams) return nullptr;
  stream::ReceiveConfig config;
  config.ssrc = ssrc;
  config.rtx_ssrc = rtx_ssrc;
  config.clock_rate = clock_rate();
  config.nack_enabled = has_nack();
  receive_streams_.push_back(std::make_unique<stream::ReceiveStream>(config));
  return receive_streams_.back().get();
}

}  // namespace atm::peer

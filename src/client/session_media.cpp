// Session: what comes from the connection, and what media may take of it.
#include <algorithm>

#include "client/session.h"
#include "contract/json/rpc.h"

namespace atm::client {

void Session::take_peer_output(Now now, Output& out) {
  for (const peer::ReceivedPacket& packet : packets_) on_packet(now, packet);
  packets_.clear();
  for (size_t i = 0; i < peer_events_.size(); ++i) {
    const peer::Event event = std::move(peer_events_[i]);
    on_peer_event(now, event, out);
    if (!peer_ || peer_events_.empty()) break;  // it was the last word of this connection
  }
  peer_events_.clear();
  route(now, out);
}

void Session::on_packet(Now now, const peer::ReceivedPacket& packet) {
  const Lines::Line* line = lines_.at(packet.media);
  if (line == nullptr || line->use != Lines::Use::kReceiver) return;
  receivers_[line->index].viewer->on_packet(now, peer_->media(packet.media), packet);
}

void Session::on_peer_event(Now now, const peer::Event& event, Output& out) {
  if (const auto* opened = std::get_if<peer::ChannelOpened>(&event)) return on_opened(now, opened->channel, out);
  if (const auto* failed = std::get_if<peer::Failed>(&event)) {
    return on_lost(now, {ErrorCode::kNetworkError, failed->why}, out);
  }
  if (std::holds_alternative<peer::RemoteClosed>(event) || std::holds_alternative<peer::ChannelClosed>(event)) {
    return on_lost(now, {ErrorCode::kClosed, "the server closed the connection"}, out);
  }
  if (const auto* message = std::get_if<peer::ChannelMessage>(&event)) {
    auto parsed = json::parse_server_message(message->bytes, message->is_text);
    if (!parsed) return;
    if (auto* answer = std::get_if<contract::RpcAnswer>(&*parsed)) {
      if (auto done = rpc_.on_answer(std::move(*answer))) on_rpc_done(now, std::move(*done), out);
      return;
    }
    return on_server_event(now, std::move(std::get<contract::Event>(*parsed)), out);
  }
  if (const auto* wanted = std::get_if<peer::KeyFrameWanted>(&event)) {
    const Lines::Line* line = lines_.at(wanted->media);
    if (line == nullptr || line->use != Lines::Use::kSender) return;
    out.events.emplace_back(KeyFrameWanted{line->index, wanted->layer});
  } else if (const auto* lost = std::get_if<peer::PictureLost>(&event)) {
    const Lines::Line* line = lines_.at(lost->media);
    if (line != nullptr && line->use == Lines::Use::kReceiver) request_key_frame(now, line->index, out);
  }
}

void Session::request_key_frame(Now now, size_t index, Output& out) {
  Receiver& receiver = receivers_[index];
  const auto media = lines_.of_receiver(index);
  if (!peer_ || !media || *media >= peer_->media_count() || !peer_->is_connected()) return;
  if (receiver.key_frame_asked_at != Instant{} && now.mono - receiver.key_frame_asked_at < kKeyFrameInterval) return;
  receiver.key_frame_asked_at = now.mono;
  peer_->request_key_frame(now, *media, peer_batch(out));
  route(now, out);
}

void Session::ask_for_key_frames(Now now, Output& out) {
  for (size_t i = 0; i < receivers_.size(); ++i) {
    if (receivers_[i].viewer->wants_key_frame()) request_key_frame(now, i, out);
  }
}

Result<void> Session::send_frame(Now now, size_t index, const OutgoingFrame& frame, Output& out) {
  const auto media = lines_.of_sender(index);
  if (!peer_ || !media || senders_[index].is_stopped) return {};
  auto sent = senders_[index].publisher.send(now, *peer_, *media, frame, peer_batch(out));
  route(now, out);
  return sent;
}

// --- rates ------------------------------------------------------------------------------------------------------

namespace {

constexpr uint64_t kAnyVideoBps = 2'500'000;  // of a sender without a maximum
constexpr uint64_t kAudioBps = 40'000;        // Opus of speech with its headers
constexpr uint64_t kLeastVideoBps = 30'000;   // an encoder makes no picture of less
constexpr uint64_t kWorthTellingPercent = 5;  // changes under it are not told
// Of the full rate, a layer's best: a quarter of the pixels of the one above needs less than a third of its bits.
constexpr uint64_t kLayerPercent[kMaxSimulcastLayers] = {7, 22, 71};
constexpr uint64_t kLeastLayerPercent = 30;  // of its best, for a layer that is worth being sent, as in libwebrtc

uint64_t best_bps(const SenderConfig& config) {
  return config.max_bitrate_bps != 0 ? config.max_bitrate_bps : kAnyVideoBps;
}

bool is_worth_telling(const std::vector<uint64_t>& before, const std::vector<uint64_t>& after) {
  if (before.size() != after.size()) return true;
  for (size_t i = 0; i < after.size(); ++i) {
    const uint64_t most = std::max(before[i], after[i]), least = std::min(before[i], after[i]);
    if ((most - least) * 100 > most * kWorthTellingPercent) return true;
  }
  return false;
}

}  // namespace

uint64_t Session::wanted_bps(const Sender& sender) const {
  const SenderConfig& config = sender.publisher.config();
  if (config.kind != MediaKind::kVideo || sender.is_stopped || !config.has_track) return 0;
  uint64_t bps = best_bps(config);
  if (sender.limit && sender.limit->max_bitrate_bps != 0) bps = std::min(bps, sender.limit->max_bitrate_bps);
  return bps;
}

std::vector<uint64_t> Session::split_layers(const Sender& sender, uint64_t bps) const {
  if (!sender.publisher.config().simulcast) return {std::max(bps, kLeastVideoBps)};
  // The lowest goes on whoever views (docs/session-protocol.md): who comes next has a picture at once.
  const auto is_wanted = [&](uint8_t layer) {
    if (!sender.limit || layer == 0) return true;
    const auto& layers = sender.limit->layers;
    return std::find(layers.begin(), layers.end(), layer) != layers.end();
  };
  const uint64_t full = std::max(best_bps(sender.publisher.config()), kLeastVideoBps);
  std::vector<uint64_t> out(kMaxSimulcastLayers, 0);
  uint64_t left = bps;
  for (uint8_t layer = 0; layer < kMaxSimulcastLayers; ++layer) {
    const uint64_t best = full * kLayerPercent[layer] / 100;
    if (!is_wanted(layer)) continue;
    if (layer > 0 && left < best * kLeastLayerPercent / 100) break;
    out[layer] = std::max(std::min(left, best), layer == 0 ? kLeastVideoBps : 0);
    left -= std::min(left, best);
  }
  return out;
}

// Video shares what the way carries beside the audio, each up to what it wants, in proportion to that.
void Session::share_rate(Output& out) {
  if (!peer_ || !peer_->is_connected()) return;
  uint64_t wanted = 0, audio = 0;
  for (const Sender& sender : senders_) {
    wanted += wanted_bps(sender);
    if (sender.publisher.config().kind == MediaKind::kAudio && !sender.is_stopped) audio += kAudioBps;
  }
  peer_->set_send_demand(std::max<uint64_t>(wanted + audio, kAudioBps));
  if (wanted == 0) return;
  uint64_t room = wanted;
  if (const auto target = peer_->target_bps()) room = std::min(room, *target > audio ? *target - audio : 0);
  if (const auto remb = peer_->remb_bps()) room = std::min(room, *remb);
  for (size_t i = 0; i < senders_.size(); ++i) {
    Sender& sender = senders_[i];
    const uint64_t own = wanted_bps(sender);
    if (own == 0) continue;
    std::vector<uint64_t> bps = split_layers(sender, room * own / wanted);
    if (!is_worth_telling(sender.told_bps, bps)) continue;
    sender.told_bps = bps;
    out.events.emplace_back(TargetChanged{i, std::move(bps)});
  }
}

// --- lip sync ---------------------------------------------------------------------------------------------------

// The receiver shows another stream, or none: what is known of the clocks was of the old one.
void Session::sync_receiver(Now now, size_t index) {
  Receiver& receiver = receivers_[index];
  receiver.reported_at = now.mono;
  const auto id = static_cast<uint32_t>(index);
  if (!receiver.remote || !peer_) return lip_sync_.remove_stream(id);
  const uint32_t clock_rate = receiver.viewer->kind() == MediaKind::kAudio ? 48'000 : 90'000;
  lip_sync_.set_stream(id, clock_rate, receiver.remote->peer);
}

void Session::tell_sender_report(size_t index) {
  Receiver& receiver = receivers_[index];
  const auto media = lines_.of_receiver(index);
  if (!peer_ || !media || *media >= peer_->media_count()) return;
  for (const auto& stream : peer_->media(*media).receive_streams()) {
    const auto& clock = stream->sender_clock();
    if (!clock || clock->arrived <= receiver.reported_at) continue;
    receiver.reported_at = clock->arrived;
    lip_sync_.on_sender_report(static_cast<uint32_t>(index), {clock->report.ntp, clock->report.rtp_timestamp});
  }
}

void Session::step_lip_sync(Now now) {
  if (lip_sync_.next_timeout() > now.mono) return;
  for (size_t i = 0; i < receivers_.size(); ++i) {
    tell_sender_report(i);
    lip_sync_.set_play_point(static_cast<uint32_t>(i), receivers_[i].viewer->play_point());
  }
  lip_sync_.on_timeout(now.mono);
  for (size_t i = 0; i < receivers_.size(); ++i) {
    receivers_[i].viewer->set_sync_delay(lip_sync_.delay(static_cast<uint32_t>(i)));
  }
}

}  // namespace atm::client

#include "client/lines.h"

namespace atm::client {

using negotiation::Direction;

namespace {

// Quarter, half and full size, as libwebrtc names its layers.
constexpr const char* kRids[kMaxSimulcastLayers] = {"q", "h", "f"};

}  // namespace

void Lines::add_sender(size_t index, const SenderConfig& config, const std::string& track_id, Rng& rng) {
  Line line{Use::kSender, index, {}};
  line.media.kind = config.kind;
  line.media.direction = Direction::kSendOnly;
  line.media.mid = std::to_string(lines_.size());
  line.media.stream_id = config.name;
  line.media.track_id = track_id;
  line.media.codecs = config.preferred_codecs;
  if (config.simulcast && config.kind == MediaKind::kVideo) {
    for (const char* rid : kRids) line.media.layers.push_back({rid});
  }
  choose_ssrcs(line.media, rng);
  lines_.push_back(std::move(line));
}

void Lines::add_receiver(size_t index, MediaKind kind, const std::vector<Codec>& codecs) {
  Line line{Use::kReceiver, index, {}};
  line.media.kind = kind;
  line.media.direction = Direction::kRecvOnly;
  line.media.mid = std::to_string(lines_.size());
  line.media.codecs = codecs;
  lines_.push_back(std::move(line));
}

void Lines::stop_sender(size_t index) {
  for (Line& line : lines_) {
    if (line.use == Use::kSender && line.index == index) line.media.direction = Direction::kInactive;
  }
}

void Lines::renew(Rng& rng) {
  for (Line& line : lines_) {
    if (line.use == Use::kSender) choose_ssrcs(line.media, rng);
  }
}

std::vector<negotiation::OfferMedia> Lines::offer() const {
  std::vector<negotiation::OfferMedia> out;
  for (const Line& line : lines_) out.push_back(line.media);
  return out;
}

std::optional<size_t> Lines::find(Use use, size_t index) const {
  for (size_t i = 0; i < lines_.size(); ++i) {
    if (lines_[i].use == use && lines_[i].index == index) return i + kFirst;
  }
  return std::nullopt;
}

void Lines::choose_ssrcs(negotiation::OfferMedia& media, Rng& rng) {
  // RFC 3550 8.1: random; 0 means "none" here. Two alike of a session's few: one in 2^32 / n^2.
  const auto make = [&rng] {
    uint32_t ssrc = 0;
    while (ssrc == 0) ssrc = rng.u32();
    return ssrc;
  };
  media.ssrc = make();
  if (media.kind == MediaKind::kVideo) media.rtx_ssrc = make();
  for (negotiation::LocalLayer& layer : media.layers) {
    layer.ssrc = make();
    layer.rtx_ssrc = make();
  }
}

}  // namespace atm::client

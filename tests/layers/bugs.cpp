#include "bugs.h"

#include <algorithm>
#include <functional>

#include "base/sequence.h"
#include "wire/payload/h264.h"
#include "wire/payload/key_frame.h"
#include "wire/payload/vp8.h"
#include "wire/payload/vp9.h"

namespace atm::layers {
namespace {

using Packets = std::vector<ViewedPacket>;

constexpr uint32_t kTick = 90'000 / 15;

// The packets of one picture.
struct Range {
  size_t begin = 0, end = 0;
  bool is_key = false;
  size_t missing = 0;  // pictures that were left out before it
};

std::vector<Range> pictures_of(const Packets& packets, Codec codec) {
  std::vector<Range> out;
  for (size_t i = 0; i < packets.size(); ++i) {
    if (i == 0 || packets[i].timestamp != packets[i - 1].timestamp) {
      const uint32_t step = i == 0 ? kTick : packets[i].timestamp - packets[i - 1].timestamp;
      out.push_back({i, i, false, (step + kTick / 2) / kTick - (step < kTick / 2 ? 0u : 1u)});
    }
    out.back().end = i + 1;
    out.back().is_key |= payload::is_key_frame_start(codec, packets[i].payload);
  }
  return out;
}

// The picture's height tells the simulcast layer. 0: it is no key frame.
uint32_t height_of(const Packets& packets, const Range& picture, Codec codec) {
  if (!picture.is_key) return 0;
  const Bytes& first = packets[picture.begin].payload;
  if (codec == Codec::kH264) return payload::parse_h264_sps(payload::parse_h264(first)->sps)->height;
  const size_t at = payload::parse_vp8(first)->size;  // RFC 6386 9.1: tag, start code, width, height
  return (first[at + 8] | first[at + 9] << 8) & 0x3FFF;
}

// Pictures with which the viewer went to another simulcast layer.
std::vector<Range> switches_of(const Packets& packets, Codec codec) {
  std::vector<Range> out;
  uint32_t height = 0;
  for (const Range& picture : pictures_of(packets, codec)) {
    const uint32_t now = height_of(packets, picture, codec);
    if (now == 0) continue;
    if (height != 0 && now != height) out.push_back(picture);
    height = now;
  }
  return out;
}

// Without these packets; the numbers behind them close up.
void leave_out(Packets& packets, const std::function<bool(size_t)>& is_left_out) {
  Packets kept;
  int64_t left_out = 0;
  for (size_t i = 0; i < packets.size(); ++i) {
    if (is_left_out(i)) {
      ++left_out;
      continue;
    }
    kept.push_back(std::move(packets[i]));
    kept.back().sequence -= left_out;
  }
  packets = std::move(kept);
}

void add_to_vp8_ids(ViewedPacket& packet, int picture_id, int tl0) {
  const auto descriptor = payload::parse_vp8(packet.payload);
  uint8_t* id = packet.payload.data() + descriptor->picture_id_at;
  store_u16(id, static_cast<uint16_t>(0x8000 | ((*descriptor->picture_id + picture_id) & 0x7FFF)));
  uint8_t& index = packet.payload[descriptor->tl0_picture_index_at];
  index = static_cast<uint8_t>(index + tl0);
}

// Whole pictures of VP8, and their ids close up as well.
void leave_out_vp8(Packets& packets, const std::vector<Range>& pictures) {
  std::vector<bool> is_out(packets.size());
  for (const Range& picture : pictures)
    std::fill_n(is_out.begin() + static_cast<ptrdiff_t>(picture.begin), picture.end - picture.begin, true);
  int ids = 0, tl0 = 0;
  for (size_t i = 0; i < packets.size(); ++i) {
    const bool begins = i == 0 || packets[i].timestamp != packets[i - 1].timestamp;
    if (is_out[i] && begins) {
      ++ids;
      tl0 += payload::parse_vp8(packets[i].payload)->temporal_layer == 0;
    }
    if (!is_out[i]) add_to_vp8_ids(packets[i], -ids, -tl0);
  }
  leave_out(packets, [&](size_t i) { return is_out[i]; });
}

// The first packet after a switch is not of a key frame.
size_t wrong_key_frame(Packets& packets, const Scene&) {
  const auto switches = switches_of(packets, Codec::kVp8);
  leave_out_vp8(packets, switches);
  return switches.size();
}

size_t picture_id_gap(Packets& packets, const Scene&) {
  int missing = 0;
  for (const Range& picture : pictures_of(packets, Codec::kVp8)) {
    missing += static_cast<int>(picture.missing);
    for (size_t i = picture.begin; i < picture.end; ++i) add_to_vp8_ids(packets[i], missing, 0);
  }
  return static_cast<size_t>(missing);
}

// The source's own: behind its highest layer.
size_t wrong_marker(Packets& packets, const Scene&) {
  size_t done = 0;
  for (ViewedPacket& packet : packets) {
    if (!packet.marker || payload::parse_vp9(packet.payload)->spatial_layer == 2) continue;
    packet.marker = false;
    ++done;
  }
  return done;
}

size_t tl0_not_continued(Packets& packets, const Scene&) {
  const auto switches = switches_of(packets, Codec::kVp8);
  for (const Range& from : switches) {
    for (size_t i = from.begin; i < packets.size(); ++i) add_to_vp8_ids(packets[i], 0, 5);
  }
  return switches.size();
}

size_t sequence_gap(Packets& packets, const Scene&) {
  size_t missing = 0;
  for (const Range& picture : pictures_of(packets, Codec::kVp9)) {
    missing += picture.missing;
    for (size_t i = picture.begin; i < picture.end; ++i) packets[i].sequence += static_cast<int64_t>(missing);
  }
  return missing;
}

// As if the viewer had had the lowest layer alone before the middle of each pattern.
size_t temporal_up_anywhere(Packets& packets, const Scene&) {
  std::vector<Range> out;
  size_t place = 0;
  for (const Range& picture : pictures_of(packets, Codec::kVp8)) {
    place = picture.is_key ? 0 : place + 1;
    if (place % 8 >= 1 && place % 8 <= 3) out.push_back(picture);
  }
  leave_out_vp8(packets, out);
  return out.size();
}

void leave_out_layer(Packets& packets, uint8_t spatial, const std::function<bool(size_t place)>& is_meant) {
  std::vector<bool> is_out(packets.size());
  size_t place = 0;
  for (const Range& picture : pictures_of(packets, Codec::kVp9)) {
    place = picture.is_key ? 0 : place + 1;
    if (!is_meant(place)) continue;
    size_t last = picture.begin;
    for (size_t i = picture.begin; i < picture.end; ++i) {
      is_out[i] = payload::parse_vp9(packets[i].payload)->spatial_layer == spatial;
      if (!is_out[i]) last = i;
    }
    packets[last].marker = true;
  }
  leave_out(packets, [&](size_t i) { return is_out[i]; });
}

// As if it had had less in the first five pictures of each group.
size_t spatial_up_without_key_frame(Packets& packets, const Scene&) {
  const size_t before = packets.size();
  leave_out_layer(packets, 2, [](size_t place) { return place < 5; });
  return before - packets.size();
}

size_t layer_between_left_out(Packets& packets, const Scene&) {
  const size_t before = packets.size();
  leave_out_layer(packets, 1, [](size_t place) { return place % 16 == 11; });
  return before - packets.size();
}

// At the ninth picture down to the lowest layer, which had not been forwarded since the key frame.
size_t key_svc_taken_for_full(Packets& packets, const Scene& scene) {
  const Packets& lower = scene.views[1].video->packets;
  const auto id_of = [](const ViewedPacket& packet) { return *payload::parse_vp9(packet.payload)->picture_id; };
  const auto id = static_cast<uint16_t>((id_of(packets[0]) + 8) & 0x7FFF);
  const auto find = [&](const Packets& in) {
    return std::find_if(in.begin(), in.end(), [&](const ViewedPacket& packet) { return id_of(packet) == id; });
  };
  const auto from = find(lower);
  const auto to = find(packets);
  if (from == lower.end() || to == packets.end()) return 0;
  Packets made(packets.cbegin(), Packets::const_iterator(to));
  const int64_t by = made.back().sequence + 1 - from->sequence;
  const uint32_t timestamps = to->timestamp - from->timestamp;
  for (auto it = from; it != lower.end(); ++it) {
    made.push_back(*it);
    made.back().sequence += by;
    made.back().timestamp += timestamps;
  }
  packets = std::move(made);
  return 1;
}

size_t frame_without_its_end(Packets& packets, const Scene&) {
  std::vector<bool> is_out(packets.size());
  size_t place = 0, done = 0;
  for (const Range& picture : pictures_of(packets, Codec::kVp8)) {
    if (++place % 10 != 0 || picture.end - picture.begin < 2) continue;
    is_out[picture.end - 1] = packets[picture.end - 2].marker = true;
    ++done;
  }
  leave_out(packets, [&](size_t i) { return is_out[i]; });
  return done;
}

size_t picture_twice(Packets& packets, const Scene&) {
  Packets made;
  size_t place = 0, done = 0;
  int64_t added = 0;
  for (const Range& picture : pictures_of(packets, Codec::kH264)) {
    const bool is_meant = ++place % 20 == 0;
    for (int turn = 0; turn < (is_meant ? 2 : 1); ++turn) {
      if (turn == 1) added += static_cast<int64_t>(picture.end - picture.begin), ++done;
      for (size_t i = picture.begin; i < picture.end; ++i) {
        made.push_back(packets[i]);
        made.back().sequence += added;
        made.back().timestamp += turn == 1 ? 900u : 0u;
      }
    }
  }
  packets = std::move(made);
  return done;
}

// Of the layer that is gone to, as it is: here behind.
size_t timestamps_of_another_layer(Packets& packets, const Scene&) {
  const auto switches = switches_of(packets, Codec::kVp8);
  for (const Range& from : switches) {
    for (size_t i = from.begin; i < packets.size(); ++i) packets[i].timestamp -= 90'000;
  }
  return switches.size();
}

// Those of the layer before go out once more.
size_t stale_parameter_sets(Packets& packets, const Scene&) {
  size_t done = 0;
  Bytes before;
  uint32_t height = 0;
  for (const Range& picture : pictures_of(packets, Codec::kH264)) {
    const uint32_t now = height_of(packets, picture, Codec::kH264);
    if (now == 0) continue;
    Bytes own = packets[picture.begin].payload;
    if (height != 0 && now != height) {
      packets[picture.begin].payload = before;
      ++done;
    }
    height = now;
    before = std::move(own);
  }
  return done;
}

// A packet overtakes the one before it in the server, and their numbers with them.
size_t pictures_out_of_order(Packets& packets, const Scene&) {
  const auto pictures = pictures_of(packets, Codec::kVp9);
  size_t done = 0;
  Packets made;
  const auto append = [&](const Range& picture) {
    for (size_t i = picture.begin; i < picture.end; ++i) {
      made.push_back(packets[i]);
      made.back().sequence = packets[0].sequence + static_cast<int64_t>(made.size()) - 1;
    }
  };
  for (size_t i = 0; i < pictures.size(); ++i) {
    const bool swaps = i % 25 == 20 && i + 1 < pictures.size() && !pictures[i].is_key && !pictures[i + 1].is_key;
    if (swaps) append(pictures[++i]);
    append(pictures[swaps ? i - 1 : i]);
    done += swaps;
  }
  packets = std::move(made);
  return done;
}

// A viewer begins in the middle of the first packets of a key frame.
size_t sequence_header_left_out(Packets& packets, const Scene&) {
  std::vector<bool> is_out(packets.size());
  size_t done = 0;
  for (const Range& picture : pictures_of(packets, Codec::kAv1)) {
    if (!picture.is_key) continue;
    is_out[picture.begin] = true;
    ++done;
  }
  leave_out(packets, [&](size_t i) { return is_out[i]; });
  return done;
}

}  // namespace

const std::vector<Bug>& bugs() {
  static const std::vector<Bug> kBugs{
      {"WrongKeyFrame", "VP8 simulcast", 1, wrong_key_frame},
      {"PictureIdGap", "VP8 L1T3", 1, picture_id_gap},
      {"WrongLayerMarker", "VP9 L3T3", 1, wrong_marker},
      {"Tl0NotContinued", "VP8 simulcast", 1, tl0_not_continued},
      {"SequenceGapLeft", "VP9 L1T3", 1, sequence_gap},
      {"TemporalUpAnywhere", "VP8 L1T3", 0, temporal_up_anywhere},
      {"SpatialUpWithoutKeyFrame", "VP9 L3T3 flexible", 0, spatial_up_without_key_frame},
      {"LayerBetweenLeftOut", "VP9 L3T3", 0, layer_between_left_out},
      {"KeySvcTakenForFullSvc", "VP9 L3T3_KEY", 0, key_svc_taken_for_full},
      {"FrameWithoutItsEnd", "VP8 L1T1", 0, frame_without_its_end},
      {"PictureTwice", "H264 L1T1", 0, picture_twice},
      {"TimestampsOfAnotherLayer", "VP8 simulcast", 1, timestamps_of_another_layer},
      {"StaleParameterSets", "H264 simulcast", 1, stale_parameter_sets},
      {"PicturesOutOfOrder", "VP9 L1T1", 0, pictures_out_of_order},
      {"SequenceHeaderLeftOut", "AV1 L1T1", 0, sequence_header_left_out},
  };
  return kBugs;
}

}  // namespace atm::layers

#include "judge.h"

#include <algorithm>
#include <cstdlib>

#include "decoder.h"

namespace atm::layers {
namespace {

constexpr int64_t kTicksOfTimestamp = 90'000 / 15;
// A new wish is followed within so many ticks: a key frame asked for at most twice a second, and sent at the next tick.
constexpr size_t kPatience = 15;
// At the end of a wish its pictures are looked at: a pattern of temporal layers.
constexpr size_t kPattern = 8;
// So much of each kind of error is told.
constexpr size_t kTold = 3;

void tell(Verdict& out, const std::string& what, size_t count) {
  if (count > 0) out.errors.push_back(what + " (" + std::to_string(count) + ")");
}

}  // namespace

std::string Verdict::text() const {
  std::string out;
  for (const std::string& error : errors) out += "\n  " + error;
  return out;
}

Verdict Judge::judge(const std::string& name, const FrameReceiver& receiver, const std::vector<Wish>& wishes) const {
  Verdict out;
  out.written = receiver.pictures().size();
  out.faults = receiver.faults().size();
  if (!has_loss) {
    for (size_t i = 0; i < std::min(out.faults, kTold); ++i) out.errors.push_back("fault: " + receiver.faults()[i]);
    tell(out, "packets that never came, without any loss", receiver.losses());
  }
  const std::vector<Place> places = find_places(receiver.pictures(), out);
  check_times(receiver.pictures(), places, out);
  decode_all(name, receiver.pictures(), places, out);
  count_missed(places, wishes, out);
  check_wishes(places, wishes, out);
  if (out.written == 0) out.errors.emplace_back("not one picture");
  if (!has_loss) {
    tell(out, "pictures missed, without any loss", out.missed);
    tell(out, "wishes not reached", out.wishes - out.reached);
  }
  return out;
}

Judge::Content Judge::content_of_source() const {
  Content out;
  for (size_t track = 0; track < source.clips().size(); ++track) {
    const Clip& from = *source.clips()[track];
    for (size_t i = 0; i < from.pictures(); ++i) {
      if (!has_layers()) {
        std::vector<const ClipFrame*> all;
        for (const ClipFrame& frame : from.picture(i)) all.push_back(&frame);
        out.emplace(picture_bytes(from.codec, all), Place{track, i, all.back()->spatial, 0, true});
        continue;
      }
      for (uint8_t s = 0; s < from.spatial_layers; ++s) {
        out.emplace(picture_bytes(from.codec, from.needed(i, s)), Place{track, i, s, 0, true});
      }
    }
  }
  return out;
}

// The last time that it was sent before it came: it is not sent again before all that is repaired has come.
bool Judge::find_tick(const Picture& picture, Place& place) const {
  for (size_t tick = source.sent().size(); tick-- > 0;) {
    if (source.sent()[tick].at > picture.at || source.sent()[tick].pictures[place.track] != place.picture) continue;
    place.tick = tick;
    return true;
  }
  return false;
}

std::vector<Judge::Place> Judge::find_places(const std::vector<Picture>& pictures, Verdict& out) const {
  const Content content = content_of_source();
  std::vector<Place> places;
  size_t unknown = 0, disordered = 0;
  std::optional<Place> last;
  // A switch to a higher simulcast layer may come when the lower one of that instant has gone out already; and with a
  // key frame that was repaired, when later ones have.
  const auto goes_on = [this, &last](const Place& p) {
    if (!last || p.tick > last->tick) return true;
    return p.track != last->track && (has_loss ? p.tick + kPatience > last->tick : p.tick == last->tick);
  };
  for (const Picture& picture : pictures) {
    Place& place = places.emplace_back();
    // Two pictures may have the same bytes: the one that goes on from the last.
    const auto [begin, end] = content.equal_range(picture.bytes);
    for (auto it = begin; it != end; ++it) {
      Place candidate = it->second;
      if (!find_tick(picture, candidate)) continue;
      const bool is_better = goes_on(candidate) && (!goes_on(place) || candidate.tick < place.tick);
      if (!place.is_known || is_better) place = candidate;
    }
    unknown += !place.is_known;
    if (!place.is_known) continue;
    disordered += !goes_on(place);
    last = place;
  }
  tell(out, "pictures of bytes that the source has not sent so", unknown);
  tell(out, "pictures twice or out of order", disordered);
  return places;
}

// Inside a track exactly those of the source; over a switch of tracks as the time that has passed.
void Judge::check_times(const std::vector<Picture>& pictures, const std::vector<Place>& places, Verdict& out) const {
  size_t wrong = 0;
  const Place* before = nullptr;
  uint32_t timestamp_before = 0;
  for (size_t i = 0; i < places.size(); ++i) {
    if (!places[i].is_known) continue;
    if (before != nullptr) {
      const int64_t step = static_cast<int32_t>(pictures[i].timestamp - timestamp_before);
      const int64_t off = step - static_cast<int64_t>(places[i].tick - before->tick) * kTicksOfTimestamp;
      const bool is_switch = places[i].track != before->track;
      const int64_t allowed = !is_switch ? 0 : has_loss ? 90'000 : kTicksOfTimestamp / 2;
      wrong += std::abs(off) > allowed;
      out.switches += layer_of(places[i]) != layer_of(*before);
    }
    before = &places[i];
    timestamp_before = pictures[i].timestamp;
  }
  tell(out, "timestamps that are not those of the source", wrong);
}

void Judge::decode_all(const std::string& name, const std::vector<Picture>& pictures, const std::vector<Place>& places,
                       Verdict& out) const {
  if (pictures.empty()) return;
  std::vector<ByteView> bytes;
  for (const Picture& picture : pictures) bytes.emplace_back(picture.bytes);
  const Decoding decoding = decode(name, source.clips()[0]->codec, bytes);
  out.decoded = decoding.pictures.size();
  if (!decoding.errors.empty()) out.errors.push_back("ffmpeg: " + decoding.errors.substr(0, 200));
  if (out.decoded != pictures.size()) {
    out.errors.push_back("ffmpeg decodes " + std::to_string(out.decoded) + " of " + std::to_string(pictures.size()));
    return;
  }
  size_t wrong = 0;
  for (size_t i = 0; i < places.size(); ++i) {
    if (!places[i].is_known) continue;
    wrong += decoding.pictures[i] != expected_pictures(clip(places[i]), places[i].spatial)[places[i].picture];
  }
  tell(out, "pictures that are not those of the source", wrong);
}

// Pictures between two that came which are of a temporal layer that was wished for all the time.
void Judge::count_missed(const std::vector<Place>& places, const std::vector<Wish>& wishes, Verdict& out) const {
  out.expected = out.written;
  const auto was_wished = [&](size_t tick, uint8_t temporal) {
    for (size_t i = 0; i < wishes.size(); ++i) {
      const bool is_over = i + 1 < wishes.size() && wishes[i + 1].tick + kPatience < tick;
      if (!is_over && wishes[i].tick <= tick + 1 && temporal > wishes[i].temporal) return false;
    }
    return true;
  };
  const auto count = [&](const Place& from, size_t end) {
    for (size_t tick = from.tick + 1; tick < end; ++tick) {
      Place missed = from;
      missed.picture = source.sent()[tick].pictures[from.track];
      out.missed += was_wished(tick, temporal_of(missed));
    }
  };
  const Place* before = nullptr;
  for (const Place& place : places) {
    if (!place.is_known) continue;
    if (before != nullptr) count(*before, place.tick);
    before = &place;
  }
  // What is under way at the end is not missed.
  if (before != nullptr && source.sent().size() > kPattern) count(*before, source.sent().size() - kPattern);
  out.expected += out.missed;
}

void Judge::check_wishes(const std::vector<Place>& places, const std::vector<Wish>& wishes, Verdict& out) const {
  for (size_t i = 0; i < wishes.size(); ++i) {
    const size_t end = i + 1 < wishes.size() ? wishes[i + 1].tick : source.sent().size() - kPattern;
    if (end < wishes[i].tick + kPatience + kPattern) continue;  // too short to tell
    ++out.wishes;
    out.reached += is_reached(wishes[i], end, places);
  }
}

bool Judge::is_reached(const Wish& wish, size_t end, const std::vector<Place>& places) const {
  const Clip& first = *source.clips()[0];
  const size_t top = has_simulcast() ? source.clips().size() - 1 : first.spatial_layers - 1u;
  const size_t spatial = has_layers() || has_simulcast() ? std::min<size_t>(wish.spatial, top) : top;
  const auto temporal = static_cast<uint8_t>(has_layers() ? std::min<int>(wish.temporal, first.temporal_layers - 1)
                                                          : first.temporal_layers - 1);
  uint8_t highest = 0;
  bool is_any = false;
  for (const Place& place : places) {
    if (!place.is_known || place.tick + kPattern < end || place.tick >= end) continue;
    if (layer_of(place) != spatial || temporal_of(place) > temporal) return false;
    highest = std::max(highest, temporal_of(place));
    is_any = true;
  }
  return is_any && highest == temporal;
}

}  // namespace atm::layers

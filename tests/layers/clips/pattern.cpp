// What refers to what in a clip, and where it is kept until then.
#include <array>

#include "encode.h"

namespace clips {

// The pattern. Positions are places in the group; of each picture the temporal layer and the pictures that it refers
// to. With three layers: 1 and 2 are synchronised with the base layer, 5 to 7 go on from what was before.
Frame plan(const Mode& mode, int picture) {
  Frame out;
  out.picture = picture;
  const int place = picture % kGroup;
  out.is_key = place == 0;
  if (mode.temporal == 1) {
    out.back = {1};
  } else if (mode.temporal == 2) {
    static const std::array<std::vector<int>, 4> kBack{{{2}, {1}, {2}, {1, 2}}};
    out.temporal = place % 2;
    out.back = kBack[static_cast<size_t>(place % 4)];
    out.is_switch = place % 4 == 1;
  } else {
    static const std::array<std::vector<int>, 8> kBack{{{4}, {1}, {2}, {1}, {4}, {1, 2}, {2, 4}, {1, 2}}};
    static const std::array<int, 8> kLayer{0, 2, 1, 2, 0, 2, 1, 2};
    const auto at = static_cast<size_t>(place % 8);
    out.temporal = kLayer[at];
    out.back = kBack[at];
    // VP8's Y: the frame refers to the base layer alone. The others' switching point: what follows it does not refer
    // to higher layers of before. 4 and 6 are none, for what follows goes on from 2, 3 and 5.
    out.is_switch = mode.codec == "vp8" ? at == 1 || at == 2 : at <= 3 || at == 7;
  }
  if (out.is_key) out.back.clear(), out.is_switch = mode.codec != "vp8";
  return out;
}

// Where the pictures of the pattern are kept: the base layer in 0, the others by their place of eight.
int slot_of(const Mode& mode, int picture) {
  const Frame frame = plan(mode, picture);
  return frame.temporal == 0 ? 0 : frame.temporal + 1 == mode.temporal ? 2 : 1;
}

// With spatial layers a frame refers to no more than the newest of its pictures; they all stand on the older ones.
Frame plan_layer(const Mode& mode, int picture, int spatial) {
  Frame frame = plan(mode, picture);
  frame.spatial = spatial;
  frame.uses_below = spatial > 0 && (frame.is_key || !mode.is_key_svc);
  frame.is_for_above = spatial + 1 < mode.spatial && (frame.is_key || !mode.is_key_svc);
  if (mode.spatial > 1 && frame.back.size() > 1) {
    frame.back = picture % 8 == 6 ? std::vector<int>{4} : std::vector<int>{1};
  }
  return frame;
}

// Eight slots: two for each spatial layer, for its base layer and the one above; the last two hold what only the next
// higher spatial layer of the same picture refers to.
int svc_slot(const Mode& mode, int picture, int spatial) {
  const int slot = slot_of(mode, picture);
  if (mode.spatial == 1) return slot;
  return slot < 2 ? spatial * 2 + slot : 6 + spatial % 2;
}
// The highest spatial layer of the highest temporal layer is kept for nobody: it would be too large for the slot's
// other user to name.
bool is_kept(const Mode& mode, int picture, int spatial) {
  return mode.spatial == 1 || slot_of(mode, picture) < 2 || spatial + 1 < mode.spatial;
}

int base_slot(const Mode& mode, int spatial) {
  return mode.spatial == 1 ? 0 : spatial * 2;
}

unsigned layer_kbps(const Mode& mode, unsigned kbps, int spatial, int temporal) {
  static const unsigned kShare[] = {1, 3, 9};  // of the spatial layers
  unsigned shares = 0;
  for (int s = 0; s < mode.spatial; ++s) shares += kShare[s];
  const unsigned rate = kbps * kShare[spatial] / shares;
  return rate * static_cast<unsigned>(temporal + 2) / static_cast<unsigned>(mode.temporal + 1);
}

}  // namespace clips

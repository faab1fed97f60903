// Is what a viewer got right? Every picture that it would decode is one that the source has sent, with exactly the
// layers that it needs; ffmpeg decodes all of them without an error, each to the very picture that the source's own
// layer gives; and none is missing that the viewer was to get.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "clip_sender.h"
#include "frame_receiver.h"

namespace atm::layers {

// What a viewer has asked for since when, by ticks of the source.
struct Wish {
  size_t tick = 0;
  uint8_t spatial = 2, temporal = 2;
  bool operator==(const Wish&) const = default;
};

struct Verdict {
  size_t written = 0, decoded = 0;  // pictures
  size_t switches = 0;              // to another spatial or simulcast layer
  size_t missed = 0;                // pictures that it was to get, after its first one
  size_t expected = 0;              // those and what it got
  size_t wishes = 0, reached = 0;
  size_t faults = 0;  // of FrameReceiver
  // What the network does not excuse.
  std::vector<std::string> errors;
  std::string text() const;
};

struct Judge {
  const ClipSender& source;
  bool has_loss = false;

  // `name`: of the files.
  Verdict judge(const std::string& name, const FrameReceiver& receiver, const std::vector<Wish>& wishes) const;

 private:
  struct Place {
    size_t track = 0, picture = 0;
    uint8_t spatial = 0;
    size_t tick = 0;
    bool is_known = false;
  };
  using Content = std::multimap<Bytes, Place>;
  Content content_of_source() const;
  std::vector<Place> find_places(const std::vector<Picture>& pictures, Verdict& out) const;
  bool find_tick(const Picture& picture, Place& place) const;
  void check_times(const std::vector<Picture>& pictures, const std::vector<Place>& places, Verdict& out) const;
  void decode_all(const std::string& name, const std::vector<Picture>& pictures, const std::vector<Place>& places,
                  Verdict& out) const;
  void count_missed(const std::vector<Place>& places, const std::vector<Wish>& wishes, Verdict& out) const;
  void check_wishes(const std::vector<Place>& places, const std::vector<Wish>& wishes, Verdict& out) const;
  bool is_reached(const Wish& wish, size_t end, const std::vector<Place>& places) const;
  const Clip& clip(const Place& place) const { return *source.clips()[place.track]; }
  bool has_simulcast() const { return source.clips().size() > 1; }
  // Without the dependency descriptor nobody can tell the layers of AV1 apart: all are forwarded.
  bool has_layers() const { return source.clips()[0]->codec != Codec::kAv1 || source.tells_dependencies(); }
  size_t layer_of(const Place& place) const { return has_simulcast() ? place.track : place.spatial; }
  uint8_t temporal_of(const Place& place) const { return clip(place).picture(place.picture)[0].temporal; }
};

}  // namespace atm::layers

// A viewer for the tests of this folder, as media/receiver is one, and a judge of what it got: can each frame be
// decoded, and are numbers, ids, timestamps and markers such that a decoder takes them. What is broken on purpose is
// broken here, in what goes into or comes out of the selector, never in it.
#pragma once

#include <algorithm>
#include <functional>
#include <set>
#include <string>

#include "media/forward/layer_test_source.h"
#include "media/forward/stream_rewriter.h"

namespace atm::forward {

struct Got {
  int frame = -1, index = 0;  // -1: an empty packet that fills a gap
  int64_t sequence = 0;
  uint32_t timestamp = 0;
  bool marker = false, restarts = false;
  Bytes payload;
  Bytes descriptor;
  uint16_t frame_number = 0;  // in it
  payload::FrameInfo info;    // as the source said
};

struct Viewer {
  explicit Viewer(Rng& rng) : rewriter(90'000, 0, rng) {}
  // Mutations.
  std::function<void(payload::FrameInfo&, const TestPacket&)> break_info;
  std::function<void(Decision&, const TestPacket&, bool is_late)> break_decision;
  std::function<void(Got&)> break_output;
  bool tells_rewriter_of_drops = true;

  void on_packet(Now now, const TestPacket& packet) {
    recent.push_back(packet);
    if (recent.size() > 64) recent.pop_front();
    if (!take(now, packet)) return;
    // As the room does: what stands behind the packet that a viewer began with but came before it.
    const std::deque<TestPacket> kept = recent;
    for (const TestPacket& earlier : kept) {
      if (earlier.simulcast_layer == packet.simulcast_layer && earlier.sequence > packet.sequence) take(now, earlier);
    }
  }

  LayerSelector selector;
  StreamRewriter rewriter;
  std::deque<TestPacket> recent;
  std::vector<Got> got;
  std::map<uint8_t, int64_t> newest;

 private:
  bool take(Now now, const TestPacket& packet) {
    payload::FrameInfo info = packet.info;
    if (break_info) break_info(info, packet);
    Decision decision = selector.on_packet(
        now, info, {packet.simulcast_layer, packet.marker, packet.sequence, packet.timestamp, packet.payload});
    int64_t& highest = newest[packet.simulcast_layer];
    if (break_decision) break_decision(decision, packet, packet.sequence < highest);
    highest = std::max(highest, packet.sequence);
    if (decision.restarts) rewriter.restart();
    if (decision.action == Decision::Action::kIgnore) return false;
    std::optional<Rewritten> place;
    if (decision.action == Decision::Action::kForward) {
      place = rewriter.rewrite(now.mono, packet.sequence, packet.timestamp);
    } else if (tells_rewriter_of_drops) {
      place = rewriter.drop(decision.drop_from, packet.sequence, packet.timestamp);
    }
    if (!place) return decision.restarts;
    Got out;
    out.sequence = place->sequence;
    out.timestamp = place->timestamp;
    if (decision.action == Decision::Action::kForward) {
      out.frame = packet.frame;
      out.index = packet.index;
      out.marker = decision.marker;
      out.restarts = decision.restarts;
      out.payload = packet.payload;
      std::copy_n(decision.patch.bytes.begin(), decision.patch.size, out.payload.begin() + decision.patch.at);
      if (decision.descriptor.is_set) {
        out.descriptor.resize(payload::kMaxWrittenDescriptor);
        out.descriptor.resize(write_carried_descriptor(packet.carried, decision.descriptor, out.descriptor));
      }
      out.info = packet.info;
    }
    if (break_output) break_output(out);
    if (const auto head = payload::parse_dependency_head(out.descriptor)) out.frame_number = head->frame_number;
    got.push_back(std::move(out));
    return decision.restarts;
  }
};

struct Faults {
  int undecodable = 0, cut = 0, sequence = 0, timestamp = 0, marker = 0, picture_id = 0, tl0 = 0, frame_number = 0;
  int descriptor = 0;
  int frames = 0, pictures = 0, gaps = 0, filled = 0;  // these are none
  int all() const { return undecodable + sequence + timestamp + marker + picture_id + tl0 + frame_number + descriptor; }
  std::string text() const {
    std::string out;
    const auto add = [&out](const char* name, int value) {
      out += std::string(name) + " " + std::to_string(value) + ", ";
    };
    add("undecodable", undecodable), add("cut at a switch", cut), add("sequence", sequence),
        add("timestamp", timestamp);
    add("marker", marker), add("picture id", picture_id), add("tl0", tl0), add("frame number", frame_number),
        add("descriptor", descriptor);
    add("of frames", frames), add("pictures", pictures), add("gaps", gaps), add("filled", filled);
    return out;
  }
};

class Judge {
 public:
  Judge(Mode mode, const std::vector<TestFrame>& frames) : mode_(mode), truth_(frames) {}

  static constexpr int kLatePictures = 7;  // 200 ms
  bool comes_late = false;
  std::optional<uint32_t> active_targets;  // the last that the viewer was told of

  Faults judge(std::vector<Got> got) {
    std::stable_sort(got.begin(), got.end(), [](const Got& a, const Got& b) { return a.sequence < b.sequence; });
    for (size_t i = 0; i < got.size();) {
      check_number(i == 0 ? nullptr : &got[i - 1], got[i]);
      if (got[i].frame < 0) {
        ++out_.filled, ++i;
        continue;
      }
      // One picture: until another begins.
      const TestFrame& first = truth_[static_cast<size_t>(got[i].frame)];
      std::vector<Got> picture;
      size_t end = i;
      for (; end < got.size(); ++end) {
        if (end > i) {
          const bool is_other = got[end].frame >= 0 && !is_same(first, truth_[static_cast<size_t>(got[end].frame)]);
          if (is_other) break;
          check_number(&got[end - 1], got[end]);
        }
        got[end].frame >= 0 ? picture.push_back(got[end]) : static_cast<void>(++out_.filled);
      }
      const bool is_cut = end < got.size() && got[end].restarts;
      check_picture(picture, is_cut || end == got.size());
      if (is_cut || end == got.size()) count_until_switch(first.picture);
      i = end;
    }
    return out_;
  }

 private:
  // What comes late of the time before a switch or pause is refused: frames of that time may lack packets, or frames.
  void count_until_switch(int last_picture) {
    const auto count = [&](std::vector<int>& pictures, int& faults) {
      for (const int picture : pictures)
        ++(picture > last_picture - (comes_late ? kLatePictures : 1) ? out_.cut : faults);
      pictures.clear();
    };
    count(undecodable_, out_.undecodable);
    count(bad_markers_, out_.marker);
  }

  static bool is_same(const TestFrame& a, const TestFrame& b) { return a.ssrc == b.ssrc && a.picture == b.picture; }

  void check_number(const Got* before, const Got& now) {
    if (before == nullptr) return;
    if (now.sequence <= before->sequence) ++out_.sequence;
    if (now.sequence > before->sequence + 1) out_.gaps += static_cast<int>(now.sequence - before->sequence - 1);
  }

  void check_picture(const std::vector<Got>& picture, bool may_be_cut) {
    ++out_.pictures;
    std::map<int, std::set<int>> packets;
    for (const Got& packet : picture) packets[packet.frame].insert(packet.index);
    bool is_whole = true;
    for (const auto& [id, indexes] : packets) {
      const TestFrame& frame = truth_[static_cast<size_t>(id)];
      const bool is_complete = static_cast<int>(indexes.size()) == frame.packets;
      is_whole &= is_complete;
      ++out_.frames;
      const bool has_references =
          std::all_of(frame.references.begin(), frame.references.end(), [this](int r) { return decoded_.contains(r); });
      if (is_complete && has_references) {
        decoded_.insert(id);
      } else {
        undecodable_.push_back(frame.picture);
      }
    }
    const auto markers = std::count_if(picture.begin(), picture.end(), [](const Got& p) { return p.marker; });
    const bool is_right = markers == 1 && picture.back().marker;
    if (!is_right && (is_whole || !may_be_cut))
      bad_markers_.push_back(truth_[static_cast<size_t>(picture[0].frame)].picture);
    for (const Got& packet : picture) {
      if (packet.timestamp != picture[0].timestamp) ++out_.timestamp;
    }
    if (has_before_ && static_cast<int32_t>(picture[0].timestamp - before_.timestamp) <= 0) ++out_.timestamp;
    check_ids(picture[0]);
    if (mode_ >= Mode::kAv1L1) {
      check_frame_numbers(picture);
      check_descriptors(picture);
    }
    before_ = picture[0];
    has_before_ = true;
  }

  // VP8: every picture of the viewer has the next id. VP9: as far from the last one as at the source.
  void check_ids(const Got& now) {
    if (mode_ == Mode::kH264 || mode_ >= Mode::kAv1L1) return;
    const TestFrame& frame = truth_[static_cast<size_t>(now.frame)];
    const size_t at = now.info.picture_id_at;
    const int id = (now.payload[at] & 0x7F) << 8 | now.payload[at + 1];
    const uint8_t tl0 = now.info.tl0_picture_index_at != 0 ? now.payload[now.info.tl0_picture_index_at] : 0;
    if (has_before_) {
      const TestFrame& last = truth_[static_cast<size_t>(before_.frame)];
      const bool is_one = mode_ == Mode::kVp8 || now.restarts || frame.ssrc != last.ssrc;
      const int ahead = is_one ? 1 : frame.picture - last.picture;
      if (((id - id_) & 0x7FFF) != ahead) ++out_.picture_id;
      if (now.info.tl0_picture_index_at != 0 && static_cast<uint8_t>(tl0 - tl0_) != (frame.temporal == 0 ? 1 : 0)) {
        ++out_.tl0;
      }
    }
    id_ = id, tl0_ = tl0;
  }

  void check_frame_numbers(const std::vector<Got>& picture) {
    int last = -1;
    for (const Got& packet : picture) {
      if (packet.frame == last) continue;
      last = packet.frame;
      const bool is_begin = packet.restarts || !has_number_;
      const int ahead = static_cast<uint16_t>(packet.frame_number - number_);
      const int expected = static_cast<uint16_t>(packet.info.frame_number - source_number_);
      if (has_number_ && (is_begin ? ahead != 1 : ahead != expected)) ++out_.frame_number;
      number_ = packet.frame_number, source_number_ = packet.info.frame_number;
      has_number_ = true;
    }
  }

  // As a decoder reads them: of which layers it gets frames, and that what a frame refers to has come under that
  // number.
  void check_descriptors(const std::vector<Got>& picture) {
    int last = -1;
    for (const Got& packet : picture) {
      const auto read = payload::parse_dependency_descriptor(packet.descriptor, structure_);
      if (!read) {
        ++out_.descriptor;
        continue;
      }
      if (read->active_decode_targets) active_targets = read->active_decode_targets;
      if (packet.frame == last) continue;
      last = packet.frame;
      const TestFrame& frame = truth_[static_cast<size_t>(packet.frame)];
      const bool is_layer = read->frame.spatial_layer == frame.spatial && read->frame.temporal_layer == frame.temporal;
      bool is_right = is_layer && read->frame.difference_count == frame.references.size();
      for (size_t i = 0; i < read->frame.difference_count && is_right; ++i) {
        const auto found = numbered_.find(static_cast<uint16_t>(read->frame_number - read->frame.differences[i]));
        is_right = found != numbered_.end() && found->second == frame.references[i];
      }
      // A frame that no active decode target needs is one that nobody told of.
      bool is_active = false;
      for (size_t d = 0; d < structure_->decode_targets; ++d) {
        const bool is_needed = read->frame.indications[d] != payload::DecodeTargetIndication::kNotPresent;
        is_active |= is_needed && (active_targets.value_or(0) >> d & 1) != 0;
      }
      if (!is_right || !is_active) ++out_.descriptor;
      numbered_[read->frame_number] = packet.frame;
    }
  }

  Mode mode_;
  const std::vector<TestFrame>& truth_;
  Faults out_;
  std::optional<payload::DependencyStructure> structure_;
  std::map<uint16_t, int> numbered_;  // the frame that came last under each number
  std::set<int> decoded_;
  std::vector<int> undecodable_, bad_markers_;  // their pictures, since the last switch
  Got before_;
  bool has_before_ = false, has_number_ = false;
  int id_ = 0;
  uint8_t tl0_ = 0;
  uint16_t number_ = 0, source_number_ = 0;
};

// A publisher with `ssrcs` simulcast layers and one viewer whose target changes at random.
struct Scene {
  Mode mode = Mode::kVp8;
  int ssrcs = 1, pictures = 600;
  uint64_t seed = 1;
  bool reorders = false, delays = false, pauses = true, changes = true;

  Faults run(const std::function<void(Viewer&)>& prepare = {}) {
    SeededRng rng(seed);
    std::vector<TestFrame> frames;
    std::vector<TestEncoder> encoders;
    std::vector<payload::FrameStructure> structures(static_cast<size_t>(ssrcs));
    for (int i = 0; i < ssrcs; ++i) encoders.emplace_back(mode, i, frames, rng);
    Viewer viewer(rng);
    viewer.selector.attach(static_cast<size_t>(ssrcs));
    if (prepare) prepare(viewer);
    std::multimap<int64_t, TestPacket> arriving;  // by arrival, us
    std::vector<int> key_at(static_cast<size_t>(ssrcs), -1);
    for (int picture = 0; picture < pictures; ++picture) {
      const int64_t start = 1'000'000 + picture * 33'333;
      if (changes && rng.below(20) == 0) viewer.selector.set_target(random_target(rng));
      std::vector<TestPacket> made;
      for (int i = 0; i < ssrcs; ++i) {
        const auto at = static_cast<size_t>(i);
        encoders[at].encode(picture, key_at[at] == picture || rng.below(150) == 0, rng, made);
      }
      for (size_t i = 0; i < made.size(); ++i) {
        int64_t at = start + static_cast<int64_t>(i) * 100;
        if (reorders && rng.below(10) == 0) at += rng.below(500);
        if (delays && rng.below(20) == 0) at += 50'000 + rng.below(150'000);
        arriving.emplace(at, std::move(made[i]));
      }
      for (auto it = arriving.begin(); it != arriving.end() && it->first < start + 33'333; it = arriving.erase(it)) {
        TestPacket& packet = it->second;
        const Codec codec = mode == Mode::kVp8    ? Codec::kVp8
                            : mode == Mode::kH264 ? Codec::kH264
                            : mode < Mode::kAv1L1 ? Codec::kVp9
                                                  : Codec::kAv1;
        packet.info = payload::read_frame_info(codec, packet.payload, packet.marker, packet.descriptor,
                                               structures[packet.simulcast_layer]);
        packet.carried.resize(payload::kMaxCarriedSize);
        packet.carried.resize(carry_descriptor(packet.descriptor, structures[packet.simulcast_layer], packet.carried));
        const Now now{Instant{} + std::chrono::microseconds(it->first), {}};
        viewer.on_packet(now, packet);
        if (const auto wanted = viewer.selector.wants_key_frame_of(now); wanted && key_at[*wanted] < picture) {
          key_at[*wanted] = picture + 3;
        }
      }
    }
    reached = viewer.selector.current();
    target = viewer.selector.target();
    Judge judge(mode, frames);
    judge.comes_late = delays;
    const Faults faults = judge.judge(viewer.got);
    active_targets = judge.active_targets;
    return faults;
  }
  Target random_target(Rng& rng) {
    return {{static_cast<uint8_t>(rng.below(3)), static_cast<uint8_t>(rng.below(3))},
            pauses && rng.below(6) == 0,
            rng.below(3) == 0};
  }
  std::optional<Layer> reached;
  Target target;
  std::optional<uint32_t> active_targets;
};

}  // namespace atm::forward

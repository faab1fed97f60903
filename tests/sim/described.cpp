#include "described.h"

namespace atm::sim {
namespace {

using Dti = payload::DecodeTargetIndication;

payload::FrameDependencies frame_of(uint8_t temporal, std::array<Dti, 3> indications, uint16_t difference,
                                    uint8_t chain) {
  payload::FrameDependencies out;
  out.temporal_layer = temporal;
  std::copy(indications.begin(), indications.end(), out.indications.begin());
  out.difference_count = difference == 0 ? 0 : 1;
  out.differences[0] = difference;
  out.chain_differences[0] = chain;
  return out;
}

// L1T3 as libwebrtc's AV1 encoder describes it: a key frame, then by place in the cycle.
payload::DependencyStructure make_structure() {
  constexpr Dti no = Dti::kNotPresent, leaf = Dti::kDiscardable, to = Dti::kSwitch;
  payload::DependencyStructure out;
  out.decode_targets = 3;
  out.chains = 1;
  out.template_count = 5;
  out.max_temporal_layer = 2;
  out.templates[0] = frame_of(0, {to, to, to}, 0, 0);
  out.templates[1] = frame_of(0, {to, to, to}, 4, 4);
  out.templates[2] = frame_of(1, {no, leaf, to}, 2, 2);
  out.templates[3] = frame_of(2, {no, no, leaf}, 1, 1);
  out.templates[4] = frame_of(2, {no, no, leaf}, 1, 3);
  return out;
}

}  // namespace

void DescribedSource::begin_frame(bool is_key) {
  is_key_ = is_key;
  position_ = is_key ? 0 : (position_ + 1) % 4;
  ++number_;
}

Bytes DescribedSource::carried(const PictureTag& tag) {
  static const payload::DependencyStructure structure = make_structure();
  payload::DependencyDescriptor frame;
  frame.starts_frame = tag.packet == 0;
  frame.ends_frame = tag.packet + 1 == tag.packets;
  frame.template_id = is_key_ ? uint8_t{0} : std::array<uint8_t, 4>{1, 3, 2, 4}[position_];
  frame.frame_number = number_;
  frame.has_structure = is_key_ && frame.starts_frame;
  frame.frame = structure.templates[frame.template_id];
  std::array<uint8_t, payload::kMaxWrittenDescriptor> value;
  const size_t size = write_dependency_descriptor(frame, structure, value);
  payload::read_frame_info(Codec::kAv1, {}, false, ByteView(value).first(size), known_);
  Bytes out(payload::kMaxCarriedSize);
  out.resize(carry_descriptor(ByteView(value).first(size), known_, out));
  return out;
}

void DescribedViewer::on_packet(ByteView descriptor, int64_t sequence, const PictureTag& tag) {
  packets_[sequence] = {Bytes(descriptor.begin(), descriptor.end()), tag};
}

DescribedVerdict DescribedViewer::judge() {
  DescribedVerdict out;
  constexpr uint16_t kFarAhead = 64;  // two seconds
  for (auto at = packets_.begin(); at != packets_.end();) {
    const PictureTag frame = at->second.tag;
    size_t count = 0;
    std::optional<payload::DependencyDescriptor> read;
    for (; at != packets_.end(); ++at, ++count) {
      const PictureTag& tag = at->second.tag;
      if (tag.publisher != frame.publisher || tag.frame != frame.frame) break;
      read = parse_dependency_descriptor(at->second.descriptor, structure_);
      out.unreadable += !read;
      if (read && read->active_decode_targets) out.active_targets = read->active_decode_targets;
    }
    if (!read) continue;
    if (last_) {
      const auto ahead = static_cast<uint16_t>(read->frame_number - *last_);
      out.jumps += ahead == 0 || ahead > kFarAhead;
    }
    last_ = read->frame_number;
    bool has_all = count == frame.packets;
    for (size_t i = 0; i < read->frame.difference_count; ++i) {
      const uint16_t difference = read->frame.differences[i];
      const auto found = decoded_.find(static_cast<uint16_t>(read->frame_number - difference));
      has_all &= found != decoded_.end();
      if (found == decoded_.end()) continue;
      out.wrong += found->second.publisher != frame.publisher || found->second.frame + difference != frame.frame;
    }
    has_all ? ++out.frames : ++out.incomplete;
    if (has_all) decoded_[read->frame_number] = frame;
  }
  packets_.clear();
  return out;
}

}  // namespace atm::sim

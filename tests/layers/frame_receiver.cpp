#include "frame_receiver.h"

#include <algorithm>

#include "base/sequence.h"
#include "wire/payload/h264.h"
#include "wire/payload/key_frame.h"

namespace atm::layers {

bool FrameReceiver::on_packet(const ViewedPacket& packet) {
  if (next_ && packet.sequence < *next_) return false;
  if (!waiting_.emplace(packet.sequence, packet).second) return false;
  advance(packet.at);
  if (!needs_key_frame_ || (last_asked_ && packet.at - *last_asked_ < kPatience)) return false;
  if (pictures_.empty() && !last_asked_) {  // the server asks for the first one
    last_asked_ = packet.at;
    return false;
  }
  last_asked_ = packet.at;
  ++asked_;
  return true;
}

void FrameReceiver::advance(Instant now) {
  while (!waiting_.empty()) {
    if (needs_key_frame_ && !find_key_frame()) return;
    const auto it = waiting_.find(*next_);
    if (it == waiting_.end()) {
      if (!stalled_since_) stalled_since_ = now;
      if (now - *stalled_since_ < kPatience) return;
      ++losses_;
      is_after_loss_ = needs_key_frame_ = true;
      is_open_ = is_frame_open_ = false;
      continue;
    }
    stalled_since_.reset();
    const Outcome outcome = take(it->second);
    if (outcome != Outcome::kTaken) {
      is_after_loss_ = needs_key_frame_ = true;
      is_open_ = is_frame_open_ = false;
    }
    if (outcome == Outcome::kFaultBefore) continue;  // it may begin a key frame itself
    waiting_.erase(it);
    ++*next_;
  }
}

// libwebrtc takes no IDR slice whose parameter sets it does not have; here they come with each.
bool FrameReceiver::begins_key_frame(ByteView payload) const {
  if (codec_ != Codec::kH264) return payload::is_key_frame_start(codec_, payload);
  const auto packet = payload::parse_h264(payload);
  return packet && packet->has_sps;
}

bool FrameReceiver::find_key_frame() {
  stalled_since_.reset();
  for (auto it = waiting_.begin(); it != waiting_.end(); ++it) {
    if (next_ && it->first < *next_) continue;
    if (!begins_key_frame(it->second.payload)) continue;
    waiting_.erase(waiting_.begin(), it);
    next_ = it->first;
    needs_key_frame_ = false;
    knows_ids_ = knows_ids_ && !is_after_loss_;
    return true;
  }
  return false;
}

FrameReceiver::Outcome FrameReceiver::fault(std::string what, Outcome outcome) {
  faults_.push_back(std::move(what));
  return outcome;
}

FrameReceiver::Outcome FrameReceiver::take(const ViewedPacket& packet) {
  if (packet.payload.empty()) {
    return is_frame_open_ ? fault("an empty packet inside a frame", Outcome::kFault) : Outcome::kTaken;
  }
  if (is_open_ && packet.timestamp != picture_.timestamp) {
    return fault("a picture without a marker", Outcome::kFaultBefore);
  }
  const auto piece = read(packet);
  if (!piece) return fault("a payload that cannot be read", Outcome::kFault);
  if (!is_open_) {
    if (last_timestamp_ && !is_newer(packet.timestamp, *last_timestamp_)) {
      const bool is_same = packet.timestamp == *last_timestamp_;
      last_timestamp_ = packet.timestamp;
      return fault(is_same ? "a packet behind the marker of its picture" : "a timestamp that goes back",
                   Outcome::kFault);
    }
    is_open_ = true;
    picture_ = {{}, packet.timestamp, packet.sequence, piece->is_key, is_after_loss_, packet.at};
    obus_.clear();
    obu_continues_ = false;
  }
  if (piece->begins == is_frame_open_) {
    return fault(piece->begins ? "a frame without an end" : "a frame without a beginning", Outcome::kFault);
  }
  if (piece->begins) {
    if (const std::string why = check_frame(*piece); !why.empty()) return fault(why, Outcome::kFault);
  }
  if (!append(*piece)) return fault("a payload that does not go on from the one before", Outcome::kFault);
  is_frame_open_ = !piece->ends;
  return packet.marker ? close_picture(packet) : Outcome::kTaken;
}

FrameReceiver::Outcome FrameReceiver::close_picture(const ViewedPacket& packet) {
  if (is_frame_open_ || obu_continues_) return fault("a marker inside a frame", Outcome::kFault);
  for (const Bytes& obu : obus_) {
    const bool has_extension = (obu[0] & 0x04) != 0;
    const size_t head = has_extension ? 2 : 1;
    picture_.bytes.push_back(obu[0] | 0x02);
    if (has_extension) picture_.bytes.push_back(obu[1]);
    size_t size = obu.size() - head;
    for (; size >= 0x80; size >>= 7) picture_.bytes.push_back(static_cast<uint8_t>(size | 0x80));
    picture_.bytes.push_back(static_cast<uint8_t>(size));
    picture_.bytes.insert(picture_.bytes.end(), obu.begin() + static_cast<ptrdiff_t>(head), obu.end());
  }
  picture_.at = packet.at;
  last_timestamp_ = picture_.timestamp;
  is_open_ = is_after_loss_ = false;
  pictures_.push_back(std::move(picture_));
  return Outcome::kTaken;
}

// --- payloads ---------------------------------------------------------------------------------------------------

bool FrameReceiver::append(const Piece& piece) {
  if (codec_ == Codec::kH264) return append_h264(piece.data);
  if (codec_ == Codec::kAv1) return append_av1(piece.data);
  picture_.bytes.insert(picture_.bytes.end(), piece.data.begin(), piece.data.end());
  return true;
}

// RFC 6184 5.6 to 5.8
bool FrameReceiver::append_h264(ByteView payload) {
  Bytes& out = picture_.bytes;
  const auto begin_unit = [&out] { out.insert(out.end(), {0, 0, 0, 1}); };
  const uint8_t type = payload[0] & 0x1F;
  if (type == 24) {
    Reader reader(payload.subspan(1));
    while (reader.left() > 0) {
      const ByteView unit = reader.take(reader.u16());
      if (!reader.ok()) return false;
      begin_unit();
      out.insert(out.end(), unit.begin(), unit.end());
    }
    return true;
  }
  if (type != 28) {
    begin_unit();
    out.insert(out.end(), payload.begin(), payload.end());
    return true;
  }
  if (payload.size() < 2) return false;
  if ((payload[1] & 0x80) != 0) {
    begin_unit();
    out.push_back(static_cast<uint8_t>((payload[0] & 0xE0) | (payload[1] & 0x1F)));
  }
  out.insert(out.end(), payload.begin() + 2, payload.end());
  return true;
}

// AV1 RTP specification 4.4; elements with their sizes, as packetizer.h writes them.
bool FrameReceiver::append_av1(ByteView payload) {
  const bool continues = (payload[0] & 0x80) != 0;
  if (continues != obu_continues_) return false;
  Reader reader(payload.subspan(1));
  bool is_first = true;
  while (reader.left() > 0) {
    size_t size = 0;
    for (unsigned shift = 0;; shift += 7) {
      const uint8_t part = reader.u8();
      size |= size_t{part & 0x7Fu} << shift;
      if ((part & 0x80) == 0) break;
    }
    const ByteView element = reader.take(size);
    if (!reader.ok() || element.empty()) return false;
    if (is_first && continues) {
      obus_.back().insert(obus_.back().end(), element.begin(), element.end());
    } else {
      obus_.emplace_back(element.begin(), element.end());
    }
    is_first = false;
  }
  obu_continues_ = (payload[0] & 0x40) != 0;
  return true;
}

Bytes picture_bytes(Codec codec, const std::vector<const ClipFrame*>& frames) {
  Bytes out;
  for (const ClipFrame* frame : frames) {
    if (codec == Codec::kH264) {
      for (const ByteView unit : split_nal_units(frame->bytes)) {
        out.insert(out.end(), {0, 0, 0, 1});
        out.insert(out.end(), unit.begin(), unit.end());
      }
    } else if (codec == Codec::kAv1 && frame->spatial == 0) {
      out.insert(out.end(), frame->bytes.begin() + 2, frame->bytes.end());  // without the temporal delimiter
    } else {
      out.insert(out.end(), frame->bytes.begin(), frame->bytes.end());
    }
  }
  return out;
}

}  // namespace atm::layers

#include "media/sender/red_reader.h"

#include <algorithm>

#include "base/sequence.h"
#include "wire/payload/opus.h"

namespace atm::sender {

void RedReader::begin(const Packet& packet) {
  if (is_started_ && packet.ssrc == ssrc_ && packet.epoch == epoch_) return;
  known_.fill({});
  is_started_ = true;
  ssrc_ = packet.ssrc;
  epoch_ = packet.epoch;
  first_ = newest_ = packet.sequence;
}

const RedReader::Known* RedReader::find(int64_t sequence) const {
  if (sequence < 0) return nullptr;
  const Known& known = known_[static_cast<size_t>(sequence % kWindow)];
  return known.sequence == sequence ? &known : nullptr;
}

// False when it was there, or is too old to tell.
bool RedReader::add(int64_t sequence, uint32_t timestamp) {
  if (sequence < 0 || sequence <= newest_ - kWindow || find(sequence) != nullptr) return false;
  known_[static_cast<size_t>(sequence % kWindow)] = {sequence, timestamp};
  newest_ = std::max(newest_, sequence);
  return true;
}

// Copies have no numbers (RFC 2198 3), only timestamps: may this one be that of the number `sequence`? It is a hole,
// and stands between its neighbours in time as well.
bool RedReader::fits(int64_t sequence, uint32_t timestamp, const Packet& packet) const {
  if (sequence <= first_ || sequence <= newest_ - kWindow || sequence >= packet.sequence) return false;
  if (find(sequence) != nullptr) return false;
  for (int64_t before = sequence - 1; before > newest_ - kWindow; --before) {
    const Known* known = find(before);
    if (known == nullptr) continue;
    if (!is_newer(timestamp, known->timestamp)) return false;
    break;
  }
  for (int64_t after = sequence + 1; after < packet.sequence; ++after) {
    const Known* known = find(after);
    if (known == nullptr) continue;
    if (!is_newer(known->timestamp, timestamp)) return false;
    break;
  }
  return true;
}

RedReader::Frames RedReader::on_opus(const Packet& packet, ByteView payload) {
  begin(packet);
  Frames out;
  if (add(packet.sequence, packet.timestamp))
    out.list[out.count++] = {packet.sequence, packet.timestamp, payload, false};
  return out;
}

RedReader::Frames RedReader::on_red(const Packet& packet, const payload::RedPayload& red) {
  begin(packet);
  Frames out;
  for (size_t i = 0; i + 1 < red.count; ++i) {
    const payload::RedBlock& copy = red.blocks[i];
    const auto toc = payload::parse_opus_toc(copy.data);
    if (!toc || copy.timestamp_offset == 0) continue;
    const uint32_t timestamp = packet.timestamp - copy.timestamp_offset;
    // As many packets earlier as its time says; or, when there was a pause (DTX) in between, as its place says.
    const int64_t by_time = packet.sequence - copy.timestamp_offset / toc->duration();
    const int64_t by_place = packet.sequence - static_cast<int64_t>(red.count - 1 - i);
    for (const int64_t sequence : {by_time, by_place}) {
      if (!fits(sequence, timestamp, packet) || !add(sequence, timestamp)) continue;
      out.list[out.count++] = {sequence, timestamp, copy.data, true};
      break;
    }
  }
  if (add(packet.sequence, packet.timestamp)) {
    out.list[out.count++] = {packet.sequence, packet.timestamp, red.primary().data, false};
  }
  return out;
}

}  // namespace atm::sender

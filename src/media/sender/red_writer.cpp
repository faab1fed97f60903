#include "media/sender/red_writer.h"

#include <algorithm>

#include "wire/payload/red.h"

namespace atm::sender {

const peer::MediaPacket* RedWriter::find_before(const peer::MediaPacket& frame, int64_t sequence) const {
  const peer::MediaPacket* newest = nullptr;
  for (const peer::MediaPacket& known : frames_) {
    if (!known.payload || known.sequence >= sequence || known.ssrc != frame.ssrc || known.epoch != frame.epoch)
      continue;
    if (newest == nullptr || known.sequence > newest->sequence) newest = &known;
  }
  return newest;
}

PacketRef RedWriter::make(const peer::MediaPacket& frame, size_t copies, uint8_t opus_payload_type, PacketPool& pool) {
  copies = std::min(copies, kMaxCopies);
  for (const Made& made : made_) {
    if (made.sequence == frame.sequence && made.copies == copies && made.payload_type == opus_payload_type &&
        made.ssrc == frame.ssrc && made.epoch == frame.epoch) {
      return made.payload;
    }
  }
  std::array<payload::RedBlock, kMaxCopies + 1> blocks;
  size_t at = kMaxCopies;  // filled from the back: the newest copies count most
  blocks[at] = {opus_payload_type, 0, frame.payload.bytes()};
  size_t size = 1 + frame.payload.bytes().size();
  const peer::MediaPacket* earlier = &frame;
  for (size_t i = 0; i < copies; ++i) {
    earlier = find_before(frame, earlier->sequence);
    if (earlier == nullptr) break;
    const ByteView data = earlier->payload.bytes();
    const uint32_t offset = frame.timestamp - earlier->timestamp;
    if (data.empty() || data.size() > payload::kMaxRedCopySize) continue;
    if (offset == 0 || offset > payload::kMaxRedTimestampOffset || size + 4 + data.size() > kMaxPayload) break;
    blocks[--at] = {opus_payload_type, static_cast<uint16_t>(offset), data};
    size += 4 + data.size();
  }
  std::array<uint8_t, PacketBuffer::kCapacity> bytes;
  const size_t written = payload::write_red(bytes, std::span(blocks).subspan(at));
  if (written == 0) return {};
  PacketRef payload = pool.copy(ByteView(bytes).first(written));
  made_[next_made_++ % kMade] = {frame.ssrc, frame.epoch, frame.sequence, copies, opus_payload_type, payload};
  return payload;
}

}  // namespace atm::sender

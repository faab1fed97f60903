#include "sound.h"

#include <algorithm>
#include <optional>
#include <vector>

#include "wire/payload/red.h"

namespace atm::sim {
namespace {
constexpr uint8_t kToc = 0x78;  // RFC 6716 3.1: hybrid, one frame of 20 ms
}  // namespace

Bytes SoundSource::next_frame(uint32_t publisher, size_t size, bool has_inband_fec) {
  Bytes out(std::max<size_t>(size, 10));
  Writer writer(out);
  writer.u8(kToc);
  writer.u8(has_inband_fec);
  writer.u32(publisher);
  writer.u32(counter_++);
  frames_.push_back(out);
  if (frames_.size() > kKept) frames_.pop_front();
  return out;
}

Bytes SoundSource::red(uint8_t opus_payload_type, size_t copies) const {
  std::vector<payload::RedBlock> blocks;
  for (size_t back = std::min(copies, frames_.size() - 1) + 1; back-- > 0;) {
    blocks.push_back(
        {opus_payload_type, static_cast<uint16_t>(back * kFrameSamples), frames_[frames_.size() - 1 - back]});
  }
  Bytes out(1'200);
  out.resize(payload::write_red(out, blocks));
  return out;
}

namespace {
std::optional<SoundTag> read_frame(ByteView frame) {
  Reader reader(frame);
  const bool is_opus = reader.u8() == kToc;
  SoundTag tag;
  tag.has_inband_fec = reader.u8() != 0;
  tag.publisher = reader.u32();
  tag.counter = reader.u32();
  return reader.ok() && is_opus ? std::optional(tag) : std::nullopt;
}
}  // namespace

std::optional<SoundTag> read_sound(ByteView payload, bool is_red) {
  if (!is_red) return read_frame(payload);
  const auto red = payload::parse_red(payload);
  return red && red->count > 0 ? read_frame(red->blocks[red->count - 1].data) : std::nullopt;
}

void Listener::on_packet(ByteView payload, bool is_red) {
  ++packets_;
  if (!is_red) return on_frame(payload);
  ++red_packets_;
  const auto red = payload::parse_red(payload);
  unread_ += !red;
  for (size_t i = 0; red && i < red->count; ++i) on_frame(red->blocks[i].data);
}

void Listener::on_frame(ByteView frame) {
  const auto tag = read_frame(frame);
  if (!tag) {
    ++unread_;
    return;
  }
  heard_.insert(tag->counter);
  if (tag->has_inband_fec && tag->counter > 0) heard_.insert(tag->counter - 1);
}

uint64_t Listener::gaps_over_60_ms() const {
  uint64_t gaps = 0;
  std::optional<uint32_t> last;
  for (const uint32_t counter : heard_) {
    gaps += last && counter - *last > 4;
    last = counter;
  }
  return gaps;
}

}  // namespace atm::sim

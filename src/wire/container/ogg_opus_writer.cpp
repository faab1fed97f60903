#include <algorithm>

#include "wire/container/little_endian.h"
#include "wire/container/ogg_opus.h"

namespace atm::container {
namespace {

constexpr std::string_view kVendor = "atm0s";
constexpr size_t kFullSegment = 255;

void put_lacing(Bytes& out, size_t size) {
  out.insert(out.end(), size / kFullSegment, kFullSegment);
  out.push_back(static_cast<uint8_t>(size % kFullSegment));
}

void put_string(Bytes& out, std::string_view text) {
  put_little(out, text.size(), 4);
  put_text(out, text);
}

}  // namespace

void OggOpusWriter::begin(Bytes& out) {
  put_opus_head(config_.head, body_);
  put_lacing(lacing_, body_.size());
  // RFC 7845 3: the identification header alone on the first page, the comments on pages of their own.
  put_ogg_page(
      {.is_first = true, .granule = 0, .serial = serial_, .sequence = sequence_++, .lacing = lacing_, .body = body_},
      out);
  Bytes tags;
  put_text(tags, "OpusTags");
  put_string(tags, kVendor);
  put_little(tags, config_.comments.size(), 4);
  for (const std::string& comment : config_.comments) put_string(tags, comment);
  Bytes lacing;
  put_lacing(lacing, tags.size());
  // Over several pages where they are long; on those on which the packet does not end there is no position.
  for (size_t segment = 0, at = 0; segment < lacing.size();) {
    const ByteView part = ByteView(lacing).subspan(segment, std::min(kMaxOggSegments, lacing.size() - segment));
    size_t size = 0;
    for (const uint8_t value : part) size += value;
    const bool ends = segment + part.size() == lacing.size();
    put_ogg_page({.is_continued = segment > 0,
                  .granule = ends ? 0 : kNoGranule,
                  .serial = serial_,
                  .sequence = sequence_++,
                  .lacing = part,
                  .body = ByteView(tags).subspan(at, size)},
                 out);
    segment += part.size();
    at += size;
  }
  lacing_.clear();
  body_.clear();
}

bool OggOpusWriter::write(ByteView packet, Bytes& out) {
  const auto duration = opus_duration(packet);
  if (!duration || packet.size() > kMaxOggOpusPacket) return false;
  const size_t segments = packet.size() / kFullSegment + 1;
  if (lacing_.size() + segments > kMaxOggSegments || position_ + *duration - page_position_ > kPageSamples) flush(out);
  put_lacing(lacing_, packet.size());
  body_.insert(body_.end(), packet.begin(), packet.end());
  position_ += *duration;
  // A packet of one frame of the same configuration.
  toc_ = packet[0] & 0xFC;
  duration_ = *opus_duration({&toc_, 1});
  return true;
}

void OggOpusWriter::fill_gap(uint64_t samples, Bytes& out) {
  if (duration_ == 0) return;
  // RFC 6716 3.2.1: a frame of no bytes is one that was lost, or not sent.
  const uint8_t toc = toc_;
  for (uint64_t count = samples / duration_; count > 0; --count) write({&toc, 1}, out);
}

void OggOpusWriter::put_page(bool is_last, Bytes& out) {
  if (lacing_.empty() && !is_last) return;
  uint64_t granule = position_;
  if (is_last && end_) granule = std::min(granule, *end_);
  put_ogg_page({.is_last = is_last,
                .granule = granule,
                .serial = serial_,
                .sequence = sequence_++,
                .lacing = lacing_,
                .body = body_},
               out);
  lacing_.clear();
  body_.clear();
  page_position_ = position_;
}

void OggOpusWriter::finish(Bytes& out, std::optional<uint64_t> samples) {
  // RFC 7845 4.4: no more can be cut than the last page has.
  if (samples) end_ = std::max(*samples + config_.head.pre_skip, page_position_);
  put_page(true, out);
}

}  // namespace atm::container

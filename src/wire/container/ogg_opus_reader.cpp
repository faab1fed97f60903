#include <algorithm>

#include "wire/container/malformed.h"
#include "wire/container/ogg_opus.h"

namespace atm::container {

Result<OggOpusReader> OggOpusReader::open(ByteView file) {
  OggOpusReader out;
  out.file_ = file;
  // RFC 3533 4: all streams begin in front; the first with an OpusHead is ours.
  for (bool is_found = false; !is_found;) {
    const size_t at = out.at_;
    TRY(page, parse_ogg_page(file, at));
    if (!page.is_first) return malformed(at, "there is no Opus stream");
    out.at_ += page.size();
    if (as_text(page.body).starts_with("OpusHead")) {
      const auto head = parse_opus_head(page.body);
      if (!head) return malformed(at, "an OpusHead that is not mono or stereo of version 1");
      out.head_ = *head;
      out.serial_ = page.serial;
      out.sequence_ = page.sequence + 1;
      is_found = true;
    }
  }
  TRY(tags, out.next_packet());
  if (!tags || !as_text(*tags).starts_with("OpusTags")) return malformed(out.page_at_, "no OpusTags");
  // RFC 7845 3: the audio begins on a page of its own.
  if (out.piece_ < out.pieces_.size()) return malformed(out.page_at_, "OpusTags do not end their page");
  return out;
}

Result<std::optional<OggOpusPacket>> OggOpusReader::next() {
  auto packet = next_packet();
  if (!packet || !*packet) {
    is_done_ = true;
    if (!packet) return tl::unexpected(packet.error());
    return std::optional<OggOpusPacket>();
  }
  const auto duration = opus_duration(**packet);
  if (!duration) {
    is_done_ = true;
    return malformed(page_at_, "a packet that is not Opus");
  }
  if (!is_placed_) place_page();
  OggOpusPacket out{**packet, position_, *duration, 0};
  position_ += *duration;
  // RFC 7845 4.4: the last page says where the audio ends.
  const bool has_end = page_.is_last && page_.granule != kNoGranule;
  if (has_end && position_ > page_.granule) {
    out.trimmed = static_cast<uint32_t>(std::min<uint64_t>(position_ - page_.granule, *duration));
  }
  return std::optional(out);
}

// Where the first packet that ends on this page begins: a page says where its last one ends (RFC 7845 4).
void OggOpusReader::place_page() {
  is_placed_ = true;
  if (page_.granule == kNoGranule || page_.is_last) return;
  // The first of them was just read and may come from the page before; it ends with pieces_[piece_ - 1].
  uint64_t samples = 0;
  const Bytes& first = spanning_;
  bool is_first = true;
  for (size_t i = piece_ - 1; i < pieces_.size(); ++i) {
    if (!pieces_[i].ends) continue;
    const ByteView bytes = is_first && is_spanning_ ? ByteView(first) : pieces_[i].bytes;
    samples += opus_duration(bytes).value_or(0);
    is_first = false;
  }
  // Later on it is only a hole that moves the time: what is there is played.
  const uint64_t begin = page_.granule >= samples ? page_.granule - samples : 0;
  position_ = is_first_page_ ? begin : std::max(position_, begin);
  is_first_page_ = false;
}

// The next packet of the stream, until the next call; nothing at its end.
Result<std::optional<ByteView>> OggOpusReader::next_packet() {
  spanning_.clear();
  is_spanning_ = false;
  while (!is_done_) {
    if (piece_ == pieces_.size()) {
      TRY(is_there, load_page());
      if (!is_there) break;
      // RFC 3533 6: a page says whether it goes on with a packet.
      if (page_.is_continued != is_spanning_ && !(page_.lacing.empty() && !page_.is_continued)) {
        is_done_ = true;
        return malformed(page_at_, is_spanning_ ? "a packet does not go on" : "a packet without a beginning");
      }
      continue;
    }
    const Piece piece = pieces_[piece_++];
    if (!is_spanning_ && piece.ends) return std::optional(piece.bytes);
    if (spanning_.size() + piece.bytes.size() > kMaxOggPacketBytes) {
      is_done_ = true;
      return malformed(page_at_, "a packet that is too large");
    }
    spanning_.insert(spanning_.end(), piece.bytes.begin(), piece.bytes.end());
    is_spanning_ = true;
    if (piece.ends) return std::optional(ByteView(spanning_));
  }
  if (is_spanning_) return malformed(page_at_, "the last packet is cut off");
  return std::optional<ByteView>();
}

// The next page of our stream, as pieces of packets. False: there is none.
Result<bool> OggOpusReader::load_page() {
  if (page_.is_last) return false;
  while (at_ < file_.size()) {
    page_at_ = at_;
    auto page = parse_ogg_page(file_, at_);
    if (!page) {
      is_done_ = true;
      return tl::unexpected(page.error());
    }
    at_ += page->size();
    if (page->serial != serial_) continue;
    if (page->is_first) return false;  // RFC 3533 4: a chain
    if (page->sequence != sequence_) {
      is_done_ = true;
      return malformed(page_at_, "a page is missing before this one");
    }
    ++sequence_;
    page_ = *page;
    pieces_.clear();
    piece_ = 0;
    is_placed_ = false;
    size_t at = 0, size = 0;
    for (const uint8_t segment : page_.lacing) {
      size += segment;
      if (segment == 255) continue;
      pieces_.push_back({page_.body.subspan(at, size), true});
      at += size;
      size = 0;
    }
    if (size > 0) pieces_.push_back({page_.body.subspan(at, size), false});
    return true;
  }
  return false;
}

}  // namespace atm::container

// Opus in Ogg (RFC 7845): what players, browsers and ffmpeg call .opus or .ogg. For file sources and sinks of the SDK.
// No files here: the writer appends to the caller's bytes, the reader looks at the whole file's. Mono and stereo
// (channel mapping family 0), one logical stream: of others in the file the pages are passed over, and of a chain the
// first one is read.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "wire/container/ogg_page.h"
#include "wire/container/opus_packet.h"

namespace atm::container {

// RFC 7845 4: a page should hold no more than a second, so that a player that seeks need not look far.
inline constexpr uint64_t kPageSamples = kOpusRate;
// What fits into one page beside nothing else. RFC 7845 6: more than 61,440 would be no sensible packet.
inline constexpr size_t kMaxOggOpusPacket = 61'440;
// Bytes of a packet that is read, over several pages: tags may bring pictures (RFC 7845 5.2).
inline constexpr size_t kMaxOggPacketBytes = 16 * 1024 * 1024;

struct OggOpusConfig {
  OpusHead head = {};
  std::vector<std::string> comments = {};  // "TITLE=…" (RFC 7845 5.2)
};

class OggOpusWriter {
 public:
  // `serial` names the stream in the file: any number.
  OggOpusWriter(const OggOpusConfig& config, uint32_t serial) : config_(config), serial_(serial) {}

  // First of all: the two header pages.
  void begin(Bytes& out);
  // Packets are collected into pages of up to a second; what was appended is a file that plays. False: this is no Opus
  // packet, or too large.
  bool write(ByteView packet, Bytes& out);
  // RFC 7845 4.1: packets that did not come, as many as fit into so many samples, so that what follows keeps its time:
  // the decoder conceals. Nothing before the first packet.
  void fill_gap(uint64_t samples, Bytes& out);
  // What was collected, as a page.
  void flush(Bytes& out) { put_page(false, out); }
  // The last page. `samples`: how many are to be heard in all; what the last packets have more is cut (RFC 7845 4.4).
  void finish(Bytes& out, std::optional<uint64_t> samples = std::nullopt);

  // Samples written, those before pre_skip too.
  uint64_t position() const { return position_; }

 private:
  void put_page(bool is_last, Bytes& out);

  // given
  OggOpusConfig config_;
  uint32_t serial_;
  // state
  uint32_t sequence_ = 0;
  uint64_t position_ = 0, page_position_ = 0;  // in all, and where the page in hand begins
  std::optional<uint64_t> end_;
  uint8_t toc_ = 0;        // of the last packet
  uint32_t duration_ = 0;  // of one of its frames
  Bytes lacing_, body_;
};

struct OggOpusPacket {
  ByteView bytes;  // until the next call
  // Of its first sample, where 0 is the first that is decoded; OpusHead::pre_skip of them are not heard.
  uint64_t position = 0;
  uint32_t duration = 0;
  uint32_t trimmed = 0;  // samples at its end that are not heard
};

class OggOpusReader {
 public:
  static Result<OggOpusReader> open(ByteView file);

  const OpusHead& head() const { return head_; }
  // Nothing after the last packet. After an error there is no more.
  Result<std::optional<OggOpusPacket>> next();

 private:
  struct Piece {
    ByteView bytes;
    bool ends = false;  // the packet does
  };
  OggOpusReader() = default;
  Result<bool> load_page();
  Result<std::optional<ByteView>> next_packet();
  void place_page();

  ByteView file_;
  OpusHead head_;
  uint32_t serial_ = 0, sequence_ = 0;
  size_t at_ = 0, page_at_ = 0;
  bool is_done_ = false;
  OggPage page_;
  std::vector<Piece> pieces_;
  size_t piece_ = 0;
  Bytes spanning_;  // a packet from several pages
  bool is_spanning_ = false;
  // Of the audio.
  uint64_t position_ = 0;
  bool is_placed_ = false, is_first_page_ = true;
};

}  // namespace atm::container

// A stream in pieces, whose sizes the first bytes say: whatever it is, the frames are those of the stream in one piece,
// and no more than one frame is held.
#include <algorithm>

#include "base/assert.h"
#include "wire/framing/deframer.h"

namespace {

using namespace atm;

struct Read {
  Bytes frames;  // each with its size before it
  bool is_well_formed = true;
};

void take(framing::Deframer& deframer, MutByteView piece, Read& read) {
  std::vector<MutByteView> frames;
  read.is_well_formed = deframer.read(piece, frames);
  for (const MutByteView frame : frames) {
    ASSERT(!frame.empty() && frame.size() <= framing::kMaxFrame);
    read.frames.push_back(static_cast<uint8_t>(frame.size() >> 8));
    read.frames.push_back(static_cast<uint8_t>(frame.size()));
    read.frames.insert(read.frames.end(), frame.begin(), frame.end());
  }
  ASSERT(deframer.held_bytes() <= framing::kHeaderSize + framing::kMaxFrame);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  constexpr size_t kSizes = 4;
  if (size < kSizes) return 0;
  const Bytes stream(data + kSizes, data + size);

  Read at_once;
  framing::Deframer whole;
  Bytes bytes = stream;
  take(whole, bytes, at_once);

  Read in_pieces;
  framing::Deframer cut;
  bytes = stream;
  MutByteView rest = bytes;
  for (size_t i = 0; !rest.empty(); ++i) {
    const size_t piece = std::min<size_t>(rest.size(), 1 + size_t{data[i % kSizes]} * (i % 3 + 1));
    Bytes own(rest.begin(), rest.begin() + static_cast<std::ptrdiff_t>(piece));  // so that a late look at it is seen
    take(cut, own, in_pieces);
    rest = rest.subspan(piece);
  }
  ASSERT(in_pieces.frames == at_once.frames);
  if (!stream.empty()) ASSERT(in_pieces.is_well_formed == at_once.is_well_formed);
  return 0;
}

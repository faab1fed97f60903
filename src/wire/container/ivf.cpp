#include "wire/container/ivf.h"

#include <algorithm>

#include "wire/container/little_endian.h"
#include "wire/container/malformed.h"

namespace atm::container {
namespace {

constexpr size_t kFrameHeaderSize = 12;

struct FourCc {
  Codec codec;
  std::string_view text;
};
constexpr FourCc kFourCcs[] = {
    {Codec::kVp8, "VP80"}, {Codec::kVp9, "VP90"}, {Codec::kH264, "H264"}, {Codec::kAv1, "AV01"}};

}  // namespace

std::array<uint8_t, kIvfHeaderSize> IvfWriter::final_header() const {
  std::array<uint8_t, kIvfHeaderSize> out{};
  std::ranges::copy(as_bytes("DKIF"), out.begin());
  store_little(&out[6], kIvfHeaderSize, 2);
  for (const FourCc& code : kFourCcs) {
    if (code.codec == header_.codec) std::ranges::copy(as_bytes(code.text), out.begin() + 8);
  }
  store_little(&out[12], header_.width, 2);
  store_little(&out[14], header_.height, 2);
  store_little(&out[16], header_.rate, 4);
  store_little(&out[20], header_.scale, 4);
  store_little(&out[24], header_.frames, 4);
  return out;
}

void IvfWriter::begin(Bytes& out) const {
  const auto header = final_header();
  out.insert(out.end(), header.begin(), header.end());
}

void IvfWriter::write(uint64_t timestamp, ByteView frame, Bytes& out) {
  put_little(out, frame.size(), 4);
  put_little(out, timestamp, 8);
  out.insert(out.end(), frame.begin(), frame.end());
  ++header_.frames;
}

Result<IvfReader> IvfReader::open(ByteView file) {
  if (file.size() < kIvfHeaderSize) return malformed(file.size(), "the header is cut off");
  if (as_text(file.first(4)) != "DKIF") return malformed(0, "this is no IVF file");
  if (load_little(file.subspan(4, 2)) != 0) return malformed(4, "an unknown version");
  IvfReader out;
  out.file_ = file;
  // The header says how long it is; ours and everybody's is 32.
  out.at_ = load_little(file.subspan(6, 2));
  if (out.at_ < kIvfHeaderSize || out.at_ > file.size()) return malformed(6, "a wrong size of the header");
  const auto code = std::ranges::find(kFourCcs, as_text(file.subspan(8, 4)), &FourCc::text);
  if (code == std::end(kFourCcs)) return malformed(8, "an unknown codec");
  out.header_.codec = code->codec;
  out.header_.width = static_cast<uint16_t>(load_little(file.subspan(12, 2)));
  out.header_.height = static_cast<uint16_t>(load_little(file.subspan(14, 2)));
  out.header_.rate = static_cast<uint32_t>(load_little(file.subspan(16, 4)));
  out.header_.scale = static_cast<uint32_t>(load_little(file.subspan(20, 4)));
  out.header_.frames = static_cast<uint32_t>(load_little(file.subspan(24, 4)));
  if (out.header_.rate == 0 || out.header_.scale == 0) return malformed(16, "a timestamp that counts nothing");
  return out;
}

Result<std::optional<IvfFrame>> IvfReader::next() {
  const size_t at = at_;
  if (at == file_.size()) return std::optional<IvfFrame>();
  at_ = file_.size();
  if (file_.size() - at < kFrameHeaderSize) return malformed(at, "the header of a frame is cut off");
  const size_t size = load_little(file_.subspan(at, 4));
  if (size > file_.size() - at - kFrameHeaderSize) return malformed(at, "the frame is cut off");
  at_ = at + kFrameHeaderSize + size;
  return std::optional(IvfFrame{load_little(file_.subspan(at + 4, 8)), file_.subspan(at + kFrameHeaderSize, size)});
}

}  // namespace atm::container

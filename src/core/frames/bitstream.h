// What an encoder puts out, cut into its pieces and looked at no further than needed: NAL units, OBUs, whether a frame
// is a key frame, and its size. For the packetizer, the assembler, and who writes files of frames. wire/payload looks
// at RTP payloads; this looks at whole frames. Gives nothing for what is cut off; never reads outside the view; copies
// nothing.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "base/bytes.h"
#include "base/codec.h"
#include "wire/payload/picture_size.h"

namespace atm::frames {

// How the NAL units of an access unit are told apart (ITU-T H.264 annex B; ISO/IEC 14496-15 5.3.4.2).
enum class H264Format : uint8_t { kAnnexB, kAvc };

inline constexpr size_t kAvcLengthSize = 4;  // bytes of a length; what encoders write

// The next NAL unit, without start code and without the zeros behind it, taken off `rest`; `rest` begins with a start
// code, or with zeros in front of one. Empty when `rest` is empty or no start code is there: then `rest` is as it was.
ByteView take_annex_b_unit(ByteView& rest);
// The same with a length of kAvcLengthSize bytes in front. Empty when it is cut off.
ByteView take_avc_unit(ByteView& rest);
inline ByteView take_nal_unit(H264Format format, ByteView& rest) {
  return format == H264Format::kAnnexB ? take_annex_b_unit(rest) : take_avc_unit(rest);
}
inline uint8_t nal_type_of(ByteView unit) {
  return unit[0] & 0x1F;
}

// AV1 bitstream specification 5.3
struct Obu {
  uint8_t type = 0;
  ByteView header;   // one byte, or two with the extension; has_size_field as it was found
  ByteView content;  // behind the size
};
inline constexpr uint8_t kObuHasSize = 0x02;
// The next OBU of a low-overhead bitstream (5.2), taken off `rest`. One without a size reaches to the end. Nothing
// when it is cut off.
std::optional<Obu> take_obu(ByteView& rest);

// AV1 bitstream specification 4.10.5: at most eight bytes, and here below 2^32. Turns `reader` bad when it is more.
uint32_t read_leb128(Reader& reader);
size_t leb128_size(uint64_t value);
// As many bytes as leb128_size() says.
void put_leb128(Bytes& out, uint64_t value);

// A decoder that knows nothing yet can begin with this frame:
// VP8   RFC 6386 9.1: the P bit of the frame tag
// VP9   VP9 bitstream specification 6.2: frame_type, of a frame that is not shown from the past
// H264  an IDR slice
// AV1   a sequence header in front of a key frame (7.5)
// Opus  always
bool is_key_frame(Codec codec, ByteView frame, H264Format format = H264Format::kAnnexB);

// What the headers of a key frame say; 0 x 0 when it is none or says nothing. Of AV1 the largest layer.
payload::PictureSize read_frame_size(Codec codec, ByteView frame, H264Format format = H264Format::kAnnexB);

}  // namespace atm::frames

// The AV1CodecConfigurationRecord (AV1 in ISO base media 2.3.3), which WebM and MP4 files begin their AV1 tracks with.
// For who writes such files: container::WebmVideo::codec_private.
#pragma once

#include "base/bytes.h"

namespace atm::frames {

// From a temporal unit that begins with a key frame. Empty when there is no sequence header, or a broken one.
Bytes make_av1_configuration(ByteView temporal_unit);

}  // namespace atm::frames

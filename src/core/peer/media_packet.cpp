#include "core/peer/media_packet.h"

namespace atm0s::peer {

bool is_forwarded(rtp::Extension extension) {
  switch (extension) {
    case rtp::Extension::kAudioLevel:
    case rtp::Extension::kVideoOrientation:
    case rtp::Extension::kPlayoutDelay:
    case rtp::Extension::kVideoContentType:
    case rtp::Extension::kColorSpace:
      return true;
    // About one hop, not about the media: they end here.
    case rtp::Extension::kMid:
    case rtp::Extension::kRid:
    case rtp::Extension::kRepairedRid:
    case rtp::Extension::kAbsSendTime:
    case rtp::Extension::kTransportCc:
    case rtp::Extension::kVideoTiming:
    case rtp::Extension::kTransmissionOffset:
    case rtp::Extension::kLayersAllocation:
    case rtp::Extension::kDependencyDescriptor:  // its frame numbers would break at a switch of source
      return false;
  }
  return false;
}

stream::KeptExtensions keep_extensions(const rtp::View& view, const rtp::ExtensionMap& ids) {
  stream::KeptExtensions kept;
  rtp::for_each_extension(view, [&](uint8_t id, ByteView value) {
    const auto extension = ids.at(id);
    if (extension && is_forwarded(*extension)) kept.add(*extension, value);
  });
  return kept;
}

}  // namespace atm0s::peer

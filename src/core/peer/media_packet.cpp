#include "core/peer/media_packet.h"

#include "core/negotiation/extension_policy.h"

namespace atm::peer {

stream::KeptExtensions keep_extensions(const rtp::View& view, const rtp::ExtensionMap& ids) {
  stream::KeptExtensions kept;
  rtp::for_each_extension(view, [&](uint8_t id, ByteView value) {
    const auto extension = ids.at(id);
    if (extension == rtp::Extension::kDependencyDescriptor) return;  // it goes with the payload
    if (extension && negotiation::is_forwarded(*extension)) kept.add(*extension, value);
  });
  return kept;
}

}  // namespace atm::peer

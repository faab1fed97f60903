// Which RTP header extensions an answer accepts, one line each with the reason. Read by answer.cpp and offer.cpp, and
// the source of the table in docs/policies.md. An extension that is not accepted is never sent to us.
#pragma once

#include "wire/rtp/extension.h"

namespace atm0s::negotiation {

struct ExtensionPolicy {
  rtp::Extension extension;
  bool is_accepted;
  const char* why;
};

inline constexpr ExtensionPolicy kExtensionPolicies[] = {
    {rtp::Extension::kMid, true, "finds the m-line of an SSRC that no a=ssrc names (RFC 9143 9.2)"},
    {rtp::Extension::kRid, true, "finds the simulcast layer of an SSRC (RFC 8853 5.5)"},
    {rtp::Extension::kRepairedRid, true, "finds the layer that an RTX stream repairs (RFC 8852 3.2)"},
    {rtp::Extension::kAudioLevel, true, "speaker ranking reads it, viewers get it as it is"},
    {rtp::Extension::kVideoOrientation, true, "a phone that turns is upright at its viewers; true of any hop"},
    {rtp::Extension::kPlayoutDelay, true, "the publisher's wish for the jitter buffer; true of any hop"},
    {rtp::Extension::kVideoContentType, true, "tells screen from camera; true of any hop"},
    {rtp::Extension::kColorSpace, true, "HDR and range of the picture; true of any hop"},
    {rtp::Extension::kTransportCc, false, "promises feedback to publishers that nobody sends yet"},
    {rtp::Extension::kAbsSendTime, false, "forwarded as it is, it would be the publisher's sending time, not ours"},
    {rtp::Extension::kTransmissionOffset, false, "as abs-send-time: true of one hop only"},
    {rtp::Extension::kVideoTiming, false, "statistics of the first hop only"},
    {rtp::Extension::kDependencyDescriptor, false, "its frame numbers break at a switch of source until rewritten"},
    {rtp::Extension::kLayersAllocation, false, "nobody reads it yet, and to viewers it says nothing true"},
};

constexpr bool is_accepted(rtp::Extension extension) {
  for (const ExtensionPolicy& policy : kExtensionPolicies) {
    if (policy.extension == extension) return policy.is_accepted;
  }
  return false;
}

}  // namespace atm0s::negotiation

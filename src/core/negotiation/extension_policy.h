// What is done with each RTP header extension, one line each with the reason. Answers and offers accept by it
// (answer.cpp, offer.cpp), core/peer forwards by it, and docs/policies.md shows it. An extension that is declined is
// never sent to us; one that a subscriber did not negotiate is stripped on the way to it.
#pragma once

#include "wire/rtp/extension.h"

namespace atm::negotiation {

enum class Treatment : uint8_t {
  kDecline,    // not negotiated
  kTerminate,  // negotiated and read here, never passed on: it is about one hop
  kForward,    // negotiated, and passed on with the packet
};

struct ExtensionPolicy {
  rtp::Extension extension;
  Treatment treatment;
  const char* why;
};

inline constexpr ExtensionPolicy kExtensionPolicies[] = {
    {rtp::Extension::kMid, Treatment::kTerminate,
     "finds the m-line of an SSRC that no a=ssrc names (RFC 9143 9.2); ours is written for viewers until they report"},
    {rtp::Extension::kRid, Treatment::kTerminate, "finds the simulcast layer of an SSRC (RFC 8853 5.5)"},
    {rtp::Extension::kRepairedRid, Treatment::kTerminate, "finds the layer that an RTX stream repairs (RFC 8852 3.2)"},
    {rtp::Extension::kAudioLevel, Treatment::kForward, "speaker ranking reads it, viewers get it as it is"},
    {rtp::Extension::kVideoOrientation, Treatment::kForward, "a phone that turns is upright at its viewers"},
    {rtp::Extension::kPlayoutDelay, Treatment::kForward,
     "the publisher's wish for the jitter buffer, unless the viewer's latency mode says another"},
    {rtp::Extension::kVideoContentType, Treatment::kForward, "tells screen from camera; true of any hop"},
    {rtp::Extension::kColorSpace, Treatment::kForward, "range and primaries of the picture; true of any hop"},
    {rtp::Extension::kTransportCc, Treatment::kTerminate,
     "numbers the packets of one hop, for feedback on their arrival; ours is written for viewers"},
    {rtp::Extension::kAbsSendTime, Treatment::kDecline,
     "forwarded as it is, it would be the publisher's sending time, not ours"},
    {rtp::Extension::kTransmissionOffset, Treatment::kDecline, "as abs-send-time: true of one hop only"},
    {rtp::Extension::kVideoTiming, Treatment::kDecline, "statistics of the first hop only"},
    {rtp::Extension::kDependencyDescriptor, Treatment::kForward,
     "layers of AV1 and others are chosen by it; viewers get its frame numbers and active decode targets rewritten"},
    {rtp::Extension::kLayersAllocation, Treatment::kTerminate,
     "which bitrates a publisher aims at, until they are measured; to viewers it says nothing true"},
};

constexpr Treatment treatment_of(rtp::Extension extension) {
  for (const ExtensionPolicy& policy : kExtensionPolicies) {
    if (policy.extension == extension) return policy.treatment;
  }
  return Treatment::kDecline;
}

constexpr bool is_accepted(rtp::Extension extension) {
  return treatment_of(extension) != Treatment::kDecline;
}
constexpr bool is_forwarded(rtp::Extension extension) {
  return treatment_of(extension) == Treatment::kForward;
}

}  // namespace atm::negotiation

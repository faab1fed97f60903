#include <cstdlib>

#include "wire/rtcp/packet.h"

// Walks every list of every packet; a list that yields more than the bytes can hold is a bug.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace atm;
  size_t steps = 0;
  rtcp::for_each_packet({data, size}, [&](const rtcp::Packet& packet) {
    ++steps;
    if (const auto* sr = std::get_if<rtcp::SenderReport>(&packet)) {
      for (const rtcp::ReportBlock block : sr->blocks) steps += block.cumulative_lost >= -0x800000;
    } else if (const auto* rr = std::get_if<rtcp::ReceiverReport>(&packet)) {
      for (const rtcp::ReportBlock block : rr->blocks) steps += block.cumulative_lost <= 0x7FFFFF;
    } else if (const auto* name = std::get_if<rtcp::SourceName>(&packet)) {
      if (name->cname.size() > 255) std::abort();
    } else if (const auto* bye = std::get_if<rtcp::Bye>(&packet)) {
      for (const uint32_t ssrc : bye->ssrcs) steps += ssrc != 0;
    } else if (const auto* fir = std::get_if<rtcp::Fir>(&packet)) {
      for (const rtcp::FirEntry entry : fir->entries) steps += entry.ssrc != 0;
    } else if (const auto* nack = std::get_if<rtcp::Nack>(&packet)) {
      nack->for_each_sequence([&](uint16_t) { ++steps; });
    } else if (const auto* remb = std::get_if<rtcp::Remb>(&packet)) {
      for (const uint32_t ssrc : remb->ssrcs) steps += ssrc != 0;
    } else if (const auto* report = std::get_if<rtcp::ExtendedReport>(&packet)) {
      ByteView blocks = report->blocks;
      while (const auto block = rtcp::take_extended_block(blocks)) {
        ++steps;
        if (const auto* delays = std::get_if<rtcp::DelaysSinceLastRr>(&*block)) steps += delays->size();
      }
    }
  });
  if (steps > size * 17 + 1) std::abort();
  return 0;
}

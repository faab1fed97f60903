// How well speech is heard, by the E-model (ITU-T G.107) from what a server knows of a stream: loss, its bursts, delay,
// bitrate, repair. Once a second for each audio receiver (gate.h says when to tell). Promises: the same inputs give the
// same result; it never gets better with more loss, burstiness or delay. What is simplified against G.107:
// - Only the terms Id (absolute delay) and Ie-eff (codec and loss) move; noise, loudness, side tone and echo stay at
// their
//   defaults (clause 7.7), A is 0. With nothing wrong R is 93.2.
// - Opus is rated on the narrow-band scale, so wide band earns nothing over it: 4.41 is the best.
// - G.113 has no values of Opus. Ie falls with the bitrate, by a table of this project that is set so that 32 kbit/s
//   is as good as G.711 (Ie 0) and 6 kbit/s somewhat worse than G.729A (Ie 11). Bpl is near that of codecs with
//   concealment (G.113 appendix I: 10 of GSM-EFR, 19 of G.729A, 25.1 of G.711 with concealment).
#pragma once

#include <cstdint>

#include "base/time.h"

namespace atm::quality {

// G.107 clause 7.7: R of a connection with all parameters at their defaults.
inline constexpr double kDefaultR = 93.2;
// Loss robustness of Opus: its concealment alone; with in-band FEC, or RED where copies could not be counted.
inline constexpr double kOpusBpl = 10;
inline constexpr double kOpusFecBpl = 20;
// Packetization and look-ahead of Opus with frames of 20 ms, and the sound card's buffers at both ends.
inline constexpr Duration kCodecDelay = 46ms;

struct AudioInput {
  double loss = 0;           // 0 to 1: packets that are not there when they are to be played, after all repair
  double mean_burst = 1;     // mean number of packets that are lost in a row, at least 1
  Duration round_trip{};     // between the two ends, all hops together
  Duration jitter_buffer{};  // of the listener
  uint32_t bitrate_bps = 0;  // of the codec; 0: not known, or DTX
  bool has_fec = false;      // in-band FEC, or RED
};

// The transmission rating, 0 to 93.2.
double rate_audio(const AudioInput& input);

// Its parts. G.107 (7-29): Ie-eff = Ie + (95 - Ie) * Ppl / (Ppl / BurstR + Bpl), Ppl in percent.
double effective_impairment(double ie, double loss_percent, double burst_ratio, double bpl);
// G.107 (7-27), (7-28) with the default delay sensitivity (sT 1, mT 100 ms): Idd.
double delay_impairment(Duration one_way);
// Ie of Opus at a bitrate, between the points of the table.
double opus_impairment(uint32_t bitrate_bps);
// Bursts as they are against those of random loss of the same rate: 1 for random loss, more for bursts.
double burst_ratio(double mean_burst, double loss);

// G.107 Annex B, in thousandths: 1,000 to 4,500.
uint32_t mos_of_rating(double r);

inline uint32_t audio_mos(const AudioInput& input) {
  return mos_of_rating(rate_audio(input));
}

}  // namespace atm::quality

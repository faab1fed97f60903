#include <algorithm>
#include <cstdlib>
#include <iterator>

#include "core/playout/audio_playout.h"
#include "core/playout/lip_sync.h"
#include "core/playout/video_playout.h"

namespace {

using namespace atm;
using namespace atm::playout;

void require(bool holds) {
  if (!holds) std::abort();
}

Delays read_delays(Reader& reader) {
  Delays delays;
  const uint8_t which = reader.u8();
  if (which & 1) delays.min = Duration(int64_t{reader.u16()} * 100);
  if (which & 2) delays.max = Duration(int64_t{reader.u16()} * 100);
  return delays;
}

struct Viewer {
  VideoPlayout video;
  AudioPlayout audio;
  LipSync sync;
  Instant now{1'000s};
  uint32_t video_timestamp = 0;
  uint32_t audio_timestamp = 0;
  uint16_t sequence = 0;
  uint64_t pushed = 0;
  uint64_t next_tag = 0;
  Instant last_render = Instant::min();
  uint32_t last_played = 0;
  bool has_played = false;
  uint64_t jumps = 0;

  // What comes out is what went in, in its order, none before the one ahead of it and none in the past.
  void take() {
    std::vector<DueFrame> due;
    video.take_due(now, due);
    for (const DueFrame& d : due) {
      require(d.frame.tag >= next_tag && d.frame.tag < pushed);
      next_tag = d.frame.tag + 1;
      require(d.render_at >= last_render && d.render_at >= now && d.render_at <= now + kMaxDelay);
      last_render = d.render_at;
    }
    require(video.next_timeout() > now);
    require(video.waiting() == 0 ? video.next_timeout() == kNever : video.next_timeout() <= now + kMaxDelay + 2s);
    require(video.waiting() <= kMaxFrames);
    const auto stats = video.stats();
    require(stats.jitter_buffer_emitted_count + stats.frames_dropped + video.waiting() == pushed);
  }

  void pull() {
    AudioStep step;
    unsigned skipped = 0;
    do {
      audio.pull(now, step);
      require(++skipped <= kMaxAudioPackets + 1);
    } while (step.action == AudioAction::kSkip);
    require(step.samples >= 1 && step.samples <= 5'760);
    require((step.action == AudioAction::kFec) == !step.fec.empty());
    require(audio.waiting() <= kMaxAudioPackets);
    const auto& stats = audio.stats();
    require(stats.silent_concealed_samples <= stats.concealed_samples);
    require(stats.concealed_samples <= stats.total_samples_received);
    require(audio.target_delay() >= Duration{} && audio.target_delay() <= kMaxDelay);
    // Timestamps go up as long as nothing begins anew.
    if (step.action != AudioAction::kPlay) return;
    require(stats.jumps != jumps || !has_played || is_newer(step.packet.rtp_timestamp, last_played));
    last_played = step.packet.rtp_timestamp;
    has_played = true;
    jumps = stats.jumps;
  }
};

}  // namespace

// A viewer of one peer and what comes, as the bytes say: time, frames, packets, jumps, reports, bounds.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  Viewer v;
  Reader reader({data, size});
  v.audio = AudioPlayout({read_delays(reader), reader.u8(), (reader.u8() & 1) != 0});
  v.sync.set_stream(1, 48'000, "ann");
  v.sync.set_stream(2, 90'000, "ann");
  while (reader.ok() && reader.left() > 0) {
    const uint8_t what = reader.u8();
    v.now += Duration(int64_t{reader.u8()} * (what & 0x80 ? 50'000 : 500));
    switch (what % 10) {
      case 0:
      case 1: {
        v.video_timestamp += what % 10 == 0 ? 3'000 : reader.u32();
        v.video.push({v.video_timestamp, v.now, v.now, (what & 0x40) != 0, v.pushed++, {}});
        break;
      }
      case 2:
      case 3:
      case 4: {
        AudioPacket packet{++v.sequence, 0, v.now, 960};
        if (what % 10 == 3) {
          packet.sequence = v.sequence = reader.u16();
          v.audio_timestamp += reader.u32();
        }
        if (what % 10 == 4) packet.samples = reader.u16();
        packet.is_dtx = (what & 0x40) != 0;
        packet.is_quiet = (what & 0x20) != 0;
        packet.has_fec = (what & 0x10) != 0;
        v.audio_timestamp += packet.samples;
        packet.rtp_timestamp = v.audio_timestamp;
        packet.payload.assign(8, what);
        v.audio.push(std::move(packet));
        break;
      }
      case 5:
        v.sequence = static_cast<uint16_t>(v.sequence + 1);  // lost
        v.audio_timestamp += 960;
        v.video_timestamp += 3'000;
        break;
      case 6:
        v.sync.on_sender_report(1 + (what >> 6 & 1), {uint64_t{reader.u32()} << 24, reader.u32()});
        break;
      case 7:
        v.video.set_delays(read_delays(reader), v.now);
        break;
      case 8:
        v.sync.set_stream(1 + (what >> 6 & 1), 90'000, (what & 0x20) != 0 ? "ann" : "bob");
        break;
      default:
        break;
    }
    v.sync.set_play_point(1, v.audio.play_point());
    v.sync.set_play_point(2, v.video.play_point());
    v.sync.on_timeout(v.now);
    for (const LipSync::StreamId id : {1u, 2u}) {
      require(v.sync.delay(id) >= Duration{} && v.sync.delay(id) <= kMaxDelay + 2s);
    }
    v.audio.set_sync_delay(v.sync.delay(1));
    v.video.set_sync_delay(v.sync.delay(2));
    if (what % 10 != 9 && (what & 0x08)) continue;
    v.take();
    v.pull();
  }
  return 0;
}

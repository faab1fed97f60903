// RTP packets of one SSRC into whole frames in decode order: for whoever decodes what it views or writes it to a file.
// core/stream has thrown out duplicates and unwrapped sequence numbers; here packets may come in any order and with
// holes that a retransmission fills later. A frame is handed out when all of it is there, everything before it was
// handed out or given up, and a decoder can decode it (continuity.h). What can no longer be completed goes when the
// caller says so, after AssemblerConfig::patience, or when a limit is reached.
//
//   assembler.on_packet(packet);                     // or give_up_before(), or on_timeout()
//   while (assembler.take(frame)) decode(frame);     // after each input, until there is none
//   if (assembler.wants_key_frame()) ask();          // how often is the caller's matter
//
// Opus: each packet is a frame, handed out at once, whatever is missing before it: who plays it puts it in order.
// H264 parameter sets have to come in the stream. No allocation per packet once buffers have grown.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "base/bytes.h"
#include "base/codec.h"
#include "base/counter_table.h"
#include "base/time.h"
#include "core/frames/continuity.h"
#include "core/frames/depacketizer.h"

namespace atm::frames {

// Two seconds of 10 Mbit/s; a frame of more packets cannot be completed. What libwebrtc holds too.
inline constexpr size_t kMaxHeldPackets = 2'048;
inline constexpr size_t kMaxHeldBytes = 4 * 1024 * 1024;  // of payload, of all packets held

struct AssemblerConfig {
  Codec codec = Codec::kVp8;
  // How long a hole is waited for when nobody gives it up. As long as a packet is asked for (stream::MissingList).
  Duration patience = 1'500ms;
  // The same when a key frame has begun to come behind it: retransmissions of a long way, and then the picture goes on.
  Duration key_patience = 500ms;
};

struct MediaPacket {
  int64_t sequence = 0;  // unwrapped
  uint32_t timestamp = 0;
  bool marker = false;
  ByteView payload = {};  // without padding; empty: only padding
  Instant arrived = {};
};

struct Frame {
  Codec codec = Codec::kVp8;
  uint32_t timestamp = 0;  // of RTP
  int64_t first_sequence = 0, last_sequence = 0;
  bool is_key = false;
  std::optional<uint8_t> temporal_layer;  // VP8, VP9
  // VP8: a frame; VP9: the frames of all spatial layers; H264: an access unit with start codes (ITU-T H.264 annex B);
  // AV1: a temporal unit with delimiter and sizes; Opus: a packet.
  Bytes bytes;
  Instant first_arrival, last_arrival;  // of its packets
};

struct AssemblerCounters {
  uint64_t packets = 0;
  uint64_t frames = 0;      // handed out
  uint64_t key_frames = 0;  // of them
  uint64_t late = 0;        // packets of what was handed out or given up
  uint64_t duplicates = 0;
  uint64_t overflows = 0;    // packets that went for kMaxHeldPackets or kMaxHeldBytes
  uint64_t given_up = 0;     // holes that nothing will fill
  uint64_t discarded = 0;    // packets of frames that were given up, or before a key frame that was waited for
  uint64_t malformed = 0;    // frames whose payloads contradict themselves
  uint64_t undecodable = 0;  // whole frames that refer to what was lost
};
inline constexpr CounterName<AssemblerCounters> kAssemblerCounterNames[] = {
    {&AssemblerCounters::packets, "packets"},       {&AssemblerCounters::frames, "frames"},
    {&AssemblerCounters::key_frames, "key_frames"}, {&AssemblerCounters::late, "late"},
    {&AssemblerCounters::duplicates, "duplicates"}, {&AssemblerCounters::overflows, "overflows"},
    {&AssemblerCounters::given_up, "given_up"},     {&AssemblerCounters::discarded, "discarded"},
    {&AssemblerCounters::malformed, "malformed"},   {&AssemblerCounters::undecodable, "undecodable"},
};
static_assert(names_all(kAssemblerCounterNames));

class Assembler {
 public:
  explicit Assembler(const AssemblerConfig& config);

  void on_packet(const MediaPacket& packet);
  // What is missing below `sequence` will not come.
  void give_up_before(int64_t sequence);
  // When a hole will have been waited for long enough; kNever when there is none that holds anything up.
  Instant next_timeout() const;
  void on_timeout(Instant now);

  // The next frame, its buffer reused. False: there is none now.
  bool take(Frame& out);
  // Nothing that is held, and nothing that is still to come, can be decoded without a new key frame. As of the last
  // take() that said no.
  bool wants_key_frame() const;

  size_t held_packets() const { return held_; }
  size_t held_bytes() const { return held_bytes_; }
  const AssemblerCounters& counters() const { return counters_; }

 private:
  struct Slot {
    bool is_held = false;
    bool marker = false;
    PayloadRole role;
    int64_t sequence = 0;
    uint32_t timestamp = 0;
    Instant arrived;
    Bytes payload;
  };
  Slot* find(int64_t sequence);
  std::optional<int64_t> find_from(int64_t sequence);
  bool may_begin(const Slot& slot) const;
  void make_room(int64_t sequence);
  void store(const MediaPacket& packet);
  void free(Slot& slot);
  void drop_before(int64_t sequence);
  bool take_opus(Frame& out);
  bool open_frame();
  bool extend_frame();
  bool close_frame(Frame& out);
  void on_hole(int64_t at);
  void lose_frame(int64_t next);
  void begin_seeking();
  void note_stall();
  bool has_key_behind_stall() const { return next_key_ && stalled_at_ && *next_key_ > *stalled_at_; }
  std::optional<int64_t> awaited() const;

  // given
  AssemblerConfig config_;
  // owned
  Depacketizer depacketizer_;
  Continuity continuity_;
  std::vector<Slot> slots_;  // by the lower bits of the sequence
  // state
  size_t held_ = 0, held_bytes_ = 0;
  std::optional<int64_t> floor_;  // everything below is done with
  int64_t newest_ = 0;            // held or done with
  int64_t given_up_before_ = 0;
  bool is_seeking_ = true;                // only a key frame helps
  std::optional<int64_t> key_start_;      // while seeking: the first packet of the first key frame held
  std::optional<int64_t> awaited_front_;  // the packet in front of it, when it may belong to its access unit
  bool needs_start_ = false;              // after a hole: the next packet need not be the first of a frame
  bool has_parameter_sets_ = false;       // H264: a key frame brought some
  bool is_open_ = false;                  // a frame is being collected: [begin_, cursor_) is there
  int64_t begin_ = 0, cursor_ = 0;
  std::optional<int64_t> next_key_;    // while not seeking: the first packet of the next key frame held
  std::optional<int64_t> stalled_at_;  // the packet that is waited for
  Instant stalled_since_ = kNever;     // since when it is known to be missing
  AssemblerCounters counters_;
};

}  // namespace atm::frames

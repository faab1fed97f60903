// Media in and out: sources that senders send, and frames that receivers give. A source is made by the application,
// fed from any thread, and may be given to a sender before or after it has begun; frames that nobody sends are dropped.
// One source may feed several senders, of several sessions. All classes are safe to use from any thread, and in
// handlers; frames and options are plain values. Levels of audio are dBov as in RFC 6464: 0 the loudest, -127 silent.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "atm0s/config.h"
#include "atm0s/result.h"

namespace atm0s {

// Of all times here.
using Clock = std::chrono::steady_clock;

// --- in ---------------------------------------------------------------------------------------------------------

// A picture of the application's own encoder. The bytes are copied by the push.
struct EncodedVideoFrame {
  // VP8, VP9: a frame; H264: an access unit with start codes (annex B); AV1: a temporal unit.
  std::span<const uint8_t> bytes;
  uint8_t layer = 0;                           // of simulcast: 0 the smallest picture
  std::optional<bool> is_key = {};             // nothing: as the bitstream says
  std::optional<uint8_t> temporal_layer = {};  // VP8, VP9
  Clock::time_point captured_at = {};          // zero: now. The same for all layers of one picture
};

// A packet of the application's own encoder. The bytes are copied by the push.
struct EncodedAudioFrame {
  std::span<const uint8_t> bytes;      // an Opus packet
  Clock::time_point captured_at = {};  // zero: now
  std::optional<int> level = {};       // how loud it is, dBov; nothing: mix-minus does not hear it
};

// What a sender sends: one of the classes below. Held by shared_ptr, of the application and of the senders.
class ATM0S_API MediaSource {
 public:
  virtual ~MediaSource();
  MediaSource(const MediaSource&) = delete;
  MediaSource& operator=(const MediaSource&) = delete;
  // Audio or video.
  MediaKind kind() const;

  class Impl;
  const std::shared_ptr<Impl>& impl() const { return impl_; }

 protected:
  explicit MediaSource(std::shared_ptr<Impl> impl);
  std::shared_ptr<Impl> impl_;
};

// Frames of the application's own encoder, a camera or a file.
class ATM0S_API EncodedVideoSource : public MediaSource {
 public:
  // `codec`: one of video.
  explicit EncodedVideoSource(Codec codec);
  ~EncodedVideoSource() override;

  // That it was made with.
  Codec codec() const;
  // Sends a frame. Without a connection it is dropped, which is no error. It goes out on another thread, so these
  // errors are of a frame before: INVALID_REQUEST, it was none of the codec, or of a layer that the sender has not;
  // UNSUPPORTED_CODEC, the session did not agree on the codec. Of this one: INVALID_REQUEST, it is empty.
  Result<void> push(const EncodedVideoFrame& frame);

  // Whether a viewer waits for a key frame of that layer; asking takes the request away. An encoder asks before each
  // frame.
  bool take_key_frame_request(uint8_t layer = 0);
  // bit/s that the layer's encoder is to make now; 0: nobody wants that layer, or it has no room.
  uint64_t target_bitrate(uint8_t layer = 0) const;
  // Instead of asking: called when the answers of the two above have changed, on the session's executor.
  void on_demand_changed(std::function<void()> handler);
};

// Opus packets of the application's own encoder, or a file.
class ATM0S_API EncodedAudioSource : public MediaSource {
 public:
  EncodedAudioSource();  // of Opus
  ~EncodedAudioSource() override;
  // Sends a packet; as EncodedVideoSource::push().
  Result<void> push(const EncodedAudioFrame& frame);
};

// How a PcmSource encodes.
struct PcmOptions {
  int channels = 1;           // 1 or 2, interleaved
  uint64_t bitrate = 32'000;  // bit/s of Opus
  bool dtx = false;           // send next to nothing in silence
  bool fec = true;            // copies for lost packets, when there is loss
  bool music = false;         // tuned for music instead of speech
};

// 48 kHz samples, encoded here. The SDK computes the audio level.
class ATM0S_API PcmSource : public MediaSource {
 public:
  // Options that the encoder does not take are told by push().
  explicit PcmSource(const PcmOptions& options = {});
  ~PcmSource() override;
  // Any number of samples (of all channels); goes out in frames of 20 ms, encoded by the thread that pushes. Push at
  // the pace at which they are captured: what is 100 ms off is taken for a pause. INVALID_REQUEST: the options are
  // wrong.
  Result<void> push(std::span<const int16_t> samples);
};

// --- out --------------------------------------------------------------------------------------------------------

// A frame that is due to be shown now. In decode order and whole; after one that is lost the next is a key frame.
struct VideoFrame {
  Codec codec = Codec::kVp8;         // may change when the receiver is switched, with a key frame
  bool is_key = false;               // decodes without those before
  uint32_t rtp_timestamp = 0;        // 90 kHz
  Clock::time_point render_at = {};  // when it is to be shown
  uint64_t number = 0;               // one more with each frame of the receiver
  std::vector<uint8_t> bytes;        // as EncodedVideoFrame::bytes
};

// An Opus packet that is due to be heard now, or what to do in its place.
struct AudioFrame {
  // What a decoder does.
  enum class Action : uint8_t {
    kDecode,      // the packet in these bytes
    kDecodeCopy,  // the packet before is lost: decode the copy of it (in-band FEC) in these bytes
    kConceal,     // lost: let the decoder make something up
    kSilence,     // nobody talks: play nothing
  };
  Action action = Action::kDecode;        // what to do
  uint32_t rtp_timestamp = 0;             // 48 kHz; of kDecode
  Clock::time_point play_at = {};         // when it is to be heard
  std::chrono::microseconds length = {};  // how long it plays
  std::vector<uint8_t> bytes;             // an Opus packet; empty: kConceal, kSilence
};

// Decoded audio: 48 kHz, 2 channels interleaved.
struct PcmFrame {
  Clock::time_point play_at = {};  // when its first sample is to be heard
  std::vector<int16_t> samples;    // left, right, left, …
};

}  // namespace atm0s

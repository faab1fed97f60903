// atm0s::gst, optional: cameras, microphones, screens and any GStreamer pipeline as sources of a session, and receivers
// played to a window, to speakers or into any sink. Over the API of session.h; link atm0s::gst, too.
//
//   auto camera = atm0s::gst::Source::camera();
//   if (!camera) return fail(camera.error());
//   config.senders = {camera->sender("video_main")};
//   atm0s::Session session({url}, config);
//   if (auto connected = session.connect(); !connected) return fail(connected.error());
//   if (auto started = camera->start(); !started) return fail(started.error());
//
// Pipelines are told as gst-launch-1.0 takes them; no type of GStreamer is needed. Threads: all methods may be called
// from any thread, and in handlers; objects are handles, copies mean the same thing, and the last one to go ends the
// pipeline: at most a second, then what hangs in a device is left to itself. Nothing throws.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "atm0s/session.h"

namespace atm0s::gst {

// How a Source's pictures are scaled and encoded.
struct VideoOptions {
  Codec codec = Codec::kVp8;  // of video
  // Pictures are scaled to this size, with borders where the shape is another one; 0 and 0: as they come.
  int width = 1280;
  int height = 720;          // with `width`
  int max_framerate = 30;    // pictures beyond are left out
  bool simulcast = false;    // three layers: a quarter, a half, and the size above, each from an encoder of its own
  uint64_t max_bitrate = 0;  // bit/s; 0: no cap
  ContentHint content_hint = ContentHint::kNone;  // what pictures are of: as SenderConfig has it
};

// How a Source's sound is encoded, by Opus.
struct AudioOptions {
  int channels = 1;           // 1 or 2
  uint64_t bitrate = 32'000;  // bit/s of Opus
  bool dtx = false;           // send next to nothing in silence
  bool fec = true;            // copies for lost packets
  bool music = false;         // tuned for music instead of speech
};

// A pipeline that ends in raw video or audio, and encoders behind it: each as fast as its viewers ask for, with a key
// frame when one waits for it; a layer that nobody wants is not encoded. All of them open their device at once:
// NOT_FOUND: no such device, or none that works. BUSY: another program has it. NOT_SUPPORTED: a plugin is missing; the
// message names the Debian package. INVALID_REQUEST: the pipeline or an option is wrong.
class ATM0S_API Source {
 public:
  // Of V4L2.
  static Result<Source> camera(const std::string& device = "/dev/video0", const VideoOptions& options = {});
  // Of X11; "": that of DISPLAY.
  static Result<Source> screen(const std::string& display = {}, const VideoOptions& options = {});
  // A moving picture, for trying things out.
  static Result<Source> test_video(const VideoOptions& options = {});
  // "videotestsrc is-live=true ! video/x-raw,framerate=15/1": one open end with raw pictures. One that is not live, a
  // file's, is played at its own pace.
  static Result<Source> video(const std::string& pipeline, const VideoOptions& options = {});

  // "": the system's; "hw:1,0", "plughw:…": of ALSA; else a source of PulseAudio or PipeWire.
  static Result<Source> microphone(const std::string& device = {}, const AudioOptions& options = {});
  // A tone, for trying things out.
  static Result<Source> test_audio(const AudioOptions& options = {});
  // As video(): one open end with raw sound.
  static Result<Source> audio(const std::string& pipeline, const AudioOptions& options = {});

  // What publishes it under that name: kind, source, codec, simulcast, bitrate and hint are filled in.
  SenderConfig sender(const std::string& name) const;
  // What that SenderConfig has as its source: for Sender::switch_to.
  std::shared_ptr<MediaSource> source() const;
  MediaKind kind() const;  // what it gives

  // Returns when the first picture or sound has come, or after a second; an error, when something went wrong by then.
  Result<void> start();
  // For good.
  void stop();
  // False: the pipeline has not come to its end within that time; one of a device never does.
  bool wait_end(std::chrono::milliseconds timeout) const;
  uint64_t frames(uint8_t layer = 0) const;  // encoded so far

  // What went wrong after the start: the device is unplugged, a file is broken. Called once at most, on a thread of the
  // pipeline's.
  void on_error(std::function<void(const Error&)> handler);
  std::optional<Error> error() const;  // the same, for who asks

  class ATM0S_LOCAL Impl;
  explicit Source(std::shared_ptr<Impl> impl) : impl_(std::move(impl)) {}

 private:
  std::shared_ptr<Impl> impl_;
};

// Where a Player plays to.
struct PlayerOptions {
  std::string video_sink = "autovideosink";  // a window; any pipeline that takes raw video
  std::string audio_sink = "autoaudiosink";  // speakers; any pipeline that takes raw audio
  // How long frames are kept beyond the time at which they are due: what decoding and the devices take.
  std::chrono::milliseconds latency = std::chrono::milliseconds(40);
};

// Plays what receivers give. Takes the receivers' handlers. Picture and sound of one player are in step as the SDK's
// playout clock has them.
class ATM0S_API Player {
 public:
  // NOT_FOUND: no display, or no speakers; else as Source.
  static Result<Player> open(std::optional<Receiver> video, std::optional<Receiver> audio = {},
                             const PlayerOptions& options = {});

  uint64_t video_frames() const;  // that were decoded
  uint64_t audio_frames() const;  // given to the speakers: pieces of 10 to 60 ms
  void close();                   // for good; the receivers' handlers are gone then

  // What went wrong after open(): the window was closed, a device is gone. Called once at most, on a thread of the
  // pipeline's.
  void on_error(std::function<void(const Error&)> handler);
  std::optional<Error> error() const;  // the same, for who asks

  class ATM0S_LOCAL Impl;
  explicit Player(std::shared_ptr<Impl> impl) : impl_(std::move(impl)) {}

 private:
  std::shared_ptr<Impl> impl_;
};

}  // namespace atm0s::gst

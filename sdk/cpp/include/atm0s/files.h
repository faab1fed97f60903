// Media files as sources, and receivers into media files, so that everything can be tried without a device. Any thread;
// reading and writing happen on a thread of the player's own, and on the session's executor. Both are handles: copies
// mean the same thing, and the last one that goes stops the player, or closes the file.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "atm0s/media.h"
#include "atm0s/result.h"
#include "atm0s/session.h"

namespace atm0s {

// How a file is played.
struct FilePlayerOptions {
  bool loop = false;  // begin again at the end
  // Where a viewer waits for a key frame: go on at the file's next one, which leaves frames out. Else it waits.
  bool skips_to_key_frames = false;
};

// Plays a file at its own pace into a source: .ivf (VP8, VP9, H264, AV1), .ogg or .opus (Opus), .wav (PCM 16, 48 kHz).
class ATM0S_API FilePlayer {
 public:
  // NOT_FOUND: it cannot be read. MEDIA_ERROR: it is none of these, or broken; the message says where.
  static Result<FilePlayer> open(const std::string& path, const FilePlayerOptions& options = {});
  // A file that is in memory already; `name` for its ending.
  static Result<FilePlayer> from_memory(std::vector<uint8_t> bytes, const std::string& name,
                                        const FilePlayerOptions& options = {});

  std::shared_ptr<MediaSource> source() const;  // for SenderConfig
  MediaKind kind() const;                       // of what is in the file
  Codec codec() const;                          // of what is sent: of a WAV, Opus

  void start();  // from the beginning; once
  void stop();   // for good; waits for its thread
  // False: it has not come to its end within that time; one that loops never does.
  bool wait_end(std::chrono::milliseconds timeout) const;
  uint64_t frames() const;  // played so far

  class ATM0S_LOCAL Impl;
  explicit FilePlayer(std::shared_ptr<Impl> impl) : impl_(std::move(impl)) {}

 private:
  std::shared_ptr<Impl> impl_;
};

// Writes what receivers give, as it comes: video into .ivf or .h264, audio into .ogg, .opus or .wav, either or both
// into .webm (VP8, VP9, AV1; Opus). Takes the receivers' handlers. A file that is not closed can be played, too.
class ATM0S_API FileRecorder {
 public:
  // INVALID_REQUEST: an ending that is none of these, or the wrong receivers for it. NOT_FOUND: it cannot be written.
  static Result<FileRecorder> open(const std::string& path, std::optional<Receiver> video,
                                   std::optional<Receiver> audio = {});
  uint64_t video_frames() const;  // written so far
  uint64_t audio_frames() const;  // packets, written so far
  // Completes the file: durations, index. The error of the first write that failed.
  Result<void> close();

  class ATM0S_LOCAL Impl;
  explicit FileRecorder(std::shared_ptr<Impl> impl) : impl_(std::move(impl)) {}

 private:
  std::shared_ptr<Impl> impl_;
};

}  // namespace atm0s

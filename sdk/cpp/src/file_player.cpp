// FilePlayer: a file in memory, and a thread that pushes its frames when they are due.
#include <condition_variable>
#include <fstream>
#include <iterator>
#include <mutex>
#include <thread>

#include "atm0s/files.h"
#include "convert.h"
#include "core/frames/bitstream.h"
#include "wire/container/ivf.h"
#include "wire/container/ogg_opus.h"
#include "wire/container/wav.h"

namespace atm0s {

namespace {

using std::chrono::microseconds;

Error broken(const atm::Error& error) {
  return {ErrorCode::kMediaError, error.why};
}

// One pass through a file. next(): pushes what is due `at` from the beginning; nothing at the end.
class Track {
 public:
  virtual ~Track() = default;
  virtual Result<bool> open() = 0;  // to the beginning
  // When the frame in hand is due; nothing: the end.
  virtual Result<std::optional<microseconds>> next() = 0;
  virtual Result<void> push(Clock::time_point captured_at) = 0;
  virtual microseconds length() const = 0;  // of what was played
  std::shared_ptr<MediaSource> source;
};

class IvfTrack final : public Track {
 public:
  IvfTrack(std::vector<uint8_t> bytes, bool skips) : bytes_(std::move(bytes)), skips_(skips) {}

  Result<bool> open() override {
    auto reader = atm::container::IvfReader::open(bytes_);
    if (!reader) return broken(reader.error());
    const auto& header = reader->header();
    if (header.rate == 0) return Error{ErrorCode::kMediaError, "IVF: a rate of 0"};
    unit_us_ = 1e6 * header.scale / header.rate;
    if (!video_) {
      video_ = std::make_shared<EncodedVideoSource>(to_public(header.codec));
      source = video_;
    }
    codec_ = header.codec;
    reader_.emplace(std::move(*reader));
    skipped_ = {};
    return true;
  }
  Result<std::optional<microseconds>> next() override {
    for (;;) {
      auto frame = reader_->next();
      if (!frame) return broken(frame.error());
      if (!*frame) return std::optional<microseconds>();
      const auto last = at_;
      at_ = microseconds(static_cast<int64_t>(static_cast<double>((*frame)->timestamp) * unit_us_));
      frame_ = (*frame)->bytes;
      const bool is_key = atm::frames::is_key_frame(codec_, frame_);
      if (skips_ && is_wanted_ && !is_key) {
        skipped_ += at_ - last;  // its time goes with it
        continue;
      }
      if (is_key) is_wanted_ = false;
      return std::optional(at_ - skipped_);
    }
  }
  Result<void> push(Clock::time_point captured_at) override {
    if (video_->take_key_frame_request()) is_wanted_ = !atm::frames::is_key_frame(codec_, frame_);
    return video_->push({.bytes = frame_, .captured_at = captured_at});
  }
  // A frame lasts as long as the one before.
  microseconds length() const override { return at_ - skipped_ + microseconds(static_cast<int64_t>(unit_us_)); }

 private:
  const std::vector<uint8_t> bytes_;
  const bool skips_;
  std::optional<atm::container::IvfReader> reader_;
  std::shared_ptr<EncodedVideoSource> video_;
  atm::Codec codec_ = atm::Codec::kVp8;
  double unit_us_ = 0;
  microseconds at_{}, skipped_{};
  atm::ByteView frame_;
  bool is_wanted_ = false;
};

class OggTrack final : public Track {
 public:
  explicit OggTrack(std::vector<uint8_t> bytes) : bytes_(std::move(bytes)) {}

  Result<bool> open() override {
    auto reader = atm::container::OggOpusReader::open(bytes_);
    if (!reader) return broken(reader.error());
    if (!audio_) {
      audio_ = std::make_shared<EncodedAudioSource>();
      source = audio_;
    }
    reader_.emplace(std::move(*reader));
    end_ = {};
    return true;
  }
  Result<std::optional<microseconds>> next() override {
    auto packet = reader_->next();
    if (!packet) return broken(packet.error());
    if (!*packet) return std::optional<microseconds>();
    packet_.assign((*packet)->bytes.begin(), (*packet)->bytes.end());
    const auto in_time = [](uint64_t samples) { return microseconds(static_cast<int64_t>(samples) * 1000 / 48); };
    end_ = in_time((*packet)->position + (*packet)->duration);
    return std::optional(in_time((*packet)->position));
  }
  Result<void> push(Clock::time_point captured_at) override {
    return audio_->push({.bytes = packet_, .captured_at = captured_at});
  }
  microseconds length() const override { return end_; }

 private:
  const std::vector<uint8_t> bytes_;
  std::optional<atm::container::OggOpusReader> reader_;
  std::shared_ptr<EncodedAudioSource> audio_;
  std::vector<uint8_t> packet_;
  microseconds end_{};
};

class WavTrack final : public Track {
 public:
  explicit WavTrack(std::vector<uint8_t> bytes) : bytes_(std::move(bytes)) {}

  Result<bool> open() override {
    auto reader = atm::container::WavReader::open(bytes_);
    if (!reader) return broken(reader.error());
    const auto& format = reader->format();
    if (format.sample_rate != 48'000 || format.channels > 2) {
      return Error{ErrorCode::kMediaError, "WAV: 48 kHz and one or two channels are wanted"};
    }
    if (!pcm_) {
      pcm_ = std::make_shared<PcmSource>(PcmOptions{.channels = format.channels});
      source = pcm_;
    }
    channels_ = format.channels;
    reader_.emplace(std::move(*reader));
    played_ = 0;
    return true;
  }
  Result<std::optional<microseconds>> next() override {
    samples_.resize(kPiece * channels_);
    samples_.resize(reader_->read(samples_));
    if (samples_.empty()) return std::optional<microseconds>();
    const auto at = microseconds(static_cast<int64_t>(played_) * 1000 / 48);
    played_ += samples_.size() / channels_;
    return std::optional(at);
  }
  Result<void> push(Clock::time_point) override { return pcm_->push(samples_); }
  microseconds length() const override { return microseconds(static_cast<int64_t>(played_) * 1000 / 48); }

 private:
  static constexpr size_t kPiece = 960;  // 20 ms
  const std::vector<uint8_t> bytes_;
  std::optional<atm::container::WavReader> reader_;
  std::shared_ptr<PcmSource> pcm_;
  std::vector<int16_t> samples_;
  size_t channels_ = 1;
  uint64_t played_ = 0;
};

}  // namespace

class FilePlayer::Impl {
 public:
  Impl(std::unique_ptr<Track> track, const FilePlayerOptions& options) : track_(std::move(track)), options_(options) {}
  ~Impl() { stop(); }

  void start() {
    const std::lock_guard lock(mutex_);
    if (thread_.joinable() || is_stopping_) return;
    thread_ = std::thread([this] { run(); });
  }
  void stop() {
    {
      const std::lock_guard lock(mutex_);
      is_stopping_ = true;
      changed_.notify_all();
    }
    if (!thread_.joinable()) return;
    if (thread_.get_id() == std::this_thread::get_id()) {
      thread_.detach();
    } else {
      thread_.join();
    }
  }
  bool wait_end(std::chrono::milliseconds timeout) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, timeout, [this] { return is_ended_; });
  }
  uint64_t frames() {
    const std::lock_guard lock(mutex_);
    return frames_;
  }
  const Track& track() const { return *track_; }

 private:
  // False: stopped.
  bool sleep_until(Clock::time_point at) {
    std::unique_lock lock(mutex_);
    changed_.wait_until(lock, at, [this] { return is_stopping_; });
    return !is_stopping_;
  }
  void run() {
    auto began = Clock::now();
    for (bool is_playing = true; is_playing;) {
      const auto due = track_->next();
      if (due && *due) {
        if (!sleep_until(began + **due)) break;
        static_cast<void>(track_->push(began + **due));  // what the session says of it is the sender's matter
        const std::lock_guard lock(mutex_);
        ++frames_;
        continue;
      }
      is_playing = due.ok() && options_.loop && track_->length() > microseconds(0);
      if (!is_playing) break;
      began += track_->length();
      is_playing = track_->open().ok();
    }
    const std::lock_guard lock(mutex_);
    is_ended_ = true;
    changed_.notify_all();
  }

  std::unique_ptr<Track> track_;
  const FilePlayerOptions options_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::thread thread_;
  bool is_stopping_ = false, is_ended_ = false;
  uint64_t frames_ = 0;
};

Result<FilePlayer> FilePlayer::from_memory(std::vector<uint8_t> bytes, const std::string& name,
                                           const FilePlayerOptions& options) {
  const auto ends = [&name](std::string_view with) { return name.ends_with(with); };
  std::unique_ptr<Track> track;
  if (ends(".ivf"))
    track = std::make_unique<IvfTrack>(std::move(bytes), options.skips_to_key_frames);
  else if (ends(".ogg") || ends(".opus"))
    track = std::make_unique<OggTrack>(std::move(bytes));
  else if (ends(".wav"))
    track = std::make_unique<WavTrack>(std::move(bytes));
  else
    return Error{ErrorCode::kMediaError, name + ": .ivf, .ogg, .opus or .wav is wanted"};
  if (auto opened = track->open(); !opened) {
    return Error{opened.error().code, name + ": " + opened.error().message};
  }
  return FilePlayer(std::make_shared<Impl>(std::move(track), options));
}

Result<FilePlayer> FilePlayer::open(const std::string& path, const FilePlayerOptions& options) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return Error{ErrorCode::kNotFound, path + " cannot be read"};
  std::vector<uint8_t> bytes{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  return from_memory(std::move(bytes), path, options);
}

std::shared_ptr<MediaSource> FilePlayer::source() const {
  return impl_->track().source;
}
MediaKind FilePlayer::kind() const {
  return impl_->track().source->kind();
}
Codec FilePlayer::codec() const {
  const auto video = std::dynamic_pointer_cast<EncodedVideoSource>(impl_->track().source);
  return video ? video->codec() : Codec::kOpus;
}
void FilePlayer::start() {
  impl_->start();
}
void FilePlayer::stop() {
  impl_->stop();
}
bool FilePlayer::wait_end(std::chrono::milliseconds timeout) const {
  return impl_->wait_end(timeout);
}
uint64_t FilePlayer::frames() const {
  return impl_->frames();
}

}  // namespace atm0s

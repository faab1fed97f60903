// FileRecorder: frames of receivers into a file, on the session's executor.
#include <fstream>
#include <mutex>

#include "atm0s/files.h"
#include "convert.h"
#include "core/frames/bitstream.h"
#include "session_impl.h"
#include "wire/container/ivf.h"
#include "wire/container/ogg_opus.h"
#include "wire/container/wav.h"
#include "wire/container/webm_writer.h"

namespace atm0s {

namespace {

enum class Format : uint8_t { kIvf, kH264, kOgg, kWav, kWebm };

std::optional<Format> format_of(const std::string& path) {
  if (path.ends_with(".ivf")) return Format::kIvf;
  if (path.ends_with(".h264")) return Format::kH264;
  if (path.ends_with(".ogg") || path.ends_with(".opus")) return Format::kOgg;
  if (path.ends_with(".wav")) return Format::kWav;
  if (path.ends_with(".webm")) return Format::kWebm;
  return std::nullopt;
}

}  // namespace

class FileRecorder::Impl : public std::enable_shared_from_this<FileRecorder::Impl> {
 public:
  Impl(std::string path, Format format, std::optional<Receiver> video, std::optional<Receiver> audio)
      : path_(std::move(path)),
        format_(format),
        video_(std::move(video)),
        audio_(std::move(audio)),
        file_(path_, std::ios::binary | std::ios::trunc) {}
  ~Impl() { static_cast<void>(close()); }

  bool is_open() const { return file_.is_open(); }
  void begin() {
    const std::weak_ptr<Impl> weak = weak_from_this();
    if (format_ == Format::kOgg) {
      ogg_.emplace(atm::container::OggOpusConfig{}, 1);
      ogg_->begin(bytes_);
    } else if (format_ == Format::kWav) {
      wav_.emplace(atm::container::WavFormat{});
      wav_->begin(bytes_);
    } else if (format_ == Format::kWebm && !video_) {
      begin_webm({});
    }
    write();
    if (video_)
      video_->on_video([weak](const VideoFrame& frame) {
        if (auto self = weak.lock()) self->on_video(frame);
      });
    if (!audio_) return;
    if (format_ == Format::kWav) {
      audio_->on_pcm([weak](const PcmFrame& frame) {
        if (auto self = weak.lock()) self->on_pcm(frame);
      });
    } else {
      audio_->on_audio([weak](const AudioFrame& frame) {
        if (auto self = weak.lock()) self->on_audio(frame);
      });
    }
  }

  uint64_t video_frames() {
    const std::lock_guard lock(mutex_);
    return video_frames_;
  }
  uint64_t audio_frames() {
    const std::lock_guard lock(mutex_);
    return audio_frames_;
  }
  Result<void> close() {
    if (video_) video_->on_video(nullptr);
    if (audio_) audio_->on_audio(nullptr), audio_->on_pcm(nullptr);
    const std::lock_guard lock(mutex_);
    if (!file_.is_open()) return result();
    if (ogg_) ogg_->finish(bytes_);
    std::vector<atm::container::FilePatch> patches;
    if (webm_) patches = webm_->finish(bytes_);
    write();
    if (ivf_) patch(0, ivf_->final_header());
    if (wav_) patch(0, wav_->final_header());
    for (const auto& one : patches) patch(one.at, one.bytes);
    file_.close();
    return result();
  }

 private:
  void on_video(const VideoFrame& frame) {
    const std::lock_guard lock(mutex_);
    if (!file_.is_open() || (video_frames_ == 0 && !frame.is_key)) return;
    const auto codec = to_engine(frame.codec);
    const auto size = atm::frames::read_frame_size(codec, frame.bytes);
    if (first_timestamp_ == std::nullopt) first_timestamp_ = frame.rtp_timestamp;
    const uint64_t ticks = frame.rtp_timestamp - *first_timestamp_;  // 90 kHz, 13 hours
    if (format_ == Format::kIvf) {
      if (!ivf_) {
        ivf_.emplace(atm::container::IvfHeader{
            .codec = codec, .width = static_cast<uint16_t>(size.width), .height = static_cast<uint16_t>(size.height)});
        ivf_->begin(bytes_);
      }
      ivf_->write(ticks, frame.bytes, bytes_);
    } else if (format_ == Format::kH264) {
      bytes_.insert(bytes_.end(), frame.bytes.begin(), frame.bytes.end());
    } else {
      if (!webm_) begin_webm(atm::container::WebmVideo{codec, size.width, size.height});
      webm_->write_video(time_of(frame.render_at), frame.is_key, frame.bytes, bytes_);
    }
    ++video_frames_;
    write();
  }
  void on_audio(const AudioFrame& frame) {
    const std::lock_guard lock(mutex_);
    if (!file_.is_open()) return;
    const bool has_packet = frame.action == AudioFrame::Action::kDecode;
    if (ogg_) {
      if (has_packet)
        ogg_->write(frame.bytes, bytes_);
      else
        ogg_->fill_gap(static_cast<uint64_t>(frame.length.count()) * 48 / 1000, bytes_);
    } else if (webm_ && has_packet) {
      webm_->write_audio(time_of(frame.play_at), frame.bytes, bytes_);
    }
    audio_frames_ += has_packet;
    write();
  }
  void on_pcm(const PcmFrame& frame) {
    const std::lock_guard lock(mutex_);
    if (!file_.is_open()) return;
    wav_->write(frame.samples, bytes_);
    ++audio_frames_;
    write();
  }
  // What the first frames say; audio before the first picture is left out.
  void begin_webm(std::optional<atm::container::WebmVideo> video) {
    atm::container::WebmConfig config;
    config.video = std::move(video);
    if (audio_) config.audio = atm::container::OpusHead{};
    webm_.emplace(config);
    webm_->begin(bytes_);
  }
  static atm::Duration time_of(Clock::time_point at) {
    return std::chrono::duration_cast<atm::Duration>(at.time_since_epoch());
  }
  void write() {
    file_.write(reinterpret_cast<const char*>(bytes_.data()), static_cast<std::streamsize>(bytes_.size()));
    bytes_.clear();
  }
  template <typename Range>
  void patch(uint64_t at, const Range& bytes) {
    file_.seekp(static_cast<std::streamoff>(at));
    file_.write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
  }
  Result<void> result() const {
    if (file_.fail()) return Error{ErrorCode::kNotFound, path_ + " cannot be written: no space, or no right"};
    return {};
  }

  const std::string path_;
  const Format format_;
  std::optional<Receiver> video_, audio_;
  std::mutex mutex_;
  std::ofstream file_;
  std::optional<atm::container::IvfWriter> ivf_;
  std::optional<atm::container::OggOpusWriter> ogg_;
  std::optional<atm::container::WavWriter> wav_;
  std::optional<atm::container::WebmWriter> webm_;
  std::optional<uint32_t> first_timestamp_;
  atm::Bytes bytes_;
  uint64_t video_frames_ = 0, audio_frames_ = 0;
};

Result<FileRecorder> FileRecorder::open(const std::string& path, std::optional<Receiver> video,
                                        std::optional<Receiver> audio) {
  const auto format = format_of(path);
  if (!format) return Error{ErrorCode::kInvalidRequest, path + ": .ivf, .h264, .ogg, .opus, .wav or .webm is wanted"};
  const bool takes_video = *format == Format::kIvf || *format == Format::kH264 || *format == Format::kWebm;
  const bool takes_audio = *format == Format::kOgg || *format == Format::kWav || *format == Format::kWebm;
  if ((!video && !audio) || (video && !takes_video) || (audio && !takes_audio)) {
    return Error{ErrorCode::kInvalidRequest, path + ": such a file takes other receivers"};
  }
  if ((video && video->kind() != MediaKind::kVideo) || (audio && audio->kind() != MediaKind::kAudio)) {
    return Error{ErrorCode::kInvalidRequest, "a receiver of the other kind"};
  }
  auto impl = std::make_shared<Impl>(path, *format, std::move(video), std::move(audio));
  if (!impl->is_open()) return Error{ErrorCode::kNotFound, path + " cannot be written"};
  impl->begin();
  return FileRecorder(std::move(impl));
}

uint64_t FileRecorder::video_frames() const {
  return impl_->video_frames();
}
uint64_t FileRecorder::audio_frames() const {
  return impl_->audio_frames();
}
Result<void> FileRecorder::close() {
  return impl_->close();
}

}  // namespace atm0s

#include "branches.h"

#include <algorithm>

#include "parts.h"
#include "problem.h"

namespace atm0s::gst {

namespace {

constexpr int kLargestSide = 16'384;
constexpr int kMostFramerate = 240;

// Names of elements that an application's pipeline hardly has.
std::string name_of(const char* what, int layer) {
  return std::string("atm0s-") + what + "-" + std::to_string(layer);
}

Held<GstElement> find(GstBin* bin, const std::string& name) {
  return Held<GstElement>(gst_bin_get_by_name(bin, name.c_str()));
}

Held<GstPad> out_of_queue(GstBin* bin, int layer) {
  return pad_of(find(bin, name_of("queue", layer)).get(), "src");
}

int layers_of(const VideoOptions& options) {
  return options.simulcast ? kMostLayers : 1;
}

std::string appsink(int layer, bool sync) {
  return " ! appsink async=false max-buffers=100 sync=" + std::string(sync ? "true" : "false") +
         " name=" + name_of("sink", layer);
}

}  // namespace

Result<void> check(const VideoOptions& options) {
  const auto wrong = [](const char* why) { return Error{ErrorCode::kInvalidRequest, why}; };
  const bool has_size = options.width > 0 && options.height > 0;
  if (!has_size && (options.width != 0 || options.height != 0)) return wrong("a width and a height, or none");
  if (options.width > kLargestSide || options.height > kLargestSide) return wrong("too large a picture");
  if (options.simulcast && !has_size) return wrong("simulcast needs a width and a height");
  if (options.max_framerate <= 0 || options.max_framerate > kMostFramerate) return wrong("max_framerate: 1 to 240");
  return {};
}

Result<void> check(const AudioOptions& options) {
  if (options.channels != 1 && options.channels != 2) return Error{ErrorCode::kInvalidRequest, "one or two channels"};
  if (options.bitrate < 6'000 || options.bitrate > 510'000) {  // RFC 6716 2.1.1
    return Error{ErrorCode::kInvalidRequest, "Opus has 6000 to 510000 bit/s"};
  }
  return {};
}

std::string size_caps(const VideoOptions& options, int divisor) {
  if (options.width == 0) return "";
  const auto side = [divisor](int length) { return std::to_string(std::max(2, length / divisor / 2 * 2)); };
  return ",width=" + side(options.width) + ",height=" + side(options.height) + ",pixel-aspect-ratio=1/1";
}

// A picture that waits for an encoder gives way to the next one: what is late is left out, at the start.
Result<std::string> describe_video(const VideoOptions& options, bool sync) {
  std::string out = "videoconvert name=atm0s-raw ! videoscale add-borders=true ! video/x-raw,format=I420" +
                    size_caps(options, 1) + " ! tee name=atm0s-tee";
  for (int layer = 0; layer < layers_of(options); ++layer) {
    auto encoder = video_encoder(options.codec, options.content_hint, name_of("encoder", layer));
    if (!encoder) return encoder.error();
    out += " atm0s-tee. ! queue max-size-buffers=2 max-size-bytes=0 max-size-time=0 leaky=downstream name=" +
           name_of("queue", layer);
    const int divisor = 1 << (layers_of(options) - 1 - layer);
    if (divisor > 1) out += " ! videoscale ! video/x-raw,format=I420" + size_caps(options, divisor);
    out += " ! " + *encoder + appsink(layer, sync);
  }
  return out;
}

std::vector<std::shared_ptr<VideoFeed>> connect_video(GstBin* bin, const VideoOptions& options,
                                                      const std::shared_ptr<EncodedVideoSource>& source) {
  std::vector<std::shared_ptr<VideoFeed>> out;
  for (int layer = 0; layer < layers_of(options); ++layer) {
    auto feed = std::make_shared<VideoFeed>(source, static_cast<uint8_t>(layer));
    VideoFeed::control(feed, out_of_queue(bin, layer).get(), find(bin, name_of("encoder", layer)).get());
    VideoFeed::take(feed, GST_APP_SINK(find(bin, name_of("sink", layer)).get()));
    out.push_back(std::move(feed));
  }
  return out;
}

Result<std::string> describe_audio(const AudioOptions& options, bool sync) {
  if (auto there = check_elements({"opusenc"}); !there) return there.error();
  return "audioconvert name=atm0s-raw ! audioresample ! "
         "audio/x-raw,format=S16LE,rate=48000,layout=interleaved,channels=" +
         std::to_string(options.channels) +
         " ! queue max-size-time=200000000 max-size-buffers=0 max-size-bytes=0 leaky=downstream name=" +
         name_of("queue", 0) + " ! " + audio_encoder({options.bitrate, options.dtx, options.fec, options.music}) +
         appsink(0, sync);
}

std::shared_ptr<AudioFeed> connect_audio(GstBin* bin, const std::shared_ptr<EncodedAudioSource>& source) {
  auto feed = std::make_shared<AudioFeed>(source);
  AudioFeed::measure(feed, out_of_queue(bin, 0).get());
  AudioFeed::take(feed, GST_APP_SINK(find(bin, name_of("sink", 0)).get()));
  return feed;
}

}  // namespace atm0s::gst

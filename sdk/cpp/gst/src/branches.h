// The piece of a pipeline from raw media to a source of a session: a branch for each layer with its own scaler, encoder
// and appsink. Described as text, then found again and connected to the source. For Source and atm0ssink.
#pragma once

#include <gst/gst.h>

#include <memory>
#include <string>
#include <vector>

#include "atm0s/gst.h"
#include "feed.h"

namespace atm0s::gst {

inline constexpr int kMostLayers = 3;  // of a sender with simulcast

// INVALID_REQUEST, or nothing.
Result<void> check(const VideoOptions& options);
Result<void> check(const AudioOptions& options);

// "width=640,height=360,pixel-aspect-ratio=1/1" behind a comma, even numbers; "" without a size.
std::string size_caps(const VideoOptions& options, int divisor);

// Takes raw pictures, first of all into the element "atm0s-raw". `sync`: whether the appsinks wait for a frame's time.
Result<std::string> describe_video(const VideoOptions& options, bool sync);
// The feeds of the branches in `bin`, from layer 0 on.
std::vector<std::shared_ptr<VideoFeed>> connect_video(GstBin* bin, const VideoOptions& options,
                                                      const std::shared_ptr<EncodedVideoSource>& source);

Result<std::string> describe_audio(const AudioOptions& options, bool sync);
std::shared_ptr<AudioFeed> connect_audio(GstBin* bin, const std::shared_ptr<EncodedAudioSource>& source);

}  // namespace atm0s::gst

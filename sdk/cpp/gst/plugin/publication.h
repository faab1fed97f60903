// One pad of atm0ssink: a queue, and behind it, once the caps are known, what makes frames of a session's source of it.
#pragma once

#include <gst/gst.h>

#include <functional>
#include <memory>
#include <string>

#include "atm0s/gst.h"
#include "handle.h"

namespace atm0s::gst {

// As the element's properties have it.
struct PublicationOptions {
  SenderConfig sender;           // name, kind, simulcast, max_bitrate, label
  Codec codec = Codec::kVp8;     // of raw video
  bool controls_encoder = true;  // passes bitrates on to the encoder in front
};

class Publication {
 public:
  // `publish`: called on a streaming thread, once the source is there; false: it was refused.
  using Publish = std::function<bool(SenderConfig)>;
  // Adds its elements to `bin`. `options`: asked when the caps come.
  Publication(GstBin* bin, std::function<PublicationOptions()> options, Publish publish);
  ~Publication();
  Publication(const Publication&) = delete;
  Publication& operator=(const Publication&) = delete;

  // Where a ghost pad leads to.
  Held<GstPad> entry() const;

  class State;

 private:
  const std::shared_ptr<State> state_;
};

}  // namespace atm0s::gst

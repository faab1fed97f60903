// A media source (media.h) between the application, which pushes from any thread, and the senders that send it, which
// live on the network thread.
#pragma once

#include <array>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "atm0s/media.h"
#include "client/publisher.h"
#include "strand.h"

namespace atm0s {

// A frame on its way to the network thread, with bytes of its own.
struct PushedFrame {
  atm::client::OutgoingFrame frame;
  std::shared_ptr<const std::vector<uint8_t>> bytes;
};

// Where frames go: a sender of a session.
class FrameSink {
 public:
  virtual ~FrameSink() = default;
  // From any thread.
  virtual void push(PushedFrame frame) = 0;
};

class ATM0S_LOCAL MediaSource::Impl {
 public:
  Impl(MediaKind kind, Codec codec) : kind_(kind), codec_(codec) {}

  MediaKind kind() const { return kind_; }
  Codec codec() const { return codec_; }

  Result<void> push(PushedFrame frame, std::span<const uint8_t> bytes);
  bool take_key_frame_request(uint8_t layer);
  uint64_t target_bitrate(uint8_t layer);
  void on_demand_changed(std::function<void()> handler);

  // By senders. A source that several send obeys the last word of any of them.
  void attach(const std::shared_ptr<FrameSink>& sink, const std::shared_ptr<Strand>& strand);
  void detach(const FrameSink* sink);
  void want_key_frame(uint8_t layer);
  void set_targets(const std::vector<uint64_t>& layer_bps);
  void set_error(std::optional<Error> error);

 private:
  void tell_demand();

  const MediaKind kind_;
  const Codec codec_;
  std::mutex mutex_;
  std::vector<std::weak_ptr<FrameSink>> sinks_;
  std::weak_ptr<Strand> strand_;
  std::function<void()> demand_handler_;
  std::array<bool, atm::client::kMaxSimulcastLayers> key_wanted_{};
  std::array<uint64_t, atm::client::kMaxSimulcastLayers> targets_{};
  bool has_targets_ = false;
  std::optional<Error> error_;  // of a frame that was pushed before
};

}  // namespace atm0s

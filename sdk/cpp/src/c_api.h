// Between the C API (atm0s.h) and the C++ API that it stands on: what is behind its handles, and its values. For the
// other files c_api*.cpp. Nothing here is called with a NULL but where it says so.
#pragma once

#include <cstring>
#include <string>
#include <vector>

#include "atm0s/atm0s.h"
#include "atm0s/session.h"

struct ATM0S_LOCAL atm0s_session {
  atm0s::Session session;
};
// The kind of source that it is; the other two are nothing.
struct ATM0S_LOCAL atm0s_source {
  std::shared_ptr<atm0s::EncodedVideoSource> video = {};
  std::shared_ptr<atm0s::EncodedAudioSource> audio = {};
  std::shared_ptr<atm0s::PcmSource> pcm = {};

  std::shared_ptr<atm0s::MediaSource> any() const {
    if (video) return video;
    if (audio) return audio;
    return pcm;
  }
};
struct ATM0S_LOCAL atm0s_sender {
  atm0s::Sender sender;
};
struct ATM0S_LOCAL atm0s_publisher {
  atm0s::Publisher publisher;
};
struct ATM0S_LOCAL atm0s_receiver {
  atm0s::Receiver receiver;
};
struct ATM0S_LOCAL atm0s_consumer {
  atm0s::Consumer consumer;
};

namespace atm0s::c {

// An event or a frame that points to what it holds itself: not copied, not moved.
struct OwnedEvent : atm0s_event {
  explicit OwnedEvent(const Event& happened);
  OwnedEvent(const OwnedEvent&) = delete;
  OwnedEvent& operator=(const OwnedEvent&) = delete;

 private:
  struct Filler;
  const Event kept_;
  std::vector<atm0s_heard> heard_, sources_;
};

struct OwnedFrame : atm0s_frame {
  explicit OwnedFrame(VideoFrame frame);
  explicit OwnedFrame(AudioFrame frame);
  explicit OwnedFrame(PcmFrame frame);
  OwnedFrame(const OwnedFrame&) = delete;
  OwnedFrame& operator=(const OwnedFrame&) = delete;

 private:
  std::vector<uint8_t> bytes_;
  std::vector<int16_t> samples_;
};

// One of these, too.
struct OwnedStream : atm0s_stream {
  explicit OwnedStream(const RemoteStream& stream);
  OwnedStream(const OwnedStream&) = delete;
  OwnedStream& operator=(const OwnedStream&) = delete;

 private:
  const StreamInfo kept_;
};

// Fill in `out`, which may be NULL, and answer its code.
atm0s_code fail(atm0s_error* out, ErrorCode code, const std::string& message);
atm0s_code fail(atm0s_error* out, const Error& error);
atm0s_code answer(atm0s_error* out, const Result<void>& result);
// Of an operation: waited for, at most so long; 0: not at all.
atm0s_code answer(atm0s_error* out, const Operation& operation, uint32_t timeout_ms);
atm0s_code to_c(ErrorCode code);

// An error where a field is none of the values that it may have.
Result<SenderConfig> to_cpp(const atm0s_sender_config& config);
Result<SessionConfig> to_cpp(const atm0s_session_config& config);
Result<RuntimeOptions> to_cpp(const atm0s_runtime_options& options);
ReceiverLimit to_cpp(const atm0s_receiver_limit& limit);
inline MediaKind to_cpp(atm0s_kind kind) {
  return kind == ATM0S_VIDEO ? MediaKind::kVideo : MediaKind::kAudio;
}

// "" for NULL.
inline std::string text_of(const char* text) {
  return text == nullptr ? std::string() : std::string(text);
}

// A struct that the application filled in, also one of an older or a newer header, over the values of this one's _INIT.
template <typename Struct>
Struct known_part(const Struct* given, Struct initial) {
  if (given == nullptr) return initial;
  const size_t size = std::min(given->struct_size, sizeof(Struct));
  std::memcpy(static_cast<void*>(&initial), given, size);
  initial.struct_size = sizeof(Struct);
  return initial;
}

}  // namespace atm0s::c

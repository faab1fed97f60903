// The C API (atm0s.h): sources, senders, receivers.
#include "c_api.h"

using atm0s::Error;
using atm0s::ErrorCode;
using atm0s::c::answer;
using atm0s::c::fail;
using atm0s::c::known_part;
using atm0s::c::OwnedFrame;
using atm0s::c::text_of;
using atm0s::c::to_cpp;

namespace {

const Error kNoHandle{ErrorCode::kInvalidRequest, "no sender or receiver is given"};
const Error kOtherSource{ErrorCode::kInvalidRequest, "no source is given, or one of another sort"};

atm0s::Clock::time_point time_of(int64_t microseconds) {
  return atm0s::Clock::time_point(std::chrono::microseconds(microseconds));
}

// A handler of C++ that calls one of C; none for none.
template <typename Frame>
std::function<void(const Frame&)> calling(atm0s_frame_handler handler, void* user) {
  if (handler == nullptr) return nullptr;
  return [handler, user](const Frame& frame) {
    const OwnedFrame seen{Frame(frame)};
    handler(&seen, user);
  };
}

template <typename Frame>
atm0s_frame* given(atm0s::Result<Frame> frame, atm0s_error* error) {
  if (!frame) return fail(error, frame.error()), nullptr;
  return new OwnedFrame(std::move(*frame));
}

}  // namespace

extern "C" {

// --- sources ----------------------------------------------------------------------------------------------------

atm0s_source* atm0s_source_encoded_video(atm0s_codec codec) {
  if (codec <= ATM0S_OPUS || codec > ATM0S_AV1) return nullptr;
  return new atm0s_source{.video = std::make_shared<atm0s::EncodedVideoSource>(static_cast<atm0s::Codec>(codec))};
}

atm0s_source* atm0s_source_encoded_audio(void) {
  return new atm0s_source{.audio = std::make_shared<atm0s::EncodedAudioSource>()};
}

atm0s_source* atm0s_source_pcm(const atm0s_pcm_options* options) {
  const atm0s_pcm_options wanted = known_part(options, atm0s_pcm_options ATM0S_PCM_OPTIONS_INIT);
  atm0s::PcmOptions out;
  out.channels = wanted.channels;
  out.bitrate = wanted.bitrate;
  out.dtx = wanted.dtx;
  out.fec = wanted.fec;
  out.music = wanted.music;
  return new atm0s_source{.pcm = std::make_shared<atm0s::PcmSource>(out)};
}

void atm0s_source_free(atm0s_source* source) {
  delete source;
}

atm0s_code atm0s_source_push_video(atm0s_source* source, const uint8_t* bytes, size_t size,
                                   const atm0s_video_info* info, atm0s_error* error) {
  if (source == nullptr || !source->video) return fail(error, kOtherSource);
  const atm0s_video_info known = known_part(info, atm0s_video_info ATM0S_VIDEO_INFO_INIT);
  atm0s::EncodedVideoFrame frame;
  if (bytes != nullptr) frame.bytes = {bytes, size};
  frame.layer = known.layer;
  if (known.is_key >= 0) frame.is_key = known.is_key != 0;
  if (known.temporal_layer >= 0) frame.temporal_layer = static_cast<uint8_t>(known.temporal_layer);
  frame.captured_at = time_of(known.captured_at_us);
  return answer(error, source->video->push(frame));
}

atm0s_code atm0s_source_push_audio(atm0s_source* source, const uint8_t* bytes, size_t size,
                                   const atm0s_audio_info* info, atm0s_error* error) {
  if (source == nullptr || !source->audio) return fail(error, kOtherSource);
  const atm0s_audio_info known = known_part(info, atm0s_audio_info ATM0S_AUDIO_INFO_INIT);
  atm0s::EncodedAudioFrame frame;
  if (bytes != nullptr) frame.bytes = {bytes, size};
  if (known.level <= 0) frame.level = known.level;
  frame.captured_at = time_of(known.captured_at_us);
  return answer(error, source->audio->push(frame));
}

atm0s_code atm0s_source_push_pcm(atm0s_source* source, const int16_t* samples, size_t count, atm0s_error* error) {
  if (source == nullptr || !source->pcm || (samples == nullptr && count > 0)) return fail(error, kOtherSource);
  return answer(error, source->pcm->push({samples, count}));
}

bool atm0s_source_take_key_frame_request(atm0s_source* source, uint8_t layer) {
  return source != nullptr && source->video && source->video->take_key_frame_request(layer);
}

uint64_t atm0s_source_target_bitrate(const atm0s_source* source, uint8_t layer) {
  return source != nullptr && source->video ? source->video->target_bitrate(layer) : 0;
}

void atm0s_source_on_demand_changed(atm0s_source* source, atm0s_demand_handler handler, void* user) {
  if (source == nullptr || !source->video) return;
  if (handler == nullptr) return source->video->on_demand_changed(nullptr);
  source->video->on_demand_changed([handler, user] { handler(user); });
}

// --- senders ----------------------------------------------------------------------------------------------------

atm0s_sender* atm0s_session_sender(atm0s_session* session, const char* name) {
  if (session == nullptr) return nullptr;
  auto sender = session->session.sender(text_of(name));
  return sender ? new atm0s_sender{std::move(*sender)} : nullptr;
}

atm0s_sender* atm0s_session_create_sender(atm0s_session* session, const atm0s_sender_config* config,
                                          atm0s_error* error) {
  if (session == nullptr || config == nullptr) return fail(error, kNoHandle), nullptr;
  auto wanted = to_cpp(known_part(config, atm0s_sender_config ATM0S_SENDER_CONFIG_INIT));
  if (!wanted) return fail(error, wanted.error()), nullptr;
  auto sender = session->session.create_sender(std::move(*wanted));
  if (!sender) return fail(error, sender.error()), nullptr;
  return new atm0s_sender{std::move(*sender)};
}

void atm0s_sender_free(atm0s_sender* sender) {
  delete sender;
}

atm0s_code atm0s_sender_switch(atm0s_sender* sender, const atm0s_source* source, const char* label, uint32_t timeout_ms,
                               atm0s_error* error) {
  if (sender == nullptr) return fail(error, kNoHandle);
  std::optional<std::string> wanted;
  if (label != nullptr) wanted = label;
  return answer(error, sender->sender.switch_to(source == nullptr ? nullptr : source->any(), std::move(wanted)),
                timeout_ms);
}

atm0s_code atm0s_sender_stop(atm0s_sender* sender, uint32_t timeout_ms, atm0s_error* error) {
  return sender == nullptr ? fail(error, kNoHandle) : answer(error, sender->sender.stop(), timeout_ms);
}

atm0s_sender_state atm0s_sender_get_state(const atm0s_sender* sender) {
  return sender == nullptr ? ATM0S_SENDER_CLOSED : static_cast<atm0s_sender_state>(sender->sender.state());
}

const char* atm0s_sender_name(const atm0s_sender* sender) {
  return sender == nullptr ? "" : sender->sender.name().c_str();
}

// --- receivers --------------------------------------------------------------------------------------------------

atm0s_receiver* atm0s_session_create_receiver(atm0s_session* session, atm0s_kind kind) {
  return session == nullptr ? nullptr : new atm0s_receiver{session->session.create_receiver(to_cpp(kind))};
}

atm0s_receiver* atm0s_session_take_receiver(atm0s_session* session, atm0s_kind kind) {
  return session == nullptr ? nullptr : new atm0s_receiver{session->session.take_receiver(to_cpp(kind))};
}

void atm0s_session_give_back(atm0s_session* session, atm0s_receiver* receiver) {
  if (session != nullptr && receiver != nullptr) session->session.back_receiver(receiver->receiver);
  delete receiver;
}

void atm0s_receiver_free(atm0s_receiver* receiver) {
  delete receiver;
}

const char* atm0s_receiver_id(const atm0s_receiver* receiver) {
  return receiver == nullptr ? "" : receiver->receiver.id().c_str();
}

atm0s_receiver_state atm0s_receiver_get_state(const atm0s_receiver* receiver) {
  return receiver == nullptr ? ATM0S_RECEIVER_NO_SOURCE : static_cast<atm0s_receiver_state>(receiver->receiver.state());
}

atm0s_code atm0s_receiver_view(atm0s_receiver* receiver, const char* peer, const char* stream, uint32_t priority,
                               uint32_t timeout_ms, atm0s_error* error) {
  if (receiver == nullptr) return fail(error, kNoHandle);
  return answer(error, receiver->receiver.switch_to({text_of(peer), text_of(stream)}, priority), timeout_ms);
}

atm0s_code atm0s_receiver_set_limit(atm0s_receiver* receiver, const atm0s_receiver_limit* limit, uint32_t timeout_ms,
                                    atm0s_error* error) {
  if (receiver == nullptr || limit == nullptr) return fail(error, kNoHandle);
  return answer(error, receiver->receiver.limit(to_cpp(*limit)), timeout_ms);
}

atm0s_code atm0s_receiver_disconnect(atm0s_receiver* receiver, uint32_t timeout_ms, atm0s_error* error) {
  return receiver == nullptr ? fail(error, kNoHandle) : answer(error, receiver->receiver.disconnect(), timeout_ms);
}

void atm0s_receiver_request_key_frame(atm0s_receiver* receiver) {
  if (receiver != nullptr) receiver->receiver.request_key_frame();
}

atm0s_frame* atm0s_receiver_read_video(atm0s_receiver* receiver, uint32_t timeout_ms, atm0s_error* error) {
  if (receiver == nullptr) return fail(error, kNoHandle), nullptr;
  return given(receiver->receiver.read_video(std::chrono::milliseconds(timeout_ms)), error);
}

atm0s_frame* atm0s_receiver_read_audio(atm0s_receiver* receiver, uint32_t timeout_ms, atm0s_error* error) {
  if (receiver == nullptr) return fail(error, kNoHandle), nullptr;
  return given(receiver->receiver.read_audio(std::chrono::milliseconds(timeout_ms)), error);
}

atm0s_frame* atm0s_receiver_read_pcm(atm0s_receiver* receiver, uint32_t timeout_ms, atm0s_error* error) {
  if (receiver == nullptr) return fail(error, kNoHandle), nullptr;
  return given(receiver->receiver.read_pcm(std::chrono::milliseconds(timeout_ms)), error);
}

void atm0s_frame_free(atm0s_frame* frame) {
  delete static_cast<OwnedFrame*>(frame);
}

void atm0s_receiver_on_video(atm0s_receiver* receiver, atm0s_frame_handler handler, void* user) {
  if (receiver != nullptr) receiver->receiver.on_video(calling<atm0s::VideoFrame>(handler, user));
}

void atm0s_receiver_on_audio(atm0s_receiver* receiver, atm0s_frame_handler handler, void* user) {
  if (receiver != nullptr) receiver->receiver.on_audio(calling<atm0s::AudioFrame>(handler, user));
}

void atm0s_receiver_on_pcm(atm0s_receiver* receiver, atm0s_frame_handler handler, void* user) {
  if (receiver != nullptr) receiver->receiver.on_pcm(calling<atm0s::PcmFrame>(handler, user));
}

}  // extern "C"

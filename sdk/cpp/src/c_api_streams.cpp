// The C API (atm0s.h): publishers, remote streams and consumers, which stand over senders and receivers.
#include "c_api.h"

using atm0s::Error;
using atm0s::ErrorCode;
using atm0s::c::answer;
using atm0s::c::fail;
using atm0s::c::known_part;
using atm0s::c::OwnedStream;
using atm0s::c::text_of;
using atm0s::c::to_cpp;

namespace {

const Error kNoHandle{ErrorCode::kInvalidRequest, "no session, publisher or consumer, or no configuration is given"};

}  // namespace

extern "C" {

// --- publishers -------------------------------------------------------------------------------------------------

atm0s_publisher* atm0s_session_create_publisher(atm0s_session* session, const atm0s_sender_config* config,
                                                atm0s_error* error) {
  if (session == nullptr || config == nullptr) return fail(error, kNoHandle), nullptr;
  auto wanted = to_cpp(known_part(config, atm0s_sender_config ATM0S_SENDER_CONFIG_INIT));
  if (!wanted) return fail(error, wanted.error()), nullptr;
  auto publisher = session->session.create_publisher(std::move(*wanted));
  if (!publisher) return fail(error, publisher.error()), nullptr;
  return new atm0s_publisher{std::move(*publisher)};
}

void atm0s_publisher_free(atm0s_publisher* publisher) {
  delete publisher;
}

atm0s_code atm0s_publisher_switch(atm0s_publisher* publisher, const atm0s_source* source, const char* label,
                                  uint32_t timeout_ms, atm0s_error* error) {
  if (publisher == nullptr) return fail(error, kNoHandle);
  std::optional<std::string> wanted;
  if (label != nullptr) wanted = label;
  return answer(error, publisher->publisher.switch_to(source == nullptr ? nullptr : source->any(), std::move(wanted)),
                timeout_ms);
}

atm0s_code atm0s_publisher_stop(atm0s_publisher* publisher, uint32_t timeout_ms, atm0s_error* error) {
  return publisher == nullptr ? fail(error, kNoHandle) : answer(error, publisher->publisher.stop(), timeout_ms);
}

atm0s_sender_state atm0s_publisher_get_state(const atm0s_publisher* publisher) {
  if (publisher == nullptr) return ATM0S_SENDER_CLOSED;
  return static_cast<atm0s_sender_state>(publisher->publisher.state());
}

const char* atm0s_publisher_name(const atm0s_publisher* publisher) {
  return publisher == nullptr ? "" : publisher->publisher.name().c_str();
}

atm0s_sender* atm0s_publisher_sender(const atm0s_publisher* publisher) {
  if (publisher == nullptr) return nullptr;
  auto sender = publisher->publisher.sender();
  return sender ? new atm0s_sender{std::move(*sender)} : nullptr;
}

// --- remote streams ---------------------------------------------------------------------------------------------

size_t atm0s_session_remote_streams(atm0s_session* session, atm0s_stream** out, size_t capacity) {
  if (session == nullptr) return 0;
  const std::vector<atm0s::RemoteStream> streams = session->session.remote_streams();
  for (size_t i = 0; out != nullptr && i < streams.size() && i < capacity; ++i) out[i] = new OwnedStream(streams[i]);
  return streams.size();
}

atm0s_stream* atm0s_session_remote_stream(atm0s_session* session, const char* peer, const char* name) {
  if (session == nullptr) return nullptr;
  const auto stream = session->session.remote_stream({text_of(peer), text_of(name)});
  return stream ? new OwnedStream(*stream) : nullptr;
}

void atm0s_stream_free(atm0s_stream* stream) {
  delete static_cast<OwnedStream*>(stream);
}

// --- consumers --------------------------------------------------------------------------------------------------

atm0s_consumer* atm0s_session_create_consumer(atm0s_session* session, const char* peer, const char* stream,
                                              atm0s_kind kind) {
  if (session == nullptr) return nullptr;
  return new atm0s_consumer{session->session.create_consumer({text_of(peer), text_of(stream)}, to_cpp(kind))};
}

void atm0s_consumer_free(atm0s_consumer* consumer) {
  delete consumer;
}

atm0s_code atm0s_consumer_view(atm0s_consumer* consumer, const char* key, const atm0s_receiver_limit* limit,
                               uint32_t timeout_ms, atm0s_error* error) {
  if (consumer == nullptr) return fail(error, kNoHandle);
  const atm0s_receiver_limit all ATM0S_RECEIVER_LIMIT_INIT;
  return answer(error, consumer->consumer.view(text_of(key), to_cpp(limit == nullptr ? all : *limit)), timeout_ms);
}

atm0s_code atm0s_consumer_set_limit(atm0s_consumer* consumer, const char* key, const atm0s_receiver_limit* limit,
                                    uint32_t timeout_ms, atm0s_error* error) {
  if (consumer == nullptr || limit == nullptr) return fail(error, kNoHandle);
  return answer(error, consumer->consumer.limit(text_of(key), to_cpp(*limit)), timeout_ms);
}

atm0s_code atm0s_consumer_unview(atm0s_consumer* consumer, const char* key, uint32_t timeout_ms, atm0s_error* error) {
  return consumer == nullptr ? fail(error, kNoHandle)
                             : answer(error, consumer->consumer.unview(text_of(key)), timeout_ms);
}

atm0s_receiver* atm0s_consumer_receiver(const atm0s_consumer* consumer) {
  if (consumer == nullptr) return nullptr;
  auto receiver = consumer->consumer.receiver();
  return receiver ? new atm0s_receiver{std::move(*receiver)} : nullptr;
}

}  // extern "C"

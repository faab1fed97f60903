// The C API (atm0s.h): sessions, their events and mix-minus. Media are in c_api_media.cpp.
#include "c_api.h"

#include <cstdlib>

using atm0s::Error;
using atm0s::ErrorCode;
using atm0s::c::answer;
using atm0s::c::fail;
using atm0s::c::known_part;
using atm0s::c::text_of;

namespace {

const Error kNoSession{ErrorCode::kInvalidRequest, "no session is given"};

// For atm0s_string_free().
char* copy_of(std::string_view text) {
  auto* out = static_cast<char*>(std::malloc(text.size() + 1));
  if (out == nullptr) return nullptr;
  std::memcpy(out, text.data(), text.size());
  out[text.size()] = 0;
  return out;
}

atm0s_event* given(std::optional<atm0s::Event> event) {
  return event ? new atm0s::c::OwnedEvent(*event) : nullptr;
}

// What `change` makes of the mixer, if there is one.
template <typename Change>
atm0s_code with_mixer(atm0s_session* session, uint32_t timeout_ms, atm0s_error* error, Change change) {
  if (session == nullptr) return fail(error, kNoSession);
  auto mixer = session->session.mix_minus_audio();
  if (!mixer) return fail(error, ErrorCode::kNotSupported, "the session was opened without mix-minus");
  return answer(error, change(*mixer), timeout_ms);
}

}  // namespace

extern "C" {

// --- values -----------------------------------------------------------------------------------------------------

const char* atm0s_version(void) {
  return ATM0S_VERSION;
}

const char* atm0s_code_name(atm0s_code code) {
  if (code == ATM0S_OK) return "OK";
  if (code < ATM0S_OK || code > ATM0S_ICE_SERVER_ERROR) return "UNKNOWN";
  // All of them are literals: ended by a 0.
  return atm0s::to_text(static_cast<ErrorCode>(code - 1)).data();
}

void atm0s_string_free(char* string) {
  std::free(string);
}

// --- session ----------------------------------------------------------------------------------------------------

atm0s_session* atm0s_session_open(const char* const* urls, size_t url_count, const atm0s_session_config* config,
                                  const atm0s_runtime_options* options, atm0s_error* error) {
  if (urls == nullptr || url_count == 0 || config == nullptr) {
    fail(error, ErrorCode::kInvalidRequest, "no url or no configuration is given");
    return nullptr;
  }
  auto wanted = atm0s::c::to_cpp(known_part(config, atm0s_session_config ATM0S_SESSION_CONFIG_INIT));
  if (!wanted) return fail(error, wanted.error()), nullptr;
  auto runtime = atm0s::c::to_cpp(known_part(options, atm0s_runtime_options ATM0S_RUNTIME_OPTIONS_INIT));
  if (!runtime) return fail(error, runtime.error()), nullptr;
  std::vector<std::string> addresses;
  for (size_t i = 0; i < url_count; ++i) addresses.push_back(text_of(urls[i]));
  return new atm0s_session{atm0s::Session(std::move(addresses), std::move(*wanted), std::move(*runtime))};
}

void atm0s_session_close(atm0s_session* session) {
  delete session;
}

atm0s_code atm0s_session_connect(atm0s_session* session, uint32_t timeout_ms, atm0s_error* error) {
  if (session == nullptr) return fail(error, kNoSession);
  return answer(error, session->session.connect_async(), timeout_ms);
}

atm0s_code atm0s_session_disconnect(atm0s_session* session, uint32_t timeout_ms, atm0s_error* error) {
  if (session == nullptr) return fail(error, kNoSession);
  return answer(error, session->session.disconnect(), timeout_ms);
}

atm0s_code atm0s_session_ping(atm0s_session* session, uint32_t timeout_ms, uint64_t* microseconds, atm0s_error* error) {
  if (session == nullptr) return fail(error, kNoSession);
  const auto took = session->session.ping(std::chrono::milliseconds(timeout_ms));
  if (!took) return fail(error, took.error());
  if (microseconds != nullptr) *microseconds = static_cast<uint64_t>(took->count());
  return ATM0S_OK;
}

atm0s_code atm0s_session_restart_ice(atm0s_session* session, uint32_t timeout_ms, atm0s_error* error) {
  if (session == nullptr) return fail(error, kNoSession);
  return answer(error, session->session.restart_ice(), timeout_ms);
}

atm0s_code atm0s_session_set_token(atm0s_session* session, const char* token, uint32_t timeout_ms, atm0s_error* error) {
  if (session == nullptr) return fail(error, kNoSession);
  return answer(error, session->session.set_token(text_of(token)), timeout_ms);
}

atm0s_code atm0s_session_subscribe(atm0s_session* session, const char* peer, uint32_t timeout_ms, atm0s_error* error) {
  if (session == nullptr) return fail(error, kNoSession);
  return answer(error, session->session.subscribe(text_of(peer)), timeout_ms);
}

atm0s_code atm0s_session_unsubscribe(atm0s_session* session, const char* peer, uint32_t timeout_ms,
                                     atm0s_error* error) {
  if (session == nullptr) return fail(error, kNoSession);
  return answer(error, session->session.unsubscribe(text_of(peer)), timeout_ms);
}

atm0s_session_state atm0s_session_get_state(const atm0s_session* session) {
  if (session == nullptr) return ATM0S_SESSION_DISCONNECTED;
  return static_cast<atm0s_session_state>(session->session.state());
}

char* atm0s_session_url(const atm0s_session* session) {
  return session == nullptr ? nullptr : copy_of(session->session.url());
}

char* atm0s_session_stats_json(atm0s_session* session, atm0s_error* error) {
  if (session == nullptr) return fail(error, kNoSession), nullptr;
  const auto stats = session->session.stats();
  if (!stats) return fail(error, stats.error()), nullptr;
  return copy_of(to_json(*stats));
}

// --- events -----------------------------------------------------------------------------------------------------

atm0s_event* atm0s_session_poll_event(atm0s_session* session) {
  return session == nullptr ? nullptr : given(session->session.poll_event());
}

atm0s_event* atm0s_session_wait_event(atm0s_session* session, uint32_t timeout_ms) {
  return session == nullptr ? nullptr : given(session->session.wait_event(std::chrono::milliseconds(timeout_ms)));
}

void atm0s_event_free(atm0s_event* event) {
  delete static_cast<atm0s::c::OwnedEvent*>(event);
}

void atm0s_session_on_event(atm0s_session* session, atm0s_event_handler handler, void* user) {
  if (session == nullptr) return;
  if (handler == nullptr) return session->session.on_event(nullptr);
  session->session.on_event([handler, user](const atm0s::Event& event) {
    const atm0s::c::OwnedEvent seen(event);
    handler(&seen, user);
  });
}

// --- mix-minus --------------------------------------------------------------------------------------------------

size_t atm0s_mix_minus_slots(atm0s_session* session, atm0s_receiver** out, size_t capacity) {
  if (session == nullptr) return 0;
  const auto mixer = session->session.mix_minus_audio();
  if (!mixer) return 0;
  const std::vector<atm0s::Receiver> slots = mixer->slots();
  for (size_t i = 0; out != nullptr && i < slots.size() && i < capacity; ++i) out[i] = new atm0s_receiver{slots[i]};
  return slots.size();
}

atm0s_code atm0s_mix_minus_add(atm0s_session* session, const char* peer, const char* stream, uint32_t timeout_ms,
                               atm0s_error* error) {
  return with_mixer(session, timeout_ms, error,
                    [&](atm0s::MixMinusAudio& mixer) { return mixer.add_source({text_of(peer), text_of(stream)}); });
}

atm0s_code atm0s_mix_minus_remove(atm0s_session* session, const char* peer, const char* stream, uint32_t timeout_ms,
                                  atm0s_error* error) {
  return with_mixer(session, timeout_ms, error,
                    [&](atm0s::MixMinusAudio& mixer) { return mixer.remove_source({text_of(peer), text_of(stream)}); });
}

atm0s_code atm0s_mix_minus_toggle(atm0s_session* session, bool enable, uint32_t timeout_ms, atm0s_error* error) {
  return with_mixer(session, timeout_ms, error, [enable](atm0s::MixMinusAudio& mixer) { return mixer.toggle(enable); });
}

}  // extern "C"

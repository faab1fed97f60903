// The C API of the native SDK of Atm0s, over that of session.h. C11 and later, and C++.
//
//   atm0s_session_config config = ATM0S_SESSION_CONFIG_INIT;
//   config.room_id = "demo", config.peer_id = "robot", config.token = token;
//   atm0s_session* session = atm0s_session_open(&url, 1, &config, NULL, &error);
//   if (session == NULL || atm0s_session_connect(session, 20000, &error) != ATM0S_OK) return fail(error.message);
//
// Handles are opaque; whoever is given one gives it back with its _free() (a session: _close()), which takes NULL, too.
// Freeing a handle ends nothing but the handle: a sender goes on sending. (But a consumer's views end with it.) A
// handle outlives its session, after which its calls answer ATM0S_CLOSED. Strings given are NUL-terminated UTF-8 and
// copied; bytes come with their size. `error` may be NULL; it is filled in only when a call fails. Calls that need the
// server wait at most `timeout_ms` for its answer; with 0 they do not wait, and answer ATM0S_OK when the request is
// under way. Threads: every function may be called from any thread, and in handlers, but a handle is freed when no
// other thread uses it. Handlers run on one thread of the SDK's, one after the other; none begins after
// atm0s_session_close(). `user` is given to the handler as it is.
//
// Errors are those of the same call of C++; besides, ATM0S_INVALID_REQUEST: a handle or what else is needed is NULL, or
// a value is none of its enumeration.
#pragma once

#include "atm0s/c_media.h"
#include "atm0s/c_values.h"

#ifdef __cplusplus
extern "C" {
#endif

// --- session ------------------------------------------------------------------------------------------------------

// A session with one or more urls of servers; nothing is sent yet. NULL when an argument is wrong. `options` may be
// NULL.
ATM0S_API atm0s_session* atm0s_session_open(const char* const* urls, size_t url_count,
                                            const atm0s_session_config* config, const atm0s_runtime_options* options,
                                            atm0s_error* error);
// Disconnects, and ends the handle. A handler that runs on another thread is waited for, at most a second.
ATM0S_API void atm0s_session_close(atm0s_session* session);

// As Session::connect(); once.
ATM0S_API atm0s_code atm0s_session_connect(atm0s_session* session, uint32_t timeout_ms, atm0s_error* error);
// As Session::disconnect().
ATM0S_API atm0s_code atm0s_session_disconnect(atm0s_session* session, uint32_t timeout_ms, atm0s_error* error);
// As Session::ping(). `microseconds` may be NULL; it is filled in when the call succeeds.
ATM0S_API atm0s_code atm0s_session_ping(atm0s_session* session, uint32_t timeout_ms, uint64_t* microseconds,
                                        atm0s_error* error);
// As Session::restart_ice().
ATM0S_API atm0s_code atm0s_session_restart_ice(atm0s_session* session, uint32_t timeout_ms, atm0s_error* error);
// As Session::set_token().
ATM0S_API atm0s_code atm0s_session_set_token(atm0s_session* session, const char* token, uint32_t timeout_ms,
                                             atm0s_error* error);
// With ATM0S_SCOPE_MANUAL: be told of that peer and its streams.
ATM0S_API atm0s_code atm0s_session_subscribe(atm0s_session* session, const char* peer, uint32_t timeout_ms,
                                             atm0s_error* error);
// Be told no more.
ATM0S_API atm0s_code atm0s_session_unsubscribe(atm0s_session* session, const char* peer, uint32_t timeout_ms,
                                               atm0s_error* error);
// As of now.
ATM0S_API atm0s_session_state atm0s_session_get_state(const atm0s_session* session);
// Of the server in use; for atm0s_string_free().
ATM0S_API char* atm0s_session_url(const atm0s_session* session);
// W3C webrtc-stats, as of now, a JSON object as of to_json(); for atm0s_string_free(). NULL: an error.
ATM0S_API char* atm0s_session_stats_json(atm0s_session* session, atm0s_error* error);

// --- events: those of events.h ------------------------------------------------------------------------------------

// Which fields of atm0s_event there are.
typedef enum atm0s_event_type {
  ATM0S_EVENT_STATE,             // state; code and message say why, or code is ATM0S_OK
  ATM0S_EVENT_STREAM,            // presence, is_own, peer, name, kind, is_active, text: its label
  ATM0S_EVENT_PEER,              // presence, peer, text: its metadata
  ATM0S_EVENT_ROOM,              // count: of peers
  ATM0S_EVENT_SENDER_STATE,      // name, state
  ATM0S_EVENT_RECEIVER_STATE,    // name: of the receiver, state, text: why it does not become live
  ATM0S_EVENT_SENDER_LEVEL,      // name, level
  ATM0S_EVENT_RECEIVER_LEVEL,    // name, level
  ATM0S_EVENT_RECEIVER_QUALITY,  // name, mos, peer and text: the stream that it shows
  ATM0S_EVENT_MIX_MINUS,         // heard, count: the slots; sources, source_count
  ATM0S_EVENT_CLOSING,           // text: the reason
  ATM0S_EVENT_FAILURE            // code, message
} atm0s_event_type;

// As MixMinusChanged::Heard.
typedef struct atm0s_heard {
  const char* source;  // "peer-stream"; NULL: a free slot
  int level;           // dBov: 0 the loudest, -127 silent
} atm0s_heard;

// As Event. What an event of its type does not have is 0 or "". Strings live as long as the event.
typedef struct atm0s_event {
  atm0s_event_type type;       // says which of the others there are
  int state;                   // an atm0s_session_state, atm0s_sender_state or atm0s_receiver_state
  atm0s_code code;             // what went wrong
  const char* message;         // of code, for a human
  atm0s_presence presence;     // what has become of the stream or the peer
  bool is_own;                 // a stream of this session
  bool is_active;              // a stream that has a source
  atm0s_kind kind;             // of the stream
  const char* peer;            // the other participant
  const char* name;            // of the stream, sender or receiver
  const char* text;            // as the type says
  int level;                   // dBov: 0 the loudest, -127 silent
  double mos;                  // mean opinion score, 1 to 5
  size_t count;                // of peers, or of heard
  const atm0s_heard* heard;    // by slot
  size_t source_count;         // of sources
  const atm0s_heard* sources;  // who talks, the loudest first
} atm0s_event;

// The next event; NULL: there is none.
ATM0S_API atm0s_event* atm0s_session_poll_event(atm0s_session* session);
// The next event, waited for; NULL: none came in time.
ATM0S_API atm0s_event* atm0s_session_wait_event(atm0s_session* session, uint32_t timeout_ms);
// Ends an event that was polled or waited for.
ATM0S_API void atm0s_event_free(atm0s_event* event);
// Takes an event, which it must not keep.
typedef void (*atm0s_event_handler)(const atm0s_event* event, void* user);
// All events to a handler; NULL: to none any more.
ATM0S_API void atm0s_session_on_event(atm0s_session* session, atm0s_event_handler handler, void* user);

#ifdef __cplusplus
}  // extern "C"
#endif

// The C API of the native SDK of Atm0s, over that of session.h. C11 and later, and C++.
//
//   atm0s_session_config config = ATM0S_SESSION_CONFIG_INIT;
//   config.room_id = "demo", config.peer_id = "robot", config.token = token;
//   atm0s_session* session = atm0s_session_open(&url, 1, &config, NULL, &error);
//   if (session == NULL || atm0s_session_connect(session, 20000, &error) != ATM0S_OK) return fail(error.message);
//
// Handles are opaque; whoever is given one gives it back with its _free() (a session: _close()), which takes NULL, too.
// Freeing a handle ends nothing but the handle: a sender goes on sending. A handle outlives its session, after which
// its calls answer ATM0S_CLOSED. Strings given are NUL-terminated UTF-8 and copied; bytes come with their size. `error`
// may be NULL; it is filled in only when a call fails. Calls that need the server wait at most `timeout_ms` for its
// answer; with 0 they do not wait, and answer ATM0S_OK when the request is under way. Threads: every function may be
// called from any thread, and in handlers, but a handle is freed when no other thread uses it. Handlers run on one
// thread of the SDK's, one after the other; none begins after atm0s_session_close().
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "atm0s/export.h"

#ifdef __cplusplus
extern "C" {
#endif

// --- values -------------------------------------------------------------------------------------------------------

// Those of ErrorCode (result.h), where they are described, in the same order.
typedef enum atm0s_code {
  ATM0S_OK = 0,
  ATM0S_INVALID_TOKEN,
  ATM0S_FORBIDDEN,
  ATM0S_INVALID_REQUEST,
  ATM0S_UNSUPPORTED_CODEC,
  ATM0S_NOT_FOUND,
  ATM0S_NOT_SUPPORTED,
  ATM0S_TOO_MANY,
  ATM0S_DUPLICATE_PEER,
  ATM0S_BUSY,
  ATM0S_SERVER_ERROR,
  ATM0S_NETWORK_ERROR,
  ATM0S_TIMEOUT,
  ATM0S_BAD_ANSWER,
  ATM0S_CLOSED,
  ATM0S_MEDIA_ERROR,
  ATM0S_ICE_SERVER_ERROR
} atm0s_code;

typedef struct atm0s_error {
  atm0s_code code;
  char message[252];  // for a human; cut where it is longer
} atm0s_error;

typedef enum atm0s_kind { ATM0S_AUDIO, ATM0S_VIDEO } atm0s_kind;
typedef enum atm0s_codec { ATM0S_OPUS, ATM0S_VP8, ATM0S_VP9, ATM0S_H264, ATM0S_AV1 } atm0s_codec;
typedef enum atm0s_latency_mode {
  ATM0S_LATENCY_ULTRA_LOW,
  ATM0S_LATENCY_DEFAULT,
  ATM0S_LATENCY_SMOOTH_200,
  ATM0S_LATENCY_SMOOTH_500,
  ATM0S_LATENCY_SMOOTH_800,
  ATM0S_LATENCY_SMOOTH_1000,
  ATM0S_LATENCY_SMOOTH_2000
} atm0s_latency_mode;
typedef enum atm0s_bitrate_mode {
  ATM0S_BITRATE_SUM_WITH_CLIENT_SIDE,
  ATM0S_BITRATE_SUM_ONLY,
  ATM0S_BITRATE_PER_STREAM
} atm0s_bitrate_mode;
typedef enum atm0s_mix_minus_mode {
  ATM0S_MIX_MINUS_DISABLED,
  ATM0S_MIX_MINUS_ALL,
  ATM0S_MIX_MINUS_MANUAL
} atm0s_mix_minus_mode;
typedef enum atm0s_content_hint { ATM0S_HINT_NONE, ATM0S_HINT_MOTION, ATM0S_HINT_DETAIL } atm0s_content_hint;
typedef enum atm0s_scope { ATM0S_SCOPE_FULL, ATM0S_SCOPE_STREAM_ONLY, ATM0S_SCOPE_MANUAL } atm0s_scope;
typedef enum atm0s_log_level { ATM0S_LOG_DEBUG, ATM0S_LOG_INFO, ATM0S_LOG_WARNING, ATM0S_LOG_ERROR } atm0s_log_level;
typedef enum atm0s_session_state {
  ATM0S_SESSION_CREATED,
  ATM0S_SESSION_CONNECTING,
  ATM0S_SESSION_CONNECTED,
  ATM0S_SESSION_RECONNECTING,
  ATM0S_SESSION_DISCONNECTED
} atm0s_session_state;
typedef enum atm0s_sender_state {
  ATM0S_SENDER_CREATED,
  ATM0S_SENDER_CONNECTING,
  ATM0S_SENDER_CONNECTED,
  ATM0S_SENDER_DEACTIVED,
  ATM0S_SENDER_CLOSED
} atm0s_sender_state;
typedef enum atm0s_receiver_state {
  ATM0S_RECEIVER_NO_SOURCE,
  ATM0S_RECEIVER_CONNECTING,
  ATM0S_RECEIVER_LIVE,
  ATM0S_RECEIVER_PAUSED,
  ATM0S_RECEIVER_KEY_ONLY,
  ATM0S_RECEIVER_SOURCE_DEACTIVED
} atm0s_receiver_state;
typedef enum atm0s_presence { ATM0S_ADDED, ATM0S_UPDATED, ATM0S_REMOVED } atm0s_presence;

typedef struct atm0s_session atm0s_session;
typedef struct atm0s_source atm0s_source;
typedef struct atm0s_sender atm0s_sender;
typedef struct atm0s_receiver atm0s_receiver;

// "0.1.0"
ATM0S_API const char* atm0s_version(void);
// "INVALID_TOKEN"; of ATM0S_OK "OK"
ATM0S_API const char* atm0s_code_name(atm0s_code code);
// For strings that the SDK gave.
ATM0S_API void atm0s_string_free(char* string);

// --- what a session is opened with: the same as SessionConfig and RuntimeOptions (config.h). Structs that an
// application fills in begin with their size, so that a later library knows what an older program does not fill in:
// begin with the _INIT of each, in arrays too.

typedef struct atm0s_sender_config {
  size_t struct_size;
  const char* name;
  atm0s_kind kind;
  const atm0s_source* source;  // NULL: nothing yet
  const atm0s_codec* preferred_codecs;
  size_t preferred_codec_count;
  bool simulcast;
  uint64_t max_bitrate;  // bit/s; 0: no cap
  atm0s_content_hint content_hint;
  bool screen;
  const char* label;
} atm0s_sender_config;
#define ATM0S_SENDER_CONFIG_INIT \
  {sizeof(atm0s_sender_config), NULL, ATM0S_AUDIO, NULL, NULL, 0, false, 0, ATM0S_HINT_NONE, false, NULL}

typedef struct atm0s_ice_server {
  const char* url;
  const char* username;    // NULL: none
  const char* credential;  // NULL: none
} atm0s_ice_server;

typedef struct atm0s_session_config {
  size_t struct_size;
  const char* room_id;
  const char* peer_id;
  const char* token;
  const atm0s_sender_config* senders;
  size_t sender_count;
  uint32_t audio_receivers;
  uint32_t video_receivers;
  atm0s_mix_minus_mode mix_minus_audio;
  atm0s_latency_mode latency_mode;
  const atm0s_ice_server* ice_servers;
  size_t ice_server_count;
  const atm0s_codec* codecs;  // none: all
  size_t codec_count;
  atm0s_bitrate_mode bitrate_control_mode;
} atm0s_session_config;
#define ATM0S_SESSION_CONFIG_INIT \
  {sizeof(atm0s_session_config),  \
   NULL,                          \
   NULL,                          \
   NULL,                          \
   NULL,                          \
   0,                             \
   0,                             \
   0,                             \
   ATM0S_MIX_MINUS_DISABLED,      \
   ATM0S_LATENCY_DEFAULT,         \
   NULL,                          \
   0,                             \
   NULL,                          \
   0,                             \
   ATM0S_BITRATE_SUM_WITH_CLIENT_SIDE}

typedef void (*atm0s_log_handler)(atm0s_log_level level, const char* text, size_t size, void* user);

typedef struct atm0s_runtime_options {
  size_t struct_size;
  const char* tls_ca_file;  // NULL: the system's authorities
  bool skip_tls_verify;
  atm0s_log_handler log;  // from any thread, one call at a time
  void* log_user;
  const char* const* interfaces;  // addresses of this host; none: all
  size_t interface_count;
  bool relay_only;
  bool no_reconnects;
  uint32_t give_up_after_ms;  // of reconnecting; 0: two minutes
  const char* metadata;
  atm0s_scope subscribe_scope;
  atm0s_scope publish_scope;  // not ATM0S_SCOPE_MANUAL
} atm0s_runtime_options;
#define ATM0S_RUNTIME_OPTIONS_INIT \
  {sizeof(atm0s_runtime_options),  \
   NULL,                           \
   false,                          \
   NULL,                           \
   NULL,                           \
   NULL,                           \
   0,                              \
   false,                          \
   false,                          \
   0,                              \
   NULL,                           \
   ATM0S_SCOPE_FULL,               \
   ATM0S_SCOPE_FULL}

// --- session ------------------------------------------------------------------------------------------------------

// NULL when an argument is wrong. `options` may be NULL.
ATM0S_API atm0s_session* atm0s_session_open(const char* const* urls, size_t url_count,
                                            const atm0s_session_config* config, const atm0s_runtime_options* options,
                                            atm0s_error* error);
// Disconnects, and ends the handle. A handler that runs on another thread is waited for, at most a second.
ATM0S_API void atm0s_session_close(atm0s_session* session);

ATM0S_API atm0s_code atm0s_session_connect(atm0s_session* session, uint32_t timeout_ms, atm0s_error* error);
ATM0S_API atm0s_code atm0s_session_disconnect(atm0s_session* session, uint32_t timeout_ms, atm0s_error* error);
ATM0S_API atm0s_code atm0s_session_ping(atm0s_session* session, uint32_t timeout_ms, uint64_t* microseconds,
                                        atm0s_error* error);
ATM0S_API atm0s_code atm0s_session_restart_ice(atm0s_session* session, uint32_t timeout_ms, atm0s_error* error);
ATM0S_API atm0s_code atm0s_session_set_token(atm0s_session* session, const char* token, uint32_t timeout_ms,
                                             atm0s_error* error);
// With ATM0S_SCOPE_MANUAL.
ATM0S_API atm0s_code atm0s_session_subscribe(atm0s_session* session, const char* peer, uint32_t timeout_ms,
                                             atm0s_error* error);
ATM0S_API atm0s_code atm0s_session_unsubscribe(atm0s_session* session, const char* peer, uint32_t timeout_ms,
                                               atm0s_error* error);
ATM0S_API atm0s_session_state atm0s_session_get_state(const atm0s_session* session);
// Of the server in use; for atm0s_string_free().
ATM0S_API char* atm0s_session_url(const atm0s_session* session);
// W3C webrtc-stats, as of now, a JSON object; for atm0s_string_free(). NULL: an error.
ATM0S_API char* atm0s_session_stats_json(atm0s_session* session, atm0s_error* error);

// --- events: those of events.h ------------------------------------------------------------------------------------

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

typedef struct atm0s_heard {
  const char* source;  // "peer-stream"; NULL: a free slot
  int level;           // dBov: 0 the loudest, -127 silent
} atm0s_heard;

// What an event of its type does not have is 0 or "". Strings live as long as the event.
typedef struct atm0s_event {
  atm0s_event_type type;
  int state;  // an atm0s_session_state, atm0s_sender_state or atm0s_receiver_state
  atm0s_code code;
  const char* message;
  atm0s_presence presence;
  bool is_own;
  bool is_active;
  atm0s_kind kind;
  const char* peer;
  const char* name;
  const char* text;
  int level;
  double mos;
  size_t count;
  const atm0s_heard* heard;
  size_t source_count;
  const atm0s_heard* sources;
} atm0s_event;

// The next event; NULL: there is none, or none came in time.
ATM0S_API atm0s_event* atm0s_session_poll_event(atm0s_session* session);
ATM0S_API atm0s_event* atm0s_session_wait_event(atm0s_session* session, uint32_t timeout_ms);
ATM0S_API void atm0s_event_free(atm0s_event* event);
// Or all events to a handler, which must not keep them; NULL: to none any more.
typedef void (*atm0s_event_handler)(const atm0s_event* event, void* user);
ATM0S_API void atm0s_session_on_event(atm0s_session* session, atm0s_event_handler handler, void* user);

// --- sources: those of media.h -------------------------------------------------------------------------------------

typedef struct atm0s_pcm_options {
  size_t struct_size;
  int channels;
  uint64_t bitrate;
  bool dtx;
  bool fec;
  bool music;
} atm0s_pcm_options;
#define ATM0S_PCM_OPTIONS_INIT {sizeof(atm0s_pcm_options), 1, 32000, false, true, false}

typedef struct atm0s_video_info {
  size_t struct_size;
  uint8_t layer;
  int is_key;              // 1, 0; -1: as the bitstream says
  int temporal_layer;      // -1: not told
  int64_t captured_at_us;  // CLOCK_MONOTONIC; 0: now
} atm0s_video_info;
#define ATM0S_VIDEO_INFO_INIT {sizeof(atm0s_video_info), 0, -1, -1, 0}

typedef struct atm0s_audio_info {
  size_t struct_size;
  int level;               // dBov, 0 to -127; 1: not told
  int64_t captured_at_us;  // CLOCK_MONOTONIC; 0: now
} atm0s_audio_info;
#define ATM0S_AUDIO_INFO_INIT {sizeof(atm0s_audio_info), 1, 0}

ATM0S_API atm0s_source* atm0s_source_encoded_video(atm0s_codec codec);  // NULL: no codec of video
ATM0S_API atm0s_source* atm0s_source_encoded_audio(void);
ATM0S_API atm0s_source* atm0s_source_pcm(const atm0s_pcm_options* options);  // NULL: the defaults
ATM0S_API void atm0s_source_free(atm0s_source* source);

// ATM0S_INVALID_REQUEST from a source of another sort. `info` may be NULL.
ATM0S_API atm0s_code atm0s_source_push_video(atm0s_source* source, const uint8_t* bytes, size_t size,
                                             const atm0s_video_info* info, atm0s_error* error);
ATM0S_API atm0s_code atm0s_source_push_audio(atm0s_source* source, const uint8_t* bytes, size_t size,
                                             const atm0s_audio_info* info, atm0s_error* error);
ATM0S_API atm0s_code atm0s_source_push_pcm(atm0s_source* source, const int16_t* samples, size_t count,
                                           atm0s_error* error);
// What viewers want of an encoder; false and 0 of what is no encoded video.
ATM0S_API bool atm0s_source_take_key_frame_request(atm0s_source* source, uint8_t layer);
ATM0S_API uint64_t atm0s_source_target_bitrate(const atm0s_source* source, uint8_t layer);
typedef void (*atm0s_demand_handler)(void* user);
ATM0S_API void atm0s_source_on_demand_changed(atm0s_source* source, atm0s_demand_handler handler, void* user);

// --- senders -------------------------------------------------------------------------------------------------------

// Of the configuration, or made before; NULL: there is none of that name.
ATM0S_API atm0s_sender* atm0s_session_sender(atm0s_session* session, const char* name);
ATM0S_API atm0s_sender* atm0s_session_create_sender(atm0s_session* session, const atm0s_sender_config* config,
                                                    atm0s_error* error);
ATM0S_API void atm0s_sender_free(atm0s_sender* sender);
// Another source; NULL: none, viewers see the stream inactive. `label` NULL: as it was.
ATM0S_API atm0s_code atm0s_sender_switch(atm0s_sender* sender, const atm0s_source* source, const char* label,
                                         uint32_t timeout_ms, atm0s_error* error);
ATM0S_API atm0s_code atm0s_sender_stop(atm0s_sender* sender, uint32_t timeout_ms, atm0s_error* error);
ATM0S_API atm0s_sender_state atm0s_sender_get_state(const atm0s_sender* sender);
ATM0S_API const char* atm0s_sender_name(const atm0s_sender* sender);  // lives as long as the handle

// --- receivers -----------------------------------------------------------------------------------------------------

typedef struct atm0s_receiver_limit {
  uint32_t priority;
  uint32_t max_spatial, max_temporal;
  uint32_t min_spatial, min_temporal;
} atm0s_receiver_limit;
#define ATM0S_RECEIVER_LIMIT_INIT {50, 2, 2, 0, 0}

typedef enum atm0s_audio_action {
  ATM0S_AUDIO_DECODE,
  ATM0S_AUDIO_DECODE_COPY,
  ATM0S_AUDIO_CONCEAL,
  ATM0S_AUDIO_SILENCE
} atm0s_audio_action;

// Video, a packet of audio, or decoded audio, that is due now; what it does not have is 0.
typedef struct atm0s_frame {
  atm0s_kind kind;
  atm0s_codec codec;
  bool is_key;
  atm0s_audio_action action;
  uint32_t rtp_timestamp;
  int64_t due_at_us;  // CLOCK_MONOTONIC
  uint64_t number;
  int64_t length_us;  // of audio
  const uint8_t* bytes;
  size_t size;
  const int16_t* samples;  // decoded: 48 kHz, 2 channels interleaved
  size_t sample_count;
} atm0s_frame;

ATM0S_API atm0s_receiver* atm0s_session_create_receiver(atm0s_session* session, atm0s_kind kind);
// One that is free, or one more. With _give_back() it becomes free, and the handle is ended.
ATM0S_API atm0s_receiver* atm0s_session_take_receiver(atm0s_session* session, atm0s_kind kind);
ATM0S_API void atm0s_session_give_back(atm0s_session* session, atm0s_receiver* receiver);
ATM0S_API void atm0s_receiver_free(atm0s_receiver* receiver);

ATM0S_API const char* atm0s_receiver_id(const atm0s_receiver* receiver);  // lives as long as the handle
ATM0S_API atm0s_receiver_state atm0s_receiver_get_state(const atm0s_receiver* receiver);
ATM0S_API atm0s_code atm0s_receiver_view(atm0s_receiver* receiver, const char* peer, const char* stream,
                                         uint32_t priority, uint32_t timeout_ms, atm0s_error* error);
ATM0S_API atm0s_code atm0s_receiver_set_limit(atm0s_receiver* receiver, const atm0s_receiver_limit* limit,
                                              uint32_t timeout_ms, atm0s_error* error);
ATM0S_API atm0s_code atm0s_receiver_disconnect(atm0s_receiver* receiver, uint32_t timeout_ms, atm0s_error* error);
ATM0S_API void atm0s_receiver_request_key_frame(atm0s_receiver* receiver);
// The next frame that is due; NULL with ATM0S_TIMEOUT: none came in time.
ATM0S_API atm0s_frame* atm0s_receiver_read_video(atm0s_receiver* receiver, uint32_t timeout_ms, atm0s_error* error);
ATM0S_API atm0s_frame* atm0s_receiver_read_audio(atm0s_receiver* receiver, uint32_t timeout_ms, atm0s_error* error);
ATM0S_API atm0s_frame* atm0s_receiver_read_pcm(atm0s_receiver* receiver, uint32_t timeout_ms, atm0s_error* error);
ATM0S_API void atm0s_frame_free(atm0s_frame* frame);
// Or all frames to a handler, which must not keep them; NULL: to none any more.
typedef void (*atm0s_frame_handler)(const atm0s_frame* frame, void* user);
ATM0S_API void atm0s_receiver_on_video(atm0s_receiver* receiver, atm0s_frame_handler handler, void* user);
ATM0S_API void atm0s_receiver_on_audio(atm0s_receiver* receiver, atm0s_frame_handler handler, void* user);
ATM0S_API void atm0s_receiver_on_pcm(atm0s_receiver* receiver, atm0s_frame_handler handler, void* user);

// --- mix-minus audio: ATM0S_NOT_SUPPORTED in a session without ------------------------------------------------------

// Handles on its slots, at most `capacity` of them, and how many there are.
ATM0S_API size_t atm0s_mix_minus_slots(atm0s_session* session, atm0s_receiver** out, size_t capacity);
// With ATM0S_MIX_MINUS_MANUAL: who may be heard.
ATM0S_API atm0s_code atm0s_mix_minus_add(atm0s_session* session, const char* peer, const char* stream,
                                         uint32_t timeout_ms, atm0s_error* error);
ATM0S_API atm0s_code atm0s_mix_minus_remove(atm0s_session* session, const char* peer, const char* stream,
                                            uint32_t timeout_ms, atm0s_error* error);
ATM0S_API atm0s_code atm0s_mix_minus_toggle(atm0s_session* session, bool enable, uint32_t timeout_ms,
                                            atm0s_error* error);

#ifdef __cplusplus
}  // extern "C"
#endif

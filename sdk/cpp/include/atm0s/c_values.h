// Values of the C API (atm0s.h, which includes this): errors, enumerations, what a session is opened with, and its
// handles. Plain structs; whoever fills one in keeps what it points to until the call returns.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "atm0s/export.h"

#ifdef __cplusplus
extern "C" {
#endif

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

// Why a call did not succeed.
typedef struct atm0s_error {
  atm0s_code code;    // as the call answers it
  char message[252];  // for a human; cut where it is longer
} atm0s_error;

// As MediaKind.
typedef enum atm0s_kind { ATM0S_AUDIO, ATM0S_VIDEO } atm0s_kind;
// As Codec.
typedef enum atm0s_codec { ATM0S_OPUS, ATM0S_VP8, ATM0S_VP9, ATM0S_H264, ATM0S_AV1 } atm0s_codec;
// As LatencyMode.
typedef enum atm0s_latency_mode {
  ATM0S_LATENCY_ULTRA_LOW,
  ATM0S_LATENCY_DEFAULT,
  ATM0S_LATENCY_SMOOTH_200,
  ATM0S_LATENCY_SMOOTH_500,
  ATM0S_LATENCY_SMOOTH_800,
  ATM0S_LATENCY_SMOOTH_1000,
  ATM0S_LATENCY_SMOOTH_2000
} atm0s_latency_mode;
// As BitrateControlMode.
typedef enum atm0s_bitrate_mode {
  ATM0S_BITRATE_SUM_WITH_CLIENT_SIDE,
  ATM0S_BITRATE_SUM_ONLY,
  ATM0S_BITRATE_PER_STREAM
} atm0s_bitrate_mode;
// As MixMinusMode.
typedef enum atm0s_mix_minus_mode {
  ATM0S_MIX_MINUS_DISABLED,
  ATM0S_MIX_MINUS_ALL,
  ATM0S_MIX_MINUS_MANUAL
} atm0s_mix_minus_mode;
// As ContentHint.
typedef enum atm0s_content_hint { ATM0S_HINT_NONE, ATM0S_HINT_MOTION, ATM0S_HINT_DETAIL } atm0s_content_hint;
// As SubscribeScope and PublishScope.
typedef enum atm0s_scope { ATM0S_SCOPE_FULL, ATM0S_SCOPE_STREAM_ONLY, ATM0S_SCOPE_MANUAL } atm0s_scope;
// As LogLevel.
typedef enum atm0s_log_level { ATM0S_LOG_DEBUG, ATM0S_LOG_INFO, ATM0S_LOG_WARNING, ATM0S_LOG_ERROR } atm0s_log_level;
// As SessionState.
typedef enum atm0s_session_state {
  ATM0S_SESSION_CREATED,
  ATM0S_SESSION_CONNECTING,
  ATM0S_SESSION_CONNECTED,
  ATM0S_SESSION_RECONNECTING,
  ATM0S_SESSION_DISCONNECTED
} atm0s_session_state;
// As SenderState.
typedef enum atm0s_sender_state {
  ATM0S_SENDER_CREATED,
  ATM0S_SENDER_CONNECTING,
  ATM0S_SENDER_CONNECTED,
  ATM0S_SENDER_DEACTIVED,
  ATM0S_SENDER_CLOSED
} atm0s_sender_state;
// As ReceiverState.
typedef enum atm0s_receiver_state {
  ATM0S_RECEIVER_NO_SOURCE,
  ATM0S_RECEIVER_CONNECTING,
  ATM0S_RECEIVER_LIVE,
  ATM0S_RECEIVER_PAUSED,
  ATM0S_RECEIVER_KEY_ONLY,
  ATM0S_RECEIVER_SOURCE_DEACTIVED
} atm0s_receiver_state;
// As StreamScaling.
typedef enum atm0s_scaling { ATM0S_SCALING_SINGLE, ATM0S_SCALING_SIMULCAST, ATM0S_SCALING_SVC } atm0s_scaling;
// As StreamStatus.
typedef enum atm0s_stream_status {
  ATM0S_STREAM_NEW,
  ATM0S_STREAM_CONNECTING,
  ATM0S_STREAM_CONNECTED,
  ATM0S_STREAM_RECONNECTING,
  ATM0S_STREAM_DISCONNECTED
} atm0s_stream_status;
// As Presence.
typedef enum atm0s_presence { ATM0S_ADDED, ATM0S_UPDATED, ATM0S_REMOVED } atm0s_presence;

// "0.1.0"
ATM0S_API const char* atm0s_version(void);
// "INVALID_TOKEN"; of ATM0S_OK "OK"
ATM0S_API const char* atm0s_code_name(atm0s_code code);
// For strings that the SDK gave.
ATM0S_API void atm0s_string_free(char* string);

// --- handles

typedef struct atm0s_session atm0s_session;      // as Session; for atm0s_session_close()
typedef struct atm0s_source atm0s_source;        // as MediaSource; for atm0s_source_free()
typedef struct atm0s_sender atm0s_sender;        // as Sender; for atm0s_sender_free()
typedef struct atm0s_publisher atm0s_publisher;  // as Publisher; for atm0s_publisher_free()
typedef struct atm0s_receiver atm0s_receiver;    // as Receiver; for atm0s_receiver_free() or atm0s_session_give_back()
typedef struct atm0s_consumer atm0s_consumer;    // as Consumer; for atm0s_consumer_free()

// --- what a session is opened with: the same as SessionConfig and RuntimeOptions (config.h). Structs that an
// application fills in begin with their size, so that a later library knows what an older program does not fill in:
// begin with the _INIT of each, in arrays too.

// As SenderConfig.
typedef struct atm0s_sender_config {
  size_t struct_size;                   // of the _INIT
  const char* name;                     // unique in the session, "video_main" for example; at most 256 bytes
  atm0s_kind kind;                      // of the stream
  const atm0s_source* source;           // NULL: nothing yet
  const atm0s_codec* preferred_codecs;  // in order of preference; none: the session's
  size_t preferred_codec_count;         // of preferred_codecs
  bool simulcast;                       // video in three layers, each from an encoder of its own
  uint64_t max_bitrate;                 // bit/s; 0: no cap
  atm0s_content_hint content_hint;      // for the sharing of bits
  bool screen;                          // a screen or a window
  const char* label;                    // for viewers; NULL: none
} atm0s_sender_config;
// Of a sender without a name.
#define ATM0S_SENDER_CONFIG_INIT \
  {sizeof(atm0s_sender_config), NULL, ATM0S_AUDIO, NULL, NULL, 0, false, 0, ATM0S_HINT_NONE, false, NULL}

// As IceServer, with one url.
typedef struct atm0s_ice_server {
  const char* url;         // "turn:host:port?transport=udp"
  const char* username;    // NULL: none
  const char* credential;  // NULL: none
} atm0s_ice_server;

// As SessionConfig.
typedef struct atm0s_session_config {
  size_t struct_size;                       // of the _INIT
  const char* room_id;                      // the room to join
  const char* peer_id;                      // this participant, unique in the room
  const char* token;                        // issued by the media server for that room and that peer
  const atm0s_sender_config* senders;       // what is published from the start
  size_t sender_count;                      // of senders
  uint32_t audio_receivers;                 // how many views need no renegotiation
  uint32_t video_receivers;                 // how many views need no renegotiation
  atm0s_mix_minus_mode mix_minus_audio;     // three more receivers of audio, for the loudest
  atm0s_latency_mode latency_mode;          // of all receivers
  const atm0s_ice_server* ice_servers;      // beside those that the server names
  size_t ice_server_count;                  // of ice_servers
  const atm0s_codec* codecs;                // none: all
  size_t codec_count;                       // of codecs
  atm0s_bitrate_mode bitrate_control_mode;  // of all senders
} atm0s_session_config;
// Of a session without room, peer and token.
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

// Takes a line of the log, which it must not keep: `text` has `size` bytes and ends with a NUL.
typedef void (*atm0s_log_handler)(atm0s_log_level level, const char* text, size_t size, void* user);

// As RuntimeOptions; false, 0 and NULL leave all as it is there.
typedef struct atm0s_runtime_options {
  size_t struct_size;             // of the _INIT
  const char* tls_ca_file;        // NULL: the system's authorities
  bool skip_tls_verify;           // whoever answers is trusted. For trying things out only
  atm0s_log_handler log;          // from any thread, one call at a time
  void* log_user;                 // given to log
  const char* const* interfaces;  // addresses of this host; none: all
  size_t interface_count;         // of interfaces
  bool relay_only;                // no candidates but relayed ones
  bool no_reconnects;             // a session whose connection is lost has ended
  uint32_t give_up_after_ms;      // of reconnecting; 0: two minutes
  const char* metadata;           // of this peer, for others; NULL: none
  atm0s_scope subscribe_scope;    // whom this session is told of
  atm0s_scope publish_scope;      // who is told of this peer; not ATM0S_SCOPE_MANUAL
} atm0s_runtime_options;
// As without options.
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

#ifdef __cplusplus
}  // extern "C"
#endif

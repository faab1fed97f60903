// Media of the C API (atm0s.h, which includes this and says the rules): sources, senders and publishers out of a
// session; remote streams, receivers and consumers into it; mix-minus.
#pragma once

#include "atm0s/c_values.h"

#ifdef __cplusplus
extern "C" {
#endif

// --- sources: those of media.h -------------------------------------------------------------------------------------

// As PcmOptions.
typedef struct atm0s_pcm_options {
  size_t struct_size;  // of the _INIT
  int channels;        // 1 or 2, interleaved
  uint64_t bitrate;    // bit/s of Opus
  bool dtx;            // send next to nothing in silence
  bool fec;            // copies for lost packets, when there is loss
  bool music;          // tuned for music instead of speech
} atm0s_pcm_options;
// The defaults.
#define ATM0S_PCM_OPTIONS_INIT {sizeof(atm0s_pcm_options), 1, 32000, false, true, false}

// What comes with a picture: as EncodedVideoFrame.
typedef struct atm0s_video_info {
  size_t struct_size;      // of the _INIT
  uint8_t layer;           // of simulcast: 0 the smallest picture
  int is_key;              // 1, 0; -1: as the bitstream says
  int temporal_layer;      // -1: not told
  int64_t captured_at_us;  // CLOCK_MONOTONIC; 0: now
} atm0s_video_info;
// As without info.
#define ATM0S_VIDEO_INFO_INIT {sizeof(atm0s_video_info), 0, -1, -1, 0}

// What comes with a packet of audio: as EncodedAudioFrame.
typedef struct atm0s_audio_info {
  size_t struct_size;      // of the _INIT
  int level;               // dBov, 0 to -127; 1: not told
  int64_t captured_at_us;  // CLOCK_MONOTONIC; 0: now
} atm0s_audio_info;
// As without info.
#define ATM0S_AUDIO_INFO_INIT {sizeof(atm0s_audio_info), 1, 0}

// As EncodedVideoSource. NULL: no codec of video.
ATM0S_API atm0s_source* atm0s_source_encoded_video(atm0s_codec codec);
// As EncodedAudioSource.
ATM0S_API atm0s_source* atm0s_source_encoded_audio(void);
// As PcmSource. `options` NULL: the defaults.
ATM0S_API atm0s_source* atm0s_source_pcm(const atm0s_pcm_options* options);
// The handle alone: senders that send of it go on.
ATM0S_API void atm0s_source_free(atm0s_source* source);

// As EncodedVideoSource::push(); the bytes are copied. ATM0S_INVALID_REQUEST from a source of another sort, too. `info`
// may be NULL.
ATM0S_API atm0s_code atm0s_source_push_video(atm0s_source* source, const uint8_t* bytes, size_t size,
                                             const atm0s_video_info* info, atm0s_error* error);
// As EncodedAudioSource::push(); the rest as atm0s_source_push_video().
ATM0S_API atm0s_code atm0s_source_push_audio(atm0s_source* source, const uint8_t* bytes, size_t size,
                                             const atm0s_audio_info* info, atm0s_error* error);
// As PcmSource::push(): `count` samples of all channels, 48 kHz.
ATM0S_API atm0s_code atm0s_source_push_pcm(atm0s_source* source, const int16_t* samples, size_t count,
                                           atm0s_error* error);
// As EncodedVideoSource::take_key_frame_request(); false of what is no encoded video.
ATM0S_API bool atm0s_source_take_key_frame_request(atm0s_source* source, uint8_t layer);
// As EncodedVideoSource::target_bitrate(), bit/s; 0 of what is no encoded video.
ATM0S_API uint64_t atm0s_source_target_bitrate(const atm0s_source* source, uint8_t layer);
// Called when the answers of the two above have changed.
typedef void (*atm0s_demand_handler)(void* user);
// As EncodedVideoSource::on_demand_changed(); NULL: nobody is called any more.
ATM0S_API void atm0s_source_on_demand_changed(atm0s_source* source, atm0s_demand_handler handler, void* user);

// --- senders -------------------------------------------------------------------------------------------------------

// Of the configuration, or made before; NULL: there is none of that name.
ATM0S_API atm0s_sender* atm0s_session_sender(atm0s_session* session, const char* name);
// As Session::create_sender(). NULL: an error.
ATM0S_API atm0s_sender* atm0s_session_create_sender(atm0s_session* session, const atm0s_sender_config* config,
                                                    atm0s_error* error);
// The handle alone: the sender goes on sending.
ATM0S_API void atm0s_sender_free(atm0s_sender* sender);
// Another source; NULL: none, viewers see the stream inactive. `label` NULL: as it was.
ATM0S_API atm0s_code atm0s_sender_switch(atm0s_sender* sender, const atm0s_source* source, const char* label,
                                         uint32_t timeout_ms, atm0s_error* error);
// Ends the stream for good.
ATM0S_API atm0s_code atm0s_sender_stop(atm0s_sender* sender, uint32_t timeout_ms, atm0s_error* error);
// As of now.
ATM0S_API atm0s_sender_state atm0s_sender_get_state(const atm0s_sender* sender);
// Lives as long as the handle.
ATM0S_API const char* atm0s_sender_name(const atm0s_sender* sender);

// --- publishers: senders that are there while there is something to send -------------------------------------------

// As Session::create_publisher(). NULL: an error.
ATM0S_API atm0s_publisher* atm0s_session_create_publisher(atm0s_session* session, const atm0s_sender_config* config,
                                                          atm0s_error* error);
// The handle alone: the stream goes on.
ATM0S_API void atm0s_publisher_free(atm0s_publisher* publisher);
// As atm0s_sender_switch(); the first source publishes the stream.
ATM0S_API atm0s_code atm0s_publisher_switch(atm0s_publisher* publisher, const atm0s_source* source, const char* label,
                                            uint32_t timeout_ms, atm0s_error* error);
// Ends the stream; the next source publishes anew.
ATM0S_API atm0s_code atm0s_publisher_stop(atm0s_publisher* publisher, uint32_t timeout_ms, atm0s_error* error);
// As of now; ATM0S_SENDER_CREATED before the first source.
ATM0S_API atm0s_sender_state atm0s_publisher_get_state(const atm0s_publisher* publisher);
// Lives as long as the handle.
ATM0S_API const char* atm0s_publisher_name(const atm0s_publisher* publisher);
// Its sender; NULL: there is nothing to send.
ATM0S_API atm0s_sender* atm0s_publisher_sender(const atm0s_publisher* publisher);

// --- remote streams ------------------------------------------------------------------------------------------------

// A stream of another peer as it was when it was asked for: as StreamInfo. Strings live as long as it.
typedef struct atm0s_stream {
  const char* peer;            // who publishes it
  const char* name;            // under which name
  const char* label;           // of its publisher; "": none
  atm0s_kind kind;             // what it is
  atm0s_scaling scaling;       // told once somebody views it
  atm0s_stream_status status;  // of its publisher
  bool is_active;              // has a source
} atm0s_stream;

// Those of others that are there now, at most `capacity` of them, and how many there are. `out` may be NULL with 0.
ATM0S_API size_t atm0s_session_remote_streams(atm0s_session* session, atm0s_stream** out, size_t capacity);
// That one; NULL: it is not there.
ATM0S_API atm0s_stream* atm0s_session_remote_stream(atm0s_session* session, const char* peer, const char* name);
// Ends what one of the two above gave.
ATM0S_API void atm0s_stream_free(atm0s_stream* stream);

// --- receivers -----------------------------------------------------------------------------------------------------

// As ReceiverLimit.
typedef struct atm0s_receiver_limit {
  uint32_t priority;      // among the session's receivers; higher ones have more
  uint32_t max_spatial;   // pictures no larger than this layer
  uint32_t max_temporal;  // no more frames than this layer has
  uint32_t min_spatial;   // paused where not even this layer fits
  uint32_t min_temporal;  // paused where not even this layer fits
} atm0s_receiver_limit;
// All layers, priority 50.
#define ATM0S_RECEIVER_LIMIT_INIT {50, 2, 2, 0, 0}

// As AudioFrame::Action.
typedef enum atm0s_audio_action {
  ATM0S_AUDIO_DECODE,
  ATM0S_AUDIO_DECODE_COPY,
  ATM0S_AUDIO_CONCEAL,
  ATM0S_AUDIO_SILENCE
} atm0s_audio_action;

// Video, a packet of audio, or decoded audio, that is due now; what it does not have is 0.
typedef struct atm0s_frame {
  atm0s_kind kind;            // video or audio
  atm0s_codec codec;          // of the bytes
  bool is_key;                // decodes without those before
  atm0s_audio_action action;  // what a decoder of audio does
  uint32_t rtp_timestamp;     // 90 kHz, of audio 48 kHz
  int64_t due_at_us;          // CLOCK_MONOTONIC
  uint64_t number;            // of video: one more with each frame of the receiver
  int64_t length_us;          // of audio
  const uint8_t* bytes;       // encoded
  size_t size;                // of bytes
  const int16_t* samples;     // decoded: 48 kHz, 2 channels interleaved
  size_t sample_count;        // of both channels
} atm0s_frame;

// As Session::create_receiver().
ATM0S_API atm0s_receiver* atm0s_session_create_receiver(atm0s_session* session, atm0s_kind kind);
// One that is free, or one more.
ATM0S_API atm0s_receiver* atm0s_session_take_receiver(atm0s_session* session, atm0s_kind kind);
// It becomes free, and the handle is ended.
ATM0S_API void atm0s_session_give_back(atm0s_session* session, atm0s_receiver* receiver);
// The handle alone: what it views goes on, to its handlers.
ATM0S_API void atm0s_receiver_free(atm0s_receiver* receiver);

// "video_0", as in events; lives as long as the handle.
ATM0S_API const char* atm0s_receiver_id(const atm0s_receiver* receiver);
// As of now.
ATM0S_API atm0s_receiver_state atm0s_receiver_get_state(const atm0s_receiver* receiver);
// As Receiver::switch_to().
ATM0S_API atm0s_code atm0s_receiver_view(atm0s_receiver* receiver, const char* peer, const char* stream,
                                         uint32_t priority, uint32_t timeout_ms, atm0s_error* error);
// As Receiver::limit().
ATM0S_API atm0s_code atm0s_receiver_set_limit(atm0s_receiver* receiver, const atm0s_receiver_limit* limit,
                                              uint32_t timeout_ms, atm0s_error* error);
// Views nothing any more.
ATM0S_API atm0s_code atm0s_receiver_disconnect(atm0s_receiver* receiver, uint32_t timeout_ms, atm0s_error* error);
// As Receiver::request_key_frame().
ATM0S_API void atm0s_receiver_request_key_frame(atm0s_receiver* receiver);
// The next frame that is due; NULL with ATM0S_TIMEOUT: none came in time.
ATM0S_API atm0s_frame* atm0s_receiver_read_video(atm0s_receiver* receiver, uint32_t timeout_ms, atm0s_error* error);
// The next packet, or what to do in its place; NULL with ATM0S_TIMEOUT: none came in time.
ATM0S_API atm0s_frame* atm0s_receiver_read_audio(atm0s_receiver* receiver, uint32_t timeout_ms, atm0s_error* error);
// The same decoded.
ATM0S_API atm0s_frame* atm0s_receiver_read_pcm(atm0s_receiver* receiver, uint32_t timeout_ms, atm0s_error* error);
// Ends a frame that was read.
ATM0S_API void atm0s_frame_free(atm0s_frame* frame);
// Takes a frame, which it must not keep.
typedef void (*atm0s_frame_handler)(const atm0s_frame* frame, void* user);
// All frames of video to a handler; NULL: to none any more.
ATM0S_API void atm0s_receiver_on_video(atm0s_receiver* receiver, atm0s_frame_handler handler, void* user);
// All packets of audio to a handler; NULL: to none any more.
ATM0S_API void atm0s_receiver_on_audio(atm0s_receiver* receiver, atm0s_frame_handler handler, void* user);
// All decoded audio to a handler; NULL: to none any more.
ATM0S_API void atm0s_receiver_on_pcm(atm0s_receiver* receiver, atm0s_frame_handler handler, void* user);

// --- consumers: views of one remote stream under keys ---------------------------------------------------------------

// As Session::create_consumer(): nothing is viewed yet.
ATM0S_API atm0s_consumer* atm0s_session_create_consumer(atm0s_session* session, const char* peer, const char* stream,
                                                        atm0s_kind kind);
// Ends its views, too.
ATM0S_API void atm0s_consumer_free(atm0s_consumer* consumer);
// One more view; with a key that is there, its limit. `limit` NULL: ATM0S_RECEIVER_LIMIT_INIT. Of all limits the
// largest win.
ATM0S_API atm0s_code atm0s_consumer_view(atm0s_consumer* consumer, const char* key, const atm0s_receiver_limit* limit,
                                         uint32_t timeout_ms, atm0s_error* error);
// Another limit of a view. ATM0S_NOT_FOUND: no view has that key.
ATM0S_API atm0s_code atm0s_consumer_set_limit(atm0s_consumer* consumer, const char* key,
                                              const atm0s_receiver_limit* limit, uint32_t timeout_ms,
                                              atm0s_error* error);
// One view less; with the last one the receiver is given back.
ATM0S_API atm0s_code atm0s_consumer_unview(atm0s_consumer* consumer, const char* key, uint32_t timeout_ms,
                                           atm0s_error* error);
// Where its frames come, for atm0s_receiver_free(); NULL: it is not viewed.
ATM0S_API atm0s_receiver* atm0s_consumer_receiver(const atm0s_consumer* consumer);

// --- mix-minus audio: ATM0S_NOT_SUPPORTED in a session without ------------------------------------------------------

// Handles on its slots, at most `capacity` of them, and how many there are. `out` may be NULL with 0.
ATM0S_API size_t atm0s_mix_minus_slots(atm0s_session* session, atm0s_receiver** out, size_t capacity);
// With ATM0S_MIX_MINUS_MANUAL: one more who may be heard.
ATM0S_API atm0s_code atm0s_mix_minus_add(atm0s_session* session, const char* peer, const char* stream,
                                         uint32_t timeout_ms, atm0s_error* error);
// One less.
ATM0S_API atm0s_code atm0s_mix_minus_remove(atm0s_session* session, const char* peer, const char* stream,
                                            uint32_t timeout_ms, atm0s_error* error);
// As MixMinusAudio::toggle().
ATM0S_API atm0s_code atm0s_mix_minus_toggle(atm0s_session* session, bool enable, uint32_t timeout_ms,
                                            atm0s_error* error);

#ifdef __cplusplus
}  // extern "C"
#endif

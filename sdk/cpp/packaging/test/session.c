// The C API against a real server: a session publishes video and audio, another one lists, views, limits, reads and is
// told; a third one hears by mix-minus; a fourth one publishes when it has something. Prints what failed; the environment is that of server.h.
#include <atm0s/atm0s.h>

#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <threads.h>
#include <time.h>

static int failed = 0;

static void expect(bool is_so, const char* what, const atm0s_error* error) {
  if (!is_so) ++failed;
  printf("%s %s", is_so ? "ok    " : "FAILED", what);
  if (!is_so && error != NULL) printf(": %s: %s", atm0s_code_name(error->code), error->message);
  printf("\n");
}

// The token of a peer, of ATM0S_TOKENS; for free().
static char* token_of(int peer) {
  const char* tokens = getenv("ATM0S_TOKENS");
  const char* at = tokens == NULL ? "" : tokens;
  for (int i = 0; i < peer && strchr(at, ' ') != NULL; ++i) at = strchr(at, ' ') + 1;
  const size_t size = strcspn(at, " ");
  char* out = calloc(size + 1, 1);
  if (out != NULL) memcpy(out, at, size);
  return out;
}

static atm0s_session* open_session(atm0s_session_config* config, const char* peer, int number) {
  const char* url = getenv("ATM0S_URL");
  char* token = token_of(number);
  atm0s_error error;
  config->room_id = "demo";
  config->peer_id = peer;
  config->token = token;
  atm0s_session* session = atm0s_session_open(&url, 1, config, NULL, &error);
  free(token);
  expect(session != NULL, "a session is opened", &error);
  if (session == NULL) exit(1);
  expect(atm0s_session_connect(session, 20000, &error) == ATM0S_OK, "it connects", &error);
  return session;
}

// Whether an event of that type, and of that name if there is one, comes within ten seconds.
static bool wait_for(atm0s_session* session, atm0s_event_type type, const char* name) {
  for (int tries = 0; tries < 1000; ++tries) {
    atm0s_event* event = atm0s_session_wait_event(session, 10);
    if (event == NULL) continue;
    const bool is_it = event->type == type && (name == NULL || strcmp(event->name, name) == 0);
    atm0s_event_free(event);
    if (is_it) return true;
  }
  return false;
}

// Whether within ten seconds that stream is there with a source (1) or without (0), or is not there (-1).
static bool wait_stream(atm0s_session* session, const char* peer, const char* name, int wanted) {
  for (int tries = 0; tries < 1000; ++tries) {
    atm0s_stream* stream = atm0s_session_remote_stream(session, peer, name);
    const int found = stream == NULL ? -1 : stream->is_active;
    atm0s_stream_free(stream);
    if (found == wanted) return true;
    thrd_sleep(&(struct timespec){0, 10 * 1000 * 1000}, NULL);
  }
  return false;
}

static atomic_bool is_over;
typedef struct media {
  atm0s_source* video;
  atm0s_source* audio;
} media;

// Pictures and packets that nobody decodes, 30 and 50 a second.
static int publish(void* given) {
  const media* to = given;
  const uint8_t key_start[] = {0x10, 0x02, 0x00, 0x9d, 0x01, 0x2a, 16, 0, 16, 0};
  const uint8_t other_start[] = {0x11, 0x02, 0x00};
  const struct timespec pause = {0, 20 * 1000 * 1000};
  for (int i = 0; !is_over; ++i) {
    uint8_t picture[200];
    memset(picture, 0x55, sizeof(picture));
    const bool is_key = atm0s_source_take_key_frame_request(to->video, 0) || i % 50 == 0;
    if (is_key) memcpy(picture, key_start, sizeof(key_start));
    else memcpy(picture, other_start, sizeof(other_start));
    atm0s_source_push_video(to->video, picture, sizeof(picture), NULL, NULL);
    uint8_t packet[60] = {0xf8};  // RFC 6716 3.1: one frame of 20 ms
    atm0s_audio_info info = ATM0S_AUDIO_INFO_INIT;
    info.level = -20;
    atm0s_source_push_audio(to->audio, packet, sizeof(packet), &info, NULL);
    thrd_sleep(&pause, NULL);
  }
  return 0;
}

typedef struct counts {
  atomic_int frames;
  atomic_size_t bytes;
} counts;

static void count_frame(const atm0s_frame* frame, void* user) {
  counts* seen = user;
  ++seen->frames;
  seen->bytes += frame->size;
}

static void arguments(void) {
  atm0s_error error;
  atm0s_session_config config = ATM0S_SESSION_CONFIG_INIT;
  const char* url = "http://127.0.0.1:1";
  expect(atm0s_session_open(NULL, 0, &config, NULL, &error) == NULL && error.code == ATM0S_INVALID_REQUEST,
         "no url is an error", NULL);
  config.latency_mode = (atm0s_latency_mode)77;
  expect(atm0s_session_open(&url, 1, &config, NULL, &error) == NULL && error.code == ATM0S_INVALID_REQUEST,
         "a value of no enumeration is an error", NULL);
  config.struct_size = offsetof(atm0s_session_config, latency_mode);
  atm0s_session* older = atm0s_session_open(&url, 1, &config, NULL, &error);
  expect(older != NULL, "what an older program's struct does not have is not read", &error);
  atm0s_session_close(older);
  expect(atm0s_session_connect(NULL, 1, &error) == ATM0S_INVALID_REQUEST, "no session is an error", NULL);
  expect(atm0s_publisher_stop(NULL, 1, &error) == ATM0S_INVALID_REQUEST &&
             atm0s_consumer_view(NULL, "", NULL, 1, &error) == ATM0S_INVALID_REQUEST &&
             atm0s_session_create_consumer(NULL, "a", "b", ATM0S_VIDEO) == NULL &&
             atm0s_session_create_publisher(NULL, NULL, &error) == NULL &&
             atm0s_session_remote_streams(NULL, NULL, 0) == 0,
         "no publisher, no consumer is an error", NULL);
  atm0s_publisher_free(NULL);
  atm0s_consumer_free(NULL);
  expect(atm0s_source_encoded_video(ATM0S_OPUS) == NULL, "Opus is no video", NULL);
  expect(strcmp(atm0s_code_name(ATM0S_ICE_SERVER_ERROR), "ICE_SERVER_ERROR") == 0, "codes have names", NULL);
  expect(strlen(atm0s_version()) >= 5, "there is a version", NULL);
  atm0s_session_config refused = ATM0S_SESSION_CONFIG_INIT;
  refused.room_id = "demo", refused.peer_id = "x", refused.token = "none";
  const char* server = getenv("ATM0S_URL");
  atm0s_session* session = atm0s_session_open(&server, 1, &refused, NULL, &error);
  expect(atm0s_session_connect(session, 10000, &error) == ATM0S_INVALID_TOKEN && strlen(error.message) > 0,
         "a bad token is told by its code", &error);
  atm0s_session_close(session);
  atm0s_session_close(NULL);
}

static void view(atm0s_session* viewer) {
  atm0s_error error;
  atm0s_receiver* video = atm0s_session_take_receiver(viewer, ATM0S_VIDEO);
  expect(strcmp(atm0s_receiver_id(video), "video_0") == 0, "the receiver of the configuration is taken", NULL);
  expect(atm0s_receiver_view(video, "a", "video_main", 50, 10000, &error) == ATM0S_OK, "it views", &error);
  atm0s_receiver_limit limit = ATM0S_RECEIVER_LIMIT_INIT;
  limit.max_spatial = 1;
  expect(atm0s_receiver_set_limit(video, &limit, 10000, &error) == ATM0S_OK, "it is limited", &error);
  atm0s_frame* frame = atm0s_receiver_read_video(video, 10000, &error);
  expect(frame != NULL && frame->kind == ATM0S_VIDEO && frame->codec == ATM0S_VP8 && frame->size == 200,
         "a frame is read as it was pushed", &error);
  expect(frame != NULL && frame->is_key, "the first is a key frame", NULL);
  atm0s_frame_free(frame);
  expect(wait_for(viewer, ATM0S_EVENT_RECEIVER_STATE, "video_0"), "its state is told", NULL);

  atm0s_receiver* audio = atm0s_session_take_receiver(viewer, ATM0S_AUDIO);
  counts heard = {0, 0};
  atm0s_receiver_on_audio(audio, count_frame, &heard);
  expect(atm0s_receiver_view(audio, "a", "audio_main", 50, 10000, &error) == ATM0S_OK, "audio is viewed", &error);
  for (int i = 0; i < 500 && heard.frames < 20; ++i) thrd_sleep(&(struct timespec){0, 20 * 1000 * 1000}, NULL);
  expect(heard.frames >= 20 && heard.bytes >= 60, "packets come to a handler with its pointer", NULL);
  atm0s_receiver_on_audio(audio, NULL, NULL);
  expect(atm0s_receiver_read_pcm(video, 1, &error) == NULL && error.code == ATM0S_INVALID_REQUEST,
         "video is no PCM", NULL);
  atm0s_session_give_back(viewer, audio);

  char* stats = atm0s_session_stats_json(viewer, &error);
  expect(stats != NULL && stats[0] == '{' && strstr(stats, "dtlsState") != NULL, "statistics are JSON", &error);
  atm0s_string_free(stats);
  expect(atm0s_receiver_disconnect(video, 10000, &error) == ATM0S_OK, "a view ends", &error);
  atm0s_receiver_free(video);
}

// One who begins with nothing, publishes, stops, and publishes anew.
static void publish_later(atm0s_session* viewer, const atm0s_source* video) {
  atm0s_error error;
  atm0s_session_config config = ATM0S_SESSION_CONFIG_INIT;
  atm0s_session* session = open_session(&config, "d", 3);
  atm0s_sender_config wanted = ATM0S_SENDER_CONFIG_INIT;
  wanted.name = "screen", wanted.kind = ATM0S_VIDEO, wanted.label = "a desk";
  atm0s_publisher* publisher = atm0s_session_create_publisher(session, &wanted, &error);
  expect(publisher != NULL && strcmp(atm0s_publisher_name(publisher), "screen") == 0, "a publisher is made", &error);
  expect(atm0s_publisher_get_state(publisher) == ATM0S_SENDER_CREATED && atm0s_publisher_sender(publisher) == NULL,
         "which has no sender yet", NULL);
  expect(atm0s_publisher_switch(publisher, video, NULL, 10000, &error) == ATM0S_OK, "a source publishes it", &error);
  atm0s_sender* sender = atm0s_publisher_sender(publisher);
  expect(sender != NULL && strcmp(atm0s_sender_name(sender), "screen") == 0, "then it has one", NULL);
  atm0s_sender_free(sender);
  wanted.source = video;
  expect(atm0s_session_create_publisher(session, &wanted, &error) == NULL && error.code == ATM0S_INVALID_REQUEST,
         "its name is taken", NULL);

  expect(wait_stream(viewer, "d", "screen", 1), "viewers are told", NULL);
  atm0s_stream* stream = atm0s_session_remote_stream(viewer, "d", "screen");
  expect(stream != NULL && stream->kind == ATM0S_VIDEO && stream->is_active && strcmp(stream->peer, "d") == 0 &&
             strcmp(stream->label, "a desk") == 0,
         "it is found by its key", NULL);
  expect(atm0s_publisher_switch(publisher, NULL, "nothing", 10000, &error) == ATM0S_OK, "its source is taken", &error);
  expect(wait_stream(viewer, "d", "screen", 0), "viewers are told of that", NULL);
  atm0s_stream* later = atm0s_session_remote_stream(viewer, "d", "screen");
  expect(stream != NULL && stream->is_active && later != NULL && !later->is_active &&
             strcmp(later->label, "nothing") == 0,
         "a stream is what it was when it was asked for", NULL);
  atm0s_stream_free(stream);
  atm0s_stream_free(later);

  expect(atm0s_publisher_stop(publisher, 10000, &error) == ATM0S_OK, "it is stopped", &error);
  expect(wait_stream(viewer, "d", "screen", -1), "viewers do not find it any more", NULL);
  expect(atm0s_publisher_switch(publisher, video, NULL, 10000, &error) == ATM0S_OK, "a source publishes anew", &error);
  expect(wait_stream(viewer, "d", "screen", 1), "and viewers are told", NULL);
  atm0s_publisher_free(publisher);
  atm0s_session_close(session);
}

static void list_streams(atm0s_session* viewer) {
  expect(atm0s_session_remote_streams(viewer, NULL, 0) == 2, "two remote streams are counted", NULL);
  atm0s_stream* streams[8] = {NULL};
  expect(atm0s_session_remote_streams(viewer, streams, 1) == 2 && streams[0] != NULL && streams[1] == NULL,
         "no more are given than there is room for", NULL);
  atm0s_stream_free(streams[0]);
  const size_t count = atm0s_session_remote_streams(viewer, streams, 8);
  bool has_audio = false, has_video = false;
  for (size_t i = 0; i < count; ++i) {
    const bool is_its = strcmp(streams[i]->peer, "a") == 0 && streams[i]->status == ATM0S_STREAM_CONNECTED;
    has_audio |= is_its && streams[i]->kind == ATM0S_AUDIO && strcmp(streams[i]->name, "audio_main") == 0;
    has_video |= is_its && streams[i]->kind == ATM0S_VIDEO && strcmp(streams[i]->name, "video_main") == 0;
    atm0s_stream_free(streams[i]);
  }
  expect(has_audio && has_video, "they are those of the publisher", NULL);
  atm0s_stream_free(NULL);
}

// Two views of a stream share a receiver, which goes with the last of them.
static void consume(atm0s_session* viewer) {
  atm0s_error error;
  atm0s_consumer* consumer = atm0s_session_create_consumer(viewer, "a", "video_main", ATM0S_VIDEO);
  expect(consumer != NULL && atm0s_consumer_receiver(consumer) == NULL, "a consumer views nothing at first", NULL);
  atm0s_receiver_limit limit = ATM0S_RECEIVER_LIMIT_INIT;
  limit.max_spatial = 0;
  expect(atm0s_consumer_set_limit(consumer, "small", &limit, 10000, &error) == ATM0S_NOT_FOUND,
         "a view that is not there has no limit", NULL);
  expect(atm0s_consumer_view(consumer, "small", &limit, 10000, &error) == ATM0S_OK, "it is viewed", &error);
  expect(atm0s_consumer_view(consumer, "full", NULL, 10000, &error) == ATM0S_OK, "and once more", &error);
  atm0s_receiver* receiver = atm0s_consumer_receiver(consumer);
  expect(receiver != NULL && strcmp(atm0s_receiver_id(receiver), "video_0") == 0, "over one receiver", NULL);
  atm0s_frame* frame = atm0s_receiver_read_video(receiver, 10000, &error);
  expect(frame != NULL && frame->size == 200, "of which frames are read", &error);
  atm0s_frame_free(frame);
  expect(atm0s_consumer_set_limit(consumer, "full", &limit, 10000, &error) == ATM0S_OK, "a view is limited", &error);
  expect(atm0s_consumer_unview(consumer, "full", 10000, &error) == ATM0S_OK, "one view ends", &error);
  atm0s_receiver* still = atm0s_consumer_receiver(consumer);
  expect(still != NULL, "the receiver stays for the other", NULL);
  atm0s_receiver_free(still);
  expect(atm0s_consumer_unview(consumer, "small", 10000, &error) == ATM0S_OK, "the last view ends", &error);
  expect(atm0s_consumer_receiver(consumer) == NULL, "and the receiver is given back", NULL);
  expect(atm0s_receiver_get_state(receiver) == ATM0S_RECEIVER_NO_SOURCE ||
             wait_for(viewer, ATM0S_EVENT_RECEIVER_STATE, "video_0"),
         "it views nothing", NULL);
  atm0s_receiver_free(receiver);
  expect(atm0s_consumer_view(consumer, "full", NULL, 10000, &error) == ATM0S_OK, "it is viewed again", &error);
  atm0s_consumer_free(consumer);
  receiver = atm0s_session_take_receiver(viewer, ATM0S_VIDEO);
  expect(strcmp(atm0s_receiver_id(receiver), "video_0") == 0, "a consumer that is freed gives its receiver back", NULL);
  atm0s_session_give_back(viewer, receiver);
}

static void hear(void) {
  atm0s_error error;
  atm0s_session_config config = ATM0S_SESSION_CONFIG_INIT;
  config.mix_minus_audio = ATM0S_MIX_MINUS_MANUAL;
  atm0s_session* session = open_session(&config, "c", 2);
  atm0s_receiver* slots[8];
  const size_t count = atm0s_mix_minus_slots(session, slots, 8);
  expect(count == 3, "mix-minus has three slots", NULL);
  expect(atm0s_mix_minus_add(session, "a", "audio_main", 10000, &error) == ATM0S_OK, "a source is added", &error);
  bool is_heard = false;
  for (int tries = 0; tries < 100 && !is_heard; ++tries) {
    for (size_t i = 0; i < count && !is_heard; ++i) {
      atm0s_frame* frame = atm0s_receiver_read_audio(slots[i], 50, &error);
      is_heard = frame != NULL && frame->size > 0;
      atm0s_frame_free(frame);
    }
  }
  expect(is_heard, "it is heard in a slot", &error);
  expect(atm0s_mix_minus_remove(session, "a", "audio_main", 10000, &error) == ATM0S_OK, "it is removed", &error);
  expect(atm0s_mix_minus_toggle(session, false, 10000, &error) == ATM0S_OK, "the mixer is turned off", &error);
  for (size_t i = 0; i < count; ++i) atm0s_receiver_free(slots[i]);
  atm0s_session_close(session);
}

int main(void) {
  atm0s_error error;
  arguments();
  media sources = {atm0s_source_encoded_video(ATM0S_VP8), atm0s_source_encoded_audio()};
  atm0s_sender_config senders[2] = {ATM0S_SENDER_CONFIG_INIT, ATM0S_SENDER_CONFIG_INIT};
  senders[0].name = "video_main", senders[0].kind = ATM0S_VIDEO, senders[0].source = sources.video;
  senders[1].name = "audio_main", senders[1].source = sources.audio;
  atm0s_session_config config = ATM0S_SESSION_CONFIG_INIT;
  config.senders = senders, config.sender_count = 2;
  atm0s_session* publisher = open_session(&config, "a", 0);
  thrd_t camera;
  thrd_create(&camera, publish, &sources);

  atm0s_session_config viewing = ATM0S_SESSION_CONFIG_INIT;
  viewing.video_receivers = 1, viewing.audio_receivers = 1;
  atm0s_session* viewer = open_session(&viewing, "b", 1);
  uint64_t microseconds = 0;
  expect(atm0s_session_ping(viewer, 5000, &microseconds, &error) == ATM0S_OK && microseconds > 0, "it pings", &error);
  expect(wait_for(viewer, ATM0S_EVENT_STREAM, "video_main"), "the stream is told", NULL);
  expect(wait_stream(viewer, "a", "audio_main", 1), "the other, too", NULL);
  list_streams(viewer);
  consume(viewer);
  view(viewer);
  publish_later(viewer, sources.video);
  hear();

  atm0s_sender* sender = atm0s_session_sender(publisher, "video_main");
  expect(sender != NULL && strcmp(atm0s_sender_name(sender), "video_main") == 0, "a sender is found by its name", NULL);
  expect(atm0s_sender_switch(sender, NULL, NULL, 10000, &error) == ATM0S_OK, "its source is taken away", &error);
  expect(atm0s_sender_stop(sender, 10000, &error) == ATM0S_OK, "it is stopped", &error);
  expect(atm0s_sender_get_state(sender) == ATM0S_SENDER_CLOSED, "and closed", NULL);
  atm0s_sender_free(sender);
  expect(atm0s_session_disconnect(viewer, 5000, &error) == ATM0S_OK, "a session disconnects", &error);
  expect(atm0s_session_get_state(viewer) == ATM0S_SESSION_DISCONNECTED, "and is told so", NULL);
  is_over = true;
  thrd_join(camera, NULL);
  atm0s_source_free(sources.video);
  atm0s_source_free(sources.audio);
  atm0s_session_close(viewer);
  atm0s_session_close(publisher);
  return failed == 0 ? 0 : 1;
}

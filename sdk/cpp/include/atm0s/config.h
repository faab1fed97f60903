// What a session is opened with. SessionConfig has the ten properties of the session configuration
// (docs/session-protocol.md), the same as the browser SDK's; what only a native program needs is in RuntimeOptions.
// Plain values: fill them in, give them to Session, they are copied. What is wrong in them is told by connect(), or by
// the call that takes them, as INVALID_REQUEST, or TOO_MANY for more than docs/limits.md allows.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "atm0s/export.h"

namespace atm0s {

class MediaSource;  // media.h

// What a stream is.
enum class MediaKind : uint8_t { kAudio, kVideo };
// What it is encoded with: kOpus is of audio, the others are of video.
enum class Codec : uint8_t { kOpus, kVp8, kVp9, kH264, kAv1 };
// How long media wait before they are shown or played: the longer, the fewer gaps when packets come late. kUltraLow:
// not at all; kDefault: as long as the network's jitter asks; kSmoothN: N milliseconds.
enum class LatencyMode : uint8_t { kUltraLow, kDefault, kSmooth200, kSmooth500, kSmooth800, kSmooth1000, kSmooth2000 };
// How the bitrate of what is published is governed: by what viewers can use, all video together; by a maximum alone;
// each stream on its own.
enum class BitrateControlMode : uint8_t { kSumBitrateWithClientSide, kSumBitrateOnly, kPerStream };
// Hear nobody by it, the loudest of all others, or of those that MixMinusAudio::add_source() names.
enum class MixMinusMode : uint8_t { kDisabled, kAllAudioStreams, kManualAudioStreams };
// What matters where bits are few: smooth movement, or sharp pictures.
enum class ContentHint : uint8_t { kNone, kMotion, kDetail };

// --- the names of the protocol
ATM0S_API std::string_view to_text(MediaKind kind);           // "audio", "video"
ATM0S_API std::string_view to_text(Codec codec);              // "OPUS", "VP8", …
ATM0S_API std::string_view to_text(LatencyMode mode);         // "ultra-low", "default", "smooth-200", …
ATM0S_API std::string_view to_text(BitrateControlMode mode);  // "SumBitrateWithClientSide", …

// A stream that a session publishes: of SessionConfig::senders, of Session::create_sender() and create_publisher().
struct SenderConfig {
  std::string name;                               // unique in the session, "video_main" for example; at most 256 bytes
  MediaKind kind = MediaKind::kAudio;             // of the stream, and of each source that it is given
  std::shared_ptr<MediaSource> source = {};       // what is sent; none: nothing yet, viewers see the stream inactive
  std::vector<Codec> preferred_codecs = {};       // in order of preference; empty: the session's
  bool simulcast = false;                         // video in three layers, each from an encoder of its own
  uint64_t max_bitrate = 0;                       // bit/s; 0: no cap
  ContentHint content_hint = ContentHint::kNone;  // for the sharing of bits
  bool screen = false;                            // a screen or a window: few frames are no fault
  std::string label = {};                         // for viewers
};

// Receivers that are there from the start: the first views need no renegotiation.
struct ReceiverCounts {
  uint32_t audio = 0;  // at most 256, without the three of mix-minus
  uint32_t video = 0;  // at most 256
};

// A STUN or TURN server: "stun:host:port", "turn:host:port?transport=udp", "turns:host:port" (RFC 7064, RFC 7065).
struct IceServer {
  std::vector<std::string> urls;  // of one server: ways to it
  std::string username = {};      // of TURN
  std::string credential = {};    // of TURN: the password of username
};

// The ten properties of a session.
struct SessionConfig {
  std::string room_id;                                     // the room to join, which begins with its first session
  std::string peer_id;                                     // this participant, unique in the room
  std::string token;                                       // issued by the media server for that room and that peer
  std::vector<SenderConfig> senders = {};                  // what is published from the start; at most 64
  ReceiverCounts receivers = {};                           // how many views need no renegotiation
  MixMinusMode mix_minus_audio = MixMinusMode::kDisabled;  // three more receivers of audio, for the loudest
  LatencyMode latency_mode = LatencyMode::kDefault;        // of all receivers
  std::vector<IceServer> ice_servers = {};                 // beside those that the server names
  std::vector<Codec> codecs = {};  // that the session may use, in order of preference; empty: all
  BitrateControlMode bitrate_control_mode = BitrateControlMode::kSumBitrateWithClientSide;  // of all senders
};

// How much a line of the log matters.
enum class LogLevel : uint8_t { kDebug, kInfo, kWarning, kError };
// Who is told of peers and streams: of all, of streams alone, or of peers that subscribe() names.
enum class SubscribeScope : uint8_t { kFull, kStreamOnly, kManual };
// Who is told of this peer: of it and its streams, or of its streams alone.
enum class PublishScope : uint8_t { kFull, kStreamOnly };

// What only a native program needs. All of it may be left as it is.
struct RuntimeOptions {
  // Runs handlers. None: a thread of the SDK's, one for all sessions. Whatever it is, handlers of one session are
  // called one after the other. One that runs them in place, in its own call, holds up the network of all sessions for
  // as long as they take; they must not wait for an Operation then.
  std::function<void(std::function<void()>)> executor = {};
  // Certificates in PEM that alone are trusted, for https urls and turns servers. Empty: the system's authorities.
  std::string tls_ca_file = {};
  bool tls_verify = true;  // false: whoever answers is trusted. For trying things out only
  // Called from any thread, one call at a time; must return soon. None: nothing is logged.
  std::function<void(LogLevel, std::string_view)> log = {};
  // Addresses of this host that may be used, "192.168.1.7"; empty: all of interfaces that are up.
  std::vector<std::string> interfaces = {};
  // No candidates but relayed ones, as RTCIceTransportPolicy "relay".
  bool relay_only = false;
  bool reconnects = true;  // false: a session whose connection is lost has ended
  std::chrono::milliseconds give_up_after = std::chrono::minutes(2);  // of reconnecting
  std::string metadata = {};                                          // of this peer, for others
  SubscribeScope subscribe_scope = SubscribeScope::kFull;             // whom this session is told of
  PublishScope publish_scope = PublishScope::kFull;                   // who is told of this peer
};

}  // namespace atm0s

// What a session of the SDK says and wants: events for the application, calls for an HTTP client. Filled in by
// client/session.h, taken by sdk/cpp (real sockets) and by the simulation.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/address.h"
#include "base/bytes.h"
#include "base/codec.h"
#include "base/datagram.h"
#include "base/result.h"
#include "base/time.h"
#include "contract/ice_server.h"
#include "contract/session.h"

namespace atm::client {

enum class State : uint8_t { kCreated, kConnecting, kConnected, kReconnecting, kDisconnected };

// A call of the session protocol; the answer comes back to Session::on_reply under its id, once.
struct HttpCall {
  enum class Method : uint8_t { kPost, kDelete };
  uint64_t id = 0;
  Method method = Method::kPost;
  std::string url;
  std::string body;  // JSON; empty: none
  Duration timeout{};
};

struct StateChanged {
  State state = State::kCreated;
  std::optional<Error> why;  // of kDisconnected: nothing when the application wanted it; of kReconnecting: what is lost
};
// The server names servers for STUN and TURN of its own.
struct IceServersGiven {
  std::vector<contract::IceServer> servers;
};
// A STUN or TURN server that cannot be used; `why` is for the user.
struct ServerFailed {
  std::string url;
  std::string why;
};
// The name of such a server: answered by Session::on_resolved.
struct ResolveWanted {
  std::string host;
};
// A TCP connection to such a server, for datagrams of Transport::kTcp whose path has this number as local_port, each of
// which goes out whole or not at all. Answered by Session::on_stream_open or on_stream_closed.
struct StreamWanted {
  uint16_t stream = 0;
  std::string host;  // that a certificate has to be for
  bool has_tls = false;
  SocketAddress address;
};
struct StreamUnwanted {
  uint16_t stream = 0;
};
// Answers a request that the application made, by the id it was given.
struct RequestDone {
  uint64_t request = 0;
  std::optional<Error> error;
};
// Who looks at `sender` waits for a key frame of that simulcast layer.
struct KeyFrameWanted {
  size_t sender = 0;
  uint8_t layer = 0;
};
// What the encoders of `sender` are to make from now on, bit/s by simulcast layer; 0: nobody wants that layer.
struct TargetChanged {
  size_t sender = 0;
  std::vector<uint64_t> layer_bps;
};
// The server took not what the application added: lines of an offer.
struct Refused {
  Error error;
};
// A frame whose time has come.
struct FrameReceived {
  size_t receiver = 0;
  Codec codec = Codec::kOpus;
  bool is_key = false;
  uint32_t timestamp = 0;  // RTP, the codec's clock
  Instant render_at{};     // when it is due; handed out then
  uint64_t number = 0;     // of the receiver, one more with each frame
  Bytes bytes;             // one frame as a decoder takes it; empty: audio to conceal
  // Audio: what to do with `bytes`.
  enum class Audio : uint8_t { kDecode, kConcealWithNext, kConceal, kSilence };
  Audio audio = Audio::kDecode;
  Duration length{};  // of audio
};

using Event = std::variant<StateChanged, contract::Event, RequestDone, KeyFrameWanted, TargetChanged, FrameReceived,
                           IceServersGiven, Refused, ServerFailed, ResolveWanted, StreamWanted, StreamUnwanted>;

struct Output {
  SendBatch& datagrams;
  std::vector<HttpCall>& calls;
  std::vector<Event>& events;
};

}  // namespace atm::client

// Sessions of the SDK's engine (client::Session) on real servers, workers and HTTP interface, in virtual time. It does
// for an engine what sdk/cpp does with sockets, an HTTP client and encoders: datagrams over lossy links, calls that are
// answered after a round trip, streams to a TURN server, and encoders that make up frames of the size that they are
// told. Everything follows from the seed.
#pragma once

#include <array>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/rng.h"
#include "client/session.h"
#include "control/http/router.h"
#include "core/dtls/virtual_openssl_test.h"
#include "core/turn/server_test.h"
#include "link.h"
#include "node/worker.h"

namespace atm::sim {

// A frame that came out of a receiver.
struct SeenFrame {
  Instant at{}, render_at{}, captured_at{};
  uint32_t counter = 0;
  uint8_t layer = 0;
  bool is_key = false;
  size_t size = 0;
};

// An encoder: of frames with the time at which they were captured and a counter.
struct Encoder {
  size_t sender = 0;
  MediaKind kind = MediaKind::kAudio;
  bool is_on = true;
  Instant next{};
  Duration latency{};  // from the capture until the frame is there
  uint32_t counter = 0;
  std::vector<uint64_t> layer_bps;  // of video; 0: that layer is off
  std::array<bool, client::kMaxSimulcastLayers> is_key_due{true, true, true};
  std::array<uint64_t, client::kMaxSimulcastLayers> key_frames{}, bytes{};
};

struct SdkClient {
  struct Told {
    Instant at;
    client::Event event;
  };
  struct Called {
    Instant at;
    client::HttpCall call;
  };

  client::Session& operator*() { return *session; }
  client::Session* operator->() { return session.get(); }
  // The events of one type, oldest first.
  template <typename T>
  std::vector<T> told() const {
    std::vector<T> out;
    for (const Told& one : events) {
      if (const auto* event = std::get_if<T>(&one.event)) out.push_back(*event);
    }
    return out;
  }
  // The session protocol's.
  template <typename T>
  std::vector<T> server_said() const {
    std::vector<T> out;
    for (const auto& event : told<contract::Event>()) {
      if (const auto* wanted = std::get_if<T>(&event)) out.push_back(*wanted);
    }
    return out;
  }
  size_t calls_of(const std::string& path) const;
  bool has_succeeded(uint64_t request) const { return done.contains(request) && !done.at(request); }
  // Frames of the receiver that came out since then.
  size_t frames_since(size_t receiver, Instant since) const;

  uint32_t number = 0;
  SocketAddress address;
  std::unique_ptr<dtls::Context> dtls;
  std::unique_ptr<client::Session> session;
  std::unique_ptr<Link> up, down;
  bool is_cut = false;       // its network is gone: nothing in, nothing out
  bool udp_is_shut = false;  // but to a TURN server
  bool tcp_is_shut = false;  // streams cannot be opened
  std::vector<Told> events;  // all but frames
  std::vector<Called> calls;
  std::map<uint64_t, std::optional<Error>> done;  // RequestDone
  std::map<size_t, std::vector<SeenFrame>> seen;  // by receiver
  std::map<size_t, size_t> concealed;
  std::vector<Encoder> encoders;
  std::map<uint16_t, SocketAddress> streams;  // to a TURN server, and what they look like there
  uint64_t sent_bytes = 0;                    // UDP payload
  bool has_relayed_alone = true;              // nothing went to a server but by TURN
};

class SdkWorld {
 public:
  explicit SdkWorld(uint64_t seed, LinkConfig link = {});

  // Another server, at "http://NAME". "one" is there from the beginning.
  void add_server(const std::string& name);
  static std::string url(const std::string& name) { return "http://" + name; }
  void kill(const std::string& name);
  // In its place one that knows nobody.
  void replace(const std::string& name);
  // Ends its sessions, as an operator who takes it away.
  void drain(const std::string& name);
  size_t session_count(const std::string& name) const;
  // That it names in its answers.
  void set_ice_servers(const std::string& name, token::IceServerSettings settings);
  std::string token(const std::string& peer, uint64_t max_bitrate_bps = 0);

  // With a token of its own in room "room" on server "one" where the configuration says none of these.
  SdkClient& add(client::Config config);
  SdkClient& join(client::Config config);
  // Until its state is that; the test fails when it does not get there.
  void expect_state(SdkClient& client, client::State state, Duration limit);
  // A request by a number of its own; waits for the answer.
  std::optional<Error> ask(SdkClient& client,
                           const std::function<void(uint64_t request, client::Output& out)>& request);
  // Any other call of the engine.
  void call(SdkClient& client, const std::function<void(client::Output& out)>& call);
  // An encoder for the sender.
  Encoder& encode(SdkClient& client, size_t sender, uint64_t bps = 500'000);

  void run_for(Duration length) { run(now_.mono + length, nullptr); }
  bool run_until(const std::function<bool()>& until, Duration limit) { return run(now_.mono + limit, until); }
  Now now() const { return now_; }

  // Answers a call instead of its server.
  std::function<std::optional<Result<std::string>>(const client::HttpCall& call)> answer;
  // Addresses of names; none: not known.
  std::map<std::string, std::vector<IpAddress>> names;
  std::unique_ptr<turn::TestServer> turn;

 private:
  struct Server {
    std::string name;
    std::vector<SocketAddress> addresses;  // of its workers
    std::vector<std::unique_ptr<node::Worker>> workers;
    std::unique_ptr<control::Router> router;
    token::IceServerSettings ice_servers;
    bool is_up = true;
  };
  struct InFlight {
    SocketAddress from, to;
    Bytes bytes;
  };
  struct Request {
    uint32_t client = 0;
    client::HttpCall call;
  };
  struct Answer {
    uint32_t client = 0;
    uint64_t id = 0;
    Result<std::string> body;
  };

  bool run(Instant deadline, const std::function<bool()>& until);
  Instant next_event() const;
  void step();
  void start(Server& server);
  Server* find_server(const std::string& name);
  SdkClient* find_client(const SocketAddress& address);
  bool deliver_to_server(const InFlight& datagram);
  void deliver_to_client(SdkClient& client, const InFlight& datagram);
  void pump(Server& server, size_t worker);
  void answer_questions(Server& server, size_t worker);
  void flush(SdkClient& client);
  void flush_turn();
  void send(SdkClient& client, const Path& path, ByteView bytes);
  void put(Duration delay, const SocketAddress& from, const SocketAddress& to, ByteView bytes);
  void call_http(SdkClient& client, const client::HttpCall& call);
  void handle(const Request& request);
  Result<std::string> reply_of(Server& server, const client::HttpCall& call, const SocketAddress& from);
  void take_event(SdkClient& client, client::Event event);
  void open_stream(SdkClient& client, const client::StreamWanted& wanted);
  void encode_due(SdkClient& client);
  void encode_frame(SdkClient& client, Encoder& encoder, uint8_t layer);
  void set_time(Instant t);

  uint64_t seed_;
  SeededRng rng_, openssl_rng_;
  dtls::VirtualOpenssl openssl_;
  LinkConfig link_config_;
  Now now_;
  std::vector<std::unique_ptr<Server>> servers_;
  std::vector<std::unique_ptr<SdkClient>> clients_;
  std::map<std::pair<Instant, uint64_t>, InFlight> in_flight_;
  std::multimap<Instant, Request> requests_;
  std::multimap<Instant, Answer> answers_;
  std::multimap<Instant, std::function<void()>> later_;
  uint64_t order_ = 0;
  uint64_t next_request_ = 1;
  SendBatch client_out_, server_out_;
  std::vector<client::HttpCall> calls_out_;
  std::vector<client::Event> events_out_;
};

// A configuration of that peer: what tests change from.
client::Config sdk_config(const std::string& peer);
client::SenderConfig sdk_audio(const std::string& name = "audio_main");
client::SenderConfig sdk_video(const std::string& name = "video_main");

}  // namespace atm::sim

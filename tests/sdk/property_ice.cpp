// ice_servers: calls that nothing but coturn can carry, for a firewall lets in its relay alone; and what is told when
// it does not take the credentials.
#include "coturn.h"
#include "gate.h"
#include "scene.h"

namespace atm0s::test {

namespace {

constexpr const char* kViewerIp = "127.0.0.3";  // of this host, and let in

atm::Coturn& coturn() {
  static atm::Coturn one;
  return one;
}

std::string url_of(const std::string& protocol) {
  if (protocol == "tls") return "turns:localhost:" + std::to_string(coturn().tls_port);
  return "turn:127.0.0.1:" + std::to_string(coturn().port) + "?transport=" + protocol;
}

IceServer server_of(const std::string& protocol, const std::string& credential = atm::Coturn::kPassword) {
  return {{url_of(protocol)}, atm::Coturn::kUser, credential};
}

void relayed(Scene& run, const std::string& protocol) {
  ASSERT_TRUE(coturn().is_running()) << coturn().log();
  const Gate gate(gated_server().media_port(), {.open_to = {atm::Coturn::kRelayIp, kViewerIp}});
  run.move_to(gated_server().url());
  run.options.interfaces = {kViewerIp};
  const auto bob = run.viewer();
  run.options.interfaces = {"127.0.0.1"};
  run.options.tls_ca_file = coturn().ca_file;
  SessionConfig config = run.config("ann");
  config.ice_servers = {server_of(protocol)};
  const Publisher ann = run.publish(config, {});
  ASSERT_EQ(ann.session->state(), SessionState::kConnected);
  Receiver receiver = Scene::view(*bob, ann);
  EXPECT_EQ(Scene::seen(receiver), Codec::kVp8);
  const uint64_t before = gate.passed(atm::Coturn::kRelayIp);
  for (int i = 0; i < 25; ++i) EXPECT_TRUE(receiver.read_video(1s).ok());
  EXPECT_GE(gate.passed(atm::Coturn::kRelayIp), before + 24) << "a packet for each frame";
  EXPECT_EQ(gate.passed("127.0.0.1"), 0u);
  EXPECT_GT(gate.refused("127.0.0.1"), 0u) << "it did not try without";
  const auto stats = ann.session->stats();
  ASSERT_OK(stats);
  EXPECT_EQ(stats->transport.local_candidate_type, "relay");
  EXPECT_EQ(stats->transport.relay_protocol, protocol);
  EXPECT_EQ(stats->transport.protocol, "udp");
}

bool says_401(const Error& error) {
  return error.message.find("refused the credentials (401)") != std::string::npos;
}

// Where there is another way, the call goes on over it.
void wrong_credentials(Scene& run) {
  ASSERT_TRUE(coturn().is_running()) << coturn().log();
  for (const std::string protocol : {"udp", "tcp", "tls"}) {
    run.options.tls_ca_file = coturn().ca_file;
    SessionConfig config = run.config("ann-" + protocol);
    config.ice_servers = {server_of(protocol, "guess")};
    const auto ann = run.connect(config);
    const auto failure = wait_for<Failure>(
        *ann, [](const auto& one) { return one.error.code == ErrorCode::kIceServerError && says_401(one.error); });
    EXPECT_TRUE(failure) << protocol;
    EXPECT_TRUE(failure && failure->error.message.find(url_of(protocol)) != std::string::npos);
    EXPECT_EQ(ann->state(), SessionState::kConnected);
    const auto stats = ann->stats();
    ASSERT_OK(stats);
    EXPECT_EQ(stats->transport.local_candidate_type, "host");
  }
}

// Where there is none, connect() says why.
void wrong_credentials_alone(Scene& run) {
  ASSERT_TRUE(coturn().is_running()) << coturn().log();
  SessionConfig config = run.config("ann");
  config.ice_servers = {server_of("udp", "guess")};
  Session session({run.url()}, config, {.relay_only = true});
  const auto connected = session.connect();
  EXPECT_FAILS(ErrorCode::kNetworkError, connected);
  EXPECT_TRUE(!connected && says_401(connected.error())) << (connected ? "" : connected.error().message);
}

}  // namespace

std::vector<Property> ice_properties() {
  return {
      {"ice_servers_udp", {"ice_servers"}, [](Scene& run) { relayed(run, "udp"); }},
      {"ice_servers_tcp", {"ice_servers"}, [](Scene& run) { relayed(run, "tcp"); }},
      {"ice_servers_tls", {"ice_servers"}, [](Scene& run) { relayed(run, "tls"); }},
      {"ice_servers_refused", {"ice_servers"}, wrong_credentials},
      {"ice_servers_refused_alone", {"ice_servers"}, wrong_credentials_alone},
  };
}

}  // namespace atm0s::test

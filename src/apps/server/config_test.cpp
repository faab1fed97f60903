#include "apps/server/config.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <map>

#include "apps/server/setting.h"

namespace atm::server {
namespace {

const std::string kSecret = "0123456789abcdef0123456789abcdef";

class ConfigTest : public ::testing::Test {
 protected:
  ConfigTest() : file_(std::filesystem::temp_directory_path() / ("atm0s_config_test_" + std::to_string(getpid()))) {}
  ~ConfigTest() override { std::filesystem::remove(file_); }

  Result<Config> load(std::vector<std::string> flags) {
    std::vector<const char*> argv = {"atm0s-server"};
    for (const std::string& flag : flags) argv.push_back(flag.c_str());
    return load_config(static_cast<int>(argv.size()), argv.data(), [this](const char* name) -> const char* {
      const auto it = environment_.find(name);
      return it == environment_.end() ? nullptr : it->second.c_str();
    });
  }
  std::string why(std::vector<std::string> flags) {
    const auto result = load(std::move(flags));
    if (result) return "loaded";
    EXPECT_EQ(result.error().code, ErrorCode::kInvalidConfig);
    EXPECT_EQ(result.error().why.find('\n'), std::string::npos) << result.error().why;
    return result.error().why;
  }
  std::string yaml(const std::string& text) {
    std::ofstream(file_) << text;
    return file_;
  }

  std::filesystem::path file_;
  std::map<std::string, std::string> environment_;
};

TEST_F(ConfigTest, ASecondSessionOfAPeerReplacesOrIsRefused) {
  EXPECT_EQ(load({"--dev"})->duplicate_peer, room::Duplicates::kReplace);
  EXPECT_EQ(load({"--dev", "--duplicate-peer", "replace"})->duplicate_peer, room::Duplicates::kReplace);
  EXPECT_EQ(load({"--dev", "--duplicate-peer", "refuse"})->duplicate_peer, room::Duplicates::kRefuse);
  EXPECT_EQ(why({"--dev", "--duplicate-peer", "both"}), "--duplicate-peer: must be replace or refuse, not 'both'");
}

TEST_F(ConfigTest, MediaOverTcpHasThePortOfUdpUnlessSaid) {
  EXPECT_EQ(load({"--dev"})->media_tcp_port, 20'000);
  EXPECT_EQ(load({"--dev", "--media-port", "4000"})->media_tcp_port, 4'000);
  EXPECT_EQ(load({"--dev", "--media-tcp-port", "443"})->media_tcp_port, 443);
  EXPECT_EQ(load({"--dev", "--media-tcp-port", "443"})->media_port, 20'000);
  EXPECT_EQ(load({"--dev", "--media-tcp-port", "off"})->media_tcp_port, std::nullopt);
  EXPECT_EQ(why({"--dev", "--media-tcp-port", "0"}),
            "--media-tcp-port: must be a number from 1 to 65535, not '0'; or off");
  EXPECT_EQ(why({"--dev", "--media-tcp-port", "65530", "--workers", "8"}),
            "media-tcp-port: 8 workers need the ports 65530 to 65537, and 65535 is the highest");
}

TEST_F(ConfigTest, TurnServersNeedCredentials) {
  const auto config = load({"--dev", "--ice-server", "stun:a", "--ice-server", "turn:b", "--turn-secret", "s"});
  ASSERT_TRUE(config) << config.error().why;
  EXPECT_EQ(config->ice_servers.urls, (std::vector<std::string>{"stun:a", "turn:b"}));
  EXPECT_EQ(config->ice_servers.lifetime, std::chrono::hours(1));
  environment_["ATM0S_ICE_SERVER"] = "stun:a,turns:b:443";
  environment_["ATM0S_TURN_LIFETIME"] = "60";
  const auto by_variable = load({"--dev", "--turn-username", "u", "--turn-credential", "c"});
  ASSERT_TRUE(by_variable) << by_variable.error().why;
  EXPECT_EQ(by_variable->ice_servers.urls.size(), 2u);
  EXPECT_EQ(by_variable->ice_servers.lifetime, std::chrono::minutes(1));
  environment_.clear();
  EXPECT_TRUE(load({"--dev", "--ice-server", "stun:a"}));
  EXPECT_NE(why({"--dev", "--ice-server", "turn:a"}).find("turn: needs turn-secret"), std::string::npos);
  EXPECT_NE(why({"--dev", "--ice-server", "http://a"}).find("must be stun:"), std::string::npos);
  EXPECT_NE(why({"--dev", "--turn-username", "u"}).find("one needs the other"), std::string::npos);
  EXPECT_NE(why({"--dev", "--turn-lifetime", "5"}).find("from 60"), std::string::npos);
  EXPECT_NE(why({"--dev", "--turn-secret", "s", "--turn-username", "u", "--turn-credential", "c"}).find("turn-secret"),
            std::string::npos);
}

TEST_F(ConfigTest, DevModeNeedsNothing) {
  const auto config = load({"--dev"});
  ASSERT_TRUE(config) << config.error().why;
  EXPECT_TRUE(config->dev);
  EXPECT_EQ(config->http.to_string(), "0.0.0.0:3000");
  EXPECT_EQ(config->https->to_string(), "0.0.0.0:3443");
  EXPECT_EQ(config->media_port, 20'000);
  EXPECT_GE(config->workers, 1u);
  EXPECT_TRUE(config->media_ips.empty());
  EXPECT_FALSE(config->secret.empty());
  EXPECT_EQ(config->log_format, io::LogFormat::kText);
  EXPECT_EQ(config->log_level, LogLevel::kInfo);
  EXPECT_FALSE(load({"--dev", "--https", "off"})->https);
}

TEST_F(ConfigTest, ProductionNeedsAStrongSecret) {
  EXPECT_NE(why({}).find("openssl rand -hex 32"), std::string::npos);
  EXPECT_EQ(why({"--secret", "short one"}),
            "secret: has 9 bytes, 32 are the least; make one with: openssl rand -hex 32");
  EXPECT_NE(why({"--secret", std::string(40, 'a')}).find("repeats"), std::string::npos);
  const auto config = load({"--secret", kSecret});
  ASSERT_TRUE(config);
  EXPECT_EQ(config->secret, kSecret);
  EXPECT_FALSE(config->https);
  EXPECT_FALSE(config->dev);
  EXPECT_EQ(config->log_format, io::LogFormat::kJson);
}

TEST_F(ConfigTest, ReadsEveryFlag) {
  const auto config = load({"--secret",
                            kSecret,
                            "--http=[::1]:8080",
                            "--https",
                            "1.2.3.4:443",
                            "--tls-cert",
                            "c.pem",
                            "--tls-key",
                            "k.pem",
                            "--media-ip",
                            "10.0.0.5=203.0.113.7",
                            "--media-ip",
                            "fd00::1",
                            "--media-port",
                            "40000",
                            "--workers",
                            "3",
                            "--node-id",
                            "9",
                            "--max-bitrate",
                            "800000",
                            "--log-level",
                            "debug",
                            "--log-format",
                            "text"});
  ASSERT_TRUE(config) << config.error().why;
  EXPECT_EQ(config->http.to_string(), "[::1]:8080");
  EXPECT_EQ(config->https->to_string(), "1.2.3.4:443");
  EXPECT_EQ(config->tls_cert, "c.pem");
  EXPECT_EQ(config->tls_key, "k.pem");
  ASSERT_EQ(config->media_ips.size(), 2u);
  EXPECT_EQ(config->media_ips[0].internal.to_string(), "10.0.0.5");
  EXPECT_EQ(config->media_ips[0].external.to_string(), "203.0.113.7");
  EXPECT_EQ(config->media_ips[1].internal, config->media_ips[1].external);
  EXPECT_EQ(config->media_port, 40'000);
  EXPECT_EQ(config->workers, 3u);
  EXPECT_EQ(config->node_id, 9u);
  EXPECT_EQ(config->max_bitrate, 800'000u);
  EXPECT_EQ(config->log_level, LogLevel::kDebug);
  EXPECT_EQ(config->log_format, io::LogFormat::kText);
}

TEST_F(ConfigTest, FlagsBeatVariablesBeatTheFile) {
  const std::string file =
      yaml("dev: true\nworkers: 2\nmedia_port: 30000\nhttp: 127.0.0.1:1\nmedia_ip:\n  - 10.0.0.1\n  - 10.0.0.2\n");
  environment_ = {
      {"ATM0S_CONFIG", file}, {"ATM0S_MEDIA_PORT", "30001"}, {"ATM0S_HTTP", "127.0.0.1:2"}, {"ATM0S_WORKERS", ""}};
  auto config = load({"--http", "127.0.0.1:3"});
  ASSERT_TRUE(config) << config.error().why;
  EXPECT_TRUE(config->dev);
  EXPECT_EQ(config->workers, 2u);  // an empty variable is none
  EXPECT_EQ(config->media_port, 30'001);
  EXPECT_EQ(config->http.port, 3);
  EXPECT_EQ(config->media_ips.size(), 2u);

  environment_["ATM0S_MEDIA_IP"] = "10.0.0.3=1.1.1.1,10.0.0.4";
  config = load({"--config", file, "--dev=false", "--secret", kSecret});
  ASSERT_TRUE(config) << config.error().why;
  EXPECT_FALSE(config->dev);
  ASSERT_EQ(config->media_ips.size(), 2u);
  EXPECT_EQ(config->media_ips[0].external.to_string(), "1.1.1.1");
  EXPECT_EQ(load({"--media-ip", "10.0.0.9"})->media_ips.size(), 1u);
  EXPECT_EQ(load({"--http", "127.0.0.1:3", "--http", "127.0.0.1:4"})->http.port, 4);
}

TEST_F(ConfigTest, AWrongValueNamesWhereItStands) {
  EXPECT_EQ(why({"--dev", "--workers", "many"}), "--workers: must be a number from 1 to 256, not 'many'");
  EXPECT_EQ(why({"--dev", "--workers", "0"}), "--workers: must be a number from 1 to 256, not '0'");
  EXPECT_EQ(why({"--dev", "--media-port", "70000"}), "--media-port: must be a number from 1 to 65535, not '70000'");
  EXPECT_EQ(why({"--dev", "--http", "3000"}),
            "--http: must be ADDRESS:PORT, such as 0.0.0.0:3000 or [::]:3000, not '3000'");
  EXPECT_EQ(why({"--dev", "--media-ip", "host"}), "--media-ip: must be an IP address or internal=external, not 'host'");
  EXPECT_EQ(why({"--dev", "--media-ip", "0.0.0.0"}),
            "--media-ip: must be an address that clients can send to, not '0.0.0.0'");
  EXPECT_EQ(why({"--dev", "--media-ip", "10.0.0.1=::1"}),
            "--media-ip: must be two addresses of one family, not '10.0.0.1=::1'");
  EXPECT_EQ(why({"--dev", "--media-ip", "10.0.0.1", "--media-ip", "10.0.0.1=1.1.1.1"}),
            "--media-ip: names 10.0.0.1 twice");
  EXPECT_EQ(why({"--dev", "--log-level", "loud"}), "--log-level: must be error, warn, info or debug, not 'loud'");
  EXPECT_EQ(why({"--dev", "--log-format", "xml"}), "--log-format: must be text or json, not 'xml'");
  EXPECT_EQ(why({"--dev=maybe"}), "--dev: must be true or false, not 'maybe'");
  environment_["ATM0S_NODE_ID"] = "-1";
  EXPECT_EQ(why({"--dev"}), "ATM0S_NODE_ID: must be a number from 0 to 4294967295, not '-1'");
  environment_.clear();
  const std::string file = yaml("dev: true\n\nworkers: 1.5\n");
  EXPECT_EQ(why({"--config", file}), file + ":3: workers: must be a number from 1 to 256, not '1.5'");
}

TEST_F(ConfigTest, UnknownFlagsAndKeysAreErrors) {
  EXPECT_NE(why({"--dev", "--colour"}).find("--colour"), std::string::npos);
  EXPECT_NE(why({"--dev", "stray"}).find("stray"), std::string::npos);
  EXPECT_NE(why({"--dev", "--media-ip", "10.0.0.1", "10.0.0.2"}).find("10.0.0.2"), std::string::npos);
  EXPECT_NE(why({"--workers"}).find("--workers"), std::string::npos);
  const auto in_file = [&](const std::string& text) {
    const std::string message = why({"--dev", "--config", yaml(text)});
    return message.starts_with(file_.string()) ? message.substr(file_.string().size()) : message;
  };
  EXPECT_EQ(in_file("# a comment\nworkers: 1\nworkerz: 2\n"), ":3: unknown key 'workerz'; --help lists them");
  EXPECT_EQ(in_file("workers: 1\nworkers: 2\n"), ":2: workers is given twice");
  EXPECT_EQ(in_file("workers: [1, 2]\n"), ":1: workers: must be one value");
  EXPECT_EQ(in_file("media_ip: {a: b}\n"), ":1: media_ip: must be a list");
  EXPECT_EQ(in_file("media_ip: [[10.0.0.1]]\n"), ":1: media_ip: must be a list of plain values");
  EXPECT_EQ(in_file("just text\n"), ":1: must hold \"key: value\" lines");
  EXPECT_TRUE(in_file("workers: 1\n  http: [\n").starts_with(":2: ")) << in_file("workers: 1\n  http: [\n");
  EXPECT_EQ(in_file(""), "loaded");
  EXPECT_EQ(why({"--dev", "--config", "/nowhere/x.yaml"}), "cannot read /nowhere/x.yaml");
}

TEST_F(ConfigTest, ChecksWhatBelongsTogether) {
  const std::vector<std::string> base = {"--secret", kSecret};
  const auto with = [&](std::vector<std::string> more) {
    more.insert(more.begin(), base.begin(), base.end());
    return why(more);
  };
  EXPECT_EQ(with({"--https", "0.0.0.0:443"}),
            "https: needs tls-cert and tls-key (only --dev makes a certificate of its own)");
  EXPECT_EQ(with({"--tls-cert", "c.pem"}), "tls-cert and tls-key: one needs the other");
  EXPECT_EQ(with({"--tls-cert", "c", "--tls-key", "k"}), "loaded");
  EXPECT_EQ(with({"--tls-cert", "c", "--tls-key", "k", "--https", "0.0.0.0:3000"}),
            "https: must differ from http, 0.0.0.0:3000");
  EXPECT_EQ(with({"--media-port", "65535", "--workers", "1"}), "loaded");
  EXPECT_EQ(with({"--media-port", "65535", "--workers", "2"}),
            "media-port: 2 workers need the ports 65535 to 65536, and 65535 is the highest");
}

TEST_F(ConfigTest, ASecretNeverShowsInAnError) {
  EXPECT_EQ(why({"--secret", "hunter2"}).find("hunter2"), std::string::npos);
  EXPECT_EQ(why({"--secret", kSecret, "--workers", "x"}).find(kSecret), std::string::npos);
}

TEST_F(ConfigTest, HelpTeachesEverySetting) {
  for (const char* flag : {"--help", "-h"}) {
    const auto config = load({flag});
    ASSERT_TRUE(config);
    for (const Setting& setting : settings()) {
      EXPECT_NE(config->print.find(flag_name(setting)), std::string::npos) << setting.name;
      EXPECT_NE(config->print.find(variable_name(setting)), std::string::npos) << setting.name;
    }
    EXPECT_NE(config->print.find("ATM0S_CONFIG"), std::string::npos);
    EXPECT_NE(config->print.find("atm0s-server --dev"), std::string::npos);
  }
  EXPECT_TRUE(load({"--version"})->print.starts_with("atm0s-server "));
}

}  // namespace
}  // namespace atm::server

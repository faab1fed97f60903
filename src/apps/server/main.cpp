// atm0s-server: reads its configuration, starts the media workers and the control thread, and says where it listens.
#include <sys/resource.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>

#include "apps/server/banner.h"
#include "apps/server/config.h"
#include "apps/server/control_plane.h"
#include "apps/server/media_workers.h"
#include "apps/server/page/assets.h"
#include "base/log.h"
#include "control/token/claims.h"
#include "io/log/log.h"
#include "io/udp/interfaces.h"

namespace atm::server {
namespace {

constexpr int kExitFailure = 1;

// Candidates name external addresses; with no --media-ip all of this machine's.
std::vector<MediaAddress> media_addresses(const Config& config) {
  if (!config.media_ips.empty()) return config.media_ips;
  std::vector<MediaAddress> out;
  for (const IpAddress& ip : io::local_addresses()) out.push_back({ip, ip});
  return out;
}

Result<std::optional<io::TlsPem>> https_certificate(const Config& config) {
  if (!config.https) return std::optional<io::TlsPem>();
  if (!config.tls_cert.empty()) {
    TRY(pem, io::load_certificate(config.tls_cert, config.tls_key));
    return std::optional(std::move(pem));
  }
  std::vector<std::string> names{"localhost", "127.0.0.1"};
  for (const IpAddress& ip : io::local_addresses()) names.push_back(ip.to_string());
  TRY(pem, io::make_self_signed(names));
  return std::optional(std::move(pem));
}

std::vector<control::Asset> dev_assets(const Config& config) {
  std::vector<control::Asset> out;
  if (!config.dev) return out;
  for (const page::Asset& asset : page::page_assets()) {
    out.push_back({std::string(asset.path), std::string(asset.content_type), asset.body});
  }
  return out;
}

std::string demo_token(const Config& config) {
  if (!config.dev) return {};
  io::SystemRng rng;
  contract::TokenRequest request;
  request.room = "demo";
  return token::issue(token::claims_for(request, io::read_clocks(), rng.hex(16)), config.secret);
}

// Each HTTP connection is a descriptor; the soft limit of 1,024 would be the first thing that a busy server meets.
void raise_descriptor_limit() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
}

Result<bool> serve(const Config& config) {
  ControlPlane control;
  Listening listening;
  TRY(http, control.listen({config.http, std::nullopt}));
  listening.http = http;
  TRY(certificate, https_certificate(config));
  if (certificate) {
    TRY(https, control.listen({*config.https, std::move(certificate)}));
    listening.https = https;
  }
  const auto addresses = media_addresses(config);
  if (addresses.empty())
    return fail(ErrorCode::kInvalidConfig, "this machine has no address for media: name one with --media-ip");
  TRY(workers, MediaWorkers::start(config, addresses,
                                   [&control](contract::Reply reply) { control.on_reply(std::move(reply)); }));
  listening.media = workers->addresses();

  control::RouterConfig router;
  router.secret = config.secret;
  router.dev = config.dev;
  router.https_port = listening.https ? listening.https->port : 0;
  router.worker_count = workers->count();
  router.node_id = config.node_id;
  router.assets = dev_assets(config);
  router.ice_servers = config.ice_servers;
  control.configure(std::move(router), *workers);

  std::fputs(banner(config, listening, io::local_addresses(), demo_token(config)).c_str(), stdout);
  std::fputs(ready_line(listening).c_str(), stdout);
  std::fflush(stdout);
  LOG_INFO("server", "workers={} http={} dev={}", workers->count(), listening.http.to_string(), config.dev);
  control.run();
  workers->stop();
  LOG_INFO("server", "stopped");
  return true;
}

}  // namespace
}  // namespace atm::server

int main(int argc, char** argv) {
  using namespace atm;
  const auto config = server::load_config(argc, argv, [](const char* name) { return std::getenv(name); });
  if (!config) {
    std::fprintf(stderr, "atm0s-server: %s\n", config.error().why.c_str());
    return server::kExitUsage;
  }
  if (!config->print.empty()) {
    std::fputs(config->print.c_str(), stdout);
    return EXIT_SUCCESS;
  }
  std::signal(SIGPIPE, SIG_IGN);
  server::raise_descriptor_limit();
  io::LogOptions log;
  log.format = config->log_format;
  log.level = config->log_level;
  io::install_log(log);
  const auto served = server::serve(*config);
  if (served) return EXIT_SUCCESS;
  std::fprintf(stderr, "atm0s-server: %s\n", served.error().why.c_str());
  return server::kExitFailure;
}

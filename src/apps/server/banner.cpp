#include "apps/server/banner.h"

namespace atm::server {
namespace {

std::string host(const IpAddress& ip) {
  return ip.is_v4() ? ip.to_string() : '[' + ip.to_string() + ']';
}

// A link that works: where the server listens on every address, one line for each.
std::string links(const char* scheme, const SocketAddress& bound, const std::vector<IpAddress>& addresses) {
  std::string out;
  const std::string end = ':' + std::to_string(bound.port) + "/\n";
  if (!bound.ip.is_unspecified()) return std::string("    ") + scheme + "://" + host(bound.ip) + end;
  out += std::string("    ") + scheme + "://localhost" + end;
  for (const IpAddress& ip : addresses) {
    if (!ip.is_loopback() && (ip.is_v4() || !bound.ip.is_v4()))
      out += std::string("    ") + scheme + "://" + host(ip) + end;
  }
  return out;
}

}  // namespace

std::string ready_line(const Listening& listening) {
  std::string out = "ready {\"http\":\"" + listening.http.to_string() + "\",\"https\":";
  out += listening.https ? '"' + listening.https->to_string() + '"' : "null";
  out += ",\"media\":[";
  for (size_t i = 0; i < listening.media.size(); ++i) {
    out += (i == 0 ? "\"" : ",\"") + listening.media[i].to_string() + '"';
  }
  return out + "]}\n";
}

std::string banner(const Config& config, const Listening& listening, const std::vector<IpAddress>& addresses,
                   const std::string& token) {
  std::string out = "\natm0s-server is up\n";
  if (config.dev) {
    out += "\n  Open the page (dev mode), twice, and you have a call:\n" + links("http", listening.http, addresses);
    if (listening.https) {
      out += "  From a phone or another machine (cameras need https; accept the self-signed certificate):\n" +
             links("https", *listening.https, addresses);
    }
    out += "\n  A token for room \"demo\", any peer:\n    " + token + "\n";
    out += "  More: curl -X POST '" + ("http://localhost:" + std::to_string(listening.http.port)) +
           "/app/webrtc_session?app_secret=" + (config.secret == kDevSecret ? config.secret : "YOUR_SECRET") +
           "' -d '{\"room\":\"demo\",\"peer\":\"anna\"}'\n";
  } else {
    out += "  HTTP " + listening.http.to_string() + (listening.https ? ", HTTPS " + listening.https->to_string() : "") +
           '\n';
  }
  const bool is_same_port = config.media_tcp_port == config.media_port;
  out += is_same_port ? "\n  Media (UDP and TCP):" : "\n  Media (UDP):";
  for (const SocketAddress& address : listening.media) out += ' ' + address.to_string();
  if (config.media_tcp_port && !is_same_port) out += "; TCP from port " + std::to_string(*config.media_tcp_port);
  return out + "\n\n";
}

}  // namespace atm::server

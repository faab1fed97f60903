#include "apps/server/setting.h"

#include <charconv>

namespace atm::server {
namespace {

using Texts = std::vector<std::string>;

constexpr uint32_t kMaxWorkers = 256;
// bit/s: what is sent of a stream that nobody views, and more than any client has.
constexpr uint64_t kLeastMaxBitrate = 100'000;
constexpr uint64_t kMostMaxBitrate = 10'000'000'000;

std::string quoted(const std::string& text) {
  return "'" + text + "'";
}

template <typename T>
std::string read_number(const Texts& texts, T& out, uint64_t min, uint64_t max) {
  const std::string& text = texts.front();
  uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || text.empty() || value < min || value > max) {
    return "must be a number from " + std::to_string(min) + " to " + std::to_string(max) + ", not " + quoted(text);
  }
  out = static_cast<T>(value);
  return "";
}

std::string read_address(const std::string& text, SocketAddress& out) {
  const auto address = SocketAddress::parse(text);
  if (!address) return "must be ADDRESS:PORT, such as 0.0.0.0:3000 or [::]:3000, not " + quoted(text);
  out = *address;
  return "";
}

std::string read_https(const Texts& texts, Config& config) {
  if (texts.front() == "off") {
    config.https.reset();
    return "";
  }
  return read_address(texts.front(), config.https.emplace());
}

std::string read_media_ips(const Texts& texts, Config& config) {
  config.media_ips.clear();
  for (const std::string& text : texts) {
    const size_t equals = text.find('=');
    const auto internal = IpAddress::parse(std::string_view(text).substr(0, equals));
    const auto external =
        equals == std::string::npos ? internal : IpAddress::parse(std::string_view(text).substr(equals + 1));
    if (!internal || !external) return "must be an IP address or internal=external, not " + quoted(text);
    if (internal->is_unspecified() || external->is_unspecified()) {
      return "must be an address that clients can send to, not " + quoted(text);
    }
    if (internal->is_v4() != external->is_v4()) return "must be two addresses of one family, not " + quoted(text);
    for (const MediaAddress& other : config.media_ips) {
      if (other.internal == *internal) return "names " + internal->to_string() + " twice";
    }
    config.media_ips.push_back({*internal, *external});
  }
  return "";
}

std::string read_switch(const Texts& texts, bool& out) {
  for (const char* yes : {"true", "1", "yes", "on"}) {
    if (texts.front() == yes) return out = true, "";
  }
  for (const char* no : {"false", "0", "no", "off"}) {
    if (texts.front() == no) return out = false, "";
  }
  return "must be true or false, not " + quoted(texts.front());
}

std::string read_media_tcp_port(const Texts& texts, Config& config) {
  config.media_tcp_port.reset();
  if (texts.front() == "off") return "";
  const std::string problem = read_number(texts, config.media_tcp_port.emplace(), 1, 65'535);
  return problem.empty() ? "" : problem + "; or off";
}

std::string read_log_level(const Texts& texts, Config& config) {
  constexpr std::pair<std::string_view, LogLevel> kLevels[] = {
      {"error", LogLevel::kError}, {"warn", LogLevel::kWarn}, {"info", LogLevel::kInfo}, {"debug", LogLevel::kDebug}};
  for (const auto& [text, level] : kLevels) {
    if (texts.front() == text) return config.log_level = level, "";
  }
  return "must be error, warn, info or debug, not " + quoted(texts.front());
}

std::string read_log_format(const Texts& texts, Config& config) {
  if (texts.front() == "text") return config.log_format = io::LogFormat::kText, "";
  if (texts.front() == "json") return config.log_format = io::LogFormat::kJson, "";
  return "must be text or json, not " + quoted(texts.front());
}

std::string read_ice_servers(const Texts& texts, Config& config) {
  config.ice_servers.urls.clear();
  for (const std::string& text : texts) {
    if (!token::is_ice_url(text)) return "must be stun:, stuns:, turn: or turns: and a host, not " + quoted(text);
    config.ice_servers.urls.push_back(text);
  }
  return "";
}

std::string read_duplicate_peer(const Texts& texts, Config& config) {
  if (texts.front() == "replace") return config.duplicate_peer = room::Duplicates::kReplace, "";
  if (texts.front() == "refuse") return config.duplicate_peer = room::Duplicates::kRefuse, "";
  return "must be replace or refuse, not " + quoted(texts.front());
}

constexpr Setting kSettings[] = {
    {"dev", Shape::kSwitch, "",
     "Development mode: a page at / that joins a room, tokens for whoever asks, a default secret, HTTPS with a "
     "certificate of its own. Never where strangers can reach it.",
     [](const Texts& texts, Config& config) { return read_switch(texts, config.dev); }},
    {"secret", Shape::kOne, "TEXT",
     "Signs session tokens, and is the app_secret of the calls that issue them. At least 32 bytes outside of --dev. "
     "Better given as a variable or in the file: every user of the machine can read flags.",
     [](const Texts& texts, Config& config) { return config.secret = texts.front(), std::string(); }},
    {"http", Shape::kOne, "ADDRESS:PORT", "Where HTTP listens. Default: 0.0.0.0:3000.",
     [](const Texts& texts, Config& config) { return read_address(texts.front(), config.http); }},
    {"https", Shape::kOne, "ADDRESS:PORT",
     "Where HTTPS listens too, or off. Needs --tls-cert and --tls-key, but for --dev. Default: 0.0.0.0:3443 with --dev "
     "or a certificate, else off.",
     read_https},
    {"tls-cert", Shape::kOne, "FILE", "The certificate of HTTPS, PEM, intermediate ones after it.",
     [](const Texts& texts, Config& config) { return config.tls_cert = texts.front(), std::string(); }},
    {"tls-key", Shape::kOne, "FILE", "Its private key, PEM.",
     [](const Texts& texts, Config& config) { return config.tls_key = texts.front(), std::string(); }},
    {"media-ip", Shape::kList, "IP[=IP]",
     "An address for media, or internal=external behind one-to-one NAT. Repeat the flag for several; the variable "
     "takes them with commas between. Default: all addresses of this machine.",
     read_media_ips},
    {"media-port", Shape::kOne, "PORT",
     "The UDP port for media of the first worker; each further one takes the next. Default: 20000.",
     [](const Texts& texts, Config& config) { return read_number(texts, config.media_port, 1, 65'535); }},
    {"media-tcp-port", Shape::kOne, "PORT",
     "The same over TCP, for clients whose UDP is blocked (ICE-TCP), or off. Default: as media-port.",
     read_media_tcp_port},
    {"workers", Shape::kOne, "NUMBER", "Media threads. Default: one for each core.",
     [](const Texts& texts, Config& config) { return read_number(texts, config.workers, 1, kMaxWorkers); }},
    {"room-slice-size", Shape::kOne, "NUMBER",
     "Sessions of a room on one worker before the next one is used. Default: 200.",
     [](const Texts& texts, Config& config) { return read_number(texts, config.room_slice_size, 1, 1'000'000); }},
    {"max-bitrate", Shape::kOne, "NUMBER",
     "What all video that a session publishes may take, in bit/s; its token may lower it. Default: 2500000.",
     [](const Texts& texts, Config& config) {
       return read_number(texts, config.max_bitrate, kLeastMaxBitrate, kMostMaxBitrate);
     }},
    {"duplicate-peer", Shape::kOne, "WHAT",
     "A second session of a peer in a room: replace ends the first one, refuse does not let the second one in, unless "
     "nothing has been heard of the first for 5 s. Default: replace.",
     read_duplicate_peer},
    {"ice-server", Shape::kList, "URL",
     "A STUN or TURN server that clients are told of: stun:, stuns:, turn: or turns: and its host. Repeat the flag for "
     "several; the variable takes them with commas between.",
     read_ice_servers},
    {"turn-secret", Shape::kOne, "TEXT",
     "Shared with those TURN servers (static-auth-secret of coturn): each client gets credentials of its own, which "
     "end.",
     [](const Texts& texts, Config& config) { return config.ice_servers.turn_secret = texts.front(), std::string(); }},
    {"turn-lifetime", Shape::kOne, "SECONDS", "How long such credentials are good. Default: 3600.",
     [](const Texts& texts, Config& config) {
       uint32_t seconds = 0;
       std::string problem = read_number(texts, seconds, 60, 604'800);
       config.ice_servers.lifetime = std::chrono::seconds(seconds);
       return problem;
     }},
    {"turn-username", Shape::kOne, "TEXT", "In place of a shared secret: the user of those TURN servers.",
     [](const Texts& texts, Config& config) { return config.ice_servers.username = texts.front(), std::string(); }},
    {"turn-credential", Shape::kOne, "TEXT", "And its password, the same for all clients.",
     [](const Texts& texts, Config& config) { return config.ice_servers.credential = texts.front(), std::string(); }},
    {"node-id", Shape::kOne, "NUMBER", "This server's number, told to clients. Default: 0.",
     [](const Texts& texts, Config& config) { return read_number(texts, config.node_id, 0, UINT32_MAX); }},
    {"log-level", Shape::kOne, "LEVEL", "error, warn, info or debug. Default: info.", read_log_level},
    {"log-format", Shape::kOne, "FORMAT", "text for people, json for machines. Default: text with --dev, else json.",
     read_log_format},
};

std::string with_case(std::string_view name, char dash, bool upper) {
  std::string out;
  for (const char c : name) {
    out += c == '-' ? dash : upper && c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c;
  }
  return out;
}

// At most `width` columns, each line behind `indent` spaces.
std::string wrapped(std::string_view text, size_t indent, size_t width) {
  std::string out;
  size_t column = 0;
  while (!text.empty()) {
    const std::string_view word = text.substr(0, text.find(' '));
    text.remove_prefix(std::min(word.size() + 1, text.size()));
    if (column == 0 || column + 1 + word.size() > width) {
      out += (out.empty() ? "" : "\n") + std::string(indent, ' ');
      column = indent;
    } else {
      out += ' ';
      ++column;
    }
    out += word;
    column += word.size();
  }
  return out + "\n";
}

constexpr std::string_view kHelpHead =
    R"(atm0s-server: rooms of audio and video for browsers and applications.

Try it out, then open the page that it prints:
  atm0s-server --dev

In production, behind a name with a certificate and one-to-one NAT:
  export ATM0S_SECRET=$(openssl rand -hex 32)
  atm0s-server --https 0.0.0.0:443 --tls-cert cert.pem --tls-key key.pem --media-ip 10.0.0.5=203.0.113.7

The same from a file, here server.yaml with keys like "media_port: 20000":
  atm0s-server --config server.yaml

Every setting can be a flag, an environment variable or a key of the file; the first of these that has it wins.

)";

constexpr std::string_view kHelpTail = R"(
HTTP and HTTPS are TCP; media is UDP and TCP, one port of each for each worker: open them in the firewall.
GET /healthcheck says whether the server is ready, GET /metrics what it does. SIGTERM and Ctrl-C end it in order.
)";

}  // namespace

std::span<const Setting> settings() {
  return kSettings;
}

std::string flag_name(const Setting& setting) {
  return "--" + std::string(setting.name);
}

std::string variable_name(const Setting& setting) {
  return "ATM0S_" + with_case(setting.name, '_', true);
}

std::string key_name(const Setting& setting) {
  return with_case(setting.name, '_', false);
}

std::string help_text() {
  std::string out(kHelpHead);
  const auto add = [&out](const std::string& flag, const std::string& variable, std::string_view help) {
    out += "  " + flag;
    if (!variable.empty()) out += std::string(flag.size() < 26 ? 28 - flag.size() : 2, ' ') + variable;
    out += "\n" + wrapped(help, 6, 100);
  };
  for (const Setting& setting : settings()) {
    const std::string value = setting.value.empty() ? "" : " " + std::string(setting.value);
    add(flag_name(setting) + value, variable_name(setting), setting.help);
  }
  add("--config FILE", "ATM0S_CONFIG", "A YAML file with the settings above as keys: media_port, log_level, ...");
  add("--version", "", "Print the version.");
  add("-h, --help", "", "Print this.");
  out += kHelpTail;
  return out;
}

}  // namespace atm::server

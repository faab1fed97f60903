#include "apps/server/config.h"

#include <unistd.h>

#include <yaml-cpp/yaml.h>
#include <CLI/CLI.hpp>
#include <algorithm>
#include <map>
#include <set>

#include "apps/server/setting.h"

namespace atm::server {
namespace {

using Texts = std::vector<std::string>;

// A text for a setting and where it was written, for errors.
struct Given {
  Texts texts;
  std::string where;  // "--workers", "ATM0S_WORKERS", "server.yaml:3: workers"
};
using GivenByName = std::map<std::string_view, Given>;

auto wrong(std::string why) {
  return fail(ErrorCode::kInvalidConfig, std::move(why));
}

std::string one_line(std::string text) {
  std::replace(text.begin(), text.end(), '\n', ' ');
  return text;
}

struct Flags {
  GivenByName given;
  std::string config_path;
  std::string print;
};

Result<Flags> read_flags(int argc, const char* const* argv) {
  Flags out;
  CLI::App app;
  app.set_help_flag("-h,--help");
  app.set_version_flag("--version", "atm0s-server " ATM0S_VERSION "\n");
  CLI::Option* config = app.add_option("--config", out.config_path)->take_last();
  std::map<std::string_view, CLI::Option*> options;
  std::map<std::string_view, Texts> texts;
  for (const Setting& setting : settings()) {
    CLI::Option*& option = options[setting.name];
    option = setting.shape == Shape::kSwitch ? app.add_flag(flag_name(setting))
                                             : app.add_option(flag_name(setting), texts[setting.name]);
    if (setting.shape != Shape::kSwitch) option->expected(1, 1)->allow_extra_args(false);
    if (setting.shape == Shape::kList) option->take_all();
    if (setting.shape == Shape::kOne) option->take_last();
  }
  try {
    app.parse(argc, argv);
  } catch (const CLI::CallForHelp&) {
    out.print = help_text();
    return out;
  } catch (const CLI::CallForVersion& version) {
    out.print = version.what();
    return out;
  } catch (const CLI::ParseError& error) {
    return wrong(one_line(error.what()) + "; --help lists the flags");
  }
  for (const Setting& setting : settings()) {
    const CLI::Option* option = options[setting.name];
    if (option->count() == 0) continue;
    Texts given = option->results();
    if (setting.shape != Shape::kList) given = {given.back()};  // the last one wins
    out.given[setting.name] = {std::move(given), flag_name(setting)};
  }
  if (config->count() > 0 && out.config_path.empty()) return wrong("--config: must name a file");
  return out;
}

Texts split(std::string_view text) {
  Texts out;
  while (true) {
    const size_t comma = text.find(',');
    out.emplace_back(text.substr(0, comma));
    if (comma == std::string_view::npos) return out;
    text.remove_prefix(comma + 1);
  }
}

// A variable that is set to nothing counts as not set: compose files do so.
void read_environment(const Environment& environment, GivenByName& out) {
  for (const Setting& setting : settings()) {
    const std::string name = variable_name(setting);
    const char* text = environment(name.c_str());
    if (text == nullptr || *text == '\0') continue;
    out[setting.name] = {setting.shape == Shape::kList ? split(text) : Texts{text}, name};
  }
}

const Setting* find_setting(const std::string& key) {
  for (const Setting& setting : settings()) {
    if (key_name(setting) == key) return &setting;
  }
  return nullptr;
}

Result<Given> read_yaml_value(const Setting& setting, const YAML::Node& value, std::string where) {
  Given out{{}, std::move(where)};
  if (value.IsScalar()) {
    out.texts = {value.Scalar()};
    return out;
  }
  if (setting.shape != Shape::kList) return wrong(out.where + ": must be one value");
  if (!value.IsSequence() || value.size() == 0) return wrong(out.where + ": must be a list");
  for (const YAML::Node& item : value) {
    if (!item.IsScalar()) return wrong(out.where + ": must be a list of plain values");
    out.texts.push_back(item.Scalar());
  }
  return out;
}

Result<GivenByName> read_yaml_document(const YAML::Node& document, const std::string& path) {
  GivenByName out;
  if (document.IsNull()) return out;  // an empty file
  if (!document.IsMap()) return wrong(path + ":1: must hold \"key: value\" lines");
  for (const auto& entry : document) {
    const YAML::Node& key = entry.first;
    const std::string line = path + ":" + std::to_string(key.Mark().line + 1) + ": ";
    const std::string name = key.IsScalar() ? key.Scalar() : "";
    const Setting* setting = find_setting(name);
    if (setting == nullptr) return wrong(line + "unknown key '" + one_line(name) + "'; --help lists them");
    if (out.contains(setting->name)) return wrong(line + name + " is given twice");
    TRY(given, read_yaml_value(*setting, entry.second, line + name));
    out[setting->name] = std::move(given);
  }
  return out;
}

Result<GivenByName> read_yaml(const std::string& path) {
  try {
    return read_yaml_document(YAML::LoadFile(path), path);
  } catch (const YAML::BadFile&) {
    return wrong("cannot read " + path);
  } catch (const YAML::Exception& error) {
    const std::string line = error.mark.is_null() ? "" : ":" + std::to_string(error.mark.line + 1);
    return wrong(path + line + ": " + one_line(error.msg));
  }
}

// --- what must hold between settings -------------------------------------------------------------------------------

// HS256 wants a key as long as its hash (RFC 7518 3.2), and one that cannot be guessed.
constexpr size_t kMinSecretBytes = 32;
constexpr size_t kMinSecretLetters = 8;
constexpr std::string_view kMakeOne = "make one with: openssl rand -hex 32";

std::string check_secret(const Config& config) {
  const std::string how = "; " + std::string(kMakeOne);
  if (config.secret.empty()) return "secret: is needed outside of --dev (--secret, ATM0S_SECRET or the file)" + how;
  if (config.dev) return "";
  if (config.secret.size() < kMinSecretBytes) {
    return "secret: has " + std::to_string(config.secret.size()) + " bytes, " + std::to_string(kMinSecretBytes) +
           " are the least" + how;
  }
  const std::set<char> letters(config.secret.begin(), config.secret.end());
  if (letters.size() < kMinSecretLetters) return "secret: repeats the same few letters" + how;
  return "";
}

std::string check_https(const Config& config) {
  if (config.tls_cert.empty() != config.tls_key.empty()) return "tls-cert and tls-key: one needs the other";
  if (!config.https) return "";
  if (config.tls_cert.empty() && !config.dev) {
    return "https: needs tls-cert and tls-key (only --dev makes a certificate of its own)";
  }
  if (*config.https == config.http && config.http.port != 0)
    return "https: must differ from http, " + config.http.to_string();
  return "";
}

std::string check_ice_servers(const Config& config) {
  const token::IceServerSettings& servers = config.ice_servers;
  const bool has_fixed = !servers.username.empty(), has_secret = !servers.turn_secret.empty();
  if (has_fixed == servers.credential.empty()) return "turn-username and turn-credential: one needs the other";
  if (has_fixed && has_secret)
    return "turn-secret: makes credentials; turn-username and turn-credential would be others";
  const bool has_turn = std::any_of(servers.urls.begin(), servers.urls.end(), token::is_turn_url);
  if (has_turn && !has_fixed && !has_secret)
    return "ice-server: turn: needs turn-secret, or turn-username and turn-credential";
  return "";
}

std::string check_ports(const Config& config) {
  const std::pair<const char*, uint32_t> first_ports[] = {{"media-port", config.media_port},
                                                          {"media-tcp-port", config.media_tcp_port.value_or(1)}};
  for (const auto& [name, first] : first_ports) {
    const uint32_t last = first + config.workers - 1;
    if (last <= 65'535) continue;
    return std::string(name) + ": " + std::to_string(config.workers) + " workers need the ports " +
           std::to_string(first) + " to " + std::to_string(last) + ", and 65535 is the highest";
  }
  return "";
}

uint32_t core_count() {
  const long cores = sysconf(_SC_NPROCESSORS_ONLN);
  return static_cast<uint32_t>(std::clamp(cores, 1L, 256L));
}

}  // namespace

Result<Config> load_config(int argc, const char* const* argv, const Environment& environment) {
  TRY(flags, read_flags(argc, argv));
  Config config;
  config.print = flags.print;
  if (!config.print.empty()) return config;

  if (flags.config_path.empty()) {
    const char* path = environment("ATM0S_CONFIG");
    if (path != nullptr) flags.config_path = path;
  }
  GivenByName given;
  if (!flags.config_path.empty()) {
    TRY(from_file, read_yaml(flags.config_path));
    given = std::move(from_file);
  }
  read_environment(environment, given);
  for (auto& [name, value] : flags.given) given[name] = std::move(value);

  for (const Setting& setting : settings()) {
    const auto it = given.find(setting.name);
    if (it == given.end()) continue;
    const std::string problem = setting.apply(it->second.texts, config);
    if (!problem.empty()) return wrong(it->second.where + ": " + one_line(problem));
  }
  // The defaults that depend on other settings.
  if (config.secret.empty() && config.dev) config.secret = kDevSecret;
  if (!given.contains("https") && (config.dev || !config.tls_cert.empty())) {
    config.https = SocketAddress{IpAddress::v4(0, 0, 0, 0), 3443};
  }
  if (!given.contains("log-format")) config.log_format = config.dev ? io::LogFormat::kText : io::LogFormat::kJson;
  if (config.workers == 0) config.workers = core_count();
  if (!given.contains("media-tcp-port")) config.media_tcp_port = config.media_port;

  for (const auto check : {check_secret, check_https, check_ice_servers, check_ports}) {
    std::string problem = check(config);
    if (!problem.empty()) return wrong(std::move(problem));
  }
  return config;
}

}  // namespace atm::server

// atm0s: tokens, rooms, and a participant without a screen, on the command line.
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <string>

#include "join.h"
#include "server.h"

namespace {

using namespace atm0s;
using namespace atm0s::tool;

constexpr const char* kDevSecret = "insecure";  // of a server in dev mode to which none was given

struct Flags {
  Server server{"http://localhost:3000", kDevSecret};
  std::string room = "demo", peer = "atm0s", token;
  bool publish = true, subscribe = true, is_json = false, is_insecure = false;
  uint32_t expires_in = 86'400;
  JoinOptions join;
  std::string latency = "default";
  std::vector<std::string> codecs;
  int count = 5;
};

int fail(const Error& error) {
  std::fprintf(stderr, "atm0s: %s\n", error.message.c_str());
  return 1;
}

int token(const Flags& flags) {
  const auto made = flags.server.make_token(flags.room, flags.peer, flags.publish, flags.subscribe, flags.expires_in);
  if (!made) return fail(made.error());
  std::printf("%s\n", made->c_str());
  return 0;
}

int rooms(const Flags& flags) {
  const auto answer = flags.server.call("GET", "/admin/rooms");
  if (!answer) return fail(answer.error());
  const auto parsed = nlohmann::json::parse(*answer, nullptr, false);
  const auto data = parsed.is_object() ? parsed.value("data", nlohmann::json()) : nlohmann::json();
  if (!data.is_object() || !data.contains("rooms")) {
    return fail({ErrorCode::kServerError, "the server does not tell: " + answer->substr(0, 200)});
  }
  if (flags.is_json) {
    std::printf("%s\n", data.dump().c_str());
    return 0;
  }
  for (const auto& room : data["rooms"]) {
    std::printf("%s: %d peers, %d streams\n", room.value("room", "").c_str(), room.value("peers", 0),
                room.value("streams", 0));
  }
  if (data["rooms"].empty()) std::fprintf(stderr, "no room has a session\n");
  return 0;
}

// The one that was given; or by the server's secret; or, where none was given, that of dev mode.
Result<std::string> session_token(const Flags& flags) {
  if (!flags.token.empty()) return flags.token;
  auto made = flags.server.make_token(flags.room, flags.peer, true, true, flags.expires_in);
  if (made || made.error().code != ErrorCode::kInvalidToken || flags.server.secret != kDevSecret) return made;
  auto of_dev_mode = flags.server.dev_token(flags.room, flags.peer);
  return of_dev_mode ? of_dev_mode : made;
}

// The configuration of a session by the flags, but for the token.
void configure(Flags& flags, SessionConfig& config) {
  config.room_id = flags.room;
  config.peer_id = flags.peer;
  for (const auto mode :
       {LatencyMode::kUltraLow, LatencyMode::kDefault, LatencyMode::kSmooth200, LatencyMode::kSmooth500,
        LatencyMode::kSmooth800, LatencyMode::kSmooth1000, LatencyMode::kSmooth2000}) {
    if (to_text(mode) == flags.latency) config.latency_mode = mode;
  }
  for (const std::string& name : flags.codecs) {
    for (const auto codec : {Codec::kOpus, Codec::kVp8, Codec::kVp9, Codec::kH264, Codec::kAv1}) {
      if (to_text(codec) == name) config.codecs.push_back(codec);
    }
  }
  flags.join.runtime.tls_verify = flags.server.verifies_tls;
}

int run_join(Flags& flags) {
  configure(flags, flags.join.config);
  flags.join.make_token = [&flags] { return session_token(flags); };
  flags.join.url = flags.server.url;
  flags.join.is_terminal = ::isatty(STDERR_FILENO) != 0;
  return join(flags.join);
}

int stats(Flags& flags) {
  flags.join.view = {"all"};
  flags.join.tells_stats = true;
  if (flags.join.seconds <= 0) flags.join.seconds = 5;
  return run_join(flags);
}

int ping(Flags& flags) {
  SessionConfig config;
  configure(flags, config);
  auto token = session_token(flags);
  if (!token) return fail(token.error());
  config.token = *token;
  Session session({flags.server.url}, config, flags.join.runtime);
  if (auto connected = session.connect(); !connected) return fail(connected.error());
  for (int i = 0; i < flags.count; ++i) {
    const auto took = session.ping();
    if (!took) return fail(took.error());
    std::printf("%.2f ms\n", static_cast<double>(took->count()) / 1000);
    if (i + 1 < flags.count) ::usleep(200'000);
  }
  return 0;
}

void tell_check(const char* what, bool is_good, const std::string& more) {
  std::printf("%s  %-10s %s\n", is_good ? "ok  " : "FAIL", what, more.c_str());
}

// What works from here, one line each; fails when a session does not.
int doctor(Flags& flags) {
  const auto health = flags.server.call("GET", "/healthcheck");
  tell_check("server", health.ok(), health ? flags.server.url : health.error().message);
  if (!health) return 1;
  SessionConfig config;
  configure(flags, config);
  auto token = session_token(flags);
  if (!token) {
    tell_check("token", false, token.error().message);
    return 1;
  }
  config.token = *token;
  tell_check("token", true, "for room \"" + flags.room + "\", peer \"" + flags.peer + "\"");
  Session session({flags.server.url}, config, flags.join.runtime);
  const auto connected = session.connect();
  tell_check("session", connected.ok(), connected ? "connected" : connected.error().message);
  if (!connected) return 1;
  const auto took = session.ping();
  const auto now = session.stats();
  if (now) {
    tell_check("media path", true,
               now->transport.protocol + " to " + now->transport.remote_address + ", " +
                   now->transport.local_candidate_type + " candidate" +
                   (now->transport.relay_protocol.empty() ? "" : ", to it over " + now->transport.relay_protocol));
  }
  tell_check("ping", took.ok(), took ? std::to_string(took->count() / 1000.0) + " ms" : took.error().message);
  return took ? 0 : 1;
}

// Of all subcommands: given before or behind them.
void add_server(CLI::App& app, Flags& flags) {
  app.add_option("--url", flags.server.url, "The server. Default: http://localhost:3000.")->envname("ATM0S_URL");
  app.add_option("--secret", flags.server.secret, "The server's secret. Default: that of its dev mode.")
      ->envname("ATM0S_SECRET");
  app.add_option("--token", flags.token, "A token of a session; else one is made with --secret.")
      ->envname("ATM0S_TOKEN");
  app.add_option("--room", flags.room, "Default: demo.");
  app.add_option("--peer", flags.peer, "This participant, unique in the room. Default: atm0s.");
  app.add_flag("--insecure", flags.is_insecure, "Trust any certificate.");
  app.fallthrough();
}

}  // namespace

int main(int argc, char** argv) {
  Flags flags;
  CLI::App app(
      "atm0s: tokens, rooms, and a participant without a screen.\n\n"
      "  atm0s join --publish test                                   publish a test picture and a song into room demo\n"
      "  atm0s join --publish clip.ivf --publish tone.ogg --loop     publish files\n"
      "  atm0s join --peer eve --view all --out recordings           view all of it into files");
  app.require_subcommand(1);
  add_server(app, flags);
  app.set_version_flag("--version", ATM0S_VERSION);

  auto* token_command = app.add_subcommand("token", "Prints a token for a session.");
  token_command->add_flag("!--no-publish", flags.publish, "It may not publish.");
  token_command->add_flag("!--no-subscribe", flags.subscribe, "It may not view.");
  token_command->add_option("--expires-in", flags.expires_in, "Seconds. Default: 86400.");

  auto* join_command = app.add_subcommand("join", "Joins a room, publishes files, views streams.");
  auto* stats_command = app.add_subcommand("stats", "Views a room for some seconds; prints statistics as JSON.");
  auto* ping_command = app.add_subcommand("ping", "To the server and back, through a session.");
  auto* doctor_command = app.add_subcommand("doctor", "Says what works from here: server, token, media path.");
  for (CLI::App* command : {join_command, stats_command}) {
    command->add_option("--for", flags.join.seconds, "Seconds; else until it is interrupted (stats: 5).");
    command->add_option("--latency-mode", flags.latency, "As in the session configuration.")
        ->check(CLI::IsMember(
            {"ultra-low", "default", "smooth-200", "smooth-500", "smooth-800", "smooth-1000", "smooth-2000"}));
    command->add_option("--codec", flags.codecs, "That may be used: OPUS VP8 VP9 H264 AV1; several times.")
        ->check(CLI::IsMember({"OPUS", "VP8", "VP9", "H264", "AV1"}));
  }
  join_command->add_option("--publish", flags.join.publish,
                           "A file: .ivf, .ogg, .opus, .wav; several times. Or test: a moving picture and a song.");
  join_command->add_flag("--loop", flags.join.loops, "Files begin again at their end.");
  join_command->add_option("--view", flags.join.view, "A stream, PEER/STREAM, or all; several times.");
  auto* out = join_command->add_option("--out", flags.join.out, "A folder for what is viewed.");
  join_command->add_flag("--rejoin", flags.join.rejoins, "Join anew whenever that fails or the session ends.")
      ->excludes(out);  // recordings would begin anew, too
  join_command->add_flag("--quiet", flags.join.is_quiet, "Say nothing but errors.");
  join_command->add_flag("--stats", flags.join.tells_stats, "Statistics as JSON at the end.");
  stats_command->add_flag("--json", flags.is_json, "The only form there is.");
  ping_command->add_option("--count", flags.count, "Default: 5.");

  auto* rooms_command = app.add_subcommand("rooms", "Rooms that have a session, by the admin API.");
  rooms_command->add_flag("--json", flags.is_json, "As the server says it.");

  CLI11_PARSE(app, argc, argv);
  flags.server.verifies_tls = !flags.is_insecure;
  while (flags.server.url.ends_with('/')) flags.server.url.pop_back();
  if (*token_command) return token(flags);
  if (*join_command) return run_join(flags);
  if (*stats_command) return stats(flags);
  if (*ping_command) return ping(flags);
  if (*doctor_command) return doctor(flags);
  return rooms(flags);
}

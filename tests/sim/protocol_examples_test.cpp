// The examples of docs/session-protocol.md are what the server does: the conversations in blocks "json ann" are held
// with it, in the order in which they stand there. A request is sent over that participant's data channel, its answer
// compared; an event has to be one of those that the participant is told at any time. What is in blocks of "sh" is run
// by the browser tests (tests/e2e/cases/protocol_examples.mjs).
#include <gtest/gtest.h>

#include <map>
#include <nlohmann/json.hpp>
#include <regex>
#include <set>
#include <sstream>

#include "document.h"
#include "world.h"

namespace atm::sim {
namespace {

using nlohmann::json;

constexpr const char* kPage = "docs/session-protocol.md";
constexpr std::string_view kAnything = "…";

// Their values come out of measuring or of chance.
const std::set<std::string> kMeasured = {"level", "mos", "max_bitrate", "retry_ms", "active", "sources"};

bool text_fits(std::string_view pattern, std::string_view text) {
  const size_t gap = pattern.find(kAnything);
  if (gap == std::string_view::npos) return pattern == text;
  if (!text.starts_with(pattern.substr(0, gap))) return false;
  pattern.remove_prefix(gap + kAnything.size());
  for (size_t from = gap; from <= text.size(); ++from) {
    if (text_fits(pattern, text.substr(from))) return true;
  }
  return false;
}

// What came has the keys and the values of the example; of what is measured, the type.
bool fits(const json& example, const json& came, bool is_measured = false) {
  if (example.is_string() && came.is_string()) return text_fits(example.get<std::string>(), came.get<std::string>());
  if (example.is_number() && came.is_number()) return is_measured || example == came;
  if (example.size() != came.size() || example.type() != came.type()) return false;
  if (example.is_array()) {
    for (size_t i = 0; i < example.size(); ++i) {
      if (!fits(example[i], came[i], is_measured)) return false;
    }
    return true;
  }
  if (!example.is_object()) return example == came;
  for (const auto& [key, value] : example.items()) {
    const bool is_one_measured = is_measured || (kMeasured.contains(key) && !value.is_boolean());
    if (!came.contains(key) || !fits(value, came[key], is_one_measured)) return false;
  }
  return true;
}

std::string replaced(std::string text, const std::string& what, const std::string& with) {
  const size_t at = text.find(what);
  if (at != std::string::npos) text.replace(at, what.size(), with);
  return text;
}

struct Line {
  int number;
  std::string who, text;
  json message;
};

// The lines of all conversations, in their order.
std::vector<Line> read_conversations() {
  const docs::Document page{kPage, docs::read_text(std::filesystem::path(ATM0S_SOURCE_DIR) / kPage)};
  std::vector<Line> out;
  for (const docs::Fence& fence : docs::find_fences(page)) {
    // What a shell is answered is "json" alone, or "http".
    if (fence.info == "sh" || fence.info == "http" || fence.info == "json") continue;
    if (!fence.info.starts_with("json ")) {
      ADD_FAILURE() << kPage << ":" << fence.line << ": nobody runs this example";
      continue;
    }
    std::istringstream lines(fence.text);
    std::string text;
    for (int number = fence.line + 1; std::getline(lines, text); ++number) {
      out.push_back({number, fence.info.substr(5), text, json::parse(text, nullptr, false)});
      EXPECT_TRUE(out.back().message.is_object()) << kPage << ":" << number;
    }
  }
  return out;
}

struct Room {
  Room() {
    world.judge = [](const contract::TokenQuestion&) -> Result<contract::Grant> { return contract::Grant{}; };
    ClientConfig bob = participant("bob");
    bob.metadata = "Bob B.";
    join(bob, -25);
    ClientConfig ann = participant("ann");
    ann.audio_receivers = 2;
    ann.max_video_bitrate = 1'000'000;
    ann.mix_minus = contract::MixMinusMode::kManual;
    join(ann, -31);
    ClientConfig eve = participant("eve");
    eve.sends_audio = eve.sends_video = false;
    eve.subscribe_scope = contract::SubscribeScope::kManual;
    join(eve, -127);
  }
  static ClientConfig participant(const std::string& peer) {
    ClientConfig config;
    config.peer = peer;
    config.keeps_messages = true;
    return config;
  }
  void join(const ClientConfig& config, int dbov) {
    Client& client = world.join(config);
    client.set_audio_level(dbov);
    clients[config.peer] = &client;
    world.run_for(1s);
  }
  void ask(const Line& line) {
    Client& client = *clients.at(line.who);
    std::string text = replaced(line.text, "$TOKEN", "a-token");
    if (text.find("$SDP") != std::string::npos) {
      client.add_receiver(MediaKind::kVideo);
      text = replaced(text, "\"$SDP\"", json(client.make_update().sdp).dump());
    }
    world.send_raw(client, text, true);
  }
  // The answer with the id of `line`, or nothing.
  const json* answer(const Line& line) {
    read_all();
    for (const json& message : told[line.who]) {
      if (message["type"] == "answer" && message["req_id"] == line.message["req_id"]) return &message;
    }
    return nullptr;
  }
  // What happens without a word of anybody.
  void go_to_the_end() {
    world.run_for(5s);
    clients["bob"]->set_silent(true);
    world.run_for(40s);
    world.drain(5s);
    read_all();
  }
  void read_all() {
    for (const auto& [name, client] : clients) {
      auto& messages = told[name];
      for (size_t i = messages.size(); i < client->messages().size(); ++i) {
        messages.push_back(json::parse(client->messages()[i]));
      }
    }
  }

  World world{71, LinkConfig{20ms, 2ms, 0, 0}};
  std::map<std::string, Client*> clients;
  std::map<std::string, std::vector<json>> told;
};

TEST(ProtocolExamples, ConversationsAreHeldAsTheyStandThere) {
  Room room;
  const std::vector<Line> lines = read_conversations();
  ASSERT_GT(lines.size(), 40u);
  for (size_t i = 0; i < lines.size(); ++i) {
    const Line& line = lines[i];
    ASSERT_TRUE(room.clients.contains(line.who)) << kPage << ":" << line.number << ": who is " << line.who << "?";
    if (line.message["type"] == "request") {
      room.ask(line);
      EXPECT_TRUE(i + 1 < lines.size() && lines[i + 1].message["type"] == "answer" &&
                  lines[i + 1].message["req_id"] == line.message["req_id"])
          << kPage << ":" << line.number << ": its answer has to follow";
    } else if (line.message["type"] == "answer") {
      EXPECT_TRUE(room.world.run_until([&] { return room.answer(line) != nullptr; }, 12s))
          << kPage << ":" << line.number << ": no answer";
      const json* came = room.answer(line);
      EXPECT_TRUE(came != nullptr && fits(line.message, *came))
          << kPage << ":" << line.number << ": what came is " << (came != nullptr ? came->dump() : "nothing");
      room.world.run_for(2s);  // to see what comes of it
    }
  }
  room.go_to_the_end();
  for (const Line& line : lines) {
    if (line.message["type"] == "request" || line.message["type"] == "answer") continue;
    std::string alike;
    bool is_told = false;
    for (const json& came : room.told[line.who]) {
      is_told |= fits(line.message, came);
      if (came.value("event", "") == line.message.value("event", "")) alike += "\n  " + came.dump();
    }
    EXPECT_TRUE(is_told) << kPage << ":" << line.number << ": " << line.who << " is not told this, but" << alike;
  }
}

TEST(ProtocolExamples, EveryRequestIsThere) {
  std::set<std::string> asked;
  for (const Line& line : read_conversations()) asked.insert(line.message.value("request", ""));
  const std::string source = docs::read_text(std::filesystem::path(ATM0S_SOURCE_DIR) / "src/contract/json/rpc.cpp");
  const std::regex name(R"re((?:\{|name == |return )"([a-z_]+\.\w+)")re");
  std::set<std::string> known;
  for (std::sregex_iterator match(source.begin(), source.end(), name), end; match != end; ++match) {
    known.insert((*match)[1]);
  }
  ASSERT_GE(known.size(), std::variant_size_v<contract::RpcBody>);
  for (const std::string& request : known) EXPECT_TRUE(asked.contains(request)) << "no example of " << request;
}

TEST(ProtocolExamples, EveryEventIsThere) {
  std::set<size_t> kinds;
  std::set<std::string> names;
  for (const Line& line : read_conversations()) {
    const auto parsed = json::parse(line.text).value("type", "") == "event"
                            ? atm::json::parse_server_message(as_bytes(line.text), true)
                            : std::nullopt;
    if (!parsed) continue;
    kinds.insert(std::get<contract::Event>(*parsed).index());
    names.insert(line.message.value("event", ""));
  }
  for (size_t kind = 0; kind < std::variant_size_v<contract::Event>; ++kind) {
    EXPECT_TRUE(kinds.contains(kind)) << "no example of event " << kind << " of contract::Event";
  }
  for (const char* of : {"stream_", "peer_"}) {
    for (const char* change : {"added", "updated", "removed"}) {
      EXPECT_TRUE(names.contains(std::string(of) + change)) << of << change;
    }
  }
}

// --- the test's own eyes ----------------------------------------------------------------------------------------

TEST(ProtocolExamples, ADifferenceIsSeen) {
  const json example = json::parse(R"({"a":"x … z","level":-3,"b":[1,null],"c":{"d":true}})");
  const auto like = [&](const char* text) { return fits(example, json::parse(text)); };
  EXPECT_TRUE(like(R"({"a":"x y z","level":-9,"b":[1,null],"c":{"d":true}})"));
  EXPECT_FALSE(like(R"({"a":"x y","level":-9,"b":[1,null],"c":{"d":true}})"));
  EXPECT_FALSE(like(R"({"a":"x y z","level":"-9","b":[1,null],"c":{"d":true}})"));
  EXPECT_FALSE(like(R"({"a":"x y z","level":-9,"b":[2,null],"c":{"d":true}})"));
  EXPECT_FALSE(like(R"({"a":"x y z","level":-9,"b":[1,null],"c":{"d":false}})"));
  EXPECT_FALSE(like(R"({"a":"x y z","level":-9,"b":[1,null],"c":{"d":true,"e":1}})"));
  EXPECT_FALSE(like(R"({"a":"x y z","level":-9,"b":[1,null]})"));
}

}  // namespace
}  // namespace atm::sim

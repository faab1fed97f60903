// One test for each property of a configuration, and for each value of those that are chosen from a list, measured on
// the other side. Behind its name stands with which switches it has to fail; matrix.mjs proves that each fails with
// these and no other. properties.md is the table for people.
#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <sstream>

#include "scene.h"

namespace atm0s::test {
namespace {

std::vector<Property> all_properties() {
  std::vector<Property> all;
  for (auto of : {session_properties, sender_properties, latency_properties, rate_properties, ice_properties}) {
    for (Property& property : of()) all.push_back(std::move(property));
  }
  return all;
}

class Properties : public testing::TestWithParam<Property> {};

TEST_P(Properties, Hold) {
  Scene run;
  GetParam().body(run);
}

INSTANTIATE_TEST_SUITE_P(Each, Properties, testing::ValuesIn(all_properties()),
                         [](const auto& one) { return one.param.name; });

// ---- the table ------------------------------------------------------------------------------------------------------

// Which tests have to fail with each switch, in the order of the tests.
std::vector<std::pair<std::string, std::vector<std::string>>> tests_by_switch() {
  std::vector<std::pair<std::string, std::vector<std::string>>> out;
  for (const Property& property : all_properties()) {
    for (const std::string& one : property.switches) {
      auto known = std::find_if(out.begin(), out.end(), [&](const auto& row) { return row.first == one; });
      if (known == out.end()) known = out.insert(out.end(), {one, {}});
      known->second.push_back(property.name);
    }
  }
  return out;
}

std::string joined(const std::vector<std::string>& names) {
  std::string out;
  for (const std::string& name : names) out += (out.empty() ? "`" : ", `") + name + "`";
  return out;
}

// For people, in properties.md.
std::string table() {
  std::string out = "| property, or one value of it | tests that fail without it |\n| --- | --- |\n";
  for (const auto& [one, tests] : tests_by_switch()) out += "| `" + one + "` | " + joined(tests) + " |\n";
  std::vector<std::string> others;
  for (const Property& property : all_properties()) {
    if (property.switches.empty()) others.push_back(property.name);
  }
  return out + "| none | " + joined(others) + " |\n";
}

// For matrix.mjs.
TEST(PropertyTable, IsKnown) {
  const bool is_asked = std::getenv("ATM0S_TEST_TABLE") != nullptr;
  for (const auto& [one, tests] : tests_by_switch()) {
    for (const std::string& test : tests) {
      if (is_asked) std::printf("switch %s %s\n", one.c_str(), test.c_str());
    }
  }
}

TEST(PropertyTable, IsTheDocuments) {
  std::stringstream text;
  text << std::ifstream(ATM0S_PROPERTIES_TABLE).rdbuf();
  const std::string before = text.str().substr(0, text.str().find("| property,"));
  if (std::getenv("UPDATE_TABLE") != nullptr) std::ofstream(ATM0S_PROPERTIES_TABLE) << before + table();
  EXPECT_EQ(text.str(), before + table()) << "UPDATE_TABLE=1 writes it anew";
}

TEST(PropertyTable, HasEachPropertyAndEachValue) {
  std::vector<std::string> wanted{"room_id",
                                  "peer_id",
                                  "token",
                                  "senders",
                                  "receivers",
                                  "mix_minus_audio",
                                  "latency_mode",
                                  "ice_servers",
                                  "codecs",
                                  "bitrate_control_mode",
                                  "name",
                                  "kind",
                                  "source",
                                  "label",
                                  "preferred_codecs",
                                  "simulcast",
                                  "max_bitrate",
                                  "screen",
                                  "content_hint"};
  const auto add = [&](const std::string& property, std::string_view value) {
    wanted.push_back(property + "=" + std::string(value));
  };
  for (int i = 0; i <= static_cast<int>(Codec::kAv1); ++i) {
    add("codecs", to_text(static_cast<Codec>(i)));
    // Of audio there is one codec: to prefer it says nothing.
    if (i != static_cast<int>(Codec::kOpus)) add("preferred_codecs", to_text(static_cast<Codec>(i)));
  }
  for (int i = 0; i <= static_cast<int>(LatencyMode::kSmooth2000); ++i) {
    add("latency_mode", to_text(static_cast<LatencyMode>(i)));
  }
  for (int i = 0; i <= static_cast<int>(BitrateControlMode::kPerStream); ++i) {
    add("bitrate_control_mode", to_text(static_cast<BitrateControlMode>(i)));
  }
  for (const char* value : {"disabled", "all", "manual"}) add("mix_minus_audio", value);
  for (const char* value : {"none", "motion", "detail"}) add("content_hint", value);
  for (const char* value : {"audio", "video"}) add("kind", value);
  const auto rows = tests_by_switch();
  for (const std::string& one : wanted) {
    EXPECT_TRUE(std::any_of(rows.begin(), rows.end(), [&](const auto& row) { return row.first == one; })) << one;
  }
  EXPECT_EQ(rows.size(), wanted.size());
}

}  // namespace
}  // namespace atm0s::test

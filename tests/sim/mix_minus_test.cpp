// Mix-minus: who is heard of talkers in turns, by listeners that hear all or whom they name, and what they are told.
#include <gtest/gtest.h>

#include <set>

#include "world.h"

namespace atm0s::sim {
namespace {

using contract::MixMinusMode;
using contract::MixMinusStateEvent;
using Names = std::set<std::string>;

constexpr LinkConfig kLink{20ms, 5ms, 0, 0};
constexpr int kAudible = -65;
constexpr size_t kSlots = 3;

// Participants of one room, all silent yet.
struct Talk {
  explicit Talk(size_t workers, LinkConfig link = kLink) : world(31, link, workers) {}

  Client& join(const std::string& name, MixMinusMode mode = MixMinusMode::kAll) {
    ClientConfig config;
    config.peer = name;
    config.sends_video = false;
    config.video_receivers = 1;
    config.audio_receivers = 2 * kSlots;
    config.mix_minus = mode;
    Client& client = world.add_client(config);
    client.set_level(-127);
    EXPECT_TRUE(world.connect(client));
    EXPECT_TRUE(world.run_until([&] { return client.is_ready(); }, 10s));
    clients[name] = &client;
    return client;
  }
  void join_all(std::initializer_list<const char*> names) {
    for (const char* name : names) join(name);
    for (const char* name : names) bind(name, "default", 0);
    world.run_for(1s);
  }
  // Its receivers from `first` on, to the slots of a mixer.
  void bind(const std::string& name, const std::string& mixer, size_t first) {
    for (size_t slot = 0; slot < kSlots; ++slot) {
      world.view(*clients[name], "audio_" + std::to_string(first + slot), "",
                 "mix_minus_" + mixer + "_" + std::to_string(slot));
    }
  }
  void say(const std::string& name, int dbov) {
    clients[name]->set_level(dbov);
    (dbov >= kAudible ? began : ended)[name] = world.now().mono;
  }
  std::string name_of(uint32_t number) const {
    for (const auto& [name, client] : clients) {
      if (client->number() == number) return name;
    }
    return "?";
  }
  bool is_talk(const HeardFrame& frame) {
    return clients[name_of(frame.publisher)]->level_sent(frame.counter) >= kAudible;
  }
  // Whose talk came to a listener in the last so much time.
  Names heard(const std::string& listener, Duration last, size_t first_receiver = 0) {
    Names out;
    for (const HeardFrame& frame : clients[listener]->heard()) {
      if (frame.at < world.now().mono - last || frame.receiver < first_receiver) continue;
      if (frame.receiver < first_receiver + kSlots && is_talk(frame)) out.insert(name_of(frame.publisher));
    }
    return out;
  }
  // From when `talker` began until a listener heard it.
  std::optional<Duration> delay(const std::string& listener, const std::string& talker) {
    for (const HeardFrame& frame : clients[listener]->heard()) {
      if (frame.at >= began[talker] && name_of(frame.publisher) == talker && is_talk(frame)) {
        return frame.at - began[talker];
      }
    }
    return std::nullopt;
  }
  std::vector<MixMinusStateEvent> states(const std::string& listener, const std::string& mixer = "default") {
    std::vector<MixMinusStateEvent> out;
    for (const contract::Event& event : clients[listener]->events()) {
      const auto* state = std::get_if<MixMinusStateEvent>(&event);
      if (state != nullptr && state->id == mixer) out.push_back(*state);
    }
    return out;
  }
  // What it was told last of each slot is what came last on the slot's receiver.
  void expect_state_matches(const std::string& listener, size_t first_receiver = 0,
                            const std::string& mixer = "default") {
    std::map<size_t, std::string> shown;
    for (const HeardFrame& frame : clients[listener]->heard()) {
      if (frame.at >= world.now().mono - 100ms) shown[frame.receiver] = name_of(frame.publisher) + "-audio_main";
    }
    const std::vector<MixMinusStateEvent> told = states(listener, mixer);
    ASSERT_FALSE(told.empty()) << listener;
    for (size_t slot = 0; slot < kSlots; ++slot) {
      const auto& active = told.back().active.at(slot);
      EXPECT_EQ(active ? active->source : "", shown[first_receiver + slot]) << listener << " slot " << slot;
    }
  }
  // Each receiver got one stream without a repetition, whoever was in its slot; and nobody heard itself.
  void expect_continuity() {
    for (const auto& [name, client] : clients) {
      std::map<size_t, HeardFrame> last;
      for (const HeardFrame& frame : client->heard()) {
        EXPECT_NE(frame.publisher, client->number()) << name << " hears itself";
        const auto [it, is_first] = last.try_emplace(frame.receiver, frame);
        if (is_first) continue;
        const HeardFrame& before = it->second;
        ASSERT_EQ(frame.ssrc, before.ssrc);
        if (frame.number < before.number) continue;  // overtaken
        ASSERT_EQ(frame.number, before.number + 1) << name << " audio_" << frame.receiver;
        const auto step = static_cast<int32_t>(frame.timestamp - before.timestamp);
        const auto passed = to_us(frame.at - before.at) * 48 / 1'000;
        EXPECT_GE(step, 480) << name;
        EXPECT_NEAR(step, passed, 960) << name << " audio_" << frame.receiver << ": no leap against the clock";
        it->second = frame;
      }
    }
  }

  World world;
  std::map<std::string, Client*> clients;
  std::map<std::string, Instant> began, ended;
};

class MixMinus : public testing::TestWithParam<size_t> {};

TEST_P(MixMinus, FiveTalkersInTurnsAreHeardByAllOthersAndNotByThemselves) {
  Talk talk(GetParam());
  talk.join_all({"ann", "bob", "cat", "dan", "eve"});
  struct Turn {
    const char* begins;
    int dbov;
    const char* ends;  // or ""
    Names talkers;     // from then on
  };
  const Turn turns[] = {
      {"ann", -30, "", {"ann"}},
      {"bob", -35, "ann", {"bob"}},
      {"cat", -25, "", {"bob", "cat"}},
      {"dan", -45, "", {"bob", "cat", "dan"}},
      {"eve", -40, "bob", {"cat", "dan", "eve"}},
      {"ann", -20, "cat", {"dan", "eve", "ann"}},
      {"bob", -33, "dan", {"eve", "ann", "bob"}},
      {"cat", -28, "ann", {"eve", "bob", "cat"}},
  };
  for (const Turn& turn : turns) {
    if (*turn.ends != 0) talk.say(turn.ends, -127);
    talk.world.run_for(500ms);
    talk.say(turn.begins, turn.dbov);
    talk.world.run_for(1500ms);
    for (const auto& [name, client] : talk.clients) {
      Names others = turn.talkers;
      others.erase(name);
      EXPECT_EQ(talk.heard(name, 1s), others) << name << " while " << turn.begins << " talks";
      talk.expect_state_matches(name);
      if (name == turn.begins) continue;
      const auto delay = talk.delay(name, turn.begins);
      ASSERT_TRUE(delay);
      EXPECT_LE(*delay, 200ms) << name << " hears " << turn.begins;
    }
  }
  for (const auto& [name, client] : talk.clients) talk.say(name, -127);
  talk.world.run_for(4s);
  for (const auto& [name, client] : talk.clients) {
    talk.expect_state_matches(name);
    EXPECT_TRUE(talk.states(name).back().sources.empty());
    EXPECT_EQ(talk.heard(name, 1s), Names{});
    EXPECT_LE(talk.states(name).size(), 5u * 21u);
    EXPECT_GE(talk.states(name).size(), std::size(turns));
    EXPECT_EQ(client->receiver_states().at("audio_0"), contract::ReceiverState::kNoSource);
  }
  talk.expect_continuity();
}

TEST_P(MixMinus, WhileThreeTalkABurstIsNotHeardAndALouderTalkerIs) {
  // 150 ms have to pass before it is no burst; frames of 20 ms and two ways of 10 ms leave no more.
  Talk talk(GetParam(), {10ms, 0ms, 0, 0});
  talk.join_all({"ann", "bob", "cat", "dan", "eve"});
  talk.say("ann", -40);
  talk.say("bob", -30);
  talk.say("cat", -30);
  talk.world.run_for(1s);
  for (int i = 0; i < 10; ++i) {
    talk.say("dan", -5);
    talk.world.run_for(150ms);
    talk.say("dan", -127);
    talk.world.run_for(350ms);
    EXPECT_EQ(talk.heard("eve", 500ms), (Names{"ann", "bob", "cat"}));
  }
  talk.say("dan", -20);
  talk.world.run_for(1s);
  EXPECT_EQ(talk.heard("eve", 500ms), (Names{"bob", "cat", "dan"})) << "instead of the quietest";
  std::printf("the louder fourth was heard after %d ms\n", static_cast<int>(to_ms(*talk.delay("eve", "dan"))));
  EXPECT_LE(*talk.delay("eve", "dan"), 200ms);
  EXPECT_EQ(talk.heard("dan", 500ms), (Names{"ann", "bob", "cat"}));
  EXPECT_EQ(talk.heard("ann", 500ms), (Names{"bob", "cat", "dan"}));
  talk.expect_state_matches("eve");
  talk.expect_continuity();
}

INSTANTIATE_TEST_SUITE_P(Workers, MixMinus, testing::Values(1u),
                         [](const auto& one) { return std::string(one.param == 1 ? "One" : "Two"); });

}  // namespace
}  // namespace atm0s::sim

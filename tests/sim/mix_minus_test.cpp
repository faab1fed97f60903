// Mix-minus: who is heard of talkers in turns, by listeners that hear all or whom they name, and what they are told.
#include <gtest/gtest.h>

#include <set>

#include "world.h"

namespace atm::sim {
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
    client.set_audio_level(-127);
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
    clients[name]->set_audio_level(dbov);
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
  EXPECT_LE(*talk.delay("eve", "dan"), 200ms + 1ms);  // the relay takes its part
  EXPECT_EQ(talk.heard("dan", 500ms), (Names{"ann", "bob", "cat"}));
  EXPECT_EQ(talk.heard("ann", 500ms), (Names{"bob", "cat", "dan"}));
  talk.expect_state_matches("eve");
  talk.expect_continuity();
}

// docs/policies.md tells what that is made of. Nothing of it is the server's: it decides with the ninth frame.
TEST_P(MixMinus, AFourthTalkerIsHeardAfterNineFramesAndTheTwoWays) {
  constexpr Duration kFrame = 20ms, kNinthFrame = 8 * kFrame;
  for (const Duration way : {5ms, 10ms, 20ms, 50ms}) {
    Talk talk(GetParam(), {way, 0ms, 0, 0});
    talk.join_all({"ann", "bob", "cat", "dan", "eve"});
    for (const char* name : {"ann", "bob", "cat"}) talk.say(name, -30);
    talk.world.run_for(1s);
    talk.say("dan", -20);
    talk.world.run_for(1s);
    const auto delay = talk.delay("eve", "dan");
    ASSERT_TRUE(delay);
    std::printf("links of %d ms: the fourth talker was heard after %d ms\n", static_cast<int>(to_ms(way)),
                static_cast<int>(to_ms(*delay)));
    EXPECT_GE(*delay, kNinthFrame + 2 * way);
    EXPECT_LE(*delay, kFrame + kNinthFrame + 2 * way + 1ms) << "up to a frame until the first is made; and the relay";
  }
}

TEST_P(MixMinus, AManualMixerHearsWhomItNamedAndEachMixerItsOwn) {
  Talk talk(GetParam());
  for (const char* name : {"ann", "bob", "cat", "dan"}) talk.join(name, MixMinusMode::kDisabled);
  Client& listener = talk.join("lis", MixMinusMode::kManual);
  const auto request = [&](contract::RpcBody body) {
    const uint64_t id = talk.world.request(listener, std::move(body));
    talk.world.run_for(1s);
    return listener.succeeded(id);
  };
  const auto source = [](const std::string& mixer, const std::string& peer, bool add) {
    return contract::MixMinusSource{mixer, {peer, "audio_main"}, add};
  };
  talk.bind("lis", "default", 0);
  talk.bind("lis", "my_team", 3);  // which makes it
  for (const char* name : {"ann", "bob", "cat", "dan", "lis"}) talk.say(name, -30);
  talk.world.run_for(1s);
  EXPECT_EQ(talk.heard("lis", 1s), Names{});
  EXPECT_TRUE(request(source("default", "ann", true)));
  EXPECT_TRUE(request(source("default", "lis", true))) << "but it does not hear itself";
  EXPECT_TRUE(request(source("default", "zoe", true))) << "who is not there yet";
  EXPECT_EQ(talk.heard("lis", 500ms), Names{"ann"});
  EXPECT_TRUE(request(contract::MixMinusToggle{"my_team", false}));
  EXPECT_TRUE(request(source("my_team", "bob", true)));
  EXPECT_EQ(talk.heard("lis", 500ms, 3), Names{});
  EXPECT_TRUE(request(contract::MixMinusToggle{"my_team", true}));
  EXPECT_EQ(talk.heard("lis", 500ms, 3), Names{"bob"});
  talk.join("zoe", MixMinusMode::kDisabled);
  talk.say("zoe", -40);
  talk.world.run_for(1s);
  EXPECT_EQ(talk.heard("lis", 500ms), (Names{"ann", "zoe"}));
  talk.expect_state_matches("lis");
  talk.expect_state_matches("lis", 3, "my_team");
  EXPECT_TRUE(request(source("default", "ann", false)));
  EXPECT_EQ(talk.heard("lis", 500ms), Names{"zoe"});
  talk.world.request(*talk.clients["bob"], contract::PeerClose{});
  talk.world.run_for(1s);
  talk.expect_state_matches("lis");
  talk.expect_state_matches("lis", 3, "my_team");
  EXPECT_EQ(listener.receiver_states().at("audio_3"), contract::ReceiverState::kNoSource);
  EXPECT_TRUE(request(contract::ReceiverDisconnect{"audio_1"}));
  talk.expect_continuity();
}

TEST_P(MixMinus, RequestsThatOvertakeEachOtherEndAsTheLastOneSays) {
  Talk talk(GetParam());
  talk.join("ann", MixMinusMode::kDisabled);
  Client& listener = talk.join("lis", MixMinusMode::kDisabled);
  talk.say("ann", -30);
  const auto send = [&](int req_id, const std::string& what, const std::string& more) {
    talk.world.send_raw(listener,
                        R"({"type":"request","req_id":)" + std::to_string(req_id) + R"(,"request":"mix_minus.)" + what +
                            R"(","data":{"id":"mine",)" + more + "}}",
                        true);
    talk.world.run_for(300ms);
  };
  const std::string ann = R"("remote":{"peer":"ann","stream":"audio_main"})";
  talk.bind("lis", "mine", 0);
  send(101, "remove", ann);
  send(100, "add", ann);
  EXPECT_EQ(talk.heard("lis", 200ms), Names{});
  send(102, "add", ann);
  EXPECT_EQ(talk.heard("lis", 200ms), Names{"ann"});
  send(111, "toggle", R"("enable":false)");
  send(110, "toggle", R"("enable":true)");
  EXPECT_EQ(talk.heard("lis", 200ms), Names{});
}

TEST_P(MixMinus, RefusesWhatItCannotDo) {
  Talk talk(GetParam());
  Client& client = talk.join("ann");
  const auto code = [&](contract::RpcBody body) {
    const uint64_t id = talk.world.request(client, std::move(body));
    talk.world.run_for(200ms);
    const auto& data = client.answers().at(id).data;
    return std::holds_alternative<Error>(data) ? std::optional(std::get<Error>(data).code) : std::nullopt;
  };
  const auto bind = [&](const std::string& receiver, const std::string& stream) {
    return code(contract::ReceiverSwitch{receiver, 50, {"", stream}});
  };
  EXPECT_EQ(code(contract::MixMinusSource{"default", {"bob", "audio_main"}, true}), ErrorCode::kNotSupported);
  for (const char* slot : {"mix_minus_default_3", "mix_minus_default", "mix_minus_", "mix_minus__0", "mix_minus_0",
                           "mix_minus_default_-1", "mix_minus_default_00"}) {
    EXPECT_EQ(bind("audio_0", slot), ErrorCode::kInvalidRequest) << slot;
  }
  EXPECT_EQ(bind("video_0", "mix_minus_default_0"), ErrorCode::kInvalidRequest);
  EXPECT_EQ(bind("audio_0", "mix_minus_default_0"), std::nullopt);
  EXPECT_EQ(bind("audio_0", "mix_minus_default_2"), std::nullopt) << "from one slot to another";
  EXPECT_EQ(bind("audio_1", "mix_minus_default_2"), std::nullopt) << "which takes it from the first";
  for (size_t i = 1; i < room::kMaxMixers; ++i) {
    EXPECT_EQ(code(contract::MixMinusToggle{"m" + std::to_string(i), true}), std::nullopt);
  }
  EXPECT_EQ(code(contract::MixMinusToggle{"one more", true}), ErrorCode::kTooMany);
  EXPECT_EQ(bind("audio_2", "mix_minus_one more_0"), ErrorCode::kTooMany);
  EXPECT_EQ(code(contract::MixMinusToggle{"m1", true}), std::nullopt);
  for (size_t i = 0; i < room::kMaxMixerSources; ++i) {
    EXPECT_EQ(code(contract::MixMinusSource{"m1", {"p" + std::to_string(i), "audio_main"}, true}), std::nullopt);
  }
  EXPECT_EQ(code(contract::MixMinusSource{"m1", {"p", "audio_main"}, true}), ErrorCode::kTooMany);
  EXPECT_EQ(code(contract::MixMinusSource{"m1", {"p0", "audio_main"}, false}), std::nullopt);
  EXPECT_EQ(code(contract::MixMinusSource{"m1", {"p", "audio_main"}, true}), std::nullopt);
}

TEST_P(MixMinus, ThreeThatClaimFullLevelForEverKeepNobodyOut) {
  Talk talk(GetParam());
  talk.join_all({"ann", "bob", "cat", "dan", "eve"});
  for (const char* liar : {"bob", "cat", "dan"}) talk.say(liar, 0);
  talk.world.run_for(22s);
  EXPECT_EQ(talk.heard("eve", 1s), (Names{"bob", "cat", "dan"})) << "nobody else talks";
  talk.say("ann", -40);
  talk.world.run_for(1s);
  EXPECT_TRUE(talk.heard("eve", 500ms).contains("ann"));
}

TEST_P(MixMinus, OneWhoseTrackIsSwitchedOffOrWhoGoesLeavesItsSlot) {
  Talk talk(GetParam());
  talk.join_all({"ann", "bob", "cat"});
  talk.say("ann", -30);
  talk.say("bob", -30);
  talk.world.run_for(1s);
  using Track = contract::SenderToggle::Track;
  talk.world.request(*talk.clients["ann"],
                     contract::SenderToggle{"audio_main", MediaKind::kAudio, Track::kStopped, "", std::nullopt});
  talk.world.run_for(500ms);
  EXPECT_FALSE(talk.states("cat").back().active[0] && talk.states("cat").back().active[1]);
  EXPECT_EQ(talk.states("cat").back().sources.size(), 1u);
  talk.world.request(*talk.clients["bob"], contract::PeerClose{});
  talk.world.run_for(1s);
  EXPECT_EQ(talk.states("cat").back().active, std::vector<std::optional<MixMinusStateEvent::Heard>>(kSlots));
}

TEST(MixMinusOverTheRelay, PacketsOfThoseInASlotAloneGoToTheOtherWorker) {
  Talk talk(2);
  talk.join_all({"ann", "bob", "cat", "dan", "eve", "fay", "guy", "hal"});
  talk.world.run_for(4s);
  uint64_t before = talk.world.relayed();
  talk.world.run_for(10s);
  EXPECT_LE(talk.world.relayed() - before, 25u) << "silence: digests alone";
  talk.say("ann", -30);
  talk.world.run_for(1s);
  before = talk.world.relayed();
  talk.world.run_for(10s);
  const uint64_t relayed = talk.world.relayed() - before;
  std::printf("one of eight talks: %d messages a second over the relay, of 50 packets\n",
              static_cast<int>(relayed / 10));
  EXPECT_GE(relayed, 500u);
  EXPECT_LE(relayed, 10u * (50 + 2 * 17 + 2) + 20u);
}

TEST(MixMinusOverTheRelay, ALossyRelayDelaysButDoesNotDeceive) {
  Talk talk(2);
  talk.join_all({"ann", "bob", "cat", "dan"});
  talk.world.set_relay_loss(0.2);
  for (int turn = 0; turn < 6; ++turn) {
    const char* who = turn % 2 == 0 ? "ann" : "bob";
    talk.say(who, -30);
    talk.world.run_for(2s);
    for (const char* listener : {"cat", "dan"}) EXPECT_EQ(talk.heard(listener, 1s), Names{who}) << listener;
    talk.say(who, -127);
    talk.world.run_for(4s);
    for (const char* listener : {"cat", "dan"}) talk.expect_state_matches(listener);
  }
}

INSTANTIATE_TEST_SUITE_P(Workers, MixMinus, testing::Values(1u, 2u),
                         [](const auto& one) { return std::string(one.param == 1 ? "One" : "Two"); });

}  // namespace
}  // namespace atm::sim

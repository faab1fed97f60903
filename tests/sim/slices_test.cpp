// One room on several workers: what a participant sees and hears does not depend on where the others are connected.
#include <gtest/gtest.h>

#include <cstdio>

#include "world.h"

namespace atm::sim {
namespace {

constexpr LinkConfig kPerfect{20ms, 0ms, 0, 0};

ClientConfig participant(const std::string& peer, uint32_t receivers = 3) {
  ClientConfig config;
  config.peer = peer;
  config.audio_receivers = receivers;
  config.video_receivers = receivers;
  return config;
}

// What an event is about.
std::string subject_of(const contract::Event& event) {
  if (const auto* stream = std::get_if<contract::StreamEvent>(&event)) return stream->peer;
  if (const auto* peer = std::get_if<contract::PeerEvent>(&event)) return peer->peer;
  if (const auto* state = std::get_if<contract::ReceiverStateEvent>(&event)) return state->id;
  if (const auto* state = std::get_if<contract::SenderStateEvent>(&event)) return state->name;
  if (const auto* limit = std::get_if<contract::StreamLimitEvent>(&event)) return limit->name + " limit";
  return "session";
}

void view(World& world, Client& viewer, int receiver, const Client& publisher) {
  const std::string n = std::to_string(receiver);
  world.view(viewer, "audio_" + n, publisher.config().peer, "audio_main");
  world.view(viewer, "video_" + n, publisher.config().peer, "video_main");
}

// Four participants view each other; one switches its track off and on, one leaves, one joins late and is viewed.
struct Story {
  explicit Story(size_t workers) : world(3, kPerfect, workers) {
    for (const char* name : {"anna", "bela", "carl", "dora"}) join(name);
    EXPECT_TRUE(world.run_until([&] { return everybody_sees(8); }, 10s));
    for (Client* viewer : clients) {
      int receiver = 0;
      for (Client* other : clients) {
        if (other != viewer) view(world, *viewer, receiver++, *other);
      }
    }
    world.run_for(5s);
    world.request(*clients[0], contract::SenderToggle{"video_main", MediaKind::kVideo,
                                                      contract::SenderToggle::Track::kNone, "", std::nullopt});
    world.run_for(1s);
    world.request(*clients[0], contract::SenderToggle{"video_main", MediaKind::kVideo,
                                                      contract::SenderToggle::Track::kSwitched, "again", "new label"});
    world.run_for(1s);
    world.request(*clients[3], contract::PeerClose{});
    world.run_for(1s);
    clients.pop_back();
    Client& late = join("emil");
    EXPECT_TRUE(world.run_until([&] { return everybody_sees(8); }, 10s));
    view(world, late, 0, *clients[0]);
    view(world, *clients[1], 2, late);
    world.run_for(3s);
  }
  Client& join(const char* name) {
    clients.push_back(&world.add_client(participant(name)));
    EXPECT_TRUE(world.connect(*clients.back()));
    world.run_for(500ms);
    return *clients.back();
  }
  bool everybody_sees(size_t streams) {
    for (Client* client : clients) {
      if (client->streams().size() != streams) return false;
    }
    return true;
  }

  World world;
  std::vector<Client*> clients;
};

// What a participant noticed of it.
struct Impression {
  std::map<std::string, std::vector<std::string>> events;  // in order, by what they are about
  std::vector<uint64_t> frames, audio;
  uint64_t contradictions = 0;
};

std::vector<Impression> impressions(size_t workers, uint64_t* relayed) {
  Story story(workers);
  *relayed = story.world.relayed();
  std::vector<Impression> out;
  for (Client* client : story.clients) {
    Impression& impression = out.emplace_back();
    for (const contract::Event& event : client->events()) {
      impression.events[subject_of(event)].push_back(text_of(event));
    }
    for (size_t receiver = 0; receiver < 3; ++receiver) {
      impression.frames.push_back(client->video(receiver).decodable_frames());
      impression.audio.push_back(client->audio_packets(receiver));
      impression.contradictions += client->video(receiver).contradictions();
    }
  }
  return out;
}

TEST(Slices, TheSameCallOnOneWorkerAndOnSeveralHasTheSameEventsAndTheSameFrames) {
  uint64_t relayed = 0;
  const std::vector<Impression> one = impressions(1, &relayed);
  EXPECT_EQ(relayed, 0u);
  for (const size_t workers : {2u, 3u, 4u}) {
    const std::vector<Impression> many = impressions(workers, &relayed);
    EXPECT_GT(relayed, 1'000u);
    ASSERT_EQ(one.size(), many.size());
    for (size_t i = 0; i < one.size(); ++i) {
      EXPECT_EQ(one[i].events, many[i].events) << i;
      EXPECT_EQ(one[i].frames, many[i].frames) << i;
      // But for the packet that was between two workers when the view began.
      for (size_t r = 0; r < 3; ++r) EXPECT_NEAR(one[i].audio[r], many[i].audio[r], 1) << i << " audio_" << r;
      EXPECT_EQ(one[i].contradictions + many[i].contradictions, 0u);
    }
    std::printf("one worker and %zu: the same %llu frames at the first viewer, %llu messages relayed\n", workers,
                static_cast<unsigned long long>(one[0].frames[0]), static_cast<unsigned long long>(relayed));
  }
}

TEST(Slices, ARelayThatLosesAThirdOfItsMessagesEndsUpTellingTheTruth) {
  World world(5, kPerfect, 2);
  world.set_relay_loss(0.33);
  std::vector<Client*> clients;
  for (const char* name : {"anna", "bela", "carl", "dora"}) {
    clients.push_back(&world.add_client(participant(name)));
    ASSERT_TRUE(world.connect(*clients.back()));
  }
  const auto everybody_sees = [&](size_t streams, size_t peers) {
    for (Client* client : clients) {
      if (client->streams().size() != streams || client->room_peers() != peers) return false;
    }
    return true;
  };
  ASSERT_TRUE(world.run_until([&] { return everybody_sees(8, 4); }, 20s));
  view(world, *clients[0], 0, *clients[1]);  // from the other worker
  ASSERT_TRUE(world.run_until([&] { return clients[0]->audio_packets(0) > 50; }, 10s));
  ASSERT_TRUE(world.run_until([&] { return clients[0]->video(0).decodable_frames() > 0; }, 30s));
  EXPECT_EQ(clients[0]->video(0).contradictions(), 0u);
  world.request(*clients[3], contract::PeerClose{});
  clients.pop_back();
  EXPECT_TRUE(world.run_until([&] { return everybody_sees(6, 3); }, 20s));
  world.request(*clients[0], contract::ReceiverDisconnect{"video_0"});
  world.request(*clients[0], contract::ReceiverDisconnect{"audio_0"});
  world.run_for(5s);  // several digests: one that is lost is repaired by the next
  const uint64_t before = world.relayed();
  world.run_for(10s);
  EXPECT_LT(world.relayed() - before, 80u) << "nobody views: digests alone";
}

TEST(Slices, ASessionThatComesBackOnAnotherWorkerReplacesTheOlder) {
  World world(9, kPerfect, 3);
  Client& old_session = world.add_client(participant("same"));
  Client& new_session = world.add_client(participant("same"));
  Client& witness = world.add_client(participant("witness"));
  for (Client* client : {&old_session, &witness}) ASSERT_TRUE(world.connect(*client));
  ASSERT_TRUE(world.run_until([&] { return witness.streams().size() == 4; }, 10s));
  view(world, witness, 0, old_session);
  world.run_for(1s);
  ASSERT_TRUE(world.connect(new_session));
  ASSERT_TRUE(world.run_until([&] { return new_session.streams().size() == 4; }, 10s));
  const uint64_t before = witness.video(0).decodable_frames();
  world.run_for(2s);
  EXPECT_EQ(world.session_count(), 2u);
  EXPECT_EQ(witness.streams().size(), 4u) << "the old session's end takes nothing of the new one away";
  EXPECT_EQ(witness.room_peers(), 2u);
  EXPECT_GT(witness.video(0).decodable_frames(), before + 30) << "and the view goes on with the new one";
  EXPECT_EQ(witness.video(0).contradictions(), 0u);
  ASSERT_FALSE(old_session.events().empty());
  EXPECT_EQ(text_of(old_session.events().back()), "closing replaced");
}

TEST(Slices, ManyViewersOnAnotherWorkerCostOneRelayAndNoMoreKeyFrames) {
  World world(4, kPerfect, 2);
  Client& publisher = world.add_client(participant("publisher", 0));
  ASSERT_TRUE(world.connect(publisher));
  std::vector<Client*> viewers;
  for (int i = 0; i < 9; ++i) {
    ClientConfig config = participant("viewer" + std::to_string(i), 1);
    config.sends_audio = config.sends_video = false;
    viewers.push_back(&world.add_client(config));
    ASSERT_TRUE(world.connect(*viewers.back()));
  }
  ASSERT_TRUE(world.run_until([&] { return viewers.back()->streams().size() == 2; }, 10s));
  world.run_for(1s);
  const uint64_t relayed = world.relayed();
  const uint64_t keys = publisher.key_frames_sent();
  for (Client* viewer : viewers) view(world, *viewer, 0, publisher);
  world.run_for(4s);
  for (Client* viewer : viewers) EXPECT_GT(viewer->video(0).decodable_frames(), 100u);
  EXPECT_LE(publisher.key_frames_sent() - keys, 2u) << "asked for by two slices, answered once or twice";
  // 30 frames and 50 audio packets a second, once, however many of the viewers are over there.
  EXPECT_LT(world.relayed() - relayed, 4 * (30 + 50) + 60u);
}

}  // namespace
}  // namespace atm::sim

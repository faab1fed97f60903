// What an engine asks of the server over its data channel, and what comes of it; m-lines that come in a call.
#include "gtest/gtest.h"
#include "sdk_world.h"

namespace atm::sim {
namespace {

using client::State;
using contract::StreamKey;
using Asked = std::function<void(uint64_t request, client::Output& out)>;

TEST(SdkRequests, TheFirstReceiversNeedNoRenegotiation) {
  SdkWorld world(21);
  client::Config config = sdk_config("ann");
  config.senders = {sdk_audio(), sdk_video()};
  SdkClient& ann = world.join(config);
  config = sdk_config("bob");
  config.receivers = {4, 4};
  SdkClient& bob = world.join(config);
  const uint32_t before = bob->peer()->media(1).version();
  for (size_t i = 0; i < 8; ++i) {
    const StreamKey key{"ann", bob->receiver_kind(i) == MediaKind::kVideo ? "video_main" : "audio_main"};
    EXPECT_FALSE(
        world.ask(bob, [&](uint64_t id, client::Output& out) { bob->view(world.now(), i, key, 50, id, out); }));
  }
  world.encode(ann, 0);
  world.encode(ann, 1);
  world.run_for(3s);
  for (size_t i = 0; i < 8; ++i) EXPECT_GE(bob.seen[i].size(), 60u) << i;
  EXPECT_EQ(bob->peer()->media(1).version(), before);
}

TEST(SdkRequests, SendersAndReceiversComeInACall) {
  SdkWorld world(22);
  client::Config config = sdk_config("ann");
  config.receivers = {};
  SdkClient& ann = world.join(config);
  config.peer = "bob";
  SdkClient& bob = world.join(config);
  std::vector<size_t> senders, receivers;
  world.call(ann, [&](client::Output&) {
    senders.push_back(ann->add_sender(world.now(), sdk_video("camera")));
    senders.push_back(ann->add_sender(world.now(), sdk_audio("voice")));
  });
  const uint64_t offers_before = ann->peer()->counters().rtp_sent;
  EXPECT_EQ(offers_before, 0u);
  world.call(bob, [&](client::Output&) {
    receivers.push_back(bob->add_receiver(world.now(), MediaKind::kAudio));
    receivers.push_back(bob->add_receiver(world.now(), MediaKind::kVideo));
  });
  EXPECT_EQ(bob->receiver_id(receivers[1]), "video_0");
  world.run_for(1s);
  for (const size_t sender : senders) world.encode(ann, sender);
  EXPECT_FALSE(world.ask(bob, [&](uint64_t id, client::Output& out) {
    bob->view(world.now(), receivers[1], {"ann", "camera"}, 50, id, out);
  }));
  EXPECT_FALSE(world.ask(bob, [&](uint64_t id, client::Output& out) {
    bob->view(world.now(), receivers[0], {"ann", "voice"}, 50, id, out);
  }));
  world.run_for(3s);
  EXPECT_GE(bob.seen[receivers[1]].size(), 80u);
  EXPECT_GE(bob.seen[receivers[0]].size(), 130u);
  EXPECT_EQ(ann.calls_of("/webrtc/connect"), 1u);
}

TEST(SdkRequests, AViewOfAReceiverThatIsNotNegotiatedYetWorksLater) {
  SdkWorld world(23);
  client::Config config = sdk_config("ann");
  config.senders = {sdk_video()};
  SdkClient& ann = world.join(config);
  world.encode(ann, 0);
  config = sdk_config("bob");
  config.receivers = {};
  SdkClient& bob = world.join(config);
  const auto error = world.ask(bob, [&](uint64_t id, client::Output& out) {
    const size_t receiver = bob->add_receiver(world.now(), MediaKind::kVideo);
    bob->view(world.now(), receiver, {"ann", "video_main"}, 50, id, out);
  });
  EXPECT_FALSE(error) << error->why;
  world.run_for(3s);
  EXPECT_GE(bob.seen[0].size(), 60u);
}

TEST(SdkRequests, ASenderThatStopsIsGoneAndOneWithoutATrackIsInactive) {
  SdkWorld world(24);
  client::Config config = sdk_config("ann");
  config.senders = {sdk_audio(), sdk_video()};
  SdkClient& ann = world.join(config);
  SdkClient& bob = world.join(sdk_config("bob"));
  using Change = contract::PresenceChange;
  const auto removed = [&](const std::string& stream) {
    size_t count = 0;
    for (const auto& event : bob.server_said<contract::StreamEvent>()) {
      count += event.stream == stream && event.change == Change::kRemoved;
    }
    return count;
  };
  EXPECT_FALSE(
      world.ask(ann, [&](uint64_t id, client::Output& out) { ann->set_track(world.now(), 0, false, {}, id, out); }));
  EXPECT_FALSE(world.ask(ann, [&](uint64_t id, client::Output& out) {
    ann->set_track(world.now(), 0, true, "another microphone", id, out);
  }));
  EXPECT_FALSE(world.ask(ann, [&](uint64_t id, client::Output& out) { ann->stop_sender(world.now(), 1, id, out); }));
  world.run_for(1s);
  EXPECT_EQ(removed("video_main"), 1u);
  EXPECT_EQ(removed("audio_main"), 0u);
  // Again is fine; what it was has ended for good.
  EXPECT_FALSE(world.ask(ann, [&](uint64_t id, client::Output& out) { ann->stop_sender(world.now(), 1, id, out); }));
  const auto error =
      world.ask(ann, [&](uint64_t id, client::Output& out) { ann->set_track(world.now(), 1, true, {}, id, out); });
  ASSERT_TRUE(error);
  EXPECT_EQ(error->code, ErrorCode::kClosed);
  // A new one takes its name.
  world.call(ann, [&](client::Output&) { ann->add_sender(world.now(), sdk_video()); });
  world.run_for(1s);
  world.encode(ann, 2);
  EXPECT_FALSE(world.ask(
      bob, [&](uint64_t id, client::Output& out) { bob->view(world.now(), 0, {"ann", "video_main"}, 50, id, out); }));
  world.run_for(3s);
  EXPECT_GE(bob.seen[0].size(), 60u);
}

TEST(SdkRequests, AReceiverIsSwitchedFromSourceToSource) {
  SdkWorld world(25);
  client::Config config = sdk_config("ann");
  config.senders = {sdk_video("one"), sdk_video("two")};
  SdkClient& ann = world.join(config);
  SdkClient& bob = world.join(sdk_config("bob"));
  world.encode(ann, 0);
  world.encode(ann, 1).counter = 1'000'000;
  for (const char* name : {"one", "two", "one"}) {
    EXPECT_FALSE(world.ask(
        bob, [&](uint64_t id, client::Output& out) { bob->view(world.now(), 0, {"ann", name}, 50, id, out); }));
    world.run_for(2s);
    EXPECT_EQ(bob.seen[0].back().counter >= 1'000'000, std::string(name) == "two");
    EXPECT_GE(bob.frames_since(0, world.now().mono - 1s), 29u);
  }
  EXPECT_FALSE(world.ask(bob, [&](uint64_t id, client::Output& out) { bob->unview(world.now(), 0, id, out); }));
  world.run_for(1s);
  EXPECT_EQ(bob.frames_since(0, world.now().mono - 500ms), 0u);
}

TEST(SdkRequests, MixMinusSlotsPlayWhoTalks) {
  SdkWorld world(26);
  for (const std::string peer : {"ann", "cid"}) {
    client::Config config = sdk_config(peer);
    config.senders = {sdk_audio()};
    world.encode(world.join(config), 0);
  }
  client::Config config = sdk_config("bob");
  config.receivers = {};
  config.mix_minus = contract::MixMinusMode::kAll;
  SdkClient& bob = world.join(config);
  ASSERT_EQ(bob->mix_minus_receivers().size(), client::kMixMinusSlots);
  world.run_for(4s);
  size_t playing = 0;
  for (const size_t slot : bob->mix_minus_receivers()) playing += bob.frames_since(slot, world.now().mono - 1s) >= 45;
  EXPECT_EQ(playing, 2u);
  EXPECT_FALSE(
      world.ask(bob, [&](uint64_t id, client::Output& out) { bob->mix_minus_toggle(world.now(), false, id, out); }));
  world.run_for(1s);
  for (const size_t slot : bob->mix_minus_receivers()) EXPECT_EQ(bob.frames_since(slot, world.now().mono - 500ms), 0u);
}

TEST(SdkRequests, InManualModeSourcesAreAddedAndRemoved) {
  SdkWorld world(27);
  client::Config config = sdk_config("ann");
  config.senders = {sdk_audio()};
  world.encode(world.join(config), 0);
  config = sdk_config("bob");
  config.mix_minus = contract::MixMinusMode::kManual;
  SdkClient& bob = world.join(config);
  const auto is_heard = [&] {
    size_t frames = 0;
    for (const size_t slot : bob->mix_minus_receivers()) frames += bob.frames_since(slot, world.now().mono - 1s);
    return frames >= 45;
  };
  const auto choose = [&](bool add) {
    EXPECT_FALSE(world.ask(bob, [&](uint64_t id, client::Output& out) {
      bob->mix_minus_source(world.now(), {"ann", "audio_main"}, add, id, out);
    }));
    world.run_for(3s);
  };
  world.run_for(2s);
  EXPECT_FALSE(is_heard());
  choose(true);
  EXPECT_TRUE(is_heard());
  choose(false);
  EXPECT_FALSE(is_heard());
}

// What the server refuses is the request's error; the session goes on.
TEST(SdkRequests, EveryRefusalIsToldToWhoAsked) {
  SdkWorld world(28);
  client::Config config = sdk_config("ann");
  config.senders = {sdk_audio()};
  SdkClient& ann = world.join(config);
  const StreamKey empty{"", ""};
  const StreamKey long_key{std::string(10'000, 'x'), "s"};
  const std::pair<const char*, Asked> refused[] = {
      {"view", [&](uint64_t id, client::Output& out) { ann->view(world.now(), 0, long_key, 50, id, out); }},
      {"view nobody", [&](uint64_t id, client::Output& out) { ann->view(world.now(), 0, empty, 50, id, out); }},
      {"token", [&](uint64_t id, client::Output& out) { ann->set_token(world.now(), id, "none", out); }},
      {"subscribe", [&](uint64_t id, client::Output& out) { ann->subscribe(world.now(), "", true, id, out); }},
  };
  for (const auto& [name, asked] : refused) {
    const auto error = world.ask(ann, asked);
    EXPECT_TRUE(error) << name;
    EXPECT_EQ(ann->state(), State::kConnected) << name;
  }
  EXPECT_FALSE(world.ask(ann, [&](uint64_t id, client::Output& out) { ann->ping(world.now(), id, out); }));
}

TEST(SdkRequests, WithoutAConnectionWishesSucceedAndTheRestSaysSo) {
  SdkWorld world(29);
  client::Config config = sdk_config("ann");
  config.senders = {sdk_audio()};
  SdkClient& ann = world.add(config);
  const Asked wishes[] = {
      [&](uint64_t id, client::Output& out) { ann->view(world.now(), 0, {"b", "c"}, 50, id, out); },
      [&](uint64_t id, client::Output& out) { ann->limit(world.now(), 0, {}, id, out); },
      [&](uint64_t id, client::Output& out) { ann->unview(world.now(), 0, id, out); },
      [&](uint64_t id, client::Output& out) { ann->set_track(world.now(), 0, false, {}, id, out); },
      [&](uint64_t id, client::Output& out) { ann->stop_sender(world.now(), 0, id, out); },
      [&](uint64_t id, client::Output& out) { ann->subscribe(world.now(), "bob", true, id, out); },
  };
  for (const Asked& wish : wishes) EXPECT_FALSE(world.ask(ann, wish));
  const Asked refused[] = {[&](uint64_t id, client::Output& out) { ann->ping(world.now(), id, out); },
                           [&](uint64_t id, client::Output& out) { ann->restart_ice(world.now(), id, out); }};
  for (const Asked& one : refused) {
    const auto error = world.ask(ann, one);
    ASSERT_TRUE(error);
    EXPECT_EQ(error->code, ErrorCode::kClosed);
  }
}

TEST(SdkRequests, ATokenIsRenewed) {
  SdkWorld world(30);
  SdkClient& ann = world.join(sdk_config("ann"));
  EXPECT_FALSE(world.ask(
      ann, [&](uint64_t id, client::Output& out) { ann->set_token(world.now(), id, world.token("ann"), out); }));
}

TEST(SdkRequests, AServerThatIsNotHeardAnyMoreLeavesNoRequestWithoutAnAnswer) {
  SdkWorld world(31);
  client::Config config = sdk_config("ann");
  config.reconnects = false;
  SdkClient& ann = world.join(config);
  world.kill("one");
  const auto error = world.ask(ann, [&](uint64_t id, client::Output& out) { ann->ping(world.now(), id, out); });
  ASSERT_TRUE(error);
  EXPECT_EQ(error->code, ErrorCode::kTimeout);
}

TEST(SdkRequests, APingThatAnotherConnectionOvertakesHasFailed) {
  SdkWorld world(32);
  SdkClient& ann = world.join(sdk_config("ann"));
  const auto error = world.ask(ann, [&](uint64_t id, client::Output& out) {
    world.drain("one");  // its word is here before an answer
    ann->ping(world.now(), id, out);
  });
  ASSERT_TRUE(error);
  EXPECT_EQ(error->code, ErrorCode::kClosed);
}

}  // namespace
}  // namespace atm::sim

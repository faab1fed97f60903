#include "media/session/line_bindings.h"

#include <gtest/gtest.h>

namespace atm::session {
namespace {

using contract::SenderInfo;
using negotiation::Direction;
using negotiation::OfferedMedia;
using Use = LineBindings::Use;
constexpr MediaKind kAudio = MediaKind::kAudio;
constexpr MediaKind kVideo = MediaKind::kVideo;

struct LineBindingsTest : testing::Test {
  OfferedMedia& add(MediaKind kind, Direction direction, const std::string& mid, const std::string& track = "",
                    const std::string& stream = "") {
    OfferedMedia media;
    media.index = offer.media.size();
    media.mid = mid;
    media.kind = kind;
    media.direction = direction;
    media.track_id = track;
    media.stream_id = stream;
    offer.media.push_back(media);
    return offer.media.back();
  }
  static SenderInfo sender(MediaKind kind, const std::string& name, const std::string& uuid) {
    SenderInfo info;
    info.kind = kind;
    info.name = name;
    info.uuid = uuid;
    return info;
  }
  LineBindings::Plan commit() {
    auto plan = bindings.plan(offer, senders, receivers);
    EXPECT_TRUE(plan);
    if (!plan) return {};
    bindings.commit(*plan);
    return *plan;
  }
  static std::vector<std::string> ids(const LineBindings::Plan& plan) {
    std::vector<std::string> out;
    for (const auto& added : plan.added_receivers) out.push_back(added.id);
    return out;
  }

  LineBindings bindings;
  negotiation::Offer offer;
  std::vector<SenderInfo> senders;
  contract::ReceiverCounts receivers;
};

using Strings = std::vector<std::string>;

TEST_F(LineBindingsTest, SendersAreFoundByTrackThenByStreamThenByOrder) {
  add(kVideo, Direction::kSendOnly, "0", "track-b");
  add(kVideo, Direction::kSendOnly, "1", "", "stream-a");
  add(kVideo, Direction::kSendOnly, "2");
  senders = {sender(kVideo, "a", "stream-a"), sender(kVideo, "b", "track-b"), sender(kVideo, "c", "")};
  const auto plan = commit();
  ASSERT_EQ(plan.added_senders.size(), 3u);
  EXPECT_EQ(plan.added_senders[0].info.name, "b");
  EXPECT_TRUE(plan.added_senders[0].has_track);
  EXPECT_EQ(plan.added_senders[1].info.name, "a");
  EXPECT_FALSE(plan.added_senders[1].has_track);
  EXPECT_EQ(plan.added_senders[2].info.name, "c");
  for (const auto& decision : plan.decisions) EXPECT_EQ(decision.direction, Direction::kRecvOnly);
}

TEST_F(LineBindingsTest, AnUnlistedSenderIsNotTaken) {
  add(kAudio, Direction::kSendOnly, "0", "t");
  const auto plan = commit();
  EXPECT_TRUE(plan.added_senders.empty());
  EXPECT_EQ(plan.decisions[0].direction, Direction::kInactive);
}

TEST_F(LineBindingsTest, ReceiversAreCountedPerKindInTheOrderOfTheirMLines) {
  for (const char* mid : {"0", "1", "2"}) add(kVideo, Direction::kRecvOnly, mid);
  add(kAudio, Direction::kRecvOnly, "3");
  receivers = {1, 2};
  const auto plan = commit();
  EXPECT_EQ(ids(plan), (Strings{"video_0", "video_1", "audio_0"}));
  EXPECT_EQ(plan.decisions[0].stream_id, "video_0");
  EXPECT_EQ(plan.decisions[2].direction, Direction::kInactive) << "more m-lines than receivers";
}

TEST_F(LineBindingsTest, OnlyNewMLinesTakeTheIdsThatAreAdded) {
  for (const char* mid : {"0", "1"}) add(kVideo, Direction::kRecvOnly, mid);
  receivers = {0, 1};
  commit();
  receivers = {0, 2};
  add(kVideo, Direction::kRecvOnly, "2");
  const auto plan = commit();
  ASSERT_EQ(ids(plan), (Strings{"video_1"}));
  EXPECT_EQ(plan.added_receivers[0].media, 2u);
}

TEST_F(LineBindingsTest, ARepeatedOfferChangesNothing) {
  add(kAudio, Direction::kSendOnly, "0", "t");
  add(kVideo, Direction::kRecvOnly, "1");
  senders = {sender(kAudio, "mic", "t")};
  receivers = {0, 1};
  commit();
  for (int i = 0; i < 3; ++i) {
    const auto plan = commit();
    EXPECT_TRUE(plan.added_senders.empty() && plan.removed_senders.empty());
    EXPECT_TRUE(plan.added_receivers.empty() && plan.removed_receivers.empty());
    EXPECT_EQ(plan.decisions[1].stream_id, "video_0");
  }
}

TEST_F(LineBindingsTest, ASenderThatStopsIsRemovedAndMayComeBackUnderItsName) {
  add(kVideo, Direction::kSendOnly, "0", "t");
  senders = {sender(kVideo, "cam", "t")};
  commit();
  offer.media[0].direction = Direction::kInactive;
  senders.clear();
  EXPECT_EQ(commit().removed_senders, (Strings{"cam"}));
  offer.media[0].direction = Direction::kSendOnly;
  senders = {sender(kVideo, "cam", "t")};
  EXPECT_EQ(commit().added_senders.size(), 1u);
}

TEST_F(LineBindingsTest, AnOfferWithFewerMLinesIsRefused) {
  add(kVideo, Direction::kRecvOnly, "0");
  add(kVideo, Direction::kRecvOnly, "1");
  receivers = {0, 2};
  commit();
  offer.media.pop_back();
  EXPECT_FALSE(bindings.plan(offer, senders, receivers));
}

TEST_F(LineBindingsTest, ARecycledMLineGivesItsReceiverUpAndTheIdGoesToTheNext) {
  add(kVideo, Direction::kRecvOnly, "0");
  add(kVideo, Direction::kRecvOnly, "1");
  receivers = {0, 2};
  commit();
  offer.media[0].mid = "new";
  const auto plan = commit();
  EXPECT_EQ(plan.removed_receivers, (Strings{"video_0"}));
  EXPECT_EQ(ids(plan), (Strings{"video_0"}));
}

TEST_F(LineBindingsTest, AStoppedReceiverGivesItsIdUp) {
  add(kVideo, Direction::kRecvOnly, "0");
  receivers = {0, 1};
  commit();
  offer.media[0].is_rejected = true;
  add(kVideo, Direction::kRecvOnly, "1");
  const auto plan = commit();
  EXPECT_EQ(plan.removed_receivers, (Strings{"video_0"}));
  ASSERT_EQ(ids(plan), (Strings{"video_0"}));
  EXPECT_EQ(plan.added_receivers[0].media, 1u);
}

TEST_F(LineBindingsTest, AnMLineThatChangesItsKindUnderOneMidIsAnother) {
  add(kVideo, Direction::kRecvOnly, "0");
  receivers = {1, 1};
  commit();
  offer.media[0].kind = kAudio;
  const auto plan = commit();
  EXPECT_EQ(plan.removed_receivers, (Strings{"video_0"}));
  EXPECT_EQ(ids(plan), (Strings{"audio_0"}));
  offer.media[0].is_application = true;
  EXPECT_EQ(commit().removed_receivers, (Strings{"audio_0"}));
  // Whatever comes next, no id is given out while its first holder lives.
  add(kVideo, Direction::kRecvOnly, "1");
  EXPECT_EQ(ids(commit()), (Strings{"video_0"}));
}

TEST_F(LineBindingsTest, TwoSendersOfOneNameAreRefused) {
  senders = {sender(kAudio, "same", "a"), sender(kVideo, "same", "b")};
  EXPECT_EQ(bindings.plan(offer, senders, receivers).error().code, ErrorCode::kInvalidRequest);
}

}  // namespace
}  // namespace atm::session

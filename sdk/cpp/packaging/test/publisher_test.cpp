#include <atm0s/session.h>
#include <gtest/gtest.h>

#include "server.h"

namespace {

using namespace std::chrono_literals;
using atm0s::EncodedVideoSource;
using atm0s::MediaKind;
using atm0s::Presence;
using atm0s::SenderState;
using atm0s::StreamChanged;

// Peer "a" publishes, "b" is told. Each test has a stream of its own.
class PublisherTest : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(publishing_.connect());
    ASSERT_TRUE(viewing_.connect());
  }

  bool is_told(const std::string& name, Presence change, bool active = true) {
    return uses::wait_for<StreamChanged>(viewing_, [&](const StreamChanged& changed) {
      return changed.stream.key.name == name && changed.change == change &&
             (change == Presence::kRemoved || changed.stream.active == active);
    });
  }

  const std::shared_ptr<EncodedVideoSource> source_ = std::make_shared<EncodedVideoSource>(atm0s::Codec::kVp8);
  const uses::Camera camera_{source_};
  atm0s::Session publishing_{{uses::url()}, uses::config(0)};
  atm0s::Session viewing_{{uses::url()}, uses::config(1)};
};

TEST_F(PublisherTest, HasASenderFromTheFirstSourceOn) {
  auto publisher = publishing_.create_publisher({.name = "lazy", .kind = MediaKind::kVideo});
  ASSERT_TRUE(publisher);
  EXPECT_EQ(publisher->state(), SenderState::kCreated);
  EXPECT_FALSE(publisher->sender());
  EXPECT_FALSE(publishing_.sender("lazy"));
  EXPECT_TRUE(publisher->switch_to(nullptr).wait());  // nothing in place of nothing
  EXPECT_FALSE(publisher->sender());

  EXPECT_TRUE(publisher->switch_to(source_, "a label").wait());
  EXPECT_TRUE(publisher->sender());
  EXPECT_TRUE(publishing_.sender("lazy"));
  EXPECT_TRUE(uses::wait_for<StreamChanged>(viewing_, [](const StreamChanged& changed) {
    return changed.stream.key.name == "lazy" && changed.stream.label == "a label";
  }));
}

TEST_F(PublisherTest, WithASourceItPublishesAtOnce) {
  auto publisher = publishing_.create_publisher({.name = "at_once", .kind = MediaKind::kVideo, .source = source_});
  ASSERT_TRUE(publisher);
  EXPECT_TRUE(publisher->sender());
  EXPECT_TRUE(is_told("at_once", Presence::kAdded));
}

TEST_F(PublisherTest, StopEndsTheStreamAndASourcePublishesItAnew) {
  auto publisher = publishing_.create_publisher({.name = "again", .kind = MediaKind::kVideo, .source = source_});
  ASSERT_TRUE(publisher);
  EXPECT_TRUE(is_told("again", Presence::kAdded));
  EXPECT_TRUE(publisher->stop().wait());
  EXPECT_EQ(publisher->state(), SenderState::kClosed);
  EXPECT_FALSE(publisher->sender());
  EXPECT_TRUE(is_told("again", Presence::kRemoved));

  EXPECT_TRUE(publisher->switch_to(source_).wait());
  EXPECT_TRUE(publisher->sender());
  EXPECT_TRUE(is_told("again", Presence::kAdded));
}

TEST_F(PublisherTest, ANameThatIsTakenIsRefused) {
  ASSERT_TRUE(publishing_.create_publisher({.name = "taken", .kind = MediaKind::kVideo, .source = source_}));
  const auto second = publishing_.create_publisher({.name = "taken", .kind = MediaKind::kVideo, .source = source_});
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, atm0s::ErrorCode::kInvalidRequest);
  // Without a source it is not taken before there is one.
  auto third = publishing_.create_publisher({.name = "taken", .kind = MediaKind::kVideo});
  ASSERT_TRUE(third);
  const auto switched = third->switch_to(source_).wait();
  ASSERT_FALSE(switched);
  EXPECT_EQ(switched.error().code, atm0s::ErrorCode::kInvalidRequest);
}

TEST_F(PublisherTest, OutlivesItsSession) {
  auto publisher = [&] {
    atm0s::Session session({uses::url()}, uses::config(2));
    return session.create_publisher({.name = "orphan", .kind = MediaKind::kVideo});
  }();
  ASSERT_TRUE(publisher);
  EXPECT_EQ(publisher->state(), SenderState::kClosed);
  const auto switched = publisher->switch_to(source_).wait();
  ASSERT_FALSE(switched);
  EXPECT_EQ(switched.error().code, atm0s::ErrorCode::kClosed);
  EXPECT_FALSE(publisher->sender());
  EXPECT_EQ(publisher->state(), SenderState::kClosed);
  EXPECT_TRUE(publisher->stop().wait());
}

}  // namespace

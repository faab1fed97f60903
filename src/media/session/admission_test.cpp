#include "media/session/admission.h"

#include <gtest/gtest.h>

namespace atm::session {
namespace {

Now at(Duration later, Duration wall_is_off = {}) {
  return {Instant{100s} + later, WallTime{1'800'000'000s} + later + wall_is_off};
}

contract::Grant until(Now when) {
  contract::Grant grant;
  grant.expires_at = when.wall;
  return grant;
}

TEST(Admission, EndsWithItsTokenAndNotWithoutAnExpiry) {
  EXPECT_EQ(Admission(at(0s), {}).ends_at(), kNever);
  Admission admission(at(0s), until(at(60s)));
  EXPECT_EQ(admission.ends_at(), at(60s).mono);
  EXPECT_EQ(admission.next_timeout(), at(60s).mono);
  admission.renew(at(50s), until(at(90s)));
  EXPECT_EQ(admission.ends_at(), at(90s).mono);
  admission.renew(at(50s, 30s), until(at(90s, 0s)));
  EXPECT_EQ(admission.ends_at(), at(60s).mono) << "by the wall clock of the moment of renewal";
  admission.renew(at(50s), {});
  EXPECT_EQ(admission.ends_at(), kNever);
}

TEST(Admission, RightsOfTheAdminApiStandOverThoseOfTokens) {
  contract::Grant viewer;
  viewer.publish = false;
  Admission admission(at(0s), viewer);
  EXPECT_FALSE(admission.may_publish());
  EXPECT_TRUE(admission.may_subscribe());
  admission.override_rights(true, std::nullopt);
  EXPECT_TRUE(admission.may_publish());
  admission.override_rights(std::nullopt, false);
  EXPECT_TRUE(admission.may_publish());
  admission.renew(at(1s), {});
  EXPECT_FALSE(admission.may_subscribe());
  admission.override_rights(false, true);
  EXPECT_FALSE(admission.may_publish());
  EXPECT_TRUE(admission.may_subscribe());
}

TEST(Admission, AnExpiryOfTheYear9999IsNoOverflow) {
  contract::Grant grant;
  grant.expires_at = WallTime{253'402'300'799s};
  EXPECT_GT(Admission(at(0s), grant).ends_at(), at(1h).mono);
}

TEST(Admission, RenewalsAreBoundedAndComeOutWhenNobodyJudgesThem) {
  Admission admission(at(0s), {});
  for (size_t i = 0; i < kMaxRenewals; ++i) EXPECT_TRUE(admission.ask(at(1s), i));
  EXPECT_FALSE(admission.ask(at(1s), 99));
  EXPECT_EQ(admission.next_timeout(), at(1s).mono + kRenewalTimeout);
  EXPECT_TRUE(admission.take(1));
  EXPECT_FALSE(admission.take(1)) << "again";
  EXPECT_TRUE(admission.ask(at(2s), 7));
  EXPECT_EQ(admission.take_late(at(10s).mono), std::nullopt);
  EXPECT_EQ(admission.take_late(at(11s).mono), 0u);
  EXPECT_EQ(admission.take_late(at(11s).mono), 2u);
  EXPECT_EQ(admission.take_late(at(11s).mono), 3u);
  EXPECT_EQ(admission.take_late(at(11s).mono), std::nullopt);
  EXPECT_FALSE(admission.take(0)) << "it is too late";
  EXPECT_EQ(admission.take_late(at(12s).mono), 7u);
}

}  // namespace
}  // namespace atm::session

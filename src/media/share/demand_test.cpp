#include "media/share/demand.h"

#include <gtest/gtest.h>

#include "media/share/share_test_claims.h"

namespace atm::share {
namespace {

// simulcast() in full, by layer: 150, 500 and 1,500 kbit/s.
contract::ReceiverLimit up_to(uint32_t spatial) {
  contract::ReceiverLimit out;
  out.max_spatial = spatial;
  return out;
}
Offered one_layer(uint64_t bps) {
  Offered out;
  out.rates.bps[0][0] = bps;
  return out;
}

TEST(Demand, WhoNothingHoldsBackWantsAnything) {
  // However little a stream brings that has just been idle: it must be able to grow.
  for (const Offered& offered : {one_layer(90'000), one_layer(0), Offered{simulcast(), 3}, Offered{{}, 3}}) {
    const Demand demand = demand_of_viewer(up_to(2), std::nullopt, offered);
    EXPECT_EQ(demand.viewers, 1u);
    EXPECT_EQ(demand.most_bps, kAnyBps);
    EXPECT_EQ(demand.way_bps, kAnyBps);
    EXPECT_EQ(demand.layers, 0b111);
  }
}

TEST(Demand, OfOneLayerThereIsAsMuchAsTheWayHasRoomForWhateverItBrings) {
  for (const uint64_t brings : {uint64_t{0}, uint64_t{90'000}, uint64_t{2'000'000}}) {
    EXPECT_EQ(demand_of_viewer(up_to(2), 700'000, one_layer(brings)).most_bps, 700'000u);
    EXPECT_EQ(demand_of_viewer(up_to(0), 700'000, one_layer(brings)).most_bps, 700'000u);
  }
}

TEST(Demand, OfSimulcastTheLayersBelowArePaidForToo) {
  const Offered offered{simulcast(), 3};
  EXPECT_EQ(demand_of_viewer(up_to(2), 1'600'000, offered).most_bps, 1'600'000u + 150'000 + 500'000);
  EXPECT_EQ(demand_of_viewer(up_to(7), 1'600'000, offered).most_bps, 1'600'000u + 150'000 + 500'000);
  EXPECT_EQ(demand_of_viewer(up_to(1), 400'000, offered).most_bps, 400'000u + 150'000);
}

TEST(Demand, UnderTheHighestLayerThereIsRoomToGrowAndNoMore) {
  const Demand lowest = demand_of_viewer(up_to(0), std::nullopt, {simulcast(), 3});
  EXPECT_EQ(lowest.most_bps, 150'000u * kRoomToGrow);
  EXPECT_EQ(lowest.way_bps, kAnyBps) << "who turns layers off needs no other limit";
  EXPECT_EQ(lowest.layers, 0b001);
  EXPECT_EQ(demand_of_viewer(up_to(1), std::nullopt, {simulcast(), 3}).most_bps, 650'000u * kRoomToGrow);
  EXPECT_EQ(demand_of_viewer(up_to(0), 100'000, {simulcast(), 3}).most_bps, 100'000u) << "its way carries less";
  EXPECT_EQ(demand_of_viewer(up_to(0), std::nullopt, {{}, 3}).most_bps, kAnyBps) << "nothing has come yet";
}

TEST(Demand, NamesOnlyLayersThatASimulcastStreamHas) {
  EXPECT_EQ(demand_of_viewer(up_to(7), std::nullopt, {simulcast(), 2}).layers, 0b011);
  EXPECT_EQ(demand_of_viewer(up_to(7), std::nullopt, one_layer(1)).layers, kAllLayers) << "SVC may have any";
}

TEST(Demand, OfSeveralIsTheMostOfEach) {
  Demand all;
  all.add(demand_of_viewer(up_to(0), 120'000, {simulcast(), 3}));
  all.add(demand_of_viewer(up_to(2), 900'000, {simulcast(), 3}));
  all.add(demand_of_viewer(up_to(1), 10'000, {simulcast(), 3}));
  EXPECT_EQ(all, (Demand{.viewers = 3, .most_bps = 1'550'000, .layers = 0b111, .way_bps = 1'550'000}));
}

TEST(Demand, RisesWithTheFirstViewerAnotherLayerOrClearlyMore) {
  const Demand known{.viewers = 1, .most_bps = 1'000'000, .layers = 0b001, .way_bps = 2'000'000};
  const auto with = [&](auto change) {
    Demand out = known;
    change(out);
    return out;
  };
  EXPECT_FALSE(known.rises_above(known));
  EXPECT_TRUE((Demand{.viewers = 1}.rises_above({})));
  EXPECT_FALSE(Demand{}.rises_above(known));
  EXPECT_FALSE(with([](Demand& d) { d.viewers = 9; }).rises_above(known));
  EXPECT_FALSE(with([](Demand& d) { d.most_bps = 1'049'000; }).rises_above(known));
  EXPECT_TRUE(with([](Demand& d) { d.most_bps = 1'050'000; }).rises_above(known));
  EXPECT_FALSE(with([](Demand& d) { d.most_bps = 500'000; }).rises_above(known));
  EXPECT_TRUE(with([](Demand& d) { d.way_bps = 3'000'000; }).rises_above(known));
  EXPECT_TRUE(with([](Demand& d) { d.layers = 0b100; }).rises_above(known));
  EXPECT_FALSE(with([](Demand& d) { d.layers = 0; }).rises_above(known));
}

}  // namespace
}  // namespace atm::share

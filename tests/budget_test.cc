// The budget from stamps made by hand: where each piece of a worker's line goes.
#include "master/budget.h"

#include <gtest/gtest.h>

#include <set>
#include <string_view>

#include "tests/budget_stamps.h"

namespace procpool {
namespace {

TEST(Budget, CutsAWorkersTimeWhereTheStampsLie) {
  BudgetKeeper keeper(1, 1000);
  keeper.Ready(0, 1105);
  Took(keeper, 0, SampleItem());
  keeper.Checksum(1480, 1500);
  const Budget budget = keeper.Finish(1500, {.cpu = 77});
  ExpectWhole(budget);
  EXPECT_EQ(PartsOf(budget.lines[0]), (Parts{{"spawn", 100},
                                             {"idle", 50 + 10},
                                             {"encode", 10},
                                             {"send", 10},
                                             {"wake_up", 20},
                                             {"receive", 30},
                                             {"decode", 7},
                                             {"compute_running", 60},
                                             {"compute_queueing", 40},
                                             {"result_encode", 11},
                                             {"result_send", 13 + 42},
                                             {"result_receive", 50},
                                             {"placing", 20},
                                             {"checksum", 20},
                                             {"residual", 5 + 2}}));
  EXPECT_EQ(budget.Wall(), 500);
  EXPECT_EQ(budget.items, 1U);
  EXPECT_EQ(budget.master.cpu, 77);
}

TEST(Budget, AWorkerThatWasReadyBeforeIsNotMade) {
  BudgetKeeper keeper(1, 1000);
  keeper.Ready(0, 990);
  Took(keeper, 0, SampleItem());
  const Parts parts = PartsOf(keeper.Finish(1480, {}).lines[0]);
  EXPECT_EQ(parts.count("spawn"), 0U);
  EXPECT_EQ(parts.at("idle"), 150 + 10);  // until its first item is encoded; after its last one
}

TEST(Budget, WaitingForTheNextItemGoesToWhatTheMasterDoesWithTheLastOne) {
  BudgetKeeper keeper(1, 1100);
  Took(keeper, 0, SampleItem());
  // Begun once the first one was placed, 30 later.
  StampedItem second = Later(SampleItem(), 350);
  second.times.turned = 1380;
  Took(keeper, 0, second);
  const Budget budget = keeper.Finish(second.taken.placed, {});
  ExpectWhole(budget);
  const Parts parts = PartsOf(budget.lines[0]);
  EXPECT_EQ(parts.at("result_send"), 13 + 22 + 13 + 42);  // 1358 to 1380: leaving the worker
  EXPECT_EQ(parts.at("idle"), 50 + 20 + 30);  // 1380 to 1400: on its way; 1470 to 1500: the master
  EXPECT_EQ(parts.at("result_receive"), 2 * 50);
  EXPECT_EQ(parts.at("placing"), 2 * 20);
  EXPECT_EQ(parts.at("encode"), 2 * 10);
}

TEST(Budget, AnItemGivenAheadIsNotWaitedFor) {
  BudgetKeeper keeper(1, 1100);
  Took(keeper, 0, SampleItem());
  StampedItem second = Later(SampleItem(), 160);
  second.sent = {.begun = 1171, .encoded = 1175, .posted = 1176, .sent = 1180};
  second.times.turned = second.times.arrived = 1370;
  Took(keeper, 0, second);
  const Budget budget = keeper.Finish(second.taken.placed, {});
  ExpectWhole(budget);
  const Parts parts = PartsOf(budget.lines[0]);
  EXPECT_EQ(parts.at("result_receive"), 50) << "of the last item only";
  EXPECT_EQ(parts.at("wake_up"), 20) << "of the first item only";
  EXPECT_EQ(parts.at("idle"), 50);
  const Journey& journey = budget.journeys.at(1);
  EXPECT_EQ(journey[static_cast<std::size_t>(JourneyStage::kQueue)], 1370 - 1180);
  EXPECT_EQ(journey[static_cast<std::size_t>(JourneyStage::kWakeUp)], 0);
}

TEST(Budget, AnItemThatIsStillBeingSentIsWaitedForAsSuch) {
  BudgetKeeper keeper(1, 1100);
  StampedItem item = SampleItem();
  item.sent.sent = 1300;  // the last of it left when its head had arrived long ago
  Took(keeper, 0, item);
  const Budget budget = keeper.Finish(1470, {});
  ExpectWhole(budget);
  EXPECT_EQ(PartsOf(budget.lines[0]).at("send"), 1190 - 1160);
  EXPECT_FALSE(PartsOf(budget.lines[0]).contains("wake_up"));
  item.sent.sent = 0;  // not known
  BudgetKeeper other(1, 1100);
  Took(other, 0, item);
  EXPECT_EQ(PartsOf(other.Finish(1470, {}).lines[0]).at("send"), 1165 - 1160);
}

TEST(Budget, WorkersWithoutAnyItem) {
  BudgetKeeper keeper(4, 1000);
  keeper.Ready(1, 1030);
  keeper.Ready(2, 300);  // by an earlier job
  keeper.Ready(3, 1095);
  keeper.Checksum(1090, 1100);
  const Budget budget = keeper.Finish(1100, {});
  ExpectWhole(budget);
  EXPECT_EQ(PartsOf(budget.lines[0]), (Parts{{"spawn", 90}, {"checksum", 10}}));
  EXPECT_EQ(PartsOf(budget.lines[1]), (Parts{{"spawn", 30}, {"idle", 60}, {"checksum", 10}}));
  EXPECT_EQ(PartsOf(budget.lines[2]), (Parts{{"idle", 90}, {"checksum", 10}}));
  EXPECT_EQ(PartsOf(budget.lines[3]), (Parts{{"spawn", 90}, {"checksum", 10}}));
  EXPECT_TRUE(budget.journeys.empty());
}

TEST(Budget, ADeathLosesWhatFollowedTheLastResult) {
  BudgetKeeper keeper(1, 1100);
  Took(keeper, 0, SampleItem());
  keeper.Gone(0, 1558, false);
  keeper.Ready(0, 1590);
  Took(keeper, 0, Later(SampleItem(), 500));  // its worker turned to it at 1600
  const Budget budget = keeper.Finish(1970, {});
  ExpectWhole(budget);
  const Parts parts = PartsOf(budget.lines[0]);
  EXPECT_EQ(parts.at("lost"), 1558 - 1358);
  EXPECT_EQ(parts.at("spawn"), 1600 - 1558);
  EXPECT_EQ(parts.at("compute_running"), 2 * 60);
  EXPECT_EQ(parts.at("result_receive"), 50) << "the dead worker's last result is not waited for";
}

TEST(Budget, AReplacementThatWasAskedForIsTheCostOfSpawning) {
  BudgetKeeper keeper(2, 1100);
  Took(keeper, 0, SampleItem());
  keeper.Gone(0, 1558, true);
  keeper.Ready(0, 1590);
  keeper.Gone(1, 1200, true);  // it had never come so far as to be ready
  const Budget budget = keeper.Finish(1600, {});
  ExpectWhole(budget);
  EXPECT_EQ(PartsOf(budget.lines[0]).at("spawn"), 1590 - 1358);
  EXPECT_EQ(PartsOf(budget.lines[0]).at("idle"), 50 + 10);
  EXPECT_FALSE(PartsOf(budget.lines[0]).contains("lost"));
  EXPECT_EQ(PartsOf(budget.lines[1]), (Parts{{"spawn", 500}}));
}

TEST(Budget, ASecondChecksumAfterSomethingWasComputedAnew) {
  BudgetKeeper keeper(2, 1100);
  Took(keeper, 0, SampleItem());
  keeper.Ready(1, 1200);
  keeper.Checksum(1480, 1500);
  StampedItem again = Later(SampleItem(), 450);  // begun at 1600
  again.times.turned = 1380;                     // it has waited since then
  Took(keeper, 0, again);
  keeper.Checksum(1930, 1940);
  const Budget budget = keeper.Finish(1950, {});
  ExpectWhole(budget);
  const Parts parts = PartsOf(budget.lines[0]);
  EXPECT_EQ(parts.at("checksum"), 20 + 10);
  EXPECT_EQ(parts.at("idle"), 50 + 10 + 100 + 10 + 10);
  EXPECT_EQ(parts.at("result_receive"), 2 * 50);
  EXPECT_EQ(PartsOf(budget.lines[1]),
            (Parts{{"spawn", 100}, {"checksum", 20 + 10}, {"idle", 280 + 430 + 10}}));
}

TEST(Budget, WhatFollowsTheJobIsLeftUnexplained) {
  BudgetKeeper keeper(2, 1100);
  Took(keeper, 0, SampleItem());
  Budget budget = keeper.Finish(1500, {});
  budget.ExtendTo(1540);
  ExpectWhole(budget);
  EXPECT_EQ(budget.Wall(), 440);
  EXPECT_EQ(PartsOf(budget.lines[0]).at("residual"), 5 + 2 + 40);
  EXPECT_EQ(PartsOf(budget.lines[1]).at("residual"), 40);
  budget.ExtendTo(1200);  // already behind
  ExpectWhole(budget);
  EXPECT_EQ(budget.Wall(), 440);
}

TEST(Budget, AJourneyHasEveryStage) {
  BudgetKeeper keeper(1, 1000);
  StampedItem item = SampleItem();
  item.times.turned = 1180;
  Took(keeper, 0, item);
  const Budget budget = keeper.Finish(1500, {});
  ASSERT_EQ(budget.journeys.size(), 1U);
  // encode post send queue wake-up receive decode running queueing result: encode send transit
  // receive decode; placing total
  EXPECT_EQ(budget.journeys[0],
            (Journey{10, 5, 5, 10, 10, 30, 7, 60, 40, 11, 13, 42, 50, 4, 16, 320}));
}

TEST(Budget, KeepsNoMoreThanTheFirstJourneys) {
  BudgetKeeper keeper(1, 0);
  for (std::size_t item = 0; item < kMostJourneys + 3; ++item) {
    Took(keeper, 0, Later(SampleItem(), static_cast<Nanoseconds>(item) * 1000));
  }
  const Budget budget = keeper.Finish(static_cast<Nanoseconds>(kMostJourneys + 5) * 1000, {});
  ExpectWhole(budget);
  EXPECT_EQ(budget.journeys.size(), kMostJourneys);
  EXPECT_EQ(budget.items, kMostJourneys + 3);
}

TEST(Budget, EveryPartAndStageHasAKeyAndANameOfItsOwn) {
  std::set<std::string_view> keys;
  std::set<std::string_view> names;
  for (std::size_t part = 0; part < kBudgetParts; ++part) {
    keys.insert(BudgetPartKey(static_cast<BudgetPart>(part)));
    names.insert(BudgetPartName(static_cast<BudgetPart>(part)));
  }
  EXPECT_EQ(keys.size(), kBudgetParts);
  EXPECT_EQ(names.size(), kBudgetParts);
  EXPECT_EQ(BudgetPartKey(BudgetPart::kResidual), "residual");
  keys.clear();
  names.clear();
  for (std::size_t stage = 0; stage < kJourneyStages; ++stage) {
    keys.insert(JourneyStageKey(static_cast<JourneyStage>(stage)));
    names.insert(JourneyStageName(static_cast<JourneyStage>(stage)));
  }
  EXPECT_EQ(keys.size(), kJourneyStages);
  EXPECT_EQ(names.size(), kJourneyStages);
  EXPECT_EQ(JourneyStageKey(JourneyStage::kTotal), "total");
}

}  // namespace
}  // namespace procpool

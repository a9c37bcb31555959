// The parts of the budget are the whole, whatever the stamps say: lies, and stamps at random.
#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <random>

#include "tests/budget_stamps.h"

namespace procpool {
namespace {

constexpr Nanoseconds ResultAnnex::*kClaims[] = {&ResultAnnex::turned,   &ResultAnnex::arrived,
                                                 &ResultAnnex::received, &ResultAnnex::begun,
                                                 &ResultAnnex::finished, &ResultAnnex::decode,
                                                 &ResultAnnex::compute,  &ResultAnnex::compute_cpu,
                                                 &ResultAnnex::encode,   &ResultAnnex::sending};

TEST(BudgetWhole, ALieStaysOnTheLineOfWhoTellsIt) {
  BudgetKeeper honest(1, 1000);
  Took(honest, 0, SampleItem());
  const BudgetLine truth = honest.Finish(1500, {}).lines[0];
  constexpr auto kLimits = std::numeric_limits<Nanoseconds>();
  for (const auto claim : kClaims) {
    for (const Nanoseconds lie : {kLimits.min(), Nanoseconds{-1}, Nanoseconds{0}, Nanoseconds{1300},
                                  Nanoseconds{1'000'000}, kLimits.max()}) {
      BudgetKeeper keeper(2, 1000);
      Took(keeper, 0, SampleItem());
      StampedItem item = SampleItem();
      item.times.*claim = lie;
      const ResultAnnex believed = Took(keeper, 1, item);
      EXPECT_GE(believed.compute, 0);
      EXPECT_LE(believed.compute, item.taken.arrived - 1000);
      const Budget budget = keeper.Finish(1500, {});
      ExpectWhole(budget);
      EXPECT_EQ(budget.lines[0], truth);
      EXPECT_GE(std::ranges::min(budget.journeys[1]), 0);
    }
  }
}

// Each of them claims all the time there has been: together more than there is.
TEST(BudgetWhole, ItemsThatClaimTheSameTimeAreCountedOnce) {
  BudgetKeeper keeper(1, 1000);
  for (const Nanoseconds arrived : {1400, 1401, 1402}) {
    Took(keeper, 0,
         {.sent = {.begun = 1000, .encoded = 1000, .posted = 1000, .sent = 1000},
          .times = {.finished = arrived, .compute = 10'000, .compute_cpu = 10'000},
          .taken = {.arrived = arrived, .received = arrived, .placed = arrived}});
  }
  const Budget budget = keeper.Finish(1405, {});
  ExpectWhole(budget);
  EXPECT_EQ(PartsOf(budget.lines[0]), (Parts{{"compute_running", 402}, {"idle", 3}}));
}

TEST(BudgetWhole, WhateverTheStampsThePartsAreTheWhole) {
  std::mt19937_64 random(20261121);
  constexpr auto kLimits = std::numeric_limits<Nanoseconds>();
  const auto below = [&](Nanoseconds bound) {
    return std::uniform_int_distribution<Nanoseconds>(0, bound - 1)(random);
  };
  for (int round = 0; round < 2000; ++round) {
    const auto workers = static_cast<std::size_t>(1 + below(4));
    Nanoseconds now = 5000;  // the master's clock; it only goes on
    BudgetKeeper keeper(workers, now);
    const auto any = [&] {  // mostly near, in no order; sometimes absurd
      const Nanoseconds dice = below(20);
      if (dice == 0) return kLimits.min();
      if (dice == 1) return kLimits.max();
      if (dice == 2) return static_cast<Nanoseconds>(random());
      return below(now + 1000);
    };
    for (int event = 0; event < 40; ++event) {
      now += below(300);
      const auto worker = static_cast<std::size_t>(below(static_cast<Nanoseconds>(workers)));
      switch (below(8)) {
        case 0:
          keeper.Ready(worker, below(now + 1));
          break;
        case 1:
          keeper.Gone(worker, now, below(2) == 0);
          break;
        case 2:
          keeper.Checksum(now - below(200), now);
          break;
        default: {
          StampedItem item{.sent = {below(now + 1), below(now + 1), below(now + 1), below(now + 1)},
                           .times = {},
                           .taken = {below(now + 1), below(now + 1), below(now + 1), 0}};
          for (const auto claim : kClaims) item.times.*claim = any();
          Took(keeper, worker, item);
        }
      }
    }
    Budget budget = keeper.Finish(now, {});
    ExpectWhole(budget);
    budget.ExtendTo(now + below(100));
    ExpectWhole(budget);
    for (const Journey& journey : budget.journeys) EXPECT_GE(std::ranges::min(journey), 0);
    if (::testing::Test::HasFailure()) FAIL() << "in round " << round;
  }
}

}  // namespace
}  // namespace procpool

#include "master/ledger.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <optional>
#include <random>
#include <string>
#include <vector>

namespace procpool {
namespace {

std::vector<GivenItem> TakeAll(Ledger& ledger, std::size_t worker) {
  std::vector<GivenItem> items;
  while (const auto given = ledger.Next(worker)) items.push_back(*given);
  return items;
}

TEST(Ledger, GivesEveryItemOnceInOrder) {
  Ledger ledger(5, 2, {}, 3);
  EXPECT_EQ(ledger.items(), 5U);
  EXPECT_EQ(ledger.WaitingFor(0), 5U);
  for (std::uint64_t item = 0; item < 5; ++item) {
    EXPECT_EQ(ledger.Next(item % 2), (GivenItem{item, 0}));
  }
  EXPECT_EQ(ledger.Next(0), std::nullopt);
  EXPECT_EQ(ledger.WaitingFor(1), 0U);
  EXPECT_EQ(ledger.given(), 5U);
  EXPECT_EQ(ledger.Given(0), 3U);
  EXPECT_EQ(ledger.Oldest(0), (GivenItem{0, 0}));
  EXPECT_EQ(ledger.Oldest(1), (GivenItem{1, 0}));
  EXPECT_EQ(ledger.GivenTo(1), (std::vector<GivenItem>{{1, 0}, {3, 0}}));
  EXPECT_FALSE(ledger.Finished());
}

TEST(Ledger, WhatIsDroppedIsNeverGiven) {
  Ledger ledger(5, 1, {}, 3);
  const GivenItem given = ledger.Next(0).value();
  EXPECT_FALSE(ledger.Drop(given.item)) << "a worker has it";
  EXPECT_FALSE(ledger.Drop(5)) << "there is no such item";
  EXPECT_TRUE(ledger.Drop(1));
  EXPECT_TRUE(ledger.Drop(3));
  EXPECT_FALSE(ledger.Drop(3)) << "once";
  EXPECT_EQ(ledger.WaitingFor(0), 2U);
  EXPECT_EQ(ledger.given_up(), 2U);
  EXPECT_EQ(TakeAll(ledger, 0), (std::vector<GivenItem>{{2, 0}, {4, 0}}));
  // Also one that comes back.
  ledger.TakeBack(0, given);
  EXPECT_TRUE(ledger.Drop(0));
  EXPECT_EQ(ledger.Next(0), std::nullopt);
  EXPECT_TRUE(ledger.Complete(0, {2, 0}));
  EXPECT_TRUE(ledger.Complete(0, {4, 0}));
  EXPECT_TRUE(ledger.Finished());
}

TEST(Ledger, WhatIsDroppedMayBeForgottenBeforeItsTurn) {
  Ledger ledger(0, 1, {}, 3);
  ledger.ForgetWhatIsPast();
  ledger.Extend(4000);
  for (int i = 0; i < 1000; ++i) {
    EXPECT_TRUE(ledger.Complete(0, ledger.Next(0).value()));
  }
  for (std::uint64_t item = 1000; item < 3500; ++item) EXPECT_TRUE(ledger.Drop(item));
  EXPECT_LT(ledger.remembered(), 2000U) << "they were to be forgotten";
  EXPECT_EQ(ledger.Next(0), (GivenItem{3500, 0}));
  EXPECT_EQ(ledger.WaitingFor(0), 499U);
}

TEST(Ledger, WithNothingToDoIsFinishedAtOnce) {
  Ledger ledger(0, 2, {}, 3);
  EXPECT_TRUE(ledger.Finished());
  EXPECT_EQ(ledger.Next(0), std::nullopt);
  EXPECT_EQ(ledger.Oldest(0), std::nullopt);
  const DeathReport report = ledger.WorkerDied(0, true);
  EXPECT_FALSE(report.blamed);
  EXPECT_EQ(report.returned, 0U);
}

TEST(Ledger, AnswersThatWereNotGivenAreRefused) {
  Ledger ledger(3, 2, {}, 3);
  const GivenItem given = ledger.Next(0).value();
  const std::vector<std::pair<std::size_t, GivenItem>> wrong{
      {1, given},            // of another worker
      {0, {given.item, 1}},  // at another attempt
      {0, {1, 0}},           // still waiting
      {0, {3, 0}},           // no item
      {0, {~std::uint64_t{0}, 0}}};
  for (const auto& [worker, answer] : wrong) {
    EXPECT_FALSE(ledger.IsOpen(worker, answer)) << answer.item;
    EXPECT_FALSE(ledger.Complete(worker, answer)) << answer.item;
    EXPECT_FALSE(ledger.Fail(worker, answer)) << answer.item;
    ledger.TakeBack(worker, answer);
  }
  EXPECT_EQ(ledger.done(), 0U);
  EXPECT_EQ(ledger.given(), 1U);
  EXPECT_TRUE(ledger.Complete(0, given));
  EXPECT_FALSE(ledger.Complete(0, given)) << "a duplicate";
  EXPECT_FALSE(ledger.Fail(0, given));
  EXPECT_EQ(ledger.done(), 1U);
}

TEST(Ledger, AFailedItemIsGivenUp) {
  Ledger ledger(1, 1, {}, 3);
  const GivenItem given = ledger.Next(0).value();
  EXPECT_TRUE(ledger.Fail(0, given));
  EXPECT_EQ(ledger.given_up(), 1U);
  EXPECT_TRUE(ledger.Finished());
  EXPECT_FALSE(ledger.Complete(0, given));
}

TEST(Ledger, ADeathIsBlamedOnTheOldestAndReturnsTheRest) {
  Ledger ledger(6, 2, {}, 3);
  for (int i = 0; i < 4; ++i) ledger.Next(0);
  ASSERT_TRUE(ledger.Complete(0, {0, 0}));
  const DeathReport report = ledger.WorkerDied(0, true);
  EXPECT_EQ(report.blamed, (GivenItem{1, 0}));
  EXPECT_EQ(report.deaths, 1U);
  EXPECT_FALSE(report.given_up);
  EXPECT_EQ(report.returned, 2U);
  EXPECT_EQ(ledger.Given(0), 0U);
  EXPECT_FALSE(ledger.Complete(0, {2, 0})) << "a late answer of the dead";
  // Oldest first, at the next attempt, before those never given.
  EXPECT_EQ(TakeAll(ledger, 1), (std::vector<GivenItem>{{1, 1}, {2, 1}, {3, 1}, {4, 0}, {5, 0}}));
}

TEST(Ledger, ADeathIsBlamedOnWhatTheWorkerWasWorkingOnIfThatIsTrue) {
  for (const GivenItem claim :
       {GivenItem{2, 0}, GivenItem{2, 1}, GivenItem{0, 0}, GivenItem{5, 0}, GivenItem{99, 0}}) {
    SCOPED_TRACE("item " + std::to_string(claim.item) + ", attempt " +
                 std::to_string(claim.attempt));
    Ledger ledger(6, 2, {}, 1);
    for (int i = 0; i < 4; ++i) ledger.Next(0);
    ASSERT_TRUE(ledger.Complete(0, {0, 0}));
    const GivenItem culprit =
        claim == GivenItem{2, 0} ? claim : GivenItem{1, 0};  // else the oldest
    const DeathReport report = ledger.WorkerDied(0, true, claim);
    EXPECT_EQ(report.blamed, culprit);
    EXPECT_TRUE(report.given_up);
    EXPECT_EQ(report.returned, 2U);
    EXPECT_EQ(ledger.Next(1), (GivenItem{culprit.item == 1 ? 2U : 1U, 1}));
    EXPECT_EQ(ledger.Next(1), (GivenItem{3, 1}));
  }
}

TEST(Ledger, AnItemThatKillsTooManyIsGivenUp) {
  for (const unsigned most_deaths : {1U, 3U, 100U, 300U}) {
    SCOPED_TRACE("most deaths " + std::to_string(most_deaths));
    Ledger ledger(2, 1, {}, most_deaths);
    for (unsigned death = 1; death <= most_deaths; ++death) {
      ASSERT_EQ(ledger.Next(0), (GivenItem{0, death - 1}));
      ASSERT_EQ(ledger.Next(0), (GivenItem{1, death - 1}));
      const DeathReport report = ledger.WorkerDied(0, true);
      ASSERT_EQ(report.blamed, (GivenItem{0, death - 1}));
      ASSERT_EQ(report.deaths, death);
      ASSERT_EQ(report.given_up, death == most_deaths);
      ASSERT_EQ(report.returned, 1U);
    }
    EXPECT_EQ(ledger.given_up(), 1U);
    EXPECT_EQ(TakeAll(ledger, 0), (std::vector<GivenItem>{{1, most_deaths}}));
  }
}

TEST(Ledger, AnItemMayHaveALimitOfItsOwn) {
  Ledger ledger(3, 1, {}, 3);
  TakeAll(ledger, 0);
  EXPECT_EQ(ledger.Culprit(0, {}), (GivenItem{0, 0})) << "the oldest";
  EXPECT_EQ(ledger.Culprit(0, GivenItem{2, 0}), (GivenItem{2, 0})) << "the one that was begun";
  EXPECT_EQ(ledger.Culprit(0, GivenItem{2, 1}), (GivenItem{0, 0})) << "that is not believed";
  EXPECT_TRUE(ledger.WorkerDied(0, true, GivenItem{1, 0}, 1).given_up);
  EXPECT_EQ(ledger.Culprit(0, {}), std::nullopt) << "it has none";
  EXPECT_EQ(TakeAll(ledger, 0), (std::vector<GivenItem>{{0, 1}, {2, 1}}));
  EXPECT_FALSE(ledger.WorkerDied(0, true, {}, 2).given_up);
  TakeAll(ledger, 0);
  EXPECT_TRUE(ledger.WorkerDied(0, true, {}, 2).given_up) << "its second";
  TakeAll(ledger, 0);
  EXPECT_FALSE(ledger.WorkerDied(0, true).given_up) << "else it is that of all";
}

TEST(Ledger, ALeaveWithoutBlameKillsNoItem) {
  Ledger ledger(2, 1, {}, 1);
  for (std::uint32_t attempt = 0; attempt < 10; ++attempt) {
    ASSERT_EQ(TakeAll(ledger, 0), (std::vector<GivenItem>{{0, attempt}, {1, attempt}}));
    const DeathReport report = ledger.WorkerDied(0, false);
    ASSERT_FALSE(report.blamed);
    ASSERT_EQ(report.returned, 2U);
  }
  EXPECT_EQ(ledger.given_up(), 0U);
}

TEST(Ledger, WhatCouldNotBeSentWaitsAgainAtTheSameAttempt) {
  Ledger ledger(3, 2, {}, 3);
  ledger.Next(0);
  const GivenItem unsent = ledger.Next(0).value();
  ledger.TakeBack(0, unsent);
  EXPECT_EQ(ledger.Given(0), 1U);
  EXPECT_EQ(ledger.given(), 1U);
  EXPECT_EQ(ledger.WaitingFor(0), 2U);
  EXPECT_FALSE(ledger.IsOpen(0, unsent));
  EXPECT_EQ(ledger.Next(1), unsent);
}

TEST(Ledger, ASpoiltResultIsComputedAnew) {
  Ledger ledger(1, 1, {}, 3);
  ASSERT_TRUE(ledger.Complete(0, ledger.Next(0).value()));
  ASSERT_TRUE(ledger.Finished());
  ledger.Reopen(0);
  EXPECT_FALSE(ledger.Finished());
  EXPECT_EQ(ledger.done(), 0U);
  EXPECT_EQ(ledger.Next(0), (GivenItem{0, 1}));
  ledger.Reopen(0);  // not done: nothing happens
  EXPECT_TRUE(ledger.Complete(0, {0, 1}));
  EXPECT_TRUE(ledger.Finished());
}

TEST(Ledger, OwnedItemsWaitForTheirOwner) {
  const std::vector<unsigned> owners{0, 0, 1, 1, 1};
  Ledger ledger(5, 3, owners, 3);
  EXPECT_EQ(ledger.WaitingFor(0), 2U);
  EXPECT_EQ(ledger.WaitingFor(1), 3U);
  EXPECT_EQ(ledger.Next(2), std::nullopt);
  EXPECT_EQ(TakeAll(ledger, 1), (std::vector<GivenItem>{{2, 0}, {3, 0}, {4, 0}}));
  ledger.WorkerDied(1, true);
  EXPECT_EQ(ledger.WaitingFor(0), 2U) << "a replacement inherits the share";
  EXPECT_EQ(ledger.Next(1), (GivenItem{2, 1}));
}

TEST(Ledger, TheShareOfAWorkerThatIsNotReplacedIsAnybodys) {
  const std::vector<unsigned> owners{0, 0, 1, 1, 1};
  Ledger ledger(5, 2, owners, 3);
  ledger.Next(1);
  ledger.WorkerDied(1, false);
  ledger.ReleaseShare(1);
  EXPECT_EQ(ledger.WaitingFor(0), 5U);
  EXPECT_EQ(TakeAll(ledger, 0), (std::vector<GivenItem>{{0, 0}, {1, 0}, {2, 1}, {3, 0}, {4, 0}}));
}

TEST(Ledger, NewItemsStandAtTheEndAndAreAnybodys) {
  Ledger ledger(2, 2, {}, 3);
  ASSERT_EQ(TakeAll(ledger, 0).size(), 2U);
  ASSERT_TRUE(ledger.Complete(0, {0, 0}));
  ASSERT_TRUE(ledger.Complete(0, {1, 0}));
  ASSERT_TRUE(ledger.Finished());
  ledger.Extend(3);
  EXPECT_FALSE(ledger.Finished());
  EXPECT_EQ(ledger.items(), 5U);
  EXPECT_EQ(ledger.waiting(), 3U);
  EXPECT_EQ(ledger.WaitingFor(1), 3U);
  EXPECT_FALSE(ledger.IsOpen(1, {2, 0})) << "nobody has it yet";
  EXPECT_EQ(ledger.Next(1), (GivenItem{2, 0}));
  ledger.Extend(1);
  EXPECT_EQ(TakeAll(ledger, 0), (std::vector<GivenItem>{{3, 0}, {4, 0}, {5, 0}}));
}

TEST(Ledger, WhatCameBackIsGivenOutBeforeNewItems) {
  Ledger ledger(2, 2, {}, 3);
  ledger.Next(0);
  ledger.Next(0);
  ledger.Extend(1);
  ledger.WorkerDied(0, true);
  EXPECT_EQ(TakeAll(ledger, 1), (std::vector<GivenItem>{{0, 1}, {1, 1}, {2, 0}}));
}

TEST(Ledger, NewItemsBelongToNobodyThoughTheFirstOnesDid) {
  const std::vector<unsigned> owners{0, 1};
  Ledger ledger(2, 3, owners, 3);
  ledger.Extend(2);
  EXPECT_EQ(ledger.WaitingFor(0), 3U);
  EXPECT_EQ(ledger.WaitingFor(2), 2U);
  EXPECT_EQ(TakeAll(ledger, 2), (std::vector<GivenItem>{{2, 0}, {3, 0}}));
  ledger.WorkerDied(2, false);
  EXPECT_EQ(ledger.WaitingFor(1), 3U) << "what came back is still anybody's";
  EXPECT_EQ(TakeAll(ledger, 1), (std::vector<GivenItem>{{1, 0}, {2, 1}, {3, 1}}));
}

TEST(Ledger, AnotherWorkerTakesPart) {
  Ledger ledger(3, 1, {}, 3);
  ledger.Next(0);
  ledger.AddWorker();
  EXPECT_EQ(ledger.Given(1), 0U);
  EXPECT_EQ(ledger.Oldest(1), std::nullopt);
  EXPECT_EQ(ledger.WaitingFor(1), 2U);
  const GivenItem given = ledger.Next(1).value();
  EXPECT_EQ(given, (GivenItem{1, 0}));
  EXPECT_FALSE(ledger.Complete(0, given));
  EXPECT_TRUE(ledger.Complete(1, given));
  ledger.Next(1);
  EXPECT_EQ(ledger.WorkerDied(1, true).blamed, (GivenItem{2, 0}));
  EXPECT_EQ(ledger.Next(0), (GivenItem{2, 1}));
}

TEST(Ledger, AnotherWorkerHasNoShare) {
  const std::vector<unsigned> owners{0, 0};
  Ledger ledger(2, 1, owners, 3);
  ledger.AddWorker();
  EXPECT_EQ(ledger.Next(1), std::nullopt);
  ledger.ReleaseShare(0);
  EXPECT_EQ(ledger.Next(1), (GivenItem{0, 0}));
}

TEST(Ledger, WhereOneDeathIsEnoughNothingIsTriedTwice) {
  Ledger ledger(4, 1, {}, 1);
  for (std::uint64_t item = 0; item < 4; ++item) ledger.Next(0);
  ASSERT_TRUE(ledger.Complete(0, {0, 0}));
  const DeathReport report = ledger.WorkerDied(0, true, GivenItem{2, 0});
  EXPECT_EQ(report.blamed, (GivenItem{2, 0}));
  EXPECT_EQ(report.deaths, 1U);
  EXPECT_TRUE(report.given_up);
  EXPECT_EQ(report.returned, 2U);
  // What is done for it instead comes as new items.
  ledger.Extend(1);
  EXPECT_EQ(TakeAll(ledger, 0), (std::vector<GivenItem>{{1, 1}, {3, 1}, {4, 0}}));
  for (const GivenItem given : {GivenItem{1, 1}, GivenItem{3, 1}, GivenItem{4, 0}})
    ASSERT_TRUE(ledger.Complete(0, given));
  EXPECT_TRUE(ledger.Finished());
  EXPECT_EQ(ledger.given_up(), 1U);
}

// ---- what is past is forgotten

// What an endless job may cost while so few items are open at a time.
constexpr std::size_t kOpenAtOnce = 100;
constexpr std::size_t kMostRemembered = 2048;

// Answers the oldest item of worker 0 and gives it a new one, so many times.
void Stream(Ledger& ledger, std::size_t times) {
  for (std::size_t i = 0; i < times; ++i) {
    const GivenItem oldest = ledger.Oldest(0).value();
    ASSERT_TRUE(i % 7 == 0 ? ledger.Fail(0, oldest) : ledger.Complete(0, oldest));
    ledger.Extend(1);
    ASSERT_TRUE(ledger.Next(0));
    ASSERT_LE(ledger.remembered(), kMostRemembered);
  }
}

TEST(Ledger, AnEndlessJobNeedsNoMoreMemoryThanItsOpenItems) {
  Ledger ledger(kOpenAtOnce, 1, {}, 1);
  ledger.ForgetWhatIsPast();
  ASSERT_EQ(TakeAll(ledger, 0).size(), kOpenAtOnce);
  ASSERT_NO_FATAL_FAILURE(Stream(ledger, 200'000));
  EXPECT_EQ(ledger.items(), kOpenAtOnce + 200'000);
  EXPECT_EQ(ledger.done() + ledger.given_up(), 200'000U);
  EXPECT_EQ(ledger.given(), kOpenAtOnce);
  EXPECT_FALSE(ledger.Finished());
  while (const auto oldest = ledger.Oldest(0)) ASSERT_TRUE(ledger.Complete(0, *oldest));
  EXPECT_TRUE(ledger.Finished());
}

TEST(Ledger, AForgottenItemIsNeverOpen) {
  Ledger ledger(kOpenAtOnce, 2, {}, 3);
  ledger.ForgetWhatIsPast();
  ASSERT_EQ(TakeAll(ledger, 0).size(), kOpenAtOnce);
  ASSERT_NO_FATAL_FAILURE(Stream(ledger, 10'000));
  const std::uint64_t first = ledger.items() - ledger.remembered();
  ASSERT_GT(first, 5'000U);
  for (const std::uint64_t item : {std::uint64_t{0}, std::uint64_t{1}, first - 1}) {
    for (const std::size_t worker : {0U, 1U}) {
      EXPECT_FALSE(ledger.IsOpen(worker, {item, 0})) << item;
      EXPECT_FALSE(ledger.Complete(worker, {item, 0})) << item;
      EXPECT_FALSE(ledger.Fail(worker, {item, 0})) << item;
      ledger.TakeBack(worker, {item, 0});
    }
  }
  // A worker that says it was at such an item is not believed.
  const GivenItem oldest = ledger.Oldest(0).value();
  EXPECT_EQ(ledger.WorkerDied(0, true, GivenItem{first - 1, 0}).blamed, oldest);
  EXPECT_EQ(ledger.waiting(), kOpenAtOnce);
}

TEST(Ledger, AnOldItemThatIsOpenIsNotForgotten) {
  Ledger ledger(kOpenAtOnce, 2, {}, 3);
  ledger.ForgetWhatIsPast();
  const GivenItem slow = ledger.Next(1).value();
  TakeAll(ledger, 0);
  for (std::size_t i = 0; i < 10'000; ++i) {
    ASSERT_TRUE(ledger.Complete(0, ledger.Oldest(0).value()));
    ledger.Extend(1);
    ASSERT_TRUE(ledger.Next(0));
  }
  EXPECT_TRUE(ledger.IsOpen(1, slow));
  ledger.WorkerDied(1, true);
  EXPECT_FALSE(ledger.IsOpen(1, slow));
  EXPECT_EQ(ledger.Next(1), (GivenItem{slow.item, 1}));
  EXPECT_TRUE(ledger.Complete(1, {slow.item, 1}));
  // Nothing keeps the others any more.
  ASSERT_TRUE(ledger.Next(0) == std::nullopt);
  for (std::size_t i = 0; i < 12'000; ++i) {
    ASSERT_TRUE(ledger.Complete(0, ledger.Oldest(0).value()));
    ledger.Extend(1);
    ASSERT_TRUE(ledger.Next(0));
  }
  EXPECT_LE(ledger.remembered(), kMostRemembered);
}

TEST(Ledger, NothingIsForgottenUnlessThatIsAsked) {
  Ledger ledger(5'000, 1, {}, 3);
  for (const GivenItem given : TakeAll(ledger, 0)) ASSERT_TRUE(ledger.Complete(0, given));
  EXPECT_EQ(ledger.remembered(), 5'000U);
  ledger.Reopen(0);
  EXPECT_EQ(ledger.Next(0), (GivenItem{0, 1}));
}

}  // namespace
}  // namespace procpool

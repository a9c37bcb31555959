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
  ledger.Revoke(0, given);
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

// ---- model-based: random steps, each compared with what the header says

class Model {
 public:
  enum class Where { kWaiting, kGiven, kDone, kGivenUp };
  struct Item {
    Where where = Where::kWaiting;
    std::optional<unsigned> bound_to;  // waiting: for whom alone
    std::optional<unsigned> owner;
    std::size_t worker = 0;
    std::uint32_t attempt = 0;
    unsigned deaths = 0;
  };

  Model(std::size_t items, std::size_t workers, const std::vector<unsigned>& owners,
        unsigned most_deaths)
      : ledger_(items, workers, owners, most_deaths),
        items_(items),
        given_(workers),
        most_deaths_(most_deaths) {
    for (std::size_t item = 0; item < owners.size(); ++item) {
      items_[item].owner = items_[item].bound_to = owners[item];
    }
  }

  void Next(std::size_t worker) {
    const std::size_t waiting = WaitingFor(worker);
    const auto given = ledger_.Next(worker);
    ASSERT_EQ(given.has_value(), waiting > 0);
    if (!given) return;
    Item& item = items_.at(given->item);
    ASSERT_EQ(item.where, Where::kWaiting);
    ASSERT_EQ(item.attempt, given->attempt);
    ASSERT_TRUE(!item.bound_to || *item.bound_to == worker);
    item.where = Where::kGiven;
    item.worker = worker;
    given_[worker].push_back(given->item);
  }

  /// Whatever is answered: accepted exactly if it is open.
  void Answer(std::size_t worker, const GivenItem& answer, bool completes) {
    const bool open = answer.item < items_.size() && items_[answer.item].where == Where::kGiven &&
                      items_[answer.item].worker == worker &&
                      items_[answer.item].attempt == answer.attempt;
    ASSERT_EQ(ledger_.IsOpen(worker, answer), open);
    ASSERT_EQ(completes ? ledger_.Complete(worker, answer) : ledger_.Fail(worker, answer), open);
    if (!open) return;
    items_[answer.item].where = completes ? Where::kDone : Where::kGivenUp;
    std::erase(given_[worker], answer.item);
  }

  void Die(std::size_t worker, bool blame, std::optional<GivenItem> working_on) {
    const DeathReport report = ledger_.WorkerDied(worker, blame, working_on);
    std::vector<std::uint64_t> left = std::move(given_[worker]);
    given_[worker].clear();
    ASSERT_EQ(report.blamed.has_value(), blame && !left.empty());
    std::size_t returned = left.size();
    if (report.blamed) {
      const bool known = working_on && std::ranges::count(left, working_on->item) > 0 &&
                         items_[working_on->item].attempt == working_on->attempt;
      const std::uint64_t guilty = known ? working_on->item : left.front();
      Item& culprit = items_[guilty];
      ASSERT_EQ(*report.blamed, (GivenItem{guilty, culprit.attempt}));
      ASSERT_EQ(report.deaths, ++culprit.deaths);
      ASSERT_EQ(report.given_up, culprit.deaths >= most_deaths_);
      --returned;
      if (report.given_up) {
        culprit.where = Where::kGivenUp;
        std::erase(left, guilty);
      }
    }
    ASSERT_EQ(report.returned, returned);
    for (const std::uint64_t item : left) Return(item, 1);
  }

  void TakeBackNewest(std::size_t worker) {
    if (given_[worker].empty()) return;
    const std::uint64_t item = given_[worker].back();
    given_[worker].pop_back();
    ledger_.TakeBack(worker, {item, items_[item].attempt});
    Return(item, 0);
  }

  void Drop(std::uint64_t item) {
    const bool waits = item < items_.size() && items_[item].where == Where::kWaiting;
    ASSERT_EQ(ledger_.Drop(item), waits);
    if (waits) items_[item].where = Where::kGivenUp;
  }

  void Reopen(std::uint64_t item) {
    ledger_.Reopen(item);
    if (items_[item].where == Where::kDone) Return(item, 1);
  }

  void Release(std::size_t worker) {
    ledger_.ReleaseShare(worker);
    bool owned = false;
    for (Item& item : items_) {
      owned = owned || item.owner == worker;
      if (item.bound_to == worker) item.bound_to.reset();
    }
    if (!owned) return;
    for (Item& item : items_) item.owner.reset();  // what comes back from now on is anybody's
  }

  void Extend(std::size_t items) {
    ledger_.Extend(items);
    items_.resize(items_.size() + items);
  }

  void AddWorker() {
    ledger_.AddWorker();
    given_.emplace_back();
  }

  void ForgetWhatIsPast() {
    ledger_.ForgetWhatIsPast();
    forgets_ = true;
  }
  bool forgets() const { return forgets_; }

  std::size_t WaitingFor(std::size_t worker) const {
    return static_cast<std::size_t>(std::ranges::count_if(items_, [worker](const Item& item) {
      return item.where == Where::kWaiting && (!item.bound_to || *item.bound_to == worker);
    }));
  }

  /// L1 and all that the ledger says about itself.
  void Compare() const {
    const auto count = [this](Where where) {
      return static_cast<std::size_t>(std::ranges::count(items_, where, &Item::where));
    };
    ASSERT_EQ(ledger_.done(), count(Where::kDone));
    ASSERT_EQ(ledger_.given_up(), count(Where::kGivenUp));
    ASSERT_EQ(ledger_.given(), count(Where::kGiven));
    ASSERT_EQ(ledger_.items(), items_.size());
    ASSERT_EQ(ledger_.waiting(), count(Where::kWaiting));
    ASSERT_EQ(ledger_.Finished(), count(Where::kWaiting) + count(Where::kGiven) == 0);
    for (std::size_t worker = 0; worker < given_.size(); ++worker) {
      ASSERT_EQ(ledger_.WaitingFor(worker), WaitingFor(worker));
      ASSERT_EQ(ledger_.Given(worker), given_[worker].size());
      std::vector<GivenItem> expected;
      for (const std::uint64_t item : given_[worker])
        expected.push_back({item, items_[item].attempt});
      ASSERT_EQ(ledger_.GivenTo(worker), expected);
      ASSERT_EQ(ledger_.Oldest(worker),
                expected.empty() ? std::nullopt : std::optional<GivenItem>(expected.front()));
    }
  }

  /// Some answer: mostly one that is open, else one that was or never will be.
  template <typename Random>
  std::pair<std::size_t, GivenItem> SomeAnswer(Random& random) const {
    const std::size_t worker = random() % given_.size();
    if (random() % 4 != 0 && !given_[worker].empty()) {
      const std::uint64_t item = random() % 3 == 0 ? given_[worker].back() : given_[worker].front();
      return {worker, {item, items_[item].attempt}};
    }
    return {worker, {random() % (items_.size() + 2), static_cast<std::uint32_t>(random() % 3)}};
  }

  void CompleteAll(std::size_t worker) {
    while (const auto oldest = ledger_.Oldest(worker)) {
      ASSERT_NO_FATAL_FAILURE(Answer(worker, *oldest, true));
    }
  }

  bool Finished() const { return ledger_.Finished(); }
  std::size_t remembered() const { return ledger_.remembered(); }
  std::size_t items() const { return items_.size(); }
  std::size_t workers() const { return given_.size(); }

 private:
  void Return(std::uint64_t item, std::uint32_t attempts) {
    items_[item].where = Where::kWaiting;
    items_[item].attempt += attempts;
    items_[item].bound_to = items_[item].owner;
  }

  Ledger ledger_;
  std::vector<Item> items_;
  std::vector<std::vector<std::uint64_t>> given_;  // oldest first
  unsigned most_deaths_;
  bool forgets_ = false;
};

void RandomStep(Model& model, std::mt19937& random) {
  const std::size_t worker = random() % model.workers();
  const unsigned dice = random() % 100;
  if (dice < 45) return model.Next(worker);
  if (dice < 80) {
    const auto [from, answer] = model.SomeAnswer(random);
    return model.Answer(from, answer, random() % 10 != 0);
  }
  if (dice < 90) {
    const auto [dead, claim] = model.SomeAnswer(random);
    return model.Die(dead, random() % 3 != 0,
                     random() % 2 == 0 ? std::optional(claim) : std::nullopt);
  }
  if (dice < 96) return model.TakeBackNewest(worker);
  if (dice < 97 && !model.forgets()) return model.Reopen(random() % model.items());
  if (dice < 98) return model.Drop(random() % (model.items() + 1));
  if (dice < 99) return model.Extend(random() % 20);
  if (random() % 2 == 0 && model.workers() < 8) return model.AddWorker();
  if (random() % 4 == 0) model.Release(worker);
}

// So many items that those that are past are forgotten again and again.
TEST(Ledger, AgreesWithAModelWhenItForgets) {
  for (unsigned seed = 1; seed <= 3; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    std::mt19937 random(seed);
    Model model(1, 3, {}, 1 + seed);
    model.ForgetWhatIsPast();
    for (int step = 0; step < 10'000; ++step) {
      if (step % 8 == 0) model.Extend(1);
      if (step % 64 == 0) {
        ASSERT_NO_FATAL_FAILURE(model.CompleteAll(random() % model.workers()));
      }
      ASSERT_NO_FATAL_FAILURE(RandomStep(model, random)) << "step " << step;
      if (step % 100 == 0) {
        ASSERT_NO_FATAL_FAILURE(model.Compare()) << "step " << step;
      }
    }
    EXPECT_LT(model.remembered(), model.items());
  }
}

TEST(Ledger, AgreesWithAModelWhateverHappens) {
  for (unsigned seed = 1; seed <= 60; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    std::mt19937 random(seed);
    const std::size_t items = 1 + random() % 40;
    const std::size_t workers = 1 + random() % 6;
    std::vector<unsigned> owners;
    if (seed % 2 == 0) {
      for (std::size_t item = 0; item < items; ++item) {
        owners.push_back(static_cast<unsigned>(item * workers / items));
      }
    }
    Model model(items, workers, owners, 1 + random() % 4);
    if (seed % 3 == 0) model.ForgetWhatIsPast();
    for (int step = 0; step < 1000; ++step) {
      ASSERT_NO_FATAL_FAILURE(RandomStep(model, random)) << "step " << step;
      ASSERT_NO_FATAL_FAILURE(model.Compare()) << "step " << step;
    }
    // And then the job comes to an end, with nobody dying any more.
    for (std::size_t round = 0; round < 2 * model.items() && !model.Finished(); ++round) {
      for (std::size_t worker = 0; worker < model.workers(); ++worker) {
        ASSERT_NO_FATAL_FAILURE(model.Next(worker));
        ASSERT_NO_FATAL_FAILURE(model.CompleteAll(worker));
      }
    }
    EXPECT_TRUE(model.Finished());
  }
}

}  // namespace
}  // namespace procpool

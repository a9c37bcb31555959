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
  if (dice < 99) return model.Reopen(random() % model.items());
  if (random() % 4 == 0) model.Release(worker);
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
    for (int step = 0; step < 1000; ++step) {
      ASSERT_NO_FATAL_FAILURE(RandomStep(model, random)) << "step " << step;
      ASSERT_NO_FATAL_FAILURE(model.Compare()) << "step " << step;
    }
    // And then the job comes to an end, with nobody dying any more.
    for (std::size_t round = 0; round < 2 * items && !model.Finished(); ++round) {
      for (std::size_t worker = 0; worker < workers; ++worker) {
        ASSERT_NO_FATAL_FAILURE(model.Next(worker));
        ASSERT_NO_FATAL_FAILURE(model.CompleteAll(worker));
      }
    }
    EXPECT_TRUE(model.Finished());
  }
}

}  // namespace
}  // namespace procpool

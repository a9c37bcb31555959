// The ledger against a model of it: random steps, each compared with what the header says.
#include <gtest/gtest.h>

#include <algorithm>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "master/ledger.h"

namespace procpool {
namespace {

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

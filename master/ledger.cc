#include "master/ledger.h"

#include <algorithm>

namespace procpool {

Ledger::Ledger(std::size_t items, std::size_t workers, std::span<const unsigned> owners,
               unsigned most_deaths)
    : states_(items),
      owners_(owners.begin(), owners.end()),
      most_deaths_(most_deaths),
      shares_(workers),
      given_(workers) {
  if (owners_.empty()) return;
  fresh_ = items;
  for (std::uint64_t item = 0; item < items; ++item) shares_[owners_[item]].push_back(item);
}

void Ledger::Extend(std::size_t items) {
  states_.resize(states_.size() + items);
}

void Ledger::AddWorker() {
  shares_.emplace_back();
  given_.emplace_back();
}

// Rarely, so that each item costs little; what is kept is at most as much again as is open.
void Ledger::Forget() {
  constexpr std::size_t kEvery = 1024;
  if (!forgets_ || ++closed_since_ < std::max(kEvery, states_.size() / 2)) return;
  closed_since_ = 0;
  const auto open = std::ranges::find_if(states_, [](const State& state) {
    return state.where == Where::kWaiting || state.where == Where::kGiven;
  });
  first_ += static_cast<std::uint64_t>(open - states_.begin());
  states_.erase(states_.begin(), open);
}

// What was dropped may be forgotten already.
void Ledger::SkipDropped() {
  while (fresh_ < items() && (fresh_ < first_ || At(fresh_).where == Where::kGivenUp)) {
    ++fresh_;
    --dropped_fresh_;
  }
}

std::optional<GivenItem> Ledger::Next(std::size_t worker) {
  std::uint64_t item = 0;
  if (!shares_[worker].empty()) {
    item = shares_[worker].front();
    shares_[worker].pop_front();
  } else if (!returned_.empty()) {
    item = returned_.front();
    returned_.pop_front();
  } else {
    SkipDropped();
    if (fresh_ == items()) return std::nullopt;
    item = fresh_++;
  }
  State& state = At(item);
  state.where = Where::kGiven;
  state.worker = static_cast<std::uint32_t>(worker);
  given_[worker].push_back(item);
  ++given_count_;
  ++attempts_;
  return GivenItem{item, state.attempt};
}

std::size_t Ledger::WaitingFor(std::size_t worker) const {
  return shares_[worker].size() + returned_.size() + (items() - fresh_ - dropped_fresh_);
}

bool Ledger::IsOpen(std::size_t worker, const GivenItem& given) const {
  if (given.item < first_ || given.item >= items()) return false;
  const State& state = At(given.item);
  return state.where == Where::kGiven && state.worker == worker && state.attempt == given.attempt;
}

bool Ledger::Close(std::size_t worker, const GivenItem& given, Where where) {
  if (!IsOpen(worker, given)) return false;
  At(given.item).where = where;
  std::deque<std::uint64_t>& queue = given_[worker];
  if (queue.front() == given.item) {
    queue.pop_front();  // workers answer in order
  } else {
    queue.erase(std::ranges::find(queue, given.item));
  }
  --given_count_;
  return true;
}

bool Ledger::Complete(std::size_t worker, const GivenItem& given) {
  if (!Close(worker, given, Where::kDone)) return false;
  ++done_;
  Forget();
  return true;
}

bool Ledger::Fail(std::size_t worker, const GivenItem& given) {
  if (!Close(worker, given, Where::kGivenUp)) return false;
  ++given_up_;
  Forget();
  return true;
}

bool Ledger::Drop(std::uint64_t item) {
  if (item < first_ || item >= items() || At(item).where != Where::kWaiting) return false;
  At(item).where = Where::kGivenUp;
  ++given_up_;
  if (item < owners_.size()) {
    std::erase(shares_[owners_[item]], item);
  } else if (item >= fresh_) {
    ++dropped_fresh_;
  } else {
    std::erase(returned_, item);
  }
  Forget();
  return true;
}

void Ledger::Return(std::uint64_t item) {
  State& state = At(item);
  state.where = Where::kWaiting;
  ++state.attempt;
  if (item < owners_.size()) {
    shares_[owners_[item]].push_front(item);
  } else {
    returned_.push_front(item);  // nobody's, or one that came later
  }
}

std::optional<GivenItem> Ledger::Culprit(std::size_t worker,
                                         const std::optional<GivenItem>& working_on) const {
  return working_on && IsOpen(worker, *working_on) ? working_on : Oldest(worker);
}

DeathReport Ledger::WorkerDied(std::size_t worker, bool blame, std::optional<GivenItem> working_on,
                               std::optional<unsigned> most_deaths) {
  DeathReport report;
  if (blame) report.blamed = Culprit(worker, working_on);
  std::deque<std::uint64_t> items = std::move(given_[worker]);
  given_[worker].clear();
  given_count_ -= items.size();
  if (report.blamed) {
    const std::uint64_t culprit = report.blamed->item;
    State& state = At(culprit);
    report.deaths = ++state.deaths;
    if (state.deaths >= most_deaths.value_or(most_deaths_)) {
      report.given_up = true;
      state.where = Where::kGivenUp;
      ++given_up_;
      std::erase(items, culprit);
    }
  }
  report.returned = items.size() - (report.blamed && !report.given_up ? 1 : 0);
  // Back to front, so that the oldest is given out first again.
  for (auto item = items.rbegin(); item != items.rend(); ++item) Return(*item);
  return report;
}

void Ledger::TakeBack(std::size_t worker, const GivenItem& given) {
  if (!Close(worker, given, Where::kWaiting)) return;
  --attempts_;
  Return(given.item);
  --At(given.item).attempt;
}

std::vector<GivenItem> Ledger::GivenTo(std::size_t worker) const {
  std::vector<GivenItem> items;
  for (const std::uint64_t item : given_[worker]) items.push_back({item, At(item).attempt});
  return items;
}

void Ledger::Reopen(std::uint64_t item) {
  if (At(item).where != Where::kDone) return;
  --done_;
  Return(item);
}

void Ledger::ReleaseShare(std::size_t worker) {
  returned_.insert(returned_.end(), shares_[worker].begin(), shares_[worker].end());
  shares_[worker].clear();
  // From now on returned items are anybody's.
  if (std::ranges::find(owners_, worker) != owners_.end()) owners_.clear();
}

std::optional<GivenItem> Ledger::Oldest(std::size_t worker) const {
  if (given_[worker].empty()) return std::nullopt;
  const std::uint64_t item = given_[worker].front();
  return GivenItem{item, At(item).attempt};
}

}  // namespace procpool

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

std::optional<GivenItem> Ledger::Next(std::size_t worker) {
  std::uint64_t item = 0;
  if (!shares_[worker].empty()) {
    item = shares_[worker].front();
    shares_[worker].pop_front();
  } else if (!returned_.empty()) {
    item = returned_.front();
    returned_.pop_front();
  } else if (fresh_ < states_.size()) {
    item = fresh_++;
  } else {
    return std::nullopt;
  }
  State& state = states_[item];
  state.where = Where::kGiven;
  state.worker = static_cast<std::uint32_t>(worker);
  given_[worker].push_back(item);
  ++given_count_;
  return GivenItem{item, state.attempt};
}

std::size_t Ledger::WaitingFor(std::size_t worker) const {
  return shares_[worker].size() + returned_.size() + (states_.size() - fresh_);
}

bool Ledger::IsOpen(std::size_t worker, const GivenItem& given) const {
  if (given.item >= states_.size()) return false;
  const State& state = states_[given.item];
  return state.where == Where::kGiven && state.worker == worker && state.attempt == given.attempt;
}

bool Ledger::Close(std::size_t worker, const GivenItem& given, Where where) {
  if (!IsOpen(worker, given)) return false;
  states_[given.item].where = where;
  std::deque<std::uint64_t>& queue = given_[worker];
  queue.erase(std::ranges::find(queue, given.item));  // workers answer in order, so it is the first
  --given_count_;
  return true;
}

bool Ledger::Complete(std::size_t worker, const GivenItem& given) {
  if (!Close(worker, given, Where::kDone)) return false;
  ++done_;
  return true;
}

bool Ledger::Fail(std::size_t worker, const GivenItem& given) {
  if (!Close(worker, given, Where::kGivenUp)) return false;
  ++given_up_;
  return true;
}

void Ledger::Return(std::uint64_t item) {
  State& state = states_[item];
  state.where = Where::kWaiting;
  ++state.attempt;
  if (owners_.empty()) {
    returned_.push_front(item);
  } else {
    shares_[owners_[item]].push_front(item);
  }
}

DeathReport Ledger::WorkerDied(std::size_t worker, bool blame,
                               std::optional<GivenItem> working_on) {
  DeathReport report;
  const bool known = working_on && IsOpen(worker, *working_on);
  std::deque<std::uint64_t> items = std::move(given_[worker]);
  given_[worker].clear();
  given_count_ -= items.size();
  if (blame && !items.empty()) {
    const std::uint64_t culprit = known ? working_on->item : items.front();
    State& state = states_[culprit];
    report.blamed = GivenItem{culprit, state.attempt};
    report.deaths = ++state.deaths;
    if (state.deaths >= most_deaths_) {
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
  Return(given.item);
  --states_[given.item].attempt;
}

std::vector<GivenItem> Ledger::GivenTo(std::size_t worker) const {
  std::vector<GivenItem> items;
  for (const std::uint64_t item : given_[worker]) items.push_back({item, states_[item].attempt});
  return items;
}

void Ledger::Reopen(std::uint64_t item) {
  if (states_[item].where != Where::kDone) return;
  --done_;
  Return(item);
}

void Ledger::ReleaseShare(std::size_t worker) {
  returned_.insert(returned_.end(), shares_[worker].begin(), shares_[worker].end());
  shares_[worker].clear();
  for (std::size_t item = 0; item < owners_.size(); ++item) {
    if (owners_[item] == worker)
      return owners_.clear();  // from now on returned items are anybody's
  }
}

std::optional<GivenItem> Ledger::Oldest(std::size_t worker) const {
  if (given_[worker].empty()) return std::nullopt;
  const std::uint64_t item = given_[worker].front();
  return GivenItem{item, states_[item].attempt};
}

}  // namespace procpool

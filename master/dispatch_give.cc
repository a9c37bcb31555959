// The dispatch's first step: who gets which item, and what is taken back.

#include <algorithm>
#include <limits>

#include "master/dispatch.h"

namespace procpool {
namespace {

// Who has been at an item for so long keeps nothing behind it while another worker has nothing.
constexpr Nanoseconds kMoveAfter = 200 * kMicrosecond;
// Where nothing could be moved it is tried again, less and less often.
constexpr Nanoseconds kSeldom = 10 * kMillisecond;

}  // namespace

// Level by level, so that no worker has its second item before every other one has its first.
void Dispatch::GiveOut() {
  for (std::size_t level = 0; !open_.empty();) {
    bool gave = false;
    std::size_t next_level = std::numeric_limits<std::size_t>::max();
    for (std::size_t worker = 0; worker < workers_.slots() && !open_.empty(); ++worker) {
      if (!workers_.CanTake(worker)) continue;
      const std::size_t has = lanes_[worker].given.size();
      if (has > level) {
        next_level = std::min(next_level, has);
      } else if (GiveOne(worker)) {
        gave = true;
      }
    }
    if (gave) continue;
    if (next_level == std::numeric_limits<std::size_t>::max()) return;
    level = next_level;
  }
}

// From the first job that has something for this worker and lets it have as much.
bool Dispatch::GiveOne(std::size_t worker) {
  Lane& lane = lanes_[worker];
  // It is long at what it does: more would be taken back as well, again and again.
  if (lane.was_revoked && !lane.given.empty()) return false;
  for (std::size_t place = 0; place < open_.size(); ++place) {
    Entry& entry = *open_[place];
    if (!entry.run.Wants(worker)) continue;
    if (lane.given.size() >= entry.run.CreditOf(worker)) return false;
    const std::uint64_t most = entry.run.options().most_tasks_per_worker;
    if (most != 0 && workers_.TasksGiven(worker) >= most) {
      workers_.Stop(worker);
      return false;
    }
    bool gave = false;
    Guard(entry, [&] {
      if (const std::optional<GivenItem> given = entry.run.Give(worker)) {
        gave = true;
        lane.given.push_back({{entry.run.id(), *given}, workers_.ItemsGiven(worker)});
        if (lane.given.size() == 1) lane.oldest_since = Now();
      }
    });
    if (!entry.run.WantsAnybody()) {
      entry.open = false;
      open_.erase(open_.begin() + static_cast<std::ptrdiff_t>(place));
    }
    return gave;
  }
  return false;
}

// Takes back what lies at this place of the worker's lane, if it has not been begun.
bool Dispatch::Revoke(std::size_t worker, std::size_t place) {
  std::deque<LaneItem>& given = lanes_[worker].given;
  const LaneItem item = given[place];
  lanes_[worker].was_revoked = true;
  Entry* const entry = Find(item.job);
  if (entry == nullptr || !workers_.Revoke(worker, item.number)) return false;
  given.erase(given.begin() + static_cast<std::ptrdiff_t>(place));
  entry->run.Revoked(worker, item.given);
  if (item.cancelled_at != 0) Drop(*entry, item.given.item);
  return true;
}

void Dispatch::RevokeAll(const Entry& entry) {
  for (std::size_t worker = 0; worker < lanes_.size(); ++worker) {
    for (std::size_t place = lanes_[worker].given.size(); place-- > 0;) {
      if (lanes_[worker].given[place].job == entry.run.id()) Revoke(worker, place);
    }
  }
}

std::optional<std::size_t> Dispatch::Idler() const {
  for (std::size_t worker = 0; worker < lanes_.size(); ++worker) {
    if (lanes_[worker].given.empty() && workers_.CanTake(worker)) return worker;
  }
  return std::nullopt;
}

// The worker that has been at its oldest item for longest and has others behind it, which may move.
std::optional<std::size_t> Dispatch::Overloaded() const {
  std::optional<std::size_t> found;
  for (std::size_t worker = 0; worker < lanes_.size(); ++worker) {
    const Lane& lane = lanes_[worker];
    if (lane.given.size() < 2 || !workers_.IsReady(worker)) continue;
    if (found && lanes_[*found].oldest_since <= lane.oldest_since) continue;
    if (jobs_.at(lane.given.back().job)->run.MayMove()) found = worker;
  }
  return found;
}

// Half of what waits behind a long item goes to a worker that has nothing. False: nothing moved.
bool Dispatch::Rebalance() {
  if (suspended_ || !Idler()) return false;
  const std::optional<std::size_t> worker = Overloaded();
  if (!worker || Now() < MoveAt(*worker)) return false;
  bool moved = false;
  const std::deque<LaneItem>& given = lanes_[*worker].given;
  for (std::size_t moving = given.size() / 2; moving > 0; --moving) {
    Entry& entry = *jobs_.at(given.back().job);
    if (!entry.run.MayMove() || !Revoke(*worker, given.size() - 1)) break;
    Reopen(entry);
    moved = true;
  }
  tried_to_move_ = Now();
  move_after_ = moved ? kMoveAfter : std::clamp(2 * move_after_, kMoveAfter, kSeldom);
  return moved;
}

Nanoseconds Dispatch::MoveAt(std::size_t worker) const {
  return std::max(lanes_[worker].oldest_since + kMoveAfter, tried_to_move_ + move_after_);
}

}  // namespace procpool

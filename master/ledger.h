// The ledger: which item is where, at which attempt. Pure bookkeeping, without processes, channels
// or clocks.
//
//   waiting ──Next──▶ given ──Complete──▶ done
//      ▲                │  ├──Fail──────▶ given up   (the task threw: an answer)
//      │                │  └──WorkerDied▶ given up   (it has killed `most_deaths` workers)
//      ├──WorkerDied────┘
//      └──Drop──────────────────────────▶ given up   (nobody wants it any more)
//
// Invariants:
//
//   L1  Every item is in exactly one state; waiting + given + done + given up = items.
//
//   L2  An item is open for exactly the worker and attempt it was last given to; every other answer
//       is refused.
//
//   L3  A death is blamed on one item only: the one the worker had begun if that is known, else the
//       oldest it had not answered. The attempts of all that it had not answered go up, so that
//       late answers are recognised.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <span>
#include <vector>

namespace procpool {

struct GivenItem {
  std::uint64_t item = 0;
  std::uint32_t attempt = 0;  ///< counts from 0
  bool operator==(const GivenItem&) const = default;
};

/// What a worker's death did to its items.
struct DeathReport {
  std::optional<GivenItem> blamed;  ///< as it was given
  unsigned deaths = 0;              ///< how many workers it has killed by now
  bool given_up = false;            ///< it was given up for that
  std::size_t returned = 0;         ///< other unanswered items, which wait again without blame
};

class Ledger {
 public:
  /// owners: empty, or for each item the worker that it belongs to (static schedule).
  /// most_deaths: an item that has killed so many workers is given up, unless WorkerDied() is told
  /// another number.
  Ledger(std::size_t items, std::size_t workers, std::span<const unsigned> owners,
         unsigned most_deaths);

  /// So many new items, at the end; anybody's.
  void Extend(std::size_t items);
  /// What was done or given up is forgotten from time to time; such an item cannot be reopened. For
  /// jobs without an end.
  void ForgetWhatIsPast() { forgets_ = true; }
  /// Another worker, at the end.
  void AddWorker();
  /// Takes the next item that waits for this worker and gives it out.
  std::optional<GivenItem> Next(std::size_t worker);
  /// Items that wait for this worker (its own share, or all that wait).
  std::size_t WaitingFor(std::size_t worker) const;

  bool IsOpen(std::size_t worker, const GivenItem& given) const;
  /// False: refused, the item is not open for this worker at this attempt.
  bool Complete(std::size_t worker, const GivenItem& given);
  bool Fail(std::size_t worker, const GivenItem& given);
  /// An item that waits is given up. False: it does not wait.
  bool Drop(std::uint64_t item);
  /// blame: false where the worker left on request or was not at fault. working_on: the item it had
  /// begun, if known; not believed unless it is open for this worker.
  /// most_deaths: for the item that is to blame, where that is not what holds for all.
  DeathReport WorkerDied(std::size_t worker, bool blame, std::optional<GivenItem> working_on = {},
                         std::optional<unsigned> most_deaths = {});
  /// Which item such a death is blamed on. Nothing: the worker has none.
  std::optional<GivenItem> Culprit(std::size_t worker,
                                   const std::optional<GivenItem>& working_on) const;
  /// The item could not be sent after all, or the worker will not begin it: it waits again, at the
  /// same attempt, for nothing was tried.
  void TakeBack(std::size_t worker, const GivenItem& given);
  /// Whether items belong to workers (static schedule).
  bool HasOwners() const { return !owners_.empty(); }
  /// Unanswered items of a worker, oldest first.
  std::vector<GivenItem> GivenTo(std::size_t worker) const;
  /// A done item must be computed anew (its result was found spoilt later).
  void Reopen(std::uint64_t item);
  /// This worker will not be replaced: its share is anybody's now.
  void ReleaseShare(std::size_t worker);

  std::size_t Given(std::size_t worker) const { return given_[worker].size(); }
  /// The item whose answer is due next from this worker.
  std::optional<GivenItem> Oldest(std::size_t worker) const;
  std::size_t items() const { return first_ + states_.size(); }
  /// Items that are not forgotten.
  std::size_t remembered() const { return states_.size(); }
  std::size_t done() const { return done_; }
  std::size_t given_up() const { return given_up_; }
  std::size_t given() const { return given_count_; }
  /// How often an item was given out.
  std::uint64_t attempts() const { return attempts_; }
  std::size_t waiting() const { return items() - given_count_ - done_ - given_up_; }
  bool Finished() const { return done_ + given_up_ == items(); }

 private:
  enum class Where : std::uint8_t { kWaiting, kGiven, kDone, kGivenUp };
  struct State {
    Where where = Where::kWaiting;
    std::uint32_t deaths = 0;
    std::uint32_t attempt = 0;
    std::uint32_t worker = 0;
  };

  State& At(std::uint64_t item) { return states_[item - first_]; }
  const State& At(std::uint64_t item) const { return states_[item - first_]; }
  void Forget();
  void SkipDropped();
  void Return(std::uint64_t item);
  bool Close(std::size_t worker, const GivenItem& given, Where where);

  std::uint64_t first_ = 0;  // those before are past and forgotten
  std::vector<State> states_;
  bool forgets_ = false;
  std::size_t closed_since_ =
      0;  // items that were closed since the last time something was forgotten
  std::vector<unsigned> owners_;
  unsigned most_deaths_;
  std::uint64_t fresh_ = 0;                        // dynamic: items from here on were never given
  std::size_t dropped_fresh_ = 0;                  // of those, given up before they were given
  std::deque<std::uint64_t> returned_;             // anybody's, before the fresh ones
  std::vector<std::deque<std::uint64_t>> shares_;  // static: waiting items of each worker
  std::vector<std::deque<std::uint64_t>> given_;   // unanswered items of each worker, oldest first
  std::size_t done_ = 0;
  std::size_t given_up_ = 0;
  std::size_t given_count_ = 0;
  std::uint64_t attempts_ = 0;
};

}  // namespace procpool

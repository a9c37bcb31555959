// Whatever workers answer, throw, claim and however they die: every call of a batch ends exactly
// once. MapJob and the ledger are asked as the pool asks them, in random order.
#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "master/ledger.h"
#include "master/map_job.h"
#include "tests/fake_batch.h"

namespace procpool {
namespace {

using Stretch = FakeBatch::Stretch;
using Cause = GivenUpItem::Cause;

class Play {
 public:
  explicit Play(unsigned seed)
      : random_(seed),
        options_{.retries = Pick(3), .retry_exceptions = Chance(2)},
        batch_(std::make_shared<FakeBatch>(Pick(60), 1 + Pick(8),
                                           static_cast<FakeBatch::Results>(Pick(3)))),
        stream_(Chance(2)) {
    batch_->more_may_come = stream_;
    job_ = std::make_unique<MapJob>(batch_, options_);
    ledger_.emplace(job_->items(), kWorkers, std::span<const unsigned>(), 1);
  }

  void Run() {
    for (int step = 0; step < 400; ++step) ASSERT_NO_FATAL_FAILURE(Step());
    batch_->more_may_come = false;
    // From here on nobody dies, and the batch comes to its end.
    for (int round = 0; !Finished(); ++round) {
      ASSERT_LT(round, 10'000) << "it does not end";
      for (std::size_t worker = 0; worker < kWorkers; ++worker) {
        ASSERT_NO_FATAL_FAILURE(Give(worker));
        ASSERT_NO_FATAL_FAILURE(Answer(worker, false));
      }
    }
  }

  void ExpectEveryCallEndedOnce() const {
    for (std::uint64_t call = 0; call < batch_->calls(); ++call) {
      const int done = CountOf(batch_->done, call);
      const int failed = CountOf(batch_->failed, call);
      EXPECT_EQ(done + failed, 1) << "call " << call << ": " << done << " done, " << failed
                                  << " failed";
      const unsigned tries = static_cast<unsigned>(CountOf(blamed_, call));
      if (given_up_whole_.contains(call)) continue;
      if (failed != 0 && !failed_at_once_.contains(call)) {
        EXPECT_EQ(tries, options_.retries + 1) << "call " << call << " had other tries";
      } else {
        EXPECT_LE(tries, options_.retries) << "call " << call << " had too many tries";
      }
    }
    EXPECT_LE(batch_->done.size() + batch_->failed.size(), batch_->calls());
  }

 private:
  static constexpr std::size_t kWorkers = 3;

  unsigned Pick(unsigned below) { return static_cast<unsigned>(random_() % below); }
  bool Chance(unsigned one_in) { return Pick(one_in) == 0; }
  template <typename Map>
  static int CountOf(const Map& map, std::uint64_t call) {
    const auto found = map.find(call);
    return found == map.end() ? 0 : found->second;
  }

  bool Finished() {
    Grow();
    return ledger_->Finished() && !job_->MoreMayCome();
  }
  void Grow() {
    ASSERT_GE(job_->items(), ledger_->items()) << "items have gone";
    ledger_->Extend(job_->items() - ledger_->items());
  }

  void Step() {
    const std::size_t worker = Pick(kWorkers);
    switch (Pick(12)) {
      case 0:
      case 1:
      case 2:
      case 3:
        return Give(worker);
      case 4:
      case 5:
      case 6:
        return Answer(worker, true);
      case 7:
        return ThrowWhole(worker);
      case 8:
      case 9:
        return Die(worker, !Chance(3));
      case 10:
        return GiveInVain(worker);
      default:
        if (batch_->more_may_come) batch_->Grow(Pick(10));
        if (Chance(2)) Grow();
    }
  }

  /// Which calls an item is: always the same ones.
  void Begin(const GivenItem& given) {
    const ItemInput input = job_->Begin(given);
    const auto [known, inserted] = chunks_.emplace(given.item, batch_->last_input);
    ASSERT_EQ(known->second, batch_->last_input) << "item " << given.item << " is another chunk";
    ASSERT_GT(known->second.count, 0U);
    ASSERT_LE(known->second.count, batch_->chunk_size());
    ASSERT_LE(known->second.first + known->second.count, batch_->calls());
    ASSERT_EQ(input.tasks, known->second.count);
  }
  void Give(std::size_t worker) {
    if (const auto given = ledger_->Next(worker)) Begin(*given);
  }
  void GiveInVain(std::size_t worker) {
    const auto given = ledger_->Next(worker);
    if (!given) return;
    ASSERT_NO_FATAL_FAILURE(Begin(*given));
    job_->Return(*given);
    ledger_->TakeBack(worker, *given);
  }

  void Answer(std::size_t worker, bool may_throw) {
    const auto given = ledger_->Oldest(worker);
    if (!given) return;
    const Stretch chunk = chunks_.at(given->item);
    std::vector<std::uint64_t> thrown;
    for (std::uint64_t step = 0; may_throw && step < chunk.count; ++step) {
      if (!Chance(4)) continue;
      ASSERT_TRUE(job_->StepThrew(*given, step, "type", "text", 1));
      thrown.push_back(chunk.first + step);
    }
    const std::uint64_t bytes =
        batch_->FlatResultBytes() != 0 ? chunk.count * FakeBatch::kResultBytes : Pick(100);
    for (std::uint64_t offset = 0; offset < bytes;) {
      const std::uint64_t piece = std::min<std::uint64_t>(bytes - offset, 1 + Pick(20));
      const auto place = job_->PlaceFor(*given, offset, piece);
      ASSERT_TRUE(place);
      ASSERT_EQ(place->size(), piece);
      std::ranges::fill(*place, std::byte{1});
      offset += piece;
      if (may_throw && Chance(50)) return Die(worker, true);  // in the middle of it
    }
    ASSERT_TRUE(job_->Complete(*given, {.bytes = bytes}));
    ASSERT_TRUE(ledger_->Complete(worker, *given));
    for (const std::uint64_t call : thrown) {
      if (options_.retry_exceptions && options_.retries > 0) {
        ++blamed_[call];
      } else {
        ASSERT_EQ(CountOf(batch_->failed, call), 1);
        failed_at_once_[call] = 1;
      }
    }
    Grow();
  }

  void ThrowWhole(std::size_t worker) {
    if (!Chance(4)) return;
    const auto given = ledger_->Oldest(worker);
    if (!given) return;
    const Stretch chunk = chunks_.at(given->item);
    ASSERT_TRUE(ledger_->Fail(worker, *given));
    job_->GiveUp({.item = given->item, .cause = Cause::kThrew});
    for (std::uint64_t i = 0; i < chunk.count; ++i) given_up_whole_[chunk.first + i] = 1;
    Grow();
  }

  void Die(std::size_t worker, bool blame) {
    const std::vector<GivenItem> left = ledger_->GivenTo(worker);
    for (const GivenItem& given : left) job_->Return(given);
    std::optional<GivenItem> working_on;
    if (!left.empty() && Chance(2)) working_on = left[Pick(static_cast<unsigned>(left.size()))];
    const DeathReport death = ledger_->WorkerDied(worker, blame, working_on);
    if (!death.given_up) return;
    const Stretch chunk = chunks_.at(death.blamed->item);
    GivenUpItem given_up{.item = death.blamed->item,
                         .cause = Chance(2) ? Cause::kDied : Cause::kTimedOut};
    // A step is known only with the item, and may be nonsense.
    if (working_on) given_up.step = Pick(static_cast<unsigned>(chunk.count) + 2);
    if (given_up.step && *given_up.step < chunk.count) {
      ++blamed_[chunk.first + *given_up.step];
    } else if (chunk.count == 1) {
      ++blamed_[chunk.first];
    }
    job_->GiveUp(given_up);
    Grow();
  }

  std::mt19937 random_;
  MapJobOptions options_;
  std::shared_ptr<FakeBatch> batch_;
  bool stream_;
  std::unique_ptr<MapJob> job_;
  std::optional<Ledger> ledger_;
  std::map<std::uint64_t, Stretch> chunks_;  // by item
  std::map<std::uint64_t, int> blamed_;
  std::map<std::uint64_t, int> failed_at_once_;
  std::map<std::uint64_t, int> given_up_whole_;
};

TEST(MapJob, EveryCallEndsExactlyOnceWhateverHappens) {
  for (unsigned seed = 1; seed <= 400; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Play play(seed);
    ASSERT_NO_FATAL_FAILURE(play.Run());
    play.ExpectEveryCallEndedOnce();
    if (HasFailure()) return;
  }
}

}  // namespace
}  // namespace procpool

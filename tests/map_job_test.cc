// The calls of a batch as a job: how they are cut into chunks, and what a failure does to a chunk.
// No workers: what they would say is said by the tests.
#include "master/map_job.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include <procpool/call_errors.h>
#include "common/host.h"
#include "common/wire.h"
#include "tests/mapped_calls.h"

namespace procpool {
namespace {

using Stretch = FakeBatch::Stretch;
using Results = FakeBatch::Results;
using Cause = GivenUpItem::Cause;
using Calls = std::map<std::uint64_t, int>;

// ---- chunks

TEST(MapJob, ItemsAreChunksAndTheLastMayBeShorter) {
  Mapped mapped(7, 3);
  ASSERT_EQ(mapped.job.items(), 3U);
  EXPECT_EQ(mapped.Give(0), (Stretch{0, 3}));
  EXPECT_EQ(mapped.tasks, 3U);
  EXPECT_EQ(mapped.Give(1), (Stretch{3, 3}));
  EXPECT_EQ(mapped.Give(2), (Stretch{6, 1}));
  EXPECT_EQ(mapped.tasks, 1U);
  EXPECT_EQ(Mapped(0, 3).job.items(), 0U);
  EXPECT_EQ(Mapped(6, 3).job.items(), 2U);
  EXPECT_EQ(Mapped(2, 100).job.items(), 1U);
}

TEST(MapJob, AChunkOfAStreamWaitsUntilItIsWhole) {
  Mapped mapped(0, 3);
  mapped.batch->more_may_come = true;
  mapped.batch->Grow(2);
  EXPECT_EQ(mapped.job.items(), 0U);
  EXPECT_TRUE(mapped.job.MoreMayCome());
  mapped.batch->Grow(2);
  EXPECT_EQ(mapped.job.items(), 1U);
  EXPECT_EQ(mapped.Give(0), (Stretch{0, 3}));
  mapped.batch->more_may_come = false;
  EXPECT_EQ(mapped.job.items(), 2U) << "what is left will not become more";
  EXPECT_FALSE(mapped.job.MoreMayCome());
  EXPECT_EQ(mapped.Give(1), (Stretch{3, 1}));
}

TEST(MapJob, ACompletedChunkIsDone) {
  Mapped mapped(5, 3);
  mapped.Give(0);
  EXPECT_TRUE(mapped.Complete(0, 3));
  EXPECT_EQ(mapped.batch->done, (Calls{{0, 1}, {1, 1}, {2, 1}}));
  mapped.Give(1);
  EXPECT_TRUE(mapped.Complete(1, 2));
  EXPECT_EQ(mapped.batch->done.size(), 5U);
  EXPECT_TRUE(mapped.batch->failed.empty());
}

TEST(MapJob, ItemsKeepTheirCallsHoweverTheBatchGrows) {
  Mapped mapped(4, 2);
  mapped.batch->more_may_come = true;
  ASSERT_EQ(mapped.job.items(), 2U);
  mapped.Give(0);
  // A death in the first chunk while the batch has grown and nobody has looked.
  mapped.batch->Grow(2);
  mapped.GiveUp(0, 1);  // calls 0 and 1: [0, 1) is item 3, call 1 has failed
  ASSERT_EQ(mapped.job.items(), 4U);
  mapped.batch->Grow(4);
  ASSERT_EQ(mapped.job.items(), 6U);
  mapped.Give(1);
  mapped.GiveUp(1, std::nullopt);  // calls 2 and 3: items 6 and 7
  mapped.batch->Grow(1);
  mapped.batch->more_may_come = false;
  ASSERT_EQ(mapped.job.items(), 9U);
  const std::vector<Stretch> expected{{0, 2}, {2, 2}, {4, 2}, {0, 1}, {6, 2},
                                      {8, 2}, {2, 1}, {3, 1}, {10, 1}};
  for (std::uint64_t item = 2; item < 9; ++item)
    EXPECT_EQ(mapped.Give(item), expected[item]) << "item " << item;
}

// ---- where results go

TEST(MapJob, FlatResultsGoToTheirPlace) {
  Mapped mapped(5, 2);
  mapped.Give(1);
  const auto place = mapped.job.PlaceFor({1, 0}, 0, 8);
  ASSERT_TRUE(place);
  EXPECT_EQ(place->data(), mapped.batch->FlatResults(2, 2).data());
  EXPECT_EQ(place->size(), 8U);
  const auto second = mapped.job.PlaceFor({1, 0}, 5, 3);
  ASSERT_TRUE(second);
  EXPECT_EQ(second->data(), place->data() + 5);
  mapped.Give(2);
  const auto last = mapped.job.PlaceFor({2, 0}, 0, 4);
  ASSERT_TRUE(last);
  EXPECT_EQ(last->data(), mapped.batch->FlatResults(4, 1).data());
}

TEST(MapJob, NoResultReachesBeyondItsChunk) {
  constexpr auto kHuge = std::numeric_limits<std::uint64_t>::max();
  for (const Results results : {Results::kInPlace, Results::kFlat}) {
    Mapped mapped(5, 2, {}, results);
    mapped.Give(0);
    mapped.Give(2);
    EXPECT_FALSE(mapped.job.PlaceFor({0, 0}, 0, 9));
    EXPECT_FALSE(mapped.job.PlaceFor({0, 0}, 8, 1));
    EXPECT_FALSE(mapped.job.PlaceFor({0, 0}, 9, 0));
    EXPECT_FALSE(mapped.job.PlaceFor({0, 0}, kHuge, 1));
    EXPECT_FALSE(mapped.job.PlaceFor({0, 0}, 1, kHuge));
    EXPECT_FALSE(mapped.job.PlaceFor({0, 0}, kHuge, kHuge));
    EXPECT_FALSE(mapped.job.PlaceFor({2, 0}, 0, 5)) << "the last chunk is shorter";
    EXPECT_TRUE(mapped.job.PlaceFor({2, 0}, 0, 4));
  }
}

// An empty last piece is one as well: by its offset the result would be complete.
TEST(MapJob, AnEmptyPieceFollowsWhatIsThere) {
  for (const Results results : {Results::kOther, Results::kFlat}) {
    Mapped mapped(2, 2, {}, results);
    mapped.Give(0);
    EXPECT_FALSE(mapped.job.PlaceFor({0, 0}, 8, 0));
    ASSERT_TRUE(mapped.job.PlaceFor({0, 0}, 0, 8));
    EXPECT_TRUE(mapped.job.PlaceFor({0, 0}, 8, 0));
  }
}

TEST(MapJob, NoMemoryIsTakenOnAWorkersWordThatIsNotThere) {
  Mapped mapped(2, 2, {}, Results::kOther);
  mapped.Give(0);
  if (AvailableMemory() > kMaxPayloadBytes)
    GTEST_SKIP() << "this machine has more free memory than any result can be long: there is "
                    "nothing to refuse";
  EXPECT_FALSE(mapped.job.PlaceFor({0, 0}, 0, kMaxPayloadBytes));
  EXPECT_TRUE(mapped.job.PlaceFor({0, 0}, 0, 100)) << "and nothing was";
}

TEST(MapJob, PiecesOfOtherResultsFollowOneAnother) {
  for (const Results results : {Results::kOther, Results::kFlat}) {
    Mapped mapped(2, 2, {}, results);
    mapped.Give(0);
    EXPECT_FALSE(mapped.job.PlaceFor({0, 0}, 1, 1)) << "a gap";
    const auto first = mapped.job.PlaceFor({0, 0}, 0, 3);
    ASSERT_TRUE(first);
    std::ranges::fill(*first, std::byte{'a'});
    EXPECT_FALSE(mapped.job.PlaceFor({0, 0}, 0, 3)) << "that piece was here";
    EXPECT_FALSE(mapped.job.PlaceFor({0, 0}, 4, 1));
    EXPECT_TRUE(mapped.job.PlaceFor({0, 0}, 3, 0)) << "the last piece may be empty";
    const auto second = mapped.job.PlaceFor({0, 0}, 3, 5);
    ASSERT_TRUE(second);
    std::ranges::fill(*second, std::byte{'b'});
    ASSERT_TRUE(mapped.Complete(0, 2));
    const auto& bytes = mapped.batch->bytes.at(0);
    EXPECT_EQ(std::string(reinterpret_cast<const char*>(bytes.data()), bytes.size()), "aaabbbbb");
  }
}

TEST(MapJob, AResultThatIsNotFlatMayHaveAnyLength) {
  Mapped mapped(1, 1, {}, Results::kOther);
  mapped.Give(0);
  EXPECT_EQ(mapped.job.PlaceFor({0, 0}, 0, 0)->size(), 0U);
  ASSERT_TRUE(mapped.job.PlaceFor({0, 0}, 0, 100'000));
  EXPECT_TRUE(mapped.job.Complete({0, 0}, {.bytes = 100'000}));
  EXPECT_EQ(mapped.batch->bytes.at(0).size(), 100'000U);
}

TEST(MapJob, AFlatResultOfAnotherLengthIsRefused) {
  for (const Results results : {Results::kInPlace, Results::kFlat}) {
    Mapped mapped(5, 3, {}, results);
    mapped.Give(0);
    for (const std::uint64_t bytes : {0U, 4U, 11U, 13U, 16U}) {
      EXPECT_FALSE(mapped.job.Complete({0, 0}, {.bytes = bytes})) << bytes;
    }
    mapped.Give(1);
    EXPECT_FALSE(mapped.Complete(1, 3)) << "the last chunk is shorter";
    EXPECT_TRUE(mapped.batch->done.empty());
    // Its worker is killed for that, and another one does it.
    mapped.job.Return({0, 0});
    mapped.Give(0);
    ASSERT_TRUE(mapped.job.PlaceFor({0, 1}, 0, 12));
    EXPECT_TRUE(mapped.Complete(0, 3));
    EXPECT_EQ(mapped.batch->done.size(), 3U);
  }
}

TEST(MapJob, PiecesFromBeforeADeathDoNotCount) {
  Mapped mapped(1, 1, {}, Results::kOther);
  mapped.Give(0);
  ASSERT_TRUE(mapped.job.PlaceFor({0, 0}, 0, 10));
  mapped.job.Return({0, 0});
  mapped.Give(0);
  ASSERT_TRUE(mapped.job.PlaceFor({0, 1}, 0, 3));
  ASSERT_TRUE(mapped.job.Complete({0, 1}, {.bytes = 3}));
  EXPECT_EQ(mapped.batch->bytes.at(0).size(), 3U);
}

// ---- calls that throw

TEST(MapJob, ACallThatThrewHasFailedAndTheOthersAreDone) {
  Mapped mapped(10, 5);
  mapped.Give(1);
  EXPECT_TRUE(mapped.StepThrew(1, 1));
  EXPECT_TRUE(mapped.StepThrew(1, 4));
  EXPECT_TRUE(mapped.batch->failed.empty()) << "the chunk may still be lost";
  EXPECT_TRUE(mapped.Complete(1, 5));
  EXPECT_EQ(mapped.batch->done, (Calls{{5, 1}, {7, 1}, {8, 1}}));
  EXPECT_EQ(mapped.batch->failed, (Calls{{6, 1}, {9, 1}}));
  EXPECT_EQ(mapped.job.items(), 2U);
  try {
    std::rethrow_exception(mapped.batch->errors.at(6));
  } catch (const TaskFailed& error) {
    EXPECT_EQ(error.type(), "std::range_error");
    EXPECT_EQ(error.text(), "words");
    EXPECT_EQ(error.task(), "task");
    EXPECT_EQ(error.call(), 6U);
    EXPECT_EQ(error.worker(), 17);
  }
}

TEST(MapJob, EachStepThrowsOnceAndInOrder) {
  Mapped mapped(8, 4);
  mapped.Give(0);
  EXPECT_FALSE(mapped.StepThrew(0, 4)) << "there is no such call in the chunk";
  EXPECT_FALSE(mapped.StepThrew(0, std::numeric_limits<std::uint64_t>::max()));
  EXPECT_TRUE(mapped.StepThrew(0, 2));
  EXPECT_FALSE(mapped.StepThrew(0, 2));
  EXPECT_FALSE(mapped.StepThrew(0, 1));
  EXPECT_TRUE(mapped.StepThrew(0, 3));
  EXPECT_TRUE(mapped.Complete(0, 4));
  EXPECT_EQ(mapped.batch->failed, (Calls{{2, 1}, {3, 1}}));
}

TEST(MapJob, WhatThrewBeforeADeathIsForgotten) {
  Mapped mapped(2, 2);
  mapped.Give(0);
  ASSERT_TRUE(mapped.StepThrew(0, 0));
  mapped.job.Return({0, 0});
  mapped.Give(0);
  EXPECT_TRUE(mapped.StepThrew(0, 0)) << "it is done again, and may say so again";
  EXPECT_TRUE(mapped.Complete(0, 2));
  EXPECT_EQ(mapped.batch->failed, (Calls{{0, 1}}));
  EXPECT_EQ(mapped.batch->done, (Calls{{1, 1}}));
}

TEST(MapJob, ACallThatThrewIsDoneAgainIfThatIsAsked) {
  Mapped mapped(3, 3, {.retries = 2, .retry_exceptions = true});
  mapped.Give(0);
  ASSERT_TRUE(mapped.StepThrew(0, 1));
  ASSERT_TRUE(mapped.Complete(0, 3));
  EXPECT_EQ(mapped.batch->done, (Calls{{0, 1}, {2, 1}}));
  EXPECT_TRUE(mapped.batch->failed.empty());
  ASSERT_EQ(mapped.job.items(), 2U);
  EXPECT_EQ(mapped.Give(1), (Stretch{1, 1}));
  ASSERT_TRUE(mapped.StepThrew(1, 0));
  ASSERT_TRUE(mapped.Complete(1, 1));
  ASSERT_EQ(mapped.job.items(), 3U);
  EXPECT_EQ(mapped.Give(2), (Stretch{1, 1}));
  ASSERT_TRUE(mapped.StepThrew(2, 0));
  ASSERT_TRUE(mapped.Complete(2, 1));
  EXPECT_EQ(mapped.job.items(), 3U) << "twice is enough";
  EXPECT_EQ(mapped.batch->failed, (Calls{{1, 1}}));
}

TEST(MapJob, ACallThatThrewIsNotDoneAgainUnlessThatIsAsked) {
  Mapped mapped(1, 1, {.retries = 5});
  mapped.Give(0);
  ASSERT_TRUE(mapped.StepThrew(0, 0));
  ASSERT_TRUE(mapped.Complete(0, 1));
  EXPECT_EQ(mapped.job.items(), 1U);
  EXPECT_EQ(mapped.batch->failed, (Calls{{0, 1}}));
}

TEST(MapJob, AChunkThatThrewAsAWholeHasFailedAsAWhole) {
  Mapped mapped(4, 2, {.retries = 5, .retry_exceptions = true});
  mapped.Give(1);
  mapped.job.GiveUp(
      {.item = 1, .cause = Cause::kThrew, .type = "std::bad_alloc", .text = "no", .pid = 17});
  EXPECT_EQ(mapped.batch->failed, (Calls{{2, 1}, {3, 1}}));
  EXPECT_THROW(std::rethrow_exception(mapped.batch->errors.at(3)), TaskFailed);
  EXPECT_EQ(mapped.job.items(), 2U);
}

TEST(MapJob, AnotherSignatureIsAnErrorOfItsOwn) {
  Mapped mapped(1, 1);
  mapped.Give(0);
  mapped.job.GiveUp({.item = 0,
                     .cause = Cause::kThrew,
                     .type = "procpool::SignatureMismatch",
                     .text = "the master calls it as int(int), here it is int(long)",
                     .pid = 17});
  EXPECT_THROW(std::rethrow_exception(mapped.batch->errors.at(0)), SignatureRefused);
  EXPECT_NE(mapped.batch->ErrorOf(0).find("int(long)"), std::string::npos)
      << mapped.batch->ErrorOf(0);
}

// ---- statistics

TEST(MapJob, TimesAreTakenIfThereIsALog) {
  WorkLog log;
  Mapped mapped(4, 3, {.log = &log});
  EXPECT_TRUE(mapped.job.timed());
  EXPECT_FALSE(Mapped(4, 3).job.timed());
  mapped.Give(0);
  ResultAnnex times;
  times.begun = 100;
  times.finished = 350;
  ASSERT_TRUE(mapped.job.Complete({0, 0}, {.bytes = 12, .times = times, .record = 0}));
  const std::vector<SpawnRecord> records{{.slot = 0, .pid = 17, .spawned = 1, .ready = 2}};
  const PoolStatistics statistics = log.Statistics(records, 1000);
  ASSERT_EQ(statistics.slowest.size(), 1U);
  EXPECT_EQ(statistics.slowest[0].task, "task");
  EXPECT_EQ(statistics.slowest[0].calls, 3U);
  EXPECT_EQ(statistics.slowest[0].work.count(), 250);
  EXPECT_EQ(statistics.workers.at(0).calls, 3U);
  EXPECT_EQ(statistics.workers.at(0).chunks, 1U);
}

// ---- inputs that cannot be made

TEST(MapJob, InputThatCannotBeMadeIsTheErrorOfTheCallWhoseItIs) {
  Mapped mapped(8, 8);
  const auto refuse = [&](std::uint64_t item) {
    return mapped.job.Refused({item, 0}, std::make_exception_ptr(std::domain_error("bad")));
  };
  ASSERT_EQ(mapped.job.items(), 1U);
  mapped.Give(0);
  EXPECT_TRUE(refuse(0));
  ASSERT_EQ(mapped.job.items(), 3U);
  EXPECT_EQ(mapped.Give(1), (Stretch{0, 4}));
  EXPECT_EQ(mapped.Give(2), (Stretch{4, 4}));
  EXPECT_TRUE(mapped.Complete(1, 4));
  EXPECT_TRUE(refuse(2));
  EXPECT_EQ(mapped.Give(3), (Stretch{4, 2}));
  EXPECT_TRUE(refuse(3));
  EXPECT_EQ(mapped.Give(5), (Stretch{4, 1}));
  EXPECT_TRUE(refuse(5));
  EXPECT_EQ(mapped.batch->failed, (Calls{{4, 1}}));
  EXPECT_EQ(mapped.batch->ErrorOf(4), "bad");
  EXPECT_TRUE(mapped.Complete(4, 2));
  EXPECT_TRUE(mapped.Complete(6, 1));
  EXPECT_EQ(mapped.batch->done.size(), 7U);
}

TEST(MapJob, TriesAreForgottenOnceACallHasEnded) {
  Mapped mapped(1, 1, {.retries = 1});
  ASSERT_EQ(mapped.job.items(), 1U);
  mapped.Give(0);
  mapped.GiveUp(0, 0);
  ASSERT_EQ(mapped.job.items(), 2U);
  mapped.Give(1);
  EXPECT_TRUE(mapped.Complete(1, 1));
  EXPECT_EQ(mapped.batch->done, (Calls{{0, 1}}));
  EXPECT_EQ(mapped.job.Abandon(7), std::nullopt);
}

}  // namespace
}  // namespace procpool

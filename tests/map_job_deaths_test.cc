// What becomes of the calls of a chunk whose worker dies.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include <procpool/call_errors.h>
#include "tests/mapped_calls.h"

namespace procpool {
namespace {

using Stretch = FakeBatch::Stretch;
using Results = FakeBatch::Results;
using Cause = GivenUpItem::Cause;
using Calls = std::map<std::uint64_t, int>;

TEST(MapJob, ADeathSplitsTheChunkAtTheCall) {
  for (std::uint64_t step = 0; step < 4; ++step) {
    SCOPED_TRACE("step " + std::to_string(step));
    Mapped mapped(8, 4);
    mapped.Give(1);
    mapped.GiveUp(1, step);
    EXPECT_EQ(mapped.batch->failed, (Calls{{4 + step, 1}}));
    std::vector<Stretch> expected;
    if (step > 0) expected.push_back({4, step});
    if (step < 3) expected.push_back({5 + step, 3 - step});
    ASSERT_EQ(mapped.job.items(), 2 + expected.size());
    for (std::size_t i = 0; i < expected.size(); ++i) {
      EXPECT_EQ(mapped.Give(2 + i), expected[i]);
      EXPECT_EQ(mapped.tasks, expected[i].count);
      EXPECT_TRUE(mapped.Complete(2 + i, expected[i].count));
    }
    EXPECT_EQ(mapped.batch->done.size(), 3U);
  }
}

TEST(MapJob, TheCallIsDoneAgainAsOftenAsItMay) {
  Mapped mapped(3, 3, {.retries = 2});
  mapped.Give(0);
  mapped.GiveUp(0, 1);
  ASSERT_EQ(mapped.job.items(), 4U);
  EXPECT_EQ(mapped.Give(1), (Stretch{0, 1}));
  EXPECT_EQ(mapped.Give(2), (Stretch{1, 1}));
  EXPECT_EQ(mapped.Give(3), (Stretch{2, 1}));
  mapped.GiveUp(2, 0, Cause::kTimedOut);
  ASSERT_EQ(mapped.job.items(), 5U);
  EXPECT_EQ(mapped.Give(4), (Stretch{1, 1}));
  EXPECT_TRUE(mapped.batch->failed.empty());
  mapped.GiveUp(4, 0);
  EXPECT_EQ(mapped.job.items(), 5U);
  EXPECT_EQ(mapped.batch->failed, (Calls{{1, 1}}));
}

TEST(MapJob, OneThatIsDoneAgainMayBeDone) {
  Mapped mapped(2, 2, {.retries = 1});
  mapped.Give(0);
  mapped.GiveUp(0, 0);
  ASSERT_EQ(mapped.job.items(), 3U);
  for (const std::uint64_t item : {1U, 2U}) {
    mapped.Give(item);
    EXPECT_TRUE(mapped.Complete(item, 1));
  }
  EXPECT_EQ(mapped.batch->done, (Calls{{0, 1}, {1, 1}}));
  EXPECT_TRUE(mapped.batch->failed.empty());
}

TEST(MapJob, ThoseThatAreBlamedForNothingAreDoneAgainAsOftenAsItTakes) {
  Mapped mapped(2, 2);
  mapped.Give(0);
  mapped.GiveUp(0, 1);  // call 0 was done with it, as far as is known
  for (int round = 0; round < 10; ++round) {
    EXPECT_EQ(mapped.Give(1), (Stretch{0, 1}));
    mapped.job.Return({1, 0});
  }
  EXPECT_EQ(mapped.job.items(), 2U);
  mapped.Give(1);
  EXPECT_TRUE(mapped.Complete(1, 1));
  EXPECT_EQ(mapped.batch->done, (Calls{{0, 1}}));
}

TEST(MapJob, IfNobodyKnowsTheCallBothHalvesAreDoneAgain) {
  Mapped mapped(5, 5);
  mapped.Give(0);
  mapped.GiveUp(0, std::nullopt);
  ASSERT_EQ(mapped.job.items(), 3U);
  EXPECT_EQ(mapped.Give(1), (Stretch{0, 2}));
  EXPECT_EQ(mapped.Give(2), (Stretch{2, 3}));
  EXPECT_TRUE(mapped.batch->failed.empty());
  mapped.GiveUp(1, 7);  // no such call: the word of a worker that ran wild
  ASSERT_EQ(mapped.job.items(), 5U);
  EXPECT_EQ(mapped.Give(3), (Stretch{0, 1}));
  EXPECT_EQ(mapped.Give(4), (Stretch{1, 1}));
  mapped.GiveUp(3, std::nullopt);
  EXPECT_EQ(mapped.batch->failed, (Calls{{0, 1}})) << "it can have been no other";
  mapped.GiveUp(4, 1);
  EXPECT_EQ(mapped.batch->failed, (Calls{{0, 1}, {1, 1}}));
  EXPECT_EQ(mapped.job.items(), 5U);
}

TEST(MapJob, ACallThatIsDoneAgainIsToldApartFromItsFirstChunk) {
  // It threw, so its chunk was answered without it; then its second try dies, and the third throws.
  Mapped mapped(2, 2, {.retries = 3, .retry_exceptions = true}, Results::kOther);
  mapped.Give(0);
  ASSERT_TRUE(mapped.StepThrew(0, 1));
  ASSERT_TRUE(mapped.job.Complete({0, 0}, {}));
  EXPECT_EQ(mapped.Give(1), (Stretch{1, 1}));
  mapped.GiveUp(1, 0);
  EXPECT_EQ(mapped.Give(2), (Stretch{1, 1}));
  ASSERT_TRUE(mapped.StepThrew(2, 0));
  ASSERT_TRUE(mapped.job.Complete({2, 0}, {}));
  EXPECT_EQ(mapped.Give(3), (Stretch{1, 1}));
  ASSERT_TRUE(mapped.job.Complete({3, 0}, {}));
  EXPECT_EQ(mapped.batch->done, (Calls{{0, 1}, {1, 1}}));
  EXPECT_EQ(mapped.job.items(), 4U);
}

TEST(MapJob, ADeathSaysHowTheWorkerEnded) {
  Mapped mapped(3, 1, {.timeout = 1500 * kMillisecond});
  for (const std::uint64_t item : {0U, 1U, 2U}) mapped.Give(item);
  mapped.GiveUp(0, 0);
  mapped.job.GiveUp({.item = 1,
                     .how = "exited with code 3",
                     .exit = {ProcessExit::Kind::kExited, 3},
                     .pid = 17,
                     .step = 0});
  mapped.GiveUp(2, 0, Cause::kTimedOut);
  try {
    std::rethrow_exception(mapped.batch->errors.at(0));
  } catch (const WorkerDied& error) {
    EXPECT_EQ(error.signal(), 11);
    EXPECT_EQ(error.exit_code(), std::nullopt);
    EXPECT_EQ(error.call(), 0U);
    EXPECT_EQ(error.worker(), 17);
    EXPECT_NE(std::string(error.what()).find("its worker was killed by signal 11 (SIGSEGV)"),
              std::string::npos)
        << error.what();
  }
  try {
    std::rethrow_exception(mapped.batch->errors.at(1));
  } catch (const WorkerDied& error) {
    EXPECT_EQ(error.signal(), std::nullopt);
    EXPECT_EQ(error.exit_code(), 3);
    EXPECT_NE(std::string(error.what()).find("its worker exited with code 3"), std::string::npos)
        << error.what();
  }
  EXPECT_THROW(std::rethrow_exception(mapped.batch->errors.at(2)), TimedOut);
  EXPECT_NE(mapped.batch->ErrorOf(2).find("longer than 1.5 s"), std::string::npos)
      << mapped.batch->ErrorOf(2);
}

}  // namespace
}  // namespace procpool

#include "common/simd_plan.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <limits>

namespace procpool {
namespace {

TEST(QueuePlanTest, NoQueueIsNeededWhereTheFirstStepsAreAll) {
  const QueuePlan plan(7, 7);
  EXPECT_EQ(plan.queues(), 0);
  EXPECT_EQ(plan.Steps(0), 7);
}

TEST(QueuePlanTest, EachQueueGoesAboutTwiceAsFarAndTheLastOneToTheLimit) {
  constexpr std::int32_t kLargest = std::numeric_limits<std::int32_t>::max();
  for (const std::int32_t first : {1, 8, 12, 48}) {
    for (const std::int32_t most : {first + 1, 60, 61, 80, 300, 1000, 1023, 12345, kLargest}) {
      if (most <= first) continue;
      const QueuePlan plan(first, most);
      ASSERT_GT(plan.queues(), 0);
      ASSERT_LE(plan.queues(), QueuePlan::kMostQueues);
      EXPECT_EQ(plan.Steps(0), first);
      EXPECT_EQ(plan.Steps(plan.queues()), most);
      for (int queue = 0; queue < plan.queues(); ++queue) {
        const std::int64_t length = std::int64_t{plan.Steps(queue + 1)} - plan.Steps(queue);
        EXPECT_GT(length, 0);
        if (queue + 1 < plan.queues()) {
          EXPECT_EQ(length, std::int64_t{24} << queue);
        }
        EXPECT_LT(length, (std::int64_t{24} << queue) * 3 / 2);
      }
    }
  }
}

TEST(QueuePlanTest, BlocksAreLongWhereNobodyLeavesAndShortWhereAllDo) {
  QueuePlan plan(12, 3000);
  const int queue = 4;  // 24 * 16 steps
  ASSERT_EQ(plan.Steps(queue + 1) - plan.Steps(queue), 384);
  for (int batch = 0; batch < 1000; ++batch) plan.CountBegun(queue, 24);
  EXPECT_EQ(plan.BlockOf(queue), 384) << "nobody left";
  plan.CountLeft(queue, 24'000);
  EXPECT_EQ(plan.BlockOf(queue), 24) << "all left";
  EXPECT_EQ(plan.BlockOf(0), 24) << "as long as the queue, at most";
}

TEST(QueuePlanTest, LongQueuesDoNotOverflow) {
  QueuePlan plan(12, std::numeric_limits<std::int32_t>::max());
  const int last = plan.queues() - 1;
  plan.CountBegun(last, 1'000'000'000);
  const std::int32_t length = plan.Steps(last + 1) - plan.Steps(last);
  EXPECT_GT(plan.BlockOf(last), 0);
  EXPECT_LE(plan.BlockOf(last), length);
}

}  // namespace
}  // namespace procpool

#include "master/lab/cost_model.h"

#include <gtest/gtest.h>

#include <cmath>
#include <stdexcept>

#include "master/lab/calibration.h"

namespace procpool {
namespace {

std::vector<ChunkSample> Samples(double per_chunk, double per_byte, double per_unit) {
  std::vector<ChunkSample> samples;
  for (const double bytes : {4e3, 6.4e4, 2e6}) {
    for (const double work : {1e3, 2e5, 3e6, 4e7}) {
      samples.push_back({{bytes, work}, per_chunk + per_byte * bytes + per_unit * work});
    }
  }
  return samples;
}

TEST(CostModelTest, FindsTheCostsThatAreThere) {
  const CostModel model = FitCost(Samples(2e-5, 3e-10, 2.5e-9));
  EXPECT_NEAR(model.per_chunk, 2e-5, 1e-9);
  EXPECT_NEAR(model.per_byte, 3e-10, 1e-14);
  EXPECT_NEAR(model.per_unit, 2.5e-9, 1e-13);
  EXPECT_NEAR(model.error, 0, 1e-6);
}

TEST(CostModelTest, AFewDisturbedChunksDoNotMoveIt) {
  std::vector<ChunkSample> samples;
  for (int copy = 0; copy < 10; ++copy) {
    for (const ChunkSample& sample : Samples(2e-5, 3e-10, 2.5e-9)) samples.push_back(sample);
  }
  for (std::size_t i = 0; i < samples.size(); i += 17) samples[i].seconds += 0.01;
  const CostModel model = FitCost(samples);
  EXPECT_NEAR(model.per_unit / 2.5e-9, 1, 0.05);
  EXPECT_LT(model.error, 0.05);
}

TEST(CostModelTest, ATermThatIsNotThereIsLeftOut) {
  const CostModel model = FitCost(Samples(0, 0, 2.5e-9));
  EXPECT_NEAR(model.per_unit, 2.5e-9, 1e-13);
  EXPECT_GE(model.per_chunk, 0);
  EXPECT_GE(model.per_byte, 0);
  // Bytes in proportion to the work: one of the two explains both.
  std::vector<ChunkSample> together;
  for (const double size : {1.0, 3.0, 10.0, 200.0}) {
    together.push_back({{4 * size, 100 * size}, 1e-5 + 1e-6 * size});
  }
  const CostModel collinear = FitCost(together);
  for (const ChunkSample& sample : together) {
    EXPECT_NEAR(collinear.SecondsOf(sample.cost), sample.seconds, 1e-9);
  }
}

TEST(CostModelTest, TooFewChunksSayNothing) {
  EXPECT_THROW(FitCost({{{1, 1}, 1}, {{2, 2}, 2}}), std::invalid_argument);
}

TEST(SimulateWorkersTest, WorkersTakeWhatIsNext) {
  EXPECT_DOUBLE_EQ(SimulateWorkers({}, {}, 2, 2), 0);
  EXPECT_DOUBLE_EQ(SimulateWorkers({1, 1, 1, 1}, {}, 2, 2), 2);
  EXPECT_DOUBLE_EQ(SimulateWorkers({3, 1, 1, 1}, {}, 2, 2), 3);
  EXPECT_DOUBLE_EQ(SimulateWorkers({1, 1, 1, 3}, {}, 2, 2), 4) << "the long one comes last";
  EXPECT_DOUBLE_EQ(SimulateWorkers({5}, {}, 8, 2), 5);
}

TEST(SimulateWorkersTest, OwnersKeepTheirShare) {
  EXPECT_DOUBLE_EQ(SimulateWorkers({3, 3, 1, 1}, {0, 0, 1, 1}, 2, 2), 6);
  EXPECT_DOUBLE_EQ(SimulateWorkers({3, 3, 1, 1}, {}, 2, 2), 4);
}

TEST(SimulateWorkersTest, WorkersShareTheCpus) {
  EXPECT_DOUBLE_EQ(SimulateWorkers({1, 1, 1, 1}, {}, 4, 2), 2);
  EXPECT_DOUBLE_EQ(SimulateWorkers({1, 2}, {}, 2, 1), 3);
}

TEST(CostsOfTest, EveryRowCountsOnce) {
  const std::vector<double> before{0, 10, 10, 25, 100};
  const Plan plan = MakePlan(4, 2, 2, Schedule::kDynamic);
  const std::vector<ChunkCost> costs = CostsOf(plan, before, 8, 100);
  ASSERT_EQ(costs.size(), 2U);
  EXPECT_DOUBLE_EQ(costs[0].work, 10);
  EXPECT_DOUBLE_EQ(costs[1].work, 90);
  EXPECT_DOUBLE_EQ(costs[0].bytes, 116);
}

TEST(ChunkLadderTest, GoesFromOneAWorkerToTheRows) {
  EXPECT_EQ(ChunkLadder(2, 20), (std::vector<std::uint64_t>{2, 4, 6, 8, 12, 16}));
  EXPECT_EQ(ChunkLadder(8, 5), (std::vector<std::uint64_t>{5}));
}

}  // namespace
}  // namespace procpool

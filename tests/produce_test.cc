// The task `produce` through the pool, over every transport.
#include <gtest/gtest.h>

#include <cstring>

#include "common/pattern.h"
#include "common/produce_payload.h"
#include "master/worker_pool.h"
#include "tests/bytes_job.h"

namespace procpool {
namespace {

std::string ItemText(std::uint64_t bytes, std::uint64_t first) {
  const ProduceItem item{bytes, first};
  return {reinterpret_cast<const char*>(&item), sizeof item};
}

class ProduceTest : public ::testing::TestWithParam<std::string> {};

INSTANTIATE_TEST_SUITE_P(Transports, ProduceTest, ::testing::Values("pipe", "queue", "shm"),
                         [](const auto& param) { return param.param; });

TEST_P(ProduceTest, AnswersWithThePatternAskedFor) {
  WorkerPool pool({.procs = 2, .transport = GetParam()});
  const std::vector<std::uint64_t> sizes{0, 1, 8, 4097, 262'143, 262'144, 262'147, 1'000'003};
  std::vector<std::string> inputs;
  inputs.reserve(sizes.size());
  for (const std::uint64_t size : sizes) inputs.push_back(ItemText(size, 3 * size));
  BytesJob job(kProduceTask, inputs);
  ASSERT_EQ(pool.Run(job, {}).status, JobReport::Status::kDone);
  for (std::size_t i = 0; i < sizes.size(); ++i) {
    EXPECT_EQ(job.outputs[i].size(), sizes[i]);
    EXPECT_TRUE(HasPattern(std::as_bytes(std::span(job.outputs[i])), 3 * sizes[i])) << sizes[i];
  }
}

TEST_P(ProduceTest, RefusesWhatNobodyCanWant) {
  WorkerPool pool({.procs = 1, .transport = GetParam()});
  BytesJob job(kProduceTask, {"short", ItemText(kMaxPayloadBytes + 1, 0)});
  const JobReport report = pool.Run(job, {});
  EXPECT_TRUE(report.all_answered);
  ASSERT_EQ(job.given_up.size(), 2U);
  EXPECT_NE(job.given_up[0].find("16 bytes"), std::string::npos) << job.given_up[0];
}

}  // namespace
}  // namespace procpool

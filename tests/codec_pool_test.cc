// Workers that answer garbage under a codec: found out, killed, and their chunks computed by
// others.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <string>
#include <tuple>
#include <vector>

#include "common/channel_factory.h"
#include "common/codec.h"
#include "common/kernel.h"
#include "common/log.h"
#include "master/rows_job.h"
#include "master/worker_pool.h"
#include "tests/temporary_folder.h"

namespace procpool {
namespace {

Fractal TestFractal() {
  Fractal fractal;
  fractal.real = {AxisRule::kLinear, 300, -1.5, 0.01};
  fractal.imaginary = {AxisRule::kLinear, 200, -1.0, 0.01};
  fractal.constant_re = -0.62772;
  fractal.constant_im = -0.42193;
  fractal.max_iterations = 50;
  return fractal;
}

// A job of rows for the misbehaving worker's task: the context says besides how it shall answer,
// once.
class GarbledJob final : public Job {
 public:
  GarbledJob(RowsJob& job, const std::string& how) : job_(job) {
    const std::span<const std::byte> context = job.context();
    context_.assign(reinterpret_cast<const char*>(context.data()), context.size());
    context_ += how;
  }
  std::string_view task() const override { return "garbled-rows"; }
  std::span<const std::byte> context() const override { return std::as_bytes(std::span(context_)); }
  std::size_t items() const override { return job_.items(); }
  ItemInput Begin(const GivenItem& given) override { return job_.Begin(given); }
  std::optional<std::span<std::byte>> PlaceFor(const GivenItem& given, std::uint64_t offset,
                                               std::uint64_t bytes) override {
    return job_.PlaceFor(given, offset, bytes);
  }
  bool Complete(const GivenItem& given, const ItemResult& result) override {
    return job_.Complete(given, result);
  }
  void Return(const GivenItem& given) override { job_.Return(given); }
  void GiveUp(const GivenUpItem& given_up) override { job_.GiveUp(given_up); }
  std::vector<std::uint64_t> Recheck() override { return job_.Recheck(); }

 private:
  RowsJob& job_;
  std::string context_;
};

class CodecPoolTest : public testing::TestWithParam<std::tuple<Transport, CodecInfo>> {};

TEST_P(CodecPoolTest, AWorkerThatAnswersGarbageIsFoundOut) {
  StartLog("test", "off");
  const auto& [transport, codec] = GetParam();
  const Fractal fractal = TestFractal();
  const Plan plan = MakePlan(fractal.Height(), 10, 2, Schedule::kDynamic);
  WorkerPool pool({.procs = 2,
                   .transport = std::string(transport.name),
                   .worker_program = MISBEHAVING_WORKER,
                   .log_level = "off"});
  const Buffer grid =
      pool.Allocate(std::size_t{4} * fractal.Width() * fractal.Height(), "test grid");
  const auto allocate = [&](std::size_t bytes) { return pool.Allocate(bytes, "payload"); };
  std::vector<std::int32_t> expected(std::size_t{fractal.Width()} * fractal.Height());
  RowsComputer(fractal, *FindKernel("scalar")).Compute(0, expected);
  for (const RowsPayload payload : {RowsPayload::kRows, RowsPayload::kCoords}) {
    for (const std::string how : {"nothing", "noise", "fewer", "endless"}) {
      const TemporaryFolder folder;
      const std::string marker = folder.In("answered");
      std::string garbling = how;
      garbling.append(":").append(marker);
      RowsJob rows(
          fractal, plan, grid,
          {.kernel = "scalar", .payload = payload, .codec = codec.id, .allocate = allocate});
      GarbledJob job(rows, garbling);
      const JobReport report = pool.Run(job, {});
      EXPECT_TRUE(std::filesystem::exists(marker)) << "no worker answered " << how;
      EXPECT_EQ(report.status, JobReport::Status::kDone) << report.error;
      EXPECT_GE(report.retries, 1U) << how;  // what was queued behind it goes back too
      EXPECT_EQ(report.warnings.size(), 1U) << how;
      EXPECT_TRUE(std::ranges::equal(grid.as<std::int32_t>(), expected)) << how;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Transports, CodecPoolTest,
                         testing::Combine(testing::ValuesIn(Transports()),
                                          testing::ValuesIn(Codecs().subspan(1))),
                         [](const auto& param) {
                           return std::string(std::get<0>(param.param).name) + "_" +
                                  std::string(std::get<1>(param.param).name);
                         });

}  // namespace
}  // namespace procpool

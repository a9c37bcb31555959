// The verdict: against the expected checksum, and row by row against the serial baseline.
#include <gtest/gtest.h>

#include <algorithm>

#include "common/workload.h"
#include "master/run.h"

namespace procpool {
namespace {

class VerifyTest : public ::testing::Test {
 protected:
  VerifyTest() {
    setup_.workload = LoadWorkload("mandelbrot-workshop");
    setup_.kernel = *FindKernel("scalar");
    const Fractal& fractal = setup_.workload.fractal;
    result_.grid = Buffer::Private(std::size_t{fractal.Width()} * fractal.Height() * 4);
    RowsComputer(fractal, setup_.kernel).Compute(0, Grid());
    Sum();
  }
  std::span<std::int32_t> Grid() { return result_.grid.as<std::int32_t>(); }
  void Sum() {
    result_.checksum = ChecksumOf(Grid());
    result_.has_checksum = true;
  }

  RunSetup setup_;
  RunResult result_;
};

TEST_F(VerifyTest, AGoodGridIsVerifiedEitherWay) {
  for (const VerifyMode mode : {VerifyMode::kAuto, VerifyMode::kExpected, VerifyMode::kSerial}) {
    setup_.options.verify = mode;
    Verify(setup_, result_);
    EXPECT_EQ(result_.verified, true);
    EXPECT_EQ(ExitCode(result_.status), 0);
  }
}

TEST_F(VerifyTest, SerialNamesTheFirstRowAndColumnThatDiffer) {
  Grid()[17 * 256 + 42] += 1;
  Grid()[200 * 256 + 3] += 1;
  Sum();
  setup_.options.verify = VerifyMode::kSerial;
  Verify(setup_, result_);
  EXPECT_EQ(result_.verified, false);
  EXPECT_EQ(ExitCode(result_.status), 3);
  EXPECT_NE(result_.verdict.find("row 17, column 42"), std::string::npos) << result_.verdict;
}

TEST_F(VerifyTest, TwoRowsSwappedKeepTheSumButNotTheDigest) {
  const std::int64_t sum = result_.checksum.sum;
  const auto row = [&](std::size_t number) { return Grid().subspan(number * 256, 256); };
  std::ranges::swap_ranges(row(100), row(120));
  Sum();
  EXPECT_EQ(result_.checksum.sum, sum);
  Verify(setup_, result_);
  EXPECT_EQ(result_.verified, false);
  EXPECT_EQ(ExitCode(result_.status), 3);
}

TEST_F(VerifyTest, NothingToVerifyAgainstIsNoError) {
  setup_.workload.expected.reset();
  Verify(setup_, result_);
  EXPECT_EQ(result_.verified, std::nullopt);
  EXPECT_EQ(ExitCode(result_.status), 0);
}

TEST_F(VerifyTest, AnIncompleteGridIsNotVerified) {
  result_.status = RunStatus::kFailed;
  Verify(setup_, result_);
  EXPECT_EQ(result_.verified, std::nullopt);
  EXPECT_EQ(ExitCode(result_.status), 1);
}

}  // namespace
}  // namespace procpool

// The built-in workloads give the sums and digests that their documents' own arithmetic gives.
#include <gtest/gtest.h>

#include <algorithm>
#include <iterator>
#include <string>
#include <vector>

#include "common/checksum.h"
#include "common/kernel.h"
#include "common/workload.h"

namespace procpool {
namespace {

std::vector<std::int32_t> Grid(const Fractal& fractal, std::string_view kernel) {
  std::vector<std::int32_t> grid(std::size_t{fractal.Width()} * fractal.Height());
  RowsComputer(fractal, *FindKernel(kernel)).Compute(0, grid);
  return grid;
}

struct Golden {
  const char* name;
  std::int64_t sum;
  const char* digest;
  bool small;  // enough for the slow kernels
};

// Computed independently, with the documents' own arithmetic in Python and numpy.
constexpr Golden kGoldens[] = {
    {"julia-book", 33219980, "71671ef53dd68165", true},
    {"julia-linear", 33219980, "b90fac353fac54cf", true},
    {"mandelbrot-europython", 1148485, "8c0b03b9e67234f3", true},
    {"julia-lesson", 201485062, "380c8427ad0b83e1", false},
    {"julia-lesson-parallel", 211505951, "79f0f9b5a18fd767", false},
    {"mandelbrot-workshop", 3050149, "513969b5f4623b3e", true},
    {"mandelbrot-workshop-zoom", 5295457, "8b711269d47c7c28", true},
};

void ExpectChecksum(const Fractal& fractal, std::string_view kernel, std::int64_t sum,
                    std::string_view digest) {
  const Checksum checksum = ChecksumOf(Grid(fractal, kernel));
  EXPECT_EQ(checksum.sum, sum) << kernel;
  EXPECT_EQ(HexDigest(checksum.digest), digest) << kernel;
}

class BuiltinWorkload : public testing::TestWithParam<Golden> {};

TEST_P(BuiltinWorkload, GivesItsSumAndDigest) {
  const Golden& golden = GetParam();
  const Workload workload = LoadWorkload(golden.name);
  EXPECT_EQ(workload.name, golden.name);
  EXPECT_FALSE(workload.description.empty());
  ASSERT_TRUE(workload.expected);
  EXPECT_EQ(workload.expected->sum, golden.sum);
  EXPECT_EQ(HexDigest(workload.expected->digest), golden.digest);
  for (const Kernel& kernel : Kernels()) {
    const bool slow = kernel.name == "complex" || kernel.name == "vector";
    if (kernel.name == "none" || (slow && !golden.small)) continue;
    ExpectChecksum(workload.fractal, kernel.name, golden.sum, golden.digest);
  }
}

INSTANTIATE_TEST_SUITE_P(All, BuiltinWorkload, testing::ValuesIn(kGoldens), [](const auto& golden) {
  std::string name = golden.param.name;
  std::ranges::replace(name, '-', '_');
  return name;
});

TEST(BuiltinWorkloads, AreListedWithDescriptions) {
  const auto workloads = BuiltinWorkloads();
  EXPECT_EQ(workloads.size(), std::size(kGoldens));
  for (const Golden& golden : kGoldens) {
    EXPECT_EQ(std::ranges::count(workloads, golden.name, [](const auto& w) { return w.first; }), 1);
  }
}

TEST(BuiltinWorkloads, TheTrainingsProfileIsMet) {
  Fractal fractal = LoadWorkload("mandelbrot-europython").fractal;
  fractal.never = NeverValue::kMaxIterations;
  std::int64_t steps = 0;
  std::int64_t escaped = 0;
  for (const std::int32_t count : Grid(fractal, "auto")) {
    escaped += count < fractal.max_iterations ? 1 : 0;
    steps += count < fractal.max_iterations ? count + 1 : count;
  }
  EXPECT_EQ(steps, 51'414'419);
  EXPECT_EQ(escaped, 199'934);
}

TEST(BuiltinWorkloads, OneTenthOfTheBooksPointsNeverEscapes) {
  const auto grid = Grid(LoadWorkload("julia-book").fractal, "auto");
  EXPECT_EQ(std::ranges::count(grid, 300), 100'321);
}

TEST(BuiltinWorkloads, TheLessonOn400Points) {
  const WorkloadOverrides smaller{.width = 400, .height = 400};
  for (const char* kernel : {"scalar", "complex"}) {
    ExpectChecksum(LoadWorkload("julia-lesson", smaller).fractal, kernel, 2015444,
                   "7897b3bea423bef4");
    ExpectChecksum(LoadWorkload("julia-lesson-parallel", smaller).fractal, kernel, 2114818,
                   "1f9b24b3b4494811");
  }
  WorkloadOverrides other_constant = smaller;
  other_constant.constant = {-0.83, -0.22};
  ExpectChecksum(LoadWorkload("julia-lesson", other_constant).fractal, "scalar", 2114818,
                 "1f9b24b3b4494811");
}

}  // namespace
}  // namespace procpool

#include "master/lab/statistics.h"

#include <gtest/gtest.h>

#include <numeric>
#include <stdexcept>

namespace procpool {
namespace {

std::vector<double> UpTo(int n) {
  std::vector<double> numbers(static_cast<std::size_t>(n));
  std::iota(numbers.begin(), numbers.end(), 1.0);
  return numbers;
}

TEST(StatisticsTest, QuantilesAreThoseOfNumpy) {
  const std::vector<double> sorted{1, 2, 4, 8};
  EXPECT_DOUBLE_EQ(Quantile(sorted, 0), 1);
  EXPECT_DOUBLE_EQ(Quantile(sorted, 0.5), 3);
  EXPECT_DOUBLE_EQ(Quantile(sorted, 0.9), 6.8);
  EXPECT_DOUBLE_EQ(Quantile(sorted, 1), 8);
  EXPECT_DOUBLE_EQ(Median({8, 1, 4}), 4);
}

// The ranks are those of the tables of the sign test: n = 6 → 1st and 6th, 9 → 2nd and 8th,
// 21 → 6th and 16th, 100 → 40th and 61st.
TEST(StatisticsTest, TheMediansIntervalLiesBetweenTheRanksOfTheSignTest) {
  const auto ranks = [](int n) {
    const Interval interval = MedianInterval(UpTo(n));
    return std::tuple(interval.low, interval.high, interval.confident);
  };
  EXPECT_EQ(ranks(1), std::tuple(1, 1, false));
  EXPECT_EQ(ranks(5), std::tuple(1, 5, false));
  EXPECT_EQ(ranks(6), std::tuple(1, 6, true));
  EXPECT_EQ(ranks(9), std::tuple(2, 8, true));
  EXPECT_EQ(ranks(21), std::tuple(6, 16, true));
  EXPECT_EQ(ranks(100), std::tuple(40, 61, true));
  EXPECT_NEAR(MedianInterval(UpTo(20001)).low, 10001 - 0.5 * 1.96 * 141.4, 2);
}

TEST(StatisticsTest, PairsCancelWhatBothShare) {
  const Interval ratio = PairedRatio({2, 20, 200, 2, 20, 200}, {1, 10, 100, 1, 10, 100});
  EXPECT_DOUBLE_EQ(ratio.estimate, 2);
  EXPECT_DOUBLE_EQ(ratio.low, 2);
  EXPECT_DOUBLE_EQ(ratio.high, 2);
  EXPECT_FALSE(ratio.Contains(1));
  EXPECT_DOUBLE_EQ(PairedDifference({3, 5}, {1, 1}).estimate, 3);
  EXPECT_THROW(PairedRatio({1}, {1, 2}), std::invalid_argument);
}

TEST(StatisticsTest, NothingCannotBeSummarised) {
  EXPECT_THROW(MedianInterval({}), std::invalid_argument);
  EXPECT_THROW(PercentilesOf({}), std::invalid_argument);
  EXPECT_THROW(Mean({}), std::invalid_argument);
}

TEST(StatisticsTest, PercentilesAndSpread) {
  const Percentiles percentiles = PercentilesOf(UpTo(1001));
  EXPECT_DOUBLE_EQ(percentiles.least, 1);
  EXPECT_DOUBLE_EQ(percentiles.p50, 501);
  EXPECT_DOUBLE_EQ(percentiles.p99, 991);
  EXPECT_DOUBLE_EQ(percentiles.p999, 1000);
  EXPECT_DOUBLE_EQ(percentiles.greatest, 1001);
  EXPECT_NEAR(RelativeSpread(UpTo(1001)), 500.0 / 501, 1e-12);
  EXPECT_DOUBLE_EQ(Mean({1, 2, 6}), 3);
  EXPECT_DOUBLE_EQ(Deviation({2, 4, 4, 4, 5, 5, 7, 9}), 2);
}

TEST(StatisticsTest, LeastSquaresFindsWhatThereIs) {
  std::vector<std::vector<double>> x;
  std::vector<double> y;
  for (const double bytes : {1e3, 4e3, 6e4, 5e5}) {
    for (const double steps : {1e6, 7e6, 3e8}) {
      x.push_back({1, bytes, steps});
      y.push_back(2e-5 + 3e-10 * bytes + 4e-9 * steps);
    }
  }
  const std::vector<double> found = LeastSquares(x, y);
  EXPECT_NEAR(found[0], 2e-5, 1e-10);
  EXPECT_NEAR(found[1], 3e-10, 1e-15);
  EXPECT_NEAR(found[2], 4e-9, 1e-15);
  EXPECT_THROW(LeastSquares({{1, 2}, {1, 2}}, {1, 1}), std::invalid_argument);
  EXPECT_THROW(LeastSquares({}, {}), std::invalid_argument);
}

}  // namespace
}  // namespace procpool

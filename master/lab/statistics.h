// What is said of repeated measurements. Pure; unit-free.
//
// Medians come with an interval that assumes nothing about the distribution: between two order
// statistics, chosen so that the median lies between them with at least 95 % probability (the
// binomial argument of the sign test). With fewer than 6 samples there is no such pair; then the
// interval is from the least to the greatest, and `confident` is false.
#pragma once

#include <cstddef>
#include <vector>

namespace procpool {

struct Interval {
  double estimate = 0;  ///< the median
  double low = 0;
  double high = 0;
  bool confident = false;  ///< 95 %

  bool Contains(double value) const { return low <= value && value <= high; }
};

/// 0 ≤ q ≤ 1, linear between neighbours (Hyndman and Fan's type 7, as numpy does). `sorted` must be
/// sorted and not empty.
double Quantile(const std::vector<double>& sorted, double q);
double Median(std::vector<double> samples);

/// Throws std::invalid_argument without samples.
Interval MedianInterval(std::vector<double> samples);
/// Median of a[i] / b[i]: both measured in the same round, so that what disturbed the round drops
/// out.
Interval PairedRatio(const std::vector<double>& a, const std::vector<double>& b);
/// Median of a[i] - b[i].
Interval PairedDifference(const std::vector<double>& a, const std::vector<double>& b);

struct Percentiles {
  std::size_t count = 0;
  double least = 0, p25 = 0, p50 = 0, p75 = 0, p90 = 0, p99 = 0, p999 = 0, greatest = 0;
};
/// Throws std::invalid_argument without samples.
Percentiles PercentilesOf(std::vector<double> samples);

/// (p75 - p25) / p50: how much of the median the middle half of the samples spans.
double RelativeSpread(const std::vector<double>& samples);

double Mean(const std::vector<double>& samples);
/// Standard deviation of the samples themselves (n, not n − 1), as Python's timeit shows it.
double Deviation(const std::vector<double>& samples);

/// Least squares y = coefficients · x, where each row of `x` holds one measurement's terms (a
/// leading 1 for the constant). Negative coefficients are not forbidden. Throws
/// std::invalid_argument if the system has no single solution.
std::vector<double> LeastSquares(const std::vector<std::vector<double>>& x,
                                 const std::vector<double>& y);

}  // namespace procpool

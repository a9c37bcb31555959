#include "master/lab/statistics.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <stdexcept>
#include <utility>

namespace procpool {
namespace {

void RequireSamples(const std::vector<double>& samples) {
  if (samples.empty()) throw std::invalid_argument("there is nothing to summarise");
}

// The greatest k with P(Binomial(n, 1/2) < k) ≤ 0.025: between the k-th least and the k-th greatest
// sample lies the median with at least 95 %. 0: there is none.
std::size_t RankOfInterval(std::size_t n) {
  // The terms of the binomial distribution from 0 upwards, as logarithms, so that no n is too
  // large.
  double below = 0;
  double log_term = -static_cast<double>(n) * std::log(2.0);
  std::size_t k = 0;
  for (; k < n / 2 + 1; ++k) {
    below += std::exp(log_term);
    if (below > 0.025) break;
    log_term += std::log(static_cast<double>(n - k)) - std::log(static_cast<double>(k + 1));
  }
  return k;
}

template <typename Combine>
Interval Paired(const std::vector<double>& a, const std::vector<double>& b, Combine combine) {
  if (a.size() != b.size()) throw std::invalid_argument("the samples are not pairs");
  std::vector<double> combined(a.size());
  std::ranges::transform(a, b, combined.begin(), combine);
  return MedianInterval(std::move(combined));
}

}  // namespace

double Quantile(const std::vector<double>& sorted, double q) {
  const double position = q * static_cast<double>(sorted.size() - 1);
  const auto low = static_cast<std::size_t>(position);
  const std::size_t high = std::min(low + 1, sorted.size() - 1);
  return std::lerp(sorted[low], sorted[high], position - static_cast<double>(low));
}

double Median(std::vector<double> samples) {
  RequireSamples(samples);
  std::ranges::sort(samples);
  return Quantile(samples, 0.5);
}

Interval MedianInterval(std::vector<double> samples) {
  RequireSamples(samples);
  std::ranges::sort(samples);
  const std::size_t rank = RankOfInterval(samples.size());
  if (rank == 0) return {Quantile(samples, 0.5), samples.front(), samples.back(), false};
  return {Quantile(samples, 0.5), samples[rank - 1], samples[samples.size() - rank], true};
}

Interval PairedRatio(const std::vector<double>& a, const std::vector<double>& b) {
  return Paired(a, b, [](double x, double y) { return x / y; });
}

Interval PairedDifference(const std::vector<double>& a, const std::vector<double>& b) {
  return Paired(a, b, [](double x, double y) { return x - y; });
}

Percentiles PercentilesOf(std::vector<double> samples) {
  RequireSamples(samples);
  std::ranges::sort(samples);
  return {.count = samples.size(),
          .least = samples.front(),
          .p25 = Quantile(samples, 0.25),
          .p50 = Quantile(samples, 0.5),
          .p75 = Quantile(samples, 0.75),
          .p90 = Quantile(samples, 0.9),
          .p99 = Quantile(samples, 0.99),
          .p999 = Quantile(samples, 0.999),
          .greatest = samples.back()};
}

double RelativeSpread(const std::vector<double>& samples) {
  const Percentiles percentiles = PercentilesOf(samples);
  return percentiles.p50 != 0 ? (percentiles.p75 - percentiles.p25) / percentiles.p50 : 0;
}

double Mean(const std::vector<double>& samples) {
  RequireSamples(samples);
  return std::accumulate(samples.begin(), samples.end(), 0.0) / static_cast<double>(samples.size());
}

double Deviation(const std::vector<double>& samples) {
  const double mean = Mean(samples);
  double squares = 0;
  for (const double sample : samples) squares += (sample - mean) * (sample - mean);
  return std::sqrt(squares / static_cast<double>(samples.size()));
}

// Normal equations, solved by elimination with pivoting; each column is scaled to length 1 first,
// for the terms may differ by many orders of magnitude (1, bytes, steps).
std::vector<double> LeastSquares(const std::vector<std::vector<double>>& x,
                                 const std::vector<double>& y) {
  constexpr double kSingular = 1e-12;
  constexpr std::size_t kMostTerms = 16;
  if (x.empty() || x.size() != y.size()) throw std::invalid_argument("nothing to fit");
  const std::size_t terms = x.front().size();
  if (terms == 0 || terms > kMostTerms) throw std::invalid_argument("no term, or too many");
  std::vector<double> scale(terms, 0);
  for (const auto& row : x) {
    for (std::size_t i = 0; i < terms; ++i) scale[i] += row[i] * row[i];
  }
  for (double& length : scale) {
    length = std::sqrt(length);
    if (length == 0) throw std::invalid_argument("a term is always zero");
  }
  std::vector<std::vector<double>> a(terms, std::vector<double>(terms + 1, 0));
  for (std::size_t row = 0; row < x.size(); ++row) {
    for (std::size_t i = 0; i < terms; ++i) {
      const double xi = x[row][i] / scale[i];
      for (std::size_t j = 0; j < terms; ++j) a[i][j] += xi * x[row][j] / scale[j];
      a[i][terms] += xi * y[row];
    }
  }
  for (std::size_t pivot = 0; pivot < terms; ++pivot) {
    std::size_t best = pivot;
    for (std::size_t i = pivot; i < terms; ++i) {
      if (std::abs(a[i][pivot]) > std::abs(a[best][pivot])) best = i;
    }
    std::swap(a[pivot], a[best]);
    if (std::abs(a[pivot][pivot]) < kSingular) {
      throw std::invalid_argument("the terms cannot be told apart");
    }
    for (std::size_t i = 0; i < terms; ++i) {
      if (i == pivot) continue;
      const double factor = a[i][pivot] / a[pivot][pivot];
      for (std::size_t j = pivot; j <= terms; ++j) a[i][j] -= factor * a[pivot][j];
    }
  }
  std::vector<double> coefficients(terms);
  for (std::size_t i = 0; i < terms; ++i) coefficients[i] = a[i][terms] / a[i][i] / scale[i];
  return coefficients;
}

}  // namespace procpool

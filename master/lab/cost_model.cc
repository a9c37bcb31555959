#include "master/lab/cost_model.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <stdexcept>

#include "master/lab/statistics.h"

namespace procpool {
namespace {

constexpr std::size_t kTerms = 3;
using Terms = std::array<double, kTerms>;

Terms TermsOf(const ChunkSample& sample) {
  return {1, sample.cost.bytes, sample.cost.work};
}

// Coefficients of the terms in use, weighted with 1 / expected[i]; the others are 0.
Terms Fit(const std::vector<ChunkSample>& samples, const std::vector<double>& expected,
          const std::vector<std::size_t>& used) {
  std::vector<std::vector<double>> x;
  std::vector<double> y;
  for (std::size_t i = 0; i < samples.size(); ++i) {
    std::vector<double> row;
    row.reserve(used.size());
    for (const std::size_t term : used) row.push_back(TermsOf(samples[i])[term] / expected[i]);
    x.push_back(std::move(row));
    y.push_back(samples[i].seconds / expected[i]);
  }
  const std::vector<double> found = LeastSquares(x, y);
  Terms coefficients{};
  for (std::size_t i = 0; i < used.size(); ++i) coefficients[used[i]] = found[i];
  return coefficients;
}

Terms FitPositive(const std::vector<ChunkSample>& samples, const std::vector<double>& expected) {
  std::vector<std::size_t> used{0, 1, 2};
  while (!used.empty()) {
    try {
      const Terms terms = Fit(samples, expected, used);
      const auto least =
          std::ranges::min_element(used, {}, [&](std::size_t term) { return terms[term]; });
      if (terms[*least] >= 0) return terms;
      used.erase(least);
    } catch (const std::invalid_argument&) {
      // Bytes that grow with the chunk as its work does cannot be told from it.
      used.erase(used.size() > 1 ? used.begin() + 1 : used.begin());
    }
  }
  return {};
}

}  // namespace

CostModel FitCost(const std::vector<ChunkSample>& all) {
  std::vector<ChunkSample> samples;
  std::ranges::copy_if(all, std::back_inserter(samples),
                       [](const ChunkSample& sample) { return sample.seconds > 0; });
  if (samples.size() < kTerms) throw std::invalid_argument("too few chunks to fit their cost");
  constexpr int kIterations = 10;
  constexpr double kUsualError = 0.1;
  std::vector<double> expected;
  expected.reserve(samples.size());
  for (const ChunkSample& sample : samples) expected.push_back(sample.seconds);
  CostModel model;
  for (int iteration = 0; iteration < kIterations; ++iteration) {
    const Terms terms = FitPositive(samples, expected);
    model = {terms[0], terms[1], terms[2]};
    for (std::size_t i = 0; i < samples.size(); ++i) {
      const double predicted = model.SecondsOf(samples[i].cost);
      if (predicted <= 0) continue;
      // What is off by more than so much gets less weight the more it is off (Huber's weights).
      const double off = std::abs(samples[i].seconds - predicted) / predicted / kUsualError;
      expected[i] = predicted * std::sqrt(std::max(1.0, off));
    }
  }
  std::vector<double> errors;
  errors.reserve(samples.size());
  for (const ChunkSample& sample : samples) {
    errors.push_back(std::abs(model.SecondsOf(sample.cost) - sample.seconds) / sample.seconds);
  }
  model.error = Median(std::move(errors));
  return model;
}

double SimulateWorkers(const std::vector<double>& chunk_seconds,
                       const std::vector<unsigned>& owners, unsigned procs, unsigned cpus) {
  struct Worker {
    double left = 0;       // of its chunk
    std::size_t next = 0;  // with owners: where it looks for its next chunk
    bool busy = false;
  };
  std::vector<Worker> workers(procs);
  std::size_t fresh = 0;
  const auto take = [&](unsigned index) {
    Worker& worker = workers[index];
    std::size_t& at = owners.empty() ? fresh : worker.next;
    while (!owners.empty() && at < owners.size() && owners[at] != index) ++at;
    worker.busy = at < chunk_seconds.size();
    if (worker.busy) worker.left = chunk_seconds[at++];
  };
  for (unsigned index = 0; index < procs; ++index) take(index);
  double now = 0;
  for (;;) {
    const auto busy = std::ranges::count_if(workers, &Worker::busy);
    if (busy == 0) return now;
    double least = std::numeric_limits<double>::infinity();
    for (const Worker& worker : workers) {
      if (worker.busy) least = std::min(least, worker.left);
    }
    const double slowdown = std::max(1.0, static_cast<double>(busy) / cpus);
    now += least * slowdown;
    for (unsigned index = 0; index < procs; ++index) {
      if (!workers[index].busy) continue;
      workers[index].left -= least;
      if (workers[index].left <= 0) take(index);
    }
  }
}

std::vector<ChunkCost> CostsOf(const Plan& plan, const std::vector<double>& work_before,
                               double bytes_per_row, double bytes_per_chunk) {
  std::vector<ChunkCost> costs;
  for (const Chunk& chunk : plan.chunks) {
    costs.push_back({bytes_per_chunk + bytes_per_row * static_cast<double>(chunk.rows),
                     work_before[chunk.first_row + chunk.rows] - work_before[chunk.first_row]});
  }
  return costs;
}

}  // namespace procpool

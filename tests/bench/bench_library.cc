// The library's side of tests/bench/beside_multiprocessing.py: reads names of cases from standard
// input, does each once, and writes how many seconds it took.
//
//   bench_library [wait mode [transport]]
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <functional>
#include <iostream>
#include <map>
#include <numeric>
#include <stdexcept>
#include <string>
#include <vector>

#include <procpool/pool.h>
#include <procpool/worker.h>

namespace {

const procpool::Task square{
    "square", [](int x) {
      const auto factor = static_cast<unsigned>(x);  // whose products may be too large for an int
      return static_cast<int>(factor * factor);
    }};
const procpool::Task sum{"sum", [](std::span<const double> values) {
                           return std::accumulate(values.begin(), values.end(), 0.0);
                         }};
const procpool::Task length{"length", [](std::span<const double> values) { return values.size(); }};

void Require(bool right) {
  if (!right) throw std::logic_error("a result is wrong");
}

// The same calls as in the Python program.
std::map<std::string, std::function<void()>> Cases(const procpool::Pool& pool) {
  static std::vector<int> numbers(1'000'000);
  std::iota(numbers.begin(), numbers.end(), 0);
  static const std::vector<std::vector<double>> rows(64, std::vector<double>(131'072, 0.5));
  static std::vector<double> copy(131'072);
  return {
      {"map", [&] { Require(pool.map(square, numbers)[1000] == 1'000'000); }},
      {"map_one_by_one",
       [&] { Require(pool.with({.chunk_size = 1}).map(square, numbers)[1000] == 1'000'000); }},
      {"apply",
       [&] {
         for (int i = 0; i < 1000; ++i) Require(pool.apply(square, i) == i * i);
       }},
      {"apply_async",
       [&] {
         std::vector<procpool::Future<int>> futures;
         futures.reserve(10'000);
         for (int i = 0; i < 10'000; ++i) futures.push_back(pool.apply_async(square, i));
         for (int i = 0; i < 10'000; ++i)
           Require(futures[static_cast<std::size_t>(i)].get() == i * i);
       }},
      {"imap",
       [&] {
         unsigned count = 0;
         for (const int value : pool.imap(square, std::views::iota(0, 100'000))) {
           Require(static_cast<unsigned>(value) == count * count);
           ++count;
         }
       }},
      {"imap_by_hundreds",
       [&] {
         for ([[maybe_unused]] const int value :
              pool.with({.chunk_size = 100}).imap(square, std::views::iota(0, 100'000))) {
         }
       }},
      {"spans", [&] { Require(pool.map(sum, rows)[63] == 65'536); }},
      {"spans_unread", [&] { Require(pool.map(length, rows)[63] == 131'072); }},
      // What the first placement of these spans costs at least.
      {"spans_memcpy",
       [&] {
         for (const auto& row : rows) {
           std::ranges::copy(row, copy.begin());
           asm volatile("" : : "r"(copy.data()) : "memory");
         }
       }},
  };
}

}  // namespace

int main(int argc, char** argv) {
  procpool::worker_main_if_asked(argc, argv);
  procpool::PoolOptions options{.workers = 2};
  if (argc > 1) options.wait = argv[1];
  if (argc > 2) options.transport = argv[2];
  const procpool::Pool pool(options);
  const auto cases = Cases(pool);
  for (std::string name; std::getline(std::cin, name);) {
    const auto found = cases.find(name);
    if (found == cases.end()) {
      std::fprintf(stderr, "bench_library: there is no case '%s'\n", name.c_str());
      return 2;
    }
    const auto begun = std::chrono::steady_clock::now();
    found->second();
    const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - begun;
    std::printf("%.9f\n", seconds.count());
    std::fflush(stdout);
  }
}

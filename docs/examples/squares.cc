// The ways to call a task: all of a range, one by one, in a future, with several arguments.
#include <cstdio>
#include <numeric>
#include <ranges>
#include <utility>
#include <vector>

#include <procpool/pool.h>
#include <procpool/worker.h>

const procpool::Task square{"square", [](int x) { return x * x; }};
const procpool::Task power{"power", [](int base, int exponent) {
                             int result = 1;
                             for (; exponent > 0; --exponent) result *= base;
                             return result;
                           }};

int main(int argc, char** argv) {
  procpool::worker_main_if_asked(argc, argv);  // the workers are this program, started again
  procpool::Pool pool({.workers = 2});

  const std::vector<int> squares = pool.map(square, std::views::iota(0, 10));
  std::printf("map        ");
  for (const int value : squares) std::printf(" %d", value);

  procpool::Future<std::vector<int>> later = pool.map_async(square, std::vector{10, 20, 30});
  std::printf("\nmap_async   is on its way; ");  // this program goes on meanwhile
  const std::vector<int> values = later.get();
  std::printf("the sum is %d", std::accumulate(values.begin(), values.end(), 0));

  std::printf("\nstarmap    ");
  const std::vector<std::pair<int, int>> pairs{{2, 10}, {3, 4}, {10, 3}};
  for (const int value : pool.starmap(power, pairs)) std::printf(" %d", value);

  std::printf("\nimap       ");  // the range has no end: elements are taken as results are
  for (const int value : pool.imap(square, std::views::iota(1))) {
    if (value > 100) break;
    std::printf(" %d", value);
  }

  std::printf("\napply       %d\n", pool.apply(power, 2, 16));
}

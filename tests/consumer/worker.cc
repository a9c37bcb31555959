// The worker of two_programs.
#include <procpool/worker.h>

#include <numeric>

#include "tasks.h"

int main(int argc, char** argv) {
  procpool::define(square, [](int x) { return x * x; });
  procpool::define(sum, [](const std::vector<double>& numbers) {
    return std::accumulate(numbers.begin(), numbers.end(), 0.0);
  });
  procpool::define(repeat, [](std::string_view text, int times) {
    std::string all;
    for (int i = 0; i < times; ++i) all += text;
    return all;
  });
  return procpool::worker_main(argc, argv);
}

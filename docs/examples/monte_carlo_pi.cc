// Estimates pi by points in a square, again and again with other points, and says how sure it is.
//
//   monte_carlo_pi [WORKERS]     the result is the same, however many there are
//
// All estimates use one table of points that lie evenly, each time shifted by an amount of its own.
// To compute the table takes longer than to use it: each worker does it once, in the initializer.
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <random>
#include <ranges>
#include <vector>

#include <procpool/pool.h>
#include <procpool/worker.h>

struct Point {
  std::uint32_t x, y;  // parts of 2^32
};

std::vector<Point> table;  // of this process: the program's own stays empty

constexpr std::uint64_t kPoints = 1 << 18;
constexpr int kEstimates = 64;

// The last 20 or 32 digits of `number` in base 3 or 2, mirrored behind the point.
std::uint32_t Mirrored(std::uint64_t number, std::uint64_t base) {
  std::uint64_t value = 0;
  std::uint64_t whole = 1;
  for (; whole * base <= std::uint64_t{1} << 32; whole *= base, number /= base) {
    value = value * base + number % base;
  }
  return static_cast<std::uint32_t>((value << 32) / whole);
}

const procpool::Task make_table{"make_table", [](std::uint64_t points) {
                                  table.reserve(points);
                                  for (std::uint64_t i = 0; i < points; ++i)
                                    table.push_back({Mirrored(i, 2), Mirrored(i, 3)});
                                }};

// How many of the points, shifted as the seed says, lie in the quarter of the circle. In whole
// numbers: there is nothing to round, so each machine counts the same.
const procpool::Task count_inside{"count_inside", [](std::uint64_t seed) {
                                    std::mt19937_64 random(seed);
                                    const auto dx = static_cast<std::uint32_t>(random());
                                    const auto dy = static_cast<std::uint32_t>(random());
                                    std::uint64_t inside = 0;
                                    for (const Point& point : table) {
                                      const std::uint64_t x = (point.x + dx) >> 1;
                                      const std::uint64_t y = (point.y + dy) >> 1;
                                      if (x * x + y * y < std::uint64_t{1} << 62) ++inside;
                                    }
                                    return inside;
                                  }};

int main(int argc, char** argv) {
  procpool::worker_main_if_asked(argc, argv);
  const long workers = argc < 2 ? 4 : std::strtol(argv[1], nullptr, 10);
  if (argc > 2 || workers < 1 || workers > 1000) {
    std::fprintf(stderr, "usage: monte_carlo_pi [WORKERS]\n");
    return 2;
  }

  procpool::Pool pool({.workers = static_cast<std::size_t>(workers), .statistics = true},
                      make_table, kPoints);
  const auto seeds = std::views::iota(std::uint64_t{1}, std::uint64_t{kEstimates + 1});
  double sum = 0;
  double squares = 0;
  for (const std::uint64_t inside : pool.map(count_inside, seeds)) {
    const double pi = 4 * static_cast<double>(inside) / static_cast<double>(kPoints);
    sum += pi;
    squares += pi * pi;
  }
  const double mean = sum / kEstimates;
  const double spread = std::sqrt((squares / kEstimates - mean * mean) / (kEstimates - 1));
  std::printf("%d estimates from %d points each\n", kEstimates, static_cast<int>(kPoints));
  std::printf("pi is %.6f, give or take %.6f\n\n", mean, spread);
  std::printf("%s", pool.statistics().text().c_str());
}

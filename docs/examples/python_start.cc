#include <cstdio>
#include <vector>

#include <procpool/pool.h>
#include <procpool/worker.h>

int CountPrimes(int limit) {
  int count = 0;
  for (int n = 2; n < limit; ++n) {
    bool prime = true;
    for (int d = 2; d * d <= n && prime; ++d) prime = n % d != 0;
    count += prime;
  }
  return count;
}

const procpool::Task count_primes{"count_primes", CountPrimes};

int main(int argc, char** argv) {
  procpool::worker_main_if_asked(argc, argv);
  procpool::Pool pool({.workers = 4});
  for (const int count : pool.map(count_primes, std::vector{10, 100, 1000, 10000})) {
    std::printf("%d\n", count);
  }
}

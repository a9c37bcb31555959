// A program that should be its own worker and does not say so: it must neither hang nor make
// workers that make workers. Prints the error of its call; exit code 3.
#include <cstdio>

#include <procpool/pool.h>

namespace {

const procpool::Task square{"square", [](int x) { return x * x; }};

}  // namespace

int main() {
  try {
    procpool::Pool pool({.workers = 1});
    return pool.apply(square, 1);
  } catch (const procpool::Error& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 3;
  }
}

// A program whose workers are another one, whose path it is given.
#include <procpool/pool.h>

#include <iostream>
#include <stdexcept>
#include <string>
#include <tuple>
#include <vector>

#include "tasks.h"

namespace {

// The worker has a task of this name, but of another type.
constexpr procpool::Task<std::string(std::string)> mistaken{"square"};

void Require(bool is_so, const std::string& what) {
  if (!is_so) throw std::logic_error(what);
}

void Use(const std::string& worker, const std::string& transport) {
  procpool::Pool pool({.workers = 2, .transport = transport, .worker_program = worker});
  Require(pool.map(square, std::vector{1, 2, 3}) == std::vector{1, 4, 9}, "the squares are right");
  Require(pool.apply(sum, std::vector<double>(100'000, 0.5)) == 50'000.0, "the sum is right");
  const std::vector<std::tuple<std::string, int>> calls{{"ab", 2}, {"c", 3}};
  Require(pool.starmap(repeat, calls) == std::vector<std::string>{"abab", "ccc"},
          "the texts are right");
  try {
    pool.apply(mistaken, "text");
    Require(false, "another type is refused");
  } catch (const procpool::SignatureRefused& error) {
    Require(std::string(error.what()).find("int(int)") != std::string::npos, error.what());
  }
}

}  // namespace

int main(int argc, char** argv) {
  try {
    Require(argc == 2, "usage: two_programs WORKER");
    for (const char* transport : {"shm", "pipe", "queue"}) Use(argv[1], transport);
    std::cout << "two programs: all is well\n";
    return 0;
  } catch (const std::exception& error) {
    std::cerr << "two programs: " << error.what() << '\n';
    return 1;
  }
}

// A program that is its own worker: maps, and sees each kind of error that comes from the library.
#include <procpool/pool.h>
#include <procpool/version.h>
#include <procpool/worker.h>

#include <csignal>
#include <iostream>
#include <numeric>
#include <stdexcept>
#include <string>
#include <vector>

namespace {

const procpool::Task square{"square", [](int x) { return x * x; }};
const procpool::Task fail{"fail",
                          [](const std::string& text) -> int { throw std::out_of_range(text); }};
const procpool::Task die{"die", [] { std::raise(SIGKILL); }};
const procpool::Task fill{"fill", [](procpool::SharedArray<int> part, int value) {
                            for (int& element : part) element = value;
                          }};

void Require(bool is_so, const std::string& what) {
  if (!is_so) throw std::logic_error(what);
}

}  // namespace

int main(int argc, char** argv) {
  procpool::worker_main_if_asked(argc, argv);
  try {
    procpool::Pool pool({.workers = 2, .statistics = true});
    const std::vector<int> squares = pool.map(square, std::views::iota(0, 100));
    Require(std::accumulate(squares.begin(), squares.end(), 0) == 328350, "the squares are right");

    int next = 0;
    for (const int result : pool.imap(square, std::views::iota(0, 50))) {
      Require(result == next * next, "the results come in order");
      ++next;
    }

    const procpool::SharedArray<int> array(1000);
    pool.apply(fill, array, 7);
    Require(array[999] == 7, "a shared array is shared");

    try {
      pool.apply(fail, "no such place");
      Require(false, "a task that throws is an error");
    } catch (const procpool::TaskFailed& error) {
      Require(error.type() == "std::out_of_range" && error.text() == "no such place",
              "the error says what was thrown");
    }
    try {
      pool.apply(die);
      Require(false, "the death of a worker is an error");
    } catch (const procpool::CallError& error) {
      const auto* died = dynamic_cast<const procpool::WorkerDied*>(&error);
      Require(died != nullptr && died->signal() == SIGKILL, "the error says how it died");
    }

    auto text = pool.apply_async(square, 9).then([](int value) { return std::to_string(value); });
    Require(text.get() == "81", "a continuation runs");
    Require(!pool.statistics().text().empty(), "there are statistics");

    pool.close();
    try {
      pool.apply(square, 1);
      Require(false, "a closed pool takes no calls");
    } catch (const procpool::Error& error) {
      Require(dynamic_cast<const procpool::PoolClosed*>(&error) != nullptr, "and says so");
    }
    pool.join();
    std::cout << "own worker, procpool " PROCPOOL_VERSION ": all is well\n";
    return 0;
  } catch (const std::exception& error) {
    std::cerr << "own worker: " << error.what() << '\n';
    return 1;
  }
}

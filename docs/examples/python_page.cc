// All that docs/python.md shows, in one program: what stands there is taken from here (a test
// compares), and what is said there about it is checked here.
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <functional>
#include <future>
#include <map>
#include <numeric>
#include <optional>
#include <ranges>
#include <set>
#include <stdexcept>
#include <string>
#include <thread>
#include <tuple>
#include <utility>
#include <vector>

#include <procpool/cereal.h>
#include <procpool/pool.h>
#include <procpool/worker.h>
#include <cereal/types/map.hpp>
#include <cereal/types/string.hpp>

using namespace std::chrono_literals;

int wrong = 0;

void Expect(bool holds, const char* claim) {
  if (holds) return;
  std::printf("does not hold: %s\n", claim);
  ++wrong;
}

template <typename E, typename F>
bool Throws(const F& call) {
  try {
    call();
  } catch (const E&) {
    return true;
  }
  return false;
}

// ---- tasks

const procpool::Task square{"square", [](int x) { return x * x; }};
const procpool::Task power{"power", [](int base, int exponent) {
                             int result = 1;
                             for (; exponent > 0; --exponent) result *= base;
                             return result;
                           }};

std::string greeting = "nobody said anything";
const procpool::Task remember{"remember", [](const std::string& word) { greeting = word; }};
const procpool::Task recall{"recall", [] { return greeting; }};
const procpool::Task refuse{"refuse", [] { throw std::runtime_error("not today"); }};

const procpool::Task checked_root{"checked_root", [](int x) {
                                    if (x < 0) throw std::domain_error("negative");
                                    if (x > 1'000'000) std::abort();
                                    int root = 0;
                                    while ((root + 1) * (root + 1) <= x) ++root;
                                    return root;
                                  }};
const procpool::Task sleep_for{
    "sleep_for", [](int milliseconds) {
      std::this_thread::sleep_for(std::chrono::milliseconds(milliseconds));
      return milliseconds;
    }};
const procpool::Task process{"process", [](int) { return ::getpid(); }};
const procpool::Task letters{"letters", [](const std::string& text) {
                               std::map<char, int> counts;
                               for (const char letter : text) ++counts[letter];
                               return counts;
                             }};
const procpool::Task mark{"mark", [](const procpool::SharedArray<int>& seen, int place) {
                            ++seen[place];
                            if (place == 3) throw std::runtime_error("three");
                          }};
const procpool::Task mark_or_die{"mark_or_die",
                                 [](const procpool::SharedArray<int>& seen, int place) {
                                   ++seen[place];
                                   if (place == 3) std::abort();
                                 }};
const procpool::Task nested{"nested", [](int x) {
                              procpool::Pool pool({.workers = 2});
                              const auto squares = pool.map(square, std::views::iota(0, x));
                              return std::accumulate(squares.begin(), squares.end(), 0);
                            }};
const procpool::Task count_evens{
    "count_evens",
    [](std::span<const int> part, const procpool::SharedArray<std::atomic<int>>& total) {
      for (const int number : part) total[0] += number % 2 == 0;
    }};
const procpool::Task double_all{"double_all", [](const procpool::SharedArray<double>& part) {
                                  for (double& value : part) value *= 2;
                                }};

// ---- the pool and its arguments

void MakingPools() {
  {
    procpool::Pool pool;
    Expect(pool.workers() >= 1, "as many workers as CPUs");
  }
  {
    procpool::Pool pool({.workers = 4});
    Expect(pool.workers() == 4, "the number of workers");
  }
  {
    procpool::Pool pool({.workers = 4}, remember, "hello");
    Expect(pool.apply(recall) == "hello", "each worker is initialized");
    Expect(greeting == "nobody said anything", "globals are the worker's own");
  }
  {
    procpool::Pool pool({.workers = 2}, refuse);
    Expect(Throws<procpool::Error>([&] { pool.apply(square, 1); }),
           "an initializer that throws is the error of the call");
  }
  {
    procpool::Pool pool({.workers = 1, .max_tasks_per_worker = 10});
    std::map<pid_t, int> calls;
    for (const pid_t worker : pool.imap(process, std::views::iota(0, 35))) ++calls[worker];
    for (const auto& [worker, count] : calls) Expect(count <= 10, "no worker has more calls");
    Expect(calls.size() == 4, "worn out workers are replaced");
  }
}

// ---- calls

void Calling(const procpool::Pool& pool) {
  const std::vector<int> numbers{1, 2, 3};
  const std::vector<int> squares{1, 4, 9};
  const std::vector<std::pair<int, int>> pairs{{2, 3}, {3, 2}};

  Expect(pool.apply(power, 2, 10) == 1024, "apply");
  Expect(pool.apply_async(power, 2, 10).get() == 1024, "apply_async");
  Expect(pool.map(square, numbers) == squares, "map");
  Expect(pool.with({.chunk_size = 100}).map(square, numbers) == squares, "a chunk size");
  Expect(pool.map_async(square, numbers).get() == squares, "map_async");
  Expect(pool.starmap(power, pairs) == std::vector{8, 9}, "starmap");
  Expect(pool.starmap_async(power, pairs).get() == std::vector{8, 9}, "starmap_async");

  std::vector<int> seen;
  for (int value : pool.imap(square, numbers)) {
    seen.push_back(value);
  }
  Expect(seen == squares, "imap, in order");
  std::multiset<int> any_order;
  for (int value : pool.imap_unordered(square, numbers)) {
    any_order.insert(value);
  }
  Expect(any_order == std::multiset<int>(squares.begin(), squares.end()), "imap_unordered");

  // What functools.partial does.
  const auto arguments =
      numbers | std::views::transform([](int exponent) { return std::tuple(10, exponent); });
  Expect(pool.starmap(power, arguments) == std::vector{10, 100, 1000}, "a fixed argument");
}

void Callbacks(const procpool::Pool& pool) {
  std::promise<int> good;
  std::promise<std::string> bad;
  const auto use = [&](int value) { good.set_value(value); };
  const auto note = [&](const std::exception_ptr& error) {
    try {
      std::rethrow_exception(error);
    } catch (const procpool::TaskFailed& failed) {
      bad.set_value(failed.text());
    }
  };
  pool.apply_async(checked_root, 49).on_value(use).on_error(note);
  pool.apply_async(checked_root, -49).on_value(use).on_error(note);
  Expect(good.get_future().get() == 7, "on_value");
  Expect(bad.get_future().get() == "negative", "on_error");
}

// ---- results

void Waiting(const procpool::Pool& pool) {
  procpool::Future<int> future = pool.apply_async(square, 12);
  future.wait();
  while (!future.wait_for(1s)) std::puts("still waiting");
  Expect(future.ready(), "ready");
  Expect(future.get() == 144, "get");
  Expect(Throws<std::logic_error>([&] { future.get(); }), "get gives the value once");

  procpool::Future<int> slow = pool.apply_async(sleep_for, 60'000);
  Expect(!slow.wait_for(1ms), "wait gives up, the call does not");
  Expect(slow.cancel(), "cancel");

  procpool::Results<int> results = pool.imap(square, std::views::iota(3));
  while (!results.wait_for(1s)) std::puts("still waiting");
  std::optional<int> next = results.next();
  Expect(next == 9, "next");
}

void Errors(const procpool::Pool& pool) {
  const std::vector<int> numbers{16, -1, 25, 2'000'000, 36};
  std::string log;

  procpool::Results<int> roots = pool.imap(checked_root, numbers);
  for (bool more = true; more;) {
    try {
      const std::optional<int> root = roots.next();
      more = root.has_value();
      if (root) log += std::to_string(*root) + "\n";
    } catch (const procpool::TaskFailed& error) {
      log += "call " + std::to_string(error.call()) + " threw " + error.type() + "\n";
    } catch (const procpool::WorkerDied& error) {
      log += "call " + std::to_string(error.call()) + " took its worker along\n";
    }
  }

  Expect(log == "4\ncall 1 threw std::domain_error\n5\ncall 3 took its worker along\n6\n",
         "each call has an error of its own");

  try {
    pool.map(checked_root, numbers);
    Expect(false, "map throws");
  } catch (const procpool::CallError& error) {
    Expect(error.call() == 1, "the error of the first call that failed, in the range's order");
  }
}

// ---- ending

void Ending() {
  procpool::Future<int> future;
  {
    procpool::Pool pool({.workers = 1});
    future = pool.apply_async(sleep_for, 60'000);
  }
  Expect(Throws<procpool::Cancelled>([&] { future.get(); }), "the end of the scope terminates");
  {
    procpool::Pool pool({.workers = 1});
    Expect(Throws<std::logic_error>([&] { pool.join(); }), "join comes after close");
    future = pool.apply_async(sleep_for, 1);
    pool.close();
    pool.join();
    Expect(future.get() == 1, "close lets the calls end");
    Expect(Throws<procpool::PoolClosed>([&] { pool.apply(square, 1); }), "no more calls");
  }
  {
    procpool::Pool pool({.workers = 1});
    future = pool.apply_async(sleep_for, 60'000);
    pool.terminate();
    Expect(Throws<procpool::Cancelled>([&] { future.get(); }), "terminate cancels");
  }
}

// ---- shared memory

void SharedMemory(const procpool::Pool& pool) {
  procpool::SharedArray<double> samples(1'000'000);
  std::iota(samples.begin(), samples.end(), 0.0);
  pool.map(double_all, samples.parts(8));
  Expect(samples[999'999] == 1'999'998, "workers write where the program reads");

  procpool::SharedArray<std::atomic<int>> total(1);
  const std::vector<std::tuple<std::vector<int>, decltype(total)>> parts{{{1, 2, 3}, total},
                                                                         {{4, 5, 6}, total}};
  pool.starmap(count_evens, parts);
  Expect(total[0] == 3, "a Value is an array of one atomic");
}

// ---- what Python does not have

void More() {
  procpool::Pool pool({.workers = 2, .statistics = true});

  Expect(Throws<procpool::TimedOut>([&] { pool.with({.timeout = 50ms}).apply(sleep_for, 60'000); }),
         "a timeout ends the call");
  Expect(pool.with({.timeout = 60s, .retries = 3}).apply(square, 2) == 4, "retries");
  Expect(pool.with({.retries = 3, .retry_exceptions = true}).apply(square, 2) == 4,
         "of exceptions");

  procpool::Future<std::string> text =
      pool.apply_async(square, 4).then([](int value) { return std::to_string(value); });
  Expect(text.get() == "16", "then");

  std::vector<procpool::Future<int>> futures;
  for (int i = 0; i < 3; ++i) futures.push_back(pool.apply_async(square, i));
  Expect(procpool::when_all(std::move(futures)).get() == std::vector{0, 1, 4}, "when_all");
  futures.clear();
  for (const int time : {1000, 1}) futures.push_back(pool.apply_async(sleep_for, time));
  procpool::Future<procpool::FirstReady<int>> any = procpool::when_any(std::move(futures));
  Expect(any.get().index == 1, "when_any");

  pool.resize(3);
  Expect(pool.workers() == 3, "resize");
  Expect(pool.statistics().text().starts_with("worker"), "statistics");
  pool.close();
  Expect(pool.join_for(60s), "join_for");
}

// ---- what differs

void Differences(const procpool::Pool& pool) {
  // An exception does not end its chunk.
  procpool::SharedArray<int> seen(8);
  const auto calls =
      std::views::iota(0, 8) | std::views::transform([&](int i) { return std::tuple(seen, i); });
  Expect(Throws<procpool::TaskFailed>([&] { pool.with({.chunk_size = 8}).starmap(mark, calls); }),
         "map throws");
  for (const int count : seen) Expect(count == 1, "the other calls of a chunk are made");

  // A crash costs one call; those before it in its chunk, which had no answer yet, run again.
  std::ranges::fill(seen, 0);
  Expect(Throws<procpool::WorkerDied>(
             [&] { pool.with({.chunk_size = 8}).starmap(mark_or_die, calls); }),
         "map throws");
  for (int i = 0; i < 8; ++i)
    Expect(seen[i] == (i < 3 ? 2 : 1), "calls before the crash run again, the others once");

  // imap takes elements as results are taken.
  int taken = 0;
  const auto range = std::views::iota(0) | std::views::transform([&](int i) {
                       ++taken;
                       return i;
                     });
  procpool::Results<int> results = pool.with({.window = 10}).imap(square, range);
  Expect(results.next() == 0 && taken <= 20, "imap takes no more than its window");
  results.cancel();

  Expect(pool.apply(nested, 4) == 14, "a worker may have a pool of its own");
  Expect(pool.apply(letters, "abba") == std::map<char, int>{{'a', 2}, {'b', 2}}, "a map travels");
}

int main(int argc, char** argv) {
  procpool::worker_main_if_asked(argc, argv);
  MakingPools();
  {
    procpool::Pool pool({.workers = 2});
    Calling(pool);
    Callbacks(pool);
    Waiting(pool);
    Errors(pool);
    SharedMemory(pool);
    Differences(pool);
  }
  Ending();
  More();
  if (wrong == 0) std::printf("what docs/python.md says holds\n");
  return wrong == 0 ? 0 : 1;
}

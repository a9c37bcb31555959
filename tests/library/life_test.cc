// A pool's life: closing, joining, terminating, resizing, recycling, initializing, statistics.
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <set>
#include <thread>

#include <procpool/pool.h>
#include "tests/library/tasks.h"
#include "tests/open_descriptors.h"
#include "tests/temporary_folder.h"

namespace procpool::tests {
namespace {

void WaitFor(const std::string& path) {
  while (!std::filesystem::exists(path)) std::this_thread::yield();
}

// Shared memory without a name that a process has mapped.
std::size_t SharedMappings(pid_t pid) {
  std::ifstream maps("/proc/" + std::to_string(pid) + "/maps");
  std::size_t count = 0;
  for (std::string line; std::getline(maps, line);) {
    if (line.find("/memfd:") != std::string::npos) ++count;
  }
  return count;
}

std::set<pid_t> PidsOf(const Calls& calls, std::size_t tries) {
  std::set<pid_t> pids;
  std::vector<Future<pid_t>> futures;
  for (std::size_t i = 0; i < tries; ++i) futures.push_back(calls.apply_async(worker_pid));
  for (auto& future : futures) pids.insert(future.get());
  return pids;
}

TEST(PoolLife, CloseLetsWhatWasCalledEnd) {
  Pool pool({.workers = 2});
  auto squares = pool.map_async(square, std::views::iota(0, 100'000));
  pool.close();
  EXPECT_THROW(pool.apply(square, 1), PoolClosed);
  EXPECT_THROW(pool.map(square, std::vector{1}), PoolClosed);
  EXPECT_THROW(pool.imap(square, std::vector{1}), PoolClosed);
  pool.join();
  EXPECT_TRUE(squares.ready());
  EXPECT_EQ(squares.get().size(), 100'000U);
  pool.close();
  pool.join();  // again does no harm
}

TEST(PoolLife, JoinBeforeCloseIsAMistake) {
  Pool pool({.workers = 1});
  EXPECT_THROW(pool.join(), std::logic_error);
}

TEST(PoolLife, JoinForGivesUp) {
  TemporaryFolder folder;
  Pool pool({.workers = 1});
  auto hanging = pool.apply_async(hang, folder.In("begun"));
  WaitFor(folder.In("begun"));
  pool.close();
  EXPECT_FALSE(pool.join_for(std::chrono::milliseconds(30)));
  // Another thread that joins is woken by terminate().
  std::thread joining([&] { pool.join(); });
  pool.terminate();
  joining.join();
  EXPECT_THROW(hanging.get(), Cancelled);
}

TEST(PoolLife, TerminateEndsWhatRuns) {
  TemporaryFolder folder;
  Pool pool({.workers = 2});
  auto hanging = pool.map_async(hang, std::vector<std::string>(10, folder.In("begun")));
  auto stream = pool.imap(hang, std::vector<std::string>(2, folder.In("stream")));
  WaitFor(folder.In("begun"));
  pool.terminate();
  EXPECT_THROW(hanging.get(), Cancelled);
  EXPECT_THROW(stream.next(), Cancelled);
  EXPECT_THROW(pool.apply(square, 1), PoolClosed);
  pool.join();
}

TEST(PoolLife, TheEndOfAPoolTerminatesIt) {
  TemporaryFolder folder;
  Future<int> hanging;
  {
    Pool pool({.workers = 1});
    hanging = pool.apply_async(hang, folder.In("begun"));
    WaitFor(folder.In("begun"));
  }
  EXPECT_THROW(hanging.get(), Cancelled);
}

TEST(PoolLife, AThreadThatWaitsIsWokenByTerminate) {
  TemporaryFolder folder;
  Pool pool({.workers = 1});
  std::thread waiting([&] { EXPECT_THROW(pool.apply(hang, folder.In("begun")), Cancelled); });
  WaitFor(folder.In("begun"));
  pool.terminate();
  waiting.join();
}

TEST(PoolLife, PoolsLeaveNothingBehind) {
  const auto once = [] {
    Pool pool({.workers = 2});
    SharedArray<int> array(1000);
    pool.apply(add_to, array, 1);
    pool.map(reversed, std::vector<std::vector<double>>(8, std::vector<double>(10'000)));
    EXPECT_THROW(pool.apply(exit_with, 1), WorkerDied);
  };
  once();  // what is made once stays
  const std::size_t before = OpenDescriptors();
  for (int i = 0; i < 3; ++i) once();
  EXPECT_EQ(OpenDescriptors(), before);
}

TEST(PoolLife, ASharedArrayGoesWithItsLastUser) {
  for (const char* transport : {"shm", "pipe"}) {
    Pool pool({.workers = 1, .transport = transport});
    const pid_t worker = pool.apply(worker_pid);
    const std::size_t here = SharedMappings(::getpid());
    const std::size_t there = SharedMappings(worker);
    {
      SharedArray<int> array(100'000);
      pool.apply(add_to, array, 1);
      pool.apply(add_to, array.part(10, 10), 1);
      EXPECT_EQ(SharedMappings(::getpid()), here + 1);
      EXPECT_EQ(SharedMappings(worker), there + 1) << "both calls use one mapping";
      EXPECT_EQ(array[15], 2);
    }
    // The pool's thread hears of it; the worker is told, and lets go before one of its next calls.
    while (SharedMappings(::getpid()) > here || SharedMappings(worker) > there) {
      EXPECT_EQ(pool.apply(square, 2), 4);
    }
  }
}

TEST(PoolLife, ATaskMayKeepASharedArray) {
  Pool pool({.workers = 1});
  {
    SharedArray<int> array(1000);
    pool.apply(keep_array, array);
    for (int& element : array) element = 3;
  }
  for (int i = 0; i < 10; ++i) EXPECT_EQ(pool.apply(kept_sum), 3000);
}

TEST(PoolLife, ResizeChangesTheNumberOfWorkers) {
  Pool pool({.workers = 1});
  EXPECT_EQ(pool.workers(), 1U);
  EXPECT_EQ(PidsOf(pool, 20).size(), 1U);
  pool.resize(3);
  EXPECT_EQ(pool.workers(), 3U);
  TemporaryFolder folder;
  // Three run at the same time: each waits until all have begun.
  std::vector<Future<int>> futures;
  for (int i = 0; i < 3; ++i) {
    futures.push_back(pool.apply_async(wait_for_file, folder.In("begun"), folder.In("go")));
  }
  while (!std::filesystem::exists(folder.In("begun")) ||
         std::filesystem::file_size(folder.In("begun")) < 3) {
    std::this_thread::yield();
  }
  pool.resize(1);
  std::filesystem::create_directory(folder.In("go"));
  for (auto& future : futures) EXPECT_EQ(future.get(), 1) << "those that leave answer first";
  EXPECT_EQ(PidsOf(pool, 20).size(), 1U);
  EXPECT_THROW(pool.resize(0), std::invalid_argument);
}

TEST(PoolLife, ResizeWhileAMapRunsLosesNothing) {
  Pool pool({.workers = 2});
  auto squares = pool.with({.chunk_size = 10}).map_async(square, std::views::iota(0, 200'000));
  for (const std::size_t workers : {4U, 1U, 3U, 2U, 6U, 1U, 2U}) {
    pool.resize(workers);
    std::this_thread::sleep_for(std::chrono::milliseconds(3));
  }
  const std::vector<int> values = squares.get();
  for (unsigned i = 0; i < values.size(); ++i) {
    ASSERT_EQ(static_cast<unsigned>(values[i]), i * i) << i;
  }
}

// Each worker has a call to go on with, behind the one it runs. What lies behind a long one is
// taken back for a worker that has nothing.
TEST(PoolLife, AShortCallDoesNotWaitBehindALongOne) {
  TemporaryFolder folder;
  for (const char* transport : {"shm", "pipe", "queue"}) {
    Pool pool({.workers = 2, .transport = transport});
    const std::string go = folder.In(transport);
    auto waiting = pool.apply_async(wait_if_named, go);
    std::vector<Future<int>> others;
    for (int i = 0; i < 20; ++i) others.push_back(pool.apply_async(square, i));
    for (int i = 0; i < 20; ++i) EXPECT_EQ(others[static_cast<std::size_t>(i)].get(), i * i);
    EXPECT_FALSE(waiting.ready());
    std::filesystem::create_directory(go);
    EXPECT_EQ(waiting.get(), 1);
    // In one map, too: one call of it waits for another one.
    const std::string second = folder.In(std::string(transport) + "2");
    EXPECT_EQ(pool.with({.chunk_size = 1})
                  .map(wait_or_make, std::vector<std::string>{second, "", "", "", "+" + second}),
              (std::vector{1, 0, 0, 0, 2}));
  }
}

TEST(PoolLife, AWorkerIsReplacedAfterSoManyCalls) {
  Pool pool({.workers = 1, .max_tasks_per_worker = 5});
  std::vector<pid_t> pids;
  for (int i = 0; i < 20; ++i) pids.push_back(pool.apply(worker_pid));
  EXPECT_EQ(std::set<pid_t>(pids.begin(), pids.end()).size(), 4U);
  for (const pid_t pid : pids) EXPECT_EQ(std::ranges::count(pids, pid), 5);
  EXPECT_EQ(pool.map(square, std::views::iota(0, 1000)).size(), 1000U);
}

TEST(PoolLife, AWorkerThatGrowsTooLargeIsReplaced) {
  constexpr std::uint64_t kMany = std::uint64_t{100} << 20;
  Pool pool({.workers = 1, .memory_limit = kMany});
  const pid_t first = pool.apply(worker_pid);
  pid_t last = first;
  for (int i = 0; i < 400 && last == first; ++i) {
    EXPECT_EQ(pool.apply(keep_memory, std::uint64_t{20} << 20), std::uint64_t{20} << 20);
    last = pool.apply(worker_pid);
  }
  EXPECT_NE(last, first);
}

TEST(PoolLife, EachWorkerIsInitializedOnce) {
  TemporaryFolder folder;
  const std::string path = folder.In("initialized");
  {
    Pool pool({.workers = 2}, initialize, 42, path);
    const auto numbers =
        pool.with({.chunk_size = 1}).map(initialized_with, std::views::iota(0, 500));
    EXPECT_EQ(numbers, std::vector<int>(500, 42));
    EXPECT_THROW(pool.apply(exit_with, 1), WorkerDied);
    // The one in its place is initialized as well.
    for (int i = 0; i < 50; ++i) EXPECT_EQ(pool.apply(initialized_with, 0), 42);
  }
  EXPECT_GE(std::filesystem::file_size(path), 2U);
  EXPECT_LE(std::filesystem::file_size(path), 3U);
}

TEST(PoolLife, AnInitializerThatThrowsIsTheErrorOfEachCall) {
  Pool pool({.workers = 2}, initialize_badly, std::string("no licence"));
  for (int i = 0; i < 2; ++i) {
    try {
      pool.apply(square, 1);
      FAIL() << "it worked";
    } catch (const Error& error) {
      EXPECT_NE(std::string(error.what()).find("no licence"), std::string::npos) << error.what();
    }
  }
}

TEST(PoolLife, OptionsThatCannotBeAreRefused) {
  EXPECT_THROW(Pool({.transport = "pigeon"}), Error);
  EXPECT_THROW(Pool({.wait = "patiently"}), Error);
  EXPECT_THROW(Pool({.log_level = "loud"}), Error);
  EXPECT_THROW(Pool({.worker_program = "/nowhere/at/all"}), Error);
  EXPECT_THROW(Pool({.worker_program = "/etc/passwd"}), Error);
  Pool pool({.workers = 1, .worker_program = "/bin/true"});
  EXPECT_THROW(pool.apply(square, 1), Error) << "a program that is no worker";
}

TEST(PoolLife, StatisticsAccountForEachWorkersLife) {
  Pool pool({.workers = 2, .statistics = true});
  pool.with({.chunk_size = 1}).map(sleep_ms, std::vector<int>{1, 2, 30, 3, 4});
  pool.map(square, std::views::iota(0, 1000));
  EXPECT_THROW(pool.apply(exit_with, 2), WorkerDied);
  EXPECT_EQ(pool.apply(square, 2), 4);
  const PoolStatistics statistics = pool.statistics();
  ASSERT_GE(statistics.workers.size(), 2U);
  std::uint64_t calls = 0;
  for (const WorkerStatistics& worker : statistics.workers) {
    calls += worker.calls;
    EXPECT_GT(worker.pid, 0);
    EXPECT_EQ((worker.start + worker.init + worker.work + worker.wait + worker.exit).count(),
              worker.lived.count());
  }
  EXPECT_EQ(calls, 1006U) << "the one without an answer does not count";
  ASSERT_FALSE(statistics.slowest.empty());
  EXPECT_EQ(statistics.slowest.front().task, "sleep_ms");
  EXPECT_EQ(statistics.slowest.front().first_call, 2U);
  EXPECT_GE(statistics.slowest.front().work, std::chrono::milliseconds(30));
  EXPECT_EQ(std::ranges::count_if(statistics.workers,
                                  [](const auto& worker) { return !worker.end.empty(); }),
            1);
  EXPECT_NE(statistics.text().find("sleep_ms"), std::string::npos);
  Pool without({.workers = 1});
  EXPECT_THROW(without.statistics(), std::logic_error);
}

TEST(PoolLife, ManyThreadsMayCallAtOnce) {
  Pool pool({.workers = 2});
  std::vector<std::thread> threads;
  threads.reserve(8);
  for (int thread = 0; thread < 8; ++thread) {
    threads.emplace_back([&pool, thread] {
      for (int i = 0; i < 30; ++i) {
        ASSERT_EQ(pool.apply(square, thread), thread * thread);
        ASSERT_EQ(pool.map(square, std::views::iota(thread, thread + 100)).front(),
                  thread * thread);
        if (i % 10 == 0) {
          ASSERT_THROW(pool.apply(even_only, 1), TaskFailed);
        }
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
}

TEST(PoolLife, SeveralPoolsLiveSideBySide) {
  Pool shm({.workers = 1});
  Pool pipe({.workers = 1, .transport = "pipe"});
  SharedArray<int> array(10);
  auto first = shm.map_async(square, std::views::iota(0, 1000));
  auto second = pipe.map_async(square, std::views::iota(0, 1000));
  shm.apply(add_to, array, 1);
  pipe.apply(add_to, array, 10);
  EXPECT_EQ(array[9], 11);
  EXPECT_EQ(first.get(), second.get());
  EXPECT_NE(shm.apply(worker_pid), pipe.apply(worker_pid));
}

TEST(PoolLife, APoolMayLiveInAWorker) {
  Pool pool({.workers = 2});
  const std::vector<int> expected{0, 1, 4, 9};
  EXPECT_EQ(pool.apply(squares_inside, 4), expected);
  EXPECT_EQ(pool.map(squares_inside, std::vector{4, 4, 4}),
            (std::vector<std::vector<int>>(3, expected)));
}

}  // namespace
}  // namespace procpool::tests

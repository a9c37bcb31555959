// Programs that do not behave as a pool would like: they ignore SIGCHLD, reap every child, fork, or
// forget to serve as a worker. Each runs as a process of its own.
#include <gtest/gtest.h>

#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <thread>

#include <procpool/pool.h>
#include "tests/library/tasks.h"

namespace procpool::tests {
namespace {

bool Works(Pool& pool) {
  if (pool.map(square, std::vector{1, 2, 3}) != std::vector{1, 4, 9}) return false;
  try {
    pool.apply(exit_with, 1);
    return false;
  } catch (const WorkerDied&) {
    return pool.apply(square, 5) == 25;
  }
}

TEST(Hosts, OneThatIgnoresTheDeathOfChildren) {
  EXPECT_EXIT(
      {
        std::signal(SIGCHLD, SIG_IGN);  // children vanish before anybody can ask how they ended
        Pool pool({.workers = 2});
        std::_Exit(Works(pool) ? 0 : 1);
      },
      ::testing::ExitedWithCode(0), "");
}

TEST(Hosts, OneThatReapsEveryChild) {
  EXPECT_EXIT(
      {
        std::atomic<bool> stop = false;
        std::thread reaping([&] {
          while (!stop) {
            if (::waitpid(-1, nullptr, WNOHANG) <= 0) std::this_thread::yield();
          }
        });
        bool works = false;
        {
          Pool pool({.workers = 2});
          works = Works(pool);
        }
        stop = true;
        reaping.join();
        std::_Exit(works ? 0 : 1);
      },
      ::testing::ExitedWithCode(0), "");
}

// The kernel kills a worker when the thread that spawned it ends: that is the pool's own thread.
TEST(Hosts, AThreadThatMadeThePoolMayEnd) {
  for (const char* transport : {"pipe", "queue", "shm"}) {
    SCOPED_TRACE(transport);
    std::unique_ptr<Pool> pool;
    pid_t worker = -1;
    std::thread([&] {
      pool = std::make_unique<Pool>(PoolOptions{.workers = 1, .transport = transport});
      worker = pool->apply(worker_pid);
    }).join();
    EXPECT_EQ(pool->apply(worker_pid), worker);  // the same one, not one in its place
    EXPECT_TRUE(Works(*pool));
  }
}

TEST(Hosts, AForkedProcessHasNoPartInThePool) {
  Pool pool({.workers = 1});
  EXPECT_EQ(pool.apply(square, 2), 4);
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    // What the program would do at its end: the pool's destructor must neither wait for a thread
    // that is not here nor stop workers of the other process.
    ::alarm(20);
    pool.~Pool();
    std::_Exit(0);
  }
  int status = -1;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << status;
  EXPECT_EQ(pool.apply(square, 3), 9);
}

TEST(Hosts, OneThatForgetsToServeAsAWorkerIsToldSo) {
  std::FILE* const program = ::popen(FORGETFUL_PROGRAM " 2>&1", "r");
  ASSERT_NE(program, nullptr);
  std::string said;
  for (int c = std::fgetc(program); c != EOF; c = std::fgetc(program)) said += static_cast<char>(c);
  const int status = ::pclose(program);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 3) << status;
  EXPECT_NE(said.find("begin main() with procpool::worker_main_if_asked"), std::string::npos)
      << said;
  EXPECT_NE(said.find("cannot start this program as its own worker"), std::string::npos) << said;
}

TEST(Hosts, SignalHandlersOfTheProgramStayAsTheyAre) {
  struct sigaction before {};
  struct sigaction after {};
  ASSERT_EQ(::sigaction(SIGPIPE, nullptr, &before), 0);
  {
    Pool pool({.workers = 1, .transport = "pipe"});
    EXPECT_TRUE(Works(pool));
  }
  ASSERT_EQ(::sigaction(SIGPIPE, nullptr, &after), 0);
  EXPECT_EQ(before.sa_handler, after.sa_handler);
}

}  // namespace
}  // namespace procpool::tests

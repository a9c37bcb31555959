// What every spawn method promises (master/spawn_method.h, worker_process.h), over all of them.
#include "master/spawn_method.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <array>
#include <atomic>
#include <csignal>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <map>
#include <string>
#include <thread>

#include <procpool/error.h>
#include "common/clock.h"
#include "common/os_error.h"
#include "master/worker_pool.h"
#include "master/worker_process.h"
#include "tests/open_descriptors.h"
#include "tests/temporary_folder.h"

namespace procpool {
namespace {

namespace fs = std::filesystem;

constexpr Nanoseconds kWatchdog = 30 * kSecond;

struct Pipe {
  Pipe() {
    std::array<int, 2> ends{};
    EXPECT_EQ(::pipe2(ends.data(), O_CLOEXEC), 0);
    read_end.Reset(ends[0]);
    write_end.Reset(ends[1]);
  }
  UniqueFd read_end, write_end;
};

std::string ReadLine(int fd) {
  std::string line;
  for (const Deadline deadline = Deadline::After(kWatchdog); !deadline.Passed();) {
    pollfd readable{fd, POLLIN, 0};
    if (::poll(&readable, 1, deadline.LeftForPoll()) <= 0) continue;
    char c = 0;
    if (::read(fd, &c, 1) != 1 || c == '\n') return line;
    line += c;
  }
  return line + " (and then nothing)";
}

std::optional<ProcessExit> WaitForEnd(WorkerProcess& process) {
  for (const Deadline deadline = Deadline::After(kWatchdog); !deadline.Passed();) {
    pollfd ended{process.pidfd(), POLLIN, 0};
    ::poll(&ended, 1, deadline.LeftForPoll());
    if (auto exit = process.TryReap()) return exit;
  }
  return std::nullopt;
}

void ExpectNoChild() {
  EXPECT_EQ(::waitpid(-1, nullptr, WNOHANG), -1) << "a child process is left";
  EXPECT_EQ(errno, ECHILD);
}

class SpawnMethodTest : public ::testing::TestWithParam<const SpawnMethod*> {
 protected:
  void SetUp() override { descriptors_ = OpenDescriptors(); }
  void TearDown() override {
    EXPECT_EQ(OpenDescriptors(), descriptors_) << "descriptors leaked";
    ExpectNoChild();
  }

  // Fails unless the spawn is refused as the user's mistake, with path and reason.
  void ExpectRefused(const std::string& program, int error_number) {
    try {
      WorkerProcess::Spawn({.program = program, .argument = "x"}, *GetParam());
      ADD_FAILURE() << "spawned: " << program;
    } catch (const Error& error) {
      EXPECT_EQ(error.blame(), Blame::kUser) << error.what();
      EXPECT_NE(std::string(error.what()).find("'" + program + "'"), std::string::npos)
          << error.what();
      EXPECT_NE(std::string(error.what()).find(ErrnoText(error_number)), std::string::npos)
          << error.what();
    }
    ExpectNoChild();
  }

  std::string File(const std::string& name, const std::string& text, mode_t mode) {
    std::string path = folder_.In(name);
    std::ofstream(path) << text;
    EXPECT_EQ(::chmod(path.c_str(), mode), 0);
    return path;
  }

  TemporaryFolder folder_;
  std::size_t descriptors_ = 0;
};

// A signal state that a worker must not inherit.
class Disturbed {
 public:
  Disturbed() {
    std::signal(SIGHUP, SIG_IGN);
    std::signal(SIGUSR1, [](int) {});
    sigset_t mask;
    ::sigemptyset(&mask);
    ::sigaddset(&mask, SIGTERM);
    ::sigaddset(&mask, SIGRTMIN + 1);
    ::pthread_sigmask(SIG_BLOCK, &mask, &before_);
  }
  ~Disturbed() {
    ::pthread_sigmask(SIG_SETMASK, &before_, nullptr);
    std::signal(SIGHUP, SIG_DFL);
    std::signal(SIGUSR1, SIG_DFL);
  }
  Disturbed(const Disturbed&) = delete;
  Disturbed& operator=(const Disturbed&) = delete;

 private:
  sigset_t before_{};
};

TEST_P(SpawnMethodTest, TheProcessFindsWhatIsPromised) {
  // The first pipe has the lowest free numbers: its place is to be taken by the other one's end
  // before it is moved itself.
  Pipe tell;
  Pipe report;
  // A host program's descriptor that it left inheritable.
  const UniqueFd stray(::fcntl(STDERR_FILENO, F_DUPFD, 40));
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &before), 0);
  const unsigned long wanted = before.rlim_cur - 17;
  std::optional<WorkerProcess> process;
  {
    const Disturbed signals;
    process.emplace(WorkerProcess::Spawn(
        {.program = SPAWN_PROBE,
         .argument = "two words",
         .inherit = {report.write_end.get(), tell.read_end.get(), report.read_end.get()},
         .restore_fd_limit = true,
         .fd_soft_limit = wanted},
        *GetParam()));
    struct sigaction action {};
    ::sigaction(SIGUSR1, nullptr, &action);
    EXPECT_NE(action.sa_handler, SIG_DFL) << "the parent's handler is gone";
    sigset_t mask;
    ::pthread_sigmask(SIG_BLOCK, nullptr, &mask);
    EXPECT_EQ(::sigismember(&mask, SIGTERM), 1) << "the parent's mask has changed";
    EXPECT_EQ(::sigismember(&mask, SIGINT), 0) << "the parent's mask has changed";
  }
  const int from = report.read_end.get();
  EXPECT_EQ(ReadLine(from), "argument two words");
  EXPECT_EQ(ReadLine(from), "parent " + std::to_string(::getpid()));
  EXPECT_EQ(ReadLine(from), "group own");
  EXPECT_EQ(ReadLine(from), "descriptors 0 1 2 3 4 5");
  EXPECT_EQ(ReadLine(from), "input /dev/null");
  EXPECT_EQ(ReadLine(from), "output is standard error");
  EXPECT_EQ(ReadLine(from), "error " + fs::read_symlink("/proc/self/fd/2").string());
  EXPECT_EQ(ReadLine(from), "changed signals");
  EXPECT_EQ(ReadLine(from), "blocked signals");
  EXPECT_EQ(::write(tell.write_end.get(), "x", 1), 1);
  EXPECT_EQ(ReadLine(from), "limit " + std::to_string(wanted));
  EXPECT_GE(::fcntl(process->pidfd(), F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
  EXPECT_FALSE(process->TryReap().has_value());
  tell.write_end.Reset();
  const auto exit = WaitForEnd(*process);
  ASSERT_TRUE(exit.has_value());
  EXPECT_EQ(exit->Text(), "exited with code 7");
  rlimit after{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &after), 0);
  EXPECT_EQ(after.rlim_cur, before.rlim_cur) << "the parent's own limit has changed";
}

// Standard error is closed here, and what was opened next has got its number.
TEST_P(SpawnMethodTest, ADescriptorOfThisProcessIsNotTakenForStandardError) {
  const UniqueFd kept(::fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 100));
  Pipe report;
  Pipe tell;
  ::close(STDERR_FILENO);
  EXPECT_EQ(::open(folder_.In("own").c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600), STDERR_FILENO);
  {
    const WorkerProcess process =
        WorkerProcess::Spawn({.program = SPAWN_PROBE,
                              .argument = "x",
                              .inherit = {report.write_end.get(), tell.read_end.get()}},
                             *GetParam());
    EXPECT_EQ(::dup2(kept.get(), STDERR_FILENO), STDERR_FILENO);
    std::map<std::string, std::string> found;
    for (int i = 0; i < 7; ++i) {
      const std::string line = ReadLine(report.read_end.get());
      found[line.substr(0, line.find(' '))] = line;
    }
    EXPECT_EQ(found["descriptors"], "descriptors 0 1 2 3 4");
    EXPECT_EQ(found["output"], "output is standard error");
    EXPECT_EQ(found["error"], "error /dev/null");
  }
}

TEST_P(SpawnMethodTest, AProgramThatIsNoneIsTheUsersError) {
  ExpectRefused(folder_.In("missing"), ENOENT);
  ExpectRefused(folder_.path().string(), EACCES);
  ExpectRefused(File("plain", "#!/bin/sh\n", 0644), EACCES);
  ExpectRefused(File("no_format", "exit 0\n", 0755), ENOEXEC);
  ExpectRefused(File("no_interpreter", "#!/nonexistent/interpreter\n", 0755), ENOENT);
  ExpectRefused(File("file", "", 0755) + "/worker", ENOTDIR);
  ExpectRefused("sh", ENOENT);  // PATH is not searched
}

TEST_P(SpawnMethodTest, TheDestructorKillsAndReaps) {
  Pipe report;
  Pipe tell;
  const WorkerProcess process =
      WorkerProcess::Spawn({.program = SPAWN_PROBE,
                            .argument = "x",
                            .inherit = {report.write_end.get(), tell.read_end.get()}},
                           *GetParam());
  EXPECT_EQ(ReadLine(report.read_end.get()), "argument x");
}

// Many threads spawn at once, and none gets a child, an error or a descriptor of another's.
TEST_P(SpawnMethodTest, SpawningFromManyThreadsAtOnce) {
  std::vector<std::thread> threads;
  std::array<std::string, 4> seen;
  for (std::size_t i = 0; i < seen.size(); ++i) {
    threads.emplace_back([&, i] {
      for (int round = 0; round < 5; ++round) {
        Pipe report;
        Pipe tell;
        const std::string name = std::to_string(i);
        WorkerProcess process =
            WorkerProcess::Spawn({.program = SPAWN_PROBE,
                                  .argument = name,
                                  .inherit = {report.write_end.get(), tell.read_end.get()}},
                                 *GetParam());
        if (ReadLine(report.read_end.get()) != "argument " + name) seen[i] += " wrong argument";
        for (int skipped = 0; skipped < 2; ++skipped) ReadLine(report.read_end.get());
        const std::string descriptors = ReadLine(report.read_end.get());
        if (descriptors != "descriptors 0 1 2 3 4") seen[i] += " " + descriptors;
        try {
          WorkerProcess::Spawn({.program = "/nonexistent", .argument = ""}, *GetParam());
          seen[i] += " spawned what is not there";
        } catch (const Error&) {
        }
        process.SignalGroup(SIGTERM);
        const auto exit = WaitForEnd(process);
        if (!exit || exit->Text() != "killed by signal 15 (SIGTERM)") seen[i] += " wrong end";
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (const std::string& wrong : seen) EXPECT_EQ(wrong, "");
}

std::vector<const SpawnMethod*> AllMethods() {
  std::vector<const SpawnMethod*> methods;
  for (const SpawnMethod& method : SpawnMethods()) methods.push_back(&method);
  return methods;
}

INSTANTIATE_TEST_SUITE_P(Methods, SpawnMethodTest, ::testing::ValuesIn(AllMethods()),
                         [](const auto& parameter) {
                           std::string name;
                           for (const char c : parameter.param->name) {
                             if (std::isalnum(static_cast<unsigned char>(c)) != 0) name += c;
                           }
                           return name;
                         });

TEST(SpawnMethods, AreFoundByName) {
  for (const SpawnMethod& method : SpawnMethods()) {
    EXPECT_EQ(FindSpawnMethod(method.name), &method);
  }
  EXPECT_EQ(FindSpawnMethod("nonsense"), nullptr);
  EXPECT_EQ(FindSpawnMethod(""), nullptr);
  EXPECT_NE(FindSpawnMethod(DefaultSpawnMethod().name), nullptr);
}

std::atomic<int> forks{0};

TEST(PoolSpawning, UsesTheMethodThatIsNamed) {
  // Of all methods only fork+exec runs these handlers.
  ASSERT_EQ(::pthread_atfork([] { ++forks; }, nullptr, nullptr), 0);
  for (const SpawnMethod& method : SpawnMethods()) {
    forks = 0;
    WorkerPool pool({.procs = 2,
                     .transport = "pipe",
                     .worker_program = MISBEHAVING_WORKER,
                     .spawn = std::string(method.name)});
    EXPECT_TRUE(pool.WaitUntilReady(Deadline::After(kWatchdog)));
    EXPECT_EQ(forks, method.name == "fork+exec" ? 2 : 0) << method.name;
  }
  ExpectNoChild();
  EXPECT_THROW(WorkerPool({.worker_program = MISBEHAVING_WORKER, .spawn = "nonsense"}), Error);
}

}  // namespace
}  // namespace procpool

// What /proc and the CPU clocks say of processes that do something known.
#include "master/process_usage.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstring>
#include <thread>
#include <vector>

namespace procpool {
namespace {

constexpr std::uint64_t kMega = std::uint64_t{1024} * 1024;

// Until the thread has computed for so long.
void Burn(Nanoseconds cpu) {
  const Nanoseconds end = ThreadCpuTime() + cpu;
  while (ThreadCpuTime() < end) {
  }
}

// A child that sleeps until it is killed, by the destructor at the latest.
class SleepingChild {
 public:
  SleepingChild() : pid_(::fork()) {
    if (pid_ != 0) return;
    for (;;) ::pause();
  }
  ~SleepingChild() { End(); }
  SleepingChild(const SleepingChild&) = delete;
  SleepingChild& operator=(const SleepingChild&) = delete;

  pid_t pid() const { return pid_; }
  void Kill() const { ::kill(pid_, SIGKILL); }
  void End() {
    if (pid_ <= 0) return;
    Kill();
    ::waitpid(pid_, nullptr, 0);
    pid_ = -1;
  }

 private:
  pid_t pid_;
};

TEST(ProcessUsage, CpuTimeGrowsByWhatIsComputed) {
  const auto before = UsageOf(::getpid());
  const ProcessUsage own_before = UsageOfThisProcess();
  Burn(20 * kMillisecond);
  const auto after = UsageOf(::getpid());
  const ProcessUsage own_after = UsageOfThisProcess();
  ASSERT_TRUE(before && after);
  EXPECT_GE(after->cpu - before->cpu, 20 * kMillisecond);
  EXPECT_GE(own_after.cpu - own_before.cpu, 20 * kMillisecond);
}

TEST(ProcessUsage, EndedThreadsCountForThisProcess) {
  const ProcessUsage before = UsageOfThisProcess();
  std::thread([] { Burn(20 * kMillisecond); }).join();
  EXPECT_GE(UsageOfThisProcess().cpu - before.cpu, 20 * kMillisecond);
}

TEST(ProcessUsage, SleepingIsAVoluntarySwitch) {
  const auto before = UsageOf(::getpid());
  const ProcessUsage own_before = UsageOfThisProcess();
  for (int i = 0; i < 5; ++i) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  const auto after = UsageOf(::getpid());
  ASSERT_TRUE(before && after);
  EXPECT_GE(after->voluntary_switches - before->voluntary_switches, 5U);
  EXPECT_GE(UsageOfThisProcess().voluntary_switches - own_before.voluntary_switches, 5U);
}

TEST(ProcessUsage, OfAnotherProcess) {
  SleepingChild child;
  ASSERT_GT(child.pid(), 0);
  const auto usage = UsageOf(child.pid());
  const auto memory = MemoryOf(child.pid());
  ASSERT_TRUE(usage && memory);
  EXPECT_GE(usage->cpu, 0);
  EXPECT_GT(memory->resident, 0U);
  // Forked, it shares its pages with this process.
  EXPECT_LT(memory->proportional, memory->resident);
}

TEST(ProcessUsage, OfAProcessThatIsGoneThereIsNothing) {
  SleepingChild child;
  const pid_t pid = child.pid();
  ASSERT_GT(pid, 0);
  child.Kill();
  siginfo_t info{};
  ASSERT_EQ(::waitid(P_PID, static_cast<id_t>(pid), &info, WEXITED | WNOWAIT), 0);
  EXPECT_FALSE(MemoryOf(pid)) << "a process that has ended but is not reaped has no memory";
  child.End();
  EXPECT_FALSE(UsageOf(pid));
  EXPECT_FALSE(MemoryOf(pid));
}

TEST(ProcessUsage, MemoryGrowsByWhatIsTouched) {
  const auto before = MemoryOf(::getpid());
  ASSERT_TRUE(before);
  // More than there is: what is shared with other processes that run this program counts less as
  // soon as one more begins.
  const std::size_t bytes = before->proportional + 32 * kMega;
  // Not by the heap, which keeps what it gets back under the sanitizers.
  void* const touched = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE,
                               MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
  ASSERT_NE(touched, MAP_FAILED);
  const auto during = MemoryOf(::getpid());
  ASSERT_TRUE(during);
  // The counters of the kernel lag by some pages for each CPU.
  EXPECT_GE(during->resident, before->resident + bytes - kMega / 2);
  EXPECT_GE(during->proportional, bytes);
  EXPECT_GE(during->peak_resident, during->resident);
  ::munmap(touched, bytes);
  const auto after = MemoryOf(::getpid());
  ASSERT_TRUE(after);
  EXPECT_LT(after->resident, during->resident - 30 * kMega);
  EXPECT_GE(after->peak_resident + kMega, during->resident);
}

}  // namespace
}  // namespace procpool

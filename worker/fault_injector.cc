#include "worker/fault_injector.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <thread>

#include "common/log.h"

namespace procpool {
namespace {

constexpr suseconds_t kStormMicroseconds = 1000;
constexpr int kNotDeadAfterAll = 99;

[[noreturn]] void SleepForEver() {
  for (;;) ::pause();
}

// SIGALRM again and again, with a handler and without SA_RESTART: what blocks ends with EINTR.
void RaiseStorm() {
  struct sigaction action {};
  action.sa_handler = [](int) {};
  ::sigaction(SIGALRM, &action, nullptr);
  const itimerval often{{0, kStormMicroseconds}, {0, kStormMicroseconds}};
  ::setitimer(ITIMER_REAL, &often, nullptr);
}

}  // namespace

FaultInjector::FaultInjector(std::string_view spec, std::uint64_t slot, std::uint64_t life,
                             WorkMark& mark, std::span<const int> shared)
    : plan_(ParseFaultPlan(spec)), slot_(slot), life_(life), mark_(mark) {
  for (const int fd : shared) shared_.emplace_back(::fcntl(fd, F_DUPFD_CLOEXEC, 0));
  // Dumping the core of a worker that dies on purpose would only take time.
  const rlimit none{};
  ::setrlimit(RLIMIT_CORE, &none);
}

FaultTarget FaultInjector::ThisChunk() const {
  const auto begun = mark_.Read();
  return begun ? Chunk(begun->item, begun->attempt) : ThisProcess();
}

std::vector<const FaultRule*> FaultInjector::Struck(FaultStep step, const FaultTarget& target) {
  std::vector<const FaultRule*> struck;
  for (std::size_t rule = 0; rule < plan_.rules.size(); ++rule) {
    const std::uint64_t most = plan_.rules[rule].times;
    if (most != 0 && mark_.faults().count(rule) >= most) continue;
    if (Strikes(plan_, rule, step, target)) struck.push_back(&plan_.rules[rule]);
  }
  return struck;
}

void FaultInjector::At(FaultStep step) {
  for (const FaultRule* rule : Struck(step, ThisProcess())) Act(*rule);
}

void FaultInjector::Count(const FaultRule& rule) {
  Log(LogLevel::kDebug, "commits the fault " + rule.text);
  mark_.faults().Count(static_cast<std::size_t>(&rule - plan_.rules.data()));
}

bool FaultInjector::IsDeadly(const FaultRule& rule) {
  switch (rule.kind) {
    case FaultKind::kKill:
    case FaultKind::kSignal:
    case FaultKind::kExit:
    case FaultKind::kGrandchild:
      return true;
    default:
      return false;
  }
}

void FaultInjector::Die(const FaultRule& rule) {
  int number = SIGKILL;
  if (rule.kind == FaultKind::kExit) ::_exit(static_cast<int>(rule.argument));
  if (rule.kind == FaultKind::kSignal) number = static_cast<int>(rule.argument);
  // The child has every descriptor that this process has, and keeps them open.
  if (rule.kind == FaultKind::kGrandchild && ::fork() == 0) SleepForEver();
  std::signal(number, SIG_DFL);
  sigset_t all;
  ::sigemptyset(&all);
  ::sigprocmask(SIG_SETMASK, &all, nullptr);  // inside a handler the signal is blocked
  ::kill(::getpid(), number);
  ::_exit(kNotDeadAfterAll);  // a signal that ends no process
}

bool FaultInjector::Act(const FaultRule& rule) {
  if (IsDeadly(rule)) {
    Count(rule);
    Die(rule);
  }
  switch (rule.kind) {
    case FaultKind::kStop:
      Count(rule);
      std::raise(SIGSTOP);
      return true;
    case FaultKind::kHang:
      Count(rule);
      std::signal(SIGTERM, SIG_IGN);
      SleepForEver();
    case FaultKind::kDelay:
      Count(rule);
      std::this_thread::sleep_for(std::chrono::milliseconds(rule.argument));
      return true;
    case FaultKind::kPrint:
      Count(rule);
      std::fprintf(stdout, "a worker prints to standard output\n");
      std::fflush(stdout);
      std::fprintf(stderr, "a worker prints to standard error\n");
      return true;
    case FaultKind::kShrink:
      Count(rule);
      Shrink();
      return true;
    case FaultKind::kRewrite:
      Count(rule);
      Rewrite();
      return true;
    case FaultKind::kStorm:
      Count(rule);
      RaiseStorm();
      return true;
    case FaultKind::kTrickle:
      if (rule.step != FaultStep::kStart) return false;
      Count(rule);
      trickles_ = true;
      return true;
    default:
      return false;
  }
}

// The second half of what the channel shares: over shm the bytes on their way to the master, and
// not the counters. Other transports share no such memory.
void FaultInjector::Rewrite() const {
  for (const UniqueFd& fd : std::span(shared_).subspan(1)) {
    struct stat status {};
    if (::fstat(fd.get(), &status) != 0 || !S_ISREG(status.st_mode) || status.st_size == 0)
      continue;
    const auto bytes = static_cast<std::size_t>(status.st_size);
    void* const memory = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd.get(), 0);
    if (memory == MAP_FAILED) continue;
    std::memset(static_cast<std::byte*>(memory) + bytes / 2, 0xEE, bytes / 2);
    ::munmap(memory, bytes);
  }
}

void FaultInjector::Shrink() const {
  for (const UniqueFd& fd : shared_) {
    if (::ftruncate(fd.get(), 0) == 0) {
      Log(LogLevel::kWarning, "shared memory could be made smaller");
    }
  }
}

}  // namespace procpool

#include "master/process_usage.h"

#include <sys/resource.h>
#include <unistd.h>

#include <charconv>
#include <ctime>
#include <fstream>
#include <map>
#include <string>
#include <string_view>

namespace procpool {
namespace {

// "Key:   123 kB" lines of a file in /proc; lines of another form are left out.
std::map<std::string, std::uint64_t> Numbers(pid_t pid, std::string_view file) {
  std::map<std::string, std::uint64_t> numbers;
  std::ifstream lines("/proc/" + std::to_string(pid) + "/" + std::string(file));
  for (std::string line; std::getline(lines, line);) {
    const std::size_t colon = line.find(':');
    if (colon == std::string::npos) continue;
    const std::size_t digits = line.find_first_not_of(" \t", colon + 1);
    if (digits == std::string::npos) continue;
    std::uint64_t number = 0;
    const auto [end, error] =
        std::from_chars(line.data() + digits, line.data() + line.size(), number);
    if (error == std::errc()) numbers[line.substr(0, colon)] = number;
  }
  return numbers;
}

}  // namespace

std::optional<ProcessUsage> UsageOf(pid_t pid) {
  clockid_t clock{};
  timespec time{};
  if (::clock_getcpuclockid(pid, &clock) != 0 || ::clock_gettime(clock, &time) != 0) {
    return std::nullopt;
  }
  auto status = Numbers(pid, "status");
  if (status.empty()) return std::nullopt;
  return ProcessUsage{.cpu = time.tv_sec * kSecond + time.tv_nsec,
                      .voluntary_switches = status["voluntary_ctxt_switches"],
                      .involuntary_switches = status["nonvoluntary_ctxt_switches"]};
}

ProcessUsage UsageOfThisProcess() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  return {.cpu = ReadClock(CLOCK_PROCESS_CPUTIME_ID),
          .voluntary_switches = static_cast<std::uint64_t>(usage.ru_nvcsw),
          .involuntary_switches = static_cast<std::uint64_t>(usage.ru_nivcsw)};
}

std::optional<ProcessMemory> MemoryOf(pid_t pid) {
  constexpr std::uint64_t kKilo = 1024;
  auto status = Numbers(pid, "status");
  auto rollup = Numbers(pid, "smaps_rollup");
  if (!status.contains("VmRSS") || !rollup.contains("Pss")) return std::nullopt;
  return ProcessMemory{.resident = status["VmRSS"] * kKilo,
                       .peak_resident = status["VmHWM"] * kKilo,
                       .proportional = rollup["Pss"] * kKilo};
}

}  // namespace procpool

// What a spawned process finds: started by spawn_method_test with a pipe to write to as descriptor
// 3 and one to read from as descriptor 4. It writes one line for each thing, and the descriptor
// limit only when it was told that the spawn has returned; it ends when the other pipe is closed,
// with code 7.
#include <dirent.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

namespace {

constexpr int kReportFd = 3;
constexpr int kTellFd = 4;
constexpr int kExitCode = 7;

std::string OpenDescriptors() {
  std::vector<int> numbers;
  DIR* directory = ::opendir("/proc/self/fd");
  if (directory == nullptr) return "unknown";
  while (const dirent* entry = ::readdir(directory)) {
    const int number = std::atoi(entry->d_name);
    if (entry->d_name[0] != '.' && number != ::dirfd(directory)) numbers.push_back(number);
  }
  ::closedir(directory);
  std::ranges::sort(numbers);
  std::string text;
  for (const int number : numbers) text += (text.empty() ? "" : " ") + std::to_string(number);
  return text;
}

std::string Target(int fd) {
  std::string path(256, '\0');
  const ssize_t length =
      ::readlink(("/proc/self/fd/" + std::to_string(fd)).c_str(), path.data(), path.size());
  path.resize(length > 0 ? static_cast<std::size_t>(length) : 0);
  return path;
}

std::string Dispositions() {
  std::string text;
  for (int signal = 1; signal < NSIG; ++signal) {
    struct sigaction action {};
    if (::sigaction(signal, nullptr, &action) == 0 && action.sa_handler != SIG_DFL) {
      text += " " + std::to_string(signal);
    }
  }
  return text;
}

std::string Blocked() {
  sigset_t mask;
  ::sigprocmask(SIG_BLOCK, nullptr, &mask);
  std::string text;
  for (int signal = 1; signal < NSIG; ++signal) {
    if (::sigismember(&mask, signal) == 1) text += " " + std::to_string(signal);
  }
  return text;
}

void Say(const std::string& line) {
  if (::write(kReportFd, (line + '\n').c_str(), line.size() + 1) < 0) std::exit(1);
}

}  // namespace

int main(int argc, char** argv) {
  for (int i = 1; i < argc; ++i) Say("argument " + std::string(argv[i]));
  Say("parent " + std::to_string(::getppid()));
  Say(std::string("group ") + (::getpgrp() == ::getpid() ? "own" : "another's"));
  Say("descriptors " + OpenDescriptors());
  Say("input " + Target(STDIN_FILENO));
  Say(std::string("output ") +
      (Target(STDOUT_FILENO) == Target(STDERR_FILENO) ? "is standard error" : "is another"));
  Say("error " + Target(STDERR_FILENO));
  Say("changed signals" + Dispositions());
  Say("blocked signals" + Blocked());
  char told = 0;
  if (::read(kTellFd, &told, 1) != 1) return 1;
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  Say("limit " + std::to_string(limit.rlim_cur));
  while (::read(kTellFd, &told, 1) > 0) {
  }
  return kExitCode;
}

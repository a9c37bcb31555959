#include "master/audit.h"

#include <dirent.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <memory>
#include <string_view>
#include <system_error>

#include "common/queue_names.h"

namespace procpool {
namespace {

bool HasChildren() {
  siginfo_t info{};
  for (;;) {
    if (::waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) == 0) return true;
    if (errno != EINTR) return errno != ECHILD;
  }
}

}  // namespace

Audit::Audit() : listed_(List(descriptors_)) {}

bool Audit::List(std::map<int, std::string>& descriptors) {
  const std::unique_ptr<DIR, int (*)(DIR*)> directory(::opendir("/proc/self/fd"), ::closedir);
  if (directory == nullptr) return false;
  for (;;) {
    errno = 0;
    const dirent* const entry = ::readdir(directory.get());  // NOLINT(concurrency-mt-unsafe)
    if (entry == nullptr) return errno == 0;
    const std::string_view name = entry->d_name;
    int fd = -1;
    const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), fd);
    if (error != std::errc() || fd == ::dirfd(directory.get())) continue;
    std::array<char, 256> target{};
    const ssize_t length =
        ::readlinkat(::dirfd(directory.get()), entry->d_name, target.data(), target.size());
    if (length < 0) return false;
    descriptors[fd].assign(target.data(), static_cast<std::size_t>(length));
  }
}

Certificate Audit::Finish(const AuditedRun& run) const {
  Certificate certificate{.run = run, .descriptors_before = descriptors_.size()};
  const auto find = [&](bool wrong, const std::string& what) {
    if (wrong) certificate.findings.push_back(what);
  };
  const auto number = [](std::uint64_t n) { return std::to_string(n); };
  find(run.complete && run.rows_delivered + run.rows_given_up != run.rows,
       number(run.rows_delivered) + " rows were delivered and " + number(run.rows_given_up) +
           " given up, of " + number(run.rows));
  find(!run.complete && run.rows_delivered + run.rows_given_up > run.rows,
       number(run.rows_delivered) + " rows were delivered, of " + number(run.rows));
  find(run.attempts < run.chunks_done, number(run.chunks_done) + " chunks were answered, though " +
                                           number(run.attempts) + " were given out");
  find(run.processes_reaped != run.processes_spawned, number(run.processes_spawned) +
                                                          " processes were spawned and " +
                                                          number(run.processes_reaped) + " reaped");
  find(HasChildren(), "a child process is left");

  std::map<int, std::string> after;
  if (!listed_ || !List(after)) {
    find(true, "the system did not say which descriptors are open");
  } else {
    for (const auto& [fd, target] : after) {
      const auto before = descriptors_.find(fd);
      find(before == descriptors_.end() || before->second != target,
           "descriptor " + std::to_string(fd) + " (" + target + ") is left");
    }
    for (const auto& [fd, target] : descriptors_)
      find(!after.contains(fd), "descriptor " + std::to_string(fd) + " (" + target + ") is closed");
  }
  certificate.descriptors_after = after.size();

  const std::vector<std::string> names = NamesOfThisProcess();
  certificate.names_left = names.size();
  for (const std::string& name : names) find(true, "/dev/shm/" + name + " is left");
  return certificate;
}

}  // namespace procpool

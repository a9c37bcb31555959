#include "master/audit.h"

#include <sys/wait.h>

#include <cerrno>
#include <charconv>
#include <filesystem>
#include <system_error>

#include "common/queue_names.h"

namespace procpool {
namespace {

namespace fs = std::filesystem;

std::map<int, std::string> Descriptors() {
  std::map<int, std::string> descriptors;
  std::error_code gone;
  for (const fs::directory_entry& entry : fs::directory_iterator("/proc/self/fd", gone)) {
    const std::string number = entry.path().filename().string();
    int fd = -1;
    std::from_chars(number.data(), number.data() + number.size(), fd);
    const fs::path target = fs::read_symlink(entry.path(), gone);
    // The list itself is one of them while it is read.
    if (gone || target.string().ends_with("/fd")) continue;
    descriptors[fd] = target.string();
  }
  return descriptors;
}

bool HasChildren() {
  siginfo_t info{};
  return ::waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) == 0 || errno != ECHILD;
}

}  // namespace

Audit::Audit() : descriptors_(Descriptors()) {}

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

  const std::map<int, std::string> after = Descriptors();
  certificate.descriptors_after = after.size();
  for (const auto& [fd, target] : after) {
    const auto before = descriptors_.find(fd);
    find(before == descriptors_.end() || before->second != target,
         "descriptor " + std::to_string(fd) + " (" + target + ") is left");
  }
  for (const auto& [fd, target] : descriptors_)
    find(!after.contains(fd), "descriptor " + std::to_string(fd) + " (" + target + ") is closed");

  const std::vector<std::string> names = NamesOfThisProcess();
  certificate.names_left = names.size();
  for (const std::string& name : names) find(true, "/dev/shm/" + name + " is left");
  return certificate;
}

}  // namespace procpool

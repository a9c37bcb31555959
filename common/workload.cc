// Where a workload's text comes from: the built-in ones or a file. What it says is read in
// workload_toml.cc.
#include "common/workload.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include <procpool/error.h>
#include "common/os_error.h"
#include "common/quoted.h"
#include "common/unique_fd.h"
#include "common/workload_builtin.h"

namespace procpool {
namespace {

constexpr std::size_t kLargestFile = std::size_t{1} << 20U;

[[noreturn]] void FailFile(const std::string& path, std::string_view cause,
                           std::string_view remedy) {
  throw Error(Blame::kUser, {"read", "workload file " + Quoted(path), cause, remedy});
}

bool IsPath(std::string_view name_or_path) {
  return name_or_path.find('/') != std::string_view::npos || name_or_path.ends_with(".toml");
}

UniqueFd OpenRegularFile(const std::string& path) {
  constexpr std::string_view kRemedy = "give a readable TOML file, or a name from --list-workloads";
  // Non-blocking, so that opening a named pipe does not wait for its writer.
  UniqueFd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!file) FailFile(path, ErrnoText(errno), kRemedy);
  struct stat status {};
  if (::fstat(file.get(), &status) != 0) FailFile(path, ErrnoText(errno), kRemedy);
  if (S_ISDIR(status.st_mode)) FailFile(path, "it is a directory", kRemedy);
  if (!S_ISREG(status.st_mode)) FailFile(path, "it is not a regular file", kRemedy);
  return file;
}

std::string ReadFile(const std::string& path) {
  const UniqueFd file = OpenRegularFile(path);
  // The size a file states is not trusted: it may be growing, or lie in /proc. One byte more than
  // allowed is asked for.
  std::string text(kLargestFile + 1, '\0');
  std::size_t size = 0;
  while (size < text.size()) {
    const ssize_t got = ::read(file.get(), text.data() + size, text.size() - size);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) FailFile(path, ErrnoText(errno), "give a readable TOML file");
    if (got == 0) break;
    size += static_cast<std::size_t>(got);
  }
  if (size > kLargestFile) {
    FailFile(path, "it is larger than 1 MiB", "a workload takes a few hundred bytes");
  }
  text.resize(size);
  return text;
}

std::string BuiltinNames() {
  std::string names;
  for (const BuiltinWorkloadText& builtin : BuiltinWorkloadTexts()) {
    names.append(names.empty() ? "" : ", ").append(builtin.name);
  }
  return names;
}

}  // namespace

std::string_view Workload::FractalName() const {
  return fractal.pixel == PixelRole::kZ ? "julia" : "mandelbrot";
}

Workload LoadWorkload(std::string_view name_or_path, const WorkloadOverrides& overrides) {
  if (IsPath(name_or_path)) {
    const std::string path(name_or_path);
    return ParseWorkload(ReadFile(path), path, overrides);
  }
  const auto builtins = BuiltinWorkloadTexts();
  const auto found = std::ranges::find(builtins, name_or_path, &BuiltinWorkloadText::name);
  if (found == builtins.end()) {
    throw Error(Blame::kUser,
                {"find", "workload " + Quoted(name_or_path), "there is no built-in of that name",
                 "give one of " + BuiltinNames() + ", or the path of a .toml file"});
  }
  return ParseWorkload(found->toml, std::string(found->name) + ".toml", overrides);
}

std::vector<std::pair<std::string, std::string>> BuiltinWorkloads() {
  std::vector<std::pair<std::string, std::string>> workloads;
  for (const BuiltinWorkloadText& builtin : BuiltinWorkloadTexts()) {
    Workload workload = LoadWorkload(builtin.name);
    workloads.emplace_back(std::move(workload.name), std::move(workload.description));
  }
  return workloads;
}

}  // namespace procpool

// What every test of pools ends with, whatever happened in it: nothing is left behind. No child
// process, no zombie, no descriptor more than before, no name in /dev/shm and no temporary file.
//
// Promise: exact also while other tests run beside this one. To be made and asked where no pool
// lives; what a first pool makes once and keeps is to be made before.
#pragma once

#include <sys/wait.h>

#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <system_error>
#include <vector>

#include "common/queue_names.h"
#include "tests/open_descriptors.h"
#include "tests/temporary_folder.h"

namespace procpool {

class NothingLeft {
 public:
  enum class Names {
    kWatched,
    kNotWatched  ///< the test itself looks when this process has names at all
  };

  explicit NothingLeft(Names names = Names::kWatched) {
    if (const char* path = std::getenv("TMPDIR")) temporary_before_ = path;
    ::setenv("TMPDIR", temporary_.path().c_str(), 1);
    if (names == Names::kWatched) {
      // Whoever holds the lease knows how this process' names begin: "procpool.<random>".
      lease_ = QueueNameLease::Get();
      stem_ = lease_->NewStem();
      stem_.resize(stem_.rfind('.') + 1);
    }
    descriptors_ = OpenDescriptors();
  }
  ~NothingLeft() {
    if (temporary_before_) {
      ::setenv("TMPDIR", temporary_before_->c_str(), 1);
    } else {
      ::unsetenv("TMPDIR");
    }
  }
  NothingLeft(const NothingLeft&) = delete;
  NothingLeft& operator=(const NothingLeft&) = delete;

  /// In words; empty if all is well.
  std::string WhatIsLeft() const {
    std::string left;
    int status = 0;
    const pid_t child = ::waitpid(-1, &status, WNOHANG);
    if (child != -1 || errno != ECHILD) {
      left += child > 0 ? "a zombie, pid " + std::to_string(child) + "; " : "a child process; ";
    }
    if (const std::size_t now = OpenDescriptors(); now != descriptors_) {
      left += std::to_string(now) + " descriptors instead of " + std::to_string(descriptors_) +
              ": " + Descriptors() + "; ";
    }
    for (const std::string& name : NamesLeft()) left += "/dev/shm/" + name + "; ";
    for (const auto& file : std::filesystem::directory_iterator(temporary_.path())) {
      // Thread sanitizer makes one at each start and removes it at once; a worker may be killed in
      // between.
      if (file.path().filename().string().starts_with("tsan.rodata.")) continue;
      left += file.path().string() + "; ";
    }
    return left;
  }

 private:
  std::vector<std::string> NamesLeft() const {
    std::vector<std::string> names;
    if (stem_.empty()) return names;
    for (const auto& entry : std::filesystem::directory_iterator("/dev/shm")) {
      const std::string name = entry.path().filename().string();
      if (name.starts_with(stem_) && !name.ends_with(".lock")) names.push_back(name);
    }
    return names;
  }
  static std::string Descriptors() {
    std::string all;
    for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) {
      std::error_code gone;
      const auto target = std::filesystem::read_symlink(entry.path(), gone);
      if (!gone) all += target.string() + " ";
    }
    return all;
  }

  std::optional<std::string> temporary_before_;
  TemporaryFolder temporary_;
  std::shared_ptr<QueueNameLease> lease_;
  std::string stem_;
  std::size_t descriptors_ = 0;
};

}  // namespace procpool

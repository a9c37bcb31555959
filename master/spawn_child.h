// What a child does between its birth and exec, shared by the spawn methods whose child runs code
// of ours.
//
// Promise: SetUp() and Exec() make system calls only. They allocate nothing and change nothing in
// memory, so they may run in a child that is still on its parent's memory, and after a fork of a
// process with many threads.
#pragma once

#include <array>
#include <cstddef>
#include <vector>

#include "common/unique_fd.h"
#include "master/spawn_method.h"

namespace procpool {

inline constexpr int kFirstInherited = 3;
inline constexpr std::size_t kMostInherited = 16;
/// Exit code of a child that could not become the program.
inline constexpr int kNoProgram = 127;

class SpawnChild {
 public:
  /// In the parent. `command` must outlive it. Throws Error{kMachine} without free descriptors.
  explicit SpawnChild(const SpawnCommand& command);

  /// The descriptors to inherit, all above the places that they are to have, so that none is
  /// overwritten before it is moved.
  const std::vector<int>& sources() const { return sources_; }
  /// First descriptor that the child shall not have.
  int end() const { return kFirstInherited + static_cast<int>(sources_.size()); }
  char* const* argv() const { return argv_.data(); }

  /// In the child. 0, or the errno of what failed.
  int SetUp() const;
  /// In the child: SetUp() and exec. Returns only if something failed: its errno.
  int Exec() const;

 private:
  const SpawnCommand& command_;
  std::vector<UniqueFd> moved_;
  std::vector<int> sources_;
  std::array<char*, 3> argv_{};
};

}  // namespace procpool

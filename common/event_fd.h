// A doorbell: an eventfd. Ringing never blocks; any number of rings is one.
#pragma once

#include <sys/eventfd.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>

#include "common/os_error.h"
#include "common/unique_fd.h"

namespace procpool {

inline UniqueFd MakeEventFd() {
  UniqueFd fd(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!fd)
    ThrowErrno("create", "eventfd", "raise the descriptor limit (ulimit -n) or use fewer workers");
  return fd;
}

inline void RingEventFd(const UniqueFd& fd) {
  const std::uint64_t one = 1;
  // Fails when the counter is full, and then the bell is ringing already. Whatever else it may fail
  // by, it is rung once more: who waits for it looks by itself only after a second, if at all.
  for (int tries = 0; tries < 2; ++tries) {
    if (::write(fd.get(), &one, sizeof one) == sizeof one || errno == EAGAIN) return;
  }
}

inline void SilenceEventFd(const UniqueFd& fd) {
  std::uint64_t rings = 0;
  static_cast<void>(!::read(fd.get(), &rings, sizeof rings));
}

}  // namespace procpool

#include "common/standard_streams.h"

#include <fcntl.h>
#include <unistd.h>

namespace procpool {

void FillStandardStreams() {
  for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; ++fd) {
    if (::fcntl(fd, F_GETFD) >= 0) continue;
    // The lowest number that is free: this one. Open in the wrong direction. Inherited, as standard
    // streams are.
    static_cast<void>(::open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY));  // NOLINT
  }
}

bool HasStandardError() {
  return ::fcntl(STDERR_FILENO, F_GETFD) == 0;
}

bool CanBeWritten(int fd) {
  const int flags = ::fcntl(fd, F_GETFL);
  return flags >= 0 && (flags & O_ACCMODE) != O_RDONLY;
}

}  // namespace procpool

// A process that talks in lines: the master writes to its standard input and reads its standard
// output, always with a deadline.
//
// Promise: the process has a process group of its own, default signal dispositions, an empty signal
// mask and no descriptor but 0, 1, 2. Its standard error goes to memory, for messages. The
// destructor asks it to leave (SIGTERM to the group, so that a launcher can end what it launched
// elsewhere), kills the group and reaps it, in 4 seconds at most: no process, no zombie.
//
// Why not WorkerProcess: that one is launched with one argument, reads nothing and has its output
// sent to the log; a peer is somebody else's program with a command line and a conversation. And a
// benchmark's spawning need not be fast, so posix_spawn with its file actions is enough.
#pragma once

#include <sys/types.h>

#include <string>
#include <string_view>
#include <vector>

#include "common/clock.h"
#include "common/unique_fd.h"

namespace procpool {

class PeerProcess {
 public:
  /// `command[0]` is looked for along PATH unless it has a '/'. Throws Error: kUser if it cannot be
  /// executed, kMachine if the system cannot spawn.
  explicit PeerProcess(const std::vector<std::string>& command);
  PeerProcess(const PeerProcess&) = delete;
  PeerProcess& operator=(const PeerProcess&) = delete;
  ~PeerProcess();

  enum class Said { kLine, kEnd, kTooLong, kSilence };
  /// The next line without its newline. kEnd: the process has closed its output, or has ended and
  /// everything was read. kTooLong: a line of more than 64 KiB, no protocol's.
  Said ReadLine(std::string& line, Deadline deadline);
  /// `line` and a newline. False if the process does not listen any more, or not until the
  /// deadline.
  bool WriteLine(std::string_view line, Deadline deadline);

  /// The end of its input: a well-behaved process leaves.
  void CloseInput() { input_.Reset(); }
  /// False if it still lives at the deadline.
  bool WaitForEnd(Deadline deadline);
  /// "exited with code 3", …; empty while it lives.
  std::string EndText() const { return end_; }
  /// The last line it wrote to standard error, shortened; empty if there is none.
  std::string LastError() const;
  pid_t pid() const { return pid_; }

 private:
  bool TryReap();

  pid_t pid_ = -1;
  UniqueFd pidfd_, input_, output_, errors_;
  std::string unread_;
  std::string end_;  // set once the process is reaped
};

}  // namespace procpool

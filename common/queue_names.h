// Names of message queues in /dev/shm: random, created exclusively, gone as soon as they are not
// needed, and reclaimed if their owner was killed.
//
// While a process has names there, it holds a lock file (flock) beside them; the kernel releases
// the lock when the process dies, however it dies. A name whose lock file can be locked by another
// process has no owner any more. A pid would not do: it can be given to another process.
#pragma once

#include <memory>
#include <string>
#include <vector>

namespace procpool {

/// Holds this process' lock file as long as anybody holds the lease. Thread-safe.
class QueueNameLease {
 public:
  /// The process' lease, made with its lock file if there is none at the moment. The first one also
  /// reclaims names of dead owners. Throws Error{kMachine} if /dev/shm cannot be written.
  static std::shared_ptr<QueueNameLease> Get();
  ~QueueNameLease();
  QueueNameLease(const QueueNameLease&) = delete;
  QueueNameLease& operator=(const QueueNameLease&) = delete;

  /// A new stem, e.g. "procpool.9f3c…e1.7"; names made of it are covered by the lease.
  std::string NewStem();

 private:
  QueueNameLease();
  struct State;
  std::unique_ptr<State> state_;
};

/// Removes what dead owners left in /dev/shm; returns how many names. Called by Get(), and by
/// tests.
int ReclaimQueueNames();

/// Names in /dev/shm that this process has made and that are still there.
std::vector<std::string> NamesOfThisProcess();

}  // namespace procpool

// A peer: another system that does the same job, asked over the protocol of tests/peers/README.md.
//
// A peer is not trusted with its result: it writes its grid, and the sum and digest are taken of
// what it wrote. Its time is its own, measured from handing over the job until the grid is in order
// and its sum known. The grid's file is memory of this process, so no name is left behind whoever
// dies.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "common/checksum.h"
#include "common/clock.h"
#include "common/rows_payload.h"
#include "common/unique_fd.h"
#include "common/workload.h"
#include "master/lab/peer_process.h"

namespace procpool {

struct PeerProgram {
  std::string name;         ///< "python-pool"
  std::string description;  ///< "multiprocessing.Pool, map_async"
  /// "{ranks}" stands for one more than the number of processes.
  std::vector<std::string> command;
  std::string missing{};  ///< why it cannot be started; empty if it can
};

/// Every peer that is known, whether it is there or not. `scripts` is tests/peers of a source tree,
/// `binaries` the directory of the built programs.
std::vector<PeerProgram> KnownPeers(const std::string& scripts, const std::string& binaries);

/// What a peer is to do.
struct PeerJob {
  Workload workload;
  unsigned procs = 1;
  std::uint64_t chunks = 1;
  RowsPayload payload = RowsPayload::kRows;
  bool compute = true;  ///< false: the kernel `none`
};

struct PeerRun {
  double wall_seconds = 0;
  Checksum checksum;  ///< of the grid that it wrote
};

class Peer {
 public:
  /// Starts the program and waits until it is ready or says what it misses. Throws Error, with the
  /// peer's name and what it last wrote to standard error, if it does neither in time.
  Peer(const PeerProgram& program, const PeerJob& job, Nanoseconds timeout);

  /// Why it cannot do this job here; empty: it is ready.
  const std::string& missing() const { return missing_; }
  /// "Python 3.11.2"
  const std::string& version() const { return version_; }
  /// Making the coordinates, which is not in its wall time; 0 under `rows`.
  double coords_seconds() const { return coords_seconds_; }

  /// Does the job once; only where nothing is missing. Throws Error if no answer, no right answer
  /// or no whole grid comes in time; the peer is of no use then.
  PeerRun Run(Nanoseconds timeout);

  /// Lets it leave by itself; false if it has not until then (the destructor ends it then).
  bool Quit(Nanoseconds timeout);
  pid_t pid() const { return process_.pid(); }

 private:
  std::string Answer(Nanoseconds timeout);
  Checksum ReadGrid() const;
  [[noreturn]] void Fail(const std::string& cause) const;

  std::string name_;
  std::size_t points_;
  UniqueFd grid_;  // before process_, which is told its path
  PeerProcess process_;
  std::string missing_;
  std::string version_;
  double coords_seconds_ = 0;
};

}  // namespace procpool

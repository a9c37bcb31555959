// The certificate of a run: what it did with rows, processes, descriptors and names, and whether
// everything is as it was before.
//
// Promise: the snapshot is taken when the object is made, the certificate when Finish() is called,
// at the end, when all that the run needs is closed. What the certificate says of descriptors,
// children and names is asked of the system, not of the run.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace procpool {

/// What the run says of itself.
struct AuditedRun {
  std::uint64_t rows = 0;            ///< of the grid
  std::uint64_t rows_delivered = 0;  ///< by results that were accepted; a row counts each time
  std::uint64_t rows_given_up = 0;
  bool complete = false;  ///< it claims that each row is delivered or given up
  std::uint64_t chunks_done = 0;
  std::uint64_t attempts = 0;  ///< chunks that were given out
  std::uint64_t answers_refused = 0;
  std::size_t processes_spawned = 0;
  std::size_t processes_reaped = 0;
};

struct Certificate {
  AuditedRun run;
  std::size_t descriptors_before = 0;
  std::size_t descriptors_after = 0;
  std::size_t names_left = 0;         ///< of this process in /dev/shm
  std::vector<std::string> findings;  ///< what is not as it should be, in words
  bool Passed() const { return findings.empty(); }
};

class Audit {
 public:
  Audit();
  Certificate Finish(const AuditedRun& run) const;

 private:
  /// What each descriptor refers to. False: the system does not say.
  static bool List(std::map<int, std::string>& descriptors);

  std::map<int, std::string> descriptors_;
  bool listed_ = false;
};

}  // namespace procpool

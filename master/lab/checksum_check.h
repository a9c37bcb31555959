// Whoever is measured must have done the job: every run must give the workload's checksum; where it
// has none, that of the first run. What computes nothing has a checksum of its own.
#pragma once

#include <optional>
#include <stdexcept>
#include <string>

#include "master/cli.h"
#include "master/lab/contender.h"

namespace procpool {

struct ChecksumMismatch : std::runtime_error {
  using std::runtime_error::runtime_error;
};

class ChecksumCheck {
 public:
  /// `options` name the workload.
  explicit ChecksumCheck(const RunOptions& options);
  /// Throws ChecksumMismatch, which names `who`.
  void Require(const std::string& who, bool computes_nothing, const Measurement& measurement);

 private:
  std::optional<Expected> expected_;
  std::optional<Checksum> of_job_, of_nothing_;
};

}  // namespace procpool

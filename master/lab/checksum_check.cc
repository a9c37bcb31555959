#include "master/lab/checksum_check.h"

#include "common/workload.h"

namespace procpool {

ChecksumCheck::ChecksumCheck(const RunOptions& options)
    : expected_(LoadWorkload(options.workload, options.overrides).expected) {}

void ChecksumCheck::Require(const std::string& who, bool computes_nothing,
                            const Measurement& measurement) {
  std::optional<Checksum>& wanted = computes_nothing ? of_nothing_ : of_job_;
  if (!wanted) {
    wanted = measurement.checksum;
    if (!computes_nothing && expected_) wanted = Checksum{expected_->sum, expected_->digest};
  }
  if (measurement.checksum == *wanted) return;
  throw ChecksumMismatch(
      "cannot compare " + who + ": its digest is " + HexDigest(measurement.checksum.digest) +
      " where " + HexDigest(wanted->digest) + " is right; a faster wrong result is worth nothing");
}

}  // namespace procpool

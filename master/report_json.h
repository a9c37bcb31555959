// The result of a run as one JSON object. Its keys are an interface: docs/json.md lists them;
// others may be added.
#pragma once

#include <memory>
#include <string>

#include <procpool/error.h>
#include "master/run.h"

namespace procpool {

std::string JsonReport(const RunSetup& setup, const RunResult& result);
/// For a run that failed before it could begin: status, error, version.
std::string JsonFailure(const RunOptions& options, const std::string& error);

/// Where --json goes. Opened before the work starts, so that a path that cannot be written is found
/// at once.
class JsonOutput {
 public:
  /// target: a path, "-" for standard output, empty for nothing.
  explicit JsonOutput(const std::string& target);
  /// Writes once; further calls do nothing, so that a failure to write is not written itself.
  void Write(const std::string& object);
  bool to_standard_output() const { return to_standard_output_; }

 private:
  bool to_standard_output_;
  bool written_ = false;
  std::unique_ptr<OutputFile> file_;
};

}  // namespace procpool

// One job on a dispatch of its own, for the tests of the dispatch.
#pragma once

#include <exception>
#include <optional>
#include <utility>

#include "master/dispatch.h"

namespace procpool {

class OneJob {
 public:
  OneJob(Workers& workers, Job& job, const JobOptions& options)
      : dispatch_(workers), job_(job), options_(options) {}

  JobReport Run() {
    std::optional<JobReport> end;
    std::exception_ptr thrown;
    dispatch_.Begin(
        job_, options_,
        [&](JobReport report, std::exception_ptr error) {
          end = std::move(report);
          thrown = std::move(error);
        },
        &items_done_);
    if (interrupted_) dispatch_.Interrupt();
    while (!end) dispatch_.Turn(Deadline::Far());
    if (thrown) std::rethrow_exception(thrown);
    return std::move(*end);
  }

  void Interrupt() {
    interrupted_ = true;
    dispatch_.Interrupt();
  }
  void Abort() { dispatch_.Abort(); }
  void Suspend() { dispatch_.Suspend(); }
  void Resume(Nanoseconds stopped) { dispatch_.Resume(stopped); }
  std::uint64_t done() const { return items_done_; }

 private:
  Dispatch dispatch_;
  Job& job_;
  JobOptions options_;
  std::atomic<std::uint64_t> items_done_{0};
  bool interrupted_ = false;
};

}  // namespace procpool

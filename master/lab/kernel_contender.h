// A kernel as a contender: computes the workload in this thread, and measures beside each run what
// its instruction set can do at most.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "common/kernel.h"
#include "master/lab/contender.h"

namespace procpool {

/// The steps that the workload's definition makes, over all points: what steps a second are counted
/// in, whichever steps a kernel leaves out or makes in vain.
std::uint64_t StepsOf(const Fractal& fractal);

class KernelContender final : public Contender {
 public:
  /// `ceiling`: the kernel whose unchecked steps are the measure of this one; nullptr: there is
  /// none.
  KernelContender(const Fractal& fractal, const Kernel& kernel, const Kernel* ceiling);

  bool Start() override { return true; }
  Measurement Run() override;
  /// A kernel cannot be interrupted; a run is short.
  void Interrupt() override {}

  /// Unchecked steps a second, one for each Run() so far.
  const std::vector<double>& ceilings() const { return ceilings_; }

 private:
  RowsComputer computer_;
  const Kernel* ceiling_;
  std::vector<std::int32_t> grid_;
  std::vector<double> ceilings_;
};

}  // namespace procpool

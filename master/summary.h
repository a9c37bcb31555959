// The summary of a run as a person reads it.
#pragma once

#include <string>

#include "master/run.h"

namespace procpool {

/// A table of several lines, ending in the verdict.
std::string Summary(const RunSetup& setup, const RunResult& result);

/// CPU time of the kernels, divided by what the CPUs that the workers could use had to give: wall
/// time times the smaller of workers and usable CPUs. 1 is perfect.
double ParallelEfficiency(const RunResult& result, unsigned procs, unsigned cpus);

}  // namespace procpool

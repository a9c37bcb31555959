// A workload as the JSON text that peers are given; tests/peers/README.md is its description.
#pragma once

#include <string>

#include "common/workload.h"

namespace procpool {

/// One line. Numbers have as many digits as bring back the same double; an infinite bailout is the
/// text "inf". The expected checksum is not in it: a peer computes, the master checks.
std::string WorkloadJson(const Workload& workload);

}  // namespace procpool

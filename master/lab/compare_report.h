// The table of `master compare`.
#pragma once

#include <vector>

#include "master/lab/compare.h"
#include "master/lab/measuring.h"

namespace procpool {

/// A row for each variant, in their order; columns for settings that differ, the others in the
/// title.
Table CompareTable(const CompareOptions& options, const std::vector<Variant>& variants,
                   const Measured& measured);

}  // namespace procpool

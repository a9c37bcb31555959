// The control that computes nothing: with it a run measures what the pool itself costs. It writes
// every count, so that the bytes that travel are as many, and as freshly written, as those of a
// real kernel.
#include <algorithm>

#include "common/kernel_functions.h"

namespace procpool {

void ComputeNone(const Fractal& /*fractal*/, const Points& points, std::int32_t* counts) {
  std::fill_n(counts, points.count, 0);
}

}  // namespace procpool

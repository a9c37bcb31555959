// Coordinates of a whole grid, written before the job begins: what a program has whose input is an
// array, where `master` would otherwise compute each chunk's coordinates as it gives the chunk out.
#pragma once

#include <functional>
#include <span>

#include "common/buffer.h"
#include "common/fractal.h"
#include "master/plan.h"

namespace procpool {

/// Every chunk's payload, one behind the other in the order of the plan; each is z[n] then c[n]
/// (rows_payload.h).
Buffer PrepareCoords(const Fractal& fractal, const Plan& plan,
                     const std::function<Buffer(std::size_t bytes)>& allocate);
/// One chunk's part of it.
std::span<std::byte> PreparedBytes(const Buffer& prepared, const Fractal& fractal,
                                   const Chunk& chunk);

}  // namespace procpool
